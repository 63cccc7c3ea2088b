"""The examples are whole: what they test of themselves holds."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.own_project import copy_example


def install(folder: Path) -> None:
    """Have *folder* found as an installed package is: with its name and its entry points."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    about = folder / f"{project['name']}-{project['version']}.dist-info"
    about.mkdir()
    said = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (about / "METADATA").write_text(said)
    points = [
        f"[{group}]\n{name} = {place}\n"
        for group, named in project["entry-points"].items()
        for name, place in named.items()
    ]
    (about / "entry_points.txt").write_text("".join(points))


@pytest.mark.slow
def test_the_example_of_a_package_passes_its_own_tests(tmp_path):
    folder = tmp_path / "epidemic"
    copy_example("epidemic", folder)
    install(folder)
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert "3 passed" in tests.stdout
