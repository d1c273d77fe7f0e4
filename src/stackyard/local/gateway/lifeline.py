"""A child's tie to the gateway: standard input, which says nothing and closes when the gateway is gone."""

import os
import threading


def _follow(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(1)


def hold() -> None:
    """End this process when the gateway is gone, however it went; its own standard input becomes empty."""
    lifeline = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    threading.Thread(target=_follow, args=(lifeline,), name="lifeline", daemon=True).start()
