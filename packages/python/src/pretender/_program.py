"""The program ``pretender``: where it is, and the command that runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NoReturn

from ._errors import ProgramNotFoundError

_NAME = "pretender.exe" if os.name == "nt" else "pretender"


def find_program() -> str:
    """Returns the path of the program: ``PRETENDER_BIN``, or else the one inside the package, or else on the ``PATH``.

    Raises :class:`ProgramNotFoundError` if there is none.
    """
    named = os.environ.get("PRETENDER_BIN")
    if named:
        found = shutil.which(named)
        if found is None:
            raise ProgramNotFoundError(f"PRETENDER_BIN is `{named}`, which is not a program that can be run")
        if _is_own_command(found):
            raise ProgramNotFoundError(
                f"PRETENDER_BIN is `{named}`, which is the command of the Python package and not the program itself: unset it"
            )
        return found
    inside = Path(__file__).parent / "bin" / _NAME
    if os.access(inside, os.X_OK):
        return str(inside)
    on_path = _find_on_path()
    if on_path is None:
        raise ProgramNotFoundError(
            "cannot find the program `pretender`: this installation has none inside, because there is no wheel for this "
            "platform. Put the program on the PATH, or name it in PRETENDER_BIN"
        )
    return on_path


def _find_on_path() -> str | None:
    """Finds the program on the ``PATH``."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which("pretender", path=folder) if folder else None
        if found is not None and not _is_own_command(found):
            return found
    return None


def _is_own_command(path: str) -> bool:
    """Says whether this is the command that this package installs, which would start itself for ever."""
    commands = [Path(sys.argv[0]), Path(sysconfig.get_path("scripts")) / _NAME, Path(sys.executable).parent / _NAME]
    return os.path.realpath(path) in {os.path.realpath(command) for command in commands}


def main() -> NoReturn:
    """Runs the program with the arguments of this command: the console script ``pretender``."""
    try:
        program = find_program()
    except ProgramNotFoundError as error:
        sys.exit(f"error: {error}")
    arguments = [program, *sys.argv[1:]]
    if os.name == "nt":
        # There, `exec` returns to the shell before the program ends.
        sys.exit(subprocess.call(arguments))
    os.execv(program, arguments)
