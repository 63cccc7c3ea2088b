"""Serve over standard input and output: ``bilancio-mcp``, or ``python -m bilancio_mcp``."""

import gc
import logging
import os
import signal
import sys


def main() -> None:
    """Serve until the client closes our input or a signal comes, then leave at once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    # Standard output belongs to the protocol; this is also set before the SDK sets its own.
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    gc.disable()  # nothing of what is loaded now is garbage; looking costs a tenth of the start
    # Takes a second or so, in which a signal must end this process without a word.
    import anyio

    from bilancio_mcp.stdio import take_over

    try:
        wire = take_over()  # before a plug-in is imported, which may print
    except OSError:
        sys.exit("bilancio-mcp speaks over standard input and output; one of them is closed.")
    from bilancio_mcp.server import build_server

    server = build_server()
    gc.freeze()
    gc.enable()
    anyio.run(server.serve, wire)
    os._exit(0)  # the interpreter's own end takes longer than a client waits


if __name__ == "__main__":
    main()
