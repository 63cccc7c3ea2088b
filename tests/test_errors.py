"""Errors travel between processes with their sentence."""

import pickle
from fractions import Fraction
from pathlib import PurePath

import pytest

from bilancio import errors
from bilancio.errors import BilancioError, Problem, invalid

EXAMPLES = [
    errors.InvalidInput([Problem("kappa", "0", "numbers above 0", "1")]),
    invalid("seeds", -1, "whole numbers from 0"),
    errors.InvalidJobId("Bad Name", "words joined by '-'", ["bad-name"]),
    errors.JobNotFound("brigt", ["bright-ocean-swift-tiger"], "Give the whole name."),
    errors.JobNotFound("nothing"),
    errors.JobExists("my-name", "the first"),
    errors.JobStateError("my-name", "completed", "started", "Its results are there."),
    errors.ConfirmationNeeded("my-name", "It takes 3 h."),
    errors.RunAlreadyRecorded("my-name", "r1"),
    errors.ResultsMissing("my-name", "only the summary was imported."),
    errors.NothingToDraw("my-name", "no run has been recorded yet."),
    errors.LeaseLost("my-name", "worker-a"),
    errors.ExecutorUnavailable("modal", ["local"]),
    errors.TokenMissing("Modal"),
    errors.ExecutorFailed("local", "no process could be started"),
    errors.ExperimentFailed("queue", "summarise", "ZeroDivisionError: division by zero"),
    errors.OutputError("/there", "Permission denied"),
    errors.LibraryMissing("pandas", "No module named 'pandas'"),
    errors.NoticeNotDelivered("it answered 500"),
    errors.ManagerUnusable("it was closed"),
    errors.WorkerError("my-name", "it could not be started."),
    errors.StoreError("b.db", "it was closed."),
    errors.NotAStore("b.db", "it is no database."),
    errors.StoreTooNew("b.db", "a newer bilancio wrote it."),
    errors.StoreCorrupt("b.db", "the file is damaged."),
    errors.JobDamaged("my-name", "its tags are not JSON"),
    errors.StoreConflict("b.db", "the constraint failed."),
    errors.StoreUnavailable("b.db", "the disk is full."),
    errors.StoreUnreachable("postgresql://host/db", "the server does not answer."),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_comes_out_of_another_process_as_it_went_in(error):
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)


def test_every_error_of_the_tree_is_tried():
    def below(kind):
        return {kind}.union(*map(below, kind.__subclasses__()))

    ours = {each for each in below(BilancioError) if each.__module__ == errors.__name__}
    assert ours - {BilancioError} == {type(error) for error in EXAMPLES}


def test_a_sentence_names_field_value_got_values_allowed_and_what_was_meant():
    assert str(EXAMPLES[0]) == "kappa: got 0; allowed: numbers above 0. Did you mean 1?"


def test_each_problem_has_its_own_sentence():
    both = errors.InvalidInput([Problem("a", "1", "2"), Problem("b", "3", "4")])
    assert str(both) == "a: got 1; allowed: 2.\nb: got 3; allowed: 4."


def alias_bomb(levels=40):
    """Return a list that would have 2 to the power of *levels* elements if written out."""
    bomb = ["ha"]
    for _ in range(levels):
        bomb = [bomb, bomb]
    return bomb


def nested(levels=100_000):
    value = []
    for _ in range(levels):
        value = [value]
    return value


class Rude:
    def __str__(self):
        message = "no text for you"
        raise RuntimeError(message)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("x" * 10**6, "… (1,000,000 characters)"),
        (b"x" * 10**6, "… (1,000,000 characters)"),
        (10**5000, "a number of about 4,98"),
        (list(range(20_000)), "[0, 1, 2 … 19999] (20,000 values)"),
        (tuple("abcdefghij"), "('a', 'b', 'c' … 'j') (10 values)"),
        ({str(n): n for n in range(10**5)}, "{'0': 0, '1': 1, '2': 2 …} (100,000 values)"),
        ([1, "a", None, True], "[1, 'a', None, True]"),
        ({"a": [1, 2]}, "{'a': [1, 2]}"),
        (alias_bomb(), "[[[[…], […]], "),
        (nested(), "[[[[…]]]]"),
        (Rude(), "a value of type Rude"),
        (Fraction(10**5000, 3), "a value of type Fraction"),
        ("\x1b[2J\0\u202e\udc80", r"'\x1b[2J\x00\u202e\udc80'"),
        (PurePath("a\x1bb"), r"a\x1bb"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_value_is_shown_in_few_characters_and_without_control(value, said):
    sentence = str(invalid("notes", value, "less"))
    assert said in sentence
    assert len(sentence) < 300
    assert sentence.isprintable()


def test_of_many_problems_the_first_ten_are_told_and_the_rest_is_counted():
    many = errors.InvalidInput([Problem(f"a{n}", "1", "2") for n in range(5000)])
    assert str(many).count("\n") == 10
    assert str(many).endswith("… and 4,990 more problems.")
    assert str(pickle.loads(pickle.dumps(many))) == str(many)


@pytest.mark.parametrize("kind", [errors.JobNotFound, errors.JobExists, errors.OutputError])
def test_a_name_of_a_million_letters_does_not_come_back_whole(kind):
    error = kind("x" * 10**6, "why\x1b[2J")
    assert len(str(error)) < 5500
    assert "\x1b" not in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
