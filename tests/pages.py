"""The pages of docs/: the blocks that they show, and a reader who does what stands there."""

import contextlib
import os
import pty
import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from bilancio.cli.main import run

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PROGRAM = Path(sys.executable).with_name("bilancio")
NAME = re.compile(r"[a-z]+(-[a-z]+){3}")
#: Kinds of blocks that are run, or read by a program. What is shown below a command is compared.
RUN = {"bash", "console", "json", "python", "sql", "toml", "yaml"}
#: Commands that change the environment of those that follow them.
LASTING = {"cd", "export", "unset"}
#: Commands of bilancio that take over their process, or ask which shell started them.
OF_THEIR_OWN = {"worker", "--install-completion"}
#: What a reader calls her folders on the pages.
HOME = "/home/you"


@dataclass(frozen=True)
class Block:
    """What stands between two fences of a page, and below which headings."""

    page: str
    line: int
    headings: tuple[str, ...]
    kind: str
    text: str

    def __str__(self):
        return f"docs/{self.page}:{self.line}"

    def steps(self):
        """Return each command with the lines that are shown below it; else the text as it is."""
        if self.kind not in {"bash", "console"}:
            return [(self.text, [])]
        if self.kind == "bash":
            return [(line, []) for line in self.text.splitlines() if line]
        return [
            (command, [line.rstrip() for line in shown if line.strip()])
            for said in self.text.removeprefix("$ ").split("\n$ ")
            for command, *shown in [said.strip().splitlines()]
        ]


def blocks(page, section="", without=()):
    """Return the blocks of a page, or of one section of it, without those of some sections."""
    found, headings = [], {}
    lines = enumerate((DOCS / page).read_text(encoding="utf-8").splitlines(), 1)
    for number, line in lines:
        if heading := re.match(r"(#+) (.*)", line):
            depth = len(heading[1])
            headings = {of: name for of, name in headings.items() if of < depth}
            headings[depth] = heading[2]
        elif fence := re.match(r"( *)```(\w*)$", line):
            inside = iter(lambda: next(lines)[1], f"{fence[1]}```")
            text = "".join(f"{each.removeprefix(fence[1])}\n" for each in inside)
            found.append(Block(page, number, tuple(headings.values()), fence[2], text))
    assert not section or any(section in each.headings for each in found), section
    return [
        each
        for each in found
        if (not section or section in each.headings) and not {*without} & {*each.headings}
    ]


def excuse(text, excuses):
    """Return the excuse that names a command or file, or how it begins, before an ellipsis."""
    named, *_ = text.split("  #")
    for each in excuses:
        if named.strip() == each or (each.endswith("…") and text.startswith(each[:-1])):
            return each
    return None


class Reader:
    """Does what the blocks of a page show, each command as in one shell, and compares.

    Attributes
    ----------
    left
        Blocks that are run or read, and were not yet.
    here
        What stands on the page, and what is meant by it on this machine.
    answers
        What is typed where a program asks, by the program.
    installed
        Whether `bilancio` is what the PATH has; else it runs in this process, which is faster.
    job
        What is meant by NAME: the first job that was made, unless it is said otherwise.
    """

    def __init__(self, page, patch, capsys, left_out):
        self.page = page
        self._left_out = left_out
        self.left = [each for each in page if each.kind in RUN]
        self.here, self.answers, self.job, self.installed = {}, {}, "", False
        self._patch, self._capsys = patch, capsys

    def take(self, kind, text=""):
        """Return the next block of a kind with this text in it, which is then done."""
        found = next(each for each in self.left if each.kind == kind and text in each.text)
        self.left.remove(found)
        return found

    def take_all(self, kind):
        """Return the page, whose blocks of a kind are done then."""
        self.left = [each for each in self.left if each.kind != kind]
        return self.page

    def shown(self, text):
        """Return the block with this text that shows what comes out."""
        return next(each.text for each in self.page if each.kind not in RUN and text in each.text)

    def follow(self, section=""):
        """Run the commands of the blocks that are left; each prints what the page shows."""
        for block in [each for each in self.left if each.kind in {"bash", "console"}]:
            if section and section not in block.headings:
                continue
            for command, shown in block.steps():
                if excuse(command, self._left_out) is None:
                    self.compare(block, command, shown, self.do(command))
            self.left.remove(block)

    def compare(self, block, command, shown, heard):
        for there, here in self.here.items():
            heard = heard.replace(here, there)
        folder = f"{HOME}/study"
        heard = heard.replace(str(Path.cwd()), folder).replace(os.environ["HOME"], HOME)
        printed = [line.rstrip() for line in heard.splitlines()]
        missing = [line for line in shown if line not in printed]
        assert missing == [], f"{block}: {command}\n{heard}"
        order = iter(printed)
        assert all(line in order for line in shown), f"{block}: {command}"

    def do(self, command):
        """Run a command to its good end, as the reader's shell would; return what it prints."""
        command = self.mean(command.removeprefix("uv run "))
        program, *_ = command.split()
        if program in LASTING:
            self._remember(self._bash(f"{command}\nenv -0; printf 'PWD=%s' \"$PWD\""))
            return ""
        if program != "bilancio" or self.installed:
            return self._bash(command)
        words = self._bash(f"printf '%s\\0' {command}").split("\0")[1:-1]
        if OF_THEIR_OWN & {*words[:1]}:
            return self._bash(command)
        self._capsys.readouterr()
        code = run(words)
        said = self._capsys.readouterr()
        assert code == 0, (command, said)
        if named := re.search("^Job ID: (.*)", said.out, re.MULTILINE):
            self.job = self.job or named[1]
        return said.out

    def do_at_a_terminal(self, command, typed):
        """Run a command that asks, and type an answer."""
        ours, theirs = pty.openpty()
        os.write(ours, f"{typed}\n".encode())
        done = subprocess.run(
            ["bash", "--norc", "-c", self.mean(command)],
            stdin=theirs,
            capture_output=True,
            text=True,
            check=True,
        )
        os.close(ours)
        os.close(theirs)
        return done.stdout

    @contextlib.contextmanager
    def kept_running(self, command, until):
        """Run a program that does not end by itself, in the background, once it has said that."""
        command = f"exec {self.mean(command)}"
        process = subprocess.Popen(
            ["bash", "--norc", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert any(until in line for line in process.stdout), command
            rest = threading.Thread(target=process.stdout.read)
            rest.start()
            yield
            process.terminate()
            rest.join()
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def mean(self, text):
        """Return a text of the page with what is meant on this machine."""
        for there, here in {**self.here, "NAME": self.job or "NAME"}.items():
            text = re.sub(rf"(?<!\w){re.escape(there)}(?!\w)", here, text)
        return text

    def _remember(self, told):
        new = dict(each.split("=", 1) for each in told.split("\0"))
        self._patch.chdir(new.pop("PWD"))
        for name in os.environ.keys() - new.keys() - {"PWD"}:
            self._patch.delenv(name)
        for name, value in new.items():
            if name not in {"_", "SHLVL", "OLDPWD"} and os.environ.get(name) != value:
                self._patch.setenv(name, value)

    def _bash(self, command):
        done = subprocess.run(
            ["bash", "--norc", "-c", f"{command}\nexit $?"],  # so that it stays the parent
            input=self.answers.get(command.split()[0], ""),
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,  # without the terminal of the tests, where one would be asked
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout
