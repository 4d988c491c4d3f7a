"""Reads the streams of a table through the Streams API: every stream, and every shard of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Callable

from ._errors import ApiError

# These errors may be gone at the next attempt. They say nothing about the records.
_RETRIED = (
    "InternalServerError",
    "LimitExceededException",
    "NoAnswer",
    "ProvisionedThroughputExceededException",
    "ServiceUnavailable",
    "ThrottlingException",
)
_PAUSE = 0.01  # seconds


class Deadline:
    """A time in the future."""

    # An attribute of a class, because freezegun replaces `time.monotonic` and its names in modules.
    _now = staticmethod(time.monotonic)

    def __init__(self, seconds: float) -> None:
        self._end = self._now() + seconds

    def left(self) -> float:
        """Returns how many seconds are left, at least 0."""
        return max(0.0, self._end - self._now())


class StreamReader:
    """Remembers how far each shard was read.

    A position is the number of the last record that was read, and not an iterator alone: a test may move the clock, and
    then iterators expire.
    """

    def __init__(self, call: Callable[[str, dict[str, Any], float], Any], table: str) -> None:
        self._call = call
        self._table = table
        # In the order of their discovery. A table has a new stream if its stream was switched off and on.
        self._streams: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._iterators: dict[str, str] = {}
        self._finished: set[str] = set()
        self._unread: list[tuple[int, int, str, dict[str, Any]]] = []
        self.parents: dict[str, str | None] = {}
        """The parents of all shards."""

    def peek(self, deadline: Deadline) -> list[tuple[str, dict[str, Any]]]:
        """Returns the records that were not taken, each with the ID of its shard.

        The records of a shard are in their order, and after those of its parent. Siblings have no order on AWS; here
        they are sorted by their sequence numbers. After the deadline, no call is made a second time.
        """
        for stream_arn in self._find_streams(deadline):
            try:
                self._read_stream(stream_arn, deadline)
            except ApiError as error:
                # The stream may have been deleted since it was listed, or a shard.
                if error.code != "ResourceNotFoundException":
                    raise
        self._unread.sort(key=lambda record: record[:2])
        return [record[2:] for record in self._unread]

    def take(self, count: int) -> None:
        """Removes the first of the records that were not taken."""
        del self._unread[:count]

    def _find_streams(self, deadline: Deadline) -> list[str]:
        pages = self._pages("ListStreams", {"TableName": self._table}, "StreamArn", deadline)
        streams = [stream for page in pages for stream in page["Streams"]]
        for stream in sorted(streams, key=lambda stream: str(stream["StreamLabel"])):
            self._streams.setdefault(stream["StreamArn"], len(self._streams))
        return [stream["StreamArn"] for stream in streams]

    def _read_stream(self, stream_arn: str, deadline: Deadline) -> None:
        pages = self._pages("DescribeStream", {"StreamArn": stream_arn}, "ShardId", deadline)
        for shard in [shard for page in pages for shard in page["StreamDescription"]["Shards"]]:
            shard_id = shard["ShardId"]
            self.parents[shard_id] = shard.get("ParentShardId")
            # A snapshot that is restored may open a shard again.
            if shard_id not in self._finished or "EndingSequenceNumber" not in shard["SequenceNumberRange"]:
                self._read_shard(stream_arn, shard_id, deadline)

    def _read_shard(self, stream_arn: str, shard_id: str, deadline: Deadline) -> None:
        """Reads a shard until a page is empty, or to its end if it is closed."""
        begin = {"StreamArn": stream_arn, "ShardId": shard_id, "ShardIteratorType": "TRIM_HORIZON"}
        while True:
            try:
                iterator = self._iterators.pop(shard_id, None)
                if iterator is None:
                    iterator = self._ask("GetShardIterator", begin, deadline)["ShardIterator"]
                page = self._ask("GetRecords", {"ShardIterator": iterator}, deadline)
            except ApiError as error:
                renewable = error.code in ("ExpiredIteratorException", "TrimmedDataAccessException")
                if not renewable or not deadline.left():
                    raise
                time.sleep(_PAUSE)
                continue
            for record in page["Records"]:
                number = int(record["dynamodb"]["SequenceNumber"])
                # A new iterator begins with records that were read before.
                if number > self._last.get(shard_id, 0):
                    self._last[shard_id] = number
                    self._unread.append((self._streams[stream_arn], number, shard_id, record))
            if "NextShardIterator" not in page:
                self._finished.add(shard_id)
                return
            self._iterators[shard_id] = page["NextShardIterator"]
            if not page["Records"] or not deadline.left():
                return

    def _pages(self, operation: str, request: dict[str, Any], key: str, deadline: Deadline) -> Iterator[dict[str, Any]]:
        while True:
            page = self._ask(operation, request, deadline)
            yield page
            last = page.get("StreamDescription", page).get(f"LastEvaluated{key}")
            if last is None:
                return
            request = {**request, f"ExclusiveStart{key}": last}

    def _ask(self, operation: str, request: dict[str, Any], deadline: Deadline) -> Any:
        while True:
            try:
                return self._call(f"DynamoDBStreams_20120810.{operation}", request, max(1.0, deadline.left()))
            except ApiError as error:
                if error.code not in _RETRIED or not deadline.left():
                    raise
            time.sleep(_PAUSE)
