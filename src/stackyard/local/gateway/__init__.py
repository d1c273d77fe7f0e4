"""API Gateway and Lambda on one port of this machine, serving what Terraform deployed.

A request's way through the rooms: `wire` parses it, `gateway` asks `routes` which method it means and `limits` whether
it may pass, `event` turns it into the REST proxy event, `functions` finds a worker for it, `runtime` hands it to the
real ``awslambdaric`` in that worker's process, `answer` turns what comes back into HTTP, and `refusal` words all that
API Gateway itself says. `deployment` reads what is served, `watch` sees files change, `journal` writes it all down.
"""
