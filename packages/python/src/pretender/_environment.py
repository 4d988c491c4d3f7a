"""The variables from which code under test makes its own clients."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ._clients import ACCESS_KEY_ID, NO_PROFILES, SECRET_ACCESS_KEY, shared_session

# Other sources of credentials, and settings with which an SDK refuses an endpoint.
REMOVED = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
)


def variables(endpoint: str, region: str) -> dict[str, str]:
    """Returns the variables to set."""
    # Python reads only one of the two. If one is set, the other must not take its place.
    no_proxy = [name for name in ("NO_PROXY", "no_proxy") if os.environ.get(name)] or ["NO_PROXY", "no_proxy"]
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": endpoint,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": NO_PROFILES,
        "AWS_SHARED_CREDENTIALS_FILE": NO_PROFILES,
        **{name: _with_this_machine(os.environ.get(name, "")) for name in no_proxy},
    }


def _with_this_machine(unproxied: str) -> str:
    hosts = list(filter(None, unproxied.split(",")))
    return ",".join(hosts + [host for host in ("127.0.0.1", "localhost") if host not in hosts])


@contextmanager
def applied(to_set: Mapping[str, str]) -> Iterator[None]:
    """Sets variables of this process, removes :data:`REMOVED`, and restores all of them afterwards.

    The default session of boto3 is replaced too, because it keeps the credentials that it found before. It is the session
    of our clients: another one would read AWS's service models again, in every test.
    """
    boto3: Any = sys.modules.get("boto3")
    session = boto3 and boto3.DEFAULT_SESSION
    if boto3:
        boto3.DEFAULT_SESSION = shared_session()
    before = {name: os.environ.get(name) for name in (*to_set, *REMOVED)}
    for name in REMOVED:
        os.environ.pop(name, None)
    os.environ.update(to_set)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        boto3 = sys.modules.get("boto3")
        if boto3:
            boto3.DEFAULT_SESSION = session
