"""What runs in a worker process: the real ``awslambdaric``, tied to the gateway's life.

Imports nothing of ours and next to nothing else, because the service's own cold start is what people look at here.
"""

import os
import sys
import threading


def _follow(lifeline: int) -> None:
    """End this process when the gateway is gone, however it went."""
    os.read(lifeline, 1)
    os._exit(1)


def main() -> None:
    """Serve the handler named by the one argument."""
    lifeline = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    threading.Thread(target=_follow, args=(lifeline,), name="lifeline", daemon=True).start()
    from awslambdaric import __main__ as client  # noqa: PLC0415  (after the lifeline holds)

    client.main(sys.argv)  # pyright: ignore[reportUnknownMemberType]  (awslambdaric has no types)


if __name__ == "__main__":
    main()
