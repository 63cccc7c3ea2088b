"""`bilancio bench`: how fast this machine is at it, beside what is aimed at."""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from bilancio import machine
from bilancio.cli.render.console import Output, emit, pairs_table, rows_table
from bilancio.errors import BilancioError, invalid

app = typer.Typer(add_completion=False, rich_markup_mode="rich")

Finding = dict[str, Any]


class MeasuringFailed(BilancioError):
    """What was to be measured did not run."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"Measuring failed: {self.reason}"


@app.command()
def bench(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", metavar="", help="The engine only (the default).")
    ] = False,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            metavar="",
            help="Sweeps, store and starts, too, in a folder of its own; some minutes.",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print one JSON object.")
    ] = False,
) -> None:
    """Measure how fast simulations are here, beside what is aimed at.

    Times of the engine are those of one core, runs in batches, the best of
    several: other programs on the machine do not count. Nothing of yours is
    touched.

    Example:

      $ bilancio bench
      $ bilancio bench --all --json
    """
    if quick and everything:
        raise invalid("--quick", "beside --all", "one of them")
    output = Output(as_json)
    about = {"machine": _machine(), "versions": _versions()}
    from bilancio.model import warm_up

    warm_up(output.note)
    engine = list(_engine())
    found = [*engine, *(_system(output) if everything else ())]
    about["machine"]["load after"] = _load()
    if as_json:
        emit({**about, "findings": [{**each, "met": met(each)} for each in found]})
        return
    output.say(pairs_table({**about["machine"], "versions": _joined(about["versions"])}))
    output.say()
    _show(output, found)


def met(finding: Finding) -> bool | None:
    """Tell whether a finding reaches its target; None where it has none."""
    if finding["at_most"] is not None:
        return bool(finding["value"] <= finding["at_most"])
    if finding["at_least"] is not None:
        return bool(finding["value"] >= finding["at_least"])
    return None


def _engine() -> Iterator[Finding]:
    """Measure the engine in this process."""
    from bilancio.bench.engine import TARGETS_US, timings  # numpy, which help does not need

    for timing in timings():
        usual = (timing.n_agents, timing.maturity_days) == (100, 10)
        yield {
            "what": f"{timing.what}, n = {timing.n_agents:,}, D = {timing.maturity_days}",
            "value": timing.us,
            "unit": "µs",
            "at_most": TARGETS_US.get(timing.what) if usual else None,
            "at_least": None,
        }


def _system(output: Output) -> Iterator[Finding]:
    """Measure jobs in a process with a store of its own."""
    with tempfile.TemporaryDirectory(prefix="bilancio-bench-") as folder:
        environment = os.environ | {
            "BILANCIO_DATABASE_URL": f"sqlite:///{folder}/bilancio.db",
            "BILANCIO_OUT_DIR": f"{folder}/out",
            "BILANCIO_PLUGINS": "bilancio.bench.system:TRIVIAL",
        }
        output.note("Measuring sweeps, store and starts; this takes some minutes.")
        process = subprocess.Popen(  # noqa: S603 - this interpreter, a module of ours
            [sys.executable, "-m", "bilancio.bench.system", folder],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with process:
            assert process.stdout is not None
            assert process.stderr is not None
            for line in process.stdout:
                finding: Finding = json.loads(line)
                output.note(f"  {finding['what']}: {_written(finding['value'], finding['unit'])}")
                yield finding
            said = process.stderr.read()
        if process.returncode:
            last = said.strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
            raise MeasuringFailed(last[0])


def _show(output: Output, found: list[Finding]) -> None:
    verdicts = {True: "met", False: "NOT met", None: ""}
    rows = [
        [
            each["what"],
            _written(each["value"], each["unit"]),
            _target(each),
            verdicts[met(each)],
        ]
        for each in found
    ]
    made, _ = rows_table(
        ["what", "measured", "target", ""], rows, text=["what", ""], width=output.out.width
    )
    output.say(made)


def _target(finding: Finding) -> str:
    for name, sign in (("at_most", "≤"), ("at_least", "≥")):
        if finding[name] is not None:
            return f"{sign} {_written(finding[name], finding['unit'])}"
    return ""


def _written(value: float, unit: str) -> str:
    """Write a value with three digits, and its unit."""
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2  # noqa: PLR2004
    return f"{value:,.{digits}f} {unit}"


def _machine() -> dict[str, str]:
    cores = machine.cores()
    return {
        "processor": _processor(),
        "cores": str(cores),
        "system": platform.platform(),
        "load before": _load(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not on Linux
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _load() -> str:
    return ", ".join(f"{load:.1f}" for load in os.getloadavg())


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("bilancio", "numpy", "numba")}
    return {"python": platform.python_version(), **packages}


def _joined(pairs: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairs.items())
