"""Receivers of notices on this machine: a web server that answers as told, a mail server."""

import base64
import contextlib
import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

TOKEN = "t0ken-of-the-lab"
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict
    body: bytes


class WebServer:
    """Keeps each request, and answers with what `answers` holds next, and then with 204.

    Where that is None it does not answer at all.
    """

    def __init__(self, certificate=None):
        self.received, self.answers, self.headers = [], [], {}
        self._arrived = threading.Semaphore(0)
        self._let_go = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.received.append(Received(self.path, dict(self.headers), body))
                receiver._arrived.release()
                status = receiver.answers.pop(0) if receiver.answers else 204
                if status is None:
                    receiver._let_go.wait()
                    return
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # a client that does not like our certificate

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def url(self, path="/hook", host="127.0.0.1", scheme="http"):
        return f"{scheme}://{host}:{self.port}{path}"

    def next_id(self):
        """Wait for a request that was not waited for yet; return the id of the latest one."""
        assert self._arrived.acquire(timeout=120)
        return self.received[-1].headers["webhook-id"]

    def close(self):
        self._let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Controller(Controller):
    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]  # the system has chosen it
        super()._trigger_server()


class MailServer:
    """Keeps what is handed in; refuses mail while `refusing` says why.

    Parameters
    ----------
    password
        The one that is right for any user, where one is wanted.
    tls, starttls
        Contexts that speak TLS from the beginning, or when they are asked to.
    """

    def __init__(self, *, host="127.0.0.1", password=None, tls=None, starttls=None):
        self.received, self.refusing = [], ""
        self._arrived = threading.Semaphore(0)
        self._password, self._host = password, host
        options = {"ssl_context": tls, "tls_context": starttls}
        if password is not None:
            options |= {"authenticator": self._authenticated, "auth_require_tls": bool(starttls)}
        self._controller = _Controller(self, hostname=host, port=0, **options)
        self._controller.start()
        self.port = self._controller.port

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.refusing:
            return self.refusing
        self.received.append(envelope)
        self._arrived.release()
        return "250 taken"

    def _authenticated(self, _server, _session, _envelope, _mechanism, given):
        right = given.password == self._password.encode()
        return AuthResult(success=right, handled=right)

    def wait_for_one(self):
        """Wait for mail that was not waited for yet."""
        assert self._arrived.acquire(timeout=120)

    def url(self, credentials="", receivers="me@lab.example", scheme="smtp", host=None):
        place = f"{credentials}{host or self._host}:{self.port}"
        return f"{scheme}://{place}/?from=jobs@lab.example&to={receivers}"

    def close(self):
        self._controller.stop()


@contextlib.contextmanager
def serving(receiver):
    try:
        yield receiver
    finally:
        receiver.close()


@contextlib.contextmanager
def target(monkeypatch):
    """Serve what the settings call lab, by an address with a secret part."""
    with serving(WebServer()) as receiver:
        monkeypatch.setenv("BILANCIO_NOTIFY", f"lab={receiver.url(f'/{TOKEN}')}")
        monkeypatch.setenv("BILANCIO_NOTIFY_SECRET", SECRET)
        monkeypatch.setenv("BILANCIO_NOTIFY_ALLOW_PRIVATE", "1")
        yield receiver
