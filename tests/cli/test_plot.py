"""`bilancio jobs plot`: files and a sentence."""

import os
from pathlib import Path

import pytest

from bilancio.jobs import JobManager
from tests.cli.conftest import finished, started


def test_a_plot_is_written_and_its_paths_are_printed(bilancio, job):
    said = bilancio("jobs", "plot", job, "--kind", "default_rate", "--x", "kappa")
    sentence, png, svg = said.out.splitlines()
    assert said.code == 0
    assert sentence.startswith("Default rate from κ 0.3 to 0.5")
    assert Path(png).read_bytes().startswith(b"\x89PNG")
    assert Path(svg).read_text().startswith(f"<!-- bilancio {job} -->\n<svg")
    assert Path(png).parent.name == Path(svg).parent.name == "figures"


def test_conditions_and_other_jobs_are_taken(bilancio, job):
    said = bilancio("jobs", "plot", job, "--kind", "effect", "--where", "mu = 0", "--json")
    assert said.json["kind"] == "effect"
    assert Path(said.json["files"]["svg"]).is_file()
    assert "png" not in said.json
    other = "other-blue-river-7"
    with JobManager() as manager:
        config = {
            "sweep_type": "balanced", "n_agents": 10, "kappas": ["0.3", "0.5"], "mus": [0, 1],
            "seeds": [42, 43],
        }  # fmt: skip
        manager.create_job("beside", config, job_id=other)
        manager.run_job(other)
    said = bilancio("jobs", "plot", job, "--job", other)
    assert said.out.startswith(f"Trading effect of {job} minus {other}")


def test_a_plot_of_nothing_is_refused_in_a_sentence(bilancio, job):
    said = bilancio("jobs", "plot", job, "--kind", "effct")
    assert (said.code, said.out) == (2, "") or (said.code, said.out) == (1, "")
    assert "kind: got 'effct'" in said.err
    assert "Did you mean effect?" in said.err


@pytest.mark.parametrize("opener", ["exit 3", None], ids=["without a browser", "missing"])
def test_where_nothing_opens_pictures_a_sentence_says_so(job, tmp_path, opener):
    programs = tmp_path / "bin"
    programs.mkdir()
    if opener:
        written = programs / "xdg-open"
        written.write_text(f"#!/bin/sh\necho noise >&2\n{opener}\n")
        written.chmod(0o755)
    process = started("jobs", "plot", job, "--open", PATH=str(programs))
    out, err = process.communicate(timeout=60)
    svg = out.splitlines()[-1]
    assert (process.returncode, Path(svg).is_file()) == (0, True)
    assert err.splitlines() == [f"Nothing here opens {svg}. Open it yourself, in a browser."]


def test_open_shows_the_svg(job, tmp_path):
    shown = tmp_path / "shown"
    os.mkfifo(shown)  # whose reader waits for the writer
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {shown}\n')
    opener.chmod(0o755)
    path = f"{opener.parent}{os.pathsep}{os.environ['PATH']}"
    process = started("jobs", "plot", job, "--open", PATH=path)
    assert shown.read_text().endswith(".svg")
    assert finished(process).code == 0
