"""The targets of notices: names that the setting BILANCIO_NOTIFY gives to addresses.

Whoever asks for a notice says a name. Addresses hold passwords and tokens, so that no error, log
or answer repeats one.
"""

import importlib.util
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from bilancio.errors import (
    BilancioError,
    InvalidInput,
    LibraryMissing,
    NoticeNotDelivered,
    Problem,
    invalid,
)
from bilancio.notify.message import Message
from bilancio.settings import Settings
from bilancio.text import either
from bilancio.validation import nearest

WEBHOOK, MAIL = ("https", "http"), ("smtp", "smtps")  # schemes; all others are apprise's
MAX_TARGETS = 20  # of one job
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,29}")
_PAIR = re.compile(r"([^=\s]+)=(([A-Za-z][A-Za-z0-9+.-]*):\S+)")
_SECRET_CHARACTERS = 5  # of a part of an address that is told from a common word
_FIELD, _SECRET = "BILANCIO_NOTIFY", "BILANCIO_NOTIFY_SECRET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where notices go.

    Attributes
    ----------
    name
        What it is called.
    scheme
        What kind of address it has: https, smtp, slack.
    address
        The whole address, which is never shown.
    """

    name: str
    scheme: str
    address: str = field(repr=False)

    @property
    def place(self) -> str:
        """Where it leads, as it may be shown: webhook to hooks.example."""
        if self.scheme in WEBHOOK:
            return f"webhook to {_host_of(self.address)}"
        if self.scheme in MAIL:
            return f"mail by {_host_of(self.address)}"
        return self.scheme


def targets(settings: Settings) -> dict[str, Target]:
    """Return the targets that the settings name.

    Raises
    ------
    InvalidInput
        The setting is malformed.
    """
    found: dict[str, Target] = {}
    for place, word in enumerate(settings.notify.split(), start=1):
        pair = _PAIR.fullmatch(word)
        if pair is None or not _NAME.fullmatch(pair[1]):
            allowed = "NAME=ADDRESS, separated by spaces; names of lower-case letters and digits"
            raise InvalidInput([Problem(_FIELD, f"a malformed entry {place}", allowed)])
        if pair[1] in found:
            raise InvalidInput([Problem(_FIELD, f"{pair[1]} twice", "each name once")])
        found[pair[1]] = Target(name=pair[1], scheme=pair[3].lower(), address=pair[2])
    return found


def known_targets(settings: Settings) -> dict[str, Target]:
    """Return the targets of the settings; none where these are malformed, as a doctor finds."""
    try:
        return targets(settings)
    except InvalidInput:
        return {}


def chosen(settings: Settings, names: Any) -> tuple[str, ...]:
    """Return the names of targets, each once, if all can be sent to.

    Raises
    ------
    InvalidInput
        They are not a list of names, one is not known, or its address is not one.
    LibraryMissing
        One needs apprise, which is not installed.
    """
    named = isinstance(names, Collection) and not isinstance(names, str | bytes | Mapping)
    if not named or len(names) > MAX_TARGETS or not all(isinstance(each, str) for each in names):
        got = f"a value of type {type(names).__name__}"
        allowed = f"a list of at most {MAX_TARGETS} names of targets"
        raise InvalidInput([Problem("notify", got, allowed)])
    asked = tuple(dict.fromkeys(names))
    known = targets(settings) if asked else {}
    for name in asked:
        if name not in known:
            raise _unknown(name, known)
        check(known[name], settings)
    return asked


def check(target: Target, settings: Settings) -> None:
    """Refuse a target that cannot be sent to; nothing is connected to.

    Raises
    ------
    InvalidInput
        Its address is not one, or a webhook has no secret to be signed with.
    LibraryMissing
        It needs apprise, which is not installed.
    """
    if target.scheme in WEBHOOK:
        from bilancio.notify import webhook  # http and ssl, which most commands do without

        allowed = webhook.problem(target.address)
        if not allowed and webhook.key_of(settings.notify_secret) is None:
            got = "something else" if settings.notify_secret else "nothing"
            size = f"{webhook.SECRET_BYTES[0]} to {webhook.SECRET_BYTES[-1]} random bytes in base64"
            raise InvalidInput([Problem(_SECRET, got, f"{webhook.SECRET_PREFIX} and {size}")])
    elif target.scheme in MAIL:
        from bilancio.notify import mail  # smtplib, likewise

        allowed = mail.problem(target.address)
    else:
        allowed = _problem_of_other(target)
    if allowed:
        got = "an address of another form"
        raise InvalidInput([Problem(f"{_FIELD} {target.name}", got, allowed)])


def send(target: Target, message: Message, settings: Settings) -> str:
    """Send *message*, which may take half a minute; return what came back.

    Raises
    ------
    NoticeNotDelivered
        The receiver did not take it, or cannot be sent to.
    """
    try:
        check(target, settings)
        return _send(target, message, settings)
    except NoticeNotDelivered as error:
        reason = hidden(error.reason, target.address)
        raise NoticeNotDelivered(reason, for_good=error.for_good) from None
    except BilancioError as error:
        raise NoticeNotDelivered(str(error).rstrip(".")) from None


def _send(target: Target, message: Message, settings: Settings) -> str:
    if target.scheme in WEBHOOK:
        from bilancio.notify import webhook  # as above

        key = webhook.key_of(settings.notify_secret)
        assert key is not None, "a secret is looked at before it is used"
        return webhook.send(
            target.address, message, key=key, allow_private=settings.notify_allow_private
        )
    if target.scheme in MAIL:
        from bilancio.notify import mail  # as above

        return mail.send(target.address, message)
    from bilancio.notify import other  # apprise, which is optional

    return other.send(target.address, message)


def hidden(text: str, address: str) -> str:
    """Return *text* with *** for whatever of it stands in an address, but the host's name."""
    parts = {*re.split(r"[/:@?&=,;+]+", address)}
    parts |= {unquote(each) for each in parts}
    shown = {_host_of(address), address.partition(":")[0]}
    for part in sorted(parts - shown, key=len, reverse=True):
        if len(part) >= _SECRET_CHARACTERS:
            text = text.replace(part, "***")
    return text


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _unknown(name: str, known: Mapping[str, Target]) -> InvalidInput:
    allowed = either([*known]) if known else f"names that {_FIELD} gives to addresses; it is empty"
    if not _NAME.fullmatch(name):
        return InvalidInput([Problem("notify", "what is not a target's name", allowed)])
    return invalid("notify", name, allowed, nearest(name, known))


def _problem_of_other(target: Target) -> str:
    """Say what an address that apprise is to send to should be; nothing where it is one."""
    if importlib.util.find_spec("apprise") is None:
        raise LibraryMissing("apprise", asker=f"The target {target.name}", extra="notify")
    from bilancio.notify import other  # apprise, which takes half a second

    own, theirs = (*WEBHOOK, *MAIL), other.schemes()
    if target.scheme not in theirs:
        meant = nearest(target.scheme, [*own, *theirs])
        allowed = f"{', '.join(own)}, or one of apprise's {len(theirs)}, as slack, tgram, ntfy"
        raise invalid(f"{_FIELD} {target.name}", f"{target.scheme}:", allowed, meant)
    return "" if other.usable(target.address) else f"{target.scheme}:// as apprise documents it"
