"""Names as people say them in questions: one job is found, or several are offered, none guessed."""

import random
import string

import pytest

from bilancio.jobs.job_id import generate_job_id, words
from bilancio.jobs.spoken_names import AROUND, read_job_id

TIGER = "bright-ocean-swift-tiger"
CASTLE = "castle-river-mountain-forest"
HAWK = "quiet-meadow-golden-hawk"
KNOWN = (TIGER, CASTLE, HAWK, "my-experiment-name", "run-12", "trial-1-2")


@pytest.mark.parametrize(
    ("typed", "how"),
    [
        ("Bright Ocean Swift Tiger", ""),
        ("brigt ocean", "read 'brigt' as 'bright'; only one name begins with 'bright-ocean'"),
        ("ocean bright tiger swift", "the words in another order"),
        ("ocaen bright", "read 'ocaen' as 'ocean'; only one name has 'ocean' and 'bright'"),
        ("swift tiger", "only one name ends with 'swift-tiger'"),
        ("swift tigr", "read 'tigr' as 'tiger'; only one name ends with 'swift-tiger'"),
        ("tiger", "only one name ends with 'tiger'"),
        ("ocean swift", "only one name has 'ocean-swift'"),
        ("brightoceanswifttiger", "read 'brightoceanswifttiger' as 'bright-ocean-swift-tiger'"),
        ("bri ght ocean swift tiger", f"read 'bri ght ocean swift tiger' as '{TIGER}'"),
        ("brigtoceanswifttiger", "read 'brigtoceanswifttiger' as 'bright-ocean-swift-tiger'"),
        (
            "brightocean",
            "read 'brightocean' as 'bright-ocean'; only one name begins with 'bright-ocean'",
        ),
        ("brite ocean swift tiger", "read 'brite' as 'bright'"),
        ("brgt-ocean-swift-tiger", "read 'brgt' as 'bright'"),
        (
            "the bright ocean job",
            "left out 'the', 'job'; only one name begins with 'bright-ocean'",
        ),
        (
            "what were the results of bright ocean swift tiger, please?",
            "left out 'what', 'were', 'the', 'results', 'of', 'please'",
        ),
    ],
)
def test_a_name_is_read_as_it_is_said_and_the_reading_tells_how(typed, how):
    match = read_job_id(typed, KNOWN)
    assert (match.job_id, match.how) == (TIGER, how)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("My Experiment_Name", "my-experiment-name"),
        ("myexperimentname", "my-experiment-name"),
        ("experiment name", "my-experiment-name"),
        ("the run 12 job", "run-12"),
        ("run12", "run-12"),
        ("trial 12", "trial-1-2"),
    ],
)
def test_words_of_custom_names_and_digits_match_apart_from_separators(typed, meant):
    assert read_job_id(typed, KNOWN).job_id == meant


@pytest.mark.parametrize(
    "typed",
    [
        "my experimnt name",
        "name my experiment",
        "run 13",
        "12",
        "trial 2 1",
        "bright-ocean-swift-lion",
        "bright ocean swift tiger lion",
        "brite oshoan tiger",
        "the job",
        "",
        "-- ?!",
        "qwertz uiop",
        "é" * 10_000,
    ],
)
def test_nothing_else_is_guessed(typed):
    match = read_job_id(typed, KNOWN)
    assert match.job_id is None
    assert not match.how


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("brite river", ["bright-river-swift-tiger", "brick-river-golden-hawk"]),
        ("swift tiger", ["bright-ocean-swift-tiger", "castle-swift-tiger-hawk"]),
        ("tiger", ["tiger-castle-hawk-ocean", "bright-ocean-swift-tiger"]),
        ("ocean swift", ["ocean-swift-castle-hawk", "bright-ocean-swift-tiger"]),
        ("tiger ocean", ["bright-ocean-swift-tiger", "castle-ocean-tiger-hawk"]),
        ("run12", ["run-1-2", "run-12"]),
        ("bright ocean job", ["bright-ocean-swift-tiger", "bright-ocean-golden-hawk"]),
    ],
)
def test_two_jobs_that_may_be_meant_are_both_offered(typed, known):
    match = read_job_id(typed, known)
    assert match.job_id is None
    assert set(match.candidates) == set(known)


def test_words_said_around_a_name_are_no_words_of_names():
    assert AROUND.isdisjoint(words())


RNG = random.Random(20261127)
MANY = [generate_job_id(RNG) for _ in range(1_000)]


def slip(word):
    """Return *word* with a letter less, more, other, or two swapped."""
    at = RNG.randrange(len(word))
    letter = RNG.choice(string.ascii_lowercase)
    return RNG.choice(
        [
            word[:at] + word[at + 1 :] if len(word) > 3 else word,
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
        ]
    )


def swapped(parts):
    first, second = RNG.sample(range(len(parts)), 2)
    changed = list(parts)
    changed[first], changed[second] = changed[second], changed[first]
    return changed


SAID = {
    "a slip in each word": lambda parts: " ".join(map(slip, parts)),
    "two words swapped": lambda parts: " ".join(swapped(parts)),
    "swapped, with a slip": lambda parts: " ".join(swapped([slip(parts[0]), *parts[1:]])),
    "run together": "".join,
    "run together, with a slip": lambda parts: slip("".join(parts)),
    "two run together": lambda parts: " ".join([parts[0], parts[1] + parts[2], parts[3]]),
    "in a question": lambda parts: f"how is the {' '.join(parts)} job",
}
IN_PART = {
    "the first word": lambda parts: parts[0],
    "the last word": lambda parts: parts[-1],
    "the first two words": lambda parts: " ".join(parts[:2]),
    "the last two words": lambda parts: " ".join(parts[-2:]),
    "two words of the middle": lambda parts: " ".join(parts[1:3]),
    "two slips in a word": lambda parts: " ".join([slip(slip(parts[0])), *parts[1:]]),
}


@pytest.mark.slow
@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_each_of_many_names_is_found_as_it_is_said(said):
    for name in RNG.sample(MANY, 60):
        typed = said(name.split("-"))
        assert read_job_id(typed, MANY).job_id == name, typed


@pytest.mark.slow
@pytest.mark.parametrize("said", IN_PART.values(), ids=IN_PART)
def test_what_may_fit_several_of_many_names_never_leads_to_a_wrong_one(said):
    for name in RNG.sample(MANY, 60):
        typed = said(name.split("-"))
        assert read_job_id(typed, MANY).job_id in {name, None}, typed
