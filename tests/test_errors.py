"""Errors travel between processes with their sentence."""

import pickle

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
    errors.RunAlreadyRecorded("my-name", "r1"),
    errors.ResultsMissing("my-name", "only the summary was imported."),
    errors.LeaseLost("my-name", "worker-a"),
    errors.ExecutorUnavailable("modal", ["local"]),
    errors.ExecutorFailed("local", "no process could be started"),
    errors.OutputError("/there", "Permission denied"),
    errors.ManagerUnusable("it was closed"),
    errors.WorkerError("my-name", "it could not be started."),
    errors.StoreError("b.db", "it was closed."),
    errors.NotAStore("b.db", "it is no database."),
    errors.StoreTooNew("b.db", "a newer bilancio wrote it."),
    errors.StoreCorrupt("b.db", "the file is damaged."),
    errors.JobDamaged("my-name", "its tags are not JSON"),
    errors.StoreConflict("b.db", "the constraint failed."),
    errors.StoreUnavailable("b.db", "the disk is full."),
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


def test_long_values_are_cut():
    assert "…" in str(invalid("notes", "x" * 1000, "less"))
    assert len(str(invalid("notes", "x" * 1000, "less"))) < 300
