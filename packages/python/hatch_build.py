"""Puts the program into the wheel, and gives the wheel the tag of the platform that the program needs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))
from platform_tag import platform_tag


class ProgramHook(BuildHookInterface):  # type: ignore[type-arg]
    """Reads the path of the program from ``PRETENDER_WHEEL_BINARY``.

    Without it, the wheel is for all platforms and finds the program elsewhere.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        binary = os.environ.get("PRETENDER_WHEEL_BINARY")
        if not binary or version == "editable":
            return
        tag = platform_tag(Path(binary).read_bytes())
        name = "pretender.exe" if tag.startswith("win") else "pretender"
        build_data["force_include"][binary] = f"pretender/bin/{name}"
        if notices := os.environ.get("PRETENDER_WHEEL_NOTICES"):
            build_data["force_include"][notices] = "pretender/bin/THIRD-PARTY-LICENSES"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{tag}"
