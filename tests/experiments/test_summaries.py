"""What a summary says, held to plain Python over the same runs."""

import statistics

import numpy as np
import pytest
from scipy import stats

from bilancio.experiments import registry
from bilancio.experiments.standard import so_far
from bilancio.jobs import JobConfig

PASSIVE = [0.5, 0.4, 0.6, 0.2, 0.3, 0.3]
ACTIVE = [0.3, 0.4, 0.7, 0.1, 0.3, 0.1]


def comparison(n_pairs=6):
    """Return experiment, sweep of two cells and three seeds, indices, and metrics by hand."""
    config = JobConfig(sweep_type="balanced", kappas=["0.5", "1"], n_replicates=3)
    experiment = registry.experiment("balanced")
    rows = np.zeros(2 * n_pairs, [("delta_total", float), ("phi_total", float)])
    rows["delta_total"][::2], rows["delta_total"][1::2] = PASSIVE[:n_pairs], ACTIVE[:n_pairs]
    return experiment, config, np.arange(2 * n_pairs), rows


def test_a_comparison_counts_the_pairs_that_improved_stayed_and_worsened():
    experiment, config, indices, rows = comparison()
    found = experiment.summarise(config, indices, rows)
    assert (found["improved"], found["unchanged"], found["worsened"]) == (3, 2, 1)
    assert found["n_pairs"] == 6


def test_the_interval_of_an_effect_is_students_over_seeds():
    experiment, config, indices, rows = comparison()
    found = experiment.summarise(config, indices, rows)
    seeds = experiment.parameters(config, indices)["seed"][::2]
    effects = np.array(PASSIVE) - np.array(ACTIVE)
    of_seeds = [effects[seeds == seed].mean() for seed in np.unique(seeds)]
    expected = stats.t.interval(0.95, 2, loc=statistics.mean(of_seeds), scale=stats.sem(of_seeds))
    assert found["trading_effect_ci95"] == pytest.approx(expected)
    assert found["avg_trading_effect"] == pytest.approx(effects.mean())


def test_the_headline_of_a_comparison_says_effect_interval_and_pairs():
    experiment, config, indices, rows = comparison()
    found = experiment.summarise(config, indices, rows)
    low, high = found["trading_effect_ci95"]
    assert low < 0 < high
    assert experiment.headline(found) == (
        "Trading lowered the average default rate by 0.0667, from 0.3833 (passive) to 0.3167 "
        f"(active); 95 % interval {low:.4f} to {high:.4f}, 3 seeds, undecided. "
        "Of 6 pairs 3 improved, 2 did not change, 1 worsened."
    )


def test_a_single_pair_is_counted_as_one():
    config = JobConfig(sweep_type="balanced", n_agents=10, kappas=["0.5"], mus=["0.5"], seeds=[1])
    experiment = registry.experiment("balanced")
    rows = np.zeros(2, [("delta_total", float), ("phi_total", float)])
    headline = experiment.headline(experiment.summarise(config, np.arange(2), rows))
    assert headline.endswith("Of 1 pair 0 improved, 1 did not change, 0 worsened.")


def test_before_the_first_whole_seed_there_is_no_effect_to_tell():
    experiment, config, indices, rows = comparison()
    found = experiment.summarise(config, indices[:1], rows[:1])
    assert experiment.headline(found) == (
        "No seed has results in all cells yet: 1 of 2 cells have some, so there is no average."
    )


def test_of_an_unfinished_comparison_the_whole_seeds_are_told():
    experiment, config, indices, rows = comparison()
    found = experiment.summarise(config, indices[:11], rows[:11])
    assert (found["n_seeds"], found["n_pairs"]) == (2, 4)
    assert experiment.headline(found).startswith("So far 2 of 3 seeds. Trading lowered")


def test_trading_that_harms_is_said_to_raise_the_rate():
    experiment, config, indices, rows = comparison()
    rows["delta_total"] = rows["delta_total"].reshape(-1, 2)[:, ::-1].ravel()
    found = experiment.summarise(config, indices, rows)
    assert "Trading raised the average default rate by 0.0667" in experiment.headline(found)
    assert (found["improved"], found["worsened"]) == (1, 3)


def test_a_ring_says_its_default_rate_with_the_interval_low_to_high():
    config = JobConfig(sweep_type="ring", n_replicates=6)
    experiment = registry.experiment("ring")
    rows = np.zeros(6, [("delta_total", float), ("phi_total", float)])
    rows["delta_total"] = PASSIVE
    low, high = stats.t.interval(0.95, 5, loc=statistics.mean(PASSIVE), scale=stats.sem(PASSIVE))
    assert experiment.headline(experiment.summarise(config, np.arange(6), rows)) == (
        f"The average default rate is 0.3833 (95 % interval {low:.4f} to {high:.4f}, 6 seeds)."
    )


def test_what_was_recovered_is_told_in_money_and_what_was_traded_of_the_active_arm():
    config = JobConfig(
        sweep_type="balanced", n_agents=30, kappas=["0.5"], mus=["0.5"], seeds=[1, 2]
    )
    experiment = registry.experiment("balanced")
    indices = np.arange(4)
    runs = experiment.compute(config, indices)
    found = experiment.summarise(config, indices, runs)
    recovered = runs["recovered_micro"] / 10**6
    assert found["avg_recovered_face_passive"] == pytest.approx(recovered[::2].mean())
    assert found["avg_recovered_face_active"] == pytest.approx(recovered[1::2].mean())
    assert found["avg_traded_face"] == runs["traded_face"][1::2].mean() > 0
    units = {each.name: each.unit for each in experiment.measures(runs.dtype.names)}
    assert {units[f"recovered_face_{arm}"] for arm in config.arms} == {"money"}


def test_what_was_recovered_in_rings_is_told_in_money():
    config = JobConfig(sweep_type="ring", n_agents=30, kappas=["0.5"], seeds=[1, 2])
    experiment = registry.experiment("ring")
    runs = experiment.compute(config, np.arange(2))
    found = experiment.summarise(config, np.arange(2), runs)
    expected = runs["recovered_micro"].mean() / 10**6
    assert found["avg_recovered_face"] == pytest.approx(expected)
    assert expected > 0


def test_averages_that_failures_prevent_are_not_promised():
    known = {"n_seeds": 0, "planned_seeds": 3, "cells_with_results": 1, "n_cells": 2}
    assert so_far(known).startswith("No seed has results in all cells yet: 1 of 2 cells")
    said = so_far({**known, "seeds_with_failed_runs": 3})
    assert said.startswith("No seed has results in all cells: 1 of 2 cells")
    assert said.endswith("3 seeds with failed runs left out.")
