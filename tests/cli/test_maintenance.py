"""Jobs verified, exported, imported, deleted and backed up; the doctor; stalled jobs."""

import os
import pty
import sqlite3
import subprocess
from contextlib import closing

import pytest

from tests.cli.conftest import PROGRAM, program


def spoil(tmp_path, statement):
    with closing(sqlite3.connect(tmp_path / "own" / "bilancio.db")) as store, store:
        store.execute(statement)


def test_a_verified_job_is_said_to_be_the_same(bilancio, job):
    said = bilancio("jobs", "verify", job)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"Job {job}: 16 of 16 runs computed again, all identical.\nEngine ")
    found = bilancio("jobs", "verify", "calm blue", "--sample", "5", "--json")
    assert (found.json["same"], found.json["checked_runs"]) == (True, 5)


def test_a_difference_is_shown_and_is_exit_code_1(bilancio, own, monkeypatch):
    import numpy as np

    from bilancio.experiments.balanced_comparison import EXPERIMENT

    compute = type(EXPERIMENT).compute

    def changed(self, config, indices):
        rows = compute(self, config, indices)
        rows["delta_total"][indices == 3] = 0.125
        return rows

    monkeypatch.setattr(type(EXPERIMENT), "compute", changed)
    monkeypatch.setattr(type(EXPERIMENT), "version", "another-1")
    said = bilancio("jobs", "verify", own)
    assert said.code == 1
    assert "16 of 16 runs computed again, 1 differ" in said.out
    assert "is now 0.125" in said.out
    assert ", now another-1" in said.out
    assert np.isfinite(bilancio("jobs", "verify", own, "--json").json["differing_runs"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--sample", "0"), "sample: got 0; allowed: whole numbers from 1."),
        (("--sample", "many"), "sample: got 'many'; allowed: whole numbers."),
        (("--seed", "x"), "seed: got 'x'; allowed: whole numbers."),
    ],
)
def test_a_wrong_sample_is_refused(bilancio, job, words, sentence):
    said = bilancio("jobs", "verify", job, *words)
    assert (said.code, said.err) == (1, f"{sentence}\n")


def test_an_export_is_imported_elsewhere_once(bilancio, job, tmp_path, monkeypatch):
    said = bilancio("jobs", "export", job, str(tmp_path / "data"))
    assert str(tmp_path / "data" / job / "runs.csv") in said.out.splitlines()
    monkeypatch.setenv("BILANCIO_DATABASE_URL", str(tmp_path / "other.db"))
    monkeypatch.setenv("BILANCIO_OUT_DIR", str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    first = bilancio("jobs", "import", str(tmp_path / "data"), str(tmp_path / "empty"))
    assert first.code == 1
    assert first.out.endswith("1 imported, 0 already stored, 1 refused.\n")
    assert "/empty'; allowed: a job_manifest.json, or a folder that holds some" in first.err
    again = bilancio("jobs", "import", str(tmp_path / "data"))
    assert (again.code, again.out) == (
        0, f"Job {job} was stored already; nothing was changed.\n",
    )  # fmt: skip
    found = bilancio("jobs", "import", str(tmp_path / "data"), "--json").json
    assert (found["jobs"], len(found["already_there"]), found["refused"]) == ([], 1, {})


def test_an_import_names_the_tables_that_it_left_out(bilancio, job, tmp_path, monkeypatch):
    bilancio("jobs", "export", job, str(tmp_path / "data"))
    path = tmp_path / "data" / job / "runs.csv"
    path.write_text("no table")
    monkeypatch.setenv("BILANCIO_DATABASE_URL", str(tmp_path / "other.db"))
    monkeypatch.setenv("BILANCIO_OUT_DIR", str(tmp_path / "nowhere"))
    said = bilancio("jobs", "import", str(tmp_path / "data"))
    assert said.code == 0
    assert said.out.startswith(f"Job {job} is imported: completed")
    assert said.err.startswith("A damaged table was left out")
    assert str(path) in said.err.replace("\n", "")


def test_a_job_is_deleted_for_good_with_its_files(bilancio, own, tmp_path):
    said = bilancio("jobs", "delete", own, "--yes")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"Job {own} is deleted, with ")
    assert not (tmp_path / "own" / "out" / own).exists()
    assert bilancio("jobs", "list", "--json").json["total"] == 0


def test_files_can_be_kept(bilancio, own, tmp_path):
    found = bilancio("jobs", "delete", own, "--keep-files", "--yes", "--json").json
    assert (found["removed"], "runs.csv" in found["left"]) == ([], True)
    kept = tmp_path / "own" / "out" / own / "job_manifest.deleted.json"
    assert bilancio("jobs", "show", own).code == 1
    assert bilancio("jobs", "import", str(kept)).code == 0
    assert bilancio("jobs", "show", own).code == 0


def test_without_a_terminal_and_without_yes_nothing_is_deleted(own):
    said = program("jobs", "delete", own)
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "--yes: got nothing, and there is no terminal to ask on; "
        "allowed: --yes, to delete for good.\n"
    )
    assert program("jobs", "show", own).code == 0


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("y", 0)])
def test_on_a_terminal_one_is_asked(own, bilancio, answer, code):
    ours, theirs = pty.openpty()
    asked = subprocess.Popen(
        [PROGRAM, "jobs", "delete", own], stdin=theirs, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    out, err = asked.communicate(timeout=60)
    os.close(ours)
    assert asked.returncode == code
    assert f"Job {own} (completed, 16 runs): Calm [water]" in err
    assert ("is deleted" in out) == (answer == "y")
    assert (bilancio("jobs", "show", own).code == 0) == (answer == "n")


def test_a_store_is_copied_into_another_one(bilancio, job, tmp_path, monkeypatch):
    other = str(tmp_path / "other.db")
    said = bilancio("jobs", "copy", other)
    assert (said.code, said.out) == (0, f"1 job copied to {other}.\n"), said.err
    again = bilancio("jobs", "copy", other, "--json").json
    assert (again["copied"], again["already_there"]) == ([], [job])
    results = bilancio("jobs", "results", job).out
    monkeypatch.setenv("BILANCIO_DATABASE_URL", other)
    assert bilancio("jobs", "results", job).out == results


def test_a_backup_is_a_store(bilancio, job, tmp_path, monkeypatch):
    said = bilancio("jobs", "backup", str(tmp_path / "copy.db"))
    assert said.out.startswith(f"The store is copied to {tmp_path / 'copy.db'} (")
    again = bilancio("jobs", "backup", str(tmp_path / "copy.db"))
    assert (again.code, "allowed: a file that does not exist yet" in again.err) == (1, True)
    monkeypatch.setenv("BILANCIO_DATABASE_URL", str(tmp_path / "copy.db"))
    assert bilancio("jobs", "results", job).code == 0
    assert bilancio("doctor").code == 0


def test_the_doctor_says_that_all_is_well_and_what_was_checked(bilancio, job):
    said = bilancio("doctor")
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith("Everything is in order.\n")
    assert "16 runs, with checksums" in said.out


def test_the_doctor_names_each_repair_and_ends_with_1(bilancio, own, tmp_path):
    spoil(tmp_path, "UPDATE chunks SET crc32 = crc32 + 1 WHERE first_index = 0")
    (tmp_path / "own" / "out" / own / "job_manifest.json").unlink()
    said = bilancio("doctor")
    assert said.code == 1
    assert f"error: 1 chunk of job {own} cannot be read" in said.out
    assert "  → Restore the store from a backup" in said.out
    assert said.out.endswith("2 problems found.\n")


def test_the_doctor_repairs_what_it_can(bilancio, own, tmp_path):
    manifest = tmp_path / "own" / "out" / own / "job_manifest.json"
    manifest.unlink()
    said = bilancio("doctor", "--repair", "--json")
    assert (said.code, said.json["healthy"], len(said.json["repaired"])) == (0, True, 1)
    assert manifest.exists()


def test_the_doctor_says_which_setting_is_wrong(bilancio, monkeypatch):
    monkeypatch.setenv("BILANCIO_WORKERS", "many")
    said = bilancio("doctor")
    assert said.code == 1
    assert "error: BILANCIO settings.workers: got 'many'" in said.out
    assert "Set BILANCIO_WORKERS to what is allowed." in said.out


def test_the_doctor_of_a_file_that_is_no_store_leaves_it_alone(bilancio, tmp_path, monkeypatch):
    (tmp_path / "letter.txt").write_text("Dear reader, " * 100)
    monkeypatch.setenv("BILANCIO_DATABASE_URL", str(tmp_path / "letter.txt"))
    said = bilancio("doctor", "--repair")
    assert (said.code, "not a SQLite database" in said.out) == (1, True)
    assert (tmp_path / "letter.txt").read_text() == "Dear reader, " * 100


def test_where_nothing_is_stalled_the_worker_says_so(bilancio, job):
    said = bilancio("worker", "--recover")
    assert (said.code, said.out) == (0, "No job has stalled; there is nothing to resume.\n")


def test_a_stalled_job_is_carried_to_its_end(bilancio, own, tmp_path):
    spoil(tmp_path, "DELETE FROM chunks WHERE first_index > 0")
    spoil(
        tmp_path,
        "UPDATE jobs SET status = 'running', completed_at = NULL, summary = NULL, completed_runs ="
        " (SELECT sum(last_index - first_index + 1) FROM chunks)",
    )
    said = bilancio("worker", "--recover")
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith(f"Job {own} is completed, 16 of 16 runs recorded.\n")
    assert f"Job {own} is resumed" in said.out


@pytest.mark.parametrize("words", [(), ("--recover", "--jobs", "0")])
def test_a_worker_without_a_task_is_refused(bilancio, words):
    said = bilancio("worker", *words)
    assert (said.code, said.out, said.err.count("allowed: ")) == (1, "", 1)


@pytest.mark.parametrize("module", ["context", "maintenance", "doctor", "worker", "jobs"])
def test_the_commands_start_without_heavy_libraries(module):
    code = (
        f"import sys, bilancio.cli.{module}\n"
        "print([name for name in ('numpy', 'numba', 'rich', 'yaml', 'psutil') "
        "if name in sys.modules])"
    )
    python = PROGRAM.with_name("python")
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
