"""Named points at which a test kills the process, to prove that nothing is lost there.

With ``BILANCIO_CRASH_AT=name`` in the environment the process kills itself at that point, the
first time it gets there; with ``name:3`` the third time. Without it a point costs one look-up.
"""

import os
import signal

POINTS = (
    "migration",
    "in-import",
    "before-claim",
    "in-claim",
    "after-claim",
    "before-spawn",
    "worker-started",
    "lease-confirmed",
    "in-batch",
    "before-record",
    "in-record",
    "after-record",
    "before-checkpoint",
    "after-checkpoint",
    "before-files",
    "in-table",
    "in-manifest",
    "before-end",
    "after-end",
    "after-notice",
)

_wanted, _, _times = os.environ.get("BILANCIO_CRASH_AT", "").partition(":")
_left = int(_times or 1)


def failpoint(name: str) -> None:
    """Kill this process if the environment names this point."""
    global _left  # noqa: PLW0603 - a process dies once
    if name == _wanted:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
