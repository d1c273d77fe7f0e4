"""What CloudWatch makes of an alarm's definition and of data: an evaluator of what AWS would evaluate.

moto keeps alarms and never evaluates them. This reads the definition as the API answers it and knows no alarm of ours:
periods, statistics with percentiles, metric math as far as it is used, datapoints to alarm, missing data (Amazon
CloudWatch: Alarm evaluation; Using math expressions with CloudWatch metrics). What it does not know fails.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

Key = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, metric, dimensions."""
Samples = Mapping[Key, Mapping[int, Sequence[float]]]
"""Metric -> minute -> what was measured in it."""
Value = float | None
"""One datapoint; None where there is none."""

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right,
    ast.GtE: operator.ge,
    ast.Gt: operator.gt,
}


def key_of(metric: Mapping[str, Any]) -> Key:
    """Return what tells a metric from all others, as alarms and their queries name it."""
    dimensions = frozenset((each["Name"], each["Value"]) for each in metric["Dimensions"])
    return metric["Namespace"], metric["MetricName"], dimensions


def evaluate(alarm: Mapping[str, Any], samples: Samples, now: int) -> str:
    """Return the state at the end of minute ``now``, by the periods that end there."""
    minutes = _period(alarm) // 60
    ends = [now - minutes * back for back in range(alarm["EvaluationPeriods"])]
    values = [_value(alarm, samples, range(end - minutes + 1, end + 1)) for end in ends]
    breaches = _COMPARE[alarm["ComparisonOperator"]]
    missing = alarm["TreatMissingData"]
    if missing == "missing" and all(value is None for value in values):
        return "INSUFFICIENT_DATA"
    breaching = sum(
        missing == "breaching" if value is None else breaches(value, alarm["Threshold"]) for value in values
    )
    return "ALARM" if breaching >= alarm["DatapointsToAlarm"] else "OK"


def _period(alarm: Mapping[str, Any]) -> int:
    queries = alarm.get("Metrics")
    if not queries:
        return alarm["Period"]
    (period,) = {each["MetricStat"]["Period"] for each in queries if "MetricStat" in each}
    return period


def _value(alarm: Mapping[str, Any], samples: Samples, minutes: range) -> Value:
    if not alarm.get("Metrics"):
        return _statistic(alarm.get("Statistic") or alarm["ExtendedStatistic"], samples.get(key_of(alarm), {}), minutes)
    names: dict[str, Value] = {}
    (shown,) = (each for each in alarm["Metrics"] if each.get("ReturnData", True))
    for each in alarm["Metrics"]:
        if "MetricStat" in each:
            stat = each["MetricStat"]
            names[each["Id"]] = _statistic(stat["Stat"], samples.get(key_of(stat["Metric"]), {}), minutes)
    if "MetricStat" in shown:
        return names[shown["Id"]]
    return cast("Value", _compute(ast.parse(shown["Expression"], mode="eval").body, names))


def _statistic(name: str, measured: Mapping[int, Sequence[float]], minutes: range) -> Value:
    values = sorted(value for minute in minutes for value in measured.get(minute, ()))
    if not values:
        return None
    if name.startswith("p"):
        return values[math.ceil(len(values) * float(name[1:]) / 100) - 1]
    total = math.fsum(values)
    return {
        "Sum": total,
        "SampleCount": float(len(values)),
        "Average": total / len(values),
        "Minimum": values[0],
        "Maximum": values[-1],
    }[name]


def _compute(node: ast.expr, names: Mapping[str, Value]) -> Value | list[Value]:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return names[name]
        case ast.List(elts=each):
            return [cast("Value", _compute(one, names)) for one in each]
        case ast.Call(func=ast.Name(id="IF"), args=[asked, yes, no]):
            holds = _compute(asked, names)
            return None if holds is None else _compute(yes if holds else no, names)
        case ast.Call(func=ast.Name(id="SUM" | "MAX" as name), args=[ast.List() as over]):
            there = [one for one in cast("list[Value]", _compute(over, names)) if one is not None]
            return {"SUM": math.fsum, "MAX": max}[name](there) if there else None
        case ast.BinOp(left=left, op=sign, right=right) | ast.Compare(left=left, ops=[sign], comparators=[right]):
            return _apply(_OPERATORS[type(sign)], _compute(left, names), _compute(right, names))
        case _:
            raise ValueError(f"this evaluator does not know {ast.unparse(node)}")


def _apply(sign: Callable[[float, float], float], left: object, right: object) -> Value:
    if left is None or right is None:
        return None
    try:
        return float(sign(cast("float", left), cast("float", right)))
    except ZeroDivisionError:
        return None
