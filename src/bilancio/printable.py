"""Text made fit to be shown: short, and with nothing in it that a terminal would obey."""

import re

SHOWN_TEXT = 200

#: What reorders, hides or breaks text, beside the control characters of ASCII: bidirectional
#: controls, zero-width and separator characters, tags; and lone surrogates, which cannot be sent.
HIDDEN = (
    "\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f"
)
_UNSAFE = re.compile(f"[\x00-\x08\x0b-\x1f{HIDDEN}]")
_UNSAFE_IN_LINE = re.compile(f"[\x00-\x1f{HIDDEN}]")


def escaped(text: str, *, one_line: bool = False) -> str:
    r"""Return *text* with what a terminal would obey, or not show, written out: \x1b, \u202e.

    Newlines and tabs stay, unless it has to be *one_line*.
    """
    if text.isprintable():
        return text
    unsafe = _UNSAFE_IN_LINE if one_line else _UNSAFE
    return unsafe.sub(_written_out, text)


def shortened(text: str, limit: int = SHOWN_TEXT) -> str:
    """Return the beginning of a long text, at most *limit* characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _written_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode()
