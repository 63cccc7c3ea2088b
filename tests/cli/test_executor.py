"""`--executor NAME`: an executor that cannot be opened is refused before anything changes."""

import contextlib
import socket
import socketserver
import threading

import pytest

from bilancio.errors import InvalidInput
from bilancio.jobs import JobManager

NO_ADDRESS = (
    "BILANCIO_DASK_ADDRESS: got ''; allowed: the address of a Dask scheduler, as tcp://HOST:8786.\n"
)


def test_a_sweep_for_an_executor_without_its_address_is_not_stored(bilancio, stored):
    said = bilancio("sweep", "ring", "--n-agents", "5", "--executor", "dask")
    assert (said.code, said.out, said.err) == (1, "", NO_ADDRESS)
    assert stored() == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--executor", "modul"),
            "executor: got 'modul'; allowed: local, dask, modal. Did you mean modal",
        ),
        (("--executor", "local", "--cloud"), "executor: got 'local'; allowed: modal, or nothing"),
    ],
    ids=["an unknown one", "a second one"],
)
def test_a_plan_is_made_for_no_executor_that_would_be_refused(bilancio, words, said):
    done = bilancio("sweep", "ring", "--n-agents", "5", "--dry-run", *words)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(said)


def test_an_executor_that_is_asked_for_takes_the_place_of_the_cloud_of_what_is_copied(
    bilancio, modal_token, tmp_path
):
    with JobManager() as manager:
        job = manager.create_job("there", {"sweep_type": "ring", "n_agents": 5, "cloud": True})
    (tmp_path / "ring.yaml").write_text("n_agents: 5\ncloud: true\n")
    for copied in (("--like", job.job_id), ("ring", "--config", tmp_path / "ring.yaml")):
        here = bilancio("sweep", *copied, "--executor", "local", "--dry-run", "--json").json
        assert (here["config"]["cloud"], here["estimate"]["prices_of"]) == (False, "")
        there = bilancio("sweep", *copied, "--dry-run", "--json").json
        assert there["config"]["cloud"]
    with JobManager(executor="local") as manager:
        assert not manager.preview(like=job.job_id).config.cloud
        with pytest.raises(InvalidInput, match="executor: got 'local'; allowed: modal"):
            manager.preview({"cloud": True}, like=job.job_id)


def address_of(server):
    return "tcp://{}:{}".format(*server.getsockname())


@contextlib.contextmanager
def listening(answer):
    """Give the address of what says *answer* to each connection; with None nothing listens."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(answer)

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        address = address_of(server.socket)
        if answer is None:
            server.server_close()
            yield address
            return
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield address
        server.shutdown()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "Connection refused"),
        (b"", "what answers there is not Dask"),
        (b"HTTP/1.1 400 Bad Request\r\n", "what answers there is not Dask"),
    ],
    ids=["nothing", "a hang-up", "a web server"],
)
def test_a_sweep_for_an_address_without_dask_is_not_stored(
    bilancio, stored, monkeypatch, answer, said
):
    with listening(answer) as address:
        monkeypatch.setenv("BILANCIO_DASK_ADDRESS", address)
        done = bilancio("sweep", "ring", "--n-agents", "5", "--executor", "dask")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"The dask executor cannot compute: no Dask scheduler answers at {address} ({said}); "
        "start one there, or choose another executor.\n"
    )
    assert stored() == 0


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://node..lab:8786", "no Dask scheduler answers at tcp://node..lab:8786 (no host has"),
        ("tcp://lab:secret@node:8786", "BILANCIO_DASK_ADDRESS: got 'tcp://lab:***@node:8786'"),
        ("tcp://node:٨٧٨٦", "BILANCIO_DASK_ADDRESS: got 'tcp://node:٨٧٨٦'; allowed: the address"),
    ],
    ids=["an empty part", "a password", "other digits"],
)
def test_an_address_that_no_host_can_have_is_named(bilancio, stored, monkeypatch, address, said):
    monkeypatch.setenv("BILANCIO_DASK_ADDRESS", address)
    done = bilancio("sweep", "ring", "--n-agents", "5", "--executor", "dask")
    assert (done.code, done.out) == (1, "")
    assert said in done.err
    assert "Traceback" not in done.err
    assert stored() == 0


def test_a_job_is_not_started_on_a_cluster_that_stays_silent(bilancio, not_started, monkeypatch):
    job = not_started("ring", "--n-agents", "5")
    monkeypatch.setattr("bilancio.executors.dask_probe.ANSWER_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setenv("BILANCIO_DASK_ADDRESS", address_of(deaf))
        said = bilancio("worker", job["job_id"], "--executor", "dask")
    assert (said.code, said.out) == (1, "")
    assert "(no answer within 0.2 s); start one there" in said.err
    assert bilancio("jobs", "show", job["job_id"], "--json").json["job"]["status"] == "pending"


@pytest.mark.parametrize(
    "words", [("jobs", "start"), ("jobs", "resume"), ("worker",)], ids=" ".join
)
def test_a_job_is_not_started_on_an_executor_that_is_not_there(bilancio, not_started, words):
    job = not_started("ring", "--n-agents", "5")
    said = bilancio(*words, job["job_id"], "--executor", "ray")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("executor: got 'ray'; allowed: local, dask, modal.")
    assert bilancio("jobs", "show", job["job_id"], "--json").json["job"]["status"] == "pending"


def test_the_executor_that_is_given_comes_before_the_setting(bilancio, monkeypatch):
    monkeypatch.setenv("BILANCIO_EXECUTOR", "dask")
    said = bilancio("sweep", "ring", "--n-agents", "5", "--executor", "local", "--json")
    assert said.code == 0
    assert said.json["job"]["executor"] == "local"
