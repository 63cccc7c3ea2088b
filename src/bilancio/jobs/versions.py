"""The experiment of a job, and how it differs from the one that recorded its runs."""

from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments import registry
from bilancio.experiments.protocol import Experiment
from bilancio.experiments.sweep_config import UncheckedSweep
from bilancio.jobs.models import Job

_ADDRESS = "experiment"


def address_of(sweep_type: str) -> dict[str, str]:
    """Return what a job's provenance says of where its experiment is; nothing if it is built in."""
    found = registry.plugins().experiments.get(sweep_type)
    return {} if found is None else {_ADDRESS: found.address}


def experiment_of(job: Job) -> Experiment:
    """Return the experiment of a job, which can read its configuration.

    Raises
    ------
    InvalidInput
        It is not here, and where it was; or it takes another configuration.
    """
    refuse_missing(job)
    return registry.experiment(job.config.sweep_type)


def refuse_missing(job: Job) -> None:
    """Refuse a job whose experiment is not here, or takes another configuration.

    Raises
    ------
    InvalidInput
        Says so; its code is not loaded for that.
    """
    sweep_type = job.config.sweep_type
    if sweep_type not in registry.sweep_types():
        recorded = f"version {job.engine}"
        if address := job.provenance.get(_ADDRESS):
            recorded = f"{address}, {recorded}"
        got = f"{shown(sweep_type)}, which is not found here; it was {recorded}"
        got = "; ".join([got, *map(str, registry.plugin_faults())])
        raise InvalidInput([Problem("sweep_type", got, ", ".join(registry.sweep_types()))])
    if isinstance(job.config, UncheckedSweep):
        registry.stored_configuration(job.config.as_dict())


def other_version(job: Job, version: str) -> str:
    """Say that what a job recorded comes from another version than is here."""
    return (
        f"Its runs were recorded by version {job.engine} of {job.config.sweep_type}; here is "
        f"{version}, whose numbers may differ."
    )


def version_remarks(job: Job, version: str) -> tuple[str, ...]:
    """Return what is to be known of a job's version: nothing where it is the one here."""
    return (other_version(job, version),) if job.engine != version else ()
