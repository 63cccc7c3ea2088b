"""What is wrong with input is said in bounded time and space."""

import pytest
from pydantic import BaseModel, ConfigDict

from bilancio.errors import InvalidInput
from bilancio.experiments.configs import RingSweep
from bilancio.validation import unknown_fields, validated


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
