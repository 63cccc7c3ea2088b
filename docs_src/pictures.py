"""docs/images: pictures as the product draws them."""

from pathlib import Path
from tempfile import TemporaryDirectory

from bilancio.jobs import JobManager

#: By file: the job that it is of, and what is drawn.
PICTURES = {
    "default-rate.png": (
        "bright-ocean-swift-tiger",
        {"kappas": "0.25,0.5,1,2", "mus": "0,0.5", "n_replicates": 20},
        {"x": "kappa"},
    ),
    "default-rate-by-mu.png": ("calm-river-amber-fox", {"preset": "stressed"}, {"x": "mu"}),
}


def draw(name: str) -> bytes:
    """Compute the sweep of a picture, and return it as PNG."""
    job_id, sweep, asked = PICTURES[name]
    with (
        TemporaryDirectory() as folder,
        JobManager(Path(folder) / "store.db", out_dir=folder) as manager,
    ):
        manager.create_job("a picture", {"sweep_type": "balanced", **sweep}, job_id=job_id)
        manager.run_job(job_id)
        return manager.plot(job_id, "default_rate", keep=False, **asked).png
