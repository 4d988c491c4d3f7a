"""Writes to a table and reads its stream to the end with boto3; see ../README.md."""

import json
import os
import subprocess
from collections import Counter
from datetime import datetime, timedelta, timezone

import boto3

ENDPOINT = os.environ["ENDPOINT"]
TABLE = "clients-python"
ITEMS = 100

options = {
    "endpoint_url": ENDPOINT,
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
dynamodb = boto3.client("dynamodb", **options)
streams = boto3.client("dynamodbstreams", **options)


def ctl(*arguments):
    """Gives the server a command through its control interface."""
    program = [os.environ["PRETENDER"], "ctl", "--endpoint", ENDPOINT]
    subprocess.run([*program, *arguments], check=True, stdout=subprocess.DEVNULL)


class Writer:
    """Writes items and keeps the names of the records that must follow."""

    def __init__(self):
        self.versions = {}
        self.written = []

    def put(self, item_id):
        event = "MODIFY" if item_id in self.versions else "INSERT"
        version = self._note(event, item_id)
        item = {"id": {"S": item_id}, "version": {"N": str(version)}, "text": {"S": "put"}}
        dynamodb.put_item(TableName=TABLE, Item=item)

    def update(self, item_id):
        self._note("MODIFY", item_id)
        dynamodb.update_item(
            TableName=TABLE,
            Key={"id": {"S": item_id}},
            UpdateExpression="SET #t = :text ADD version :one",
            ExpressionAttributeNames={"#t": "text"},
            ExpressionAttributeValues={":text": {"S": "updated"}, ":one": {"N": "1"}},
        )

    def delete(self, item_id):
        self.written.append(("REMOVE", item_id, self.versions.pop(item_id)))
        dynamodb.delete_item(TableName=TABLE, Key={"id": {"S": item_id}})

    def round(self, name):
        """Puts items of its own, updates every second one of all, deletes every fifth of its own."""
        mine = [f"{name}-{number}" for number in range(ITEMS)]
        for item_id in mine:
            self.put(item_id)
        for item_id in sorted(self.versions)[::2]:
            self.update(item_id)
        for item_id in mine[::5]:
            self.delete(item_id)

    def _note(self, event, item_id):
        version = self.versions.get(item_id, 0) + 1
        self.versions[item_id] = version
        self.written.append((event, item_id, version))
        return version


class Reader:
    """Reads the shards of one stream, parents before children."""

    def __init__(self, arn):
        self.arn = arn
        self.seen = []
        self.last = {}  # shard id -> last sequence number seen
        self.versions = {}
        self.times = {}  # record -> when it was created, as far as the service says
        self.expired = 0

    def shards(self):
        """Describes the stream, one shard a page."""
        shards, page = [], {}
        while True:
            description = streams.describe_stream(StreamArn=self.arn, Limit=1, **page)["StreamDescription"]
            shards += description["Shards"]
            if "LastEvaluatedShardId" not in description:
                return shards
            page = {"ExclusiveStartShardId": description["LastEvaluatedShardId"]}

    def iterator(self, shard_id):
        """Returns an iterator behind the last record seen of the shard, or at its beginning."""
        position = {"ShardIteratorType": "TRIM_HORIZON"}
        if shard_id in self.last:
            position = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self.last[shard_id]}
        return streams.get_shard_iterator(StreamArn=self.arn, ShardId=shard_id, **position)["ShardIterator"]

    def page(self, shard_id, iterator):
        """Reads one page; returns how many records it held, and the next iterator if there is one."""
        answer = streams.get_records(ShardIterator=iterator, Limit=7)
        for record in answer["Records"]:
            change = record["dynamodb"]
            self.last[shard_id] = change["SequenceNumber"]
            item = change.get("NewImage") or change["OldImage"]
            item_id, version = item["id"]["S"], int(item["version"]["N"])
            if version < self.versions.get(item_id, 0):
                raise SystemExit(f"{item_id}: version {version} after {self.versions[item_id]}")
            self.versions[item_id] = version
            self.seen.append((record["eventName"], item_id, version))
            self.times[self.seen[-1]] = change["ApproximateCreationDateTime"]
        return len(answer["Records"]), answer.get("NextShardIterator")

    def drain(self, shard_id):
        """Reads a closed shard to its end, an open one until it has been empty three times."""
        iterator, empty = self.iterator(shard_id), 0
        while iterator and empty < 3:
            try:
                count, iterator = self.page(shard_id, iterator)
                empty = 0 if count else empty + 1
            except streams.exceptions.ExpiredIteratorException:
                self.expired += 1
                iterator = self.iterator(shard_id)

    def drain_all(self):
        """Reads every shard, a parent before its children; returns how many there are."""
        finished = set()
        while True:
            shards = [shard for shard in self.shards() if shard["ShardId"] not in finished]
            if not shards:
                return len(finished)
            waiting = {shard["ShardId"] for shard in shards}
            for shard in shards:
                if shard.get("ParentShardId") not in waiting:
                    self.drain(shard["ShardId"])
                    finished.add(shard["ShardId"])


def read_since(reader, time):
    """Reads every shard from a time on, which boto3 takes as a datetime; returns the records."""
    since = Reader(reader.arn)
    for shard in since.shards():
        iterator = streams.get_shard_iterator(
            StreamArn=since.arn, ShardId=shard["ShardId"], ShardIteratorType="AT_TIMESTAMP", Timestamp=time
        )["ShardIterator"]
        empty = 0
        while iterator and empty < 3:
            count, iterator = since.page(shard["ShardId"], iterator)
            empty = 0 if count else empty + 1
    return since.seen


def check_times(reader, earlier, later):
    """Fails unless the records of the later writes, and no others, are those since the first of them."""
    first = min(reader.times[record] for record in later)
    if first <= max(reader.times[record] for record in earlier):
        raise SystemExit("the clock did not advance between the rounds")
    for time in [first, first - timedelta(minutes=1), first - timedelta(milliseconds=1)]:
        seen = Counter(read_since(reader, time))
        if seen != Counter(later):
            raise SystemExit(f"since {time} there are {seen.total()} records and not {len(later)}")
    everything = read_since(reader, datetime(1970, 1, 1, tzinfo=timezone.utc))
    if Counter(everything) != Counter(earlier + later):
        raise SystemExit(f"since 1970 there are {len(everything)} records")
    try:
        read_since(reader, first + timedelta(days=1))
        raise SystemExit("a time in the future was accepted")
    except streams.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise


def main():
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    dynamodb.get_waiter("table_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1})
    arn = dynamodb.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
    listed = streams.list_streams(TableName=TABLE)["Streams"]
    if arn not in [stream["StreamArn"] for stream in listed]:
        raise SystemExit(f"ListStreams does not list {arn}")

    writer, reader = Writer(), Reader(arn)
    writer.round("first")
    first = reader.shards()[0]["ShardId"]
    kept = reader.iterator(first)
    for _ in range(3):
        _, kept = reader.page(first, kept)

    ctl("shards", "split", arn, first)
    ctl("clock", "advance", "16m")
    try:
        streams.get_records(ShardIterator=kept)
        raise SystemExit("an iterator of 16 minutes was accepted")
    except streams.exceptions.ExpiredIteratorException:
        reader.expired += 1

    earlier = len(writer.written)
    writer.round("second")
    shards = reader.drain_all()
    check_times(reader, writer.written[:earlier], writer.written[earlier:])

    written, seen = Counter(writer.written), Counter(reader.seen)
    print(
        json.dumps(
            {
                "client": "python",
                "written": written.total(),
                "seen": seen.total(),
                "duplicates": seen.total() - len(seen),
                "missing": len(written.keys() - seen.keys()),
                "unexpected": len(seen.keys() - written.keys()),
                "shards": shards,
                "expired": reader.expired,
            }
        )
    )


if __name__ == "__main__":
    main()
