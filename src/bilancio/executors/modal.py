"""Compute batches of runs in containers of Modal, as requests (`remote`).

For each experiment there is an ephemeral app with one function, of which a batch is one call. With
the app its containers end, and its volume. It ends with this process: Modal stops an app whose
client is silent.
"""

import asyncio
import concurrent.futures
import contextlib
import io
import shutil
import tempfile
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

import modal
import numpy as np
from modal.exception import FunctionTimeoutError, InternalFailure, RemoteError

from bilancio import machine
from bilancio.errors import ExecutorFailed
from bilancio.executors import names, remote
from bilancio.executors.base import Indices, Outcome
from bilancio.executors.modal_account import BATCH_S, CORES, MEMORY_MIB, Token
from bilancio.executors.remote import Answer, Request, outcome_of, request_for, settle, submitted
from bilancio.executors.shipping import shipment_of
from bilancio.experiments.protocol import Experiment
from bilancio.text import error_text

BUILD_S = 3600.0  # an image is built once; the next job finds it
LEAVE_S = 2.0
LOST_CONTAINERS = 3  # that a batch may cost before it is said that nothing can be computed
LONGEST_CALL_S = 86_400  # the most that Modal allows
LONGEST_NAME = 64
LARGE_ANSWER = 2**20  # bytes; what is larger goes by the volume
IMPORTED = "/root"  # on the import path of containers
MOUNT = "/mnt/bilancio"
COMPILE = (
    f"cd {IMPORTED} && python -c 'from bilancio.model import compilation; compilation.warm_up()'"
)


class App(NamedTuple):
    """What an app consists of while it runs."""

    function: Any  # takes a request and the volume, returns an answer
    volume: modal.Volume


class ModalExecutor:
    """Containers of Modal, of one core each.

    Parameters
    ----------
    containers
        How many may compute at a time; there are no more than batches.
    token
        Its id and secret.
    label
        What the work is called in Modal's dashboard; its folder in the volume.
    run_timeout_s
        Longest time that a run may take in a process.
    """

    name = names.MODAL
    batch_s = BATCH_S
    waiting = ""

    def __init__(
        self, containers: int, token: Token, *, label: str = "batches", run_timeout_s: float = 600.0
    ) -> None:
        self.workers = containers
        self._token = token
        self._label = label
        self._run_timeout_s = run_timeout_s
        self._warming: Future[App] | None = None
        self._apps: dict[str, asyncio.Future[App]] = {}
        self._running = set[asyncio.Task[None]]()
        self._unsettled = set[Future[Outcome]]()
        self._loop = asyncio.new_event_loop()
        self._leaving = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, name="modal", daemon=True)
        self._thread.start()

    def warm_up(self, experiment: Experiment, config: Any, runs: int) -> None:  # noqa: ARG002
        """Have the image of the experiment built, and its app started."""
        with contextlib.suppress(ExecutorFailed):  # it was closed
            self._warming = self._soon(self._app(config.sweep_type))

    def ready(self) -> None:
        """Wait until the app that `warm_up` has begun with is there.

        Raises
        ------
        ExecutorFailed
            It cannot be.
        """
        if self._warming is None:
            return
        try:
            self._warming.result(BUILD_S)
        except TimeoutError:
            reason = f"its image was not built within {BUILD_S:g} s"
            raise ExecutorFailed(self.name, reason) from None
        except concurrent.futures.CancelledError:
            raise self._was_closed() from None

    def submit(
        self, experiment: Experiment, config: Any, indices: Indices, *, isolated: bool = False
    ) -> Future[Outcome]:
        """Have the runs of *indices* computed in a container."""
        request = request_for(
            experiment, config, indices, isolated=isolated, run_timeout_s=self._run_timeout_s
        )
        return submitted(self._send, request | {"place": [MOUNT, f"{self._label}/runs"]})

    def close(self) -> None:
        """End the apps, and with them what computes."""
        if not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # it has just been
                self._loop.call_soon_threadsafe(self._leaving.set)
        self._thread.join(LEAVE_S)

    def _send(self, outcome: Future[Outcome], request: Request) -> None:
        self._unsettled.add(outcome)
        outcome.add_done_callback(self._unsettled.discard)
        self._soon(self._compute(outcome, request))

    def _soon(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Have the executor's thread do something.

        Raises
        ------
        ExecutorFailed
            It was closed.
        """
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            raise self._was_closed() from None

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._until_it_is_closed())
        finally:
            self._loop.close()
            for outcome in list(self._unsettled):
                settle(outcome, self._was_closed())

    async def _until_it_is_closed(self) -> None:
        await self._leaving.wait()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for each in others:
                each.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    async def _app(self, sweep_type: str) -> App:
        """Return the app of an experiment, started when it is first asked for.

        Raises
        ------
        ExecutorFailed
            It cannot be started.
        """
        if sweep_type not in self._apps:
            self._apps[sweep_type] = self._loop.create_future()
            running = self._loop.create_task(self._run(sweep_type, self._apps[sweep_type]))
            self._running.add(running)  # the loop itself would not keep it
        return await asyncio.shield(self._apps[sweep_type])

    async def _run(self, sweep_type: str, running: "asyncio.Future[App]") -> None:
        """Run an app until this is cancelled."""
        try:
            async with contextlib.AsyncExitStack() as kept:
                client = await modal.Client.from_credentials.aio(*self._token)
                await kept.enter_async_context(client)
                volume = await kept.enter_async_context(modal.Volume.ephemeral(client=client))
                with tempfile.TemporaryDirectory() as staged:
                    image = await asyncio.to_thread(image_of, sweep_type, Path(staged))
                    app = modal.App(f"bilancio-{self._label}"[:LONGEST_NAME])
                    function = app.function(
                        image=image,
                        serialized=True,
                        include_source=False,
                        cpu=CORES,
                        memory=MEMORY_MIB,
                        max_containers=self.workers,
                        timeout=LONGEST_CALL_S,
                        volumes={MOUNT: volume},
                    )(compute)
                    await kept.enter_async_context(app.run(client=client))
                running.set_result(App(function, volume))
                await self._leaving.wait()
        except asyncio.CancelledError:
            running.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - Modal's client may raise anything
            if not running.done():
                reason = f"Modal starts no app ({error_text(error)})"
                running.set_exception(ExecutorFailed(self.name, reason))
                running.exception()  # those who wait for it are told; there may be none

    async def _compute(self, outcome: "Future[Outcome]", request: Request) -> None:
        """Have a batch computed; where that ends its container, by a process in another one."""
        try:
            app = await self._app(request["sweep_type"])
            answer = await self._answer(app, request)
            settle(outcome, outcome_of(answer, self.name))
        except asyncio.CancelledError:
            settle(outcome, self._was_closed())
            raise
        except ExecutorFailed as error:
            settle(outcome, error)
        except Exception as error:  # noqa: BLE001 - as above
            reason = f"Modal computes no batch ({error_text(error)})"
            settle(outcome, ExecutorFailed(self.name, reason))

    async def _answer(self, app: App, request: Request) -> Answer:
        lost = 0
        while True:
            try:
                answer: Answer = await app.function.remote.aio(request, app.volume)
                return await _whole(answer, app.volume)
            except (InternalFailure, RemoteError, FunctionTimeoutError) as error:
                lost += 1
                if lost > LOST_CONTAINERS:
                    reason = f"its containers die ({error_text(error)})"
                    raise ExecutorFailed(self.name, reason) from None
                request = request | {"isolated": True}

    def _was_closed(self) -> ExecutorFailed:
        return ExecutorFailed(self.name, "it was closed")


def image_of(sweep_type: str, staged: Path) -> modal.Image:
    """Return the image of containers that compute an experiment, to be built by Modal.

    Parameters
    ----------
    staged
        An empty folder, which has to stay as long as the image is not built.
    """
    shipment = shipment_of(sweep_type)
    image = modal.Image.debian_slim(machine.python_minor()).uv_pip_install(*shipment.packages)
    for place, folder in shipment.folders.items():
        image = image.add_local_dir(
            folder, f"{IMPORTED}/{place}", copy=True, ignore=["**/__pycache__"]
        )
    image = image.run_commands(COMPILE)
    if shipment.environment:
        image = image.env(shipment.environment)
    if not shipment.files:
        return image
    for place, file in shipment.files.items():
        (staged / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, staged / place)
    return image.add_local_dir(staged, IMPORTED)


def compute(request: Request, volume: modal.Volume) -> Answer:
    """Compute a batch, in a container; a large table goes by the volume.

    Returns
    -------
    dict
        As of `remote.compute`; `file`, a path in the volume, in place of a large table.
    """
    answer = remote.compute(request, "its container")
    metrics = answer.get("metrics")
    if metrics is None or metrics.nbytes <= LARGE_ANSWER:
        return answer
    mount, folder = request["place"]
    indices = request["indices"]
    file = f"{folder}/{indices[0]}-{indices[-1]}.npy"
    path = Path(mount, file)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, metrics)
    volume.commit()
    return {**answer, "metrics": None, "file": file}


async def _whole(answer: Answer, volume: modal.Volume) -> Answer:
    """Return an answer with its table, fetched and deleted where it went by the volume."""
    if "file" not in answer:
        return answer
    file = answer["file"]
    written = [part async for part in volume.read_file.aio(file)]
    await volume.remove_file.aio(file)
    metrics = np.load(io.BytesIO(b"".join(written)), allow_pickle=False)
    return {name: value for name, value in answer.items() if name != "file"} | {"metrics": metrics}
