"""Mail is handed to a real SMTP server."""

import email
import email.policy
import socket
import ssl

import psutil
import pytest
import trustme

from bilancio.errors import NoticeNotDelivered
from bilancio.notify import targets
from tests.notify.receivers import MailServer, serving


def sent(settings, message):
    (target,) = targets.targets(settings).values()
    return targets.send(target, message, settings)


def test_a_notice_arrives_as_mail(mailbox, message, settings):
    address = mailbox.url(receivers="me@lab.example,you%2Bjobs@lab.example")
    assert sent(settings(address), message) == "taken for 2 of 2 receivers"
    (got,) = mailbox.received
    assert (got.mail_from, got.rcpt_tos) == (
        "jobs@lab.example", ["me@lab.example", "you+jobs@lab.example"],
    )  # fmt: skip
    mail = email.message_from_bytes(got.content, policy=email.policy.default)
    assert mail["Subject"] == message.title
    assert mail["Message-ID"] == f"<{message.id}@lab.example>"
    assert mail.get_content().strip().replace("\r\n", "\n") == message.text


def test_a_server_that_refuses_says_why(mailbox, message, settings):
    mailbox.refusing = "452 the disk is full"
    with pytest.raises(NoticeNotDelivered) as caught:
        sent(settings(mailbox.url()), message)
    assert caught.value.reason == "it answered 452 the disk is full"


def test_a_password_is_given_and_never_shown(message, settings):
    with serving(MailServer(password="p@ss word")) as mailbox:
        assert sent(settings(mailbox.url("me:p%40ss%20word@")), message).startswith("taken")
        with pytest.raises(NoticeNotDelivered) as caught:
            sent(settings(mailbox.url("me:hunter2@")), message)
    assert caught.value.reason.startswith("it answered 535")
    assert "hunter2" not in str(caught.value)


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    """Return what makes a server's context for a name, by an authority that is trusted here."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))

    def context(name):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(made)
        return made

    return context


@pytest.fixture
def own_address():
    """An address of this machine by which it is another one to itself."""
    for each in (each for card in psutil.net_if_addrs().values() for each in card):
        if each.family is socket.AF_INET and not each.address.startswith("127."):
            return each.address
    pytest.skip("this machine has only the loopback address")


def test_smtps_speaks_tls_with_the_server_of_that_name(message, settings, trusted):
    for name, accepted in {"localhost": True, "other.example": False}.items():
        with serving(MailServer(tls=trusted(name))) as mailbox:
            address = settings(mailbox.url(scheme="smtps", host="localhost"))
            if accepted:
                assert sent(address, message).startswith("taken")
            else:
                with pytest.raises(NoticeNotDelivered, match="certificate is not valid"):
                    sent(address, message)


def test_a_password_goes_to_another_machine_only_encrypted(message, settings, trusted, own_address):
    server = {"host": own_address, "password": "hunter2"}
    with serving(MailServer(**server, starttls=trusted(own_address))) as mailbox:
        assert sent(settings(mailbox.url("me:hunter2@")), message).startswith("taken")
    with serving(MailServer(**server)) as mailbox:
        with pytest.raises(NoticeNotDelivered, match="no encryption"):
            sent(settings(mailbox.url("me:hunter2@")), message)
        assert sent(settings(mailbox.url()), message).startswith("taken")
