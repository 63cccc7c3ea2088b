from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilancio.experiments import registry
from bilancio.experiments.configs import BalancedSweep, RingSweep
from bilancio.experiments.design import SampledRange, latin_hypercube, run_columns
from bilancio.jobs import JobConfig
from bilancio.jobs.run_ids import RunIds

UNHURRIED = settings(deadline=None)  # the first sample loads scipy
VALUES = st.lists(st.decimals("0.1", 1, places=2), min_size=1, max_size=3, unique=True)


@st.composite
def sweeps(draw):
    """A sweep of any designs together, with one or both arms and a few seeds."""
    model = draw(st.sampled_from([RingSweep, BalancedSweep]))
    frontier, lhs = draw(st.booleans()), draw(st.booleans())
    given = {"grid": True, "mus": ["0.5"], "concentrations": ["2"]}
    given["kappas"] = draw(VALUES)
    if model is BalancedSweep and frontier:
        given["frontier_arm"] = draw(st.sampled_from([None, "passive", "active"]))
    if frontier or lhs:
        given |= {"kappa_range": "0.2:5", "frontier": frontier}
    if lhs:
        given |= {"lhs": draw(st.integers(1, 6)), "lhs_seed": draw(st.integers(0, 3))}
    elif frontier:
        given["concentrations"] = draw(VALUES)
    if draw(st.booleans()):
        concentrations = draw(VALUES)
        given["points"] = [{"kappa": 1, "concentration": each} for each in concentrations]
    seeds = draw(st.sampled_from([{"seeds": [7, 3, 11]}, {"n_replicates": 4, "base_seed": 5}]))
    return model(**given, **seeds)


def everything(config):
    return run_columns(config, np.arange(config.total_runs))


@UNHURRIED
@given(sweeps())
def test_every_cell_meets_every_seed_once_in_every_arm_and_every_probe_in_the_searched_one(config):
    columns = everything(config)
    met = set(zip(*(columns[name].tolist() for name in ("cell", "seed", "arm")), strict=True))
    searched = [config.arms.index(arm) for arm in config.searched_arms]
    fixed = config.layout.n_cells
    assert met == {
        (cell, seed, arm)
        for cell in range(sum(config.blocks.values()))
        for seed in config.all_seeds()
        for arm in range(len(config.arms))
        if cell < fixed or arm == searched[(cell - fixed) % len(searched)]
    }
    assert len(met) == config.total_runs


@UNHURRIED
@given(sweeps())
def test_the_arms_of_one_start_stand_next_to_each_other(config):
    columns = everything(config)
    fixed = np.arange(config.fixed_runs)
    assert (columns["arm"][fixed] == fixed % len(config.arms)).all()
    ids = RunIds("castle-river-mountain-forest", config, config.total_runs)
    for index in (0, config.total_runs - 1):
        assert ids[index].split("_")[1] == config.arms[columns["arm"][index]]


@UNHURRIED
@given(sweeps())
def test_all_runs_of_a_cell_have_the_same_parameters(config):
    columns = everything(config)
    in_order = np.argsort(columns["cell"], kind="stable")
    cells = columns["cell"][in_order]
    first = np.searchsorted(cells, cells)
    for axis in config.axes:
        by_cell = columns[axis][in_order]
        assert np.array_equal(by_cell, by_cell[first], equal_nan=True)


@UNHURRIED
@given(sweeps(), st.integers(1, 3))
def test_the_runs_of_a_prefix_are_those_of_a_smaller_sweep(config, n_seeds):
    """But for a frontier, whose probes come last."""
    seeds = list(config.all_seeds())[:n_seeds]
    given = {"frontier": False, "frontier_delta": None, "frontier_tolerance": None}
    given |= {"frontier_arm": None} if config.sweep_type == "balanced" else {}
    given |= {} if config.lhs else {"kappa_range": None}
    given |= {"seeds": seeds, "n_replicates": None, "base_seed": None}
    smaller = type(config)(**{**dict(config), **given})
    prefix = run_columns(config, np.arange(smaller.total_runs))
    columns = everything(smaller)
    assert smaller.total_runs == len(seeds) * config.layout.n_cells * len(config.arms)
    for name, column in columns.items():
        assert (column == prefix[name]).all()


@UNHURRIED
@given(sweeps())
def test_a_sweep_of_version_0_1_goes_through_all_seeds_of_one_cell_after_the_other(config):
    by_cell = type(config)(**{**dict(config), "run_order": "cells"})
    columns = everything(by_cell)
    together = config.n_seeds * len(config.arms)
    assert by_cell.total_runs == together * sum(config.blocks.values())
    assert (columns["arm"] == np.arange(by_cell.total_runs) % len(config.arms)).all()
    assert (columns["cell"] == np.arange(by_cell.total_runs) // together).all()
    seeds = np.repeat(list(config.all_seeds()), len(config.arms))
    assert (columns["seed"].reshape(-1, together) == seeds).all()


@UNHURRIED
@given(sweeps())
def test_a_cube_has_each_run_at_its_seed_cell_and_arm(config):
    for order in ("seeds", "cells"):
        sweep = type(config)(**{**dict(config), "run_order": order})
        indices = np.arange(sweep.fixed_runs)
        seed, cell, arm = sweep.layout.locate(indices)
        assert (sweep.layout.cube(indices)[seed, cell, arm] == indices).all()


@UNHURRIED
@given(sweeps(), st.data())
def test_the_parameters_of_a_run_do_not_depend_on_what_else_is_asked(config, data):
    index = data.draw(st.integers(0, config.total_runs - 1))
    alone = run_columns(config, np.array([index]))
    for name, column in everything(config).items():
        assert np.array_equal(column[index : index + 1], alone[name], equal_nan=name == "kappa")


@UNHURRIED
@given(sweeps())
def test_designs_come_one_after_the_other(config):
    columns = everything(config)
    designs = columns.get("design", np.full(config.total_runs, "grid"))
    order = list(dict.fromkeys(name.partition("-")[0] for name in designs.tolist()))
    assert order == list(config.blocks)
    assert (np.char.startswith(designs, "frontier") == np.isnan(columns["kappa"])).all()


def test_a_pure_grid_has_no_column_for_its_design():
    assert list(everything(RingSweep(kappas=[1, 2]))) == [
        "cell",
        "kappa",
        "concentration",
        "mu",
        "monotonicity",
        "seed",
        "arm",
    ]


def test_the_last_parameter_of_a_grid_varies_fastest():
    columns = everything(RingSweep(kappas=[1, 2], mus=[0, "0.5", 1]))
    assert columns["kappa"].tolist() == [1, 1, 1, 2, 2, 2]
    assert columns["mu"].tolist() == [0, 0.5, 1] * 2


def test_points_stand_as_listed():
    points = [{"kappa": 3, "mu": 1}, {"kappa": "0.1"}, {"monotonicity": -1}]
    columns = everything(RingSweep(points=points, mus=["0.5"]))
    assert columns["kappa"].tolist() == [3, 0.1, 1]
    assert columns["mu"].tolist() == [1, 0.5, 0.5]
    assert columns["monotonicity"].tolist() == [0, 0, -1]


def test_the_probes_of_one_round_are_one_stretch_of_runs():
    config = BalancedSweep(frontier=True, kappa_range="1:2", mus=[0, 1], seeds=[1, 2])
    columns = everything(config)
    assert config.n_searches == 4
    first_round = slice(0, 4 * 2)
    assert columns["mu"][first_round].tolist() == [0] * 4 + [1] * 4
    assert columns["arm"][first_round].tolist() == [0, 0, 1, 1] * 2
    assert (
        columns["design"][first_round].tolist()
        == (["frontier-passive"] * 2 + ["frontier-active"] * 2) * 2
    )


@settings(UNHURRIED, max_examples=30)
@given(n=st.integers(1, 200), seed=st.integers(0, 10**12))
def test_each_part_of_each_range_has_one_sample(n, seed):
    ranges = (
        SampledRange("kappa", Decimal("0.2"), Decimal(5), logarithmic=True),
        SampledRange("concentration", Decimal("0.01"), Decimal(100), logarithmic=True),
        SampledRange("mu", Decimal("0.25"), Decimal(1)),
        SampledRange("monotonicity", Decimal(-1), Decimal(1)),
    )
    samples = latin_hypercube(n, seed, ranges)
    for name, low, high, logarithmic, _ in ranges:
        column = np.log(samples[name]) if logarithmic else samples[name]
        ends = [float(low), float(high)]
        ends = np.log(ends) if logarithmic else np.array(ends)
        share = (column - ends[0]) / (ends[1] - ends[0])
        # Sorted, the i-th lies in the i-th part; six digits may carry it a hair outside.
        parts = np.arange(n) / n
        assert (np.sort(share) >= parts - 1e-5).all()
        assert (np.sort(share) <= parts + 1 / n + 1e-5).all()
        assert samples[name].min() >= float(low)
        assert samples[name].max() <= float(high)


@pytest.mark.parametrize("kappas", ["1.23456789:1.23456791", "1.2345641:1.2345649"])
def test_samples_stay_within_a_range_whose_ends_have_more_digits_than_they_do(kappas):
    config = RingSweep(lhs=5, kappa_range=kappas)
    low, high = map(float, kappas.split(":"))
    found = run_columns(config, np.arange(5))["kappa"]
    assert low <= found.min() <= found.max() <= high


def test_samples_are_the_same_on_every_machine():
    """Pinned: stored runs are told their parameters again from the configuration."""
    kappa = SampledRange("kappa", Decimal("0.2"), Decimal(5), logarithmic=True)
    samples = latin_hypercube(4, 42, (kappa, SampledRange("mu", Decimal(0), Decimal(1))))
    assert samples["kappa"].tolist() == [1.06929, 2.46953, 0.207433, 0.448429]
    assert samples["mu"].tolist() == [0.772253, 0.67267, 0.456226, 0.0619916]


def test_samples_are_decimals_of_six_digits_that_csv_shows_as_they_are():
    wide = SampledRange("concentration", Decimal("0.01"), Decimal(100), logarithmic=True)
    samples = latin_hypercube(50, 1, (wide,))
    for value in samples["concentration"].tolist():
        assert len(Decimal(repr(value)).normalize().as_tuple().digits) <= 6


def test_another_seed_gives_other_samples():
    ranges = (SampledRange("mu", Decimal(0), Decimal(1)),)
    assert (latin_hypercube(9, 1, ranges)["mu"] != latin_hypercube(9, 2, ranges)["mu"]).any()


def test_parameters_without_a_range_keep_the_value_of_their_list():
    config = BalancedSweep(lhs=5, kappa_range="1:2", concentrations=["0.7"])
    columns = everything(config)
    assert set(columns["concentration"].tolist()) == {0.7}
    assert set(columns["outside_mid_ratio"].tolist()) == {1.0}
    assert len(set(columns["kappa"].tolist())) == 5


@pytest.mark.parametrize("sweep_type", ["ring", "balanced"])
def test_the_kernel_gets_the_parameters_that_are_shown(sweep_type):
    """A sample, a point and a cell of the grid with the same numbers have the same results."""
    samples = JobConfig(
        sweep_type=sweep_type, n_agents=6, lhs=3, kappa_range="0.3:3", mu_range="0:1", seeds=[4, 5]
    )
    experiment = registry.experiment(sweep_type)
    indices = np.arange(samples.total_runs)
    shown = experiment.parameters(samples, indices)
    starts = range(0, 3 * len(samples.arms), len(samples.arms))
    points = JobConfig(
        sweep_type=sweep_type,
        n_agents=6,
        seeds=[4, 5],
        points=[
            {"kappa": repr(shown["kappa"][at].item()), "mu": repr(shown["mu"][at].item())}
            for at in starts
        ],
    )
    assert np.array_equal(
        experiment.compute(samples, indices), experiment.compute(points, indices), equal_nan=False
    )
