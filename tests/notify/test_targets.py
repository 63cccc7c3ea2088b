"""The setting BILANCIO_NOTIFY: names for addresses; what is wrong is said without an address."""

import re
import subprocess
import sys

import pytest

from bilancio.errors import InvalidInput, NoticeNotDelivered
from bilancio.notify import targets
from bilancio.settings import Settings
from tests.notify.receivers import SECRET

# What apprise loads for one of its services.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

MAIL = "smtp://localhost/?from=a@b.example&to=c@d.example"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("hunter2", "BILANCIO_NOTIFY: got a malformed entry 1; allowed: NAME=ADDRESS"),
        (f"mail={MAIL} Lab=https://hunter2.example", "got a malformed entry 2"),
        (f"lab={MAIL} lab=https://hunter2.example", "got lab twice; allowed: each name once"),
        ("lab=smtp://me:hunter2@host", "BILANCIO_NOTIFY lab: got an address of another form"),
        ("lab=smtp://host/?from=a@b&to=hunter2", "allowed: smtp://USER:PASSWORD@HOST:PORT/"),
        ("lab=smtp://host/?from=a@b&to=c@d&pass=hunter2", "got an address of another form"),
        ("lab=https:///hunter2", "allowed: an address as https://HOST/PATH"),
        ("lab=https://host:hunter2/", "allowed: an address as https://HOST/PATH"),
        ("lab=https://host/hünter2hunter2", "what is not ASCII percent-encoded"),
        ("lab=slakc://hunter2", "got 'slakc:'; allowed: https, http, smtp, smtps, or one of appri"),
        ("lab=slack://hunter2", "allowed: slack:// as apprise documents it"),
    ],
)
def test_a_malformed_setting_is_refused_in_a_sentence_without_addresses(given, told):
    settings = Settings(notify=given, notify_secret=SECRET)
    with pytest.raises(InvalidInput) as caught:
        targets.chosen(settings, ["lab"])
    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value) + repr(caught.value) + repr(settings)


def test_a_misspelt_scheme_is_recognised():
    with pytest.raises(InvalidInput, match=r"Did you mean slack\?"):
        targets.chosen(Settings(notify="lab=slakc://a/b/c"), ["lab"])


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mial", "notify: got 'mial'; allowed: mail or desk. Did you mean mail?"),
        ("https://evil.example/", "notify: got what is not a target's name; allowed: mail or desk"),
        ("", "notify: got what is not a target's name"),
    ],
)
def test_a_target_that_is_not_in_the_settings_is_refused(name, told):
    settings = Settings(notify=f"mail={MAIL} desk={MAIL}")
    with pytest.raises(InvalidInput) as caught:
        targets.chosen(settings, ["mail", name])
    assert told in str(caught.value)
    assert "evil" not in str(caught.value)


def test_each_name_counts_once_and_none_is_none():
    settings = Settings(notify=f"mail={MAIL}")
    assert targets.chosen(settings, ["mail", "mail"]) == ("mail",)
    assert targets.chosen(Settings(notify="what is not read"), []) == ()
    with pytest.raises(InvalidInput, match="allowed: names that BILANCIO_NOTIFY gives"):
        targets.chosen(Settings(), ["mail"])


def test_apprise_sends_what_it_knows_and_says_what_came_back(web, message, settings):
    address = settings(f"json://me:hunter2@127.0.0.1:{web.port}/to")
    (target,) = targets.targets(address).values()
    assert targets.send(target, message, address) == "sent"
    assert message.text.splitlines()[0] in web.received[0].body.decode()
    web.answers = [500, 500]
    with pytest.raises(NoticeNotDelivered) as caught:
        targets.send(target, message, address)
    assert "500" in caught.value.reason
    assert "hunter2" not in str(caught.value)


def test_without_apprise_only_its_targets_are_refused():
    code = (
        "import sys; sys.modules['apprise'] = None\n"
        "import importlib.util; importlib.util.find_spec = lambda name: None\n"
        "from bilancio.notify import targets; from bilancio.settings import Settings\n"
        f"settings = Settings(notify='mail={MAIL} desk=slack://a/b/c')\n"
        "print(targets.chosen(settings, ['mail']))\n"
        "targets.chosen(settings, ['desk'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "('mail',)\n"
    assert "The target desk needs apprise" in done.stderr
    assert re.search(r"bilancio\[notify\]|--extra notify", done.stderr)
