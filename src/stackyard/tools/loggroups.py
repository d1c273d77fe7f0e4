"""Log groups that App Runner makes by itself, and leaves behind when the service is gone."""

from __future__ import annotations

from stackyard.tools.aws import Aws

MADE = "/aws/apprunner/"
_WHOLE = 29
"""Characters of project and environment that App Runner's names hold whole (modules/apprunner-service)."""


def delete_orphaned(aws: Aws) -> list[str]:
    """Delete the log groups of the environment's App Runner services that are no more, and return their names.

    A group's name says which service it was of: ``/aws/apprunner/NAME/ID/application``. Where project and environment
    are too long to stand in it whole, nobody can tell whose it was, and all stay. Raises StackyardError.
    """
    prefix = f"{aws.target.resource_name()}-"
    if len(prefix) > _WHOLE:
        return []
    logs = aws.client("logs")
    with aws.explained("log groups"):
        pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=MADE + prefix)
        found = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    if not found:
        return []
    living = _find_living(aws)
    orphaned = [name for name in found if living.isdisjoint(name.split("/"))]
    for name in orphaned:
        with aws.explained(f"log group {name}"):
            logs.delete_log_group(logGroupName=name)
    return orphaned


def _find_living(aws: Aws) -> set[str]:
    """Return the ids of all services of the account; botocore knows no pages of them."""
    apprunner, living = aws.client("apprunner"), set[str]()
    following: dict[str, str] = {}
    with aws.explained("App Runner"):
        while True:
            page = apprunner.list_services(**following)
            living |= {service["ServiceId"] for service in page["ServiceSummaryList"]}
            if not page.get("NextToken"):
                return living
            following = {"NextToken": page["NextToken"]}
