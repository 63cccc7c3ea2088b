"""The command line: parse, call the job manager, format."""

import os

# Pydantic would read the metadata of every installed package in search of plug-ins: 60 ms of
# each start. Whoever has one can set the variable to nothing.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
