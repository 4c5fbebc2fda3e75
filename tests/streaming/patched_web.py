"""The web process with constants changed: `python -m tests.streaming.patched_web '{"module.NAME": value}' <arguments>`.

What follows the constants are daphne's own arguments.
"""

import json
import sys
from importlib import import_module

from daphne.cli import CommandLineInterface

if __name__ == "__main__":
    import_module("housevalue.asgi")
    for path, value in json.loads(sys.argv.pop(1)).items():
        module, _, name = path.rpartition(".")
        assert hasattr(import_module(module), name), path
        setattr(import_module(module), name, value)
    CommandLineInterface.entrypoint()
