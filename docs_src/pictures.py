"""docs/images: pictures as the product draws them."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bilancio.jobs import JobManager

#: By file: the job that it is of, its sweep, and by which parameter it is drawn.
PICTURES: dict[str, tuple[str, dict[str, Any], str]] = {
    "default-rate.png": (
        "bright-ocean-swift-tiger",
        {"kappas": "0.25,0.5,1,2", "mus": "0,0.5", "n_replicates": 20},
        "kappa",
    ),
    "default-rate-by-mu.png": ("calm-river-amber-fox", {"preset": "stressed"}, "mu"),
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
        return manager.plot(job_id, "default_rate", keep=False, x=asked).png
