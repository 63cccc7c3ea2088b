"""What a notebook and `print` show of jobs and results."""

import re

from bilancio.jobs import JobConfig, JobManager

COMPARISON = JobConfig(
    sweep_type="balanced", n_agents=10, kappas=["0.5", "1"], mus=[0, 1], n_replicates=3
)


def text_of(html):
    return re.sub(r"<[^<>]*>", " ", html)


def test_results_show_headline_tables_and_warnings():
    with JobManager() as manager:
        job = manager.create_job("in a notebook", COMPARISON, job_id="calm-blue-river-7")
        assert "No run has been recorded yet" in manager.results(job.job_id)._repr_html_()
        manager.run_job(job.job_id)
        results = manager.results(job.job_id, group_by=["kappa"], contrast="mu", effects=True)
    shown = results._repr_html_()
    assert shown.count("<table>") == 3
    assert "<p><b>calm-blue-river-7</b>: trading_effect is 0.1819 higher at kappa 0.5" in shown
    assert "<li>3 seeds are few: intervals are wide and only roughly right.</li>" in shown
    assert "effect on trading effect" in shown
    assert "<p>mu against its lowest level: differences, paired by seed</p><table>" in shown
    assert f"<p><small>{results.plan['sentence']}</small></p>" in shown
    assert len(shown) < 12_000


def test_jobs_results_and_comparisons_are_printed_as_one_reads_them():
    with JobManager() as manager:
        job = manager.create_job("printed", COMPARISON, job_id="calm-blue-river-7")
        assert str(job) == "calm-blue-river-7: Not started."
        assert str(manager.run_job(job.job_id)) == "calm-blue-river-7: Completed, 24 of 24 runs."
        said = str(manager.progress(job.job_id))
        results = manager.results(job.job_id, group_by=["kappa"], contrast="mu")
        other = manager.run_job(manager.create_job("another", COMPARISON).job_id)
        compared = manager.compare(job.job_id, other.job_id)
    assert said == "calm-blue-river-7 is completed. 24 of 24 runs."
    headline, table, contrasts, *warnings = str(results).split("\n\n")
    assert (headline, tuple(warnings)) == (results.headline, results.warnings)
    assert table == str(results.table) == results.to_markdown().rstrip()
    assert contrasts == str(results.contrasts)
    assert str(compared).startswith(f"{compared.headline} {compared.comparability}\n\n| ")


def test_a_job_shows_what_it_is_and_obeys_nothing_of_it():
    with JobManager() as manager:
        job = manager.create_job(
            "<script>alert(1)</script>\x1b[2J" + "x" * 1000, COMPARISON, tags=["<i>"]
        )
    shown = job._repr_html_()
    assert "<script>" not in shown
    assert "\x1b" not in shown
    assert "<i>" not in shown
    said = " ".join(text_of(shown).split())
    assert f"job {job.job_id} description &lt;script&gt;alert(1)" in said
    assert "state pending runs 0 of 24 runs" in said
    assert "sweep balanced: n_agents 10; kappas 0.5, 1; mus 0, 1; n_replicates 3" in said
    assert len(shown) < 2000
