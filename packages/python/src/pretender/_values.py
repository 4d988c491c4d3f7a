"""Attribute values of DynamoDB's JSON as plain Python values."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Set
from decimal import Decimal
from typing import Any


def to_plain(item: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Converts an item. Numbers become ``int`` if they are whole, else ``Decimal``; binary values become ``bytes``."""
    return None if item is None else {name: _plain(value) for name, value in item.items()}


def _plain(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    if kind == "NULL":
        return None
    if kind == "M":
        return to_plain(value)
    if kind == "L":
        return [_plain(element) for element in value]
    if kind in ("NS", "BS", "SS"):
        return {_scalar(kind[0], element) for element in value}
    return _scalar(kind, value)


def _scalar(kind: str, value: Any) -> Any:
    if kind == "N":
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() else number
    return base64.b64decode(value) if kind == "B" else value


def equal(expected: Any, actual: Any) -> bool:
    """Compares a value of a test with one that was read. Types count, as in DynamoDB: ``True`` is not ``1``."""
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, (int, float, Decimal)):
        # A float is what its shortest text says, not its exact binary value: 0.1 equals Decimal("0.1").
        return isinstance(actual, (int, Decimal)) and Decimal(str(expected)) == actual
    if isinstance(expected, Mapping):
        same = isinstance(actual, Mapping) and expected.keys() == actual.keys()
        return same and all(equal(value, actual[name]) for name, value in expected.items())
    if isinstance(expected, Set):
        same = isinstance(actual, Set) and len(expected) == len(actual)
        return same and all(any(equal(one, other) for other in actual) for one in expected)
    if isinstance(expected, (list, tuple)):
        same = isinstance(actual, list) and len(expected) == len(actual)
        return same and all(map(equal, expected, actual))
    return bool(expected == actual)


def shown(item: Mapping[str, Any] | None) -> str:
    """Returns an item as a text for people: ``id="1", total=42``."""
    return ", ".join(f"{name}={_shown(value)}" for name, value in (item or {}).items())


def _shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace('"', '\\"') + '"'
    if isinstance(value, Mapping):
        return "{" + shown(value) + "}"
    return repr(value)
