"""The recovery drill of docs/guides/disaster-recovery.md on the laptop: each loss told, each command typed as told.

One project for all of it; each test leaves it well, but for the last, which moves it to another region and destroys it.
"""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any, cast

import boto3
import pytest

from tests.clients import make_client
from tests.leftovers import list_resources
from tests.local.project import Done, Project

ELSEWHERE = "eu-central-1"
BUCKET = "acme-state-123456789012-eu-west-1"
KEY = "app/local/terraform.tfstate"


@pytest.fixture(scope="module")
def project(shared: Project) -> Project:
    """The project with api, deployed."""
    shared.up()
    return shared


def address(project: Project) -> str:
    return json.loads((project.root / ".stackyard/local/emulator.json").read_text())["url"]


def client(project: Project, service: str, region: str = "") -> Any:  # boto3 makes its clients at run time
    """Return a client of the embedded AWS that is none of the tasks'."""
    if not region:
        return make_client(address(project), service)
    make = cast("Any", boto3.client)
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return make(service, endpoint_url=address(project), region_name=region, **keys)


def told(done: Done, code: int, words: str) -> list[str]:
    """See that a task ended as it should, and return the command that it names."""
    assert done.code == code, done.text()
    assert words in done.err, done.text()
    found = re.findall(r"run: inv (.*)$", done.err, re.MULTILINE)
    assert found, done.text()
    return found[-1].split()


def good(done: Done) -> Done:
    assert done.code == 0, done.text()
    return done


def unchanged(project: Project) -> bool:
    return json.loads(good(project.run("plan", "--env", "local", "--json")).out)["changed"] is False


def test_drift_is_told_and_its_word_left(project: Project) -> None:
    """What was changed by hand is named, and when it was looked for written down."""
    functions, name = client(project, "lambda"), "acme-local-api"
    before = functions.get_function_configuration(FunctionName=name)["Timeout"]
    functions.update_function_configuration(FunctionName=name, Timeout=before + 1)
    done = project.run("drift", "--json")
    assert done.code == 6, done.text()
    [found] = json.loads(done.out)["drift"]
    assert ("aws_lambda_function" in found["address"], found["gone"], found["attributes"]) == (True, False, ["timeout"])
    word = json.loads(client(project, "s3").get_object(Bucket=BUCKET, Key="drift/local.json")["Body"].read())
    assert (sorted(word), word["changes"]) == (["changes", "looked", "who"], 1)
    functions.update_function_configuration(FunctionName=name, Timeout=before)


def test_a_lost_state_comes_back(project: Project) -> None:
    """Deleted, then overwritten: the deploy refuses, its command restores, and the plan is empty as before."""
    s3 = client(project, "s3")
    s3.delete_object(Bucket=BUCKET, Key=KEY)
    good(project.run(*told(project.run("deploy", "--env", "local"), 5, "the state of local is gone")))
    assert unchanged(project)
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b'{"version": 4, "serial": 90')
    good(project.run(*told(project.run("plan", "--env", "local"), 5, "the state of local is corrupted")))
    assert unchanged(project)
    rows = json.loads(good(project.run("state-history", "--env", "local", "--json")).out)["versions"]
    assert [row["serial"] for row in rows][:2] == [rows[0]["serial"], None]
    assert rows[0]["current"]
    assert "restored serial" in rows[0]["who"]


def test_a_lock_that_was_left_is_released(project: Project) -> None:
    """One that Terraform itself cannot read, and so could not release."""
    client(project, "s3").put_object(Bucket=BUCKET, Key=f"{KEY}.tflock", Body=b'{"ID": "')
    told_to = told(project.run("deploy", "--env", "local"), 5, "locked by a lock that cannot be read")
    assert told_to == ["unlock", "--env", "local"]
    good(project.run(*told_to))
    project.deploy()


def test_an_image_that_was_deleted_is_made_again(project: Project) -> None:
    """`inv mend` names it and the deploy that makes it; afterwards nothing is left to mend."""
    ecr = client(project, "ecr")
    there = ecr.list_images(repositoryName="acme")["imageIds"]
    assert there
    ecr.batch_delete_image(repositoryName="acme", imageIds=[{"imageDigest": each["imageDigest"]} for each in there])
    command = told(project.run("mend", "--env", "local"), 3, "has lost images of release")
    assert command[-3:] == ["deploy", "--env", "local"]
    project.deploy()
    assert json.loads(good(project.run("mend", "--env", "local", "--json")).out) == []


def test_a_lost_region_and_repository(project: Project) -> None:
    """Both are replaced in stackyard.yaml; restored, bootstrapped and deployed there; destroyed, nothing is left."""
    place = json.loads(good(project.run("backup", "--env", "local", "--to", "kept", "--json")).out)["place"]
    project.change("stackyard.yaml", "region: eu-west-1", f"region: {ELSEWHERE}")
    text = (project.root / "stackyard.yaml").read_text()
    project.write("stackyard.yaml", re.sub(r"^repository: .*$", "repository: acme/rescued", text, flags=re.MULTILINE))
    refused = told(project.run("restore", "--env", "local", "--from", place), 5, "the backup is of eu-west-1")
    assert refused[-1] == "--moved"
    # What the region took with it; what outlives it, roles, is there still.
    brought = json.loads(good(project.run("restore", "--env", "local", "--from", place, "--moved", "--json")).out)
    assert brought["about"]["region"] == "eu-west-1"
    good(project.run("bootstrap", "--env", "local"))
    trust = client(project, "iam").get_role(RoleName="acme-local_deploy")["Role"]["AssumeRolePolicyDocument"]
    assert "repo:acme/rescued:" in json.dumps(trust)
    project.deploy()
    functions = client(project, "lambda", ELSEWHERE).list_functions()["Functions"]
    assert [each["FunctionName"] for each in functions] == ["acme-local-api"]
    assert unchanged(project)

    destroyed = project.run("destroy", "--env", "local", "--confirm", "local")
    assert destroyed.code == 0, destroyed.text()
    for line in ("local loses for good:", "services: api", "the logs of api, api-gateway", "stays: "):
        assert line in destroyed.err, destroyed.text()
    assert list_resources(partial(client, project, region=ELSEWHERE), "acme", "local") == {}
    assert Path(project.root, place).is_dir()
