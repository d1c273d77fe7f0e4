"""Stands for GitHub's program `gh` on PATH: keeps comments and issues in a file, and refuses what it does not know."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

STORE = Path(os.environ["FAKE_GITHUB"])
SITE = "https://github.example/acme/platform"
BOT = {"login": "github-actions[bot]", "type": "Bot"}


def answer(method: str, path: str, body: dict[str, Any]) -> object:
    """Do what GitHub's REST API does at the few addresses that the tasks know."""
    data: dict[str, Any] = (
        json.loads(STORE.read_text()) if STORE.exists() else {"comments": {}, "issues": [], "calls": []}
    )
    data["calls"].append([method, path])
    try:
        match method, path.partition("?")[0].split("/"):
            case "GET", ["issues", number, "comments"]:
                return [data["comments"].get(number, [])]
            case "POST", ["issues", number, "comments"]:
                there = data["comments"].setdefault(number, [])
                made = {"id": 100 + len(there), "user": BOT, "html_url": f"{SITE}/pull/{number}", **body}
                there.append(made)
                return made
            case "PATCH", ["issues", "comments", identity]:
                [found] = [each for every in data["comments"].values() for each in every if str(each["id"]) == identity]
                found.update(body)
                return found
            case "GET", ["issues"]:
                return [[each for each in data["issues"] if each["state"] == "open"]]
            case "POST", ["issues"]:
                number = 1 + len(data["issues"])
                made = {"number": number, "user": BOT, "state": "open", "html_url": f"{SITE}/issues/{number}", **body}
                data["issues"].append(made)
                return made
            case "PATCH", ["issues", number]:
                data["issues"][int(number) - 1].update(body)
                return data["issues"][int(number) - 1]
            case _:
                sys.exit(f"gh: this stand-in knows no {method} {path}")
    finally:
        STORE.write_text(json.dumps(data))


def main(arguments: list[str]) -> None:
    """Read the words of `gh api`, and answer."""
    if not os.environ.get("GH_TOKEN"):
        sys.stderr.write("To get started with GitHub CLI, please run:  gh auth login\n")
        sys.exit(4)
    known = re.fullmatch(
        r"api --method (GET|POST|PATCH)( --paginate --slurp)? repos/acme/platform/(\S+)( --input -)?",
        " ".join(arguments),
    )
    if not known:
        sys.exit(f"gh: this stand-in knows no {arguments}")
    sys.stdout.write(json.dumps(answer(known[1], known[3], json.load(sys.stdin) if known[4] else {})))


main(sys.argv[1:])
