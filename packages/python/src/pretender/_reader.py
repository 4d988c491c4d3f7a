"""Reads a stream from a moment on, through the Streams API: every shard, parents before children."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Callable

from ._errors import ApiError

# A test may have asked for these errors. They say nothing about the records.
_RETRIED = (
    "InternalServerError",
    "LimitExceededException",
    "NoAnswer",
    "ProvisionedThroughputExceededException",
    "ServiceUnavailable",
    "ThrottlingException",
)
_ATTEMPTS = 10
_PAUSE = 0.01  # seconds


class StreamReader:
    """Remembers how far each shard of a stream was read.

    A position is the number of the last record that was read, and not an iterator alone: a test may move the clock, and
    then iterators expire.
    """

    def __init__(self, call: Callable[[str, dict[str, Any]], Any], stream_arn: str) -> None:
        self._call = call
        self._stream_arn = stream_arn
        self._last: dict[str, str] = {}
        self._iterators: dict[str, str] = {}
        self._finished: set[str] = set()

    def read(self) -> list[dict[str, Any]]:
        """Returns the records that were not read before.

        The records of a shard are in their order, and after those of its parent. Siblings have no order on AWS; here
        they are sorted by their sequence numbers.
        """
        records: list[dict[str, Any]] = []
        while True:
            shards = list(self._shards())
            unfinished = {shard["ShardId"] for shard in shards} - self._finished
            # Without its parent in the way, a shard can be read. A finished shard may have uncovered its children.
            ready = [
                shard["ShardId"]
                for shard in shards
                if shard["ShardId"] in unfinished and shard.get("ParentShardId") not in unfinished
            ]
            page = [record for shard_id in ready for record in self._drain(shard_id)]
            records += sorted(page, key=lambda record: int(record["dynamodb"]["SequenceNumber"]))
            if self._finished.isdisjoint(ready):
                return records

    def _shards(self) -> Iterator[dict[str, Any]]:
        request = {"StreamArn": self._stream_arn}
        while True:
            description = self._ask("DescribeStream", request)["StreamDescription"]
            yield from description["Shards"]
            if "LastEvaluatedShardId" not in description:
                return
            request["ExclusiveStartShardId"] = description["LastEvaluatedShardId"]

    def _drain(self, shard_id: str) -> Iterator[dict[str, Any]]:
        """Reads a shard until a page is empty, or to its end if it is closed."""
        while True:
            try:
                iterator = self._iterators.get(shard_id) or self._open(shard_id)
                page = self._ask("GetRecords", {"ShardIterator": iterator})
            except ApiError as error:
                if error.code == "ExpiredIteratorException":
                    self._iterators.pop(shard_id, None)
                elif error.code == "TrimmedDataAccessException":
                    # What is trimmed cannot be read by anybody.
                    self._iterators.pop(shard_id, None)
                    self._last.pop(shard_id, None)
                elif error.code == "ResourceNotFoundException":
                    self._finished.add(shard_id)
                    return
                else:
                    raise
                continue
            for record in page["Records"]:
                self._last[shard_id] = record["dynamodb"]["SequenceNumber"]
                yield record
            if "NextShardIterator" not in page:
                self._finished.add(shard_id)
                return
            self._iterators[shard_id] = page["NextShardIterator"]
            if not page["Records"]:
                return

    def _open(self, shard_id: str) -> str:
        request = {"StreamArn": self._stream_arn, "ShardId": shard_id, "ShardIteratorType": "TRIM_HORIZON"}
        if shard_id in self._last:
            request.update(ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=self._last[shard_id])
        return str(self._ask("GetShardIterator", request)["ShardIterator"])

    def _ask(self, operation: str, request: dict[str, Any]) -> Any:
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._call(f"DynamoDBStreams_20120810.{operation}", request)
            except ApiError as error:
                if error.code not in _RETRIED:
                    raise
            time.sleep(_PAUSE)
        return self._call(f"DynamoDBStreams_20120810.{operation}", request)
