"""What executors on other machines have in common: a batch as a request, computed there.

Names, JSON and the runs' indices travel there, arrays and words travel back. A request is computed
by a local executor, so that a batch that fails is narrowed down where it is computed, and a run
that crashes or hangs takes only a process down.
"""

import concurrent.futures
import contextlib
import functools
import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from decimal import Decimal
from typing import Any

from bilancio import machine
from bilancio.errors import ExecutorFailed
from bilancio.executors import names
from bilancio.executors.base import Indices, Outcome
from bilancio.executors.local import LocalExecutor
from bilancio.experiments import registry as experiments
from bilancio.experiments.protocol import Experiment
from bilancio.model.version import ENGINE_VERSION
from bilancio.text import error_text

DROPPED_S = 0.2  # after which it is noticed that a batch is no longer wanted

Request = dict[str, Any]
Answer = dict[str, Any]


def request_for(
    experiment: Experiment, config: Any, indices: Indices, *, isolated: bool, run_timeout_s: float
) -> Request:
    """Return what has to travel for the runs of *indices* to be computed elsewhere."""
    return {
        "sweep_type": config.sweep_type,
        "config": config.model_dump_json(),
        "probed": {place: str(value) for place, value in _probed(config).items()},
        "indices": indices,
        "isolated": isolated,
        "run_timeout_s": run_timeout_s,
        "versions": _versions(config.sweep_type, experiment),
    }


def submitted(
    send: Callable[[Future[Outcome], Request], object], request: Request
) -> Future[Outcome]:
    """Return the future of a batch that is sent, its error where it cannot be."""
    outcome: Future[Outcome] = Future()
    outcome.set_running_or_notify_cancel()
    try:
        send(outcome, request)
    except ExecutorFailed as error:
        settle(outcome, error)
    return outcome


def compute(request: Request, here: str, is_dropped: Callable[[], bool] = lambda: False) -> Answer:
    """Compute a batch in this thread.

    Parameters
    ----------
    here
        What computes, as the subject of a sentence that says why it cannot.
    is_dropped
        Whether the batch is no longer wanted; its process is then ended.

    Returns
    -------
    dict
        The fields of an `Outcome`; or `refused`, the reason why nothing can be computed here.
    """
    try:
        experiment = experiments.experiment(request["sweep_type"])
        if other := _other_version(request, experiment):
            return {"refused": f"{here} has {other}"}
        config = _configuration(request["config"])
        if request["probed"]:
            probed = {place: Decimal(value) for place, value in request["probed"].items()}
            config = config.probing(probed)
        if experiment.releases_gil and not request["isolated"]:
            experiment.prepare()
        outcome = _computed(request, experiment, config, is_dropped)
    except ExecutorFailed as error:
        return {"refused": error.reason}
    except BaseException as error:  # noqa: BLE001 - a plug-in's module may raise anything
        return {"refused": f"{here} cannot load {request['sweep_type']}: {error_text(error)}"}
    return {
        "indices": outcome.indices,
        "metrics": outcome.metrics,
        "failures": outcome.failures,
        "compute_s": outcome.compute_s,
        "cold": outcome.cold,
    }


def outcome_of(answer: Answer, executor: str) -> Outcome | ExecutorFailed:
    """Return what `compute` has found, or the error for what it has refused."""
    refused = answer.get("refused")
    return ExecutorFailed(executor, refused) if refused else Outcome(**answer)


def settle(future: "Future[Outcome]", value: Outcome | BaseException) -> None:
    """Give a future its result or error, unless it has one."""
    with contextlib.suppress(concurrent.futures.InvalidStateError):
        if isinstance(value, BaseException):
            future.set_exception(value)
        else:
            future.set_result(value)


def _computed(
    request: Request, experiment: Experiment, config: Any, is_dropped: Callable[[], bool]
) -> Outcome:
    """Compute by this thread's executor; where the batch was dropped meanwhile, end its process.

    Raises
    ------
    ExecutorFailed
        Nothing can be computed here, or is wanted any longer.
    """
    local = _executor_here(request["run_timeout_s"])
    future = local.submit(experiment, config, request["indices"], isolated=request["isolated"])
    while not concurrent.futures.wait([future], DROPPED_S).done:
        if is_dropped():
            local.close()
            del _mine.executor
            raise ExecutorFailed(names.DEFAULT, "the batch was cancelled")
    return future.result()


_mine = threading.local()  # of each thread that computes requests: its executor


def _executor_here(run_timeout_s: float) -> LocalExecutor:
    kept: tuple[float, LocalExecutor] | None = getattr(_mine, "executor", None)
    if kept is not None and kept[0] != run_timeout_s:
        kept[1].close()
        kept = None
    if kept is None:
        kept = _mine.executor = run_timeout_s, LocalExecutor(1, run_timeout_s=run_timeout_s)
    return kept[1]


@functools.lru_cache(maxsize=8)
def _configuration(written: str) -> Any:
    return experiments.configuration(json.loads(written))


def _probed(config: Any) -> dict[int, Decimal]:
    """Return the values that a search has planned; other sweeps have none."""
    return getattr(config, "probed_values", {})


def _versions(sweep_type: str, experiment: Experiment) -> dict[str, str]:
    """Return the versions that have to be the same wherever runs of one job are computed."""
    return {
        "bilancio": machine.package_version("bilancio") or "",
        "the engine": ENGINE_VERSION,
        "Python": machine.python_minor(),
        f"the experiment {sweep_type}": experiment.version,
    }


def _other_version(request: Request, experiment: Experiment) -> str:
    """Say which version differs here from where the job is recorded; nothing if none does."""
    here = _versions(request["sweep_type"], experiment)
    for name, wanted in request["versions"].items():
        if here[name] != wanted:
            return f"{name} {here[name]}, and the job is recorded by {wanted}"
    return ""
