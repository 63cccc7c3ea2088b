"""Experiments are found where the project, the settings or a package names them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bilancio.errors import InvalidInput
from bilancio.experiments import registry
from bilancio.jobs import JobConfig
from tests.own_project import name_modules, working_in

BUILT_IN = ["single", "ring", "balanced"]
QUEUE = '''
from bilancio import experiment

@experiment("queue")
def simulate(seed: int, rate: float = 0.5) -> dict[str, float]:
    """Queue up."""
    return {"wait": seed * rate}
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    with working_in(tmp_path / "study", monkeypatch) as folder:
        yield folder


def own():
    return [name for name in registry.sweep_types() if name not in BUILT_IN]


def reasons():
    return [(fault.address, fault.reason) for fault in registry.plugin_faults()]


def test_a_module_that_the_project_names_brings_all_its_functions(folder):
    two = QUEUE + QUEUE.replace('"queue"', '"other"').replace("simulate", "other")
    (folder / "my_queue.py").write_text(two)
    name_modules(folder, "my_queue")
    assert own() == ["queue", "other"]
    assert reasons() == []
    assert JobConfig(sweep_type="queue", rate="0.7").rate == registry.configuration(
        {"sweep_type": "queue", "rate": 0.7}
    ).rate  # fmt: skip


def test_the_project_is_looked_for_upwards(folder, monkeypatch):
    (folder / "my_queue.py").write_text(QUEUE)
    name_modules(folder, "my_queue")
    below = folder / "src" / "deep"
    below.mkdir(parents=True)
    (folder / "src" / "pyproject.toml").write_text('[project]\nname = "part"\n')
    monkeypatch.chdir(below)
    assert own() == ["queue"]


def test_one_function_of_a_package_can_be_named(folder):
    (folder / "study").mkdir()
    (folder / "study" / "__init__.py").touch()
    (folder / "study" / "models.py").write_text(
        QUEUE + QUEUE.replace('"queue"', '"other"').replace("simulate", "other")
    )
    name_modules(folder, "study.models:other")
    assert own() == ["other"]


def test_a_setting_names_modules_too(folder, monkeypatch):
    (folder / "my_queue.py").write_text(QUEUE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("BILANCIO_EXPERIMENTS", "my_queue, my_queue:simulate")
    assert own() == ["queue"]
    assert reasons() == []


def test_an_installed_package_names_modules_by_an_entry_point(folder, monkeypatch):
    (folder / "my_queue.py").write_text(QUEUE)
    about = folder / "my_queue-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-queue\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[bilancio.experiments]\nqueue = my_queue\n")
    monkeypatch.syspath_prepend(str(folder))
    assert own() == ["queue"]


def test_the_project_s_folder_goes_last_on_the_import_path(folder):
    (folder / "my_queue.py").write_text(QUEUE)
    (folder / "json.py").write_text("raise SystemExit('not this one')")
    name_modules(folder, "my_queue")
    own()
    assert sys.path[-1] == str(folder)


def test_a_broken_module_costs_itself_only(folder):
    (folder / "my_queue.py").write_text(QUEUE)
    (folder / "broken.py").write_text("1 / 0")
    (folder / "odd.py").write_text(QUEUE.replace("rate: float", "rate"))
    (folder / "empty.py").touch()
    name_modules(folder, "broken", "odd", "empty", "missing", "my_queue:nothing", "my_queue")
    assert own() == ["queue"]
    said = dict(reasons())
    assert said["broken"] == "importing it raised ZeroDivisionError: 'division by zero'"
    assert said["odd"].startswith("rate of simulate: got no annotation; allowed: int, float")
    assert said["empty"] == "the module 'empty' has no function with @experiment"
    assert said["missing"] == "the module 'missing' is not installed"
    assert said["my_queue:nothing"] == "the module 'my_queue' has no 'nothing'"


def test_a_module_with_the_name_of_another_library_is_told_so(folder):
    (folder / "queue.py").write_text(QUEUE)
    name_modules(folder, "queue")
    ((_, reason),) = reasons()
    assert reason.startswith("the module 'queue' has no function with @experiment: it is ")
    assert reason.endswith(f", which comes before {folder / 'queue.py'}; rename yours")


def test_two_experiments_of_one_name_are_told_apart(folder):
    (folder / "my_queue.py").write_text(QUEUE)
    (folder / "other.py").write_text(QUEUE)
    (folder / "ours.py").write_text(QUEUE.replace('"queue"', '"ring"'))
    name_modules(folder, "my_queue", "other", "ours")
    assert own() == ["queue"]
    assert reasons() == [
        ("other", "there is another experiment for sweeps of type 'queue'"),
        ("ours", "there is another experiment for sweeps of type 'ring'"),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[tool.bilancio\n", "it cannot be read ("),
        ("[tool.bilancio]\nexperiments = 3\n", "[tool.bilancio] experiments is 3, not a list"),
        ("[tool.bilancio]\nexperiments = [3]\n", "[tool.bilancio] experiments is [3], not a list"),
    ],
)
def test_a_project_file_that_is_wrong_is_said_to_be(folder, text, reason):
    (folder / "pyproject.toml").write_text(text)
    ((address, said),) = reasons()
    assert address == str(folder / "pyproject.toml")
    assert reason in said


@pytest.mark.parametrize("text", ["[tool", "tool = 3\n", "[tool]\nbilancio = 3\n", ""])
def test_other_project_files_are_nobody_s_fault(folder, text):
    (folder / "pyproject.toml").write_text(text)
    assert (own(), reasons()) == ([], [])


def test_a_project_of_another_user_above_is_not_loaded(folder, monkeypatch):
    (folder / "my_queue.py").write_text(QUEUE)
    name_modules(folder, "my_queue")
    below = folder / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    try:
        os.chown(folder / "pyproject.toml", 12345, 12345)
    except PermissionError:
        pytest.skip("only root gives files away")
    assert own() == []
    assert [reason for _, reason in reasons()] == [
        "it belongs to another user, whose code is not loaded"
    ]


def test_what_is_declared_where_workers_cannot_import_it_is_told_so(folder):
    from bilancio import experiment

    @experiment("local-queue")
    def simulate(seed: int) -> dict[str, float]:
        return {"wait": seed}

    with pytest.raises(InvalidInput) as error:
        JobConfig(sweep_type="local-queue")
    assert "simulate is defined inside a function, where workers cannot reach" in str(error.value)
    code = f"{QUEUE}\nfrom bilancio.jobs import JobConfig\nJobConfig(sweep_type='queue')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "simulate is defined in __main__, which workers cannot import" in done.stderr


def test_what_no_one_names_is_told_so(folder, monkeypatch):
    (folder / "my_queue.py").write_text(QUEUE)
    monkeypatch.syspath_prepend(str(folder))
    import my_queue  # noqa: F401

    with pytest.raises(InvalidInput) as error:
        JobConfig(sweep_type="queue")
    assert "my_queue:simulate declares it, but its module is named neither in" in str(error.value)


def test_what_changes_in_the_project_is_seen_by_a_process_that_lives_long(folder):
    file = folder / "my_queue.py"
    file.write_text(QUEUE)
    name_modules(folder, "my_queue")
    first = registry.experiment("queue").version
    registry.refresh()
    assert registry.experiment("queue").version == first
    file.write_text(QUEUE.replace("rate: float = 0.5", "rate: float = 0.5, servers: int = 2"))
    registry.refresh()
    assert JobConfig(sweep_type="queue").servers == 2
    assert registry.experiment("queue").version != first
    file.write_text("def")
    registry.refresh()
    assert own() == []
    file.write_text(QUEUE)
    registry.refresh()
    assert registry.experiment("queue").version == first
    Path("pyproject.toml").unlink()
    registry.refresh()
    assert own() == []


SHARED = {
    "__init__.py": "",
    "models.py": QUEUE.replace("seed * rate", "served(seed, rate)")
    + "\nfrom study.lines import served\n",
    "lines.py": "def served(seed, rate):\n    from . import prices\n    return seed * prices.ONE\n",
    "prices.py": "ONE = 1\n",
    "pictures.py": "raise SystemExit('nobody uses this')\n",
}


def shared(folder):
    """Write a package of which one module is an experiment, and return its folder."""
    package = folder / "study"
    package.mkdir()
    for name, text in SHARED.items():
        (package / name).write_text(text)
    name_modules(folder, "study.models")
    return package


def test_a_module_that_an_experiment_uses_is_part_of_its_version(folder):
    package = shared(folder)
    first = registry.version("queue")
    (package / "prices.py").write_text("ONE = 20\n")
    registry.refresh()
    assert registry.version("queue") != first
    assert registry.plugins().experiments["queue"].declaration.function(3) == {"wait": 60}
    (package / "prices.py").write_text(SHARED["prices.py"])
    (package / "pictures.py").write_text("nothing = 'uses this'\n")
    registry.refresh()
    assert registry.version("queue") == first


def test_a_module_that_an_experiment_uses_may_be_broken_for_a_while(folder):
    package = shared(folder)
    first = registry.version("queue")
    (package / "lines.py").write_text("def")
    registry.refresh()
    assert own() == []
    (package / "lines.py").write_text(SHARED["lines.py"])
    registry.refresh()
    assert registry.version("queue") == first


def test_an_installed_copy_of_an_experiment_has_the_same_version(folder):
    """What lies beside it there belongs to others."""
    package = shared(folder)
    installed = folder / "site-packages"
    shutil.copytree(package, installed / "study")
    for lines in (package / "lines.py", installed / "study" / "lines.py"):
        lines.write_text(SHARED["lines.py"] + "def later():\n    import beside\n")
    (installed / "beside.py").write_text("another = 'package'\n")
    asked = "from bilancio.experiments.declared import *; import study.models as own"
    said = subprocess.run(
        [sys.executable, "-c", f"{asked}; print(declaration_of(own.simulate).version)"],
        env=os.environ | {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"},
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == registry.version("queue")


def test_an_experiment_that_was_named_later_is_found(folder):
    assert own() == []
    (folder / "my_queue.py").write_text(QUEUE)
    name_modules(folder, "my_queue")
    registry.refresh()
    assert own() == ["queue"]
