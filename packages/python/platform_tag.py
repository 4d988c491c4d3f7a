"""The platform tag of a wheel, derived from the program in it and not from the machine that builds it."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

# What PEP 600 lets a manylinux wheel expect from the system, of the libraries that the program could use.
_SYSTEM_LIBRARIES = {
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
}
_ELF_MACHINES = {0x3E: "x86_64", 0xB7: "aarch64"}
_MACH_MACHINES = {0x01000007: "x86_64", 0x0100000C: "arm64"}
_PE_MACHINES = {0x8664: "win_amd64", 0xAA64: "win_arm64"}


def platform_tag(binary: bytes) -> str:
    """Returns the tag of the oldest platform that can run a program.

    Raises ``ValueError`` if it needs libraries that not every machine has, or is for an unknown platform.
    """
    if binary.startswith(b"\x7fELF\x02\x01"):
        return _linux_tag(binary)
    if binary.startswith(b"\xcf\xfa\xed\xfe"):
        return _macos_tag(binary)
    if binary.startswith(b"MZ"):
        (header,) = struct.unpack_from("<I", binary, 0x3C)
        (machine,) = struct.unpack_from("<H", binary, header + 4)
        return _known(_PE_MACHINES, machine)
    raise ValueError("this is no program for 64-bit Linux, macOS or Windows")


def _known(machines: dict[int, str], machine: int) -> str:
    if machine not in machines:
        raise ValueError(f"no wheels are built for machines of the type {machine:#x}")
    return machines[machine]


def _linux_tag(binary: bytes) -> str:
    (machine,) = struct.unpack_from("<H", binary, 18)
    name = _known(_ELF_MACHINES, machine)
    needed = set(_needed_libraries(binary))
    if not needed:
        # A static program, such as one for musl, runs everywhere.
        return f"manylinux_2_17_{name}.musllinux_1_1_{name}"
    if needed - _SYSTEM_LIBRARIES:
        raise ValueError(f"the program needs {', '.join(sorted(needed - _SYSTEM_LIBRARIES))}, which not every Linux has")
    versions = [re.fullmatch(r"GLIBC_2\.(\d+)(\.\d+)?", version) for version in _needed_versions(binary)]
    minor = max([17, *(int(version[1]) for version in versions if version)])
    return f"manylinux_2_{minor}_{name}"


def _sections(binary: bytes, wanted: int) -> Iterator[tuple[int, int, int, int]]:
    """Yields offset, size and number of entries of each ELF section of a type, and the offset of its strings."""
    (table,) = struct.unpack_from("<Q", binary, 40)
    size, count = struct.unpack_from("<HH", binary, 58)
    for index in range(count):
        header = table + index * size
        (kind,) = struct.unpack_from("<I", binary, header + 4)
        if kind == wanted:
            offset, length, link, info = struct.unpack_from("<QQII", binary, header + 24)
            (strings,) = struct.unpack_from("<Q", binary, table + link * size + 24)
            yield offset, length, info, strings


def _text(binary: bytes, at: int) -> str:
    return binary[at : binary.index(0, at)].decode()


def _needed_libraries(binary: bytes) -> Iterator[str]:
    for offset, length, _, strings in _sections(binary, wanted=6):  # SHT_DYNAMIC
        for tag, value in struct.iter_unpack("<QQ", binary[offset : offset + length]):
            if tag == 1:  # DT_NEEDED
                yield _text(binary, strings + value)


def _needed_versions(binary: bytes) -> Iterator[str]:
    for offset, _, count, strings in _sections(binary, wanted=0x6FFFFFFE):  # SHT_GNU_verneed
        for _ in range(count):
            _, versions, _, first, following = struct.unpack_from("<HHIII", binary, offset)
            version = offset + first
            for _ in range(versions):
                _, _, _, name, after = struct.unpack_from("<IHHII", binary, version)
                yield _text(binary, strings + name)
                version += after
            offset += following


def _macos_tag(binary: bytes) -> str:
    (machine,) = struct.unpack_from("<I", binary, 4)
    (count,) = struct.unpack_from("<I", binary, 16)
    at = 32
    for _ in range(count):
        command, size = struct.unpack_from("<II", binary, at)
        # LC_BUILD_VERSION and the older LC_VERSION_MIN_MACOSX have the version in different places.
        place = {0x32: 12, 0x24: 8}.get(command)
        if place is not None:
            (version,) = struct.unpack_from("<I", binary, at + place)
            major, minor = version >> 16, version >> 8 & 0xFF
            # Since macOS 11, pip knows only the major version.
            return f"macosx_{major}_{0 if major >= 11 else minor}_{_known(_MACH_MACHINES, machine)}"
        at += size
    raise ValueError("the program does not say which macOS it needs")
