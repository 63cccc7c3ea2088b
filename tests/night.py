"""Values that only the night tries; others, in the gate, can fail for the same reason."""

import pytest


def nightly(*values):
    """Return each value, a tuple if a test takes several, for `parametrize`, marked `nightly`."""
    return [
        pytest.param(*(each if isinstance(each, tuple) else (each,)), marks=pytest.mark.nightly)
        for each in values
    ]
