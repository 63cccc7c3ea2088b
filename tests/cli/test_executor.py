"""`--executor NAME`: an executor that cannot be opened is refused before anything changes."""

import pytest

NO_ADDRESS = (
    "BILANCIO_DASK_ADDRESS: got ''; allowed: the address of a Dask scheduler, as tcp://HOST:8786.\n"
)


def test_a_sweep_for_an_executor_without_its_address_is_not_stored(bilancio, stored):
    said = bilancio("sweep", "ring", "--n-agents", "5", "--executor", "dask")
    assert (said.code, said.out, said.err) == (1, "", NO_ADDRESS)
    assert stored() == 0


@pytest.mark.parametrize(
    "words", [("jobs", "start"), ("jobs", "resume"), ("worker",)], ids=" ".join
)
def test_a_job_is_not_started_on_an_executor_that_is_not_there(bilancio, not_started, words):
    job = not_started("ring", "--n-agents", "5")
    said = bilancio(*words, job["job_id"], "--executor", "ray")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("executor: got ray, but ")
    assert "allowed: local, dask." in said.err
    assert bilancio("jobs", "show", job["job_id"], "--json").json["job"]["status"] == "pending"


def test_the_executor_that_is_given_comes_before_the_setting(bilancio, monkeypatch):
    monkeypatch.setenv("BILANCIO_EXECUTOR", "dask")
    said = bilancio("sweep", "ring", "--n-agents", "5", "--executor", "local", "--json")
    assert said.code == 0
    assert said.json["job"]["executor"] == "local"
