"""Servers that tests share: one for each combination of schema, seed and options."""

from __future__ import annotations

from collections.abc import Sequence

from ._server import Paths, Server


class ServerPool:
    """Starts each server when it is first asked for."""

    def __init__(self) -> None:
        self._servers: dict[tuple[str, ...], Server] = {}

    def server(self, schema: Paths = (), seed: Paths = (), options: Sequence[str] = ()) -> Server:
        """Returns the server whose databases begin with these files."""
        __tracebackhide__ = True
        server = Server(schema=schema, seed=seed, options=options)
        return self._servers.setdefault(tuple(server.arguments), server).start()

    def stop(self) -> None:
        """Stops all servers."""
        while self._servers:
            self._servers.popitem()[1].stop()
