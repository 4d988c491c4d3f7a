"""Databases: isolation, clients, variables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from conftest import ORDERS

from pretender import ControlError, Database, PretenderError, Server


def test_databases_are_isolated(server: Server) -> None:
    with server.database() as first, server.database() as second:
        first.client().create_table(**ORDERS)
        assert first.client().list_tables()["TableNames"] == ["orders"]
        assert second.client().list_tables()["TableNames"] == []
        first.clock.advance(hours=1)
        first.faults.add("throttling")
        assert (first.clock.now() - second.clock.now()).total_seconds() > 3000
        assert second.faults.list() == []


def test_a_database_is_created_by_its_first_request_and_dropped(server: Server) -> None:
    database = server.database("short-lived")
    assert database.name == "short-lived"
    assert "short-lived" not in server.databases()
    assert not database.drop()
    database.client().list_tables()
    assert "short-lived" in server.databases()
    assert database.drop()
    assert "short-lived" not in server.databases()


def test_a_name_that_is_not_one_is_refused(server: Server) -> None:
    with pytest.raises(ControlError) as refused:
        server.database("no spaces").clock.now()
    assert refused.value.status in (400, 404)


def test_a_whole_server_is_not_dropped(server: Server) -> None:
    with pytest.raises(PretenderError, match="whole server"):
        Database(server.url).drop()


def test_databases_begin_with_a_schema_and_items(tmp_path: Path) -> None:
    (tmp_path / "tables.json").write_text(json.dumps(ORDERS))
    (tmp_path / "orders.json").write_text('[{"id": "1", "total": 42}]')
    with Server(schema=tmp_path / "tables.json", seed=[tmp_path / "orders.json"]) as server:
        for _ in range(2):
            with server.database() as database:
                table = database.resource().Table("orders")
                assert table.get_item(Key={"id": "1"})["Item"] == {"id": "1", "total": 42}
                table.delete_item(Key={"id": "1"})


def test_clients_ignore_the_environment(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    # The session of this process may have been made before, without these variables.
    monkeypatch.setattr("pretender._clients._session", None)
    monkeypatch.setenv("AWS_PROFILE", "there-is-no-such-profile")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-real-one")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    client = database.client()
    assert client.list_tables()["TableNames"] == []
    assert database.streams().list_streams()["Streams"] == []
    assert list(database.resource().tables.all()) == []
    # Control requests do not use the proxy either.
    assert not database.clock.state().held
    used = client._request_signer._credentials  # no public way to see them
    assert used.access_key == "pretender"


def test_clients_can_be_configured(database: Database) -> None:
    from botocore.config import Config

    client = database.client(config=Config(retries={"total_max_attempts": 1}))
    database.faults.add("internal-error", operation="ListTables", times=1)
    with pytest.raises(client.exceptions.InternalServerError):
        client.list_tables()


def test_code_that_makes_its_own_clients_reaches_the_database(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "there-is-no-such-profile")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-real-one")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "example.com")
    before = dict(os.environ)
    with database.environment():
        assert os.environ["NO_PROXY"] == "example.com,127.0.0.1,localhost"
        assert "AWS_PROFILE" not in os.environ
        assert dict(os.environ).items() >= database.env.items()
        boto3.session.Session().client("dynamodb").create_table(**ORDERS)
        assert boto3.session.Session().client("dynamodbstreams").list_streams()["Streams"] != []
        with pytest.raises(ZeroDivisionError), database.environment():
            1 / 0
        assert os.environ["AWS_ENDPOINT_URL"] == database.endpoint
    assert dict(os.environ) == before
    assert database.client().list_tables()["TableNames"] == ["orders"]


def test_the_default_session_of_boto3_is_replaced_and_restored(
    database: Database, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-real-one")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-real-one")

    def key() -> str:
        return boto3.client("dynamodb")._request_signer._credentials.access_key  # no public way to see it

    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert key() == "a-real-one"
    before = boto3.DEFAULT_SESSION
    with database.environment():
        assert key() == "pretender"
        boto3.client("dynamodb").create_table(**ORDERS)
        boto3.setup_default_session(region_name="eu-west-3")
    assert boto3.DEFAULT_SESSION is before
    assert key() == "a-real-one"
    with server.database() as other, other.environment():
        assert boto3.client("dynamodb").meta.region_name == "us-east-1"
        assert boto3.client("dynamodb").list_tables()["TableNames"] == []


def test_a_session_that_a_test_makes_first_is_not_kept(database: Database) -> None:
    code = """if True:
        import pretender, sys
        with pretender.Database(sys.argv[1]).environment():
            import boto3
            assert boto3.client("dynamodb").list_tables()["TableNames"] == []
        assert boto3.DEFAULT_SESSION is None
    """
    subprocess.run([sys.executable, "-c", code, database.endpoint], check=True)


def test_no_profile_is_read(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile work]\nregion = eu-west-1\n")
    (tmp_path / "credentials").write_text("[private]\naws_access_key_id = a-real-one\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    assert boto3.session.Session().available_profiles == ["work", "private"]
    with database.environment():
        assert boto3.session.Session().available_profiles == ["default"]


def test_a_program_gets_only_the_variables_that_lead_to_the_database(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("AWS_PROFILE", "there-is-no-such-profile")
    monkeypatch.setenv("SOMETHING_ELSE", "kept")
    code = """if True:
        import boto3, os
        assert os.environ["SOMETHING_ELSE"] == "kept" and "AWS_SESSION_TOKEN" not in os.environ
        boto3.client("dynamodb").list_tables()
    """
    subprocess.run([sys.executable, "-c", code], env=database.child_environment(), check=True)
    assert os.environ["AWS_SESSION_TOKEN"] == "real"
