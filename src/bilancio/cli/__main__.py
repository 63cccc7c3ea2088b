"""The process of the command `bilancio`."""

import _signal  # type: ignore[import-not-found]  # what `signal` wraps, which loads 30 ms more
import gc
import os
import sys

INTERRUPTED = 130
_WORKER = ("bilancio.executors.standby", "bilancio.jobs.worker.__main__")
_STARTING = ("jobs start", "jobs resume", "jobs extend")


def main() -> None:
    """Run the command line of this process.

    Ctrl-C while the code is loaded ends the process at once: nothing has been begun.
    """
    default = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler
    if default:
        _signal.signal(_signal.SIGINT, _leave)
    if _starts_a_worker(sys.argv[1:]):
        from bilancio import ahead  # other commands do without

        ahead.prepare(*_WORKER)
    gc.disable()  # nothing of what is loaded now is garbage; looking takes a quarter of the start
    from bilancio.cli.main import run  # takes half a second, in which the handler is needed
    from bilancio.cli.render.console import prepare_streams, reserve_stdout

    gc.freeze()
    gc.enable()
    prepare_streams()
    if "--json" in sys.argv:
        reserve_stdout()
    if default:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    code = run(sys.argv[1:])
    if default:
        _signal.signal(_signal.SIGINT, _signal.SIG_IGN)  # all is said; the interpreter ends
    sys.exit(code)


def _starts_a_worker(words: list[str]) -> bool:
    """Return whether a command most likely will, from its words alone."""
    if not {"--help", "--dry-run"}.isdisjoint(words):
        return False
    return words[:1] == ["sweep"] or " ".join(words[:2]) in _STARTING


def _leave(_signal_number: int, _frame: object) -> None:
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
