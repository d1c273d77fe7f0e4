"""Ask CloudWatch for metrics and for alarms that ring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stackyard.tools.aws import Aws
from stackyard.traffic import Metric

AT_ONCE = 500
"""Metrics that one GetMetricData takes (CloudWatch: service quotas)."""


PIECE = 300
"""Seconds: the last hour may be as much longer."""


@dataclass(frozen=True, slots=True)
class Ringing:
    """An alarm in the state ALARM."""

    name: str
    since: str
    reason: str


def read_metrics(aws: Aws, metrics: Sequence[Metric], seconds: int) -> list[float | None]:
    """Return each metric's value over the last ``seconds``, a multiple of 300; None where it has no data."""
    end = datetime.now(UTC)
    start = datetime.fromtimestamp((end.timestamp() - seconds) // PIECE * PIECE, UTC)
    values: list[float | None] = []
    with aws.explained("metrics"):
        for first in range(0, len(metrics), AT_ONCE):
            some = metrics[first : first + AT_ONCE]
            queries = [_query(f"m{number}", each, seconds) for number, each in enumerate(some)]
            found: dict[str, list[float]] = {}
            token: dict[str, str] = {}
            while True:
                answer = aws.client("cloudwatch").get_metric_data(
                    MetricDataQueries=queries, StartTime=start, EndTime=end, **token
                )
                for result in answer["MetricDataResults"]:
                    found.setdefault(result["Id"], []).extend(result["Values"])
                if not answer.get("NextToken"):
                    break
                token = {"NextToken": answer["NextToken"]}
            values += [_join(each, found.get(f"m{number}", [])) for number, each in enumerate(some)]
    return values


def find_ringing(aws: Aws, prefix: str, others: Sequence[str] = ()) -> list[Ringing]:
    """Return the alarms that ring: those of an environment, by what their names begin with, and ``others``."""
    ask: list[dict[str, Any]] = [{"AlarmNamePrefix": prefix}]
    if others:
        ask.append({"AlarmNames": list(others)[:100]})
    found: dict[str, Ringing] = {}
    with aws.explained("alarms"):
        paginator = aws.client("cloudwatch").get_paginator("describe_alarms")
        for which in ask:
            for page in paginator.paginate(StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"], **which):
                for alarm in [*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())]:
                    name, since = alarm["AlarmName"], alarm["StateUpdatedTimestamp"]
                    if alarm["StateValue"] != "ALARM":
                        continue
                    if name in others or name.removeprefix(prefix)[:1] in {"", "-", "_", "/"}:
                        found[name] = Ringing(name, since.isoformat(timespec="seconds"), alarm.get("StateReason", ""))
    return [found[name] for name in sorted(found)]


def _query(number: str, metric: Metric, seconds: int) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    return {
        "Id": number,
        "MetricStat": {
            "Metric": {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions},
            # Sums by pieces that begin when the clock's do: one of an hour would reach into the hour before.
            "Period": PIECE if metric.stat == "Sum" else seconds,
            "Stat": metric.stat,
        },
        "ReturnData": True,
    }


def _join(metric: Metric, values: Sequence[float]) -> float | None:
    """Join the periods into which the time fell."""
    if not values:
        return None
    return sum(values) if metric.stat == "Sum" else max(values)
