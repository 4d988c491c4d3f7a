"""Assertions about the stream of a table."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ._reader import Deadline, StreamReader
from ._values import equal, shown, to_plain

# Seconds.
_POLL_INTERVAL = 0.01
_PATIENCE = 2.0

# How many ways to arrange changes are tried before the best of them is taken for the answer.
_MOST_TRIED = 10_000


@dataclass(frozen=True)
class Change:
    """A stream record with plain values."""

    event: str
    """``INSERT``, ``MODIFY`` or ``REMOVE``."""
    keys: Mapping[str, Any]
    old: Mapping[str, Any] | None
    """The item before the write, if the view type includes it."""
    new: Mapping[str, Any] | None
    """The item after the write, if the view type includes it."""
    sequence_number: str
    shard_id: str
    time: datetime
    """``ApproximateCreationDateTime``, in whole seconds."""
    by_ttl: bool
    """Whether DynamoDB has removed the item because its time to live had passed."""
    record: Mapping[str, Any]
    """The record as it was read, in DynamoDB's JSON."""

    @classmethod
    def _of(cls, shard_id: str, record: Mapping[str, Any]) -> Change:
        data = record["dynamodb"]
        return cls(
            event=record["eventName"],
            keys=to_plain(data["Keys"]) or {},
            old=to_plain(data.get("OldImage")),
            new=to_plain(data.get("NewImage")),
            sequence_number=data["SequenceNumber"],
            shard_id=shard_id,
            time=datetime.fromtimestamp(data["ApproximateCreationDateTime"], timezone.utc),
            by_ttl=record.get("userIdentity", {}).get("PrincipalId") == "dynamodb.amazonaws.com",
            record=record,
        )

    def __str__(self) -> str:
        image = self.old if self.event == "REMOVE" else self.new
        text = f"{self.event} {shown(self.keys if image is None else image)}"
        if self.event == "MODIFY" and self.old is not None:
            text += f" (was {shown(self.old)})"
        return text + (" (by TTL)" if self.by_ttl else "")


@dataclass(frozen=True)
class Expected:
    """A change that a test expects: see :func:`insert`, :func:`modify` and :func:`remove`."""

    event: str
    attributes: Mapping[str, Any]
    old: Mapping[str, Any] | None = None
    by_ttl: bool | None = None

    def was(self, item: Mapping[str, Any] | None = None, /, **attributes: Any) -> Expected:
        """Also expects these attributes in the old image of a ``MODIFY``."""
        if self.event != "MODIFY":
            raise ValueError("only a MODIFY has an old image besides the expected one")
        return Expected(self.event, self.attributes, {**(item or {}), **attributes}, self.by_ttl)

    def matches(self, change: Change) -> bool:
        """Says whether a change is the expected one. Attributes that were not named do not matter."""
        image = change.old if self.event == "REMOVE" else change.new
        return (
            change.event == self.event
            # A stream without images has only the keys.
            and _has(change.keys if image is None else image, self.attributes)
            and (self.old is None or _has(change.old or {}, self.old))
            and self.by_ttl in (None, change.by_ttl)
        )

    def __str__(self) -> str:
        text = f"{self.event} {shown(self.attributes)}".rstrip()
        if self.old is not None:
            text += f" (was {shown(self.old)})"
        return text + {None: "", True: " (by TTL)", False: " (not by TTL)"}[self.by_ttl]


def _has(image: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    return all(name in image and equal(value, image[name]) for name, value in attributes.items())


def insert(item: Mapping[str, Any] | None = None, /, **attributes: Any) -> Expected:
    """Expects an ``INSERT`` whose new image has these attributes: ``insert(id="1")`` or ``insert({"order-id": "1"})``."""
    return Expected("INSERT", {**(item or {}), **attributes})


def modify(item: Mapping[str, Any] | None = None, /, **attributes: Any) -> Expected:
    """Expects a ``MODIFY`` whose new image has these attributes; :meth:`Expected.was` is about the old one."""
    return Expected("MODIFY", {**(item or {}), **attributes})


def remove(item: Mapping[str, Any] | None = None, /, *, by_ttl: bool | None = None, **attributes: Any) -> Expected:
    """Expects a ``REMOVE`` whose old image has these attributes, and if given, that it was or was not done by TTL."""
    return Expected("REMOVE", {**(item or {}), **attributes}, by_ttl=by_ttl)


class Changes:
    """The changes of a table since this object was made, or since they were last read or found as expected."""

    def __init__(self, table: str, reader: StreamReader) -> None:
        self._table = table
        self._reader = reader
        # What is in the stream by now is not a change since now.
        self.read()

    def read(self) -> list[Change]:
        """Returns the changes that were not returned before. Does not wait."""
        return self._take(self._peek(_PATIENCE))

    def expect(self, *expected: Expected, any_order: bool = False, timeout: float = 5.0) -> list[Change]:
        """Compares the changes that were not returned before with the expected ones, and returns them.

        Waits up to ``timeout`` seconds for as many changes as are expected; without any, it does not wait. Raises
        ``AssertionError`` with the difference; the next call then compares the same changes again. Raises
        :class:`ApiError` if the stream cannot be read for ``timeout`` seconds, at least two.

        Changes of a shard have an order, and come after those of its parent. Shards that are not related have no common
        order. They are compared in the order of their sequence numbers, or with ``any_order``, in every order that is
        possible: use it after a split, or with several shards.
        """
        __tracebackhide__ = True
        deadline = Deadline(timeout)
        while True:
            changes = self._peek(max(_PATIENCE, deadline.left()))
            if len(changes) >= len(expected) or not deadline.left():
                break
            if not any_order and not all(map(Expected.matches, expected, changes)):
                break
            time.sleep(_POLL_INTERVAL)
        if any_order:
            changes = _arranged(expected, changes, self._reader.parents)
        lines = _differences(expected, changes)
        if any(line.startswith("-") or line.startswith("+") for line in lines):
            raise AssertionError(f"the stream of `{self._table}` differs (- expected, + found):\n" + "\n".join(lines))
        return self._take(changes)

    def _peek(self, patience: float) -> list[Change]:
        return [Change._of(*record) for record in self._reader.peek(Deadline(patience))]

    def _take(self, changes: list[Change]) -> list[Change]:
        self._reader.take(len(changes))
        return changes


def _arranged(expected: Sequence[Expected], changes: Sequence[Change], parents: Mapping[str, str | None]) -> list[Change]:
    """Arranges changes in the possible order that agrees longest with the expected ones."""
    queues: dict[str, list[Change]] = {}
    for change in changes:
        queues.setdefault(change.shard_id, []).append(change)
    ancestors: dict[str, list[str]] = {}
    for shard_id in queues:
        ancestors[shard_id], parent = [], parents.get(shard_id)
        while parent is not None:
            ancestors[shard_id] += [parent] if parent in queues else []
            parent = parents.get(parent)

    def heads(path: list[Change]) -> list[Change]:
        """Returns the changes that may come after these."""
        taken = Counter(change.shard_id for change in path)
        left = {shard_id for shard_id, queue in queues.items() if taken[shard_id] < len(queue)}
        ready = [shard_id for shard_id in queues if shard_id in left and left.isdisjoint(ancestors[shard_id])]
        return [queues[shard_id][taken[shard_id]] for shard_id in ready]

    best: list[Change] = []
    paths: list[list[Change]] = [best]
    seen: set[frozenset[tuple[str, int]]] = set()
    while paths and len(best) < len(expected) and len(seen) < _MOST_TRIED:
        path = paths.pop()
        best = max(best, path, key=len)
        # The same changes in another order lead to the same ends.
        taken = frozenset(Counter(change.shard_id for change in path).items())
        if taken not in seen and len(path) < len(expected):
            seen.add(taken)
            paths += [[*path, head] for head in heads(path) if expected[len(path)].matches(head)]
    while len(best) < len(changes):
        possible = heads(best)
        fitting = [head for head in possible if len(best) < len(expected) and expected[len(best)].matches(head)]
        best = [*best, (fitting or possible)[0]]
    return best


def _differences(expected: Sequence[Expected], changes: Sequence[Change]) -> list[str]:
    """Returns one line for each change: those that match begin with a space."""
    lines = []
    for one, change in zip(expected, changes):
        lines += [f"  {change}"] if one.matches(change) else [f"- {one}", f"+ {change}"]
    lines += [f"- {one}" for one in expected[len(changes) :]]
    return lines + [f"+ {change}" for change in changes[len(expected) :]]
