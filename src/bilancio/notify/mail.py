"""Mail by SMTP: ``smtp://USER:PASSWORD@HOST:PORT/?from=ADDRESS&to=ADDRESS,ADDRESS``."""

import ipaddress
import re
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from bilancio.errors import NoticeNotDelivered
from bilancio.notify.message import Message

ANSWER_S = 15.0
RELAY_PORT, SUBMISSION_PORT, TLS_PORT = 25, 587, 465
_MAILBOX = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
_WANTED = {"from", "to"}


class Mailbox(NamedTuple):
    """Where mail is handed in, from whom and to whom it is."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str
    sender: str
    receivers: tuple[str, ...]


def problem(address: str) -> str:
    """Say what an address of mail should be; nothing where it is one."""
    return "" if read(address) else "smtp://USER:PASSWORD@HOST:PORT/?from=ADDRESS&to=ADDRESS"


def read(address: str) -> Mailbox | None:
    """Return what an address says; None where it is not one."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    pairs = [each.partition("=") for each in parts.query.split("&")]
    said = {name: unquote(value) for name, _, value in pairs}
    receivers = tuple(said.get("to", "").split(","))
    mailboxes = (said.get("from", ""), *receivers)
    if not host or parts.path not in {"", "/"} or len(pairs) != len(said) or set(said) != _WANTED:
        return None
    if not all(_MAILBOX.fullmatch(each) for each in mailboxes):
        return None
    tls = parts.scheme == "smtps"
    usual = TLS_PORT if tls else RELAY_PORT if parts.username is None else SUBMISSION_PORT
    return Mailbox(
        host=host,
        port=port or usual,
        tls=tls,
        user=None if parts.username is None else unquote(parts.username),
        password=unquote(parts.password or ""),
        sender=said["from"],
        receivers=receivers,
    )


def send(address: str, message: Message) -> str:
    """Hand *message* in; return how many receivers the server took it for.

    What goes to another machine is encrypted where the server can, and a password always.

    Raises
    ------
    NoticeNotDelivered
        The server did not take it.
    """
    box = read(address)
    assert box is not None, "an address is looked at before it is used"
    try:
        with _connected(box) as server:
            refused = server.send_message(_mail(box, message), box.sender, box.receivers)
    except (OSError, smtplib.SMTPException) as error:
        raise NoticeNotDelivered(_reason(error)) from error
    taken = len(box.receivers) - len(refused)
    return f"taken for {taken} of {len(box.receivers)} receivers"


def _connected(box: Mailbox) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if box.tls:
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            box.host, box.port, timeout=ANSWER_S, context=context
        )
    else:
        server = smtplib.SMTP(box.host, box.port, timeout=ANSWER_S)
    try:
        server.ehlo_or_helo_if_needed()
        if not box.tls and not _on_this_machine(server):
            _encrypt(server, context, needed=box.user is not None)
        if box.user is not None:
            server.login(box.user, box.password)
    except BaseException:
        server.close()
        raise
    return server


def _encrypt(server: smtplib.SMTP, context: ssl.SSLContext, *, needed: bool) -> None:
    if server.has_extn("starttls"):
        server.starttls(context=context)
    elif needed:
        raise NoticeNotDelivered("it offers no encryption (STARTTLS) for the password")


def _on_this_machine(server: smtplib.SMTP) -> bool:
    """Return whether nothing goes over a wire: such a relay often has no certificate of its own."""
    assert server.sock is not None
    return ipaddress.ip_address(server.sock.getpeername()[0].partition("%")[0]).is_loopback


def _mail(box: Mailbox, message: Message) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = message.title
    mail["From"] = box.sender
    mail["To"] = ", ".join(box.receivers)
    mail["Date"] = format_datetime(message.moment)
    mail["Message-ID"] = f"<{message.id}@{box.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail


def _reason(error: Exception) -> str:
    """Say why mail was not taken, in a line."""
    match error:
        case TimeoutError():
            return f"it did not answer within {ANSWER_S:.0f} s"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not valid: {error.verify_message}"
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code, said = next(iter(refused.values()))
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=said):
            pass
        case _:
            told = getattr(error, "strerror", None) or str(error) or type(error).__name__
            return " ".join(str(told).split())
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return f"it answered {code} {' '.join(words.split())}"
