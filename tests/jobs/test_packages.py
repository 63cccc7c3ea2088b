"""Replication packages, whose scripts are run in an empty home and folder."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from bilancio.errors import InvalidInput, JobStateError, OutputError, ResultsMissing
from bilancio.jobs import JobManager
from tests.night import nightly
from tests.own_project import working_in, write

NAME = "bright-ocean-swift-tiger"
OWN = '''
"""A simulation in two files."""
import numpy as np
from bilancio import experiment
from steps import height

@experiment("climbing", primary="top")
def climb(seed: int, slope: float = 1.0) -> dict[str, float]:
    """Climb a slope."""
    return {"top": float(np.float64(height(seed, slope)))}
'''
STEPS = "def height(seed, slope):\n    return (seed % 7) * slope\n"


@pytest.fixture
def manager():
    with JobManager() as manager:
        yield manager


@pytest.fixture
def job(manager, small):
    manager.create_job('Who "gains"?', small, job_id=NAME, tags=["a: b"], notes="x\ny: z")
    return manager.run_job(NAME)


def replicate(folder, tmp_path):
    """Run the script as somebody else would: nothing of ours but bilancio on the PATH."""
    home, place = tmp_path / "their home", tmp_path / "their folder"
    for each in (home, place):
        each.mkdir(exist_ok=True)
    done = subprocess.run(
        [folder / "replicate.sh"],
        capture_output=True,
        text=True,
        check=False,
        cwd=place,
        env={
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
            "HOME": str(home),
            "BILANCIO_CACHE_DIR": "",
            "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"],
            "BILANCIO_EXPERIMENTS": "nothing_here",
        },
    )
    assert list(place.iterdir()) == []
    return done


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_package_is_replicated_elsewhere_bit_by_bit(manager, job, tmp_path):
    folder = manager.package(NAME, tmp_path / "out of here").path
    before = snapshot(folder)
    done = replicate(folder, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "16 of 16 runs computed again, all identical" in done.stdout
    assert snapshot(folder) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["runs.csv", *nightly("cells.csv", "summary.json")])
def test_a_number_that_was_changed_is_found(manager, job, tmp_path, name):
    folder = manager.package(NAME, tmp_path).path
    table = folder / "data" / NAME / name
    text = table.read_text()
    place = max(place for place, letter in enumerate(text) if letter in "12345678")
    table.write_text(f"{text[:place]}{int(text[place]) + 1}{text[place + 1 :]}")
    done = replicate(folder, tmp_path)
    assert done.returncode == 1
    assert done.stderr


@pytest.mark.slow
def test_an_experiment_of_ones_own_goes_along_with_what_it_imports(manager, tmp_path, monkeypatch):
    with working_in(tmp_path / "project", monkeypatch) as place:
        write(place, climbing=OWN, steps=STEPS, unrelated="secret = 1\n")
        (place / "pyproject.toml").write_text('[tool.bilancio]\nexperiments = ["climbing"]\n')
        config = {"sweep_type": "climbing", "vary": {"slope": [1, 2]}, "n_replicates": 3}
        manager.create_job("up", config, job_id=NAME)
        manager.run_job(NAME)
        folder = manager.package(NAME, tmp_path).path
    code = {path.name for path in (folder / "code").iterdir()}
    assert code == {"climbing.py", "steps.py", "pyproject.toml"}
    assert f"numpy=={version('numpy')}" in (folder / "requirements.txt").read_text().split()
    done = replicate(folder, tmp_path)
    assert done.returncode == 0, done.stderr
    (folder / "code" / "steps.py").write_text(STEPS.replace("% 7", "% 5"))
    assert replicate(folder, tmp_path).returncode == 1


def test_a_package_holds_data_figures_report_versions_and_citation(manager, job, tmp_path):
    made = manager.package(NAME, tmp_path)
    assert made.path == tmp_path / f"{NAME}-replication"
    data = {f"data/{NAME}/{name}" for name in ("job_manifest.json", "runs.csv", "columns.json")}
    others = {
        "README.md", "CITATION.cff", "requirements.txt", "environment.json", "replicate.sh",
        "report.html", "figures/effect.svg", "figures/effect.png", "code/pyproject.toml",
    }  # fmt: skip
    assert data | others <= {*made.files}
    about, advice, *pins = (made.path / "requirements.txt").read_text().splitlines()
    assert {f"bilancio=={version('bilancio')}", f"numpy=={version('numpy')}"} <= {*pins}
    assert about.startswith("# ")
    assert advice == "# delete its line, and install it from its source or its wheel."
    told = json.loads((made.path / "environment.json").read_text())
    assert told["python"] == ".".join(map(str, sys.version_info[:3]))
    project = tomllib.loads((made.path / "code/pyproject.toml").read_text())
    assert project == {"tool": {"bilancio": {"experiments": []}}}
    assert "./replicate.sh" in (made.path / "report.html").read_text("utf-8")


def test_a_citation_is_yaml_whatever_the_job_says(manager, job, tmp_path):
    folder = manager.package(NAME, tmp_path).path
    told = yaml.safe_load((folder / "CITATION.cff").read_text("utf-8"))
    assert told["title"] == f'Who "gains"? (job {NAME})'
    assert told["keywords"] == ["a: b", "bilancio", "simulation"]
    assert told["cff-version"] == "1.2.0"
    assert [each["title"] for each in told["references"]] == [
        "bilancio",
        "Liquidity and internal debt: instrument level dealer based simulation",
        "The Economics of the Dealer Function",
    ]


def test_a_citation_names_people_and_groups(manager, job, tmp_path):
    folder = manager.package(NAME, tmp_path, authors=["Lovelace, Ada", "Analytical Society"]).path
    assert yaml.safe_load((folder / "CITATION.cff").read_text("utf-8"))["authors"] == [
        {"family-names": "Lovelace", "given-names": "Ada"},
        {"name": "Analytical Society"},
    ]


@pytest.mark.parametrize("author", ["", " ", "Lovelace,", ", Ada"])
def test_an_author_without_a_name_is_refused_before_anything_is_written(
    manager, job, tmp_path, author
):
    with pytest.raises(InvalidInput, match=r'^author: got .*allowed: "Family, Given", or a name'):
        manager.package(NAME, tmp_path / "new", authors=[author])
    assert not (tmp_path / "new").exists()


def test_a_zip_file_holds_the_same_and_its_script_can_be_run(manager, job, tmp_path):
    made = manager.package(NAME, tmp_path, zip=True)
    assert made.path == tmp_path / f"{NAME}-replication.zip"
    with zipfile.ZipFile(made.path) as packed:
        assert {f"{NAME}-replication/{name}" for name in made.files} == {*packed.namelist()}
        script = packed.getinfo(f"{NAME}-replication/replicate.sh")
    assert script.external_attr >> 16 & 0o111
    assert sorted(path.name for path in tmp_path.glob("*replication*")) == [made.path.name]


def test_what_is_there_already_is_not_written_over(manager, job, tmp_path):
    target = tmp_path / f"{NAME}-replication"
    target.mkdir()
    with pytest.raises(OutputError, match="it is there already"):
        manager.package(NAME, tmp_path)
    assert list(target.iterdir()) == []


def test_a_job_without_runs_or_recorded_manually_is_refused(manager, small, tmp_path):
    job = manager.create_job("try", small, job_id=NAME)
    with pytest.raises(ResultsMissing, match="nothing to package"):
        manager.package(NAME, tmp_path / "new")
    manager.start_job(NAME)
    manager.record_progress(NAME, job.run_ids[0], {"delta_total": 0.5})
    with pytest.raises(JobStateError, match="recorded manually"):
        manager.package(NAME, tmp_path / "new")
    assert not (tmp_path / "new").exists()
