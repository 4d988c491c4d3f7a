"""Orders and stock."""

from __future__ import annotations

from typing import Callable

import pytest
from pretender import Database

from orders import Order, OrderExists, OrderStore, SoldOut, UnknownOrder

Place = Callable[..., Order]


def test_places_an_order_and_reads_it(store: OrderStore, place: Place) -> None:
    order = place("1")
    assert store.get("1") == order


def test_refuses_the_same_order_twice(store: OrderStore, place: Place) -> None:
    order = place("1")
    with pytest.raises(OrderExists):
        place("1", total=900)
    assert store.get("1") == order


def test_ships_an_order(store: OrderStore, place: Place) -> None:
    place("1")
    store.ship("1")
    shipped = store.get("1")
    assert shipped and shipped.state == "shipped"


def test_cannot_ship_an_unknown_order(store: OrderStore) -> None:
    with pytest.raises(UnknownOrder):
        store.ship("1")
    assert store.get("1") is None


def test_lists_the_orders_of_a_customer_by_date(store: OrderStore, place: Place) -> None:
    place("1", placed="2026-03-02")
    place("2", placed="2026-03-01")
    place("3", placed="2026-03-03", customer="bob")
    assert [order.id for order in store.orders_of("ann").orders] == ["2", "1"]


def test_pages_through_the_orders_of_a_customer(store: OrderStore, place: Place) -> None:
    for day in range(1, 6):
        place(str(day), placed=f"2026-03-0{day}")
    pages, start = [], None
    while True:
        page = store.orders_of("ann", limit=2, start=start)
        pages.append([order.id for order in page.orders])
        start = page.next
        if start is None:
            break
    assert pages == [["1", "2"], ["3", "4"], ["5"]]


def test_placing_reserves_stock_in_one_transaction(store: OrderStore, place: Place) -> None:
    place("1", quantity=30)
    place("2", quantity=30)
    assert store.stock("tea") == 40
    with pytest.raises(OrderExists):
        place("1", quantity=30)
    assert store.stock("tea") == 40


def test_a_sold_out_product_cancels_the_transaction_and_changes_nothing(store: OrderStore, place: Place) -> None:
    with pytest.raises(SoldOut):
        place("1", quantity=101)
    assert store.get("1") is None
    assert store.stock("tea") == 100


def test_each_test_starts_with_an_empty_database(store: OrderStore, place: Place) -> None:
    assert store.all() == []
    place("1")  # as nearly every other test does


def test_a_snapshot_brings_back_the_seeded_orders(store: OrderStore, place: Place, pretender_database: Database) -> None:
    place("1")
    place("2")
    pretender_database.snapshots.save("seeded")
    store.ship("1")
    store.cancel("2")
    place("3")
    pretender_database.snapshots.restore("seeded")
    assert {order.id: order.state for order in store.all()} == {"1": "placed", "2": "placed"}
    assert store.stock("tea") == 98
