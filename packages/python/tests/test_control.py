"""The control API, command by command."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from pretender import ControlError, Database, Server


def test_the_clock_is_held_set_advanced_and_run(database: Database) -> None:
    clock = database.clock
    assert not clock.state().held
    assert abs(clock.now() - datetime.now(timezone.utc)) < timedelta(minutes=1)

    assert clock.hold().held
    moment = datetime(2030, 1, 2, 3, 4, 5, 678000, tzinfo=timezone.utc)
    assert clock.set(moment).time == moment
    assert clock.now() == moment
    assert clock.set(1_000_000_000).time == datetime(2001, 9, 9, 1, 46, 40, tzinfo=timezone.utc)

    begin = clock.now()
    clock.advance("16m")
    clock.advance(timedelta(hours=1))
    clock.advance(days=1, milliseconds=1)
    assert clock.now() - begin == timedelta(days=1, hours=1, minutes=16, milliseconds=1)

    running = clock.run(speed=100)
    assert (running.held, running.speed) == (False, 100.0)
    assert clock.run().speed == 1.0


def test_a_time_needs_a_zone(database: Database) -> None:
    with pytest.raises(ValueError, match="time zone"):
        database.clock.set(datetime(2030, 1, 1))


def test_errors_repeat_the_text_of_the_server(database: Database) -> None:
    with pytest.raises(ControlError, match="`soon` is not a duration") as refused:
        database.clock.advance("soon")
    assert refused.value.status == 400
    with pytest.raises(ControlError, match="nowhere") as missing:
        database.split("nowhere")
    assert missing.value.status == 404
    with pytest.raises(ControlError, match="no answer") as silent:
        Database("http://127.0.0.1:1").clock.now()
    assert silent.value.status is None


def test_a_token_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRETENDER_CONTROL_TOKEN", "a-secret-for-this-test")
    with Server() as server, server.database() as database:
        assert not database.clock.state().held
        monkeypatch.setenv("PRETENDER_CONTROL_TOKEN", "another")
        with pytest.raises(ControlError):
            database.clock.now()
        monkeypatch.setenv("PRETENDER_CONTROL_TOKEN", "a-secret-for-this-test")


def test_faults_are_added_listed_and_removed(database: Database) -> None:
    faults = database.faults
    added = faults.add("throttling", operation=["ListTables", "PutItem"], times=1, skip=1)
    slow = faults.add("latency", operation="GetItem", table="orders", delay=(timedelta(0), timedelta(milliseconds=20)))
    faults.add("unprocessed", items=1, probability=0.5, seed=7)
    assert (slow.table, slow.operations) == ("orders", ["GetItem"])

    client = database.client()
    client.list_tables()
    client.list_tables()  # is throttled once, and tried again by boto3
    listed = {fault.id: fault for fault in faults.list()}
    assert len(listed) == 3
    assert (listed[added.id].injected, listed[added.id].over) == (1, True)
    (injection,) = faults.log()
    assert (injection.fault, injection.kind, injection.operation) == (added.id, "throttling", "ListTables")
    assert injection.request_id

    faults.remove(added)
    faults.remove(slow.id)
    with pytest.raises(ControlError) as missing:
        faults.remove(added)
    assert missing.value.status == 404
    assert faults.clear() == 1
    assert faults.list() == [] and faults.log() == []
    with pytest.raises(ControlError, match="not a kind of fault"):
        faults.add("gremlins")  # type: ignore[arg-type]


def test_snapshots_are_saved_restored_listed_and_deleted(database: Database, orders: str) -> None:
    table = database.resource().Table(orders)
    table.put_item(Item={"id": "1"})
    saved = database.snapshots.save("one")
    assert (saved.name, saved.tables, saved.items) == ("one", 1, 1)
    taken = database.clock.now()

    table.put_item(Item={"id": "2"})
    database.clock.advance(hours=5)
    assert database.snapshots.restore("one").items == 1
    assert "Item" not in table.get_item(Key={"id": "2"})
    assert database.clock.now() - taken > timedelta(hours=4)
    database.snapshots.restore("one", clock=True)
    assert database.clock.now() - taken < timedelta(hours=1)

    assert [snapshot.name for snapshot in database.snapshots.list()] == ["one"]
    database.snapshots.delete("one")
    assert database.snapshots.list() == []
    with pytest.raises(ControlError, match="snapshot"):
        database.snapshots.save(file="no-folder-is-given.db")


def test_shards_are_listed_rotated_and_split(database: Database, orders: str) -> None:
    (first,) = database.shards(orders)
    assert first.open and first.parent_shard_id is None
    (second,) = database.rotate(orders)
    assert second.parent_shard_id == first.shard_id
    children = database.split(first.stream_arn, second.shard_id)
    assert [child.parent_shard_id for child in children] == [second.shard_id] * 2
    assert len(database.shards()) == 4
    (closed,) = database.shards(orders, first.shard_id)
    assert not closed.open and closed.ending_sequence_number


def test_records_are_trimmed_and_tables_reset(database: Database, orders: str) -> None:
    table = database.resource().Table(orders)
    changes = database.changes(orders)
    for number in range(3):
        table.put_item(Item={"id": str(number)})
    last = changes.read()[-1]
    assert database.trim(orders, before=last.sequence_number) == 2
    assert database.trim() == 1
    database.reset(orders)
    assert table.scan()["Count"] == 0
    database.reset()
    assert database.client().list_tables()["TableNames"] == []
