"""PostgreSQL's errors as sentences."""

import contextlib
from collections.abc import Iterator

from bilancio.errors import StoreConflict, StoreError, StoreUnavailable, StoreUnreachable
from bilancio.jobs.store.postgres.address import Address
from bilancio.jobs.store.postgres.driver import errors, psycopg
from bilancio.printable import shortened

MAX_SAID = 300
LATER = "Try again later."

#: What ends a connection or a transaction through no fault of its own, and may pass.
PASSING = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.TooManyConnections,
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.IdleInTransactionSessionTimeout,
)


@contextlib.contextmanager
def explained(address: Address) -> Iterator[None]:
    """Raise what the driver reports in the block as an error of the store at *address*."""
    try:
        yield
    except psycopg.Error as error:
        raise sentence(address, error) from error
    except OSError as error:
        raise StoreUnreachable(address.shown, f"{error.strerror or error}.") from error


def sentence(address: Address, error: psycopg.Error) -> StoreError:
    """Return what *error* means for the store at *address*."""
    said = words(address, error)
    match error:
        case errors.IntegrityError():
            return StoreConflict(address.shown, f"{said}.")
        case errors.InsufficientPrivilege():
            return StoreUnavailable(
                address.shown, f"its user lacks a right ({said}). Ask its owner to grant it."
            )
        case errors.ReadOnlySqlTransaction():
            return StoreUnavailable(
                address.shown, "the server only answers questions, as a standby does."
            )
        case errors.DiskFull():
            return StoreUnavailable(address.shown, "the server's disk is full.")
        case errors.ProgramLimitExceeded():
            return StoreUnavailable(address.shown, "a value is larger than a row can hold (1 GB).")
        case errors.LockNotAvailable():
            return StoreUnreachable(address.shown, f"another program keeps it locked. {LATER}")
    if isinstance(error, PASSING) or _is_lost(error):
        return StoreUnreachable(address.shown, f"the server does not answer ({said}). {LATER}")
    return StoreUnavailable(address.shown, f"PostgreSQL reported: {said}.")


def words(address: Address, error: psycopg.Error) -> str:
    """Return the first line of what the server or the driver says, without passwords."""
    said = error.diag.message_primary or str(error)
    first = next((line.strip() for line in said.splitlines() if line.strip()), "no reason given")
    return shortened(address.without_secrets(first).rstrip("."), MAX_SAID)


def _is_lost(error: psycopg.Error) -> bool:
    """Return whether the connection is gone: the server said nothing that has a code."""
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and (
        error.sqlstate is None or error.sqlstate.startswith("08")
    )
