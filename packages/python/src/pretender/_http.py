"""One HTTP request to a server on this machine, without proxies and without dependencies."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import urlsplit

from ._errors import ApiError, ControlError

# Seconds. A snapshot of a large database may take this long.
_TIMEOUT = 60.0


def send(
    endpoint: str, method: str, path: str, body: Any, headers: dict[str, str], timeout: float = _TIMEOUT
) -> tuple[int, bytes]:
    """Sends a request with a JSON body, and returns the status and the body of the answer.

    ``http.client`` knows no proxies, which matters: a proxy could not reach the server.
    """
    # Imported here because pytest loads this package at every start, even if no test uses it.
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    url = urlsplit(endpoint)
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = kind(url.hostname or "127.0.0.1", url.port, timeout=timeout)
    content = None if body is None else json.dumps(body).encode()
    try:
        connection.request(method, url.path.rstrip("/") + path, content, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException) as error:
        raise ControlError(f"no answer from {endpoint}: {error}") from error
    finally:
        connection.close()


def command(endpoint: str, name: str, body: Any = None) -> Any:
    """Sends a command of the control API: a ``GET`` without a body, else a ``POST``. Returns the answer."""
    headers = {"Content-Type": "application/json"}
    token = os.environ.get("PRETENDER_CONTROL_TOKEN")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    status, content = send(endpoint, "GET" if body is None else "POST", f"/_pretender/{name}", body, headers)
    try:
        answer = json.loads(content)
    except ValueError:
        answer = {}
    if status == 200:
        return answer
    text = answer.get("error") if isinstance(answer, dict) else None
    if text is None:
        # A server without this path answers like DynamoDB, with XML.
        text = f"{endpoint} has no control API here: start the server with --control --databases"
    raise ControlError(text, status)


def call(endpoint: str, region: str, target: str, body: Any, timeout: float = _TIMEOUT) -> Any:
    """Calls an operation of DynamoDB or DynamoDB Streams, such as ``DynamoDBStreams_20120810.DescribeStream``.

    No fault meets the call, and none is used up: faults are for the code under test. ``timeout`` is in seconds. Raises :class:`ApiError` if the operation is refused, with the code ``NoAnswer`` if the connection is closed.
    """
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": target,
        "X-Pretender-Faults": "off",
        # The server asks for a signature, but does not check it.
        "X-Amz-Date": "20260101T000000Z",
        "Authorization": f"AWS4-HMAC-SHA256 Credential=pretender/20260101/{region}/dynamodb/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    try:
        status, content = send(endpoint, "POST", "/", body, headers, timeout)
    except ControlError as error:
        raise ApiError("NoAnswer", str(error)) from error
    try:
        answer = json.loads(content)
    except ValueError:
        raise ApiError(f"Status{status}", f"{endpoint} is not an endpoint of DynamoDB") from None
    if status == 200:
        return answer
    code = str(answer.get("__type", f"Status{status}")).rpartition("#")[2]
    raise ApiError(code, answer.get("message") or answer.get("Message") or "")
