"""Measures jobs in a process of its own, with a store and folder of its own."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bilancio import interpreter
from bilancio.bench import scale
from bilancio.bench.finding import Finding
from bilancio.errors import BilancioError


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
        environment = interpreter.environment(
            BILANCIO_DATABASE_URL=f"sqlite:///{folder}/bilancio.db",
            BILANCIO_OUT_DIR=f"{folder}/out",
            BILANCIO_PLUGINS="bilancio.bench.system:TRIVIAL",
            BILANCIO_EXPERIMENTS="bilancio.bench.own",
        )
        process = subprocess.Popen(  # noqa: S603 - this interpreter, a module of ours
            interpreter.command("bilancio.bench.system", folder),
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
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
        try:
            yield from scale.findings(Path(folder, "scale"))
        except subprocess.CalledProcessError as error:
            raise MeasuringFailed(str(error)) from None
