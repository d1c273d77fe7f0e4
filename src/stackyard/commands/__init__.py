"""One file per task: observe, plan, show, execute, verify."""
