"""Frames, arrays and data dictionaries of one's own simulation."""

import json

import pytest

from bilancio.jobs import JobManager
from tests.own_project import copy_example, name_modules, working_in


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A completed sweep of the example's queue, and its manager."""
    with working_in(tmp_path / "project", monkeypatch) as folder, JobManager() as manager:
        copy_example("queue", folder)
        name_modules(folder, "queueing")
        config = {
            "sweep_type": "queue", "vary": {"rate": [0.5, 0.9], "servers": [2, 4]},
            "customers": 20, "n_replicates": 3,
        }  # fmt: skip
        yield manager, manager.run_job(manager.create_job("a queue", config).job_id)


def test_a_decorated_function_has_frames_and_arrays(job):
    manager, done = job
    frame, arrays = manager.runs_frame(done.job_id), manager.to_xarray(done.job_id)
    assert dict(arrays.sizes) == {"seed": 3, "arm": 2, "rate": 2, "servers": 2}
    assert arrays.wait.attrs == {"units": "service times", "long_name": "Mean wait of a customer."}
    assert frame["wait"].tolist() == [
        arrays.wait.sel({name: run[name] for name in arrays.sizes}).item()
        for run in manager.runs(done.job_id)
    ]
    assert list(frame["arm"].cat.categories) == ["one-line", "two-lines"]


def test_its_tables_are_described_by_what_the_decorator_declares(job):
    _, done = job
    told = json.loads((done.folder / "columns.json").read_text())["files"]
    pairs = {each["name"]: each for each in told["comparison.csv"]}
    assert pairs["rate"]["meaning"] == "Load of a server."
    for name in ("wait_one_line", "wait_two_lines", "wait_difference"):
        assert pairs[name]["unit"] == "service times"
        assert pairs[name]["type"] == "number"
    cells = {each["name"]: each for each in told["cells.csv"]}
    assert cells["wait_one-line"]["meaning"] == "Mean wait of a customer, one-line arm."
