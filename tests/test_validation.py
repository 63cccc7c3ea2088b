"""What is wrong with input is said in bounded time and space."""

import pytest
from pydantic import BaseModel, ConfigDict

from bilancio.errors import InvalidInput
from bilancio.experiments.configs import RingSweep
from bilancio.validation import nearest, unknown_fields, validated


class Small(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kappas: list[int] = []
    notes: str = ""


def test_of_many_unknown_fields_ten_are_told_with_what_was_meant():
    with pytest.raises(InvalidInput) as error:
        validated(Small, {f"kapas{n}": n for n in range(20_000)})
    sentence = str(error.value)
    assert sentence.startswith(
        "kapas0: unknown field; did you mean kappas? Known fields: kappas, notes.\n"
        "kapas1: unknown field; did you mean kappas?\n"
    )
    assert sentence.endswith("… and 19,990 more problems.")


def test_many_wrong_values_are_counted():
    with pytest.raises(InvalidInput) as error:
        validated(Small, {"kappas": ["a"] * 20_000})
    assert str(error.value).endswith("… and 19,990 more problems.")
    assert len(str(error.value)) < 1000


def test_many_wrong_points_of_a_sweep_are_told_by_the_first_ten():
    with pytest.raises(InvalidInput) as error:
        RingSweep(points=[{"kapa": n} for n in range(20_000)])
    assert len(error.value.problems) == 10
    assert len(str(error.value)) < 2000


def test_an_unknown_name_of_a_million_letters_is_cut():
    error = unknown_fields(["notes" * 10**6], ["notes"])
    assert len(str(error)) < 300


def test_names_that_are_known_are_no_error():
    assert unknown_fields(["notes"], ["notes", "kappas"]) is None


FIELDS = (
    "base_seed", "early_stop", "fail_a", "frontier", "frontier_delta", "frontier_tolerance",
    "kappa_range", "kappas", "liquidity_vector", "max_failures", "max_replicates",
    "maturity_days", "monotonicities", "monotonicity_range", "mu_range", "mus", "n_agents",
    "n_replicates", "no-frontier", "no-start", "outside_mid_ratios", "q_total", "quiet_days",
    "run_order", "run_timeout_s", "seeds",
)  # fmt: skip


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("kapa", "kappas"), ("kappa", "kappas"), ("girds", ""), ("seed", "seeds"),
        ("monotonicity", "monotonicities"), ("monotonicty", "monotonicities"), ("muu", "mus"),
        ("monotonicity_ranges", "monotonicity_range"), ("seed_base", "base_seed"),
        ("agents_n", "n_agents"),
        ("frontier_tol", "frontier_tolerance"),
        ("tolerance", "frontier_tolerance"), ("timeout", "run_timeout_s"),
        ("max_reps", "max_replicates"), ("quiet", "quiet_days"), ("no-fronteir", "no-frontier"),
        ("Outside-Mid-Ratio", "outside_mid_ratios"), ("fial", "fail_a"), ("", ""), ("ä", ""),
    ],
)  # fmt: skip
def test_a_name_is_proposed_that_a_word_is_a_misspelling_or_a_part_of(word, meant):
    assert nearest(word, FIELDS) == meant


@pytest.mark.parametrize(
    "word",
    ["executor", "no-wait", "start", "cores", "folder", "notes", "tag", "cancel", "steps"],
)
def test_nothing_is_proposed_that_merely_shares_some_letters(word):
    assert nearest(word, FIELDS) == ""
