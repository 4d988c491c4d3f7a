"""Databases for tests of ``unittest``.

>>> class OrdersTest(pretender.unittest.PretenderTestCase):
...     def test_put(self):
...         self.dynamodb.create_table(...)
"""

from __future__ import annotations

import unittest
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

from ._database import Database
from ._pool import ServerPool
from ._server import Paths, running_servers

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource
    from mypy_boto3_dynamodbstreams.client import DynamoDBStreamsClient

# The servers end with this process.
_pool = ServerPool()


class PretenderMixin:
    """Gives each test an isolated database, to which the ``AWS_`` variables lead during the test.

    All tests of a process share a server. Put this class before ``TestCase`` in the list of bases, and call
    ``super().setUp()`` first in your own ``setUp``.
    """

    pretender_schema: Paths = ()
    """Files or folders with the tables that each database begins with, relative to the working directory."""
    pretender_seed: Paths = ()
    """Files or folders with the items that each database begins with."""
    pretender_options: Sequence[str] = ()
    """Further options of ``pretender serve``."""

    database: Database
    """The database of the test, with its ``clock``, ``faults``, ``snapshots``, ``changes()`` and more."""

    def setUp(self) -> None:
        super().setUp()  # type: ignore[misc]
        # The variables are restored and the database is dropped after all clean-ups that the test adds.
        stack = ExitStack()
        self.addCleanup(stack.close)  # type: ignore[attr-defined]
        server = _pool.server(self.pretender_schema, self.pretender_seed, self.pretender_options)
        self.database = stack.enter_context(server.database())
        stack.enter_context(self.database.environment())

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """A boto3 client for the test's database."""
        return self.database.client()

    @cached_property
    def dynamodbstreams(self) -> DynamoDBStreamsClient:
        """A boto3 client for the streams of the test's database."""
        return self.database.streams()

    @cached_property
    def dynamodb_resource(self) -> DynamoDBServiceResource:
        """A boto3 resource for the test's database."""
        return self.database.resource()

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Runs the test, and adds the server's log to the text of a failure."""
        before = {server: server.log_size() for server in running_servers()}
        lists = [getattr(result, name, []) for name in ("failures", "errors")]
        lengths = [len(failed) for failed in lists]
        outcome: unittest.TestResult | None = super().run(result)  # type: ignore[misc]
        for failed, length in zip(lists, lengths):
            for index in range(length, len(failed)):
                test, text = failed[index]
                log = "".join(server.log(after=before.get(server, 0)) for server in running_servers())
                failed[index] = (test, f"{text}\nLog of pretender:\n{log}" if log else text)
        return outcome


class PretenderTestCase(PretenderMixin, unittest.TestCase):
    """A ``TestCase`` with an isolated database for each test."""
