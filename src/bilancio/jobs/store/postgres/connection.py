"""Connections to a PostgreSQL server, made as the store needs them."""

from typing import Any, NoReturn

from bilancio.errors import (
    NotAStore,
    StoreTooNew,
    StoreUnavailable,
    StoreUnreachable,
)
from bilancio.jobs.store.postgres.address import Address, malformed
from bilancio.jobs.store.postgres.driver import (
    Int8BinaryDumper,
    StrBinaryDumper,
    conninfo_to_dict,
    dict_row,
    make_conninfo,
    psycopg,
)
from bilancio.jobs.store.postgres.explained import words
from bilancio.jobs.store.postgres.migrate import SCHEMA, latest_version, tables

Connection = psycopg.AsyncConnection[dict[str, Any]]

OLDEST = 140_000  # PostgreSQL 14
DEFAULTS = {
    "application_name": "bilancio",
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
#: A process that is suspended in a transaction keeps a job's lock for less long than others wait.
SESSION = f"""
SET search_path TO {SCHEMA};
SET lock_timeout TO '30s';
SET idle_in_transaction_session_timeout TO '20s';
SET synchronous_commit TO on
"""
FACTS = f"""
SELECT to_regclass('{SCHEMA}.migrations') IS NOT NULL AS made,
       EXISTS (SELECT 1
                 FROM pg_class
                WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = '{SCHEMA}')
       ) AS used
"""  # noqa: S608 - the schema's name is ours
NEWEST = f"SELECT max(version) AS version FROM {SCHEMA}.migrations"  # noqa: S608 - as above
#: What a server will say again. Of a refusal it sends no code that the driver hands on; one in
#: words of another language is waited for, as a server that starts is.
REFUSALS = (
    "authentication failed",
    "does not exist",
    "no pg_hba.conf entry",
    "not permitted",
    "permission denied",
)
LACKING = "no password supplied"  # the driver says so that was asked for one


async def connect(address: Address) -> Connection:
    """Open a connection, without looking at what is there.

    Raises
    ------
    InvalidInput
        The driver does not read the address.
    StoreUnreachable, StoreUnavailable
        The server does not answer now; it refuses.
    """
    try:
        given = conninfo_to_dict(address.url)
        defaults = {name: value for name, value in DEFAULTS.items() if name not in given}
        connection: Connection = await psycopg.AsyncConnection.connect(
            make_conninfo(address.url, **defaults, client_encoding="UTF8"),
            autocommit=True,
            row_factory=dict_row,
        )
    except psycopg.ProgrammingError:  # its words quote the address
        raise malformed(address.url) from None
    except UnicodeError:  # of the resolver: a host's name with an empty part, or a long one
        raise malformed(address.url) from None
    except psycopg.OperationalError as error:
        _refuse(address, error)
    try:
        # Each parameter has one type, whatever its value; only NULL has none.
        connection.adapters.register_dumper(str, StrBinaryDumper)
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        _check_server(address, connection)
        await connection.execute(SESSION)
    except BaseException:
        await connection.close()
        raise
    return connection


async def stored_version(address: Address, connection: Connection) -> int:
    """Return the schema's number that a connection finds; 0 where there is no store.

    Raises
    ------
    NotAStore, StoreTooNew
        What is there was left as it is.
    """
    facts = await _row(connection, FACTS)
    if not facts["made"]:
        if facts["used"]:
            reason = f"its schema {SCHEMA} belongs to another program. Name another database."
            raise NotAStore(address.shown, reason)
        return 0
    version = int((await _row(connection, NEWEST))["version"])
    if version > latest_version():
        raise StoreTooNew(
            address.shown,
            f"a newer bilancio wrote it (schema {version}, this one knows {latest_version()}). "
            "Upgrade bilancio, or name another database.",
        )
    return version


async def pretend(connection: Connection) -> None:
    """Have a connection find a store without jobs, which no other connection sees."""
    await connection.execute("SET search_path TO pg_temp")
    await connection.execute(tables())


async def moment(connection: Connection) -> float:
    """Return the server's time, in seconds since 1970."""
    return float(
        (await _row(connection, "SELECT extract(epoch FROM clock_timestamp()) AS at"))["at"]
    )


async def _row(connection: Connection, statement: str) -> dict[str, Any]:
    row = await (await connection.execute(statement)).fetchone()
    assert row is not None
    return row


def _check_server(address: Address, connection: Connection) -> None:
    version = connection.info.server_version
    if version < OLDEST:
        raise StoreUnavailable(
            address.shown, f"PostgreSQL {version // 10_000} is too old: 14 or newer is needed."
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        reason = f"the database holds {encoding}, not any text. Create one with ENCODING 'UTF8'."
        raise NotAStore(address.shown, reason)


def _refuse(address: Address, error: psycopg.OperationalError) -> NoReturn:
    said = words(address, error)
    if LACKING in said:
        reason = "the server asks for a password, and neither ~/.pgpass nor the address has one."
        raise StoreUnavailable(address.shown, reason) from error
    if "FATAL:" in said and any(each in said for each in REFUSALS):
        raise StoreUnavailable(address.shown, f"the server refuses ({said}).") from error
    raise StoreUnreachable(address.shown, f"no server answers there ({said}).") from error
