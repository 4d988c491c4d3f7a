"""An order service on DynamoDB."""

from .store import Order, OrderExists, OrderStore, Page, SoldOut, UnknownOrder
from .totals import OrderTotals

__all__ = ["Order", "OrderExists", "OrderStore", "OrderTotals", "Page", "SoldOut", "UnknownOrder"]
