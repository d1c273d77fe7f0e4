"""What runs behind the gateway while people look at its console: three small services, as text."""

API = """
import json

def handler(event, context):
    name = (event["queryStringParameters"] or {}).get("name", "World")
    if event["path"] not in {"/greet", "/", "/health"}:
        return {"statusCode": 404, "body": json.dumps({"title": "Not Found", "status": 404})}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"},
            "body": json.dumps({"message": f"Hello, {name}!"})}
"""
WORKER = """
import base64
import json
import os
import urllib.request

def handler(event, context):
    told = {"level": "info", "service": "worker", "request_id": event["requestContext"]["requestId"]}
    body = base64.b64decode(event["body"] or "e30=")
    names = json.loads(body).get("names", [])
    if event["path"].endswith("/broken"):
        print(json.dumps({**told, "level": "error", "message": "no such job"}))
        return {"statusCode": 500, "body": json.dumps({"title": "Internal Server Error", "status": 500})}
    trace = {"X-Amzn-Trace-Id": event["headers"]["X-Amzn-Trace-Id"]}
    greetings = []
    for name in names:
        url = os.environ["SERVICE_URL_BASE"] + "/greet?name=" + name
        with urllib.request.urlopen(urllib.request.Request(url, headers=trace)) as answer:
            greetings.append(json.load(answer)["message"])
    print(json.dumps({**told, "message": "job done", "names": names}))
    return {"statusCode": 202, "headers": {"Content-Type": "application/json", "Set-Cookie": "seen=1; Path=/"},
            "body": json.dumps({"job": "7f3a9c", "greetings": greetings, "done": True})}
"""
WEB = """
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

async def health(request):
    return JSONResponse({"status": "ok"})

async def page(request):
    return HTMLResponse("<!doctype html><title>Orders</title><script>window.pwned = true</script><h1>Orders</h1>")

app = Starlette(routes=[Route("/health", health), Route("/web", page), Route("/web/{path:path}", page)])
"""
