"""What a machine with nothing but Python needs to compute runs as this one does."""

import re
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import bilancio
from bilancio.experiments import registry
from bilancio.experiments.sources import pinned, sources_of

_OURS = re.compile(r"bilancio\b(?!-)", re.IGNORECASE)


class Shipment(NamedTuple):
    """What has to be there.

    Attributes
    ----------
    packages
        Requirements that pin what is installed here, and what that needs.
    folders, files
        Place below a folder on the import path → what is to be there.
    environment
        Variables that name the experiment.
    """

    packages: list[str]
    folders: dict[str, Path]
    files: dict[str, Path]
    environment: dict[str, str]


def shipment_of(sweep_type: str) -> Shipment:
    """Return what an experiment needs elsewhere.

    bilancio itself comes from the registry when it does here. A development version, which no
    registry has, travels as source, as the modules of one's own experiment do.
    """
    plugin = registry.plugins().experiments.get(sweep_type)
    sources = sources_of(plugin.address if plugin else "")
    packages = pinned(sources.distributions)
    folders = {}
    if not _is_released():
        packages = [each for each in packages if not _OURS.match(each)]
        folders = _own_folders()
    return Shipment(
        packages=packages,
        folders=folders,
        files=sources.files,
        environment={"BILANCIO_EXPERIMENTS": plugin.address} if plugin else {},
    )


def _is_released() -> bool:
    """Return whether bilancio was installed from a registry, not from a folder or a repository."""
    return metadata.distribution("bilancio").read_text("direct_url.json") is None


def _own_folders() -> dict[str, Path]:
    """Return the package, and beside it what tells its version."""
    ours = metadata.distribution("bilancio")
    described = f"bilancio-{ours.version}.dist-info"
    return {
        "bilancio": Path(bilancio.__file__).parent,
        described: Path(str(ours.locate_file(described))),
    }
