"""The runs of a job in a browser: which ones, in which order, whatever made them."""

import pytest

from tests.own_project import working_in, write
from tests.web.reading import Page

PAIRS = {
    "sweep_type": "balanced", "n_agents": 5, "kappas": ["0.3", "1"], "mus": [0, 1],
    "n_replicates": 15,
}  # fmt: skip
SEARCH = {
    "sweep_type": "balanced", "n_agents": 20, "frontier": True, "kappa_range": [0.1, 4],
    "n_replicates": 3,
}  # fmt: skip
SORE = """
from bilancio import experiment

@experiment("sore", primary="wait")
def simulate(seed: int, load: float = 0.5) -> dict[str, float]:
    if load > 0.9 and seed % 2:
        raise ArithmeticError("no <b>solution</b>")
    return {"wait": load * seed, "served": seed}
"""


def carried_out(manager, config):
    return manager.run_job(manager.create_job("try", config).job_id)


@pytest.fixture
def pairs(manager):
    return carried_out(manager, PAIRS)


def listed(site, job, query=""):
    answer = site.get(f"/jobs/{job.job_id}/runs{query}")
    assert answer.status == 200, answer.text
    return Page(answer)


def test_a_click_on_a_column_orders_by_it_and_a_second_one_turns_the_order(site, manager, pairs):
    page = listed(site, pairs)
    for sign, sort in (("", "ascending"), ("-", "descending")):
        page = Page(site.get(page.links["trading effect"]))
        table = manager.results(
            pairs.job_id, of="runs", order_by=f"{sign}trading_effect", limit=50
        ).table
        assert [row["run"] for row in page.rows] == [str(row[0]) for row in table.rows]
        (head,) = [has for text, has, _ in page.cells[0] if text == "trading effect"]
        assert head["aria-sort"] == sort


def test_pages_hold_fifty_rows_and_each_row_leads_to_its_run(site, pairs):
    first = listed(site, pairs, "?order=-trading_effect")
    second = Page(site.get(first.links["Next"]))
    runs = [row["run"] for page in (first, second) for row in page.rows]
    assert (len(first.rows), len(second.rows), len({*runs})) == (50, 10, 60)
    assert "60 pairs; these are 51 to 60." in second.texts("p", class_="quiet")
    assert Page(site.get(second.links["Previous"])).rows == first.rows
    assert first.links[runs[0]] == f"/jobs/{pairs.job_id}/runs/{runs[0]}"
    assert f"Run {runs[0]} of {pairs.job_id}" in site.get(first.links[runs[0]]).text


def test_single_runs_of_one_arm_meet_the_condition_and_forget_measures_of_pairs(site, pairs):
    asked = "?arm=active&where=kappa+is+low+and+delta_total+%3E+0.5&measures=trading_effect"
    page = listed(site, pairs, f"{asked}&of=pairs&order=trading_effect")
    assert page.rows
    assert {(row["arm"], row["kappa"]) for row in page.rows} == {("active", "0.3")}
    assert all(float(row["delta total"]) > 0.5 for row in page.rows)
    assert any("low kappa as kappa <= 0.3" in said for said in page.texts("p", class_="quiet"))


def test_chosen_measures_are_shown_and_stay_chosen_on_the_next_page(site, pairs):
    page = listed(site, pairs, "?measures=n_defaults_active&measures=trading_effect")
    for each in (page, Page(site.get(page.links["Next"]))):
        assert each.heads[-2:] == ["n defaults active", "trading effect"]


def test_a_condition_that_cannot_be_read_is_refused_in_a_sentence_and_stays_to_be_mended(
    site, pairs
):
    answer = site.get(f"/jobs/{pairs.job_id}/runs?where=kapa+%3C+1")
    page = Page(answer)
    assert answer.status == 400
    (said,) = page.texts("p", role="alert")
    assert said.startswith("where: got 'kapa'")
    assert 'value="kapa &lt; 1"' in answer.text
    assert site.get(f"/jobs/{pairs.job_id}/runs?offset=many").status == 400


def test_failed_runs_are_listed_with_what_they_raised(site, manager, tmp_path, monkeypatch):
    with working_in(tmp_path / "study", monkeypatch) as folder:
        write(folder, sore=SORE)
        job = carried_out(
            manager, {"sweep_type": "sore", "vary": {"load": [0.5, 0.95]}, "n_replicates": 4}
        )
        facts = site.get(f"/jobs/{job.job_id}").text
        assert '<dd data-live="recorded">6 of 8 runs</dd>' in facts
        assert '<dd data-live="failed">2</dd>' in facts
        page = listed(site, job)
        assert [row["load"] for row in page.rows].count("0.95") == 2
        failed = listed(site, job, "?status=failed")
        said = "ArithmeticError: no <b>solution</b> (sore.py:7)"
        assert {row["error"] for row in failed.rows} == {said}
        assert len(failed.rows) == job.failed_runs == 2
        run = site.get(failed.links[failed.rows[0]["run"]])
        assert Page(run).texts("p", class_="error") == [said]
        fine = Page(site.get(page.links[page.rows[0]["run"]]))
        assert any("leave no trace" in said for said in fine.texts("p", class_="quiet"))
        assert {"wait", "served"} <= {*fine.texts("dt")}


def test_runs_that_are_not_computed_yet_or_that_a_search_chose_are_listed_as_planned(site, manager):
    waiting = manager.create_job("later", PAIRS)
    page = listed(site, waiting)
    assert "No run has been recorded yet. Not started." in " ".join(page.texts("p", class_="quiet"))
    assert {row["status"] for row in page.rows} == {"pending"}
    search = carried_out(manager, SEARCH)
    page = listed(site, search)
    assert page.rows[0]["run"] == "0"
    assert float(page.rows[0]["delta total"]) >= 0
    answer = site.get(f"/jobs/{search.job_id}/runs/{len(search.run_ids) - 1}")
    assert (answer.status, "has not needed this run" in answer.text) == (200, True)


def test_runs_recorded_manually_and_runs_that_are_not_here_are_told_as_such(
    site, manager, tmp_path
):
    manual = manager.create_job("by hand", PAIRS)
    manager.start_job(manual.job_id)
    manager.record_progress(manual.job_id, "mine-1", {"delta_total": 0.25})
    page = listed(site, manual, "?order=-delta_total")
    assert [(row["run id"], row["delta total"]) for row in page.rows] == [("mine-1", "0.2500")]
    assert "mine-1" not in page.links

    job = carried_out(manager, PAIRS)
    manifest = (job.folder / "job_manifest.json").read_bytes()
    manager.delete_job(job.job_id)
    folder = tmp_path / "elsewhere" / job.job_id
    folder.mkdir(parents=True)
    (folder / "job_manifest.json").write_bytes(manifest)
    manager.import_job(folder)
    page = listed(site, job)
    assert "results of its single runs are not here" in " ".join(page.texts("p", class_="quiet"))
    assert {row["status"] for row in page.rows} == {"completed"}
