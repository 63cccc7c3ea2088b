"""Ask by a plain connection whether a Dask scheduler answers at an address, or its machine does.

Loads nothing of Dask. Whatever of Dask listens there speaks first, and names in its first frame the
protocol of pickles that it knows; with TLS, which asks for the cluster's certificate, it is only
seen that TLS is spoken.
"""

import socket
import threading
import time
from urllib.parse import urlsplit

GREETING = b"pickle-protocol"
LONGEST_GREETING = 4096
ANSWER_S = 8.0


def fault(address: str, limit_s: float) -> str:
    """Return why no Dask process answers at *address* within *limit_s* seconds; "" if one does."""
    found = [silent := f"no answer within {limit_s:g} s"]

    def ask() -> None:
        found.append(_fault(address, time.monotonic() + limit_s, silent))

    asking = threading.Thread(target=ask, name="dask-probe", daemon=True)
    asking.start()
    asking.join(limit_s)  # the resolver of names has no limit of its own
    return found[-1]


def machine_answers(address: str, limit_s: float) -> bool:
    """Return whether the machine of *address* takes or refuses a connection within *limit_s*.

    It does, too, for a scheduler that is so busy that it answers nothing.
    """
    try:
        _connected(address, limit_s).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


def _fault(address: str, deadline: float, silent: str) -> str:
    try:
        with _connected(address, deadline - time.monotonic()) as connection:
            known = _speaks_tls if address.startswith("tls:") else _greets
            return "" if known(connection, deadline) else "what answers there is not Dask"
    except TimeoutError:
        return silent
    except UnicodeError:  # of the resolver: an empty part, or one that is too long
        return "no host has such a name"
    except OSError as error:
        return error.strerror or str(error)


def _connected(address: str, limit_s: float) -> socket.socket:
    place = urlsplit(address)
    return socket.create_connection((place.hostname, place.port or 0), max(limit_s, 0.01))


def _greets(connection: socket.socket, deadline: float) -> bool:
    said = b""
    while GREETING not in said and len(said) < LONGEST_GREETING:
        connection.settimeout(max(deadline - time.monotonic(), 0.01))
        if not (more := connection.recv(LONGEST_GREETING)):
            return False
        said += more
    return GREETING in said


def _speaks_tls(connection: socket.socket, deadline: float) -> bool:
    import ssl  # takes 10 ms, and few clusters use it

    connection.settimeout(max(deadline - time.monotonic(), 0.01))
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is told to it
    try:
        context.wrap_socket(connection).close()
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")  # it asks for a certificate
    return True
