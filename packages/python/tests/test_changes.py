"""Assertions about a stream."""

from __future__ import annotations

from decimal import Decimal

import pytest
from conftest import ORDERS

import pretender
from pretender import Database, insert, modify, remove
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
    expected = [insert(id=str(number), version=0) for number in range(8)]
    expected += [modify(id=str(number), version=version) for number in range(8) for version in (1, 2)]
    read = changes.expect(*expected, any_order=True)
    for number in range(8):
        versions = [change.new["version"] for change in read if change.new and change.keys["id"] == str(number)]
        assert versions == [0, 1, 2]
    database.resource().Table(orders).delete_item(Key={"id": "7"})
    with pytest.raises(AssertionError) as failed:
        changes.expect(remove(id="7", version=1), any_order=True)
    assert str(failed.value).splitlines()[1:] == ['- REMOVE id="7", version=1', '+ REMOVE id="7", version=2']


def test_the_position_survives_expiry_faults_and_trimming(database: Database, orders: str) -> None:
    table = database.resource().Table(orders)
    table.put_item(Item={"id": "0"})
    changes = database.changes(orders)
    table.put_item(Item={"id": "1"})
    database.clock.advance(minutes=16)
    for kind in ("throttling", "internal-error", "drop-after"):
        database.faults.add(kind, operation="GetRecords", times=2)  # type: ignore[arg-type]
    changes.expect(insert(id="1"))

    table.put_item(Item={"id": "2"})
    database.clock.advance(hours=25)
    table.put_item(Item={"id": "3"})
    changes.expect(insert(id="3"))


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
