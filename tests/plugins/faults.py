"""What can go wrong in a run, by name: each takes the table that it would have returned."""

import ctypes
import os
import signal
import sys
import threading

import numpy as np


class Unpicklable(Exception):
    """It holds what cannot travel, and its constructor takes two arguments."""

    def __init__(self, one, two):
        super().__init__("cannot travel")
        self.held = (one, two, lambda: None)


class Mute(Exception):
    def __str__(self):
        raise SystemExit


def raising(make):
    def fault(table):
        raise make()

    return fault


def recursing(table):
    return recursing(table)


def forking(table):
    os.fork()  # both return; only one of them is the process that was asked
    return table


def closing(table):
    os.closerange(0, 3)
    return table


def closing_all(table):
    os.closerange(0, 256)
    return table


def printing(table):
    os.write(1, b"\x00\xff\x1b[2J\xfe binary")
    sys.stdout.write("\x1b]0;title\x07")
    return table


def leaving_a_process(table):
    """It goes on after the run, and holds all that the process holds."""
    if not os.fork():
        signal.pause()
    return table


def deaf(table):
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(each, signal.SIG_IGN)
    return table


def stopping(table):
    """Have its own process end in order, if it can, and leave it no result to record."""
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait()


def moving(table):
    os.chdir("/")
    return table


FAULTS = {
    "segfault": lambda table: ctypes.string_at(0),
    "exit": lambda table: os._exit(3),
    "sys.exit": lambda table: sys.exit("done"),
    "exit 0": lambda table: os._exit(0),
    "kill": lambda table: os.kill(os.getpid(), signal.SIGKILL),
    "term": lambda table: os.kill(os.getpid(), signal.SIGTERM),
    "stop its process": stopping,
    "interrupt": raising(KeyboardInterrupt),
    "generator": raising(GeneratorExit),
    "stop": raising(StopIteration),
    "memory": raising(MemoryError),
    "recursion": recursing,
    "unpicklable": raising(lambda: Unpicklable(1, 2)),
    "mute": raising(Mute),
    "odd letters": raising(lambda: ValueError("\ud800 \x00 \x1b[2J \x9b é")),
    "long": raising(lambda: ValueError("x" * 10_000_000)),
    "none": lambda table: None,
    "text": lambda table: "no table",
    "few": lambda table: table[:-1],
    "flat": lambda table: np.zeros(len(table)),
    "objects": lambda table: np.array([(object(),)] * len(table), [("value", object)]),
    "letters": lambda table: np.array([("x",)] * len(table), [("value", "U1")]),
    "complex": lambda table: table.astype([("value", complex)]),
    "nested": lambda table: np.zeros(len(table), [("value", float, 2)]),
    "masked": lambda table: np.ma.masked_array(table, mask=True),
    "close all": closing_all,
}
HARMLESS = {
    "other columns": lambda table: table.astype([("other", float)]),
    "fork": forking,
    "close": closing,
    "print": printing,
    "child": leaving_a_process,
    "deaf": deaf,
    "move": moving,
    "record": lambda table: table.view(np.recarray),
}
