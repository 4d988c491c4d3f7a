"""The base classes for ``unittest``, in runs of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from conftest import ORDERS

TESTS = f"""
import os, unittest, boto3, pretender
from pretender.unittest import PretenderMixin, PretenderTestCase

ORDERS = {ORDERS!r}

class WithTables(PretenderTestCase):
    pretender_schema = "tables.json"

    def test_begins_with_the_schema(self):
        self.assertEqual(self.dynamodb.list_tables()["TableNames"], ["orders"])

class Base(unittest.TestCase):
    def setUp(self):
        self.base_is_set_up = True

class Mixed(PretenderMixin, Base):
    def setUp(self):
        super().setUp()
        self.dynamodb.create_table(**ORDERS)
        self.addCleanup(lambda: self.assertEqual(self.dynamodb.list_tables()["TableNames"], ["orders"]))

    def test_one(self):
        self.assertTrue(self.base_is_set_up)
        self.assertEqual(boto3.client("dynamodb").list_tables()["TableNames"], ["orders"])
        self.database.clock.advance(hours=1)

    def test_two(self):
        self.assertEqual(len(self.dynamodbstreams.list_streams()["Streams"]), 1)
        self.assertEqual([table.name for table in self.dynamodb_resource.tables.all()], ["orders"])

class Restored(unittest.TestCase):
    def test_variables(self):
        self.assertNotIn("AWS_ENDPOINT_URL", os.environ)
"""


def _run(folder: Path, tests: str, *runner: str) -> str:
    (folder / "test_all.py").write_text(tests)
    (folder / "tables.json").write_text(json.dumps(ORDERS))
    words = [sys.executable, "-W", "error::ResourceWarning", "-m", *(runner or ("unittest",)), "test_all.py"]
    ran = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return ran.stdout


def test_tests_are_isolated(tmp_path: Path) -> None:
    said = _run(tmp_path, TESTS)
    assert "Ran 4 tests" in said and said.endswith("OK\n"), said


def test_pytest_runs_them_too(tmp_path: Path) -> None:
    said = _run(tmp_path, TESTS, "pytest", "-q", "-p", "no:cacheprovider")
    assert "4 passed" in said, said


FAILING = """
from pretender.unittest import PretenderTestCase

class Failing(PretenderTestCase):
    def test_passes(self):
        self.dynamodb.list_tables()

    def test_that_fails(self):
        self.dynamodb.list_backups()
        self.fail("on purpose")
"""


def test_a_failed_test_shows_the_log(tmp_path: Path) -> None:
    for runner in ((), ("pytest", "-q", "-p", "no:cacheprovider")):
        said = _run(tmp_path, FAILING, *runner)
        assert "on purpose" in said and "Log of pretender" in said, said
        assert "operation=ListBackups" in said and "operation=ListTables" not in said, said
