"""The protocol over standard input and output, where every line is answered.

The SDK's own transport drops a line that it cannot parse, and ends when it has to write text that
is not Unicode. Here such a line is answered with a JSON-RPC error, with the request's id where it
can be read, and what cannot be written as it is goes out with question marks in it.
"""

import contextlib
import fcntl
import json
import logging
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import anyio
from anyio import to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from bilancio.encoding import MAX_BYTES, from_json, to_json
from bilancio.printable import shortened

log = logging.getLogger(__name__)

ABOVE_STANDARD = 3  # file descriptors 0 to 2 are standard input, output and error
SEARCHED_BYTES = 1 << 12  # at each end of a line that is not JSON, for its id
MAX_ERROR = 1_000  # characters of an error's message, and of its data
SMALL_BYTES = 1 << 16  # less is parsed at once; handing it to a thread would cost more

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}:]|[^\s"\[\]{}:,]+')
_LAST_ID = re.compile(rb'"id"\s*:\s*(-?\d{1,18}|"(?:[^"\\]|\\.)*")\s*\}\s*$')
_KINDS = {list: "a list (batches are not supported)", str: "text", bool: "a boolean"}

Incoming = SessionMessage | Exception


@dataclass(frozen=True, slots=True)
class Wire:
    """The two ends of the conversation, away from the standard streams."""

    reader: BinaryIO
    writer: BinaryIO


def take_over() -> Wire:
    """Move the protocol away from standard input and output, and return where it is now.

    From then on whatever prints, a plug-in or a library in C, writes to standard error, and
    whatever reads finds nothing.

    Raises
    ------
    OSError
        Standard input or output is closed.
    """
    reader, writer = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, ABOVE_STANDARD) for fd in (0, 1))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # standard error is closed
        os.dup2(nothing, 1)
    os.close(nothing)
    return Wire(os.fdopen(reader, "rb"), os.fdopen(writer, "wb"))


@contextlib.asynccontextmanager
async def transport(
    wire: Wire,
) -> AsyncIterator[
    tuple[MemoryObjectReceiveStream[Incoming], MemoryObjectSendStream[SessionMessage]]
]:
    """Yield the streams of messages that the SDK's server reads and writes."""
    incoming, received = anyio.create_memory_object_stream[Incoming](0)
    sent, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_read, wire.reader, incoming, sent.clone())
        tasks.start_soon(_write, wire.writer, outgoing, tasks.cancel_scope)
        async with sent:
            yield received, sent


async def _read(
    reader: BinaryIO,
    incoming: MemoryObjectSendStream[Incoming],
    refusals: MemoryObjectSendStream[SessionMessage],
) -> None:
    """Hand each line on as a message, or answer it where it holds none, until the input ends."""
    with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async with incoming, refusals:
            while line := await to_thread.run_sync(_read_line, reader, abandon_on_cancel=True):
                if len(line) <= SMALL_BYTES:
                    message = parsed(line)
                else:
                    message = await to_thread.run_sync(parsed, line)
                if isinstance(message, Refusal):
                    await refusals.send(SessionMessage(message))
                elif message is not None:
                    await incoming.send(SessionMessage(message))


async def _write(
    writer: BinaryIO,
    outgoing: MemoryObjectReceiveStream[SessionMessage],
    serving: anyio.CancelScope,
) -> None:
    """Write each message as a line; end the conversation when the client no longer reads."""

    def write(line: bytes) -> None:
        writer.write(line)
        writer.flush()

    try:
        async with outgoing:
            async for each in outgoing:
                await to_thread.run_sync(write, written(each.message))
    except OSError as error:
        log.info("the client no longer reads: %s", error)
        serving.cancel()


class Refusal(JSONRPCError):
    """The answer to a line that holds no message; never one that came from the client."""


def parsed(line: bytes) -> JSONRPCMessage | None:
    """Return the message on a line, a `Refusal` where it holds none.

    None is for a broken answer to a request of ours: an answer to it would be taken for that to a
    request of the client's.
    """
    try:
        value = from_json(line)
    except ValueError as error:
        return _refusal(PARSE_ERROR, f"The line cannot be read: {error}.", id_in(line))
    if problem := _problem(value):
        return _refusal(INVALID_REQUEST, f"Not a JSON-RPC request: {problem}.", _id_of(value))
    try:
        return jsonrpc_message_adapter.validate_python(value, by_name=False)
    except ValidationError as error:
        log.warning("an answer that cannot be read: %s", error)
        return None


def written(message: JSONRPCMessage) -> bytes:
    """Return the line for a message; question marks stand for what is not Unicode.

    An error repeats no long part of the request that it answers.
    """
    if isinstance(message, JSONRPCError):
        message = message.model_copy(update={"error": _cut(message.error)})
    try:
        text = message.model_dump_json(by_alias=True, exclude_unset=True)
    except ValueError:
        text = to_json(message.model_dump(mode="json", by_alias=True, exclude_unset=True))
    return text.encode() + b"\n"


def id_in(line: bytes) -> RequestId | None:
    """Return the id of the request on a line that is not JSON, or not JSON that is accepted.

    Where no parser helps it is looked for at both ends, where clients write it.
    """
    with contextlib.suppress(ValueError, RecursionError):
        return _id_of(json.loads(line.decode("utf-8", "replace")))
    depth, name, before = 0, b"", b""
    for found in _TOKEN.finditer(line, 0, SEARCHED_BYTES):
        token = found.group()
        if found.end() == SEARCHED_BYTES:
            break  # it may be longer than what is searched
        if depth == 1 and (name, before) == (b'"id"', b":"):
            return _id_token(token)
        if token == b":":
            name = before
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(token, 0)
        before = token
    last = _LAST_ID.search(line, max(0, len(line) - SEARCHED_BYTES))
    return _id_token(last.group(1)) if last else None


def _read_line(reader: BinaryIO) -> bytes:
    """Return the next line; of one that is too long the beginning and the end, still too long."""
    line = reader.readline(MAX_BYTES + 1)
    if len(line) <= MAX_BYTES or line.endswith(b"\n"):
        return line
    more, end = line, b""
    while more and not more.endswith(b"\n"):
        more = reader.readline(MAX_BYTES)
        end = (end + more)[-SEARCHED_BYTES:]
    return line + end


def _cut(error: ErrorData) -> ErrorData:
    """Return an error with a short message, without data that is long."""
    message = shortened(error.message, MAX_ERROR)
    if error.data is None or len(to_json(error.data)) > MAX_ERROR:
        return ErrorData(code=error.code, message=message)
    return ErrorData(code=error.code, message=message, data=error.data)


def _problem(value: Any) -> str:
    """Say why parsed JSON is not a message; return an empty text if it may be one."""
    if not isinstance(value, dict):
        return f"it is {_KINDS.get(type(value), 'a number' if value is not None else 'null')}"
    if value.get("jsonrpc") != "2.0":
        return 'jsonrpc is not "2.0"'
    if "method" not in value:
        return "" if "result" in value or "error" in value else "method is missing"
    if not isinstance(value["method"], str):
        return "method is not text"
    if "id" in value and _id_of(value) is None:
        return "id is neither text nor an integer"
    if not isinstance(value.get("params"), dict | None):
        return "params is not an object"
    return ""


def _id_of(value: Any) -> RequestId | None:
    """Return the id of a request, or None where it has none that can be answered to."""
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None


def _id_token(token: bytes) -> RequestId | None:
    try:
        return _id_of({"id": json.loads(token)})
    except ValueError:
        return None


def _refusal(code: int, message: str, request_id: RequestId | None) -> Refusal:
    return Refusal(jsonrpc="2.0", id=request_id, error=ErrorData(code=code, message=message))
