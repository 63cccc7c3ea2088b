"""Serve over HTTP on a free port of this machine; the address is printed first."""

import logging
import socket
import sys

import uvicorn

from bilancio_mcp.server import build_server


def main() -> None:
    # Before the SDK sets its own, whose lines are broken to the width of a terminal.
    logging.basicConfig(level=logging.INFO)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp\n")
        sys.stdout.flush()
        config = uvicorn.Config(build_server().streamable_http_app(), log_config=None)
        uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main()
