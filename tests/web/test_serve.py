"""`bilancio serve` as a process: what it prints, refuses and gives away, and how it ends."""

import os
import re
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from tests.web.conftest import PATIENCE_S

pytestmark = pytest.mark.slow  # each starts a process

CHOSEN = "chosen-by-its-user-0123"
LONG = {"sweep_type": "ring", "n_agents": 200, "kappas": ["0.5"], "n_replicates": 5000}


def words_of(process):
    found = []
    for each in (process, *process.children(recursive=True)):
        found += each.cmdline()
    return " ".join(found)


def test_it_prints_its_whole_address_and_ends_by_ctrl_c(command):
    served = command()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", served.address)
    assert served.client.get("/").status == 200
    said = served.ended()
    assert (said.code, said.out, said.err) == (130, "", "")


def test_a_token_of_ones_own_is_taken_and_shown_nowhere_else(command, manager):
    served = command(BILANCIO_TOKEN=CHOSEN)
    client = served.client
    assert client.token == CHOSEN
    job = manager.create_job("long", LONG, job_id="castle-river-mountain-forest")
    asked = (
        client.ask("GET", f"/?token={CHOSEN}"),
        client.ask("GET", f"/?token={CHOSEN}x"),
        client.ask("GET", f"/jobs/{CHOSEN}?token={CHOSEN}&text={CHOSEN}"),
        client.get(f"/static/{CHOSEN}"),
        client.get("/"),
        client.post(f"/jobs/{job.job_id}/start"),
    )
    cookies = [each.headers["set-cookie"] for each in asked if each.headers["set-cookie"]]
    assert CHOSEN not in "".join([*cookies, *(each.text for each in asked)])
    assert asked[0].headers["referrer-policy"] == "same-origin"
    server = psutil.Process(served.process.pid)
    assert CHOSEN not in words_of(server)
    workers = [each for each in server.children(recursive=True) if "worker" in words_of(each)]
    assert all(each.environ().get("BILANCIO_TOKEN", "") == "" for each in workers)
    manager.cancel_job(job.job_id)
    said = served.ended(signal.SIGTERM)
    assert (said.code, said.out) == (143, "")
    assert CHOSEN not in said.err
    log = job.folder / "worker.log"
    assert CHOSEN not in (log.read_text() if log.exists() else "")


def test_a_browser_is_opened_without_telling_the_token_to_the_process_list(command, tmp_path):
    given, page = tmp_path / "given", tmp_path / "page"
    os.mkfifo(page)  # whose reader waits for the writer
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\nprintf "%s" "$*" > {given}\ncat "$1" > {page}\n')
    opener.chmod(0o755)
    served = command("--open", PATH=f"{opener.parent}{os.pathsep}{os.environ['PATH']}")
    assert served.address in page.read_text()
    path = Path(given.read_text())
    assert served.client.token not in str(path)
    assert path.parent.stat().st_mode & 0o077 == 0
    said = served.ended(signal.SIGTERM)
    assert (said.code, said.err) == (143, "")
    assert not path.parent.exists()


@pytest.mark.parametrize("port", ["99999", "-1", "http", "", "9" * 5000])
def test_a_port_that_is_none_is_refused_in_a_sentence(bilancio, port):
    said = bilancio("serve", "--port", port)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("port: got '")
    assert said.err.endswith("; allowed: whole numbers from 0 to 65535.\n")


@pytest.mark.parametrize("host", ["192.0.2.1", "999.0.0.1", "", "fe80::1", "a b"])
def test_an_address_that_is_not_of_this_machine_is_refused_in_a_sentence(bilancio, host):
    said = bilancio("serve", "--port", "0", "--host", host)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"host: got '{host}'; allowed: ")
    assert "of this machine" in said.err
    assert "127.0.0.1" in said.err


def test_a_port_in_use_is_refused_in_a_sentence(bilancio):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = bilancio("serve", "--port", port)
    assert said.code == 1
    assert said.err == (
        f"port: got '{port} (address already in use)'; allowed: a port that is free: 0 takes any.\n"
    )


@pytest.mark.parametrize(
    "token", ["short", "with a space in it", "smörgåsbord-of-letters", "\x07" * 20]
)
def test_a_token_that_is_too_weak_or_odd_is_refused_without_being_repeated(
    bilancio,
    monkeypatch,
    token,
):
    monkeypatch.setenv("BILANCIO_TOKEN", token)
    said = bilancio("serve", "--port", "0")
    assert (said.code, said.out) == (1, "")
    assert "BILANCIO_TOKEN" in said.err
    assert "at least 16" in said.err
    assert token not in said.err


def test_other_machines_are_let_in_only_with_a_word_about_it(command):
    served = command("--host", "0.0.0.0", "--name", "Lab.example")
    assert served.client.get("/", host=f"lab.example:{served.port}").status == 200
    assert served.client.get("/", host=f"evil.example:{served.port}").status == 421
    assert served.client.ask("GET", "/").status == 401
    said = served.ended()
    assert "Other machines can reach this server" in said.err
    assert "token" in said.err


def test_it_listens_on_ipv6_too(command):
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("there is no IPv6 here")
    served = command("--host", "::1")
    assert served.address.startswith("http://[::1]:")
    with socket.create_connection(("::1", served.port), PATIENCE_S) as connection:
        connection.sendall(
            f"GET /?token={served.client.token} HTTP/1.1\r\nHost: [::1]:{served.port}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 303")


def test_ctrl_c_ends_it_at_once_whoever_watches(command, manager):
    """Within its three seconds, which a busy machine may stretch."""
    job = manager.create_job("long", LONG, job_id="castle-river-mountain-forest")
    served = command()
    with served.client.stream(job.job_id) as one, served.client.stream(job.job_id) as other:
        assert next(iter(one))["data"]["state"] == "pending"
        assert next(iter(other))["data"]["state"] == "pending"
        began = time.monotonic()
        said = served.ended()
        took_s = time.monotonic() - began
        assert list(one) == []
    assert (said.code, said.err) == (130, "")
    assert took_s < 30


def test_a_store_that_is_none_is_a_sentence_on_the_page(command, tmp_path):
    """The server starts, and says on each page what is wrong: it may be mended meanwhile."""
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"nothing of the kind" * 1000)
    served = command(BILANCIO_DATABASE_URL=f"sqlite:///{broken}")
    answer = served.client.get("/")
    assert answer.status == 503
    assert "bilancio" in answer.text
    assert "Traceback" not in answer.text
    assert "Traceback" not in served.ended().err
