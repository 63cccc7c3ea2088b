"""The page as it is served: the application on a socket of this machine, and the command itself."""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from bilancio.jobs import AsyncJobManager, JobManager
from bilancio.web import serving
from bilancio.web.app import build_app
from tests.cli.conftest import bilancio, finished, started  # noqa: F401 - a fixture

TOKEN = "test-token-0123456789"
PATIENCE_S = 120  # where nothing is asserted about time


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """Asks a server on this machine, a connection for each request; sends what it is told to."""

    def __init__(self, port: int, token: str = TOKEN) -> None:
        self.port = port
        self.token = token
        self.origin = f"http://127.0.0.1:{port}"

    def connected(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def ask(
        self, method: str, path: str, body: str | bytes | None = None, **headers: str
    ) -> Answer:
        """Send a request with these headers (sec_fetch_site is Sec-Fetch-Site) and no others."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(self.connected()) as connection:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())

    def logged_in(self) -> str:
        """Return the cookie that a browser gets for the token in an address."""
        answer = self.ask("GET", f"/?token={self.token}")
        assert answer.status == 303, answer
        return answer.headers["set-cookie"].partition(";")[0]

    def get(self, path: str, **headers: str) -> Answer:
        """Look at a page, with the token."""
        return self.ask("GET", path, authorization=f"Bearer {self.token}", **headers)

    def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
        """Send a form as the browser that was shown it does."""
        given = {"cookie": self.logged_in(), "origin": self.origin}
        given["content_type"] = "application/x-www-form-urlencoded"
        return self.ask("POST", path, urlencode(form or {}), **(given | headers))

    def raw(self, sent: bytes) -> bytes:
        """Send bytes, and return all that comes until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_S) as connection:
            connection.sendall(sent)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    @contextlib.contextmanager
    def stream(self, *jobs: str, seen: str = "") -> Iterator["Stream"]:
        """Read the states of jobs as they change, after the event that was *seen* last."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if seen:
            headers["Last-Event-ID"] = seen
        with contextlib.closing(self.connected()) as connection:
            connection.request(
                "GET", f"/live?{urlencode({'job': jobs}, doseq=True)}", None, headers
            )
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            with answer:
                yield Stream(answer)


class Stream:
    """Server-sent events as they come: each a dictionary of its fields, its data read."""

    def __init__(self, lines: http.client.HTTPResponse) -> None:
        self._lines = lines

    def __iter__(self) -> Iterator[dict[str, Any]]:
        fields: dict[str, Any] = {}
        while line := self._lines.readline().decode():
            name, colon, value = line.rstrip("\r\n").partition(": ")
            if name and colon:
                fields[name] = value
            elif "data" in fields:
                yield fields | {"data": json.loads(fields["data"])}
                fields = {}
            else:
                fields = {}  # of a sign of life

    def until(self, state: str) -> list[dict[str, Any]]:
        """Return all events up to the first that says this state, which has to come."""
        found = []
        for event in self:
            found.append(event)
            if event["data"]["state"] == state:
                return found
        return pytest.fail(f"the stream ended before it said {state}: {found}")


@contextlib.contextmanager
def serving_app(
    manager: AsyncJobManager | None = None, *, read_only: bool = False, token: str = TOKEN
) -> Iterator[Client]:
    """Serve the application from a thread of this process, over the store of the settings."""
    place = serving.listen("127.0.0.1", 0)
    app = build_app(
        manager or AsyncJobManager(),
        token=token,
        names=place.names,
        port=place.port,
        read_only=read_only,
    )
    ready = threading.Event()
    server = serving.server(app, ready.set, app.state.live.close)
    thread = threading.Thread(target=server.run, args=([place.listening],))
    thread.start()
    try:
        assert ready.wait(PATIENCE_S)
        yield Client(place.port, token)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def site(isolated):
    """A client of the page over an empty store of one's own."""
    with serving_app() as client:
        yield client


@pytest.fixture
def manager(isolated):
    """A second program at the same store."""
    with JobManager() as manager:
        yield manager


class Command:
    """`bilancio serve` as a process of its own; its lines on stderr are read at its end."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        assert process.stdout
        self.address = process.stdout.readline().strip()
        if not self.address:
            pytest.fail(str(finished(process)))
        self.port = int(self.address.partition("/?")[0].rpartition(":")[2])
        self.client = Client(self.port, self.address.partition("?token=")[2])

    def ended(self, number: int = signal.SIGINT):
        """End it as Ctrl-C does; return what it has said."""
        self.process.send_signal(number)
        return finished(self.process)


@pytest.fixture
def command(isolated):
    """Return a function that starts `bilancio serve --port 0` and further words."""
    running = []

    def start(*words: str, **environment: str) -> Command:
        process = started("serve", "--port", "0", *words, **environment)
        running.append(process)
        return Command(process)

    yield start
    for process in running:
        process.kill()
        process.communicate()
