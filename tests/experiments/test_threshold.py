"""Searches along any axis for where any measure meets a limit."""

import json
import math

import numpy as np
import pytest

from bilancio.errors import InvalidInput
from bilancio.experiments import frontier, registry
from bilancio.experiments.configs import BalancedSweep, RingSweep
from bilancio.jobs import AsyncJobManager, JobConfig

SMALL = {"n_agents": 6, "maturity_days": 3}
DELTA = {"axis": "kappa", "measure": "delta", "at_most": "0.05"}


def headline(found):
    return registry.experiment("balanced").headline({"frontier": found})


def driven(config, compute=None):
    """Carry a search out; return its runs and their rows."""
    experiment = registry.experiment(config.sweep_type)
    compute = compute or experiment.compute
    indices, metrics = np.empty(0, np.int64), None
    while (step := experiment.next_step(config, indices, metrics_or_none(metrics))) is not None:
        rows = compute(step.config, step.indices)
        metrics = rows if metrics is None else np.concatenate([metrics, rows])
        indices = np.concatenate([indices, step.indices])
        order = np.argsort(indices)
        indices, metrics = indices[order], metrics[order]
    return indices, metrics


def metrics_or_none(metrics):
    return np.empty(0, [("delta_total", float)]) if metrics is None else metrics


def rows_of(config, compute=None):
    indices, metrics = driven(config, compute)
    table = registry.experiment(config.sweep_type).search_table(config, indices, metrics)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def measured(name, function):
    """Return a `compute` in which a metric is a function of what is searched."""

    def compute(config, indices):
        axis = config.search_target.axis
        values = registry.experiment(config.sweep_type).parameters(config, indices)[axis]
        rows = np.zeros(len(indices), [("delta_total", float), ("n_defaults", "i4"), (axis, float)])
        rows[axis] = values
        rows[name] = [function(value) for value in values]
        return rows

    return compute


def test_a_threshold_of_the_default_rate_along_kappa_is_the_frontier():
    given = {**SMALL, "kappa_range": "0.2:4", "n_replicates": 3}
    old, new = RingSweep(**given, frontier=True), RingSweep(**given, threshold=DELTA)
    assert new.frontier
    assert new.total_runs == old.total_runs
    (by_frontier,), (by_threshold,) = rows_of(old), rows_of(new)
    assert by_threshold == {**by_frontier, "met": "at and above"}
    assert driven(old)[1].tobytes() == driven(new)[1].tobytes()


@pytest.mark.parametrize("largest", [5, 11, 39])
def test_whole_numbers_are_halved_to_neighbours(largest):
    config = RingSweep(
        maturity_days=3,
        vary={"n_agents": "5:40"},
        threshold={"axis": "n_agents", "measure": "n_defaults", "at_most": 3},
    )
    (found,) = rows_of(config, measured("n_defaults", lambda n: 3 if n <= largest else 4))
    assert (found["n_agents_star"], found["met"]) == (largest, "at and below")
    assert (found["status"], found["n_defaults"]) == ("found", 3)
    assert found["probes"] <= config.max_probes == 8


def test_an_axis_without_a_logarithm_is_halved_to_a_share_of_its_range():
    config = RingSweep(
        **SMALL,
        mu_range="0:1",
        threshold={"axis": "mu", "measure": "delta", "at_least": "0.5"},
    )
    _, metrics = driven(config, measured("delta_total", lambda mu: mu))
    assert metrics["mu"].tolist()[:3] == [0, 1, 0.5]
    (found,) = rows_of(config, measured("delta_total", lambda mu: mu - 0.2))
    assert 0.7 <= found["mu_star"] <= 0.71
    assert found["met"] == "at and above"


@pytest.mark.parametrize(
    ("function", "status", "star"),
    [
        (lambda kappa: 0.04 - kappa / 1000, "below bracket", 0.2),
        (lambda kappa: kappa / 1000, "above bracket", 4),
        (lambda kappa: 0.9 - kappa / 10, "above bracket: δ = 0.5 at κ = 4", None),
        (lambda kappa: 0.1 + kappa / 10, "below bracket: δ = 0.12 at κ = 0.2", None),
        (lambda _: math.nan, "above bracket: δ = undefined at κ = 4", None),
    ],
)
def test_a_limit_that_both_ends_meet_or_miss_lies_where_the_measure_gets_worse(
    function, status, star
):
    config = RingSweep(**SMALL, kappa_range="0.2:4", threshold=DELTA)
    (found,) = rows_of(config, measured("delta_total", function))
    assert (found["status"], found["kappa_star"], found["probes"]) == (status, star, 2)


def test_an_effect_of_trading_is_searched_in_both_arms_together():
    config = BalancedSweep(
        **SMALL,
        mus=[1],
        n_replicates=12,
        kappa_range="0.2:4",
        threshold={"axis": "kappa", "measure": "trading_effect", "at_least": "0.02"},
    )
    indices, metrics = driven(config)
    assert config.n_searches == 1
    assert (np.bincount(indices % 2) == len(indices) / 2).all()
    (found,) = rows_of(config)
    at_star = metrics["delta_total"][metrics["kappa"] == found["kappa_star"]]
    effect = (at_star[0::2] - at_star[1::2]).mean()
    assert found["trading_effect"] == pytest.approx(effect)
    assert found["kappa_star_low"] <= found["kappa_star"] <= found["kappa_star_high"]
    assert "arm" not in found


def test_a_measure_of_one_arm_is_searched_in_that_arm_alone():
    given = {**SMALL, "kappa_range": "0.2:4", "n_replicates": 2}
    threshold = {"axis": "kappa", "measure": "n_trades", "at_most": 2}
    each = BalancedSweep(**given, threshold=threshold)
    one = BalancedSweep(**given, threshold={**threshold, "arm": "active"})
    assert [row["arm"] for row in rows_of(each)] == ["passive", "active"]
    assert rows_of(one) == rows_of(each)[1:]
    assert one.total_runs == each.total_runs / 2


def test_the_headline_of_a_threshold_names_axis_measure_and_limit():
    config = RingSweep(
        **SMALL,
        n_replicates=2,
        mu_range="0:1",
        threshold={"axis": "mu", "measure": "n_defaults", "at_least": 2},
    )
    words = headline(
        frontier.summary(config, *driven(config, measured("n_defaults", lambda mu: 4 * mu)))
    )
    assert words == (
        "μ from 0 to 1 where the mean n_defaults is at least 2: μ* 0.5, at and above it, in 1 of 1 "
        "cell, all 2 seeds alike, so no range."
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"axis": "kapa", "at_most": 1}, "Did you mean kappa?"),
        ({"axis": "liquidity", "at_most": 1}, "Did you mean kappa?"),
        ({"axis": "kappa", "measure": "default rate", "at_most": 1}, "Did you mean delta_total?"),
        ({"axis": "default_handling", "at_most": 1}, "threshold.axis: got 'default_handling'"),
        ({"axis": "kappa", "measure": "detla", "at_most": 1}, "Did you mean delta?"),
        ({"axis": "mu", "at_most": 1}, "threshold.axis: got mu without mu_range"),
        ({"axis": "n_agents", "at_most": 1}, "got n_agents without vary.n_agents"),
        ({"axis": "kappa", "at_most": 1, "at_least": 2}, "got at_most 1 and at_least 2"),
        ({"axis": "kappa"}, "threshold: got no limit; allowed: either at_most or at_least"),
        ({"at_most": 1}, "threshold.axis: got nothing"),
        ({"axis": "kappa", "at_most": "few"}, "threshold.at_most: got 'few'; allowed: a number"),
        ({"axis": "kappa", "atmost": 1}, "did you mean at_most?"),
        ({"axis": "kappa", "at_most": 1, "arm": "actve"}, "Did you mean active?"),
        (
            {"axis": "kappa", "measure": "trading_effect", "at_most": 1, "arm": "active"},
            "nothing, for trading_effect is of all arms together",
        ),
        ("kappa", "values by name"),
    ],
)
def test_a_threshold_that_says_something_else_is_refused_in_a_sentence(given, said):
    with pytest.raises(InvalidInput) as refused:
        BalancedSweep(kappa_range="0.2:4", threshold=given)
    assert said in str(refused.value)


def test_a_threshold_says_what_the_older_fields_say():
    with pytest.raises(InvalidInput, match="frontier_delta"):
        RingSweep(kappa_range="0.2:4", threshold=DELTA, frontier_delta="0.1")
    with pytest.raises(InvalidInput, match="frontier: got false"):
        RingSweep(kappa_range="0.2:4", threshold=DELTA, frontier=False)
    with pytest.raises(InvalidInput, match="low:high with low below high"):
        RingSweep(kappa_range="4:0.2", threshold=DELTA)


async def test_a_dictionary_says_what_a_search_along_any_axis_has_found(monkeypatch):
    monkeypatch.setenv("BILANCIO_WORKERS", "1")
    async with AsyncJobManager() as manager:
        config = JobConfig(
            sweep_type="ring",
            maturity_days=3,
            vary={"n_agents": "5:6"},
            threshold={"axis": "n_agents", "measure": "n_defaults", "at_most": 3},
        )
        job = await manager.run_job((await manager.create_job("agents", config)).job_id)
    told = json.loads((job.folder / "columns.json").read_text())["files"]["frontier.csv"]
    facts = {each["name"]: each for each in told}
    assert facts["n_agents_star_low"]["meaning"] == "Lower end of the 95 % range of n_agents_star."
    assert facts["n_defaults"]["unit"] == "agents"
    assert all(each["meaning"] for each in told)
