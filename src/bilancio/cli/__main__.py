"""The process of the command `bilancio`."""

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130


def main() -> None:
    """Run the command line of this process.

    Ctrl-C while the code is loaded ends the process at once: nothing has been begun.
    """
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, _leave)
    from bilancio.cli.main import run  # half a second, in which the handler above is needed
    from bilancio.cli.render.console import prepare_streams

    prepare_streams()
    if heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    code = run(sys.argv[1:])
    if heeded:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said; only the interpreter ends
    sys.exit(code)


def _leave(_: int, __: FrameType | None) -> None:
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
