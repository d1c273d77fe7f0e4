"""What runs in a worker process: the real ``awslambdaric``, tied to the gateway's life.

Imports nothing of ours and next to nothing else, because the service's own cold start is what people look at here.
"""

import importlib
import os
import sys
import threading
import traceback


def _follow(lifeline: int) -> None:
    """End this process when the gateway is gone, however it went."""
    os.read(lifeline, 1)
    os._exit(1)


def _show_what_fails(handler: str) -> None:
    """Import the handler's module before `awslambdaric` does, whose own report of a failure has no frames in it.

    A module that could be imported is found again, not run twice; one that could not fails again in its own way.
    """
    try:
        importlib.import_module(handler.rpartition(".")[0].replace("/", "."))
    except Exception:  # noqa: BLE001  (whatever a service raises, its frames are shown)
        traceback.print_exc()


def main() -> None:
    """Serve the handler named by the one argument."""
    lifeline = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    threading.Thread(target=_follow, args=(lifeline,), name="lifeline", daemon=True).start()
    _show_what_fails(sys.argv[1])
    from awslambdaric import __main__ as client  # noqa: PLC0415  (after the lifeline holds)

    client.main(sys.argv)  # pyright: ignore[reportUnknownMemberType]  (awslambdaric has no types)


if __name__ == "__main__":
    main()
