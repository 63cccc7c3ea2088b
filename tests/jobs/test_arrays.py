"""The runs of a job as an xarray Dataset, held to the runs one by one."""

import json
import sys

import numpy as np
import pytest
import xarray

from bilancio.errors import InvalidInput, LibraryMissing, ResultsMissing
from bilancio.jobs import AsyncJobManager, JobConfig
from bilancio.jobs.store import packing
from tests.jobs.store.kit import record

CROSSED = {
    "sweep_type": "balanced", "n_agents": 8, "kappas": ["0.3", "20"], "concentrations": [1, 2, 5],
    "mus": [1], "monotonicities": ["-0.1", "0.7"], "seeds": [7, 1, 9],
}  # fmt: skip
OTHERS = {
    "hypercube and points": {
        "sweep_type": "balanced", "n_agents": 5, "lhs": 3, "kappa_range": "0.2:5",
        "points": [{"kappa": 9, "mu": 1}], "n_replicates": 2,
    },
    "frontier": {
        "sweep_type": "ring", "n_agents": 5, "mus": [0, 1], "n_replicates": 2, "frontier": True,
        "kappa_range": "0.5:40", "frontier_tolerance": "0.5",
    },
    "single": {"sweep_type": "single", "n_agents": 3},
}  # fmt: skip


def assert_holds(dataset, runs, names):
    """Compare each run with the values at its place, and count them."""
    metrics = list(dataset.data_vars)
    for run in runs:
        at = dataset.sel({name: run[name] for name in names})
        for name in metrics:
            value = at[name].item()
            if run.get(name) is None:
                assert value == "" or np.isnan(value), name
            else:
                assert value == run[name], name


def test_a_crossed_grid_has_a_dimension_for_each_parameter_that_varies(blocking, done):
    job = done(CROSSED)
    found = blocking.to_xarray(job.job_id)
    assert dict(found.sizes) == {
        "seed": 3, "arm": 2, "kappa": 2, "concentration": 3, "monotonicity": 2,
    }  # fmt: skip
    assert found.delta_total.dims == tuple(found.sizes)
    assert found.kappa.values.tolist() == [0.3, 20.0]
    assert found.seed.values.tolist() == [7, 1, 9]
    assert (found.mu.item(), found.mu.dims) == (1, ())
    assert found.delta_total.size == job.total_runs
    runs = blocking.runs(job.job_id)
    assert set(found.data_vars) == {*runs[0]} - {
        "job_id", "run_id", "index", "cell", "status", *found.coords,
    }  # fmt: skip
    assert_holds(found, runs, list(found.sizes))


def test_words_switches_and_whole_numbers_are_dimensions_too(blocking, done):
    vary = {"default_handling": ["expel-agent", "fail-fast"], "rollover": [True, False]}
    config = {"sweep_type": "ring", "vary": vary | {"n_agents": [3, 5]}, "n_replicates": 2}
    job = done(config)
    found = blocking.to_xarray(job.job_id)
    assert dict(found.sizes) == {
        "seed": 2, "n_agents": 2, "default_handling": 2, "rollover": 2,
    }  # fmt: skip
    assert found.n_agents.values.tolist() == [3, 5]
    assert sorted(found.default_handling.values.tolist()) == ["expel-agent", "fail-fast"]
    assert_holds(found, blocking.runs(job.job_id), list(found.sizes))
    frame = blocking.runs_frame(job.job_id)
    assert [str(frame[name].dtype) for name in vary] == ["category", "bool"]
    assert frame["default_handling"].tolist() == [
        run["default_handling"] for run in blocking.runs(job.job_id)
    ]


def test_it_says_units_meanings_and_which_job_it_is_of(blocking, done):
    job = done(CROSSED)
    found = blocking.to_xarray(job.job_id)
    assert found.dealer_pnl.attrs == {"units": "money", "long_name": "Profit of the dealers."}
    assert found.kappa.attrs["long_name"] == "Liquidity ratio κ: cash / debt of the ring."
    assert (found.attrs["job_id"], found.attrs["sweep_type"]) == (job.job_id, "balanced")
    assert json.loads(found.attrs["config"]) == job.config.as_dict()
    assert found.n_defaults.dtype == np.int32
    assert set(np.unique(found.end.values)) <= {"stable", "max-days", "default", "all-defaulted"}


@pytest.mark.parametrize("name", OTHERS)
def test_cells_of_other_designs_lie_along_one_dimension(blocking, done, name):
    job = done(OTHERS[name])
    found, runs = blocking.to_xarray(job.job_id), blocking.runs(job.job_id)
    dims = set(found.sizes)
    assert dims == {"seed"} | ({"cell"} if name != "single" else set()) | (
        {"arm"} if len(job.config.arms) > 1 else set()
    )
    if "cell" in dims:
        assert {run["cell"] for run in runs} == set(found.cell.values.tolist())
        kappas = dict(zip(found.cell.values.tolist(), found.kappa.values.tolist(), strict=True))
        assert {run["cell"]: run["kappa"] for run in runs} == kappas
        assert found.design.dims == ("cell",)
    assert_holds(found, runs, sorted(dims))


async def test_runs_without_results_are_missing():
    async with AsyncJobManager() as manager:
        whole = await manager.run_job((await manager.create_job("all", CROSSED)).job_id)
        job = await manager.create_job("some", CROSSED)
        store = await manager.store()
        lease, _ = await store.claim(job.job_id, "w", lease_s=60, executor="local")
        _, metrics = packing.join(await store.chunks(whole.job_id), whole.job_id)
        chunks = packing.split(np.arange(3, 23), metrics[:20])
        await record(store, lease, chunks)
        found = await manager.to_xarray(job.job_id)
        assert int(found.delta_total.notnull().sum()) == 20
        assert int(found.n_trades.notnull().sum()) == 20
        assert int((found.end != "").sum()) == 20
        assert_holds(found, await manager.runs(job.job_id, limit=100), list(found.sizes))


def test_a_dataset_is_written_and_read_as_arrays_are(blocking, done, tmp_path):
    """Averages over seeds and differences between arms are one line each."""
    found = blocking.to_xarray(done(CROSSED).job_id)
    effect = found.delta_total.sel(arm="passive") - found.delta_total.sel(arm="active")
    by_kappa = effect.mean(["seed", "concentration", "monotonicity"])
    job_id = found.attrs["job_id"]
    table = blocking.results(job_id, group_by=["kappa"], measures=["trading_effect"]).to_pandas()
    np.testing.assert_allclose(by_kappa.values, table["trading_effect"], atol=1e-12)
    again = xarray.Dataset.from_dict(found.to_dict())
    xarray.testing.assert_identical(again, found)


def test_jobs_that_have_no_arrays_are_refused(blocking, done, plugins, monkeypatch):
    pending = blocking.create_job("pending", CROSSED)
    with pytest.raises(ResultsMissing, match="no run has been recorded"):
        blocking.to_xarray(pending.job_id)
    blocking.start_job(pending.job_id)
    with pytest.raises(InvalidInput, match="to_xarray: got a job of runs recorded manually; allow"):
        blocking.to_xarray(pending.job_id)
    own = done({"sweep_type": "gated", "n": 3})
    with pytest.raises(InvalidInput, match="got a job of gated, which does not say how its runs"):
        blocking.to_xarray(own.job_id)
    job = done(JobConfig(sweep_type="single", n_agents=3))
    monkeypatch.setitem(sys.modules, "xarray", None)
    monkeypatch.delitem(sys.modules, "bilancio.frames.datasets", raising=False)
    with pytest.raises(LibraryMissing, match=r"needs xarray.*(o\[|--extra )frames"):
        blocking.to_xarray(job.job_id)
