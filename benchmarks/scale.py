"""What a job of ten million runs takes: seconds, and the peak memory of each process.

Run it by ``uv run python benchmarks/scale.py``; ``--runs N`` takes another number, ``--metrics N``
other than three metrics a run, ``--only STEP …`` some of the steps. ``--folder`` says where store
and files are made, and leaves them there.
"""

import argparse
import contextlib
import tempfile
from pathlib import Path

from bilancio.bench.scale import METRICS, RUNS, STEPS, measured


def main() -> None:
    """Print a line for each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--metrics", type=int, default=METRICS)
    parser.add_argument("--only", nargs="*", default=list(STEPS), choices=STEPS)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        print(f"{'':12}{'s':>8}{'MiB':>7}")
        for each in measured(given.only, folder, runs=given.runs, metrics=given.metrics):
            print(
                f"{each.step:12}{each.seconds:8.2f}{each.mebibytes:7.0f}  {each.said}", flush=True
            )


if __name__ == "__main__":
    main()
