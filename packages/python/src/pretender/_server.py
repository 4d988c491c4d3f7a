"""A server: started as a child process that cannot outlive this one, or the one of ``PRETENDER_ENDPOINT``."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Union
from urllib.parse import quote
from uuid import uuid4

from . import _http
from ._database import Database
from ._errors import ControlError, PretenderError, StartError, VersionMismatchError
from ._program import find_program
from ._version import __version__

PathLike = Union[str, "os.PathLike[str]"]
Paths = Union[PathLike, Sequence[PathLike]]
"""One file or folder, or several."""

# Seconds.
_START_TIMEOUT = 30.0
_STOP_TIMEOUT = 10.0

# The others of the program would change what a test begins with, who can reach this server, or when it stops.
_INHERITED = ("PRETENDER_LOG_LEVEL", "PRETENDER_LOG_FORMAT", "PRETENDER_CONTROL_TOKEN")

# The servers that run as children of this process, until they are stopped, and this process's ends of their pipes.
_running: set[Server] = set()
_pipes: set[int] = set()
_fork_hook_is_installed = False


class Server:
    """A server with many isolated databases. As a context manager, it is started and stopped.

    ``schema`` and ``seed`` are files or folders: every database begins with their tables and items. ``options`` are
    further arguments of ``pretender serve``. The log has one line for each call; ``log_level`` or the variable
    ``PRETENDER_LOG_LEVEL`` change that.

    If the variable ``PRETENDER_ENDPOINT`` is set, no server is started and that one is used. It must have been started
    with ``--control --databases``.
    """

    def __init__(
        self,
        *,
        schema: Paths = (),
        seed: Paths = (),
        options: Sequence[str] = (),
        log_level: str | None = None,
    ) -> None:
        self.arguments = [
            *(word for path in _paths(schema) for word in ("--schema", path)),
            *(word for path in _paths(seed) for word in ("--seed", path)),
            *options,
        ]
        self._log_level = log_level
        self._url: str | None = None
        self._region = "us-east-1"
        self._process: _Process | None = None

    @property
    def url(self) -> str:
        """The address of the server."""
        if self._url is None:
            raise PretenderError("the server is not running: use it in a `with` statement, or call start()")
        return self._url

    @property
    def region(self) -> str:
        """The region in ARNs, with which clients are made."""
        return self._region

    @property
    def pid(self) -> int | None:
        """The process ID, or ``None`` if this process has not started the server."""
        return self._process.pid if self._process else None

    def start(self) -> Server:
        """Starts the server, and returns it when it answers.

        Raises :class:`ProgramNotFoundError`, :class:`VersionMismatchError`, or :class:`StartError` with the server's log.
        """
        __tracebackhide__ = True
        if self._url is not None:
            return self
        shared = os.environ.get("PRETENDER_ENDPOINT")
        if shared:
            if self.arguments:
                raise StartError(
                    f"PRETENDER_ENDPOINT is set, so no server is started with {' '.join(self.arguments)}: give these "
                    "options to the server that is there, or unset the variable"
                )
            self._url, self._region = _shared(shared)
            return self
        _install_fork_hook()
        process = _Process(find_program(), self._command_line())
        try:
            announced = process.announcement()
        except BaseException:
            process.stop()
            raise
        self._process, self._url, self._region = process, announced["url"], announced["region"]
        _running.add(self)
        return self

    def stop(self) -> None:
        """Stops the server, if this object has started it. Its databases are gone."""
        _running.discard(self)
        process, self._process, self._url = self._process, None, None
        if process:
            process.stop()

    def database(self, name: str | None = None) -> Database:
        """Returns an isolated database, which its first request creates: a new one, or the one with this name.

        A name has 1 to 64 letters, digits, ``-``, ``_`` and ``.``, and begins with a letter or digit.
        """
        return Database(f"{self.url}/db/{quote(name or uuid4().hex, safe='')}", self.region)

    def databases(self) -> list[str]:
        """Returns the names of the isolated databases."""
        return [one["name"] for one in _http.command(self.url, "databases")["databases"]]

    def log(self, after: int = 0) -> str:
        """Returns the server's log after this many bytes. It is empty if this process has not started the server."""
        return self._process.log(after) if self._process else ""

    def log_size(self) -> int:
        """Returns how many bytes the log has."""
        return self._process.log_size() if self._process else 0

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _command_line(self) -> list[str]:
        words = ["serve", "--port", "0", "--db", ":memory:", "--control", "--databases"]
        words += ["--announce", "json", "--stop-on-stdin-close"]
        level = self._log_level or (None if os.environ.get("PRETENDER_LOG_LEVEL") else "info")
        return words + (["--log-level", level] if level else []) + self.arguments


def start(*, schema: Paths = (), seed: Paths = (), options: Sequence[str] = (), log_level: str | None = None) -> Server:
    """Starts a :class:`Server`. It stops with :meth:`Server.stop`, and at the latest when this process ends."""
    return Server(schema=schema, seed=seed, options=options, log_level=log_level).start()


def running_servers() -> list[Server]:
    """Returns the servers that this process has started and not stopped."""
    return list(_running)


def _shared(endpoint: str) -> tuple[str, str]:
    """Returns the URL of the server that ``PRETENDER_ENDPOINT`` names, and its region."""
    __tracebackhide__ = True
    url = (endpoint if "://" in endpoint else f"http://{endpoint}").rstrip("/")
    try:
        server = _http.command(url, "version")
    except ControlError as error:
        raise StartError(f"PRETENDER_ENDPOINT is {endpoint}, but that is no server of pretender: {error}") from error
    missing = [f"--{name}" for name in ("control", "databases") if not server.get(name)]
    if missing:
        raise StartError(f"the server of PRETENDER_ENDPOINT, {endpoint}, was started without {' '.join(missing)}")
    return url, server["region"]


def _paths(paths: Paths) -> list[str]:
    several = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    return [os.fspath(path) for path in several]


class _Process:
    """The process of a server. It ends when the pipe to its standard input is closed, so with this process at the latest."""

    def __init__(self, program: str, arguments: Sequence[str]) -> None:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "PRETENDER_")) or name in _INHERITED
        }
        stdin, pipe = os.pipe()
        _pipes.add(pipe)
        handle, path = tempfile.mkstemp(prefix="pretender-", suffix=".log")
        try:
            self._child = subprocess.Popen(
                [program, *arguments],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=handle,
                env=environment,
                # Ctrl-C in a terminal is for the tests. Their teardown still needs the server.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:
            _close(pipe)
            os.unlink(path)
            raise StartError(f"cannot run {program}: {error}") from error
        finally:
            os.close(stdin)
            os.close(handle)
        self._log_file = open(path, "rb")
        if os.name == "posix":
            # The open file stays readable, and nothing is left behind if this process is killed.
            os.unlink(path)
            path = ""
        self.pid = self._child.pid
        self._program = program
        # Also called at the exit of the interpreter.
        self.stop = weakref.finalize(self, _stop, self._child, pipe, self._log_file, path, os.getpid())

    def announcement(self) -> dict[str, Any]:
        """Waits for the line that the server prints when it is ready, and checks the version in it."""
        __tracebackhide__ = True
        lines: list[bytes] = []
        stdout = self._child.stdout
        assert stdout is not None
        reader = threading.Thread(target=lambda: lines.append(stdout.readline()), daemon=True)
        reader.start()
        reader.join(_START_TIMEOUT)
        if not lines:
            raise StartError(f"{self._program} was not ready after {_START_TIMEOUT:.0f} s. Its log:\n{self.log()}")
        if not lines[0]:
            # A program of another version may not know an option. Its version then says more than its complaint.
            self._child.wait(_STOP_TIMEOUT)
            self._check_version(_version_of(self._program) or __version__)
            raise StartError(f"{self._program} ended with {self._child.returncode}. Its log:\n{self.log()}")
        stdout.close()
        try:
            announced = json.loads(lines[0])
        except ValueError:
            announced = None
        if not isinstance(announced, dict) or not {"url", "region"} <= announced.keys():
            said = lines[0].decode("utf-8", "replace").strip()
            raise StartError(f"{self._program} is not the program `pretender`: it printed `{said}`")
        self._check_version(announced.get("version", "unknown"))
        return announced

    def _check_version(self, version: str) -> None:
        __tracebackhide__ = True
        if version != __version__:
            raise VersionMismatchError(
                f"{self._program} has version {version}, but the package pretender has version {__version__}: install "
                "the same version of both, and check PRETENDER_BIN and PATH"
            )

    def log(self, after: int = 0) -> str:
        if self._log_file.closed:
            return ""
        self._log_file.seek(after)
        return self._log_file.read().decode("utf-8", "replace")

    def log_size(self) -> int:
        return os.fstat(self._log_file.fileno()).st_size


def _version_of(program: str) -> str | None:
    """Returns the version that ``pretender --version`` prints, or ``None`` if the program prints something else."""
    try:
        asked = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=_STOP_TIMEOUT)
    except (OSError, subprocess.SubprocessError):
        return None
    words = asked.stdout.split()
    return words[1] if len(words) == 2 and words[0] == "pretender" else None


def _stop(child: subprocess.Popen[bytes], pipe: int, log: IO[bytes], path: str, owner: int) -> None:
    if os.getpid() != owner:
        # A forked child, in which the pipe is already closed. The server is not its own.
        return
    _close(pipe)
    try:
        child.wait(_STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout is not None:
        child.stdout.close()
    log.close()
    if path:
        Path(path).unlink()


def _close(pipe: int) -> None:
    _pipes.discard(pipe)
    os.close(pipe)


def _install_fork_hook() -> None:
    """Programs that this process runs do not inherit the pipe. Children that it only forks do: they must close it."""
    global _fork_hook_is_installed
    if not _fork_hook_is_installed and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forget_servers)
        _fork_hook_is_installed = True


def _forget_servers() -> None:
    for pipe in list(_pipes):
        _close(pipe)
    _running.clear()
