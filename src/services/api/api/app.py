"""The service's routes, written without the path that the gateway gives it."""

from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel

from servicekit import Settings, create_app

settings = Settings.from_environ()
app = create_app(settings, title="api", description="Greets; the service to copy from.")


class Index(BaseModel):
    """Who answers, and where to go from here."""

    name: str
    environment: str
    links: dict[str, str]


class Greeting(BaseModel):
    """A greeting."""

    message: str


@app.get("/")
async def index(request: Request) -> Index:
    """Say who answers, and where to go from here."""
    root = request.scope["root_path"]
    links = {name: f"{root}/{name}" for name in ("greet", "health", "docs")}
    return Index(name=settings.service_name, environment=settings.service_environment, links=links)


@app.get("/greet")
async def greet(name: Annotated[str, Query(min_length=1, max_length=100)] = "World") -> Greeting:
    """Greet someone."""
    return Greeting(message=f"Hello, {name}!")
