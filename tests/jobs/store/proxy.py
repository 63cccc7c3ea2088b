"""A way to the server that can be cut at a chosen moment, or has it say another version."""

import asyncio
import contextlib
import re

SOCKET = ".s.PGSQL.5432"


class Proxy:
    """Listens on a socket in a folder and hands on what it hears, both ways.

    Attributes
    ----------
    cut_after
        Bytes of a client's message; the server gets it, and its answer is lost with the
        connection. Once.
    major_version
        Two digits that the server says in place of its own, where given.
    connections
        How many there have been.
    """

    def __init__(self, folder, server, *, major_version=b""):
        self.cut_after = None
        self.major_version = major_version
        self.connections = 0
        self._folder = folder
        self._server = str(server.folder / SOCKET)

    async def __aenter__(self):
        self._folder.mkdir()
        self._listening = await asyncio.start_unix_server(self._serve, self._folder / SOCKET)
        return self

    async def __aexit__(self, *_):
        self._listening.close()

    async def _serve(self, reader, writer):
        self.connections += 1
        to_server = await asyncio.open_unix_connection(self._server)
        answers = asyncio.ensure_future(self._hand_on(to_server[0], writer))
        with contextlib.suppress(ConnectionError):
            while heard := await reader.read(1 << 16):
                if self.cut_after is not None and self.cut_after in heard:
                    self.cut_after = None
                    answers.cancel()
                    await asyncio.wait({answers})
                    answers = asyncio.ensure_future(self._cut(to_server[0], writer))
                to_server[1].write(heard)
        for each in (to_server[1], writer):
            each.close()
        await asyncio.wait({answers})

    async def _hand_on(self, reader, writer):
        with contextlib.suppress(ConnectionError):
            while heard := await reader.read(1 << 16):
                if self.major_version:
                    said = rb"\g<1>" + self.major_version
                    heard = re.sub(rb"(server_version\0)\d\d", said, heard)
                writer.write(heard)

    async def _cut(self, reader, writer):
        with contextlib.suppress(ConnectionError):
            await reader.read(1 << 16)  # the server has done it
        writer.close()
