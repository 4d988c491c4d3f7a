"""Places and ships orders."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import boto3
from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError


class OrderExists(Exception):
    """There is already an order with this ID."""


class UnknownOrder(Exception):
    """There is no order with this ID."""


class SoldOut(Exception):
    """There is less of the product than was ordered."""


@dataclass(frozen=True)
class Order:
    """An order of one product."""

    id: str
    customer: str
    placed: str
    """A time in ISO 8601, which sorts as text."""
    product: str
    quantity: int
    total: int
    """In cents."""
    state: str = "placed"
    expires: int | None = None
    """When DynamoDB may delete the order, in seconds since 1970."""

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> Order:
        # boto3 reads numbers as Decimal.
        plain: dict[str, Any] = {name: int(value) if isinstance(value, Decimal) else value for name, value in item.items()}
        return cls(**plain)

    def to_item(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Page:
    """Some of a customer's orders."""

    orders: list[Order]
    next: dict[str, Any] | None
    """Where the next page begins, or ``None`` at the end."""


class OrderStore:
    """The tables ``orders`` and ``stock``."""

    def __init__(self, dynamodb: Any = None) -> None:
        dynamodb = dynamodb or boto3.resource("dynamodb")
        self._orders = dynamodb.Table("orders")
        self._stock = dynamodb.Table("stock")
        self._client = dynamodb.meta.client

    def put_stock(self, product: str, quantity: int) -> None:
        """Sets how much there is of a product."""
        self._stock.put_item(Item={"product": product, "quantity": quantity})

    def stock(self, product: str) -> int:
        """Returns how much there is of a product."""
        item = self._stock.get_item(Key={"product": product}, ConsistentRead=True).get("Item")
        return int(item["quantity"]) if item else 0

    def place(self, order: Order) -> None:
        """Stores an order and takes its quantity from the stock, both or neither."""
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": self._orders.name,
                            "Item": order.to_item(),
                            "ConditionExpression": "attribute_not_exists(id)",
                        }
                    },
                    {
                        "Update": {
                            "TableName": self._stock.name,
                            "Key": {"product": order.product},
                            "UpdateExpression": "SET quantity = quantity - :n",
                            "ConditionExpression": "quantity >= :n",
                            "ExpressionAttributeValues": {":n": order.quantity},
                        }
                    },
                ]
            )
        except self._client.exceptions.TransactionCanceledException as error:
            exists, sold_out = (reason["Code"] for reason in error.response["CancellationReasons"])
            if exists == "ConditionalCheckFailed":
                raise OrderExists(order.id) from None
            if sold_out == "ConditionalCheckFailed":
                raise SoldOut(order.product) from None
            raise

    def get(self, order_id: str) -> Order | None:
        """Returns an order."""
        item = self._orders.get_item(Key={"id": order_id}, ConsistentRead=True).get("Item")
        return Order.from_item(item) if item else None

    def ship(self, order_id: str) -> None:
        """Marks an order as shipped. Shipping it again changes nothing."""
        try:
            self._orders.update_item(
                Key={"id": order_id},
                UpdateExpression="SET #state = :shipped",
                ConditionExpression="attribute_exists(id)",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":shipped": "shipped"},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise UnknownOrder(order_id) from None
            raise

    def cancel(self, order_id: str) -> None:
        """Deletes an order."""
        self._orders.delete_item(Key={"id": order_id})

    def orders_of(self, customer: str, limit: int = 100, start: dict[str, Any] | None = None) -> Page:
        """Returns a page of a customer's orders, the oldest first."""
        page = self._orders.query(
            IndexName="by-customer",
            KeyConditionExpression=Key("customer").eq(customer),
            Limit=limit,
            **({"ExclusiveStartKey": start} if start else {}),
        )
        return Page([Order.from_item(item) for item in page["Items"]], page.get("LastEvaluatedKey"))

    def all(self) -> list[Order]:
        """Returns every order."""
        orders: list[Order] = []
        page: dict[str, Any] = {}
        while True:
            found = self._orders.scan(ConsistentRead=True, **page)
            orders += [Order.from_item(item) for item in found["Items"]]
            if "LastEvaluatedKey" not in found:
                return orders
            page = {"ExclusiveStartKey": found["LastEvaluatedKey"]}
