"""API Gateway and Lambda on one port of this machine, serving what Terraform deployed.

A request's way through the rooms: `wire` parses it, `gateway` asks `routes` which method it means and `limits` whether
it may pass. For Lambda, `event` turns it into the REST proxy event, `functions` finds a worker for it, `runtime` hands
it to the real ``awslambdaric`` in that worker's process, and `answer` turns what comes back into HTTP. For a server,
`forward` turns it into a call, `servers` knows the process that serves, and `upstream` carries it there and back.
`refusal` words all that API Gateway itself says. `deployment` reads what is served, `watch` sees files change,
`journal` writes it all down.
"""
