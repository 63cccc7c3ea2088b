"""The hash of a sweep: of what was asked for, so that it outlives the parameters of the day."""

from decimal import Decimal

import pytest
from pydantic import Field

from bilancio.experiments import registry
from bilancio.experiments.configs import BalancedSweep, RingSweep, SingleRun
from bilancio.experiments.sweep_config import (
    HANDLING_FIELDS,
    digest_now,
    legacy_digest,
)
from bilancio.jobs import JobConfig

STORED_BY_0_1 = {
    "sweep_type": "ring",
    "n_agents": 20,
    "kappas": ["0.5", "1"],
    "concentrations": ["0.5", "2"],
    "mus": ["0"],
    "maturity_days": 10,
    "q_total": "10000",
    "liquidity_mode": "uniform",
    "liquidity_agent": None,
    "liquidity_vector": None,
    "default_handling": "expel-agent",
    "rollover": False,
    "early_stop": False,
    "quiet_days": 2,
    "monotonicities": ["0"],
    "seeds": [7, 8, 9],
    "n_replicates": None,
    "base_seed": None,
    "grid": True,
    "lhs": None,
    "lhs_seed": None,
    "kappa_range": None,
    "concentration_range": None,
    "mu_range": None,
    "monotonicity_range": None,
    "points": None,
    "frontier": False,
    "frontier_delta": None,
    "frontier_tolerance": None,
    "max_failures": 1000,
    "run_timeout_s": 600.0,
    "cloud": False,
}
HASH_OF_0_1 = "040a6fbcc80004243377ad2e3307e272343e43286197121deb7af495db5f4014"


FIXED = {
    "n_agents": 100,
    "maturity_days": 10,
    "q_total": "10000",
    "q_per_agent": None,
    "liquidity_mode": "uniform",
    "liquidity_agent": None,
    "liquidity_vector": None,
    "default_handling": "expel-agent",
    "rollover": False,
    "early_stop": False,
    "quiet_days": 2,
}
SINGLE = {
    **FIXED,
    "sweep_type": "single",
    "kappa": "1",
    "concentration": "1",
    "mu": "0",
    "monotonicity": "0",
    "seed": 42,
}
RING = {
    **FIXED,
    "sweep_type": "ring",
    "kappas": ["1"],
    "concentrations": ["1"],
    "mus": ["0"],
    "monotonicities": ["0"],
    "seeds": [42],
    "n_replicates": None,
    "base_seed": None,
    "vary": None,
    "grid": True,
    "lhs": None,
    "lhs_seed": None,
    "precision": None,
    "precision_by": None,
    "max_replicates": None,
    "sobol": None,
    "sobol_seed": None,
    "kappa_range": None,
    "concentration_range": None,
    "mu_range": None,
    "monotonicity_range": None,
    "points": None,
    "frontier": False,
    "frontier_delta": None,
    "frontier_tolerance": None,
    "threshold": None,
}
BALANCED = {
    **RING,
    "sweep_type": "balanced",
    "rollover": True,
    "outside_mid_ratios": ["1"],
    "outside_mid_ratio_range": None,
    "frontier_arm": None,
    "face_value": 20,
    "vbt_share": "0.25",
    "dealer_share": "0.125",
    "spread_short": "0.2",
    "spread_mid": "0.3",
    "spread_long": "0.4",
    "anchor_update": True,
    "phi_m": "1",
    "phi_o": "0.6",
    "outside_depth": "balance-sheet",
    "horizon": 10,
}
DEFAULTS = {SingleRun: SINGLE, RingSweep: RING, BalancedSweep: BALANCED}


class RingSweepOfTomorrow(RingSweep):
    """A ring with two parameters that today's does not have, one for each cell."""

    appetite: Decimal = Field(default=Decimal("0.5"), description="Added later.")
    holidays: tuple[int, ...] = Field(default=(6, 7), description="Added later.")


@pytest.mark.parametrize(
    ("config", "digest"),
    [
        (SingleRun(), "24a2bb581594064b582338dc1eb0f2de193897b732784aece1e0b9d05d9eabf7"),
        (
            SingleRun(kappa="0.7", seed=5),
            "b94bd95aedc921d9e96a5ed43926351c54919fbc924b2b9317c02f74b0f56600",
        ),
        (RingSweep(), "a849cb664135e15821fd89b7e48c415932fc314d654629985338de8d91844103"),
        (
            RingSweep(kappas=["0.5", "1"], seeds=[7, 8, 9], q_total=20_000),
            "b54a272c40771b6e23c9e679baafe1bb82214925ac72847dae32141f01f64798",
        ),
        (
            RingSweep(frontier=True, kappa_range="0.2:20", n_replicates=4),
            "7378b689fa10ff034e2e9a24dd929580ab7654b52ff48daf92ebbc7afe249610",
        ),
        (BalancedSweep(), "ff436600b0ab723a32458826bcba1201b3f23261aacccf41a8d114fc17cde0ff"),
        (
            BalancedSweep(kappas=["0.3", "0.5"], n_agents=50, horizon=3),
            "b66a3715c96c90540018405cc1c4f9b8aa1e46efdbb2baf3a1a0dd97400ce618",
        ),
        (
            BalancedSweep(lhs=12, kappa_range="0.2:5", points=[{"mu": "0.25"}]),
            "aea1d17f9a6e88f7f1717c4e1146ee4d7b697e62c792d6d582b70eb8a728845c",
        ),
    ],
)
def test_the_digest_of_a_sweep_never_changes(config, digest):
    """Stored jobs and manifests are told apart by it."""
    assert config.digest() == digest


@pytest.mark.parametrize("model", [SingleRun, RingSweep, BalancedSweep])
def test_the_defaults_that_a_digest_leaves_out_never_change(model):
    """A changed default would give an old hash another meaning."""
    written = model().as_dict().items()
    found = {name: value for name, value in written if name not in HANDLING_FIELDS}
    assert found == DEFAULTS[model]


def test_a_parameter_added_later_changes_no_digest():
    asked = {"kappas": ["0.5", "1"], "seeds": [1, 2], "points": [{"mu": "0.5", "kappa": 3}]}
    assert RingSweepOfTomorrow(**asked).digest() == RingSweep(**asked).digest()
    assert RingSweepOfTomorrow(appetite=1).digest() != RingSweep().digest()


def test_an_axis_added_later_changes_no_digest_of_points():
    """A balanced point has one parameter more than a ring's; what was asked for is the same."""
    points = [{"mu": "0.5"}, {"kappa": "2"}]
    ring, balanced = RingSweep(points=points), BalancedSweep(points=points)
    assert ring.asked()["points"] == balanced.asked()["points"]


def test_a_sweep_stored_before_a_parameter_was_added_reads_back_the_same(monkeypatch):
    stored = RingSweep(kappas=["0.5"]).as_dict()
    digest = RingSweep(kappas=["0.5"]).digest()
    built_in = {**registry._BUILT_IN, "ring": (RingSweepOfTomorrow, "")}
    monkeypatch.setattr(registry, "_BUILT_IN", built_in)
    again = JobConfig.model_validate(stored)
    assert isinstance(again, RingSweepOfTomorrow)
    assert again.digest() == digest


def test_a_hash_of_version_0_1_is_recognised_by_what_was_stored_with_it():
    config = JobConfig.model_validate(STORED_BY_0_1)
    assert legacy_digest(STORED_BY_0_1) == HASH_OF_0_1
    assert digest_now(config, STORED_BY_0_1, HASH_OF_0_1) == config.digest()


def test_a_hash_that_version_0_1_gave_to_other_parameters_is_not_recognised():
    altered = {**STORED_BY_0_1, "n_agents": 21}
    config = JobConfig.model_validate(altered)
    assert digest_now(config, altered, HASH_OF_0_1) != config.digest()


@pytest.mark.parametrize("name", HANDLING_FIELDS)
def test_how_a_sweep_is_carried_out_is_not_in_its_digest(name):
    others = {"cloud": True, "run_order": "cells"}
    other = RingSweep(**{name: others.get(name, 3)})
    assert other.digest() == RingSweep().digest()
    assert name in RingSweep().as_dict()


@pytest.mark.parametrize(
    "change", [{"kappas": ["0.30001"]}, {"seeds": [43]}, {"early_stop": True}, {"n_agents": 99}]
)
def test_what_results_depend_on_is_in_the_digest(change):
    assert RingSweep(**change).digest() != RingSweep().digest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"kappas": ["0.50"]}, {"kappas": [0.5]}),
        ({}, {"seeds": [42], "grid": True, "horizon": 10}),
        ({"maturity_days": 5}, {"maturity_days": 5, "horizon": 5}),
        ({"n_replicates": 3}, {"n_replicates": 3, "base_seed": 42}),
        ({"lhs": 4, "mu_range": "0:1"}, {"lhs": 4, "mu_range": [0, "1.0"], "lhs_seed": 42}),
        ({"points": [{"mu": "0.5"}]}, {"points": [{"mu": 0.5, "kappa": "1.0"}], "grid": False}),
    ],
)
def test_the_same_sweep_written_differently_has_the_same_digest(one, other):
    assert BalancedSweep(**one).digest() == BalancedSweep(**other).digest()


def test_a_sweep_read_back_from_what_was_stored_has_the_same_digest():
    for config in (
        BalancedSweep(lhs=3, kappa_range="0.2:5", maturity_days=3, points=[{"kappa": "2"}]),
        RingSweep(frontier=True, kappa_range="1:2", mus=["0", "0.5"], n_replicates=2),
        SingleRun(liquidity_mode="single_at", liquidity_agent=3),
    ):
        assert JobConfig.model_validate(config.as_dict()).digest() == config.digest()
