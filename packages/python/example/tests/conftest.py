from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

from orders import Order, OrderStore, OrderTotals


@pytest.fixture
def store(dynamodb_resource: Any) -> OrderStore:
    """The store, with a hundred bags of tea."""
    store = OrderStore(dynamodb_resource)
    store.put_stock("tea", 100)
    return store


@pytest.fixture
def consumer(store: OrderStore, tmp_path: Path) -> Callable[..., OrderTotals]:
    """Starts a consumer, or starts it again: all of them continue from one file."""
    return lambda streams=None: OrderTotals(tmp_path / "totals.json", store, streams)


@pytest.fixture
def place(store: OrderStore) -> Callable[..., Order]:
    """Places an order."""

    def place(order_id: str, customer: str = "ann", total: int = 500, **more: Any) -> Order:
        order = Order(
            order_id, customer, **{"placed": "2026-03-01", "product": "tea", "quantity": 1, "total": total, **more}
        )
        store.place(order)
        return order

    return place
