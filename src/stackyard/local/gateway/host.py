"""What runs in a server's process: ``python -m uvicorn`` with our command line, tied to the gateway's life.

Imports nothing of ours but the lifeline: what people look at here is how long their own application takes to start.
"""

import runpy

from stackyard.local.gateway import lifeline

if __name__ == "__main__":
    lifeline.hold()
    runpy.run_module("uvicorn", run_name="__main__", alter_sys=True)
