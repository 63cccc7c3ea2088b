"""Which file system a path is on, and whether a store may be there."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from bilancio.errors import StoreUnavailable

#: File systems that several machines share. SQLite's write-ahead log needs shared memory and
#: reliable locks between all its users. (9p and overlay serve one machine: containers and WSL.)
NETWORK = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs", "ceph", "fuse.ceph", "lustre",
        "gpfs",
    }
)  # fmt: skip
MOUNTS = Path("/proc/self/mounts")


class Mount(NamedTuple):
    """A file system and where it is mounted."""

    point: str
    kind: str


def mounted() -> list[Mount]:
    """Return what is mounted on this machine, each mount after those that it covers."""
    if sys.platform == "linux":
        try:
            lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:
            return []
        return [Mount(_unescaped(fields[1]), fields[2]) for fields in map(str.split, lines)]
    import psutil  # Linux has a file for it; loading psutil takes as long as opening a store

    return [Mount(each.mountpoint, each.fstype) for each in psutil.disk_partitions(all=True)]


def mount_of(path: Path, mounts: Iterable[Mount]) -> Mount | None:
    """Return the mount that *path* is on; it need not exist yet."""
    there = path.resolve()
    found = None
    for mount in mounts:
        deeper = found is None or len(mount.point) >= len(found.point)
        if deeper and there.is_relative_to(mount.point):
            found = mount
    return found


def network_mount(path: Path, mounts: Iterable[Mount]) -> Mount | None:
    """Return the network file system that *path* is on, or None."""
    mount = mount_of(path, mounts)
    return mount if mount is not None and mount.kind.lower() in NETWORK else None


def refuse_network(path: Path) -> None:
    """Refuse a store on a network file system.

    Raises
    ------
    StoreUnavailable
        It is on one.
    """
    mount = network_mount(path, mounted())
    if mount is not None:
        raise StoreUnavailable(
            str(path),
            f"it is on a network file system ({mount.kind} at {mount.point}), where SQLite can "
            "lose what it wrote. Name a file on a disk of this machine.",
        )


def _unescaped(point: str) -> str:
    """Return a mount point as it is; the table writes spaces and backslashes in octal."""
    for code, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, sign)
    return point
