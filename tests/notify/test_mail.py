"""Mail is handed to a real SMTP server."""

import email
import email.policy

import pytest

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
