"""README's commands in a fresh clone: empty HOME, spaces in the path, no bytecode, no git."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
UV = os.environ.get("UV") or shutil.which("uv")  # uv says where it is to what it runs
SWEEP = ("sweep", "ring", "--n-agents", "5", "--kappas", "0.5,1", "--job-id", "calm-small-river")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(UV is None, reason="uv is not installed"),
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is not a clone"),
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]


class Clone:
    """A clone with an environment as on a new machine, whose downloads are there already."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a clone with spaces"
        self.home = folder / "home"
        self.home.mkdir()
        tools = folder / "bin"
        tools.mkdir()
        (tools / "uv").symlink_to(UV)
        cache = subprocess.check_output([UV, "cache", "dir"], text=True).strip()
        self.environment = {
            "PATH": str(tools),
            "HOME": str(self.home),
            "UV_CACHE_DIR": cache,
            "UV_OFFLINE": "1",
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
            "NUMBA_DISABLE_JIT": "1",  # compiling takes longer than a test may
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        subprocess.run(["git", "clone", "-q", ROOT, self.root], check=True)
        if (ROOT / "uv.lock").exists():  # so that nothing has to be resolved
            shutil.copy(ROOT / "uv.lock", self.root)

    def run(self, *words, **environment):
        return subprocess.run(
            ["uv", "run", "--quiet", *words],
            cwd=self.root,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    return Clone(tmp_path_factory.mktemp("fresh"))


def test_the_first_command_sets_up_and_runs_a_sweep(clone):
    """There is no git on this machine's PATH, and its home folder is empty."""
    swept = clone.run("bilancio", *SWEEP)
    assert (swept.returncode, swept.stderr.count("Traceback")) == (0, 0), swept.stderr
    assert "2 of 2 runs" in swept.stdout
    shown = clone.run("bilancio", "jobs", "results", "calm small rivr", "--group-by", "kappa")
    assert (shown.returncode, "kappa" in shown.stdout) == (0, True), shown.stderr
    manifest = clone.root / "out" / "experiments" / "calm-small-river" / "job_manifest.json"
    assert '"git_commit": null' in manifest.read_text()
    assert list((clone.root / "src").rglob("__pycache__")) == []


def test_the_second_command_sets_up_and_passes_tests(clone):
    done = clone.run("pytest", "-q", "-p", "no:cacheprovider", "tests/test_errors.py")
    assert (done.returncode, " passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_the_server_of_mcp_json_starts(clone):
    done = clone.run("--no-dev", "bilancio-mcp")  # its input ends at once
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_clone_of_that_clone_answers_from_what_was_committed(clone, tmp_path):
    """Only files that .gitignore leaves committable travel; the store does not."""
    path = os.environ["PATH"]
    clone.run("bilancio", *SWEEP)
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", "add", "out"], cwd=clone.root, check=True)
    subprocess.run(["git", *who, "commit", "-qm", "Results"], cwd=clone.root, check=True)
    second = tmp_path / "second"
    subprocess.run(["git", "clone", "-q", clone.root, second], check=True)
    home = {"HOME": str(tmp_path / "home"), "PATH": path}
    words = ("jobs", "results", "calm-small-river", "--group-by", "kappa")
    python = clone.root / ".venv" / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "bilancio.cli", *words],
        cwd=second, env=home, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert "2 of 2 runs" in done.stdout
    assert "kappa" in done.stdout
