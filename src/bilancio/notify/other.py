"""Whatever apprise reaches: chats, phones, desktops. The home of apprise, which is optional."""

import logging

import apprise
from apprise.manager_plugins import NotificationManager

from bilancio.errors import NoticeNotDelivered
from bilancio.notify.message import Message

_log = logging.getLogger("apprise")
_log.propagate = False  # what it logs may hold addresses
_log.addHandler(logging.NullHandler())  # without any, Python writes warnings to stderr


def schemes() -> list[str]:
    """Return the schemes that apprise knows."""
    return sorted(NotificationManager().schemas())


def usable(address: str) -> bool:
    """Return whether apprise can send to an address of a scheme that it knows."""
    return apprise.Apprise.instantiate(address, suppress_exceptions=True) is not None


def send(address: str, message: Message) -> str:
    """Send *message*; return how that went.

    Raises
    ------
    NoticeNotDelivered
        The service did not take it.
    """
    sender = apprise.Apprise(asset=apprise.AppriseAsset(app_id="bilancio", async_mode=False))
    sender.add(address)
    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as log:
        taken = sender.notify(title=message.title, body=message.text)
        lines = log.getvalue().split("\n")
    if not taken:
        said = " ".join(" ".join(each for each in lines if each).split())
        raise NoticeNotDelivered(said or "apprise could not send it")
    return "sent"
