"""The Python behind the tasks: observe, plan, show, execute, verify."""
