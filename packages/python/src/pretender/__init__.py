"""DynamoDB and DynamoDB Streams on your machine, for tests: one server, one database for each test.

>>> with pretender.Server() as server, server.database() as database:
...     database.client().list_tables()["TableNames"]
[]

With pytest, the fixtures ``dynamodb``, ``dynamodbstreams``, ``dynamodb_resource`` and ``pretender_control`` are there
after installation; :mod:`pretender.unittest` is for ``unittest``.
"""

from ._changes import Change, Changes, Expected, insert, modify, remove
from ._control import Clock, ClockState, Control, Fault, FaultKind, Faults, Injection, Shard, Snapshot, Snapshots
from ._database import Database
from ._errors import (
    ApiError,
    ControlError,
    PretenderError,
    ProgramNotFoundError,
    StartError,
    VersionMismatchError,
)
from ._program import find_program
from ._server import Server, start
from ._version import __version__

__all__ = [
    "ApiError",
    "Change",
    "Changes",
    "Clock",
    "ClockState",
    "Control",
    "ControlError",
    "Database",
    "Expected",
    "Fault",
    "FaultKind",
    "Faults",
    "Injection",
    "PretenderError",
    "ProgramNotFoundError",
    "Server",
    "Shard",
    "Snapshot",
    "Snapshots",
    "StartError",
    "VersionMismatchError",
    "__version__",
    "find_program",
    "insert",
    "modify",
    "remove",
    "start",
]
