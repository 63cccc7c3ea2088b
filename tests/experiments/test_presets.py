"""A preset fills in what is not given; what is stored says what was computed."""

import pytest

from bilancio.errors import InvalidInput
from bilancio.experiments import registry
from bilancio.experiments.presets import PRESETS
from bilancio.jobs import JobConfig, JobManager


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("sweep_type", ["ring", "balanced"])
def test_a_preset_is_stored_as_the_fields_that_it_fills_in(name, sweep_type):
    fields = PRESETS[name].fields_of(registry.config_model(sweep_type))
    by_word = JobConfig(sweep_type=sweep_type, preset=name)
    by_field = JobConfig(sweep_type=sweep_type, **fields)
    assert by_word == by_field
    assert by_word.digest() == by_field.digest()
    assert "preset" not in by_word.as_dict()


GIVEN = {
    "a list": ({"kappas": ["2"]}, {"kappas": ["2"]}),
    "an axis by name": ({"vary": {"kappa": "1,2"}}, {"kappas": ["1", "2"]}),
    "seeds": ({"seeds": [1, 2]}, {"seeds": [1, 2], "n_replicates": ...}),
    "one number as an axis": (
        {"vary": {"n_agents": [5, 9]}}, {"vary": {"n_agents": [5, 9]}, "n_agents": ...},
    ),
    "nothing, by null": ({"mus": None}, {"mus": ...}),
    "a search": (
        {"frontier": True, "kappa_range": ["0.2", "5"]},
        {"frontier": True, "kappa_range": ["0.2", "5"], "kappas": ...},
    ),
    "samples": (
        {"lhs": 9, "kappa_range": ["0.2", "5"], "mu_range": ["0", "1"]},
        {"lhs": 9, "kappa_range": ["0.2", "5"], "mu_range": ["0", "1"], "kappas": ..., "mus": ...},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GIVEN)
def test_what_is_given_wins_wherever_it_is_given(case):
    given, expected = GIVEN[case]
    asked = JobConfig(sweep_type="balanced", preset="stressed", **given).asked()
    whole = {**JobConfig(sweep_type="balanced", preset="stressed").asked(), **expected}
    assert asked == {name: value for name, value in whole.items() if value is not ...}


def test_a_preset_takes_the_place_of_what_another_job_asked_for():
    asked = {"sweep_type": "ring", "n_agents": 5, "kappas": ["2"], "mus": ["1"]}
    with JobManager() as manager:
        other = manager.create_job("ample", asked).job_id
        seen = manager.preview({"preset": "stressed", "mus": ["0"]}, like=other).config.asked()
    assert (seen["kappas"], seen["n_agents"]) == (["0.25", "0.5"], 5)
    assert "mus" not in seen  # 0 is the default


REFUSED = {
    "unknown": (
        {"preset": "stresed"},
        "preset: got 'stresed'; allowed: stressed, paper, quick. Did you mean stressed?",
    ),
    "a number": ({"preset": 3}, "preset: got 3; allowed: stressed, paper, quick."),
    "beside samples": (
        {"preset": "stressed", "lhs": 9, "kappa_range": [1, 2]},
        (
            "preset: got 'stressed' with lhs; allowed: grids only, for it lists mus; "
            "give these, or their ranges."
        ),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_preset_can_mean_is_refused(case):
    given, sentence = REFUSED[case]
    with pytest.raises(InvalidInput) as error:
        JobConfig(sweep_type="balanced", **given)
    assert str(error.value) == sentence


def test_who_asks_a_single_run_for_a_preset_is_told_which_sweeps_have_some():
    with pytest.raises(InvalidInput, match="did you mean sweep_type ring or balanced"):
        JobConfig(sweep_type="single", preset="stressed")
