import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilancio.executors.local import LocalExecutor
from bilancio.experiments import frontier, registry
from bilancio.experiments.configs import BalancedSweep, RingSweep

SMALL = {"n_agents": 6, "maturity_days": 3, "kappa_range": "0.2:4", "frontier": True}
NOTHING = np.empty(0, np.int64), np.empty(0, [("delta_total", float)])


def joined(indices, metrics, step, rows):
    """Add the rows of a step to what is recorded, in the order of the runs."""
    if not len(indices):
        return step.indices, rows
    both = np.concatenate([indices, step.indices])
    order = np.argsort(both)
    return both[order], np.concatenate([metrics, rows])[order]


def headline(found):
    return registry.experiment("balanced").headline({"frontier": found})


def driven(config, indices=NOTHING[0], metrics=NOTHING[1], compute=None):
    """Carry a search out from what is recorded; return all runs, and the number of rounds."""
    experiment = registry.experiment(config.sweep_type)
    compute = compute or experiment.compute
    rounds = 0
    while (step := experiment.next_step(config, indices, metrics)) is not None:
        indices, metrics = joined(indices, metrics, step, compute(step.config, step.indices))
        rounds += 1
    return indices, metrics, rounds


def rates(function):
    """Return a `compute` in which the default rate is a function of κ."""

    def compute(config, indices):
        kappa = registry.experiment(config.sweep_type).parameters(config, indices)["kappa"]
        rows = np.empty(len(indices), [("delta_total", float), ("kappa", float)])
        rows["kappa"] = kappa
        rows["delta_total"] = [function(each) for each in kappa]
        return rows

    return compute


def stars(config, compute):
    indices, metrics, _ = driven(config, compute=compute)
    return frontier.searches(config, indices, metrics)


@settings(deadline=None)
@given(
    crossing=st.floats(0.21, 3.99),
    tolerance=st.decimals("0.001", "0.5", places=3),
    limit=st.decimals("0.01", "0.9", places=2),
)
def test_a_falling_rate_is_found_where_it_crosses_the_limit(crossing, tolerance, limit):
    config = RingSweep(**SMALL, frontier_tolerance=tolerance, frontier_delta=limit)
    (found,) = stars(config, rates(lambda kappa: 1.0 if kappa < crossing else float(limit)))
    assert found.status == "found"
    assert found.mean == float(limit)
    assert crossing <= found.star <= crossing * (1 + float(tolerance))
    assert found.probes == config.max_probes


@settings(deadline=None)
@given(st.floats(1, 50), st.floats(0, 6))
def test_a_rate_that_rises_and_falls_gives_a_crossing(waves, phase):
    """There may be others; below κ*, within the tolerance, the rate is too high."""

    def rate(kappa):
        return 0.5 + 0.5 * math.sin(waves * math.log(kappa) + phase)

    config = RingSweep(**SMALL, frontier_delta="0.4")
    indices, metrics, _ = driven(config, compute=rates(rate))
    (found,) = frontier.searches(config, indices, metrics)
    tried = {kappa: rate(kappa) for kappa in metrics["kappa"].tolist()}
    if found.star is None:
        assert tried[4.0] > 0.4
    elif found.status == "below bracket":
        assert tried[0.2] <= 0.4
    else:
        star = float(found.star)
        assert tried[star] == found.mean <= 0.4
        assert any(delta > 0.4 for kappa, delta in tried.items() if star / 1.01 <= kappa < star)


def test_a_bracket_without_solution_is_a_result_of_its_cell():
    (found,) = stars(RingSweep(**SMALL), rates(lambda _: 0.25))
    assert (found.status, found.star, found.mean, found.probes) == (
        "above bracket: δ = 0.25 at κ = 4",
        None,
        0.25,
        2,
    )


def test_a_bracket_that_begins_low_enough_ends_the_search():
    (found,) = stars(RingSweep(**SMALL), rates(lambda _: 0.05))
    assert (found.status, found.star, found.probes) == ("below bracket", Decimal("0.2"), 2)


def test_a_rate_that_is_not_defined_is_not_low_enough():
    (found,) = stars(RingSweep(**SMALL), rates(lambda _: math.nan))
    assert (found.status, found.mean) == ("above bracket: δ = undefined at κ = 4", None)


def test_the_rate_is_the_mean_over_the_seeds():
    config = RingSweep(**SMALL, n_replicates=4, frontier_delta="0.25")

    def one_in_four(config, indices):
        rows = rates(lambda _: 0.0)(config, indices)
        rows["delta_total"] = indices % 4 == 0
        return rows

    (found,) = stars(config, one_in_four)
    assert (found.status, found.mean) == ("below bracket", 0.25)


def test_all_searches_go_on_together():
    config = RingSweep(**SMALL, mus=[0, "0.5", 1], concentrations=[1, 5], n_replicates=2)
    _, metrics, rounds = driven(config)
    assert rounds == 1 + config.max_probes - 2
    assert len(metrics) <= config.total_runs


@pytest.mark.parametrize("concentration", ["0.5", "5"])
def test_the_frontier_is_that_of_a_scan_of_all_kappas(concentration):
    """Rings with few agents: the rate falls in steps, and a scan of all κ's shows where."""
    limit = 0.2
    config = RingSweep(
        **SMALL, concentrations=[concentration], n_replicates=8, frontier_delta=str(limit)
    )
    indices, metrics, _ = driven(config)
    (found,) = frontier.searches(config, indices, metrics)
    fine = [f"{kappa:.6g}" for kappa in np.geomspace(0.2, 4, 600)]
    scan = RingSweep(
        n_agents=6, maturity_days=3, kappas=fine, concentrations=[concentration], n_replicates=8
    )
    rows = registry.experiment("ring").compute(scan, np.arange(scan.total_runs))
    deltas = scan.layout.cube(rows["delta_total"]).mean(axis=(0, 2))
    low_enough = deltas <= limit
    crossings = [
        float(fine[at]) for at in range(1, len(fine)) if low_enough[at] and not low_enough[at - 1]
    ]
    assert found.status == "found"
    assert any(crossing / 1.02 <= float(found.star) <= crossing * 1.02 for crossing in crossings)


def test_each_arm_has_a_frontier_of_its_own():
    config = BalancedSweep(**SMALL, n_replicates=3, frontier_delta="0.1")
    indices, metrics, _ = driven(config)
    table = registry.experiment("balanced").search_table(config, indices, metrics)
    assert table.columns[table.columns.index("arm") :] == (
        "arm",
        "kappa_star",
        "kappa_star_low",
        "kappa_star_high",
        "delta",
        "probes",
        "status",
        "range_missing",
    )
    assert [row[table.columns.index("arm")] for row in table.rows] == ["passive", "active"]
    alone = BalancedSweep(**SMALL, n_replicates=3, frontier_delta="0.1", frontier_arm="active")
    indices, metrics, _ = driven(alone)
    one = registry.experiment("balanced").search_table(alone, indices, metrics)
    assert one.rows == table.rows[1:]


def recorded(config):
    indices, metrics, _ = driven(config)
    return indices, metrics


@pytest.mark.parametrize("model", [RingSweep, BalancedSweep])
def test_a_search_goes_on_from_any_part_of_its_runs_to_the_same_end(model):
    """Batches end in any order, so that any part of the last round may be missing."""
    config = model(**SMALL, n_replicates=2, mus=[0, 1], frontier_tolerance="0.2")
    indices, metrics = recorded(config)
    experiment = registry.experiment(config.sweep_type)
    chance = np.random.default_rng(1)
    known_indices, known = NOTHING
    while (step := experiment.next_step(config, known_indices, known)) is not None:
        rows = experiment.compute(step.config, step.indices)
        for _ in range(3):
            kept = chance.random(len(rows)) < 0.5
            some = type(step)(config=step.config, indices=step.indices[kept])
            part = joined(known_indices, known, some, rows[kept])
            again_indices, again, _ = driven(config, *part)
            assert np.array_equal(again_indices, indices)
            assert again.tobytes() == metrics.tobytes()
        known_indices, known = joined(known_indices, known, step, rows)


def test_a_step_asks_only_for_runs_that_are_not_recorded():
    config = RingSweep(**SMALL, n_replicates=5)
    experiment = registry.experiment("ring")
    first = experiment.next_step(config, *NOTHING)
    assert first.indices.tolist() == list(range(10))
    rows = experiment.compute(first.config, first.indices)
    rest = experiment.next_step(config, first.indices[:7], rows[:7])
    assert rest.indices.tolist() == [7, 8, 9]


def test_runs_of_other_designs_do_not_count_for_a_search():
    config = RingSweep(**SMALL, grid=True, lhs=4, n_replicates=3)
    experiment = registry.experiment("ring")
    indices = np.arange(config.fixed_runs)
    metrics = experiment.compute(config, indices)
    assert np.isfinite(metrics["kappa"]).all()
    step = experiment.next_step(config, indices, metrics)
    assert step.indices.tolist() == list(range(config.fixed_runs, config.fixed_runs + 6))
    indices, metrics, _ = driven(config, indices, metrics)
    alone = driven(RingSweep(**SMALL, n_replicates=3))
    assert metrics[15:].tobytes() == alone[1].tobytes()


def test_a_probe_that_is_not_planned_is_not_computed():
    with pytest.raises(ValueError, match="before its kappa was planned"):
        registry.experiment("ring").compute(RingSweep(**SMALL), np.arange(2))


def test_averages_leave_the_probes_out_and_the_headline_tells_both():
    config = RingSweep(**SMALL, grid=True, n_replicates=3)
    experiment = registry.experiment("ring")
    grid = RingSweep(n_agents=6, maturity_days=3, n_replicates=3)
    metrics = experiment.compute(config, np.arange(3))
    indices, metrics, _ = driven(config, np.arange(3), metrics)
    summary = experiment.summarise(config, indices, metrics)
    plain = experiment.summarise(grid, np.arange(3), metrics[:3])
    assert summary["avg_delta"] == plain["avg_delta"]
    assert summary["frontier"]["arms"]["passive"]["found"] == 1
    (cell,) = summary["frontier"]["cells"]
    star, low, high = (cell[f"kappa_star{end}"] for end in ("", "_low", "_high"))
    assert experiment.headline(summary) == (
        f"{experiment.headline(plain)} Smallest κ from 0.2 to 4 with a default rate of at most "
        f"0.05: κ* {star:.2f} ({low:.2f} to {high:.2f}) in 1 of 1 cell. (Ranges: 95 %, 3 seeds; "
        "so few often miss rare defaults, and the ranges are too narrow.)"
    )


def test_a_headline_tells_what_was_not_found():
    config = RingSweep(**SMALL, mus=[0, 1])

    def compute(config, indices):
        rows = rates(lambda _: 0.5)(config, indices)
        mu = registry.experiment("ring").parameters(config, indices)["mu"]
        rows["delta_total"][mu == 1] = 0
        return rows

    indices, metrics, _ = driven(config, compute=compute)
    assert headline(frontier.summary(config, indices, metrics)) == (
        "Smallest κ from 0.2 to 4 with a default rate of at most 0.05: κ* 0.2 in 1 of 2 cells, "
        "below the bracket, so κ = 0.2 is given, in 1, "
        "above the bracket, so δ is too high at κ = 4, in 1 of 2 cells."
    )


def test_a_search_that_is_not_finished_says_so():
    config = RingSweep(**SMALL)
    table = frontier.table(config, *NOTHING)
    assert table.rows == ((1.0, 0.0, 0.0, None, None, None, None, 0, "not finished", ""),)
    words = headline(frontier.summary(config, *NOTHING))
    assert words.endswith("not finished in 1 of 1 cell.")


def test_a_headline_tells_from_where_to_where_what_was_found_lies():
    config = RingSweep(**SMALL, mus=[0, 1], frontier_tolerance=1)

    def compute(config, indices):
        parameters = registry.experiment("ring").parameters(config, indices)
        rows = rates(lambda _: 1.0)(config, indices)
        rows["delta_total"][parameters["kappa"] >= np.where(parameters["mu"] == 1, 0.2, 4)] = 0
        return rows

    indices, metrics, _ = driven(config, compute=compute)
    words = headline(frontier.summary(config, indices, metrics))
    assert words.endswith(
        "κ* 0.2 to 4 in 2 of 2 cells, one seed, so no range, "
        "below the bracket, so κ = 0.2 is given, in 1."
    )


def ranged(config, compute):
    indices, metrics, _ = driven(config, compute=compute)
    table = registry.experiment(config.sweep_type).search_table(config, indices, metrics)
    (row,) = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
    words = headline(frontier.summary(config, indices, metrics))
    return row, words


def by_seed(crossings):
    """Return a `compute` in which the rate of each seed falls from 1 to 0 over one of log κ."""

    def compute(config, indices):
        parameters = registry.experiment(config.sweep_type).parameters(config, indices)
        rows = rates(lambda _: 0.0)(config, indices)
        middle = np.log(np.array(crossings)[parameters["seed"]])
        rows["delta_total"] = np.clip(0.5 - np.log(parameters["kappa"]) + middle, 0, 1)
        return rows

    return compute


def test_the_range_of_kappa_is_that_of_the_mean_over_resampled_seeds():
    """Where the rate of each seed falls along one line, log κ* is the mean over the seeds."""
    rng = np.random.default_rng(2)
    n = 40
    middles = rng.normal(math.log(2), 0.05, n)
    config = RingSweep(
        n_agents=6, kappa_range="0.3:20", frontier_delta="0.5", frontier=True,
        n_replicates=n, base_seed=0, frontier_tolerance="0.001",
    )  # fmt: skip
    row, _ = ranged(config, by_seed(np.exp(middles)))
    half = 2.02 * middles.std(ddof=1) / math.sqrt(n)
    low, high = math.log(row["kappa_star_low"]), math.log(row["kappa_star_high"])
    assert low == pytest.approx(middles.mean() - half, abs=half / 5)
    assert high == pytest.approx(middles.mean() + half, abs=half / 5)
    assert low <= math.log(row["kappa_star"]) <= high
    assert row["range_missing"] == ""


def test_a_headline_has_as_many_digits_as_the_range_deserves():
    config = RingSweep(**SMALL, frontier_delta="0.5", n_replicates=12, base_seed=0)
    _, wide = ranged(config, by_seed(np.geomspace(1, 3, 12)))
    _, narrow = ranged(config, by_seed(np.geomspace(1.7, 1.8, 12)))
    assert "κ* 1.7 (1.4 to 2.2) in 1 of 1 cell. (Ranges: 95 %, 12 seeds.)" in wide
    assert "κ* 1.75 (1.73 to 1.77)" in narrow


def test_one_seed_gives_no_range_and_says_so():
    config = RingSweep(**SMALL, frontier_delta="0.5", seeds=[0])
    row, words = ranged(config, by_seed([2]))
    assert (row["kappa_star_low"], row["kappa_star_high"]) == (None, None)
    assert row["range_missing"] == "one seed, so no range"
    assert words.endswith(f"κ* {row['kappa_star']:g} in 1 of 1 cell, one seed, so no range.")


def test_seeds_that_are_all_alike_give_no_range():
    config = RingSweep(**SMALL, frontier_delta="0.5", n_replicates=5, base_seed=0)
    row, _ = ranged(config, by_seed([2] * 5))
    assert row["range_missing"] == "all 5 seeds alike, so no range"
    assert row["kappa_star_low"] is None


def test_a_range_that_goes_beyond_the_bracket_has_no_end_there():
    config = RingSweep(**SMALL, frontier_delta="0.5", n_replicates=10, base_seed=0)
    row, words = ranged(config, by_seed([3] * 5 + [4.5] * 5))
    assert row["status"] == "found"
    assert row["kappa_star_low"] < row["kappa_star"]
    assert (row["kappa_star_high"], row["range_missing"]) == (None, "may lie above the bracket")
    assert " to above 4) in 1 of 1 cell" in words


def test_ranges_are_the_same_whenever_they_are_asked_for_and_whatever_else_is_searched():
    config = RingSweep(**SMALL, n_replicates=6)
    indices, metrics, _ = driven(config)
    experiment = registry.experiment("ring")
    table = experiment.search_table(config, indices, metrics)
    assert table == experiment.search_table(config, indices, metrics)
    more = RingSweep(**SMALL, n_replicates=6, mus=[0, 1])
    both = experiment.search_table(more, *driven(more)[:2])
    assert table.rows[0] in both.rows


@pytest.mark.parametrize(("cells", "listed"), [(50, 50), (51, 0)])
def test_a_summary_lists_the_cells_of_up_to_fifty_searches(cells, listed):
    config = RingSweep(**SMALL, concentrations=list(range(1, cells + 1)))
    found = frontier.summary(config, *NOTHING)
    assert found["arms"]["passive"]["n_cells"] == cells
    assert len(found["cells"]) == listed


@pytest.mark.slow
def test_a_process_is_told_the_kappas_of_its_probes():
    config = RingSweep(**SMALL, n_replicates=2)
    experiment = registry.experiment("ring")
    step = experiment.next_step(config, *NOTHING)
    executor = LocalExecutor(1)
    try:
        outcome = executor.submit(experiment, step.config, step.indices, isolated=True).result(120)
    finally:
        executor.close()
    assert outcome.failures == {}
    assert outcome.metrics.tobytes() == experiment.compute(step.config, step.indices).tobytes()


def test_a_search_of_version_0_1_runs_both_arms_and_finds_the_same():
    given = {**SMALL, "n_replicates": 3, "frontier_delta": "0.1", "frontier_tolerance": "0.2"}
    old, new = BalancedSweep(**given, run_order="cells"), BalancedSweep(**given)
    experiment = registry.experiment("balanced")
    both, one = driven(old), driven(new)
    assert len(both[0]) == 2 * len(one[0])
    assert (np.bincount(both[0] % 2) == len(one[0])).all()
    assert experiment.search_table(old, *both[:2]) == experiment.search_table(new, *one[:2])
