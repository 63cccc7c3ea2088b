"""Files of a job: those that bilancio has written, and nothing else of the machine."""

import os
import shutil

import pytest

from bilancio.jobs import JobManager
from tests.web.conftest import serving_app

NAME = "quiet-meadow-golden-hawk"
SECRET = "of nobody's business"
RING = {"sweep_type": "ring", "n_agents": 10, "kappas": ["0.5"], "n_replicates": 2}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A page over one completed job, its folder, and a secret beside that."""
    folder = tmp_path_factory.mktemp("files")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BILANCIO_DATABASE_URL", f"sqlite:///{folder / 'bilancio.db'}")
        patch.setenv("BILANCIO_OUT_DIR", str(folder / "out"))
        with JobManager() as manager, serving_app() as site:
            manager.create_job("Done.", RING, job_id=NAME)
            place = manager.run_job(NAME).folder
            for secret in (place / "secret.txt", place.parent / "secret.txt"):
                secret.write_text(SECRET)
            yield site, place


def test_files_are_sent_as_what_they_are_to_be_kept(served):
    site, place = served
    page = site.get(f"/jobs/{NAME}/configuration").text
    for name in ("job_manifest.json", "runs.csv", "cells.csv", "summary.json"):
        assert f'href="/jobs/{NAME}/files/{name}"' in page
        answer = site.get(f"/jobs/{NAME}/files/{name}")
        assert (answer.status, answer.body) == (200, (place / name).read_bytes())
        kept_as = answer.headers["content-disposition"]
        assert kept_as == f'attachment; filename="{NAME}-{name}"'


@pytest.mark.parametrize(
    "path",
    [
        "files/secret.txt", "files/../secret.txt", "files/..%2fsecret.txt",
        "files/..%2f..%2fbilancio.db", "files/%2e%2e/secret.txt", "files/%252e%252e%252fsecret.txt",
        "files/..%5csecret.txt", "files/%2fetc%2fpasswd", "files//etc/passwd", "files/",
        "files/.", "files/..", "files/%00", "files/job_manifest.json%00.txt",
        "files/job_manifest.json%2f", "files/job_manifest.json/", "files/.%2fjob_manifest.json",
        "files/figures", "files/JOB_MANIFEST.JSON", "files/job_manifest.json%20",
        "files/%c0%ae%c0%ae%c0%afsecret.txt", "../../static/../secret.txt",
    ],
)  # fmt: skip
def test_no_other_file_is_sent(served, path):
    site, _ = served
    answer = site.get(f"/jobs/{NAME}/{path}")
    assert answer.status in {307, 404}
    assert SECRET not in answer.text
    assert "root:" not in answer.text
    if answer.status == 307:  # a slash too many, on the same server
        assert answer.headers["location"].startswith(f"{site.origin}/jobs/")


@pytest.mark.parametrize(
    "path", ["app.py", "..%2fapp.py", "%2e%2e%2fguard.py", "%2fetc%2fpasswd", "page.js%00", "."]
)
def test_only_what_pages_load_is_static(served, path):
    site, _ = served
    assert site.get(f"/static/{path}").status == 404
    assert site.get("/static/page.js").status == 200


def test_a_link_in_a_jobs_folder_leads_nowhere(served):
    site, place = served
    outside = place.parent / "secret.txt"
    for name, make in (("summary.json", os.symlink), ("cells.csv", os.mkfifo)):
        kept = place / f"kept-{name}"
        shutil.move(place / name, kept)
        make(*((outside, place / name) if make is os.symlink else (place / name,)))
        answer = site.get(f"/jobs/{NAME}/files/{name}")
        page = site.get(f"/jobs/{NAME}/configuration")
        (place / name).unlink()
        shutil.move(kept, place / name)
        assert (answer.status, page.status) == (404, 200)
        assert f"files/{name}" not in page.text


def test_a_folder_that_is_gone_is_no_error(served):
    site, place = served
    gone = place.with_name("gone")
    place.rename(gone)
    try:
        assert site.get(f"/jobs/{NAME}/configuration").status == 200
        assert site.get(f"/jobs/{NAME}/files/runs.csv").status == 404
    finally:
        gone.rename(place)
