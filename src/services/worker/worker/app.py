"""The service's routes: jobs come in, and each is done by asking the service api."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Annotated, TypedDict

import httpx
from fastapi import FastAPI, HTTPException, Path, Request, Response
from pydantic import BaseModel

from servicekit import Settings, create_app, service_client
from worker.jobs import Job, job_id, read_job

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

settings = Settings.from_environ()
log = logging.getLogger("worker")


class State(TypedDict):
    """What a process keeps: connections, never a job."""

    api: httpx.AsyncClient


@contextlib.asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[State]:
    """Keep connections to api open for as long as the process lives."""
    async with service_client("/", settings) as api:
        yield {"api": api}


app = create_app(
    settings,
    title="worker",
    description="Takes jobs and has api do them; shows how one service calls another.",
    lifespan=lifespan,
)


class Index(BaseModel):
    """Where to go from here."""

    name: str
    environment: str
    links: dict[str, str]


class Accepted(BaseModel):
    """A job that was taken, and where its result will be."""

    id: str
    status: str = "accepted"
    result: str


class Done(BaseModel):
    """A job that was done."""

    id: str
    status: str = "done"
    job: Job
    greetings: list[str]


@app.get("/")
async def index(request: Request) -> Index:
    """Say who answers, and where to go from here."""
    root = request.scope["root_path"]
    example = app.url_path_for("result", id=job_id(Job(names=("Ann", "Ben"))))
    links = {"jobs": f"{root}/jobs", "example": f"{root}{example}", "health": f"{root}/health", "docs": f"{root}/docs"}
    return Index(name=settings.service_name, environment=settings.service_environment, links=links)


@app.post("/jobs", status_code=202)
async def accept(job: Job, request: Request, response: Response) -> Accepted:
    """Take a job. Its result is at the answer's `Location`."""
    accepted = job_id(job)
    response.headers["Location"] = str(request.url_for("result", id=accepted).path)
    log.info("accepted a job", extra={"names": len(job.names)})
    return Accepted(id=accepted, result=response.headers["Location"])


@app.get("/jobs/{id}", name="result", responses={502: {"description": "api did not do its part; ask again"}})
async def result(id: Annotated[str, Path(description="As it was answered.")], request: Request) -> Done:  # noqa: A002  the path's own name
    """Do a job and tell its result. The same job has the same result, however often it is asked for."""
    job = read_job(id)
    if job is None:
        raise HTTPException(404, "there is no such job")
    api: httpx.AsyncClient = request.state.api
    greetings = await asyncio.gather(*(greet(api, name) for name in job.names))
    return Done(id=id, job=job, greetings=greetings)


async def greet(api: httpx.AsyncClient, name: str) -> str:
    """Have api greet someone.

    Raises HTTPException (502) when it does not.
    """
    try:
        answer = await api.get("/greet", params={"name": name})
        answer.raise_for_status()
        return str(answer.json()["message"])
    except (httpx.HTTPError, ValueError, KeyError) as error:
        log.warning("api did not greet: %r", error)
        raise HTTPException(502, "api did not do its part; ask again", headers={"Retry-After": "1"}) from error
