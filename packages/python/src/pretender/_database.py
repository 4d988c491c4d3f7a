"""A database of a server: clients, variables, control, assertions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from . import _clients, _environment, _http
from ._changes import Changes
from ._control import Control
from ._errors import PretenderError
from ._reader import StreamReader

if TYPE_CHECKING:
    # With the package boto3-stubs, clients have their types; without it, `Any`.
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource
    from mypy_boto3_dynamodbstreams.client import DynamoDBStreamsClient


class Database(Control):
    """A database at an endpoint. As a context manager, it is dropped at the end.

    :meth:`Server.database` gives an isolated one. It has no cost before its first request, which creates it.
    """

    def __init__(self, endpoint: str, region: str = "us-east-1") -> None:
        super().__init__(endpoint)
        self.region = region
        self._made: list[Any] = []

    @property
    def name(self) -> str | None:
        """The name of an isolated database; ``None`` for a server's only one."""
        _, found, name = urlsplit(self.endpoint).path.rpartition("/db/")
        return name if found else None

    @property
    def env(self) -> Mapping[str, str]:
        """The variables with which code that makes its own clients reaches this database.

        They are not enough if other variables name a profile or a session: see :meth:`child_environment`.
        """
        return _environment.variables(self.endpoint, self.region)

    def child_environment(self) -> dict[str, str]:
        """Returns the variables of this process with :attr:`env`, without those that lead elsewhere: for ``subprocess``."""
        kept = {name: value for name, value in os.environ.items() if name not in _environment.REMOVED}
        return {**kept, **self.env}

    @contextmanager
    def environment(self) -> Iterator[Database]:
        """Sets :attr:`env` in this process, removes variables that lead elsewhere, and restores them afterwards.

        The default session of boto3 is replaced too: it may keep credentials that it found before.
        """
        with _environment.applied(self.env):
            yield self

    def client(self, **settings: Any) -> DynamoDBClient:
        """Makes a boto3 client for DynamoDB. ``settings`` are those of ``boto3.client``, such as ``config``."""
        return cast("DynamoDBClient", self._make("client", "dynamodb", settings))

    def streams(self, **settings: Any) -> DynamoDBStreamsClient:
        """Makes a boto3 client for DynamoDB Streams."""
        return cast("DynamoDBStreamsClient", self._make("client", "dynamodbstreams", settings))

    def resource(self, **settings: Any) -> DynamoDBServiceResource:
        """Makes a boto3 resource for DynamoDB."""
        return cast("DynamoDBServiceResource", self._make("resource", "dynamodb", settings))

    def changes(self, table: str) -> Changes:
        """Returns the changes of a table from now on, for assertions. The table must have a stream.

        They are read through the Streams API, from all streams that the table has and will have. Faults do not meet
        these reads, and are not used up by them.
        """
        described = _http.call(self.endpoint, self.region, "DynamoDB_20120810.DescribeTable", {"TableName": table})["Table"]
        if "LatestStreamArn" not in described:
            raise PretenderError(f"table `{table}` has no stream: create it with a StreamSpecification")
        return Changes(table, StreamReader(self._call, table))

    def drop(self) -> bool:
        """Drops an isolated database and closes its clients. Returns whether it existed, so had any request."""
        name = self.name
        if name is None:
            raise PretenderError(f"{self.endpoint} is a whole server and cannot be dropped; reset() empties it")
        for made in self._made:
            made.close()
        self._made.clear()
        server = self.endpoint[: self.endpoint.rindex("/db/")]
        return bool(_http.command(server, "databases/drop", {"name": name})["dropped"])

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        if self.name is not None:
            self.drop()

    def __repr__(self) -> str:
        return f"Database({self.endpoint!r})"

    def _make(self, kind: str, service: str, settings: dict[str, Any]) -> Any:
        made = _clients.make(kind, service, self.endpoint, self.region, settings)
        self._made.append(made if kind == "client" else made.meta.client)
        return made

    def _call(self, target: str, body: Any, timeout: float) -> Any:
        return _http.call(self.endpoint, self.region, target, body, timeout)
