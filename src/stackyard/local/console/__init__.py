"""What the local gateway shows of itself in a browser, below ``/_stackyard/``.

The gateway's `recorder` keeps what went through, as it came. `views` words a request when somebody looks at it,
`drawing` what is deployed. `console` answers the page: files, lists, one request, a request sent again (`replay`), and
the stream of news (`stream`). The page itself is ``page/``: HTML, CSS and JavaScript as a browser takes them. None of
it is in an image: it runs where the gateway runs, on a laptop.
"""
