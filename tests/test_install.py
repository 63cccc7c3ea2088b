"""What users install: the wheel, made from the sdist, by uv and by pip, without a clone."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
UV = os.environ.get("UV") or shutil.which("uv")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: Tests that read what is beside the packages: documents, the client's files, workflows, assets.
OF_AN_SDIST = [
    "tests/test_release.py",
    "tests/test_dependencies.py",
    "tests/test_errors.py",
    "tests/jobs/test_assets.py::test_every_hash_of_0_1_is_recognised",
]
USE = """
from bilancio import experiment
from bilancio.jobs import Job, JobConfig, JobManager
from bilancio_mcp.server import build_server

@experiment("queue", primary="wait")
def simulate(seed: int, rate: float = 0.5) -> dict[str, float]:
    return {"wait": seed * rate}

with JobManager() as manager:
    job: Job = manager.create_job("typed", JobConfig(sweep_type="ring", kappas=["0.5"]))
    found: Job | None = manager.get_job(job.job_id)
    headline: str = manager.results(job.job_id, group_by=["kappa"]).headline
    manager.create_job("typed", misspelt=1)
server = build_server()
"""
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "a client", "version": "1"},
    },
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(UV is None, reason="uv is not installed"),
    pytest.mark.skipif(not (ROOT / "uv.lock").exists(), reason="nothing was resolved"),
]


def said(*words, **options):
    """Run a program to its good end; return what it wrote."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def described(distribution):
    """Return what uv is to know of an installed package, of which only the files were downloaded.

    What a lock is made from may be the metadata of another platform's file.
    """
    entry = {
        "name": distribution.name,
        "version": distribution.version,
        "requires-dist": distribution.requires or [],
        "provides-extra": distribution.metadata.get_all("Provides-Extra", []),
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
    return "\n".join(["[[dependency-metadata]]", *lines, ""])


class Machine:
    """A new machine, whose downloads are there already; what a clone has installed is not."""

    def __init__(self, folder):
        self.folder = folder
        self.built = folder / "built"
        self.scripts = folder / "bin"
        self.lock = folder / "constraints.txt"
        known = folder / "uv.toml"
        known.write_text("".join(map(described, importlib.metadata.distributions())))
        self.environment = {
            "PATH": f"{self.scripts}:{os.environ['PATH']}",
            "HOME": str(folder / "home"),
            "UV_CACHE_DIR": said(UV, "cache", "dir").strip(),
            "UV_CONSTRAINT": str(self.lock),  # what was downloaded is what was locked
            "UV_OFFLINE": "1",
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_TOOL_DIR": str(folder / "tools"),
            "UV_TOOL_BIN_DIR": str(self.scripts),
            "UV_CONFIG_FILE": str(known),
            "NUMBA_DISABLE_JIT": "1",  # compiling takes longer than a test may
        }
        export = ("export", "--quiet", "--frozen", "--no-hashes", "--no-dev", "--no-emit-project")
        self.lock.write_text(said(UV, *export, cwd=ROOT))
        said(UV, "build", "--quiet", "--out-dir", self.built, ROOT, env=self.environment)
        [self.sdist] = self.built.glob("*.tar.gz")
        [self.wheel] = self.built.glob("*.whl")

    def run(self, *words, **environment):
        """Run a program to its end, in an empty folder."""
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        return subprocess.run(
            words,
            cwd=elsewhere,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def says(self, *words, **environment):
        done = self.run(*words, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    return Machine(tmp_path_factory.mktemp("install"))


@pytest.fixture(scope="module")
def tool(machine):
    """The folder of the commands that `uv tool install` made."""
    machine.says(UV, "tool", "install", "--quiet", machine.wheel)
    return machine.scripts


@pytest.fixture(scope="module")
def piped(machine):
    """An environment into which pip installed the wheel, beside libraries that were there."""
    environment = machine.folder / "environment"
    said(sys.executable, "-m", "venv", environment)
    python = environment / "bin" / "python"
    machine.says(
        UV, "pip", "install", "--quiet", "--python", python, "--requirements", machine.lock
    )
    machine.says(python, "-m", "pip", "install", "--quiet", "--no-index", machine.wheel)
    return environment


def tracked(*folders):
    listed = said("git", "ls-files", "--cached", "-z", *folders, cwd=ROOT).split("\0")
    return {name for name in listed if name and (ROOT / name).exists()}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is not a clone")
def test_the_sdist_and_the_wheel_have_every_file_that_is_tracked(machine):
    with tarfile.open(machine.sdist) as files:
        packed = {name.partition("/")[2] for name in files.getnames()}
    assert tracked() - packed == set()
    with zipfile.ZipFile(machine.wheel) as files:
        installed = set(files.namelist())
    needed = {name.partition("/")[2] for name in tracked("src", "server")}
    assert needed - installed == set()
    assert {"bilancio/py.typed", "bilancio_mcp/py.typed"} <= installed


def test_the_sdist_passes_its_own_tests(machine):
    """Nothing of the clone is used; every night all tests run so."""
    with tarfile.open(machine.sdist) as files:
        files.extractall(machine.folder, filter="data")
    unpacked = machine.folder / machine.sdist.name.removesuffix(".tar.gz")
    chosen = ("-p", "no:cacheprovider", "-m", "not slow", *OF_AN_SDIST)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *chosen],
        cwd=unpacked,
        env=os.environ
        | {
            "NUMBA_DISABLE_JIT": "1",  # compiling takes longer than a test may
            "PYTHONPATH": f"{unpacked / 'src'}:{unpacked / 'server'}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, " passed" in done.stdout) == (0, True), done.stdout + done.stderr


def metadata(wheel):
    with zipfile.ZipFile(wheel) as files:
        [name] = [each for each in files.namelist() if each.endswith(".dist-info/METADATA")]
        return message_from_bytes(files.read(name))


def links(told):
    """Return where the links of a registry's page lead."""
    return re.findall(r"\]\((.*?)\)", told.get_payload())


def test_the_wheel_says_what_it_is(machine):
    told = metadata(machine.wheel)
    assert (told["Name"], told["Version"]) == (PROJECT["name"], PROJECT["version"])
    assert told["License-Expression"] == PROJECT["license"]
    assert told["Requires-Python"] == PROJECT["requires-python"]
    assert set(told.get_all("Provides-Extra")) == PROJECT["optional-dependencies"].keys()
    assert told.get_payload().startswith("# bilancio")


def test_a_registry_shows_no_link_to_a_file_that_it_does_not_have(machine):
    told = metadata(machine.wheel)
    assert [each for each in links(told) if not each.startswith("https://")] == []
    assert "docs/MODEL.md" not in told.get_payload()
    assert told.get_all("Project-URL") is None


def test_a_registry_links_to_the_repository_whose_workflow_has_built(machine):
    words = ("build", "--quiet", "--wheel", "--out-dir", machine.folder / "released", ROOT)
    forge = {"GITHUB_SERVER_URL": "https://forge.example", "GITHUB_REPOSITORY": "lab/bilancio"}
    machine.says(UV, *words, **forge)
    [wheel] = (machine.folder / "released").glob("*.whl")
    told = metadata(wheel)
    there = f"https://forge.example/lab/bilancio/(blob|raw)/v{PROJECT['version']}/(.*)"
    files = [found[2] for each in links(told) if (found := re.fullmatch(there, each))]
    assert {"docs/MODEL.md", "docs/images/default-rate.png"} <= set(files)
    assert [each for each in files if not (ROOT / each).is_file()] == []
    assert [each for each in links(told) if not each.startswith("https://")] == []
    assert "Source, https://forge.example/lab/bilancio" in told.get_all("Project-URL")


def test_uvx_runs_the_command(machine):
    told = machine.says("uvx", "--quiet", "--from", machine.wheel, "bilancio", "--version")
    assert told == f"bilancio {PROJECT['version']}\n"


def test_uv_installs_the_commands_as_a_tool(machine, tool):
    assert machine.says(tool / "bilancio", "--version") == f"bilancio {PROJECT['version']}\n"
    assert "There are no jobs yet." in machine.says(tool / "bilancio", "jobs", "list")
    done = subprocess.run(
        [tool / "bilancio-mcp"],
        input=json.dumps(INITIALIZE) + "\n",
        env=machine.environment,
        cwd=machine.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["result"]["serverInfo"]["name"] == "bilancio"


def test_pip_installs_what_runs_a_sweep(machine, piped):
    command = piped / "bin" / "bilancio"
    sweep = (
        "sweep",
        "ring",
        "--n-agents",
        "5",
        "--kappas",
        "0.5,1",
        "--job-id",
        "calm-small-river",
    )
    assert "2 of 2 runs" in machine.says(command, *sweep)
    shown = machine.says(command, "jobs", "results", "calm small rivr", "--group-by", "kappa")
    assert "2 of 2 runs" in shown
    machine.says(piped / "bin" / "python", "-m", "pip", "check")


#: Commands of which each needs another extra, with the settings under which it does.
OPTIONAL = {
    "dask": (("sweep", "ring"), {"BILANCIO_EXECUTOR": "dask"}),
    "frames": (("sweep", "ring"), {"BILANCIO_RUNS_FORMAT": "parquet"}),
    "modal": (("sweep", "ring"), {"BILANCIO_EXECUTOR": "modal"}),
    "postgres": (("jobs", "list"), {"BILANCIO_DATABASE_URL": "postgresql://lab@localhost/lab"}),
    "web": (("serve",), {}),
}


def test_what_needs_an_extra_names_it(machine, piped):
    named = {}
    for extra, (words, settings) in OPTIONAL.items():
        done = machine.run(piped / "bin" / "bilancio", *words, **settings)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
        said = " ".join(done.stderr.split())
        named[extra] = re.findall(r"needs (\w+), .* pip install 'bilancio\[(\w+)\] @ file:", said)
    assert named == {
        "dask": [("distributed", "dask")],
        "frames": [("pyarrow", "frames")],
        "modal": [("modal", "modal")],
        "postgres": [("psycopg", "postgres")],
        "web": [("jinja2", "web")],
    }


def test_an_extra_is_added_by_the_command_that_installed_the_tool(machine, tool):
    done = machine.run(tool / "bilancio", "serve")
    assert f"Install it with uv tool install '{machine.wheel}[web]'." in done.stderr


@pytest.mark.nightly
def test_code_of_users_is_checked_against_the_types_of_both_packages(machine, piped):
    code = machine.folder / "use.py"
    code.write_text(USE)
    wrong = USE.splitlines().index('    manager.create_job("typed", misspelt=1)') + 1
    done = machine.run(
        sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary",
        "--cache-dir", machine.folder / "mypy", "--python-executable", piped / "bin" / "python",
        "--hide-error-context", code,
    )  # fmt: skip
    found = {line.partition(" ")[0] for line in done.stdout.splitlines() if ": error:" in line}
    assert found == {f"{code}:{wrong}:"}, done.stdout + done.stderr
