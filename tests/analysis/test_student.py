import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from bilancio.analysis.student import LEAST_P, SUMMED_DF, t_quantiles, t_tails

NAN = np.nan


@pytest.mark.parametrize("p", [LEAST_P, 0.005, 0.025, 0.1, 0.25, 0.49])
def test_usual_quantiles_are_those_of_scipy(p):
    df = np.r_[np.arange(1.0, SUMMED_DF + 2), SUMMED_DF + 0.5, 5e3, 1e6, 1e12]
    expected = stats.t.ppf(p, df)  # good to 5e-11 before scipy 1.17
    np.testing.assert_allclose(t_quantiles(df, p), expected, rtol=1e-10)


def test_unusual_quantiles_and_tails_are_those_of_scipy():
    df = np.array([1.0, 4.0, 4.0, 2.5, 1e6, 0.5, NAN])
    p = np.array([1e-9, 0.025, 0.5, 0.2, 1e-7, 0.01, 0.1])
    np.testing.assert_allclose(t_quantiles(df, p), stats.t.ppf(p, df), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(t_quantiles(df, 0.025), stats.t.ppf(0.025, df), rtol=1e-9)
    t = np.array([0.0, -3.0, 3.0, 40.0, 2.0, 1.0, 1.0])
    np.testing.assert_allclose(t_tails(df, t), 2 * stats.t.sf(np.abs(t), df), rtol=1e-9)


def test_a_quantile_is_the_same_whatever_it_is_asked_for_with():
    df, p = np.array([3.0, 2000.0, 2.5, 7.0]), np.array([0.025, 0.025, 0.025, 1e-6])
    alone = [t_quantiles(df[[at]], float(p[at]))[0] for at in range(len(df))]
    assert t_quantiles(df, p).tolist() == alone


def test_the_interval_of_a_mean_is_found_without_scipy():
    code = """
import sys
import numpy as np
from bilancio.analysis.intervals import mean_intervals
mean_intervals(np.arange(4000.0).reshape(2, -1))
mean_intervals(np.arange(12.0).reshape(2, -1))
sys.exit("scipy" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
