"""The stream of orders, and the consumer that reads it."""

from __future__ import annotations

from typing import Callable

from botocore.config import Config
from pretender import Database, insert, modify, remove

from orders import Order, OrderStore, OrderTotals

Consumer = Callable[..., OrderTotals]
Place = Callable[..., Order]


def test_the_stream_has_every_change_in_order_with_both_images(
    pretender_database: Database, store: OrderStore, place: Place
) -> None:
    changes = pretender_database.changes("orders")
    place("1", total=500)
    store.ship("1")
    store.cancel("1")
    placed, shipped, cancelled = changes.expect(
        insert(id="1", total=500, state="placed"),
        modify(id="1", state="shipped").was(state="placed"),
        remove(id="1", state="shipped"),
    )
    assert placed.old is None and cancelled.new is None
    assert shipped.old == placed.new and shipped.new == cancelled.old


def test_a_write_that_changes_nothing_makes_no_record(pretender_database: Database, store: OrderStore, place: Place) -> None:
    changes = pretender_database.changes("orders")
    place("1")
    store.ship("1")
    store.ship("1")
    changes.expect(insert(id="1"), modify(id="1", state="shipped"))


def test_the_consumer_computes_totals(consumer: Consumer, store: OrderStore, place: Place) -> None:
    totals = consumer()
    place("1", "ann", 500)
    place("2", "bob", 300)
    place("3", "ann", 250)
    place("4", "bob", 100)
    store.ship("1")
    store.cancel("4")
    assert totals.poll() == 6
    assert totals.totals() == {"ann": 750, "bob": 300}


def test_the_consumer_continues_from_its_checkpoint_after_a_restart(consumer: Consumer, place: Place) -> None:
    place("1", "ann", 500)
    place("2", "ann", 300)
    assert consumer().poll() == 2
    place("3", "ann", 200)
    restarted = consumer()
    assert restarted.poll() == 1
    assert restarted.totals() == {"ann": 1000}


def test_the_consumer_survives_an_expired_iterator(consumer: Consumer, place: Place, pretender_database: Database) -> None:
    totals = consumer()
    place("1", "ann", 500)
    totals.poll()
    pretender_database.clock.advance(minutes=16)
    place("2", "ann", 300)
    assert totals.poll() == 1
    assert totals.totals() == {"ann": 800}


def test_the_consumer_reads_each_record_once_across_a_split(
    consumer: Consumer, store: OrderStore, place: Place, pretender_database: Database
) -> None:
    totals = consumer()
    for number in range(6):
        place(str(number), "ann", 100)
    assert totals.poll() == 6
    store.ship("0")
    pretender_database.split("orders")
    for number in range(6, 12):
        place(str(number), "ann", 100)
    store.cancel("0")
    assert totals.poll() == 8
    assert totals.poll() == 0
    assert totals.totals() == {"ann": 1100}


def test_the_consumer_recovers_from_trimmed_records(
    consumer: Consumer, store: OrderStore, place: Place, pretender_database: Database
) -> None:
    place("1", "ann", 500)
    totals = consumer()
    totals.poll()
    place("2", "ann", 300)
    store.cancel("1")
    pretender_database.clock.advance(hours=25)
    place("3", "bob", 200)
    totals.poll()
    assert totals.totals() == {"ann": 300, "bob": 200}
    place("4", "bob", 50)
    totals.poll()
    assert totals.totals() == {"ann": 300, "bob": 250}


def test_a_throttled_write_is_retried_and_recorded_once(
    pretender_database: Database, store: OrderStore, place: Place
) -> None:
    changes = pretender_database.changes("orders")
    pretender_database.faults.add("throttling", operation="TransactWriteItems", times=1)
    place("1")
    assert len(pretender_database.faults.log()) == 1
    changes.expect(insert(id="1"))
    assert store.stock("tea") == 99


def test_a_throttled_get_records_does_not_lose_records(
    consumer: Consumer, place: Place, pretender_database: Database
) -> None:
    without_retries = Config(retries={"total_max_attempts": 1})
    totals = consumer(pretender_database.streams(config=without_retries))
    place("1", "ann", 500)
    pretender_database.faults.add("limit-exceeded", operation="GetRecords", times=1)
    assert totals.poll() == 0
    place("2", "ann", 300)
    assert totals.poll() == 2
    assert totals.totals() == {"ann": 800}


def test_an_expired_order_is_removed_by_ttl_and_the_record_names_the_service(
    pretender_database: Database, store: OrderStore, place: Place
) -> None:
    changes = pretender_database.changes("orders")
    now = pretender_database.clock.now().timestamp()
    place("1", expires=int(now) + 3600)
    place("2")
    pretender_database.clock.advance(hours=2)
    assert store.get("1") is None and store.get("2") is not None
    _, _, removed = changes.expect(insert(id="1"), insert(id="2"), remove(id="1", by_ttl=True))
    assert removed.record["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
