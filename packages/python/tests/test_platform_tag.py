"""The tag of the wheel: what ``pip`` believes about the program inside."""

from __future__ import annotations

import re
import struct
from importlib.metadata import distribution
from pathlib import Path

import pytest
from platform_tag import platform_tag

import pretender


def test_the_installed_wheel_has_the_tag_of_its_program() -> None:
    wheel = distribution("pretender").read_text("WHEEL") or ""
    tags = re.findall(r"^Tag: py3-none-(\S+)$", wheel, re.MULTILINE)
    program = Path(pretender.__file__).parent / "bin" / "pretender"
    assert ".".join(tags) == platform_tag(program.read_bytes())
    if tags[0].startswith("manylinux"):
        # Every version that the program names is in its text.
        minors = [int(minor) for minor in re.findall(rb"\0GLIBC_2\.(\d+)(?=[.\0])", program.read_bytes())]
        assert f"manylinux_2_{max(minors)}_" in tags[0]


def _mach(cpu: int, command: int, version: int) -> bytes:
    load = struct.pack("<IIII", command, 24, 1 if command == 0x32 else version, version) + bytes(8)
    return (
        b"\xcf\xfa\xed\xfe"
        + struct.pack("<IIIIIII", cpu, 0, 2, 2, 48, 0, 0)
        + struct.pack("<II", 0x1D, 16)
        + bytes(8)
        + load
    )


def test_programs_for_macos() -> None:
    assert platform_tag(_mach(0x0100000C, 0x32, 0x000B0300)) == "macosx_11_0_arm64"
    assert platform_tag(_mach(0x01000007, 0x24, 0x000A0C00)) == "macosx_10_12_x86_64"
    with pytest.raises(ValueError, match="which macOS"):
        platform_tag(_mach(0x0100000C, 0x1D, 0))


def test_programs_for_windows() -> None:
    header = b"MZ" + bytes(0x3A) + struct.pack("<I", 0x40)
    assert platform_tag(header + b"PE\0\0" + struct.pack("<H", 0x8664)) == "win_amd64"
    with pytest.raises(ValueError, match="0x14c"):
        platform_tag(header + b"PE\0\0" + struct.pack("<H", 0x14C))


def test_a_static_program_for_linux() -> None:
    header = bytearray(64)
    header[:6] = b"\x7fELF\x02\x01"
    struct.pack_into("<H", header, 18, 0xB7)
    assert platform_tag(bytes(header)) == "manylinux_2_17_aarch64.musllinux_1_1_aarch64"


def test_other_files_are_refused() -> None:
    with pytest.raises(ValueError, match="no program"):
        platform_tag(b"#!/bin/sh\n")
