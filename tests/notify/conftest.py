"""Receivers on this machine, and a message for them."""

from datetime import UTC, datetime

import pytest

from bilancio.notify.message import Message
from bilancio.settings import Settings
from tests.notify.receivers import SECRET, MailServer, WebServer, serving


@pytest.fixture
def web():
    with serving(WebServer()) as receiver:
        yield receiver


@pytest.fixture
def mailbox():
    with serving(MailServer()) as receiver:
        yield receiver


@pytest.fixture
def message():
    return Message(
        id="calm-ring-one_7_0a1b2c3d",
        what="job.completed",
        moment=datetime(2026, 3, 1, 12, tzinfo=UTC),
        title="calm-ring-one has completed",
        text="calm-ring-one has completed: 12 of 12 runs in 3 min 20 s.\nDefaults: ½ of all.",
        facts={"job_id": "calm-ring-one", "status": "completed"},
    )


@pytest.fixture
def settings():
    """Return settings with one target."""

    def settings(address, **others):
        others = {"notify_secret": SECRET, "notify_allow_private": True} | others
        return Settings(notify=f"lab={address}", **others)

    return settings
