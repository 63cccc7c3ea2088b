"""Measures jobs in a process of its own, with a store and folder of its own."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bilancio import interpreter
from bilancio.bench import scale
from bilancio.bench.finding import Finding
from bilancio.errors import BilancioError, invalid
from bilancio.executors import registry as executors
from bilancio.executors.names import DASK, DEFAULT
from bilancio.jobs.store import locate
from bilancio.settings import Settings, redact_url


class MeasuringFailed(BilancioError):
    """What was to be measured did not run."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def sentence(self) -> str:
        """Say what happened."""
        return f"Measuring failed: {self.reason}"


def system_findings() -> Iterator[Finding]:
    """Yield how fast jobs are carried out, recorded and read.

    Raises
    ------
    MeasuringFailed
        The process ended badly; what it said last is the reason.
    """
    with tempfile.TemporaryDirectory(prefix="bilancio-bench-") as folder:
        yield from _measured("bilancio.bench.system", folder)
        try:
            yield from scale.findings(Path(folder, "scale"))
        except subprocess.CalledProcessError as error:
            raise MeasuringFailed(str(error)) from None


def executor_findings(name: str) -> Iterator[Finding]:
    """Yield how fast an executor computes on this machine's cores beside the local one.

    Raises
    ------
    InvalidInput, LibraryMissing
        It is not Dask, which alone can be started here, or that is not installed.
    MeasuringFailed
        As `system_findings`.
    """
    if name != DASK:
        raise invalid("--executor", name, DASK)
    executors.check(Settings(executor=DASK, dask_address="tcp://127.0.0.1:8786"))
    with tempfile.TemporaryDirectory(prefix="bilancio-bench-") as folder:
        yield from _measured("bilancio.bench.executors", folder)


def store_findings(url: str) -> Iterator[Finding]:
    """Yield how fast jobs are recorded and read in a file, and beside it in the database of *url*.

    Raises
    ------
    InvalidInput
        It is not the address of a PostgreSQL database.
    MeasuringFailed
        As `system_findings`; the database has jobs, for instance.
    """
    if locate(url).file is not None:
        allowed = "the address of a PostgreSQL database without jobs: postgresql://…"
        raise invalid("--store", redact_url(url), allowed)
    with tempfile.TemporaryDirectory(prefix="bilancio-bench-") as folder:
        yield from _measured("bilancio.bench.stores", folder, BILANCIO_DATABASE_URL=url)


def _measured(module: str, folder: str, **changes: str) -> Iterator[Finding]:
    settings = {
        "BILANCIO_DATABASE_URL": f"sqlite:///{folder}/bilancio.db",
        "BILANCIO_OUT_DIR": f"{folder}/out",
        "BILANCIO_EXECUTOR": DEFAULT,
        "BILANCIO_PLUGINS": "bilancio.bench.system:TRIVIAL",
        "BILANCIO_EXPERIMENTS": "bilancio.bench.own",
    }
    process = subprocess.Popen(  # noqa: S603 - this interpreter, a module of ours
        interpreter.command(module, folder),
        env=interpreter.environment(**settings | changes),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            yield Finding(**json.loads(line))
        said = process.stderr.read()
    if process.returncode:
        last = said.strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
        raise MeasuringFailed(last[0])
