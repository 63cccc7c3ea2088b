"""Webhooks are signed, go where they should, and nowhere else."""

import json

import pytest
import trustme
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bilancio.errors import InvalidInput, NoticeNotDelivered
from bilancio.notify import targets, webhook
from tests.notify.receivers import SECRET, WebServer, serving


def sent(settings, message):
    (target,) = targets.targets(settings).values()
    return targets.send(target, message, settings)


def refusal(settings, message):
    with pytest.raises(NoticeNotDelivered) as caught:
        sent(settings, message)
    return caught.value


def test_the_reference_library_of_the_specification_accepts_a_notice(web, message, settings):
    assert sent(settings(web.url()), message) == "204 No Content"
    (got,) = web.received
    told = Webhook(SECRET).verify(got.body, got.headers)
    assert told == json.loads(got.body)
    assert (told["type"], told["timestamp"]) == ("job.completed", "2026-03-01T12:00:00+00:00")
    assert told["data"] == {**message.facts, "title": message.title, "text": message.text}
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(got.body.replace(b"12 of 12", b"11 of 12"), got.headers)


def test_every_try_has_the_same_id(web, message, settings):
    web.answers = [500]
    assert refusal(settings(web.url()), message).reason == "it answered 500 Internal Server Error"
    sent(settings(web.url()), message)
    assert {each.headers["webhook-id"] for each in web.received} == {message.id}


def test_a_redirect_is_not_followed(web, message, settings):
    web.answers, web.headers = [302], {"location": "http://169.254.169.254/latest/meta-data"}
    told = "it answered 302 Found, and redirects are not followed"
    assert refusal(settings(web.url()), message).reason == told
    assert len(web.received) == 1


def test_a_receiver_that_is_gone_is_gone_for_good(web, message, settings):
    web.answers = [410, 404]
    assert refusal(settings(web.url()), message).for_good
    assert not refusal(settings(web.url()), message).for_good


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_this_machine_is_not_connected_to_unless_that_is_allowed(host, web, message, settings):
    error = refusal(settings(web.url(host=host), notify_allow_private=False), message)
    assert "BILANCIO_NOTIFY_ALLOW_PRIVATE=1" in error.reason
    assert web.received == []


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("::", False),
        ("fd00::1", False),
        ("fe80::1%eth0", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::a9fe:a9fe", False),
    ],
)
def test_only_addresses_of_the_whole_internet_are_global(address, expected):
    assert webhook.is_global(address) is expected


def test_tls_checks_the_name_though_an_address_is_connected_to(
    message, settings, tmp_path, monkeypatch
):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    for name, accepted in {"localhost": True, "other.example": False}.items():
        with serving(WebServer(authority.issue_cert(name))) as web:
            address = settings(web.url(host="localhost", scheme="https"))
            if accepted:
                assert sent(address, message) == "204 No Content"
                assert web.received[0].headers["Host"] == f"localhost:{web.port}"
            else:
                assert "certificate is not valid" in refusal(address, message).reason
                assert web.received == []


def test_a_name_and_password_in_the_address_are_sent_and_never_shown(web, message, settings):
    address = web.url(path="/hook/hunter2-token").replace("//", "//me:hunter2@")
    sent(settings(address), message)
    (got,) = web.received
    assert got.headers["authorization"] == "Basic bWU6aHVudGVyMg=="
    assert got.path == "/hook/hunter2-token"
    (target,) = targets.targets(settings(address)).values()
    for shown in (repr(target), target.place, repr(settings(address))):
        assert "hunter2" not in shown
        assert SECRET not in shown


def test_a_receiver_that_does_not_listen_is_told_apart_from_one_that_is_not_known(
    web, message, settings
):
    web.close()
    assert refusal(settings(web.url()), message).reason == "Connection refused"
    error = refusal(settings("https://no-such-host.invalid/x"), message)
    assert error.reason.startswith("no-such-host.invalid is not known (")


@pytest.mark.parametrize("secret", ["", "hunter2", "whsec_hunter2", "whsec_aHVudGVyMg=="])
def test_a_webhook_without_a_secret_is_refused_and_the_secret_not_repeated(secret, settings):
    with pytest.raises(InvalidInput, match=r"BILANCIO_NOTIFY_SECRET: got .*allowed: whsec_") as got:
        targets.chosen(settings("https://hooks.example/x", notify_secret=secret), ["lab"])
    assert "unter" not in str(got.value)
    assert "aHV" not in str(got.value)
