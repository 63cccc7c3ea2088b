"""Who may ask: token, Host, Origin; and what no answer gives away."""

import contextlib
import logging

import pytest

from bilancio.jobs import AsyncJobManager
from tests.web.conftest import TOKEN, serving_app

SMALL = {"sweep_type": "ring", "n_agents": 10, "kappas": ["0.5"], "n_replicates": 2}
NAME = "quiet-meadow-golden-hawk"
HEADERS = (
    "content-security-policy", "referrer-policy", "x-content-type-options", "x-frame-options",
    "cross-origin-opener-policy", "cross-origin-resource-policy", "cache-control",
)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A client that all tests of this module share, which change nothing; it has one job."""
    folder = tmp_path_factory.mktemp("guarded")
    with serving_app(AsyncJobManager(folder / "bilancio.db", out_dir=folder / "out")) as client:
        yield client


BEARER = f"Bearer {TOKEN}"


@pytest.mark.parametrize("path", ["/", "/live", "/jobs/x", "/static/page.css", "/mcp", "/none"])
def test_nothing_is_shown_without_the_token(site, path):
    answer = site.ask("GET", path)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert TOKEN not in answer.text


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/?token=", {}),
        ("/?token=wrong", {}),
        (f"/?token={TOKEN}&token=wrong", {}),
        (f"/?token={TOKEN}x", {}),
        (f"/?token={TOKEN.upper()}", {}),
        ("/?token=%ff%00%ed%a0%80", {}),
        ("/?token=" + "%C3%A4" * 2000, {}),
        ("/", {"authorization": "Bearer"}),
        ("/", {"authorization": "Bearer wrong"}),
        ("/", {"authorization": f"Basic {TOKEN}"}),
        ("/", {"authorization": TOKEN}),
        ("/", {"authorization": b"Bearer \xe4\xff"}),
        ("/", {"cookie": f"bilancio={TOKEN}"}),
        ("/", {"cookie": "bilancio-{port}=" + TOKEN}),
        ("/", {"cookie": "bilancio-{port}=" + "0" * 64}),
        ("/", {"cookie": "bilancio-{port}="}),
        ("/", {"cookie": b"bilancio-\xff=\xff"}),
    ],
)
def test_a_wrong_token_is_refused(site, path, headers):
    sent = {
        name: value.replace("{port}", str(site.port)) if isinstance(value, str) else value
        for name, value in headers.items()
    }
    answer = site.ask("GET", path, **sent)
    assert answer.status == 401
    assert TOKEN not in answer.text
    assert "set-cookie" not in answer.headers


def test_the_token_in_an_address_becomes_a_cookie_and_leaves_the_address(site):
    answer = site.ask("GET", f"/?text=a+b&token={TOKEN}&tag=%C3%A4")
    assert (answer.status, answer.headers["location"]) == (303, "/?text=a+b&tag=%C3%A4")
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=lax", "path=/"} <= set(cookie.split("; "))
    assert TOKEN not in cookie
    assert site.ask("GET", "/", cookie=site.logged_in()).status == 200


def test_the_token_is_taken_from_a_header_too(site):
    assert site.ask("GET", "/", authorization=BEARER).status == 200
    assert site.ask("GET", "/", authorization=f"bearer  {TOKEN} ").status == 200


@pytest.mark.parametrize(
    "others",
    [
        'a="{\\"x\\": [1, 2]}"; ',
        "a=1; b[c]=2; ",
        'settings={"theme":"dark","x":[1]}; ',
        "ä=ö; ",
        "plain; ",
        "$Path=/; ",
    ],
)
def test_cookies_of_other_servers_of_the_host_do_not_log_out(site, others):
    cookie = site.logged_in()
    assert site.ask("GET", "/", cookie=(others + cookie).encode()).status == 200
    assert site.ask("GET", "/", cookie=(cookie + "; " + others).encode()).status == 200


def test_two_servers_of_a_host_do_not_log_each_other_out(site, tmp_path):
    with serving_app(AsyncJobManager(tmp_path / "b.db"), token="another-token-0123456789") as other:
        both = f"{site.logged_in()}; {other.logged_in()}"
        assert site.ask("GET", "/", cookie=both).status == 200
        assert other.ask("GET", "/", cookie=both).status == 200
        assert other.ask("GET", "/", cookie=site.logged_in()).status == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 421),
        ("evil.example:{port}", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("evil.example@127.0.0.1", 400),
        ("127.0.0.1@evil.example", 400),
        ("localhost/evil", 400),
        ("localhost?", 400),
        ("localhost\\evil", 400),
        ("[::1", 400),
        ("[evil]", 400),
        ("::1", 400),
        ("localhost:port", 400),
        ("localhost:99999", 400),
        ("localhost:-1", 400),
        (":{port}", 400),
        ("", 400),
        ("localhost localhost", 400),
        ("[fe80::1%25eth0]", 400),
        ("0x7f.1", 421),
        ("2130706433", 421),
        ("localhost", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST.:{port}", 200),
        ("127.0.0.1:{port}", 200),
        ("127.0.0.1:8080", 200),  # an ssh tunnel
        ("[::1]:{port}", 200),
        ("[::ffff:127.0.0.1]", 200),
    ],
)
def test_a_host_that_is_not_ours_is_refused(site, host, status):
    asked = host.replace("{port}", str(site.port))
    answer = site.ask("GET", "/", authorization=BEARER, host=asked)
    assert answer.status == status
    refused = site.ask("GET", f"/?token={TOKEN}", host=asked)
    assert refused.status == (303 if status == 200 else status)


@pytest.mark.parametrize(
    "lines",
    [
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.0\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n folded: x\r\nBad Header: x\r\n",
        b"nonsense\r\n",
    ],
)
def test_a_request_that_is_none_is_refused(site, lines):
    sent = lines + f"Authorization: {BEARER}\r\nConnection: close\r\n\r\n".encode()
    assert site.raw(sent).split(b" ", 2)[1] == b"400"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://evil.example"},
        {"origin": "http://sub.127.0.0.1:{port}"},
        {"origin": "http://127.0.0.1"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "http://localhost:{port}"},
        {"origin": "http://[", "sec_fetch_site": "same-origin"},
        {"origin": "http://127.0.0.1:{port}", "sec_fetch_site": "cross-site"},
        {"origin": "http://127.0.0.1:{port}", "sec_fetch_site": "same-site"},
        {"sec_fetch_site": "same-origin"},
        {"referer": "http://127.0.0.1:{port}/"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_no_page_of_ours_has_sent_changes_nothing(site, headers, method):
    sent = {name: value.replace("{port}", str(site.port)) for name, value in headers.items()}
    answer = site.ask(method, "/jobs/x/cancel", cookie=site.logged_in(), **sent)
    assert answer.status == 403


def test_a_page_of_another_site_is_not_told_anything(site):
    for origin in ("http://evil.example", "null", "http://["):
        answer = site.ask("GET", "/", cookie=site.logged_in(), origin=origin)
        assert answer.status == 403
        assert "access-control-allow-origin" not in answer.headers
    preflight = {"origin": "http://evil.example", "access_control_request_method": "POST"}
    assert site.ask("OPTIONS", "/", **preflight).status == 403


def test_a_program_with_the_token_needs_no_origin(site):
    answer = site.ask("POST", "/jobs/no-such-job-here/cancel", authorization=BEARER)
    assert answer.status == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "BREW", "POST"])
def test_unknown_methods_are_refused_on_a_page(site, method):
    answer = site.ask(method, "/", authorization=BEARER)
    assert answer.status == 405
    assert {*HEADERS} <= {name.lower() for name in answer.headers}


def test_head_is_answered_without_a_body(site):
    for path in ("/", "/live?job=x", "/static/page.js"):
        answer = site.ask("HEAD", path, authorization=BEARER)
        assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example", "/\\evil.example", "/%5Cevil.example", "/%2Fevil.example",
        "///evil.example/..", "/%2F%2Fevil.example", "/%0d%0aLocation:%20http://evil.example",
        "/%09/evil.example", "/.//evil.example", "/;//evil.example",
        "/%0d%0a//evil.example",
    ],
)  # fmt: skip
def test_no_address_leads_elsewhere(site, path):
    answer = site.ask("GET", f"{path}?token={TOKEN}")
    target = answer.headers["location"]
    assert answer.status == 303
    assert target.startswith("/")
    assert target[1:2] not in {"/", "\\", "\t", "\r", "\n"}
    assert len(answer.headers.get_all("location")) == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/live?job=x", 200),
        ("/live", 400),
        ("/static/page.css", 200),
        ("/static/none", 404),
        ("/none", 404),
        ("/jobs/no-such-job-here", 404),
        ("/?offset=-1", 400),
        ("/?min_runs=many", 400),
        ("/?status=unheard", 400),
        ("/?since=%00", 400),
        ("/?offset=99999999999999999999999999", 400),
    ],
)
def test_every_answer_carries_the_headers_that_keep_a_browser_safe(site, path, status):
    method = "HEAD" if path == "/live?job=x" else "GET"  # a stream has no end
    answer = site.ask(method, path, authorization=BEARER)
    found = answer.headers
    assert answer.status == status
    assert {*HEADERS} <= {name.lower() for name in found}
    policy = found["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self'" in policy
    assert "server" not in found


class Broken(AsyncJobManager):
    """A manager with a bug, whose words hold what nobody may read."""

    async def list_jobs(self, **_):
        raise RuntimeError("secret\nof the server")


def test_an_unexpected_error_is_told_without_its_words_and_kept_in_the_log(isolated, caplog):
    with serving_app(Broken()) as site, caplog.at_level(logging.WARNING):
        answer = site.get("/?text=%0d%0aforged")
    assert answer.status == 500
    assert "RuntimeError" in answer.text
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert {*HEADERS} <= {name.lower() for name in answer.headers}
    assert "secret" in caplog.text


def test_very_long_addresses_and_headers_are_refused_and_the_server_continues(site):
    assert site.get("/?text=" + "a" * 20_000).status == 400
    assert site.get("/jobs/" + "a-" * 20_000).status == 404
    with contextlib.suppress(ConnectionError):
        site.raw(b"GET /?" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert site.get("/").status == 200


def test_deep_and_odd_ids_of_last_events_are_read_as_none(site):
    for seen in ("[" * 30_000, '{"a":', "null", '{"x": {"y": 1}}', "ä".encode(), '{"a": 1e999}'):
        answer = site.ask("HEAD", "/live?job=x", authorization=BEARER, last_event_id=seen)
        assert answer.status == 200
