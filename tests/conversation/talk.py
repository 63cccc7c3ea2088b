"""A conversation: calls, what the model sees of the answers, and what that may cost."""

import asyncio
import base64
import contextlib
import io
import json

from mcp import Client

from bilancio.cli.main import run
from bilancio_mcp.server import build_server
from tests.conversation.commands import command_of, same_numbers
from tests.server.talk import module_command, over_stdio
from tests.server.test_next import proposed

MOST_CALLS, MOST_TO_START = 3, 4
MOST_CHARACTERS, MOST_BY_DEFAULT, MOST_OF_A_REFUSAL = 12_000, 2_000, 400
LARGEST_PICTURE = 40_000  # bytes
NAMES = {"job_id", "job_ids", "wait_s"}  # a call with these alone gets a default answer


class Conversation:
    """One request of a researcher, and the calls that answer it.

    Parameters
    ----------
    words
        The request.
    mode
        The era of the protocol. A server of the older one is a process of its own; one of the
        newer one is in this process, where the command line is asked the same, and has to answer
        with the same numbers.
    """

    def __init__(self, words, mode, folder, **more):
        self.words = words
        self._by_command = mode == "auto"
        there = mode == "legacy"
        server = over_stdio(module_command(), cwd=folder) if there else build_server()
        self._client = Client(server, mode=mode, **more)
        self._calls, self.characters = [], 0

    async def __aenter__(self):
        await self._client.__aenter__()
        return self

    async def __aexit__(self, kind, error, trace):
        await self._client.__aexit__(None, None, None)  # which would wrap what has failed in groups
        if error is None:
            starting = {"create_job", "start_sweep"} <= set(self._calls)
            assert len(self._calls) <= (MOST_TO_START if starting else MOST_CALLS), self._calls
            assert self.characters <= MOST_CHARACTERS, self.characters

    async def _called(self, tool, arguments):
        result = await self._client.call_tool(tool, arguments)
        self._calls.append(tool)
        seen = result.structured_content
        texts = [each.text for each in result.content if each.type == "text"]
        said = "\n".join(texts) if seen is None else json.dumps(seen, ensure_ascii=False)
        self.characters += len(said)
        if arguments and arguments.keys() <= NAMES:
            assert len(said) <= MOST_BY_DEFAULT, (tool, len(said), said)
        return result, said

    async def call(self, tool, **arguments):
        """Return the structure of an answer, which is all that the model sees of it."""
        result, said = await self._called(tool, arguments)
        assert not result.is_error, said
        answer = result.structured_content
        assert answer["summary"]
        assert answer["next"]
        if self._by_command and (words := command_of(tool, arguments)):
            same_numbers(tool, answer, await by_command(*words))
        return answer

    async def refused(self, tool, **arguments):
        """Return the sentence of a refusal."""
        result, said = await self._called(tool, arguments)
        assert result.is_error, said
        assert len(said) <= MOST_OF_A_REFUSAL
        return said

    async def picture(self, **arguments):
        """Return the PNG that is shown, its sentence, and the paths of the files."""
        result, said = await self._called("plot_results", arguments)
        assert not result.is_error, said
        assert result.structured_content is None
        [image] = [each for each in result.content if each.type == "image"]
        png = base64.b64decode(image.data)
        assert png.startswith(b"\x89PNG")
        assert len(png) <= LARGEST_PICTURE
        sentence, *paths = said.splitlines()
        return png, sentence, paths

    async def follow(self, answer, tool, **more):
        """Make the call to *tool* that an answer, or a refusal, proposes as the next one."""
        said = answer if isinstance(answer, str) else answer["next"]
        calls = [asked for name, asked in proposed(said, "", {}) if name == tool]
        assert calls, (tool, said)
        return await self.call(tool, **(calls[0] | more))


async def by_command(*words):
    """Ask the command line in this process; return the document that it prints."""

    def ask():
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = run(words)
        return code, out.getvalue()

    code, out = await asyncio.to_thread(ask)
    assert code == 0, words
    return json.loads(out)


def rows(table):
    """Return the rows of an answer's table by the names of its columns."""
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
