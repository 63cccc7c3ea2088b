"""What README shows is what one gets."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def session(containing):
    """Return the command and the output of the console block with this text."""
    blocks = re.findall(r"```console\n\$ (.*?)\n(.*?)```", README, flags=re.DOTALL)
    return next((command, shown) for command, shown in blocks if containing in command)


def say(command, folder):
    words = [word for word in shlex.split(command) if word not in {"uv", "run"}]
    return subprocess.run(
        [sys.executable, "-m", "bilancio.cli", *words[1:]],
        cwd=folder,
        env=os.environ | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
    )


def lasting(text):
    """Leave out what differs between machines: times, cores and folders."""
    kept = [line for line in text.splitlines() if not re.search(r"\d s\b|cores|^Files in", line)]
    return [line.rstrip() for line in kept if line.strip()]


@pytest.mark.slow
def test_the_first_command_prints_what_readme_shows(isolated):
    command, shown = session("sweep balanced")
    done = say(command, isolated)
    heard = lasting(done.stdout + "\n" + done.stderr)
    for line in lasting(shown):
        assert line in heard
    results = say(session("jobs results")[0], isolated)
    assert "read 'brigt' as 'bright'" in results.stderr + results.stdout
    assert "trading_effect is 0.07175 higher at kappa 0.25, mu 0.5 than at mu 0" in results.stdout
    assert "Of the variance of trading_effect between cells, mu explains " in results.stdout


@pytest.mark.slow
def test_the_python_example_prints_what_readme_says(isolated):
    program = re.search(r"```python\n(.*?)```\n\nprints `(.*?)`", README, flags=re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program[1]],
        cwd=isolated,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == program[2].split()


def test_the_test_command_is_the_one_of_the_gate():
    assert "uv run pytest -n auto" in README
    assert "uv run pytest -n auto" in (ROOT / ".ci" / "run").read_text()


def test_what_the_gate_leaves_out_is_run_every_night():
    assert 'env:\n  BILANCIO_NIGHTLY: "1"' in (ROOT / ".github/workflows/nightly.yml").read_text()


@pytest.mark.parametrize(("name", "most"), [("README.md", 120), ("CLAUDE.md", 100)])
def test_it_stays_short(name, most):
    assert len((ROOT / name).read_text().splitlines()) <= most


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
