"""Command line of the emulator: parse, serve, and end with the exit code that the error carries."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stackyard.errors import StackyardError
from stackyard.local.emulator.server import serve


def main() -> int:
    """Serve until SIGTERM, Ctrl-C or the parent's end, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m stackyard.local.emulator", description="Serve an emulated AWS.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--ready", type=Path, required=True, help="JSON file to write once it answers: pid, port, url")
    parser.add_argument(
        "--account", default="123456789012", help="account of callers whose access key is no account id"
    )
    parser.add_argument("--region", default="eu-west-1", help="region of its own calls")
    parser.add_argument(
        "--without", action="append", default=[], metavar="PATCH", help="leave out a patch (repeatable)"
    )
    parser.add_argument("--calls", type=Path, metavar="FILE", help="write down each call there, a JSON object a line")
    arguments = parser.parse_args()
    try:
        serve(
            arguments.port,
            arguments.ready,
            account=arguments.account,
            region=arguments.region,
            without=arguments.without,
            calls=arguments.calls,
        )
    except StackyardError as error:
        print(f"error: {error}", error.fix, sep="\n" if error.fix else "", file=sys.stderr)  # noqa: T201  (its output is a log, not a screen)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
