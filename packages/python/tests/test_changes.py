"""Assertions about a stream."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from decimal import Decimal

import pytest
from conftest import ORDERS

import pretender
from pretender import Change, Database, insert, modify, remove
from pretender._changes import _arranged
from pretender._reader import StreamReader
from pretender._values import equal


def test_changes_are_compared_in_order(database: Database, orders: str) -> None:
    table = database.resource().Table(orders)
    table.put_item(Item={"id": "0"})
    changes = database.changes(orders)
    table.put_item(Item={"id": "1", "total": 42, "tags": {"a", "b"}, "blob": b"\x00\xff"})
    table.put_item(Item={"id": "1", "total": Decimal("43.5"), "paid": True, "lines": [{"n": 1}, None]})
    table.delete_item(Key={"id": "1"})
    first, second, third = changes.expect(
        insert({"id": "1"}, total=42, tags={"b", "a"}, blob=b"\x00\xff"),
        modify(id="1", total=43.5, paid=True, lines=[{"n": 1}, None]).was(total=42),
        remove(id="1", total=Decimal("43.5"), by_ttl=False),
    )
    assert (first.old, third.new, second.keys) == (None, None, {"id": "1"})
    assert first.sequence_number < second.sequence_number
    assert first.record["eventName"] == "INSERT"
    changes.expect()


def test_a_difference_can_be_read(database: Database, orders: str) -> None:
    table = database.resource().Table(orders)
    changes = database.changes(orders)
    table.put_item(Item={"id": "1", "total": 42})
    table.put_item(Item={"id": "1", "total": 44})
    with pytest.raises(AssertionError) as failed:
        changes.expect(insert(id="1"), modify(id="1", total=43), remove(id="1", by_ttl=True))
    assert str(failed.value).splitlines() == [
        "the stream of `orders` differs (- expected, + found):",
        '  INSERT id="1", total=42',
        '- MODIFY id="1", total=43',
        '+ MODIFY id="1", total=44 (was id="1", total=42)',
        '- REMOVE id="1" (by TTL)',
    ]
    # Nothing was taken, so the test can still look at the changes.
    assert len(changes.expect(insert(id="1"), modify(id="1", total=44))) == 2
    assert changes.read() == []


def test_a_change_too_many_is_a_difference(database: Database, orders: str) -> None:
    changes = database.changes(orders)
    database.resource().Table(orders).put_item(Item={"id": "1"})
    with pytest.raises(AssertionError, match=r'\+ INSERT id="1"'):
        changes.expect()


def test_missing_changes_are_waited_for(database: Database, orders: str) -> None:
    changes = database.changes(orders)
    with pytest.raises(AssertionError, match=r'- INSERT id="1"'):
        changes.expect(insert(id="1"), timeout=0.05)


def test_every_shard_is_read_after_splits(database: Database, orders: str) -> None:
    table = database.resource().Table(orders)
    changes = database.changes(orders)
    for version in range(3):
        for number in range(8):
            table.put_item(Item={"id": str(number), "version": version})
        database.split(orders)
    shards = [shard.shard_id for shard in database.shards(orders)]
    found = database.changes(orders).read()
    assert found == []
    copy = changes._peek(1)
    assert len(copy) == 24 and len({change.shard_id for change in copy}) > 4
    # Shard by shard, each after its parent: siblings may come in any order.
    by_shard = sorted(copy, key=lambda change: shards.index(change.shard_id))
    assert by_shard != copy
    expected = [(insert if change.event == "INSERT" else modify)(change.new) for change in by_shard]
    with pytest.raises(AssertionError):
        changes.expect(*expected)
    assert changes.expect(*expected, any_order=True) == by_shard
    database.resource().Table(orders).delete_item(Key={"id": "7"})
    with pytest.raises(AssertionError) as failed:
        changes.expect(remove(id="7", version=1), any_order=True)
    assert str(failed.value).splitlines()[1:] == ['- REMOVE id="7", version=1', '+ REMOVE id="7", version=2']


def _change(shard_id: str, number: int, **item: object) -> Change:
    moment = datetime(2030, 1, 1, tzinfo=timezone.utc)
    return Change("INSERT", {"id": "1"}, None, {"id": "1", **item}, str(number), shard_id, moment, False, {})


def test_any_order_keeps_that_of_each_shard() -> None:
    parents = {"left": "root", "right": "root", "leaf": "empty", "empty": "left", "root": None}
    root, leaf = _change("root", 1, n=1), _change("leaf", 9, n=2)
    one, two = _change("left", 2, n=3), _change("left", 5, n=4)
    other, last = _change("right", 3, n=3, late=True), _change("right", 4, n=5)
    changes = [root, one, other, last, two, leaf]
    # The first `n=3` could be that of the left shard too, but then `n=5` would not fit.
    order = [root, other, last, one, two, leaf]
    expected = [insert(n=change.new["n"]) for change in order if change.new]
    assert _arranged(expected, changes, parents) == order
    # A child does not come before its parent, or the parent of that.
    assert _arranged([insert(n=3)], changes, parents)[0] == root
    assert _arranged([insert(n=1), insert(n=2)], changes, parents)[1] != leaf
    # Nor a record before an earlier one of its shard.
    assert _arranged([insert(n=1), insert(n=4)], changes, parents)[1] != two
    many = [_change(f"shard-{shard}", number) for shard in range(8) for number in range(10)]
    begin = time.monotonic()
    assert len(_arranged([insert()] * 79 + [insert(n=1)], many, {})) == 80
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize(
    "kind", ["throttling", "expired-iterator", "trimmed-data", "empty-page", "duplicate", "drop-after", "latency"]
)
def test_faults_wait_for_the_code_under_test(database: Database, orders: str, kind: str) -> None:
    changes = database.changes(orders)
    delay = "10s" if kind == "latency" else None
    fault = database.faults.add(kind, operation="GetRecords", times=1, delay=delay)  # type: ignore[arg-type]
    table = database.resource().Table(orders)
    for number in "12":
        table.put_item(Item={"id": number})
    changes.expect(insert(id="1"), insert(id="2"))
    table.put_item(Item={"id": "3"})
    changes.expect(insert(id="3"))
    assert [(one.id, one.injected) for one in database.faults.list()] == [(fault.id, 0)]


@pytest.mark.parametrize(
    "code", ["ExpiredIteratorException", "TrimmedDataAccessException", "ThrottlingException", "NoAnswer"]
)
@pytest.mark.parametrize("is_frozen", [False, True])
def test_a_stream_that_cannot_be_read_ends_the_wait(
    database: Database, orders: str, monkeypatch: pytest.MonkeyPatch, code: str, is_frozen: bool
) -> None:
    changes = database.changes(orders)
    monkeypatch.setattr("pretender._changes._PATIENCE", 0.1)
    if is_frozen:
        # As freezegun does it.
        monkeypatch.setattr(time, "monotonic", lambda: 1.0)
    call = changes._reader._call

    def refused(target: str, body: dict[str, object], timeout: float) -> object:
        if target.endswith("GetRecords"):
            raise pretender.ApiError(code, "as always")
        return call(target, body, timeout)

    monkeypatch.setattr(changes._reader, "_call", refused)
    begin = time.perf_counter()
    with pytest.raises(pretender.ApiError, match=code):
        changes.expect(insert(id="1"), timeout=0.1)
    assert time.perf_counter() - begin < 5


def test_a_server_that_does_not_answer_ends_the_wait() -> None:
    import socket

    from pretender._http import call
    from pretender._reader import Deadline

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        reader = StreamReader(lambda *request: call(url, "us-east-1", *request), "orders")
        begin = time.monotonic()
        with pytest.raises(pretender.ApiError, match="NoAnswer"):
            reader.peek(Deadline(0.1))
        assert time.monotonic() - begin < 10


def test_a_frozen_clock_does_not_stop_the_wait(database: Database, orders: str, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = database.changes(orders)
    monkeypatch.setattr(time, "monotonic", lambda: 1.0)
    with pytest.raises(AssertionError, match=r'- INSERT id="1"'):
        changes.expect(insert(id="1"), timeout=0.1)


def test_new_streams_of_the_table_are_read(database: Database, orders: str) -> None:
    client, table = database.client(), database.resource().Table(orders)
    changes = database.changes(orders)
    table.put_item(Item={"id": "1"})
    for enabled in (False, True):
        specification = {"StreamEnabled": enabled, **({"StreamViewType": "NEW_IMAGE"} if enabled else {})}
        client.update_table(TableName=orders, StreamSpecification=specification)  # type: ignore[arg-type]
    table.put_item(Item={"id": "2"})
    changes.expect(insert(id="1"), insert(id="2"))

    for restart in (lambda: client.delete_table(TableName=orders), database.reset):
        restart()
        client.create_table(**ORDERS)
        table.put_item(Item={"id": "3"})
        read = changes.read()
        assert (read[-1].event, read[-1].keys) == ("INSERT", {"id": "3"})
        changes.expect()


def test_a_restored_snapshot_opens_a_shard_again(database: Database, orders: str) -> None:
    table = database.resource().Table(orders)
    changes = database.changes(orders)
    table.put_item(Item={"id": "1"})
    database.snapshots.save("one")
    database.split(orders)
    table.put_item(Item={"id": "2"})
    changes.expect(insert(id="1"), insert(id="2"))
    database.snapshots.restore("one")
    table.put_item(Item={"id": "3"})
    changes.expect(insert(id="3"))


def test_the_position_survives_expiry_and_trimming(database: Database, orders: str) -> None:
    table = database.resource().Table(orders)
    table.put_item(Item={"id": "0"})
    changes = database.changes(orders)
    table.put_item(Item={"id": "1"})
    database.clock.advance(minutes=16)
    changes.expect(insert(id="1"))

    table.put_item(Item={"id": "2"})
    database.clock.advance(hours=25)
    table.put_item(Item={"id": "3"})
    changes.expect(insert(id="3"))
    table.put_item(Item={"id": "4"})
    database.trim(orders)
    table.put_item(Item={"id": "5"})
    changes.expect(insert(id="5"))


def test_removals_by_ttl_are_known(database: Database, orders: str) -> None:
    client = database.client()
    client.update_time_to_live(TableName=orders, TimeToLiveSpecification={"AttributeName": "expires", "Enabled": True})
    changes = database.changes(orders)
    expires = int(database.clock.now().timestamp()) + 60
    database.resource().Table(orders).put_item(Item={"id": "1", "expires": expires})
    assert database.clock.advance(minutes=2).done["expired_items"] == 1
    with pytest.raises(AssertionError, match=r"\+ REMOVE .*\(by TTL\)"):
        changes.expect(insert(id="1"), remove(id="1", by_ttl=False))


def test_a_stream_without_images_has_keys(database: Database) -> None:
    specification = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    database.client().create_table(**{**ORDERS, "StreamSpecification": specification})
    changes = database.changes("orders")
    database.resource().Table("orders").put_item(Item={"id": "1", "total": 42})
    database.resource().Table("orders").delete_item(Key={"id": "1"})
    changes.expect(insert(id="1"), remove(id="1"))


def test_a_table_without_a_stream_is_refused(database: Database) -> None:
    database.client().create_table(**{**ORDERS, "StreamSpecification": {"StreamEnabled": False}})
    with pytest.raises(pretender.PretenderError, match="no stream"):
        database.changes("orders")
    with pytest.raises(pretender.ApiError) as missing:
        database.changes("nothing")
    assert missing.value.code == "ResourceNotFoundException"


def test_types_of_values_count() -> None:
    assert equal(1.5, Decimal("1.5")) and equal(0.1, Decimal("0.1")) and equal(Decimal("2.0"), 2)
    assert not equal(True, 1) and not equal(1, True) and not equal("1", 1) and not equal(1, "1")
    assert equal({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]})
    assert not equal({"a": 1}, {"a": 1, "b": 2}) and not equal([1, 2], [2, 1]) and not equal([1], [1, 1])
    assert equal({1.5, 2}, {Decimal("1.5"), 2}) and not equal({1}, {2}) and not equal({"a"}, ["a"])


def test_only_a_modify_has_two_images() -> None:
    with pytest.raises(ValueError):
        insert(id="1").was(total=1)
