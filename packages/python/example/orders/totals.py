"""Follows the stream of orders and keeps the total of each customer."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from .store import OrderStore

_THROTTLED = {"LimitExceededException", "ProvisionedThroughputExceededException", "ThrottlingException"}


class _Gap(Exception):
    """Records were trimmed before they were read."""


class OrderTotals:
    """The totals of orders by customer, in cents.

    What it knows is in one file: the orders, and for each shard the last record that it has read. Both change together, so
    that a restart neither loses a record nor counts it twice. A record sets what is known of an order, so reading one again
    does no harm either.
    """

    def __init__(self, file: Path, store: OrderStore, streams: Any = None) -> None:
        self._file = file
        self._store = store
        self._streams = streams or boto3.client("dynamodbstreams")
        self._iterators: dict[str, str] = {}
        state = json.loads(file.read_text()) if file.exists() else {"orders": {}, "checkpoints": {}, "finished": []}
        self._orders: dict[str, tuple[str, int]] = state["orders"]
        self._checkpoints: dict[str, str] = state["checkpoints"]
        self._finished: set[str] = set(state["finished"])
        (stream,) = self._streams.list_streams(TableName="orders")["Streams"]
        self._arn = stream["StreamArn"]

    def totals(self) -> dict[str, int]:
        """Returns the total of each customer."""
        totals: Counter[str] = Counter()
        for customer, total in self._orders.values():
            totals[customer] += total
        return dict(totals)

    def poll(self) -> int:
        """Reads what is in the stream, and returns how many records that were. A throttled shard waits for the next call."""
        read = 0
        try:
            shards = self._shards()
            while True:
                ready = self._ready(shards)
                read += sum(self._read(shard_id) for shard_id in ready)
                if self._finished.isdisjoint(ready):
                    return read
                shards = self._shards()
        except _Gap:
            self._rebuild()
            return read

    def _shards(self) -> list[dict[str, Any]]:
        """Returns all shards that are listed. Forgets the others, whose records are gone."""
        shards: list[dict[str, Any]] = []
        page: dict[str, Any] = {}
        while True:
            described = self._streams.describe_stream(StreamArn=self._arn, **page)["StreamDescription"]
            shards += described["Shards"]
            if "LastEvaluatedShardId" not in described:
                break
            page = {"ExclusiveStartShardId": described["LastEvaluatedShardId"]}
        listed = {shard["ShardId"] for shard in shards}
        if self._checkpoints.keys() - self._finished - listed:
            raise _Gap
        self._finished &= listed
        self._checkpoints = {shard: number for shard, number in self._checkpoints.items() if shard in listed}
        return shards

    def _ready(self, shards: list[dict[str, Any]]) -> list[str]:
        """Returns the shards to read now. A child waits for its parent, so that the changes of an order stay in order."""
        unread = {shard["ShardId"] for shard in shards} - self._finished
        return [
            shard["ShardId"] for shard in shards if shard["ShardId"] in unread and shard.get("ParentShardId") not in unread
        ]

    def _read(self, shard_id: str) -> int:
        """Reads a shard to its end, or to what is its end for now."""
        read = 0
        while True:
            try:
                iterator = self._iterators.pop(shard_id, None) or self._open(shard_id)
                page = self._streams.get_records(ShardIterator=iterator)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "ExpiredIteratorException":
                    continue
                if code in ("TrimmedDataAccessException", "ResourceNotFoundException"):
                    raise _Gap from error
                if code in _THROTTLED:
                    return read
                raise
            for record in page["Records"]:
                self._apply(record)
                self._checkpoints[shard_id] = record["dynamodb"]["SequenceNumber"]
            read += len(page["Records"])
            if "NextShardIterator" not in page:
                self._finished.add(shard_id)
                self._save()
                return read
            self._iterators[shard_id] = page["NextShardIterator"]
            if not page["Records"]:
                return read
            self._save()

    def _open(self, shard_id: str) -> str:
        position = {"ShardIteratorType": "TRIM_HORIZON"}
        if shard_id in self._checkpoints:
            number = self._checkpoints[shard_id]
            position = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": number}
        opened = self._streams.get_shard_iterator(StreamArn=self._arn, ShardId=shard_id, **position)
        return str(opened["ShardIterator"])

    def _apply(self, record: dict[str, Any]) -> None:
        change = record["dynamodb"]
        order_id = change["Keys"]["id"]["S"]
        if record["eventName"] == "REMOVE":
            self._orders.pop(order_id, None)
        else:
            image = change["NewImage"]
            self._orders[order_id] = (image["customer"]["S"], int(image["total"]["N"]))

    def _rebuild(self) -> None:
        """Starts anew from the table, because records are missing.

        The positions come first and the table second. So a change between the two is in both, which does no harm.
        """
        self._checkpoints.clear()
        self._finished.clear()
        self._iterators.clear()
        for shard in self._shards():
            if "EndingSequenceNumber" in shard["SequenceNumberRange"]:
                self._finished.add(shard["ShardId"])
            else:
                opened = self._streams.get_shard_iterator(
                    StreamArn=self._arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
                )
                self._iterators[shard["ShardId"]] = opened["ShardIterator"]
        self._orders = {order.id: (order.customer, order.total) for order in self._store.all()}
        self._save()

    def _save(self) -> None:
        state = {"orders": self._orders, "checkpoints": self._checkpoints, "finished": sorted(self._finished)}
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(state))
        os.replace(new, self._file)
