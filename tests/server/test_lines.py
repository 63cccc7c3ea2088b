"""Every line that reaches the server is answered, whatever bytes it is made of."""

import json
import random
import shlex
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mcp_types import JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from bilancio_mcp.stdio import Refusal, parsed, written
from tests.server.talk import Lines, module_command

PARSE_ERROR, INVALID_REQUEST = -32700, -32600
CALL = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":%s}'
LAST_ID = b'{"method":"tools/call","params":%s,"jsonrpc":"2.0","id":"seven"}'

REFUSED = {
    "a lone surrogate": (CALL % rb'{"name":"\ud800"}', PARSE_ERROR, 7),
    "a lone surrogate, id last": (LAST_ID % rb'{"name":"\ud800"}', PARSE_ERROR, "seven"),
    "bytes that are not UTF-8": (CALL % b'{"name":"\xff\xfe"}', PARSE_ERROR, 7),
    "5,000 digits": (CALL % (b'{"name":' + b"1" * 5000 + b"}"), PARSE_ERROR, 7),
    "5,000 digits, id last": (LAST_ID % (b'{"a":' + b"1" * 5000 + b"}"), PARSE_ERROR, "seven"),
    "an id of 5,000 digits": (b'{"jsonrpc":"2.0","id":' + b"1" * 5000 + b"}", PARSE_ERROR, None),
    "100,000 brackets": (CALL % (b"[" * 100_000), PARSE_ERROR, 7),
    "100,000 brackets, id last": (
        LAST_ID % (b"[" * 100_000 + b"]" * 100_000), PARSE_ERROR, "seven",
    ),
    "NaN": (CALL % b'{"name":NaN}', PARSE_ERROR, 7),
    "nothing": (b"", PARSE_ERROR, None),
    "blanks": (b" \t\r", PARSE_ERROR, None),
    "a NUL": (b"\0", PARSE_ERROR, None),
    "half a request": (b'{"jsonrpc":"2.0","id":7,"method":"pi', PARSE_ERROR, 7),
    "words": (b"hello", PARSE_ERROR, None),
    "a byte-order mark": (b"\xef\xbb\xbf" + CALL % b"{}", PARSE_ERROR, 7),
    "UTF-16": ("{}".encode("utf-16"), PARSE_ERROR, None),
    "a line of 20 MB": (CALL % (b'{"name":"' + b"a" * 20_000_000 + b'"}'), PARSE_ERROR, 7),
    "a line of 20 MB, id last": (
        LAST_ID % (b'{"name":"' + b"a" * 20_000_000 + b'"}'), PARSE_ERROR, "seven",
    ),
    "a batch": (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', INVALID_REQUEST, None),
    "a number": (b"5", INVALID_REQUEST, None),
    "null": (b"null", INVALID_REQUEST, None),
    "text": (b'"ping"', INVALID_REQUEST, None),
    "an empty object": (b"{}", INVALID_REQUEST, None),
    "another version": (b'{"jsonrpc":"1.0","id":7,"method":"ping"}', INVALID_REQUEST, 7),
    "no version": (b'{"id":7,"method":"ping"}', INVALID_REQUEST, 7),
    "no method": (b'{"jsonrpc":"2.0","id":7}', INVALID_REQUEST, 7),
    "a method that is a number": (b'{"jsonrpc":"2.0","id":7,"method":1}', INVALID_REQUEST, 7),
    "an id that is null": (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', INVALID_REQUEST, None),
    "an id that is true": (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', INVALID_REQUEST, None),
    "an id that is a fraction": (
        b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', INVALID_REQUEST, None,
    ),
    "an id that is an object": (
        b'{"jsonrpc":"2.0","id":{},"method":"ping"}', INVALID_REQUEST, None,
    ),
    "parameters in a list": (
        b'{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}', INVALID_REQUEST, 7,
    ),
}  # fmt: skip


@pytest.fixture
def lines() -> Iterator[Lines]:
    started = Lines()
    with started.process:
        yield started
        started.process.kill()


@pytest.mark.slow
def test_server_answers_every_line_and_keeps_serving(lines):
    for case, (line, code, number) in REFUSED.items():
        lines.write(line)
        answer = lines.read()
        assert (answer["error"]["code"], answer["id"]) == (code, number), case
        assert len(answer["error"]["message"]) < 200, case
        assert lines.ask(1, "ping") == {}, case


@pytest.mark.slow
def test_server_outlives_lines_that_are_mangled_at_random(lines):
    draw = random.Random(1)
    request = bytearray(CALL % b'{"name":"job_status","arguments":{"job_id":"a-b"}}')
    for number in range(100, 300):
        mangled = bytearray(request)
        for _ in range(draw.randint(1, 4)):
            mangled[draw.randrange(len(mangled))] = draw.choice(
                [0, 9, 34, 44, 92, 93, 123, 125, 255]
            )
        lines.write(bytes(mangled))
        lines.write(b'{"jsonrpc":"2.0","id":%d,"method":"ping"}' % number)
        answers = [lines.read()]
        while answers[-1].get("id") != number:
            answers.append(lines.read())
        assert answers[-1]["result"] == {}


@pytest.mark.slow
def test_requests_with_the_same_id_are_each_answered(lines):
    call = CALL % b'{"name":"list_jobs","arguments":{}}'
    lines.write(call + b"\n" + call)
    answers = [lines.read() for _ in range(2)]
    assert [answer["id"] for answer in answers] == [7, 7]
    assert all("result" in answer for answer in answers)


@pytest.mark.slow
def test_tool_that_does_not_exist_and_is_not_unicode_is_answered(lines):
    arguments = {"name": "job_status", "arguments": {"job_id": "\x00\x1b[31m\u202e"}}
    assert lines.ask(3, "tools/call", arguments)["isError"]
    assert lines.ask(4, "ping") == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("x" * 10**6, {}),
        ("resources/read", {"uri": "job://" + "x" * 10**6}),
        ("resources/read", {"uri": "x" * 10**6}),
        ("prompts/get", {"name": "x" * 10**6}),
    ],
    ids=["method", "job", "resource", "prompt"],  # processes inherit the name of the test
)
def test_an_error_does_not_repeat_a_long_request(lines, method, params):
    request = {"jsonrpc": "2.0", "id": 3, "method": method, "params": params}
    lines.write(json.dumps(request).encode())
    answer = lines.read()
    assert answer["id"] == 3
    assert len(json.dumps(answer["error"])) < 2_500
    assert lines.ask(4, "ping") == {}


@pytest.mark.parametrize("case", REFUSED)
def test_line_that_holds_no_request_is_refused_with_the_id_it_has(case):
    line, code, number = REFUSED[case]
    refusal = parsed(line + b"\n")
    assert isinstance(refusal, Refusal)
    assert (refusal.error.code, refusal.id) == (code, number)


def test_broken_answer_is_not_answered():
    assert parsed(b'{"jsonrpc":"2.0","id":7,"result":5}') is None


def test_requests_notifications_and_answers_are_handed_on():
    assert isinstance(parsed(CALL % b"{}"), JSONRPCRequest)
    assert isinstance(parsed(b'{"jsonrpc":"2.0","method":"x"}'), JSONRPCNotification)
    assert isinstance(parsed(b'{"jsonrpc":"2.0","id":1,"result":{}}'), JSONRPCResponse)


@given(st.binary(max_size=200))
@example(b'{"id":' + b"\\" * 4000)
def test_any_bytes_are_a_message_or_refused(line):
    assert parsed(line) is not None
    assert parsed(CALL % line) is not None


def test_text_that_is_not_unicode_and_numbers_that_are_none_are_written_all_the_same():
    result = {"text": "\ud800", "number": float("nan")}
    line = written(JSONRPCResponse(jsonrpc="2.0", id=1, result=result))
    assert json.loads(line)["result"] == {"text": "?", "number": None}


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_server_without_a_standard_stream_serves_or_says_why_it_cannot(closed):
    command = f"{shlex.join(module_command())} {closed}"
    line = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
    done = subprocess.run(
        ["sh", "-c", command], input=line, capture_output=True, text=True, check=False
    )
    if closed == "2>&-":
        assert json.loads(done.stdout)["result"] == {}
    else:
        assert done.returncode == 1
        assert "standard input and output; one of them is closed" in done.stderr
        assert "Traceback" not in done.stderr
