"""Any scalar parameter of a run as an axis, in every design."""

import itertools
from decimal import Decimal

import numpy as np
import pytest

from bilancio.errors import InvalidInput
from bilancio.experiments import registry
from bilancio.experiments.axes import parameters_that_vary
from bilancio.experiments.configs import BalancedSweep, RingSweep
from bilancio.experiments.design import run_columns, sobol_cells
from bilancio.jobs import JobConfig
from bilancio.model import simulate
from bilancio.model.parameters import BalancedParameters, RingParameters

SAMPLES = {"lhs": 9, "n_replicates": 2}
BAD = {
    "an axis that is not there": (
        {"vary": {"n_agnts": [5]}},
        "vary.n_agnts: unknown field; did you mean n_agents? Known fields: n_agents,",
    ),
    "the name of a list": (
        {"vary": {"kappas": [1]}},
        "vary.kappas: unknown field; did you mean kappa? Known fields:",
    ),
    "an axis of dealers in a ring": ({"vary": {"phi_m": [1]}}, "vary.phi_m: unknown field;"),
    "a list of weights": ({"vary": {"liquidity_vector": [1]}}, "vary.liquidity_vector: unknown"),
    "seeds": (
        {"vary": {"seed": [1, 2]}},
        "vary.seed: got [1, 2]; allowed: nothing, for seeds are given by seeds or n_replicates.",
    ),
    "no names": ({"vary": [1, 2]}, "vary: got [1, 2]; allowed: values by parameter name."),
    "no values": (
        {"vary": {"n_agents": []}},
        "vary.n_agents: got an empty list; allowed: at least one value: a list of whole numbers",
    ),
    "a value out of bounds": (
        {"vary": {"n_agents": [5, 2]}},
        "vary.n_agents[1]: got 2; allowed: whole numbers from 3 to 100000.",
    ),
    "half an agent": ({"vary": {"n_agents": ["5.5"]}}, "vary.n_agents[0]: got '5.5'; allowed: who"),
    "a word that is not known": (
        {"vary": {"default_handling": ["fail-fst"]}},
        (
            "vary.default_handling[0]: got 'fail-fst'; allowed: fail-fast or expel-agent. Did you "
            "mean fail-fast?"
        ),
    ),
    "a boolean that is none": (
        {"vary": {"rollover": "yes,perhaps"}},
        "vary.rollover[1]: got 'perhaps'; allowed: true or false.",
    ),
    "one value twice": (
        {"vary": {"q_total": ["1000", "1e3"]}},
        "vary.q_total: got 1E+3 twice; allowed: each value once.",
    ),
    "step 0": (
        {"vary": {"n_agents": "5:9:0"}},
        "vary.n_agents: got '5:9:0'; allowed: low:high:step, such as 0.1:0.5:0.1, with a step tha",
    ),
    "steps the wrong way": (
        {"vary": {"n_agents": "9:5:1"}},
        "vary.n_agents: got '9:5:1'; allowed: low:high:step",
    ),
    "a range the wrong way": (
        {**SAMPLES, "vary": {"n_agents": "9:5"}},
        "vary.n_agents: got 9:5; allowed: low:high with low below high.",
    ),
    "a range of words": (
        {**SAMPLES, "vary": {"default_handling": "fail-fast:expel-agent"}},
        (
            "vary.default_handling: got 'fail-fast:expel-agent'; allowed: a list of fail-fast or "
            "expel-agent, for only numbers have ranges."
        ),
    ),
    "a range of booleans": (
        {**SAMPLES, "vary": {"rollover": "false:true"}},
        "vary.rollover: got 'false:true'; allowed: a list of true or false, for only numbers",
    ),
    "a range that no design uses": (
        {"vary": {"n_agents": "5:9"}},
        "vary.n_agents: got 5:9; allowed: a list, unless lhs, sobol or threshold is asked for.",
    ),
    "a list that samples do not go through": (
        {**SAMPLES, "kappa_range": "1:2", "vary": {"n_agents": [5, 9]}},
        (
            "vary.n_agents: got 2 values, of which lhs takes one; allowed: one value, or a range, "
            "low:high."
        ),
    ),
    "a parameter that is given beside": (
        {"vary": {"n_agents": [5, 9]}, "n_agents": 50},
        (
            "vary.n_agents: got [5, 9], beside n_agents 50; allowed: either n_agents or "
            "vary.n_agents, not both."
        ),
    ),
    "a list of its own beside": (
        {"vary": {"kappa": [1, 2]}, "kappas": [1]},
        "vary.kappa: got [1, 2], beside kappas [1]; allowed: either kappas or vary.kappa, not b",
    ),
    "an agent that some rings lack": (
        {"vary": {"n_agents": [9, 5]}, "liquidity_mode": "single_at", "liquidity_agent": 7},
        "liquidity_agent: got 7; allowed: whole numbers from 1 to 5, where n_agents is 5.",
    ),
    "an agent that some sampled rings lack": (
        {
            **SAMPLES,
            "vary": {"n_agents": "5:9"},
            "liquidity_mode": "single_at",
            "liquidity_agent": 7,
        },
        "liquidity_agent: got 7; allowed: whole numbers from 1 to 5, where n_agents is 5.",
    ),
    "weights for one size of ring": (
        {
            "vary": {"n_agents": [3, 5]},
            "liquidity_mode": "vector",
            "liquidity_vector": [1, 1, 2],
        },
        "liquidity_vector: got 3 weights; allowed: 5 positive weights, one per trader, where n_a",
    ),
    "an agent in one of many combinations": (
        {
            "vary": {"n_agents": "3:102:1", "liquidity_agent": "1:40:1"},
            "liquidity_mode": "single_at",
        },
        "liquidity_agent: got 40; allowed: whole numbers from 1 to 3, where n_agents is 3 and",
    ),
    "debts in two ways": (
        {"vary": {"q_per_agent": [1, 2]}, "q_total": 5},
        "vary: got q_total and q_per_agent; allowed: either q_total or q_per_agent.",
    ),
    "debts that are too large in some rings": (
        {"vary": {"n_agents": [5, 10_000], "q_per_agent": [10**6]}},
        "q_per_agent: got 1e+06; allowed: at most 100000 with n_agents 10000",
    ),
    "a point that a list leaves open": (
        {"points": [{"kappa": 1}], "vary": {"n_agents": [5, 9]}},
        "points[0].n_agents: got nothing; allowed: a value, for vary.n_agents has 2.",
    ),
    "a point out of bounds": (
        {"points": [{"n_agents": 5}, {"n_agents": 2}]},
        "points[1].n_agents: got 2; allowed: whole numbers from 3 to 100000.",
    ),
    "a point without what others have": (
        {
            "points": [{"liquidity_agent": 1, "liquidity_mode": "single_at"}, {"n_agents": 4}],
        },
        "points[1].liquidity_agent: got nothing; allowed: a value.",
    ),
}


@pytest.mark.parametrize(("given", "sentence"), BAD.values(), ids=BAD)
def test_bad_axes_are_answered_with_field_value_and_what_is_allowed(given, sentence):
    with pytest.raises(InvalidInput) as error:
        JobConfig(sweep_type="ring", **given)
    assert str(error.value).startswith(sentence)


def test_every_number_boolean_and_word_of_a_run_is_an_axis():
    chosen = {"kind", "arm", "seed", "liquidity_vector"}
    for model in (RingParameters, BalancedParameters):
        assert parameters_that_vary(model).keys() == model.model_fields.keys() - chosen


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("50:200:50", (50, 100, 150, 200)),
        ("50:190:50", (50, 100, 150)),
        ([50, "100"], (50, 100)),
        ("50,100:120:10", (50, 100, 110, 120)),
        (np.array([50, 60]), (50, 60)),
        (50, (50,)),
        (["50:60:10"], (50, 60)),
    ],
)
def test_a_list_is_written_in_any_spelling(written, values):
    config = RingSweep(vary={"n_agents": written})
    assert config.axes["n_agents"] == values
    assert config.total_runs == len(values)


def test_values_are_exact_and_stored_as_they_are_meant():
    config = BalancedSweep(
        vary='{"dealer_share": [0.05, 0.125], "default_handling": "expel-agent", "rollover": "no"}'
    )
    assert config.axes["dealer_share"] == (Decimal("0.05"), Decimal("0.125"))
    assert config.as_dict()["vary"] == {
        "default_handling": ["expel-agent"],
        "rollover": [False],
        "dealer_share": ["0.05", "0.125"],
    }


def test_axes_go_from_slow_to_fast_through_the_lists_and_then_as_one_run_declares_them():
    config = RingSweep(vary={"early_stop": [False, True], "n_agents": [5, 6]}, kappas=[1, 2])
    columns = run_columns(config, np.arange(config.total_runs))
    named = ("kappa", "n_agents", "early_stop")
    cells = list(zip(*(columns[name].tolist() for name in named), strict=True))
    assert cells == list(itertools.product([1, 2], [5, 6], [False, True]))


def test_the_order_of_names_changes_neither_cells_nor_hash():
    one = RingSweep(vary={"early_stop": [False, True], "n_agents": [5, 6]})
    other = RingSweep(vary={"n_agents": [5, 6], "early_stop": [False, True]})
    assert one.as_dict() == other.as_dict()
    assert one.digest() == other.digest()


def test_columns_hold_words_booleans_and_whole_numbers_as_such():
    config = RingSweep(vary={"n_agents": [5], "early_stop": [True], "liquidity_mode": ["uniform"]})
    columns = run_columns(config, np.arange(1))
    assert columns["n_agents"].dtype == np.int64
    assert columns["early_stop"].dtype == bool
    assert columns["liquidity_mode"].tolist() == ["uniform"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"vary": {"kappa": "0.5,1"}}, {"kappas": ["0.5", "1"]}),
        ({"vary": {"kappa": "0.5:1"}, "lhs": 3}, {"kappa_range": ["0.5", "1"], "lhs": 3}),
        ({"vary": {}}, {}),
        ({"vary": None, "n_agents": None}, {}),
    ],
)
def test_a_parameter_with_a_list_of_its_own_is_moved_there(one, other):
    assert RingSweep(**one) == RingSweep(**other)
    assert RingSweep(**one).digest() == RingSweep(**other).digest()


@pytest.mark.parametrize(
    "given",
    [
        {"vary": {"n_agents": [5, 6], "maturity_days": [3, 4]}},
        {"vary": {"n_agents": "5:9", "phi_m": "0.5:1.5"}, "lhs": 4},
        {"vary": {"n_agents": "5:9", "phi_m": "0.5:1.5"}, "sobol": 4, "grid": True},
        {"points": [{"n_agents": 5, "outside_depth": "unlimited"}, {"horizon": 3}]},
    ],
)
def test_a_sweep_reads_back_from_its_fields_and_from_what_was_stored(given):
    config = BalancedSweep(**given)
    assert BalancedSweep(**dict(config)) == config
    again = JobConfig.model_validate(config.as_dict())
    assert again == config
    assert again.digest() == config.digest()


def test_a_total_has_no_value_where_debts_per_agent_vary():
    config = RingSweep(vary={"q_per_agent": [100, 200]})
    assert config.as_dict()["q_total"] is None
    assert config.asked() == {"vary": {"q_per_agent": ["100", "200"]}}


def test_a_parameter_that_varies_has_no_value_of_its_own():
    config = RingSweep(vary={"n_agents": [5, 6]})
    assert config.n_agents is None
    assert config.as_dict()["n_agents"] is None
    assert "n_agents" not in config.asked()


def test_what_varies_is_known_by_the_names_that_results_group_by():
    assert RingSweep(vary={"n_agents": [5, 6], "early_stop": [True]}).varied == ("n_agents",)
    assert RingSweep(vary={"n_agents": "5:9"}, lhs=3).varied == ("n_agents",)
    assert RingSweep(points=[{"n_agents": 5}, {"rollover": True}]).varied == (
        "n_agents",
        "rollover",
    )


def test_values_that_are_all_but_equal_are_remarked_on():
    (remark,) = RingSweep(vary={"q_total": ["1000", "1000.0000000001"]}).remarks
    assert remark.startswith("vary.q_total: 1000 and 1000.0000000001 differ by less than 1e-9")


def test_the_cost_of_a_sweep_is_that_of_the_rings_it_has():
    assert RingSweep(vary={"n_agents": [50, 150]}).cost == 200
    assert RingSweep(vary={"n_agents": "50:150"}, lhs=4).cost == 400
    assert RingSweep(points=[{"n_agents": 10}, {"n_agents": 20}]).cost == 30


SIMULATED = {
    "a grid of everything": {
        "maturity_days": 3,
        "vary": {
            "n_agents": [4, 7],
            "default_handling": ["fail-fast", "expel-agent"],
            "rollover": [False, True],
            "q_total": ["500", "1000.5"],
        },
    },
    "debts per agent": {"vary": {"n_agents": [4, 7], "q_per_agent": ["50", "80.5"]}},
    "horizons that follow maturity": {
        "n_agents": 6,
        "vary": {"maturity_days": [2, 6], "quiet_days": [1, 9999]},
    },
    "ways to allot cash": {
        "n_agents": 5,
        "vary": {"liquidity_mode": ["single_at", "uniform", "vector"]},
        "liquidity_agent": 2,
        "liquidity_vector": [1, 2, 3, 4, 5],
    },
    "points": {
        "points": [
            {"n_agents": 4, "liquidity_mode": "single_at", "liquidity_agent": 3},
            {"n_agents": 9, "liquidity_mode": "uniform", "liquidity_agent": 1, "kappa": "0.3"},
        ],
    },
    "samples": {"lhs": 6, "vary": {"n_agents": "4:9", "kappa": "0.3:3"}},
}
DEALERS = {
    "dealers": {
        "n_agents": 8,
        "vary": {
            "outside_depth": ["unlimited", "balance-sheet"],
            "dealer_share": ["0.05", "0.2"],
            "horizon": [1, 5, 900],
            "anchor_update": [True, False],
        },
    },
}


@pytest.mark.parametrize(
    ("sweep_type", "given"),
    [
        pytest.param(sweep_type, given, id=f"{sweep_type}: {name}")
        for sweep_type, cases in {"ring": SIMULATED, "balanced": SIMULATED | DEALERS}.items()
        for name, given in cases.items()
    ],
)
def test_the_kernel_gets_the_parameters_that_are_shown(sweep_type, given):
    """Each run of a batch is the one that its parameters give alone."""
    config = JobConfig(sweep_type=sweep_type, seeds=[3], **given)
    experiment = registry.experiment(sweep_type)
    indices = np.arange(config.total_runs)
    metrics, shown = experiment.compute(config, indices), experiment.parameters(config, indices)
    for index in indices:
        row = {name: column[index].item() for name, column in shown.items()}
        del row["cell"]
        row.pop("design", None)
        fields = {**config.run_of(row), "kind": sweep_type}
        alone = simulate(**fields)
        for metric in experiment.metrics:
            found = metric.readable(metrics[metric.name][index].item())
            assert found == getattr(alone, metric.name)


def test_a_whole_number_is_sampled_with_both_ends_as_likely_as_the_rest():
    config = RingSweep(vary={"n_agents": "5:8"}, lhs=400)
    sampled = run_columns(config, np.arange(400))["n_agents"]
    assert sampled.dtype == np.int64
    assert np.unique(sampled, return_counts=True)[1].tolist() == [100] * 4


# -- Sobol ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "sentence"),
    [
        (100, "sobol: got 100; allowed: a power of two, such as 64 or 128."),
        (3, "sobol: got 3; allowed: a power of two, such as 2 or 4."),
        (0, "sobol: got 0; allowed: whole numbers from 2 to 10000000."),
    ],
)
def test_a_sobol_design_takes_a_power_of_two(n, sentence):
    with pytest.raises(InvalidInput) as error:
        RingSweep(sobol=n, kappa_range="1:2")
    assert str(error.value) == sentence


def test_a_sobol_design_needs_a_range():
    with pytest.raises(InvalidInput, match="sobol: got 8 samples of nothing; allowed: one range"):
        RingSweep(sobol=8)
    with pytest.raises(InvalidInput, match="sobol_seed: got 1; allowed: nothing, unless sobol is"):
        RingSweep(sobol_seed=1)


def test_the_cells_of_a_sobol_design_swap_one_parameter_after_the_other():
    config = BalancedSweep(
        sobol=8,
        kappa_range="0.2:5",
        vary={"n_agents": "5:50", "dealer_share": "0.05:0.2"},
        kappas=[1, 2],
        mus=["0.5"],
        n_replicates=2,
    )
    assert config.blocks == {"grid": 2, "sobol": 8 * 5}
    cells = sobol_cells(config)
    assert cells.names == ("kappa", "n_agents", "dealer_share")
    first = 2 * np.arange(config.layout.n_cells)
    columns = run_columns(config, first)
    assert columns["design"].tolist() == ["grid"] * 2 + ["sobol"] * 16 + ["sobol-ab"] * 24
    assert set(columns["mu"].tolist()) == {0.5}
    for name in cells.names:
        a, b = columns[name][cells.a], columns[name][cells.b]
        assert (a != b).any()
        for swapped, ab in zip(cells.names, columns[name][cells.ab], strict=True):
            assert ab.tolist() == (b if swapped == name else a).tolist()


def test_samples_of_a_sobol_sequence_are_the_same_on_every_machine():
    """Pinned: stored runs are told their parameters again from the configuration."""
    config = RingSweep(sobol=4, kappa_range="0.2:5", vary={"n_agents": "5:50"})
    columns = run_columns(config, np.arange(config.total_runs))
    cells = sobol_cells(config)
    assert columns["kappa"][cells.a].tolist() == [0.387155, 2.62501, 1.41949, 0.699747]
    assert columns["n_agents"][cells.b].tolist() == [35, 20, 40, 15]


def test_outputs_of_a_sobol_design_are_told_apart():
    config = BalancedSweep(sobol=2, kappa_range="0.2:5", mu_range="0:1", n_replicates=3)
    cells = sobol_cells(config)
    cube = config.layout.cube(np.arange(config.total_runs))
    f_a, f_b, f_ab = cells.outputs(cube[:, :, 1])
    assert (f_a.shape, f_b.shape, f_ab.shape) == ((2, 3), (2, 3), (2, 2, 3))
    for found, where in ((f_a, cells.a), (f_b, cells.b), (f_ab[1], cells.ab[1])):
        seed, cell, arm = config.layout.locate(found)
        assert (cell == where[:, None]).all()
        assert (seed == np.arange(3)).all()
        assert (arm == 1).all()


def test_a_sweep_without_a_sobol_design_has_no_such_cells():
    with pytest.raises(ValueError, match="sobol: got nothing"):
        sobol_cells(RingSweep())
