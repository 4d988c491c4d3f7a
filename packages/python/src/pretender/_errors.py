"""What can go wrong, as exceptions."""

from __future__ import annotations


class PretenderError(Exception):
    """Base of all errors of this package, except failed assertions."""


class ProgramNotFoundError(PretenderError):
    """The program ``pretender`` is neither named, nor in the package, nor on the ``PATH``."""


class VersionMismatchError(PretenderError):
    """The program has another version than the package. The text says both."""


class StartError(PretenderError):
    """The server did not start. The text has its log."""


class ControlError(PretenderError):
    """The server refused a command, or could not be reached.

    ``status`` is the HTTP status: 400 for an invalid command, 404 for something that does not exist, 500 for a failure
    of the server, ``None`` if there was no answer.
    """

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class ApiError(PretenderError):
    """The server refused a call that this package made on DynamoDB's API. ``code`` is AWS's error code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
