"""A PostgreSQL server for the tests of one session, and a database of its own for each."""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

PASSWORD = "s3cret-of-the-lab"
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "60",
    "shared_buffers": "16MB",
}


def binaries():
    """Return the folder of a server's programs, or None."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    found = shutil.which("postgres") or (debian[-1] if debian else None)
    return Path(found).resolve().parent if found else None


class Server:
    """A server on a socket in a folder of its own; as root it runs as the user postgres.

    Parameters
    ----------
    programs
        The folder of a server's programs.
    address
        One of this machine's at which it listens, too, at PostgreSQL's usual port.
    """

    def __init__(self, programs, address=""):
        self._programs = programs
        self._settings = SETTINGS | {"listen_addresses": address}
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))
        self._data = self.folder / "data"
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(self.folder, self._user, self._user)
        (self.folder / "password").write_text(PASSWORD)
        (self.folder / "password").chmod(0o644)
        self._call(
            "initdb", "--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8",
            "--username=postgres", f"--pwfile={self.folder / 'password'}", "-D", self._data,
        )  # fmt: skip
        self.process = None
        self.start()
        with self.connected("postgres") as connection:
            connection.execute(f"CREATE ROLE lab LOGIN CREATEDB PASSWORD '{PASSWORD}'")

    def _command(self, program, *words):
        """Return what executes a program as its user, and ends it when the tests are killed."""
        change = ["setpriv", "--pdeathsig=QUIT"]
        if os.geteuid() == 0:
            change += [f"--reuid={self._user}", f"--regid={self._user}", "--init-groups"]
        return [*change, self._programs / program, *map(str, words)]

    def _call(self, program, *words):
        done = subprocess.run(
            self._command(program, *words),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def start(self):
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command("postgres", "-D", self._data, "-k", self.folder, *options),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        while True:
            with contextlib.suppress(psycopg.OperationalError), self.connected("postgres"):
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self.process.wait(0.02)
                pytest.fail(f"the server ended with {code}: {(self.folder / 'log').read_text()}")

    def kill(self):
        """End the server as a power failure would: no answer is sent, nothing is closed."""
        every = [psutil.Process(self.process.pid)]
        every += every[0].children(recursive=True)
        for each in every:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        self.process.wait()
        psutil.wait_procs(every, 20)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()

    def remove(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder)

    def url(self, database, user="lab", password=PASSWORD):
        return f"postgresql://{user}:{password}@/{database}?host={self.folder}"

    def connected(self, database, user="postgres"):
        """Connect as the server's owner, for what a store's user may not do."""
        return psycopg.connect(self.url(database, user), autocommit=True)

    def make(self, database, template="template0"):
        with self.connected("postgres") as connection:
            connection.execute(f"CREATE DATABASE {database} OWNER lab TEMPLATE {template}")
        return self.url(database)

    def end_connections(self, database):
        """End all connections to a database, as an administrator does."""
        with self.connected("postgres") as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                [database],
            )

    def drop(self, database):
        with self.connected("postgres") as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


def database_of(url):
    """Return the name of the database in an address."""
    return urlsplit(url).path[1:]


def skip_or_fail(reason):
    """Skip at home what lacks a program; in CI it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres_server():
    """A running server, the same for all tests of a process."""
    programs = binaries()
    if programs is None or shutil.which("setpriv") is None:
        skip_or_fail("PostgreSQL's server is not installed (Debian: apt install postgresql)")
    server = Server(programs)
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres_template(postgres_server):
    """A database with an empty store, which others are copied from."""
    import asyncio

    from bilancio.jobs.store import open_store

    url = postgres_server.make("template_store")

    async def make():
        store = await open_store(url)
        async with store.database.write("no-job"):
            pass
        await store.close()

    asyncio.run(make())
    return "template_store"


@pytest.fixture
def empty_database(postgres_server):
    """The address of a database without a store."""
    name = f"t{secrets.token_hex(6)}"
    yield postgres_server.make(name)
    postgres_server.drop(name)


@pytest.fixture
def postgres_url(postgres_server, postgres_template, tmp_path, monkeypatch):
    """The address of a store of one's own without jobs."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    name = f"t{secrets.token_hex(6)}"
    yield postgres_server.make(name, postgres_template)
    postgres_server.drop(name)
