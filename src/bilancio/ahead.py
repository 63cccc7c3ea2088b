"""An interpreter that loads modules ahead of being told what to do.

A command that will start a worker can be told by its first word. The worker's interpreter then
loads beside the command's own code, and waits for its arguments; it ends with whoever started it
if none come.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
from typing import NamedTuple

from bilancio import interpreter, machine


class _Ready(NamedTuple):
    """An interpreter that loads, or has loaded, and the connection on which it is told."""

    process: "subprocess.Popen[bytes]"
    connection: socket.socket


LOADING_S = 60.0  # that an interpreter may take on a busy machine; another one may be luckier

_ready: dict[str, _Ready] = {}


def prepare(module: str, *further: str) -> None:
    """Start an interpreter that loads modules, for a `start` of the first one.

    Where that fails, `start` starts another one.
    """
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            interpreter.command("bilancio.ahead", module, *further),
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=interpreter.environment(**machine.sharing_cores(machine.cores())),
        )
    except OSError:
        ours.close()
    else:
        _ready[module] = _Ready(process, ours)
    finally:
        theirs.close()


def start(module: str, *arguments: str, log: int, env: dict[str, str]) -> "subprocess.Popen[bytes]":
    """Return a process that calls `main` of *module*: the one that was prepared, or a new one.

    Parameters
    ----------
    log
        Descriptor of the file that its output goes to.
    env
        As `interpreter.environment` returns it.

    Raises
    ------
    OSError
        It could not be started.
    """
    ready = _ready.pop(module, None)
    if ready is not None:
        if _told(ready.connection, [module, *arguments], log, env):
            return ready.process
        ready.process.kill()
        ready.process.wait()
    return subprocess.Popen(  # noqa: S603 - as above
        interpreter.command(module, *arguments),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        env=env,
    )


def forget() -> None:
    """End the interpreters that are still waiting."""
    while _ready:
        _, (process, connection) = _ready.popitem()
        connection.close()
        process.wait()


def _told(connection: socket.socket, argv: list[str], log: int, env: dict[str, str]) -> bool:
    """Tell an interpreter what to do; return whether it is there to do it."""
    with connection:
        connection.settimeout(LOADING_S)
        try:
            socket.send_fds(connection, [b"!"], [log])
            connection.sendall(json.dumps([argv, env]).encode())
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(1) == b"!"
        except OSError:
            return False


def main() -> None:
    """Load the modules that are named, wait to be told, and call `main` of the first."""
    module = sys.argv[1]
    with contextlib.suppress(Exception):  # raised again, once there is a log
        for each in sys.argv[1:]:
            interpreter.load(each)
    with socket.socket(fileno=os.dup(0)) as connection:
        mark, files, _, _ = socket.recv_fds(connection, 1, 1)
        if not mark:
            os._exit(0)
        with connection.makefile("rb") as told:
            argv, env = json.loads(told.read())
        _take_over(files[0], argv, env)
        connection.sendall(b"!")
    interpreter.load(module).main()


def _take_over(log: int, argv: list[str], env: dict[str, str]) -> None:
    """Go on with another output, environment, import path and arguments."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, file in ((0, nothing), (1, log), (2, log)):
        os.dup2(file, descriptor)
    os.close(nothing)
    os.close(log)
    path = env.pop(interpreter.IMPORT_PATH)
    os.environ.clear()
    os.environ.update(env)
    sys.path[:] = json.loads(path)
    sys.argv[:] = argv
