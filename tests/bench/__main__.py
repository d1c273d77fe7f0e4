"""Print figures: ``python -m tests.bench [NAME [options]]``, without a name all of them one after another.

A missed goal is printed and no failure: exit code 1 means that a bench itself did not get through.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence

from tests.bench.common import say

NAMES = (
    "cli",
    "servicekit",
    "gateway",
    "deploy",
    "orchestration",
    "up",
    "scale",
    "fingerprint",
    "bake",
    "logs",
    "console",
)


def main(argv: Sequence[str]) -> int:
    """Run one bench with its options, or all with none."""
    if argv and argv[0] not in NAMES:
        say(f"{__doc__}\nnames: {', '.join(NAMES)}; `NAME --help` tells a bench's options")
        return 0 if argv[0] in {"-h", "--help"} else 2
    failed: list[str] = []
    for name in argv[:1] or NAMES:
        # Figures of a busy machine are to be recognised as such, whoever reads them later.
        say(f"== {name}   (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)")
        try:
            importlib.import_module(f"tests.bench.{name}").main(argv[1:])
        except Exception:  # noqa: BLE001  (whatever went wrong in one, the others are still wanted)
            traceback.print_exc()
            failed.append(name)
        say()
    if failed:
        say(f"did not get through: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
