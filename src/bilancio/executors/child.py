"""The process that computes batches for a local executor, one after another.

Its parent sends a configuration and indices of runs. It answers `BEGUN` once the experiment is
loaded, so that loading does not count as computing, and then an `Attempt`; or, where the
experiment cannot be loaded, the reason as text. Without indices, to load is all that is asked:
preparing may do for the whole machine what the parent is about to do.
"""

import contextlib
import ctypes
import functools
import os
import pickle
import select
import signal
import sys
import threading
from multiprocessing.connection import Connection

from bilancio.executors.base import attempt_here
from bilancio.experiments import registry
from bilancio.experiments.protocol import Experiment
from bilancio.text import error_text

BEGUN = b"begun"
PR_SET_PDEATHSIG = 1
WATCH_MS = 1000


def main() -> None:
    """Serve the parent; arguments are the descriptor of the connection and the parent's id."""
    descriptor, parent = map(int, sys.argv[1:])
    end_with_parent(descriptor, parent)
    with contextlib.suppress(EOFError, OSError):
        serve(Connection(descriptor))
    os._exit(1)


def serve(connection: "Connection[bytes, bytes]") -> None:
    """Compute batches until the connection ends."""
    process, cold = os.getpid(), True
    while True:
        request = connection.recv_bytes()
        try:
            version, config, indices = pickle.loads(request)  # noqa: S301 - from the parent
            load = _loaded if indices is None else _prepared
            experiment = load(config.sweep_type, version)
        except BaseException as error:  # noqa: BLE001 - a plug-in's module may raise anything
            connection.send_bytes(pickle.dumps(error_text(error)))
            continue
        connection.send_bytes(BEGUN)
        if indices is None:
            continue
        attempt = attempt_here(experiment, config, indices, cold=cold)
        cold = False
        if os.getpid() != process:  # a run has forked; only the original answers
            os._exit(0)
        with contextlib.suppress(Exception):  # a run may have closed or replaced it
            sys.stdout.flush()
        connection.send_bytes(pickle.dumps(attempt))


@functools.cache
def _prepared(sweep_type: str, version: str) -> Experiment:
    """Return the experiment, ready to compute."""
    experiment = _loaded(sweep_type, version)
    experiment.prepare()
    return experiment


@functools.cache
def _loaded(sweep_type: str, version: str) -> Experiment:
    """Return the experiment, its code loaded here; refuse code that was changed meanwhile."""
    experiment = registry.experiment(sweep_type)
    if experiment.version != version:
        message = (
            f"its code was changed while the job runs: it began with version {version} of "
            f"{sweep_type}; here is {experiment.version}"
        )
        raise RuntimeError(message)
    return experiment


def end_with_parent(descriptor: int, parent: int) -> None:
    """Have this process end when its parent does, however busy it is then.

    A thread waits for the parent's end of the connection to close and leaves; on Linux the kernel
    sends SIGKILL as well, which reaches code that never lets another thread run.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to answer

    def watch() -> None:
        hung_up = select.poll()
        hung_up.register(descriptor, 0)  # reports the end of the connection and nothing else
        while os.getppid() == parent and not hung_up.poll(WATCH_MS):
            pass
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
