"""What runs in a worker process: the real ``awslambdaric``, tied to the gateway's life.

Imports nothing of ours but the lifeline and next to nothing else, because the service's own cold start is what people
look at here.
"""

import importlib
import sys
import traceback

from stackyard.local.gateway import lifeline


def _show_what_fails(handler: str) -> None:
    """Import a handler's module again that could not be imported: `awslambdaric`'s own report has no frames in it."""
    module = handler.rpartition(".")[0].replace("/", ".")
    if module not in sys.modules:
        try:
            importlib.import_module(module)
        except Exception:  # noqa: BLE001  (whatever a service raises, its frames are shown)
            traceback.print_exc()


def main() -> None:
    """Serve the handler named by the one argument."""
    lifeline.hold()
    from awslambdaric import __main__ as client  # noqa: PLC0415  (after the lifeline holds)

    try:
        client.main(sys.argv)  # pyright: ignore[reportUnknownMemberType]  (awslambdaric has no types)
    except SystemExit:
        _show_what_fails(sys.argv[1])
        raise


if __name__ == "__main__":
    main()
