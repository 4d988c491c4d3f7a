"""The control API of one database: its clock, faults, snapshots and shards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, Union

from . import _http

FaultKind = Literal[
    "throughput-exceeded",
    "throttling",
    "request-limit",
    "limit-exceeded",
    "internal-error",
    "unavailable",
    "latency",
    "drop-before",
    "drop-after",
    "expired-iterator",
    "trimmed-data",
    "empty-page",
    "duplicate",
    "unprocessed",
    "conflict",
]
"""The kinds of faults; ``docs/faults.md`` describes each."""

Delay = Union[str, timedelta, "tuple[timedelta, timedelta]"]
"""A delay such as ``"200ms"``, a range such as ``"100ms..2s"``, or the same as one or two ``timedelta``."""


def _moment(epoch_millis: int) -> datetime:
    # Not `fromtimestamp(millis / 1000)`: the division would lose milliseconds to rounding.
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=epoch_millis)


def _millis(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


@dataclass(frozen=True)
class ClockState:
    """A database's clock after a command."""

    time: datetime
    """The time, in UTC."""
    held: bool
    """Whether the clock stands still."""
    speed: float
    """How fast it runs: 1.0 is the speed of the machine's clock, 0.0 if it is held."""
    done: Mapping[str, int]
    """What became due and was done: ``expired_items``, ``trimmed_records``, ``rotated_shards`` and more."""

    @classmethod
    def _of(cls, answer: Any) -> ClockState:
        speed = answer.get("speed", 0.0)
        return cls(_moment(answer["epoch_millis"]), answer["held"], float(speed), answer.get("done", {}))


class Clock:
    """The clock of a database. Age of shards, expiry of iterators, retention and time to live follow it."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def state(self) -> ClockState:
        """Returns the time, and whether the clock runs."""
        return ClockState._of(_http.command(self._endpoint, "clock"))

    def now(self) -> datetime:
        """Returns the time, in UTC."""
        return self.state().time

    def hold(self) -> ClockState:
        """Stops the clock where it is."""
        return self._send("hold", {})

    def run(self, speed: float = 1.0) -> ClockState:
        """Lets the clock continue from its time, ``speed`` times as fast as the machine's clock."""
        return self._send("run", {"speed": speed})

    def set(self, time: datetime | int) -> ClockState:
        """Moves the clock to a time, between 1970 and 9999: a ``datetime`` with a time zone, or seconds since 1970."""
        if isinstance(time, datetime):
            if time.tzinfo is None:
                raise ValueError("a time without a time zone is ambiguous: pass tzinfo=timezone.utc")
            millis = _millis(time - _moment(0))
        else:
            millis = time * 1000
        return self._send("set", {"epoch_millis": millis})

    def advance(
        self,
        duration: timedelta | str | None = None,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        milliseconds: float = 0,
    ) -> ClockState:
        """Moves the clock forward, and returns after all work that became due is done.

        The duration is a text such as ``"16m"`` or ``"24h"``, a ``timedelta``, or given in units: ``hours=24``.
        """
        if isinstance(duration, str):
            body: dict[str, Any] = {"duration": duration}
        else:
            given = duration or timedelta()
            units = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)
            body = {"millis": _millis(given + units)}
        return self._send("advance", body)

    def _send(self, name: str, body: Any) -> ClockState:
        return ClockState._of(_http.command(self._endpoint, f"clock/{name}", body))


@dataclass(frozen=True)
class Fault:
    """A fault, and how often it was injected when it was listed."""

    id: int
    kind: str
    operations: Sequence[str]
    """Operations and groups of operations that it affects; empty for all."""
    table: str | None
    matched: int
    """How many calls matched it."""
    injected: int
    """How many of these calls it affected."""
    over: bool
    """Whether it was injected as often as it may be."""

    @classmethod
    def _of(cls, answer: Any) -> Fault:
        names = ("id", "kind", "operations", "matched", "injected", "over")
        return cls(table=answer.get("table"), **{name: answer[name] for name in names})


@dataclass(frozen=True)
class Injection:
    """One occurrence of a fault."""

    time: datetime
    fault: int
    """The ``id`` of the fault."""
    kind: str
    operation: str
    tables: Sequence[str]
    request_id: str | None


class Faults:
    """The faults of a database: errors and delays that calls meet because the test has asked for them."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def add(
        self,
        kind: FaultKind,
        *,
        operation: str | Sequence[str] = (),
        table: str | None = None,
        times: int | None = None,
        skip: int | None = None,
        probability: float | None = None,
        seed: int | None = None,
        delay: Delay | None = None,
        items: int | None = None,
    ) -> Fault:
        """Adds a fault. Without limits, it affects every call that can fail in this way.

        ``operation`` is a name such as ``"PutItem"``, a group such as ``"writes"``, or several of them. Of the calls
        that match, the first ``skip`` pass; each further one is affected with ``probability``, until the fault was
        injected ``times`` times. ``delay`` belongs to ``latency``, ``items`` to ``unprocessed``.
        """
        settings = {
            "kind": kind,
            "operations": [operation] if isinstance(operation, str) else list(operation),
            "table": table,
            "times": times,
            "skip": skip,
            "probability": probability,
            "seed": seed,
            "delay": _delay(delay),
            "items": items,
        }
        body = {name: value for name, value in settings.items() if value is not None}
        return Fault._of(_http.command(self._endpoint, "faults/add", body))

    def log(self) -> list[Injection]:
        """Returns the last injections, at most 1,000, in their order."""
        return [
            Injection(
                _moment(one["epoch_millis"]),
                one["fault"],
                one["kind"],
                one["operation"],
                one["tables"],
                one.get("request_id"),
            )
            for one in _http.command(self._endpoint, "faults")["injected"]
        ]

    def list(self) -> list[Fault]:
        """Returns the faults, with their counts."""
        return [Fault._of(fault) for fault in _http.command(self._endpoint, "faults")["faults"]]

    def remove(self, fault: Fault | int) -> None:
        """Removes a fault. Raises :class:`ControlError` if it is not there."""
        _http.command(self._endpoint, "faults/remove", {"id": fault.id if isinstance(fault, Fault) else fault})

    def clear(self) -> int:
        """Removes all faults and their log. Returns how many faults there were."""
        return int(_http.command(self._endpoint, "faults/clear", {})["removed"])


def _delay(delay: Delay | None) -> str | None:
    if delay is None or isinstance(delay, str):
        return delay
    ends = delay if isinstance(delay, tuple) else (delay,)
    return "..".join(f"{_millis(end)}ms" for end in ends)


@dataclass(frozen=True)
class Snapshot:
    """A description of a snapshot."""

    name: str
    taken: datetime | None
    tables: int
    items: int
    size_bytes: int

    @classmethod
    def _of(cls, answer: Any) -> Snapshot:
        taken = answer["taken"] and _moment(answer["taken"]["epoch_millis"])
        return cls(answer["name"], taken, answer["tables"], answer["items"], answer["size_bytes"])


class Snapshots:
    """The snapshots of a database: everything in it at a moment, streams included."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def save(self, name: str | None = None, *, file: str | None = None) -> Snapshot:
        """Saves the database under a name, or in a file of the server's ``--snapshot-dir``."""
        return self._send("save", {"name": name, "file": file})

    def restore(self, name: str | None = None, *, file: str | None = None, clock: bool = False) -> Snapshot:
        """Replaces the database with a snapshot. With ``clock``, sets the clock to the time when it was saved."""
        return self._send("restore", {"name": name, "file": file, "clock": clock})

    def list(self) -> list[Snapshot]:
        """Returns the named snapshots."""
        return [Snapshot._of(one) for one in _http.command(self._endpoint, "snapshots")["snapshots"]]

    def delete(self, name: str) -> None:
        """Deletes a named snapshot. Raises :class:`ControlError` if it is not there."""
        _http.command(self._endpoint, "snapshots/delete", {"name": name})

    def _send(self, command: str, body: dict[str, Any]) -> Snapshot:
        given = {name: value for name, value in body.items() if value is not None}
        return Snapshot._of(_http.command(self._endpoint, f"snapshots/{command}", given)["snapshot"])


@dataclass(frozen=True)
class Shard:
    """A shard of a stream."""

    stream_arn: str
    shard_id: str
    parent_shard_id: str | None
    open: bool
    starting_sequence_number: str
    ending_sequence_number: str | None

    @classmethod
    def _of(cls, answer: Any) -> Shard:
        return cls(
            answer["stream_arn"],
            answer["shard_id"],
            answer.get("parent_shard_id"),
            answer["open"],
            answer["starting_sequence_number"],
            answer.get("ending_sequence_number"),
        )


class Control:
    """The control API of a database.

    A ``stream`` is the name or ARN of a table, for its latest stream, or the ARN of a stream; ``None`` means all streams.
    A refused command raises :class:`ControlError` with the server's text.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        """The URL of the database, for both APIs of AWS."""
        self.clock = Clock(endpoint)
        self.faults = Faults(endpoint)
        self.snapshots = Snapshots(endpoint)

    def shards(self, stream: str | None = None, shard_id: str | None = None) -> list[Shard]:
        """Returns the shards of a stream, or one of them."""
        return self._shards("list", stream, shard_id)

    def rotate(self, stream: str | None = None, shard_id: str | None = None) -> list[Shard]:
        """Closes the open shards, or one of them, and opens one child each. Returns the children."""
        return self._shards("rotate", stream, shard_id)

    def split(self, stream: str | None = None, shard_id: str | None = None) -> list[Shard]:
        """Closes the open shards, or one of them, and opens two children each. Returns the children."""
        return self._shards("split", stream, shard_id)

    def trim(self, stream: str | None = None, before: str | None = None) -> int:
        """Removes the records before a sequence number, or all. Returns how many."""
        body = _stream(stream)
        if before is not None:
            body["before"] = before
        return int(_http.command(self.endpoint, "trim", body)["records"])

    def reset(self, table: str | None = None) -> None:
        """Removes everything, or the items and stream records of a table. Faults and the clock stay."""
        _http.command(self.endpoint, "reset", {} if table is None else {"table": table})

    def _shards(self, command: str, stream: str | None, shard_id: str | None) -> list[Shard]:
        body = _stream(stream)
        if shard_id is not None:
            body["shard_id"] = shard_id
        return [Shard._of(shard) for shard in _http.command(self.endpoint, f"shards/{command}", body)["shards"]]


def _stream(stream: str | None) -> dict[str, Any]:
    if stream is None:
        return {"all": True}
    return {"stream_arn" if "/stream/" in stream else "table": stream}
