"""Clients of boto3 that know nothing of the user's configuration."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from ._errors import PretenderError

ACCESS_KEY_ID = "pretender"
SECRET_ACCESS_KEY = "pretender"
NO_PROFILES = str(Path(__file__).parent / "aws.ini")

_lock = threading.Lock()
_session: Any = None


def make(kind: str, service: str, endpoint: str, region: str, settings: dict[str, Any]) -> Any:
    """Makes a client or a resource: ``kind`` is the name of the method of boto3's session."""
    try:
        from botocore.config import Config
    except ImportError:
        raise PretenderError("boto3 is not installed: pip install 'pretender[boto3]'") from None
    # No proxy can reach the server. An empty mapping also keeps botocore from asking the environment.
    config = Config(proxies={}).merge(settings.pop("config", Config()))
    session = shared_session()
    # Sessions are not safe to use from several threads; the clients that they make are.
    with _lock:
        return getattr(session, kind)(
            service, **{"endpoint_url": endpoint, "region_name": region, **settings, "config": config}
        )


def shared_session() -> Any:
    """Returns the one session of this process. It keeps AWS's service models, which take 100 ms to read."""
    global _session
    with _lock:
        if _session is None:
            import boto3
            from botocore.session import Session

            core = Session()
            # Explicit values take precedence over variables such as AWS_PROFILE and AWS_USE_FIPS_ENDPOINT.
            core.set_config_variable("profile", "default")
            core.set_config_variable("config_file", NO_PROFILES)
            core.set_config_variable("credentials_file", NO_PROFILES)
            core.set_config_variable("use_fips_endpoint", False)
            core.set_config_variable("use_dualstack_endpoint", False)
            _session = boto3.Session(
                botocore_session=core, aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY
            )
        return _session
