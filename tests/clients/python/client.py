"""Writes to a table and reads its stream to the end with boto3, and searches vectors; see ../README.md."""

import json
import os
import subprocess
import tempfile
from collections import Counter
from datetime import datetime, timedelta, timezone

import boto3
from botocore.exceptions import ClientError, SSLError

ENDPOINT = os.environ["ENDPOINT"]
TABLE = "clients-python"
VECTORS = "clients-python-vectors"
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


def expect(name, found, expected):
    """Fails unless a value is the expected one."""
    if found != expected:
        raise SystemExit(f"{name}: {found!r} and not {expected!r}")


def vector(*numbers):
    return [{"N": str(number)} for number in numbers]


def vector_index(function, **more):
    """Returns the definition of an index named after its distance function."""
    return {
        "IndexName": function,
        "VectorAttribute": {"AttributeName": "embedding"},
        "Dimensions": 3,
        "DistanceFunction": function,
        "Projection": {"ProjectionType": "ALL"},
        **more,
    }


def vector_indexes():
    """Describes the vector indexes of the table, by name."""
    table = dynamodb.describe_table(TableName=VECTORS)["Table"]
    return {index["IndexName"]: index for index in table.get("VectorIndexes", [])}


def search(index, **more):
    return dynamodb.search_vectors(
        TableName=VECTORS, IndexName=index, SearchVector=vector(1, 0, 0), **{"TopK": 10, **more}
    )


def check_scores(index, expected, **more):
    """Fails unless a search finds these items in this order, with these scores."""
    found = [(result["Item"]["id"]["S"], result["Score"]) for result in search(index, **more)["SearchResults"]]
    expect(f"items of {index}", [item_id for item_id, _ in found], [item_id for item_id, _ in expected])
    for (item_id, score), (_, expected_score) in zip(found, expected):
        # Vectors are made of 32-bit floats.
        if abs(score - expected_score) > 1e-6:
            raise SystemExit(f"score of {item_id} in {index}: {score} and not {expected_score}")


def expect_refusal(code, text, call, **parameters):
    """Fails unless a call is refused with this code and text."""
    try:
        call(**parameters)
    except dynamodb.exceptions.ClientError as error:
        expect("code", error.response["Error"]["Code"], code)
        expect("text", error.response["Error"]["Message"], text)
    else:
        raise SystemExit(f"not refused: {text}")


def check_vectors():
    """Searches vector indexes that were created with their table and later."""
    schema = [
        {"AttributeName": "tenant", "SearchSchemaElementType": "HASH"},
        {"AttributeName": "kind", "SearchSchemaElementType": "INLINE_FILTER"},
    ]
    dynamodb.create_table(
        TableName=VECTORS,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ["id", "tenant", "kind"]
        ],
        BillingMode="PAY_PER_REQUEST",
        VectorIndexes=[vector_index("COSINE", SearchSchema=schema)],
    )
    dynamodb.get_waiter("table_exists").wait(TableName=VECTORS, WaiterConfig={"Delay": 1})
    expect("schema", vector_indexes()["COSINE"]["SearchSchema"], schema)

    def put(item_id, tenant, kind, embedding):
        return dynamodb.put_item(
            TableName=VECTORS,
            Item={
                "id": {"S": item_id},
                "tenant": {"S": tenant},
                "kind": {"S": kind},
                "embedding": {"L": embedding},
            },
            ReturnConsumedCapacity="INDEXES",
        )["ConsumedCapacity"]

    capacity = put("same", "t1", "a", vector(1, 0, 0))
    expect("write capacity", capacity["VectorIndexes"], {"COSINE": {"VectorWriteRequestBytes": 1024.0}})
    if "VectorIndexes" in put("same", "t1", "a", vector(1, 0, 0)):
        raise SystemExit("a write without a change was charged")
    put("near", "t1", "b", vector("0.6", "0.8", 0))
    put("across", "t1", "a", vector(0, 1, 0))
    put("opposite", "t1", "b", vector(-1, 0, 0))
    put("elsewhere", "t2", "a", vector(1, 0, 0))
    expect_refusal(
        "ValidationException",
        "One or more parameter values were invalid. Invalid size for parameter embedding, "
        "Expected: 3, Actual: 2 IndexName: COSINE",
        put,
        item_id="short",
        tenant="t1",
        kind="a",
        embedding=vector(1, 0),
    )

    tenant = {
        "SearchConditionExpression": "tenant = :tenant",
        "ExpressionAttributeValues": {":tenant": {"S": "t1"}},
    }
    kind = {
        "SearchConditionExpression": "tenant = :tenant AND #kind = :kind",
        "ExpressionAttributeNames": {"#kind": "kind"},
        "ExpressionAttributeValues": {":tenant": {"S": "t1"}, ":kind": {"S": "a"}},
    }
    check_scores("COSINE", [("same", 0), ("near", 0.4), ("across", 1), ("opposite", 2)], **tenant)
    check_scores("COSINE", [("same", 0), ("across", 1)], **kind)
    check_scores("COSINE", [("same", 0)], TopK=1, **tenant)
    expect_refusal(
        "ValidationException",
        "SearchConditionExpression must be provided when SearchSchema has a HASH key",
        search,
        index="COSINE",
    )

    answer = search("COSINE", TopK=1, ReturnConsumedCapacity="TOTAL", **tenant)
    expect("search capacity", answer["ConsumedCapacity"], {"VectorSearchRequestBytes": 1024.0})
    item = {"id": {"S": "same"}, "tenant": {"S": "t1"}, "kind": {"S": "a"}}
    expect("item", answer["SearchResults"][0]["Item"], item)
    answer = search("COSINE", TopK=1, ProjectionExpression="id, embedding, absent", **tenant)
    item = {"id": {"S": "same"}, "embedding": {"L": vector("1.0", "0.0", "0.0")}}
    expect("projected item", answer["SearchResults"][0]["Item"], item)

    dynamodb.delete_item(TableName=VECTORS, Key={"id": {"S": "elsewhere"}})
    for function, scores in {"EUCLIDEAN": [0, 0.8**0.5, 2**0.5, 2], "DOT_PRODUCT": [1, 0.6, 0, -1]}.items():
        answer = dynamodb.update_table(
            TableName=VECTORS, VectorIndexUpdates=[{"Create": vector_index(function)}]
        )
        created = [index["IndexStatus"] for index in answer["TableDescription"]["VectorIndexes"]][-1]
        expect(f"status of {function}", created, "CREATING")
        expect(f"items of {function}", vector_indexes()[function]["ItemCount"], 4)
        check_scores(function, list(zip(["same", "near", "across", "opposite"], scores)))

    dynamodb.update_table(TableName=VECTORS, VectorIndexUpdates=[{"Delete": {"IndexName": "EUCLIDEAN"}}])
    expect("indexes", sorted(vector_indexes()), ["COSINE", "DOT_PRODUCT"])
    expect_refusal(
        "ValidationException",
        "The table does not have the specified index: EUCLIDEAN",
        search,
        index="EUCLIDEAN",
    )
    dynamodb.delete_table(TableName=VECTORS)


def check_signatures():
    """Calls a server of its own, with HTTPS and access keys, with right and wrong credentials."""
    keys = [
        {"accessKeyId": "AKIDOWNER", "secretAccessKey": "owner+/="},
        {"accessKeyId": "AKIDREADER", "secretAccessKey": "reader", "userName": "reports", "readOnly": True},
        {"accessKeyId": "ASIATEMPORARY", "secretAccessKey": "temporary", "sessionToken": "t0ken/+="},
    ]
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "keys.json"), "w", opener=lambda *opened: os.open(*opened, mode=0o600)) as file:
            json.dump({"keys": keys}, file)
        serve = ["serve", "--port", "0", "--db", ":memory:", "--announce", "json", "--stop-on-stdin-close"]
        locked = [*serve, "--tls", "self-signed", "--credentials", "keys.json"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen([os.environ["PRETENDER"], *locked], cwd=folder, **pipes) as server:
            announced = json.loads(server.stdout.readline())
            check_answers(announced["url"], announced["ca_file"])
            server.stdin.close()


def check_answers(url, ca_file):
    """Compares the answers to calls with several credentials."""
    schema = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }

    def client(key, secret, token=None, region="us-east-1", service="dynamodb", verify=ca_file):
        credentials = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token}
        return boto3.client(service, endpoint_url=url, region_name=region, verify=verify, **credentials)

    def refused(code, text, call, **arguments):
        try:
            call(**arguments)
        except ClientError as error:
            given = error.response["Error"]
            if given["Code"] != code or not given["Message"].startswith(text):
                raise SystemExit(f"expected {code}, {text}: {given}") from error
            return
        raise SystemExit(f"a call was accepted that needs {code}")

    owner, temporary = client("AKIDOWNER", "owner+/="), client("ASIATEMPORARY", "temporary", "t0ken/+=")
    reader = client("AKIDREADER", "reader")
    owner.create_table(TableName="locked", **schema)
    temporary.put_item(TableName="locked", Item={"id": {"S": "\u00fc"}})
    if len(reader.scan(TableName="locked")["Items"]) != 1:
        raise SystemExit("a key that reads sees another number of items")
    client("AKIDOWNER", "owner+/=", service="dynamodbstreams").list_streams()
    mismatch, invalid = "The request signature we calculated does not match", "The security token included"
    refused("InvalidSignatureException", mismatch, client("AKIDOWNER", "wrong").list_tables)
    refused("UnrecognizedClientException", invalid, client("AKIDOTHER", "owner+/=").list_tables)
    refused("UnrecognizedClientException", invalid, client("ASIATEMPORARY", "temporary").list_tables)
    elsewhere = client("AKIDOWNER", "owner+/=", region="eu-west-1")
    refused("InvalidSignatureException", "Credential should be scoped to a valid region, not 'eu-west-1'", elsewhere.list_tables)
    text = "User: arn:aws:iam::000000000000:user/reports is not authorized to perform: dynamodb:PutItem on resource: "
    refused("AccessDeniedException", text, reader.put_item, TableName="locked", Item={"id": {"S": "b"}})
    try:
        client("AKIDOWNER", "owner+/=", verify=True).list_tables()
    except SSLError:
        return
    raise SystemExit("a client has accepted a certificate that it does not trust")


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
    check_vectors()
    check_signatures()

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
