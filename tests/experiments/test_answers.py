"""Tables of results, held to plain Python over the same runs."""

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bilancio.analysis.observations import Observations
from bilancio.errors import InvalidInput
from bilancio.experiments import registry
from bilancio.experiments.answering import Answering
from bilancio.experiments.questions import question
from bilancio.experiments.reduction import Cells, ObservedCells
from bilancio.experiments.standard import split, subject_of, subject_of_observations
from bilancio.jobs import JobConfig

UNHURRIED = settings(deadline=None, max_examples=60)


def answered(config, indices, metrics, **asked):
    experiment = registry.experiment(config.sweep_type)
    recorded, columns = split(experiment, config, np.array(indices, np.int64), metrics)
    cells = Cells(experiment, config, recorded)
    answering = Answering(subject_of(experiment, config, recorded, cells), question(**asked))
    for name in answering.wanted:
        answering.take(name, cells.cube(name, columns[name]))
    return answering.answer()


def part_of(n_cells, n_all):
    return (
        f"Tables, and what is said of them, are over {n_cells} of {n_all} cells; averages and "
        "counts of the whole job are of all."
    )


def rows_of(table):
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def invented(n, seed=1):
    """Return default rates of runs, which no model has to compute."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(n, [("delta_total", float), ("n_trades", np.int32)])
    rows["delta_total"] = rng.random(n).round(6)
    rows["n_trades"] = rng.integers(0, 9, n)
    return rows


@st.composite
def recorded_sweeps(draw):
    """A small comparison, numbered in either order, of which some runs are recorded."""
    config = JobConfig(
        sweep_type="balanced",
        kappas=draw(st.sampled_from([["1"], ["0.5", "1"], ["0.25", "0.5", "1"]])),
        mus=draw(st.sampled_from([["0"], ["0", "0.5"]])),
        n_replicates=draw(st.integers(1, 5)),
        run_order=draw(st.sampled_from(["seeds", "cells"])),
    )
    n = config.total_runs
    done = draw(st.sets(st.integers(0, n - 1)) | st.just(set(range(n))))
    done -= draw(st.sets(st.integers(0, n - 1), max_size=3))
    return config, sorted(done)


@UNHURRIED
@given(recorded_sweeps(), st.sampled_from([(), ("kappa",), ("mu",), ("kappa", "mu")]))
def test_every_row_is_the_mean_over_its_whole_seeds(sweep, by):
    config, indices = sweep
    everything = invented(config.total_runs)
    table = answered(config, indices, everything[np.array(indices, int)], group_by=by).table
    told = {row[: len(by)]: row for row in table.rows}
    expected = by_hand(config, set(indices), everything["delta_total"], by)
    assert told.keys() == expected.keys()
    for row in rows_of(table):
        n_cells, effects = expected[tuple(row[name] for name in by)]
        assert (row["n_seeds"], row["n"]) == (len(effects), n_cells * len(effects))
        assert row["trading_effect"] == pytest.approx(statistics.mean(effects), abs=1e-12)
        low, high = row["trading_effect_low"], row["trading_effect_high"]
        assert (low is None) == (high is None) == (len(effects) < 2)
        if low is not None:
            assert low <= row["trading_effect"] <= high
            error = stats.sem(effects)
            interval = stats.t.interval(0.95, len(effects) - 1, row["trading_effect"], error)
            assert (low, high) == pytest.approx(interval, rel=1e-9)


def by_hand(config, done, deltas, by):
    """Return number of cells and effect of each whole seed, for each group that has one."""
    experiment = registry.experiment("balanced")
    columns = experiment.parameters(config, np.arange(config.total_runs))
    place = {
        (cell, seed, arm): index
        for index, (cell, seed, arm) in enumerate(
            zip(*(columns[name].tolist() for name in ("cell", "seed", "arm")), strict=True)
        )
    }
    cells: dict = {}
    for (cell, _, _), index in place.items():
        cells.setdefault(tuple(columns[name][index].item() for name in by), set()).add(cell)
    found = {}
    for key, members in cells.items():
        effects = []
        for seed in config.all_seeds():
            runs = [(place[c, seed, "passive"], place[c, seed, "active"]) for c in members]
            if all({*pair} <= done for pair in runs):
                effects.append(statistics.mean(deltas[one] - deltas[two] for one, two in runs))
        if effects:
            found[key] = (len(members), effects)
    return found


@UNHURRIED
@given(recorded_sweeps(), st.integers(1, 4))
def test_a_prefix_of_a_job_says_what_a_smaller_job_says(sweep, n_seeds):
    config, _ = sweep
    given_ = {**dict(config), "run_order": "seeds"}
    whole = type(config)(**given_)
    smaller = type(config)(**{**given_, "n_replicates": min(n_seeds, config.n_replicates)})
    everything = invented(whole.total_runs)
    prefix = np.arange(smaller.total_runs)
    for by in ((), ("kappa",), ("kappa", "seed")):
        part = answered(whole, prefix, everything[prefix], group_by=by)
        assert part.table == answered(smaller, prefix, everything[prefix], group_by=by).table
        rest = [*prefix, *range(len(prefix), min(len(prefix) + 1, whole.total_runs))]
        if smaller.layout.n_cells > 1:  # one run more makes no seed whole
            assert answered(whole, rest, everything[rest], group_by=by).table == part.table


def test_relief_is_the_ratio_of_means_with_a_jackknife_interval():
    config = JobConfig(sweep_type="balanced", n_replicates=4)
    rows = np.zeros(8, [("delta_total", float)])
    rows["delta_total"] = [0.5, 0.4, 0.2, 0.25, 0.8, 0.5, 0.4, 0.4]
    (row,) = rows_of(answered(config, range(8), rows).table)
    passive, active = rows["delta_total"][::2], rows["delta_total"][1::2]
    theta = (passive - active).sum() / passive.sum()
    left_out = [
        1 - np.delete(active, each).sum() / np.delete(passive, each).sum() for each in range(4)
    ]
    error = math.sqrt(3 / 4 * sum((each - np.mean(left_out)) ** 2 for each in left_out))
    half = stats.t.ppf(0.975, 3) * error
    assert row["trading_relief_ratio"] == pytest.approx(theta)
    assert row["trading_relief_ratio_low"] == pytest.approx(theta - half)
    assert row["trading_relief_ratio_high"] == pytest.approx(theta + half)


def test_levels_are_contrasted_with_the_lowest_by_seed():
    config = JobConfig(sweep_type="balanced", kappas=["0.5", "1"], mus=[0, "0.5"], n_replicates=6)
    rows = invented(config.total_runs)
    found = rows_of(
        answered(config, range(config.total_runs), rows, group_by="kappa", contrast="mu").contrasts
    )
    assert [(row["kappa"], row["mu"], row["against"]) for row in found] == [
        (0.5, 0.5, 0.0),
        (1.0, 0.5, 0.0),
    ]
    cube = config.layout.cube(rows["delta_total"])
    effect = cube[:, :, 0] - cube[:, :, 1]  # cells: kappa slow, mu fast
    apart = effect[:, 1] - effect[:, 0]
    assert found[0]["trading_effect"] == pytest.approx(apart.mean())
    interval = stats.ttest_1samp(apart, 0).confidence_interval()
    assert (found[0]["trading_effect_low"], found[0]["trading_effect_high"]) == pytest.approx(
        tuple(interval)
    )


def test_a_condition_leaves_the_other_cells_out():
    config = JobConfig(sweep_type="balanced", kappas=["0.5", "1", "2"], mus=[0, 1], n_replicates=3)
    rows = invented(config.total_runs)
    everything = range(config.total_runs)
    table = answered(config, everything, rows, group_by="kappa", where="kappa < 2 and mu = 1").table
    alone = answered(config, everything, rows, group_by="kappa,mu").table
    expected = {row[0]: row[2:] for row in alone.rows if row[1] == 1}
    assert [row[0] for row in table.rows] == [0.5, 1.0]
    for row, names in itertools.product(rows_of(table), ["trading_effect", "trading_effect_low"]):
        place = alone.columns.index(names) - 2
        assert row[names] == expected[row["kappa"]][place]


def test_rows_are_ordered_by_a_column():
    config = JobConfig(sweep_type="balanced", kappas=["0.5", "1", "2"], n_replicates=3)
    rows = invented(config.total_runs)
    everything = range(config.total_runs)
    asked = {"group_by": "kappa", "order_by": "-trading_effect"}
    effects = [
        row["trading_effect"] for row in rows_of(answered(config, everything, rows, **asked).table)
    ]
    assert effects == sorted(effects, reverse=True)


def test_an_order_without_groups_is_one_of_the_cells():
    config = JobConfig(sweep_type="balanced", kappas=["0.5", "1"], mus=[0, 1], n_replicates=3)
    rows = invented(config.total_runs)
    everything = range(config.total_runs)
    order = {"order_by": "-trading_effect"}
    by_cell = answered(config, everything, rows, group_by="kappa,mu", **order).table
    assert answered(config, everything, rows, **order).table == by_cell
    at_one = answered(config, everything, rows, where="kappa = 1", **order).table
    assert (at_one.columns[0], at_one.n_keys, len(at_one.rows)) == ("mu", 1, 2)


def test_measures_asked_for_by_name_come_with_what_they_are():
    config = JobConfig(sweep_type="balanced", n_replicates=3)
    rows = np.zeros(config.total_runs, [("delta_total", float), ("dealer_pnl", float)])
    everything = range(config.total_runs)
    found = answered(config, everything, rows, measures="dealer_pnl,trading_effect")
    assert found.meanings == {
        "dealer_pnl": "dealer_pnl_active − dealer_pnl_passive. Unit: money.",
        "trading_effect": "delta_passive − delta_active.",
    }
    assert answered(config, everything, rows).meanings == {}


def test_a_pivot_has_a_column_for_each_value():
    config = JobConfig(sweep_type="balanced", kappas=["0.5", "1"], mus=[0, 1], n_replicates=3)
    rows = invented(config.total_runs)
    everything = range(config.total_runs)
    table = answered(config, everything, rows, group_by="kappa", pivot="mu").table
    flat = rows_of(answered(config, everything, rows, group_by="kappa,mu").table)
    assert table.columns == ("kappa", "mu=0", "mu=1")
    assert table.rows == (
        (0.5, flat[0]["trading_effect"], flat[1]["trading_effect"]),
        (1.0, flat[2]["trading_effect"], flat[3]["trading_effect"]),
    )


def test_a_pivot_has_columns_of_their_own_for_values_that_are_all_but_equal():
    kappas = ["0.3", "0.30000000000000004", "1"]
    config = JobConfig(sweep_type="ring", kappas=kappas, n_replicates=3)
    rows = invented(config.total_runs)
    table = answered(config, range(config.total_runs), rows, pivot="kappa").table
    assert table.columns == ("kappa=0.3", "kappa=0.30000000000000004", "kappa=1")
    assert len(table.rows[0]) == 3


def test_a_pivot_can_have_a_row_for_each_seed():
    config = JobConfig(sweep_type="balanced", kappas=["0.5", "1"], mus=[0, 1], n_replicates=3)
    rows = invented(config.total_runs)
    everything = range(config.total_runs)
    table = answered(config, everything, rows, group_by="seed", pivot="mu").table
    flat = rows_of(answered(config, everything, rows, group_by="seed,mu").table)
    assert table.columns == ("seed", "mu=0", "mu=1")
    expected = {(row["seed"], row["mu"]): row["trading_effect"] for row in flat}
    assert table.rows == tuple(
        (seed, expected[seed, 0], expected[seed, 1]) for seed in config.all_seeds()
    )


def test_rows_are_counted_by_their_verdict():
    config = JobConfig(sweep_type="balanced", kappas=["0.5", "1", "2"], n_replicates=3)
    rows = np.zeros(config.total_runs, [("delta_total", float)])
    cube = config.layout.cube(rows["delta_total"])
    noise = np.array([0.001, 0.002, 0.003])
    cube[:, 0, 0], cube[:, 1, 0], cube[:, 2, 1] = 0.5 + noise, 0.4 + noise, 0.3 + noise
    everything = range(config.total_runs)
    assert answered(config, everything, rows, group_by="kappa").verdicts == {"helps": 2, "hurts": 1}
    assert answered(config, everything, rows).verdicts == {}


def test_samples_from_a_range_are_put_into_bins():
    config = JobConfig(sweep_type="ring", lhs=12, kappa_range="0.25:4", n_replicates=3)
    rows = invented(config.total_runs)
    table = answered(config, range(config.total_runs), rows, group_by="kappa", bins=4).table
    assert [row[0] for row in table.rows] == ["0.25:0.5", "0.5:1", "1:2", "2:4"]
    assert [row["n"] for row in rows_of(table)] == [9, 9, 9, 9]


def test_the_interval_of_a_hypercube_is_of_the_ranges():
    """Every seed says the same of every cell: only the cells differ, and they are samples."""
    config = JobConfig(sweep_type="ring", lhs=5, kappa_range="0.25:4", n_replicates=3)
    rows = np.zeros(config.total_runs, [("delta_total", float)])
    by_cell = np.array([0.1, 0.5, 0.3, 0.9, 0.2])
    rows["delta_total"] = np.tile(by_cell, 3)
    (row,) = rows_of(answered(config, range(config.total_runs), rows).table)
    interval = stats.ttest_1samp(by_cell, 0).confidence_interval()
    assert (row["delta_total_low"], row["delta_total_high"]) == pytest.approx(tuple(interval))


def test_effects_say_which_parameter_matters():
    config = JobConfig(sweep_type="ring", kappas=["0.5", "1"], mus=[0, 1], n_replicates=4)
    columns = registry.experiment("ring").parameters(config, np.arange(config.total_runs))
    rows = np.zeros(config.total_runs, [("delta_total", float)])
    noise = np.random.default_rng(3).normal(0, 0.01, 4).repeat(4)
    rows["delta_total"] = columns["kappa"] * 0.3 + columns["mu"] * 0.05 + noise
    found = answered(config, range(config.total_runs), rows, effects=True).effects
    shares = {row[0]: row[1] for row in found.rows}
    assert shares["kappa"] == pytest.approx(0.15**2 / (0.15**2 + 0.05**2))
    assert shares["mu"] == pytest.approx(0.05**2 / (0.15**2 + 0.05**2))
    assert shares["kappa × mu"] == pytest.approx(0, abs=1e-12)
    assert list(shares) == ["kappa", "mu", "kappa × mu"]


def test_what_to_know_before_concluding_is_said():
    one = JobConfig(sweep_type="ring", kappas=["0.5", "1"])
    rows = np.zeros(2, [("delta_total", float)])
    assert answered(one, range(2), rows).warnings == (
        "One seed shows no spread: there is no interval, and no conclusion.",
        "delta_total is 0 in all runs.",
    )
    few = JobConfig(sweep_type="ring", n_replicates=3)
    assert answered(few, range(3), invented(3)).warnings == (
        "3 seeds are few: intervals are wide and only roughly right.",
    )


def test_cells_in_which_nothing_was_traded_are_told():
    config = JobConfig(sweep_type="balanced", kappas=["0.5", "1"], n_replicates=5)
    rows = invented(config.total_runs)
    rows["n_trades"] = 3
    places = config.layout.index(np.arange(5), 1, 1)
    rows["n_trades"][places] = 0
    found = answered(config, range(config.total_runs), rows).warnings
    assert found == ("No trades in 1 of 2 cells.",)


def test_what_is_said_where_a_condition_is_given_is_of_the_cells_that_meet_it():
    config = JobConfig(sweep_type="ring", kappas=["0.5", "1"], n_replicates=5)
    rows = invented(config.total_runs)
    found = answered(config, range(config.total_runs), rows, where="kappa = 1")
    assert found.warnings == (part_of(1, 2),)
    mean = config.layout.cube(rows["delta_total"])[:, 1, 0].mean()
    assert found.said.startswith(f"Over this 1 cell delta_total is {mean:.4g} (95 % interval ")


def test_a_plan_says_how_many_seeds_a_precision_takes():
    config = JobConfig(sweep_type="ring", kappas=["0.5", "1"], n_replicates=10)
    rows = invented(config.total_runs)
    plan = answered(config, range(20), rows, group_by="kappa", precision=0.01).plan
    by_seed = config.layout.cube(rows["delta_total"])[:, :, 0].mean(axis=1)
    spread = np.std(by_seed, ddof=1)
    n = plan["n_seeds"]
    assert stats.t.ppf(0.975, n - 1) * spread / math.sqrt(n) <= 0.01
    assert stats.t.ppf(0.975, n - 2) * spread / math.sqrt(n - 1) > 0.01
    assert plan["n_seeds_widest"] >= n / 2


def test_a_plan_is_about_the_measure_that_is_shown():
    config = JobConfig(sweep_type="balanced", n_replicates=5)
    rows = invented(config.total_runs)

    def planned(**asked):
        return answered(config, range(10), rows, **asked).plan["measure"]

    assert planned() == planned(measures="delta_active,trading_effect") == "trading_effect"
    assert planned(measures="delta_active,delta_passive") == "delta_active"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"group_by": "kapa"}, "group_by: got 'kapa'; allowed: "),
        ({"group_by": "kappa,kappa"}, "group_by: got kappa twice; allowed: each name once."),
        ({"measures": "effect"}, "measures: got 'effect'; allowed: delta_total."),
        ({"contrast": "mu"}, "contrast: got mu, of one level (0.0); allowed: kappa."),
        ({"where": "kapa < 1"}, "Did you mean kappa?"),
        ({"where": "kappa > 9"}, "a condition that some cell meets; there is kappa 0.5, 1."),
        ({"pivot": "kappa", "measures": "delta_total,phi_total"}, "measures: got "),
        ({"pivot": "kappa", "group_by": "kappa"}, "pivot: got kappa, which group_by names too"),
        ({"order_by": "phi"}, "order_by: got 'phi'; allowed: kappa, n, n_seeds, delta_total"),
        ({"bins": 3, "group_by": "kappa"}, "bins: got 3; allowed: none: no parameter"),
        ({"bins": 0}, "bins: got 0; allowed: whole numbers from 1 to 1,000."),
        ({"precision": 0}, "precision: got 0; allowed: finite numbers above 0."),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_question_that_cannot_be_answered_is_refused_in_a_sentence(asked, sentence):
    config = JobConfig(sweep_type="ring", kappas=["0.5", "1"], n_replicates=3)
    rows = invented(6)[["delta_total"]]
    with pytest.raises(InvalidInput) as error:
        answered(config, range(6), rows, **asked)
    assert sentence in str(error.value)


# -- experiments of their own kind ------------------------------------------------------------


def observed(**columns):
    given_ = {name: np.asarray(column) for name, column in columns.items()}
    parameters = tuple(name for name in given_ if name not in {"seed", "effect"})
    seen = Observations(
        columns=given_, parameters=parameters, measures=("effect",), primary="effect"
    )
    cells = ObservedCells(seen)

    def ask(**asked):
        answering = Answering(subject_of_observations(seen, cells), question(**asked))
        for name in answering.wanted:
            answering.take(name, cells.cube(seen.columns[name]))
        return answering.answer().table

    return ask


def test_observations_are_grouped_in_the_order_of_their_parameters():
    table = observed(
        design=["lhs", "grid", "lhs", "grid"],
        kappa=[0.5, 1.0, 0.25, 1.0],
        seed=[1, 1, 1, 2],
        effect=[1.0, 2.0, np.nan, 4.0],
    )(group_by="design,kappa")
    half = math.tan(0.475 * math.pi)  # Student's t with one degree of freedom is Cauchy's
    assert table.columns == (
        "design", "kappa", "n", "n_seeds", "effect", "effect_low", "effect_high",
    )  # fmt: skip
    assert table.rows == (
        ("grid", 1.0, 2, 2, 3.0, pytest.approx(3 - half), pytest.approx(3 + half)),
        ("lhs", 0.25, 1, 1, None, None, None),
        ("lhs", 0.5, 1, 1, 1.0, None, None),
    )


def test_observations_of_one_cell_under_one_seed_are_averaged():
    table = observed(seed=[1, 1, 1], effect=[1.0, 2.0, 6.0])()
    assert table.rows == ((3, 1, 3.0, None, None),)


def test_nothing_observed_gives_no_rows():
    nothing = observed(kappa=np.empty(0), seed=np.empty(0, int), effect=np.empty(0))
    assert nothing().rows == nothing(group_by="kappa").rows == ()


def test_many_parameters_with_many_values_are_grouped_together():
    """The product of their numbers of values is past what 64 bits hold."""
    n = 100_000
    names = ("cell", "kappa", "concentration", "mu", "monotonicity")
    columns = {name: np.arange(n) * 0.5 for name in names}
    ask = observed(**columns, seed=np.ones(n, int), effect=np.ones(n))
    table = ask(group_by=list(names))
    assert len(table.rows) == n
    assert table.rows[3][:5] == (1.5,) * 5


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("precision", [1e-300, 5e-324])
def test_a_precision_that_nobody_reaches_takes_more_seeds_than_are_counted(precision):
    config = JobConfig(sweep_type="ring", kappas=["0.5", "1"], n_replicates=10)
    plan = answered(config, range(20), invented(20), group_by="kappa", precision=precision).plan
    most = "more than 1,000,000,000,000"
    assert f"takes {most} seeds in all, and {most} in the widest row" in plan["sentence"]


def test_a_pivot_by_seed_has_a_row_for_each_seed():
    config = JobConfig(sweep_type="balanced", kappas=["0.5", "1"], mus=[0, 1], n_replicates=3)
    rows = invented(config.total_runs)
    done = range(config.total_runs - 1)  # the last seed is not whole at κ 1, μ 1
    for by in ("seed", "kappa,seed", "seed,kappa"):
        table = answered(config, done, rows[:-1], group_by=by, pivot="mu").table
        flat = rows_of(answered(config, done, rows[:-1], group_by=f"{by},mu").table)
        names = by.split(",")
        assert table.columns == (*names, "mu=0", "mu=1")
        known = {(*(row[name] for name in names), row["mu"]): row["trading_effect"] for row in flat}
        keys = {key[:-1] for key in known}
        assert {row[:-2] for row in table.rows} == keys
        assert len(table.rows) == len(keys)
        for row in table.rows:
            assert row[-2:] == (known.get((*row[:-2], 0.0)), known.get((*row[:-2], 1.0)))


def test_a_sampled_parameter_has_no_levels_to_contrast():
    config = JobConfig(sweep_type="ring", lhs=4, kappa_range="0.25:4", n_replicates=3)
    rows = invented(config.total_runs)
    with pytest.raises(InvalidInput) as error:
        answered(config, range(config.total_runs), rows, contrast="kappa")
    assert str(error.value) == (
        "contrast: got kappa, which was sampled from a range; "
        "allowed: nothing: no parameter has two levels."
    )


def test_contrasts_leave_sampled_cells_out():
    config = JobConfig(
        sweep_type="ring", kappas=["0.5", "1"], grid=True, lhs=4, kappa_range="0.25:4",
        n_replicates=3,
    )  # fmt: skip
    rows = invented(config.total_runs)
    everything = range(config.total_runs)
    found = answered(config, everything, rows, group_by="mu", contrast="kappa").contrasts
    alone = answered(config, everything, rows, where="design = grid", contrast="kappa").contrasts
    assert [row[1:] for row in found.rows] == list(alone.rows)


def test_effects_are_of_cells_that_cross():
    """As many cells as a crossed grid has are not one when two of them are the same."""
    points = [{"kappa": kappa, "mu": 0} for kappa in ("0.5", "1")]
    config = JobConfig(
        sweep_type="ring", kappas=["0.5"], mus=["0"], grid=True,
        points=[*points, {"kappa": "1", "mu": 1}], n_replicates=3,
    )  # fmt: skip
    rows = invented(config.total_runs)
    with pytest.raises(InvalidInput, match="are a crossed grid or all of sobol"):
        answered(config, range(config.total_runs), rows, effects=True)


@pytest.mark.filterwarnings("error")
def test_differences_past_the_largest_double_are_not_known():
    config = JobConfig(sweep_type="balanced", n_replicates=3)
    rows = np.zeros(6, [("dealer_pnl", float), ("delta_total", float)])
    rows["dealer_pnl"] = np.tile([-1.7e308, 1.7e308], 3)
    (row,) = rows_of(answered(config, range(6), rows, measures="dealer_pnl").table)
    assert row["dealer_pnl"] is row["dealer_pnl_low"] is None


def test_an_average_over_designs_is_called_one():
    config = JobConfig(
        sweep_type="ring", kappas=["0.5", "1"], grid=True, lhs=4, kappa_range="0.25:4",
        n_replicates=5,
    )  # fmt: skip
    rows = invented(config.total_runs)
    everything = range(config.total_runs)
    sentence = "The average over all cells mixes designs (grid, lhs): look at each by itself."
    assert answered(config, everything, rows).warnings == (sentence,)
    warnings = answered(config, everything, rows, where="design = lhs").warnings
    assert warnings == (part_of(4, 6),)


def test_a_sobol_design_says_which_parameter_the_variance_comes_from():
    """δ = 2a + b over independent ranges of the same width: 4/5 and 1/5, without interaction."""
    config = JobConfig(
        sweep_type="ring", sobol=256, mu_range="0:1", monotonicity_range="0:1", n_replicates=4
    )
    experiment = registry.experiment("ring")
    cells = experiment.parameters(config, np.arange(config.total_runs))
    rows = np.zeros(config.total_runs, [("delta_total", float)])
    noise = np.random.default_rng(5).normal(0, 0.05, config.total_runs)
    rows["delta_total"] = 2 * cells["mu"] + cells["monotonicity"] + noise
    answer = answered(config, range(config.total_runs), rows)
    assert answer.effects.columns[:3] == ("effect on delta_total", "first_order", "first_order_low")
    found = {row["effect on delta_total"]: row for row in rows_of(answer.effects)}
    for name, share in {"mu": 0.8, "monotonicity": 0.2}.items():
        for order in ("first_order", "total_order"):
            assert found[name][order] == pytest.approx(share, abs=0.03)
            assert found[name][f"{order}_low"] <= share <= found[name][f"{order}_high"]
    (row,) = rows_of(answer.table)  # of the samples that are spread over the ranges
    assert row["n"] == 512 * 4
    assert row["delta_total"] == pytest.approx(1.5, abs=0.02)


def test_before_a_seed_is_whole_a_sobol_design_has_no_indices():
    config = JobConfig(sweep_type="ring", sobol=4, mu_range="0:1", kappa_range="0.5:2")
    answer = answered(config, range(5), invented(5))
    assert [row["first_order"] for row in rows_of(answer.effects)] == [None, None]


def test_a_pivot_of_more_columns_than_one_reads_is_refused():
    config = JobConfig(sweep_type="ring", lhs=300, kappa_range="0.25:4", mu_range="0:1")
    rows = invented(config.total_runs)
    everything = range(config.total_runs)
    with pytest.raises(InvalidInput) as error:
        answered(config, everything, rows, pivot="mu")
    assert str(error.value) == (
        "pivot: got mu, of 300 values; allowed: parameters of at most 200 values; "
        "bins puts sampled ones together."
    )
    table = answered(config, everything, rows, pivot="mu", bins=4).table
    assert table.columns == ("mu=0:0.25", "mu=0.25:0.5", "mu=0.5:0.75", "mu=0.75:1")
    table = answered(config, everything, rows, pivot="mu", where="mu < 0.3").table
    assert len(table.columns) < 100


def test_a_table_without_intervals_is_not_said_to_have_some_that_miss():
    config = JobConfig(
        sweep_type="ring", kappas="0.1:3:0.1", concentrations=["1", "2"], n_replicates=5
    )
    rows = invented(config.total_runs)
    everything = range(config.total_runs)
    said = "intervals about"
    assert said in str(answered(config, everything, rows, group_by="kappa").warnings)
    for asked in ({"pivot": "concentration", "group_by": "kappa"}, {"group_by": "kappa,seed"}):
        assert answered(config, everything, rows, **asked).warnings == ()


def test_rows_by_bins_are_ordered_along_the_range():
    config = JobConfig(sweep_type="ring", lhs=40, vary={"n_agents": "5:95"})
    rows = invented(config.total_runs)
    asked = {"group_by": "n_agents", "bins": 3}
    for order_by, expected in (
        ("n_agents", ["5:35", "35:65", "65:95"]),
        ("-n_agents", ["65:95", "35:65", "5:35"]),
    ):
        table = answered(config, range(len(rows)), rows, order_by=order_by, **asked).table
        assert [row[0] for row in table.rows] == expected


def test_it_is_said_why_there_are_no_shares():
    config = JobConfig(sweep_type="ring", kappas=["1", "2"], mus=["0", "1"], n_replicates=3)
    rows = np.zeros(config.total_runs, [("delta_total", float)])
    rows["delta_total"] = np.repeat([0.1, 0.2, 0.3], 4)
    everything = range(config.total_runs)
    answer = answered(config, everything, rows, effects=True)
    assert "No shares of delta_total: the cells differ no more than seeds do." in answer.warnings
    assert {row["variance"] for row in rows_of(answer.effects)} == {0}
    few = JobConfig(sweep_type="ring", kappas=["1", "2"], mus=["0", "1"], n_replicates=2)
    rows = np.zeros(8, [("delta_total", float)])
    rows["delta_total"] = [0.1, 0.2, 0.7, 0.9, 0.12, 0.21, 0.73, 0.94]
    said = answered(few, range(8), rows, effects=True).warnings
    reason = "two seeds do not show how sure this is; run three or more"
    assert f"No intervals for shares of delta_total: {reason}." in said


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (
            {"lhs": 9, "kappa_range": "0.5:2", "n_replicates": 5},
            "seeds alone do not narrow the interval of ranges; more samples do",
        ),
        (
            {"seeds": [1]},
            "one seed shows no spread; run two or more",
        ),
    ],
    ids=["ranges", "one seed"],
)
def test_it_is_said_why_there_is_no_plan(config, reason):
    sentence = f"No number of seeds can be given for ± 0.1: {reason}."
    sweep = JobConfig(sweep_type="ring", **config)
    rows = invented(sweep.total_runs)
    everything = range(sweep.total_runs)
    asked = answered(sweep, everything, rows, precision=0.1)
    assert sentence in asked.warnings
    assert asked.plan is None
    assert sentence not in answered(sweep, everything, rows).warnings
