"""The pytest plugin: fixtures, the marker ``pretender``, and the server's log in the report of a failed test."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from ._control import Control
from ._database import Database
from ._pool import ServerPool
from ._server import Server, running_servers

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource
    from mypy_boto3_dynamodbstreams.client import DynamoDBStreamsClient

_MARKER = (
    "pretender(schema=..., seed=..., options=[...], own_server=False, env=True): the database of this test begins with "
    "the tables and items of these files or folders, relative to the test's folder; `own_server` starts a server for this "
    "test alone; without `env`, the AWS_ variables stay as they are"
)

# How much of a log is shown, in characters.
_SHOWN = 20_000

_log_sizes = pytest.StashKey["dict[Server, int]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("pretender_schema", "files or folders with the tables of every database", type="linelist")
    parser.addini("pretender_seed", "files or folders with the items of every database", type="linelist")
    parser.addini("pretender_options", "further options of `pretender serve`", type="args")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture(scope="session")
def _pretender_servers() -> Iterator[ServerPool]:
    pool = ServerPool()
    yield pool
    pool.stop()


@pytest.fixture(scope="session")
def pretender_server(_pretender_servers: ServerPool, pytestconfig: pytest.Config) -> Server:
    """The server of this process, with the tables and items of the options ``pretender_schema`` and ``pretender_seed``."""
    return _pretender_servers.server(**_configured(pytestconfig))


@pytest.fixture
def pretender_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An isolated database for this test. The ``AWS_`` variables lead to it until the end of the test."""
    settings = _marked(request.node)
    own_server, with_env = settings.pop("own_server", False), settings.pop("env", True)
    own = None
    if own_server and os.environ.get("PRETENDER_ENDPOINT"):
        raise pytest.UsageError("PRETENDER_ENDPOINT is set, so a test cannot have a server of its own: unset the variable")
    if own_server:
        own = server = Server(**{**_configured(request.config), **settings}).start()
    elif settings:
        pool: ServerPool = request.getfixturevalue("_pretender_servers")
        server = pool.server(**{**_configured(request.config), **settings})
    else:
        server = request.getfixturevalue("pretender_server")
    try:
        with server.database(_name(request.node.name)) as database:
            if with_env:
                with database.environment():
                    yield database
            else:
                yield database
    finally:
        if own:
            own.stop()


@pytest.fixture
def pretender_control(pretender_database: Database) -> Control:
    """The clock, faults, snapshots and shards of the test's database."""
    return pretender_database


@pytest.fixture
def pretender_env(pretender_database: Database) -> dict[str, str]:
    """The variables with which code that makes its own clients reaches the test's database. They are set."""
    return dict(pretender_database.env)


@pytest.fixture
def dynamodb(pretender_database: Database) -> DynamoDBClient:
    """A boto3 client for the test's database."""
    return pretender_database.client()


@pytest.fixture
def dynamodbstreams(pretender_database: Database) -> DynamoDBStreamsClient:
    """A boto3 client for the streams of the test's database."""
    return pretender_database.streams()


@pytest.fixture
def dynamodb_resource(pretender_database: Database) -> DynamoDBServiceResource:
    """A boto3 resource for the test's database."""
    return pretender_database.resource()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[_log_sizes] = {server: server.log_size() for server in running_servers()}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome: Any = yield
    report: pytest.TestReport = outcome.get_result()
    if report.failed:
        before = item.stash.get(_log_sizes, {})
        for server in running_servers():
            log = server.log(after=before.get(server, 0))
            if log:
                shown = log if len(log) <= _SHOWN else "...\n" + log[-_SHOWN:]
                report.sections.append((f"Log of pretender at {server.url} during {report.when}", shown))


def _configured(config: pytest.Config) -> dict[str, Any]:
    folder = config.inipath.parent if config.inipath else config.rootpath
    return {
        "schema": [_resolved(folder, path) for path in config.getini("pretender_schema")],
        "seed": [_resolved(folder, path) for path in config.getini("pretender_seed")],
        "options": config.getini("pretender_options"),
    }


def _marked(item: pytest.Item) -> dict[str, Any]:
    """Returns the arguments of the markers of a test; those nearest to the test win."""
    settings: dict[str, Any] = {}
    for marker in item.iter_markers("pretender"):
        unknown = marker.kwargs.keys() - {"schema", "seed", "options", "own_server", "env"}
        if unknown or marker.args:
            what = ", ".join([*map(repr, marker.args), *sorted(unknown)])
            raise pytest.UsageError(f"the marker `pretender` has no argument {what}; it is {_MARKER}")
        settings = {**marker.kwargs, **settings}
    for name in ("schema", "seed"):
        if name in settings:
            given = settings[name]
            several = given if isinstance(given, (list, tuple)) else [given]
            settings[name] = [_resolved(item.path.parent, path) for path in several]
    return settings


def _resolved(folder: Path, path: Any) -> str:
    """Resolves a path, also one for a table: ``orders=items.json``."""
    given = re.fullmatch(r"([\w.-]+=)?(.+)", str(path), re.ASCII | re.DOTALL)
    # As in the program, a file may have this whole name.
    if given is None or (folder / path).exists():
        return str(folder / path)
    return f"{given[1] or ''}{folder / given[2]}"


def _name(test: str) -> str:
    """Returns a name for a database of a test, which the server's log then shows."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", test).strip("-")[:40] or "test"
    return f"{readable}-{uuid4().hex[:16]}"
