"""A container of our own server for Modal's client: computes one input after another.

It does what Modal's does with an input: deserialises function and arguments by Modal's own code,
calls, serialises. Its argument is the descriptor of the connection to the server.
"""

import sys
from multiprocessing.connection import Connection

import modal
from modal._serialization import deserialize, serialize


def main():
    connection = Connection(int(sys.argv[1]))
    client = modal.Client.from_env()
    function = deserialize(connection.recv_bytes(), client)
    while True:
        try:
            args, kwargs = deserialize(connection.recv_bytes(), client)
        except EOFError:
            return
        try:
            answer = True, serialize(function(*args, **kwargs)), ""
        except Exception as error:  # noqa: BLE001 - whatever it raises is the answer
            answer = False, serialize(error), repr(error)
        connection.send(answer)


if __name__ == "__main__":
    main()
