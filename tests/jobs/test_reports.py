"""Reports: what is in them, where they are, and that they never stand in a job's way."""

import re
import subprocess
import sys

import pytest

from bilancio.errors import InvalidInput, JobNotFound, OutputError
from bilancio.jobs import AsyncJobManager, JobStatus
from bilancio.settings import load_settings

NAME = "bright-ocean-swift-tiger"


@pytest.fixture
async def job(manager, small):
    job = await manager.create_job(
        "Who gains?", small, job_id=NAME, notes="First.", tags=["pap_er"]
    )
    return await manager.run_job(job.job_id)


async def html(manager, name=NAME):
    return (await manager.report(name)).path.read_text("utf-8")


async def test_a_report_lies_in_the_folder_of_its_job_and_is_small(manager, job):
    made = await manager.report("bright ocean swift tigr")
    assert made.path == job.folder / "report.html"
    assert made.reading
    assert made.path.stat().st_size < 1_000_000


async def test_a_report_says_what_was_asked_and_found(manager, job):
    text, found = await html(manager), await manager.results(NAME)
    for said in (
        NAME,
        "Who gains?",
        "First.",
        "pap_er",
        "Completed, 16 of 16 runs",
        job.config_hash,
    ):
        assert said in text
    assert found.headline in text
    assert all(warning in text for warning in found.warnings)
    assert text.count("<figure>") >= 4
    assert f"bilancio jobs verify {NAME} --all" in text


async def test_the_averages_in_a_report_are_those_of_the_results(manager, job):
    text = await html(manager)
    found = await manager.results(NAME, group_by=["kappa"])
    for row in found.table.rows:
        effect = dict(zip(found.table.columns, row, strict=True))["trading_effect"]
        assert f"{effect:.4f} [" in text


async def test_a_report_loads_nothing_and_allows_its_own_script_only(manager, job):
    text = await html(manager)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src &#39;none&#39;; script-src &#39;sha256-")
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', text)
    assert "@import" not in text
    assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", text)


async def test_ids_in_a_report_are_there_once(manager, job):
    ids = re.findall(r'\sid="([^"]+)"', await html(manager))
    assert len(ids) == len({*ids})


async def test_markdown_has_the_same_words_and_tables_without_pictures(manager, job):
    made = await manager.report(NAME, "md")
    text = made.path.read_text("utf-8")
    assert made.path == job.folder / "report.md"
    assert (await manager.results(NAME)).headline in text
    assert "| kappa |" in text
    assert r"pap\_er" not in text
    assert "pap_er" in text
    assert "<svg" not in text
    assert "](" not in text


async def test_a_job_that_has_not_begun_has_a_report_too(manager, small):
    await manager.create_job("try", small, job_id=NAME)
    text = await html(manager)
    assert "No run has been recorded yet." in text
    assert f"bilancio jobs start {NAME}" in text
    assert "<figure>" not in text


async def test_a_manual_job_has_a_report_without_pictures(manager, small):
    job = await manager.create_job("try", small, job_id=NAME)
    await manager.start_job(NAME)
    await manager.record_progress(NAME, job.run_ids[0], {"delta_total": 0.5})
    await manager.complete_job(NAME, {"own": 1})
    assert "1 run recorded manually" in await html(manager)


async def test_failed_runs_are_listed_with_their_cells(manager, plugins):
    config = {"sweep_type": "faulty", "n": 10, "faults": {3: "raise", 5: "raise"}}
    job = await manager.create_job("try", config, job_id=NAME)
    job = await manager.run_job(NAME)
    text = await html(manager)
    assert "2 runs that failed" in text
    assert job.run_ids[3] in text
    assert "run 5 has no solution" in text


async def test_a_search_has_its_findings_and_no_averages_over_its_probes(manager):
    config = {
        "sweep_type": "ring", "n_agents": 10, "frontier": True, "kappa_range": "0.2:20",
        "n_replicates": 2,
    }  # fmt: skip
    await manager.create_job("try", config, job_id=NAME)
    await manager.run_job(NAME)
    text = await html(manager)
    assert "What the searches have found" in text
    assert "Averages over all cells" not in text
    assert "<caption><bdi>By " not in text


async def test_reports_are_deleted_with_their_job(manager, job):
    await manager.report(NAME)
    await manager.report(NAME, "md")
    done = await manager.delete_job(NAME)
    assert {"report.html", "report.md"} <= {*done.removed}
    assert not job.folder.exists()


async def test_results_name_the_report(manager, job):
    await manager.report(NAME)
    assert (await manager.results(NAME)).files["report.html"] == str(job.folder / "report.html")


@pytest.mark.parametrize("form", ["html", "md"])
async def test_a_folder_without_manifest_is_the_jobs_where_its_report_says_so(manager, job, form):
    path = (await manager.report(NAME, form)).path
    (job.folder / "job_manifest.json").unlink()
    await manager.export_job(NAME)
    (job.folder / "job_manifest.json").unlink()
    path.write_text(
        path.read_text("utf-8").replace(f"bilancio {NAME} -->", "bilancio other -->", 1)
    )
    with pytest.raises(OutputError, match="holds no manifest of this job"):
        await manager.export_job(NAME)


async def test_a_link_in_place_of_a_report_is_replaced_not_followed(manager, job, tmp_path):
    outside = tmp_path / "outside.html"
    outside.write_text("mine")
    (job.folder / "report.html").symlink_to(outside)
    assert not (await manager.report(NAME)).path.is_symlink()
    assert outside.read_text() == "mine"


async def test_an_unknown_format_is_refused_and_nothing_written(manager, job):
    with pytest.raises(
        InvalidInput, match=r"format: got 'htlm'; allowed: html or md\. Did you mean html"
    ):
        await manager.report(NAME, "htlm")
    with pytest.raises(JobNotFound):
        await manager.report("no-such-job-here")
    assert not (job.folder / "report.html").exists()


@pytest.mark.slow
async def test_with_the_setting_a_worker_writes_the_report(small, monkeypatch):
    monkeypatch.setenv("BILANCIO_REPORT", "1")
    async with AsyncJobManager() as manager:
        job = await manager.create_job("try", small, job_id=NAME)
        ended = await manager.run_job(NAME)
        assert ended.status is JobStatus.COMPLETED
        assert ended.summary["avg_trading_effect"] is not None
        text = (job.folder / "report.html").read_text("utf-8")
        assert "Completed, 16 of 16 runs" in text


@pytest.mark.slow
async def test_a_report_that_fails_does_not_fail_its_job(small, monkeypatch, caplog):
    monkeypatch.setenv("BILANCIO_REPORT", "1")
    async with AsyncJobManager() as manager:
        job = await manager.create_job("try", small, job_id=NAME)
        (job.folder / "report.html").mkdir(parents=True)
        ended = await manager.run_job(NAME)
        assert ended.status is JobStatus.COMPLETED
        assert ended.error is None
    assert "no report was written: out_dir:" in caplog.text


def test_without_the_setting_none_is_written():
    assert not load_settings().report


def without(*libraries):
    """Write reports where some libraries cannot be imported; return what became of it."""
    code = f"""
import sys
for name in {libraries!r}:
    sys.modules[name] = None
from bilancio.errors import LibraryMissing
from bilancio.jobs import JobManager
with JobManager() as manager:
    print(manager.report({NAME!r}, "md").path.name)
    try:
        print(manager.report({NAME!r}).path.read_text("utf-8").count("Install it with"))
    except LibraryMissing as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.slow
async def test_libraries_that_are_missing_are_named(manager, job):
    assert without("matplotlib") == ["report.md", "1"]
    name, refusal = without("jinja2", "matplotlib")
    assert name == "report.md"
    assert refusal.startswith("This needs jinja2")
    assert "plots" in refusal
