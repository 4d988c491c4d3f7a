"""The pytest plugin, in runs of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ORDERS, ends, is_running

from pretender import Server

HEAD = f"""
import os, boto3, pytest, pretender
ORDERS = {ORDERS!r}
"""


def test_fixtures_give_an_isolated_database(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        HEAD
        + """
@pytest.mark.parametrize("number", range(3))
def test_all_fixtures_lead_to_one_database(
    number, dynamodb, dynamodbstreams, dynamodb_resource, pretender_database, pretender_control, pretender_env
):
    assert dynamodb.list_tables()["TableNames"] == []
    dynamodb.create_table(**ORDERS)
    assert len(dynamodbstreams.list_streams()["Streams"]) == 1
    assert [table.name for table in dynamodb_resource.tables.all()] == ["orders"]
    assert len(pretender_control.split("orders")) == 2
    assert pretender_env["AWS_ENDPOINT_URL"] == os.environ["AWS_ENDPOINT_URL"] == pretender_database.endpoint
    assert boto3.client("dynamodb").list_tables()["TableNames"] == ["orders"]
    assert "all-fixtures" in pretender_database.name

def test_variables_are_restored(pretender_server):
    assert "AWS_ENDPOINT_URL" not in os.environ
    assert pretender_server.databases() == []
"""
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=4)


def test_markers_and_options_choose_tables_and_servers(pytester: pytest.Pytester) -> None:
    pytester.makefile(".json", tables=json.dumps(ORDERS), carts=json.dumps({**ORDERS, "TableName": "carts"}))
    pytester.makefile(".json", items='[{"id": "1"}, {"id": "2"}]')
    pytester.makeini("[pytest]\npretender_schema = tables.json\npretender_options = --region eu-west-1\n")
    pytester.mkdir("tests").joinpath("test_all.py").write_text(
        HEAD
        + """
def test_options(dynamodb, pretender_database, pretender_server):
    assert dynamodb.list_tables()["TableNames"] == ["orders"]
    assert dynamodb.describe_table(TableName="orders")["Table"]["TableArn"].split(":")[3] == "eu-west-1"
    assert pretender_database.endpoint.startswith(pretender_server.url)

@pytest.mark.pretender(schema="../carts.json", seed="carts=../items.json")
class TestMarked:
    servers = set()

    @pytest.mark.parametrize("number", range(2))
    def test_class(self, number, pretender_database, dynamodb):
        assert dynamodb.list_tables()["TableNames"] == ["carts"]
        assert dynamodb.scan(TableName="carts")["Count"] == 2
        self.servers.add(pretender_database.endpoint.partition("/db/")[0])
        assert len(self.servers) == 1

    @pytest.mark.pretender(schema=["../tables.json", "../carts.json"])
    def test_the_nearest_marker_wins(self, dynamodb):
        assert dynamodb.list_tables()["TableNames"] == ["carts", "orders"]

@pytest.mark.pretender(own_server=True, options=["--shards", "4"])
def test_own_server(dynamodb, pretender_server, pretender_database, pretender_control):
    assert not pretender_database.endpoint.startswith(pretender_server.url)
    assert len(pretender_control.shards("orders")) == 4
    global own
    own = pretender_database

def test_own_server_is_stopped():
    with pytest.raises(pretender.ControlError):
        own.clock.now()

@pytest.mark.pretender(env=False)
def test_without_variables(dynamodb):
    assert "AWS_ENDPOINT_URL" not in os.environ
"""
    )
    pytester.runpytest_subprocess("--strict-markers", "tests").assert_outcomes(passed=7)


def test_a_marker_with_an_unknown_argument_is_an_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(HEAD + "@pytest.mark.pretender(shema='x')\ndef test_it(dynamodb): pass")
    run = pytester.runpytest_subprocess()
    run.assert_outcomes(errors=1)
    run.stdout.fnmatch_lines(["*no argument shema*"])


def test_a_path_may_have_an_equals_sign(pytester: pytest.Pytester) -> None:
    pytester.makefile(".json", tables=json.dumps(ORDERS), items='[{"id": "1"}]')
    folder = pytester.mkdir("items").joinpath("year=2024")
    folder.mkdir()
    for name in ("orders", "other"):
        folder.joinpath(f"{name}.json").write_text('[{"id": "1"}]')
    pytester.makepyfile(
        """
import pytest

@pytest.mark.pretender(schema="tables.json", seed="items/year=2024/orders.json")
def test_a_file(dynamodb):
    assert dynamodb.scan(TableName="orders")["Count"] == 1

@pytest.mark.pretender(schema="tables.json", seed="orders=items/year=2024/other.json")
def test_a_table_and_a_file(dynamodb):
    assert dynamodb.scan(TableName="orders")["Count"] == 1
"""
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_a_shared_server_is_not_a_server_of_ones_own(
    pytester: pytest.Pytester, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRETENDER_ENDPOINT", server.url)
    pytester.makepyfile(HEAD + "@pytest.mark.pretender(own_server=True)\ndef test_it(dynamodb): pass")
    run = pytester.runpytest_subprocess()
    run.assert_outcomes(errors=1)
    run.stdout.fnmatch_lines(["*a server of its own: unset the variable*"])


def test_a_failed_test_shows_the_log_of_its_own_calls(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        HEAD
        + """
def test_passes(dynamodb):
    dynamodb.list_tables()

def test_fails(dynamodb):
    dynamodb.create_table(**ORDERS)
    with pytest.raises(Exception):
        dynamodb.describe_table(TableName="nothing")
    assert False

def test_fails_without_a_server_of_its_own():
    assert False
"""
    )
    run = pytester.runpytest_subprocess()
    run.assert_outcomes(passed=1, failed=2)
    run.stdout.fnmatch_lines(["*Log of pretender at http://127.0.0.1:*", "*operation=CreateTable*table=orders*"])
    run.stdout.fnmatch_lines(["*operation=DescribeTable*ResourceNotFoundException*"])
    run.stdout.no_fnmatch_line("*operation=ListTables*")
    assert run.stdout.str().count("Log of pretender") == 1


def test_a_server_that_does_not_start_is_an_error_with_its_log(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(HEAD + "def test_it(dynamodb): pass")
    run = pytester.runpytest_subprocess("-o", "pretender_options=--no-such-option")
    run.assert_outcomes(errors=1)
    run.stdout.fnmatch_lines(["*StartError: *pretender ended with 2*", "*unexpected argument '--no-such-option'*"])


PARALLEL = (
    HEAD
    + """
@pytest.mark.parametrize("number", range(12))
def test_parallel(number, dynamodb, pretender_control, pretender_server, worker_id):
    dynamodb.create_table(**ORDERS)
    before = pretender_control.clock.now()
    for item in range(5):
        dynamodb.put_item(TableName="orders", Item={"id": {"S": str(item)}})
    assert dynamodb.scan(TableName="orders")["Count"] == 5
    pretender_control.clock.advance(hours=1)
    assert 3600 <= (pretender_control.clock.now() - before).total_seconds() < 3700
    with open(f"servers-of-{worker_id}", "a") as servers:
        servers.write(f"{pretender_server.url} {pretender_server.pid}\\n")
"""
)


def _servers(folder: Path) -> list[list[str]]:
    files = list(folder.glob("servers-of-gw*"))
    assert len(files) == 4
    lines = sorted({line for file in files for line in file.read_text().splitlines()})
    return [line.split() for line in lines]


def test_workers_of_xdist_have_a_server_each(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PARALLEL)
    pytester.runpytest_subprocess("-n", "4").assert_outcomes(passed=12)
    servers = _servers(pytester.path)
    assert len(servers) == 4
    assert all(ends(int(pid)) for _, pid in servers)


def test_workers_of_xdist_share_the_server_of_the_environment(
    pytester: pytest.Pytester, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRETENDER_ENDPOINT", server.url)
    pytester.makepyfile(PARALLEL)
    pytester.runpytest_subprocess("-n", "4").assert_outcomes(passed=12)
    assert _servers(pytester.path) == [[server.url, "None"]]
    assert not [name for name in server.databases() if name.startswith("test-parallel")]


@pytest.mark.parametrize("workers", ["no", "4"])
def test_a_killed_run_leaves_no_server(pytester: pytest.Pytester, workers: str) -> None:
    count = 1 if workers == "no" else int(workers)
    pytester.makepyfile(
        f"""
import os, pytest, time

@pytest.mark.parametrize("number", range({count}))
def test_it(number, pretender_server):
    child = os.fork()                # and even if the tests leave processes behind
    if child == 0:
        time.sleep(60)
        os._exit(0)
    with open(f"pids-{{number}}.part", "w") as pids:
        pids.write(f"{{pretender_server.pid}} {{os.getpid()}} {{child}}")
    os.rename(f"pids-{{number}}.part", f"pids-{{number}}")
    time.sleep(60)
"""
    )
    words = [sys.executable, "-m", "pytest", "-q", *([] if workers == "no" else ["-n", workers])]
    run = subprocess.Popen(words, cwd=pytester.path, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while len(list(pytester.path.glob("pids-?"))) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        pids = [file.read_text().split() for file in pytester.path.glob("pids-?")]
        assert len(pids) == count
        assert all(is_running(int(server)) for server, _, _ in pids)
    finally:
        run.kill()
        run.wait()
    for server, worker, child in pids:
        # A worker whose controller is gone takes some seconds to notice it. The server ends with the worker.
        assert ends(int(worker), within=60)
        assert ends(int(server))
        os.kill(int(child), signal.SIGKILL)
