"""The runs that a search chose are read as all others are."""

import numpy as np

from bilancio.experiments import registry
from bilancio.experiments.design import stored_columns
from bilancio.experiments.reduction import Cells, Recorded
from bilancio.jobs import JobConfig


def test_a_value_that_a_run_of_a_search_lacks_is_missing():
    config = JobConfig(
        sweep_type="ring", frontier=True, kappa_range=["0.2", "5"], n_replicates=2, grid=False
    )
    experiment = registry.experiment("ring")
    rows = np.zeros(2, stored_columns(config, experiment.metrics))
    rows["kappa"], rows["time_to_stability"] = 0.2, [-1, 4]
    nothing = np.zeros(0, bool)
    recorded = Recorded(
        done=nothing,
        failed=np.empty(0, np.int64),
        names=rows.dtype.names,
        searched=(np.arange(2), rows),
    )
    cells = Cells(experiment, config, recorded)
    values = cells.cube("time_to_stability", np.empty(0))
    assert sorted(values[np.isfinite(values)]) == [4.0]
