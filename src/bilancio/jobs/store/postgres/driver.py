"""The driver, or a sentence that says how it is installed."""

from bilancio.errors import LibraryMissing

try:
    import psycopg
    from psycopg import errors
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
    from psycopg.rows import dict_row
    from psycopg.types.numeric import Int8BinaryDumper
    from psycopg.types.string import BytesDumper, StrBinaryDumper
except ImportError as error:
    raise LibraryMissing(
        "psycopg", str(error).splitlines()[0], "A store on PostgreSQL", "postgres"
    ) from None

__all__ = [
    "BytesDumper",
    "Int8BinaryDumper",
    "StrBinaryDumper",
    "conninfo_to_dict",
    "dict_row",
    "errors",
    "make_conninfo",
    "psycopg",
]
