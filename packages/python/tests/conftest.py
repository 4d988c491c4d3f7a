"""What the tests share."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

import pretender
from pretender import Database, Server

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides the settings of whoever runs the tests, except the program."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "PRETENDER_")) and name != "PRETENDER_BIN":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with pretender.Server() as server:
        yield server


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    with server.database() as database:
        yield database


@pytest.fixture
def orders(database: Database) -> str:
    """A table with a stream."""
    database.client().create_table(**ORDERS)
    return "orders"


ORDERS = {
    "TableName": "orders",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
}


def is_running(pid: int) -> bool:
    """Says whether a process exists and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not os.path.exists("/proc/self")


def ends(pid: int, within: float = 10.0) -> bool:
    """Waits until a process has ended."""
    deadline = time.monotonic() + within
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_running(pid)
