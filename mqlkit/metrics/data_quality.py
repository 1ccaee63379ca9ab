"""What the numbers are based on: rows read, files, parameters, definitions, broken limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from mqlkit.core.checks import SET_ASIDE
from mqlkit.core.params import ReportParams
from mqlkit.metrics.limits import broken, share_set_aside
from mqlkit.metrics.tidy import pick, with_text
from mqlkit.sources.ledger import Ledger

QUALITY_COLUMNS = [
    "record", "table", "name", "value", "n", "limit", "encoding", "delimiter", "timezone", "sha256",
]  # fmt: skip
LIMITS = ("fail_on", "warn_on")


def data_quality(
    *,
    ledgers: Mapping[str, Ledger] | None = None,
    inputs: Sequence[Mapping[str, Any]] = (),
    resolved: Mapping[str, Any] | None = None,
    metrics: pd.DataFrame | None = None,
    params: ReportParams | None = None,
    channels: pd.DataFrame | None = None,
    currency: str = "",
) -> pd.DataFrame:
    """Return what the numbers of a report are based on, one row per fact.

    Parameters
    ----------
    ledgers
        The ledger of each table.
    inputs
        What identifies each file.
    resolved
        The parameters as resolved.
    metrics
        The tidy rows of `flagged`.
    params
        The report, with its limits.
    channels
        Spend in channels that no lead names.
    currency
        That of the spend.

    Returns
    -------
    pandas.DataFrame
        `QUALITY_COLUMNS` and ``currency``. ``record`` is ``rows`` (``name`` is read or used),
        ``excluded``, ``noted``, ``file``, ``parameter``, ``metric``, ``flag``, ``channel`` or a
        parameter that holds limits (then ``name`` is the number and ``limit`` is broken).
    """
    facts: list[dict[str, Any]] = []
    for table, ledger in (ledgers or {}).items():
        facts += _ledger(table, ledger)
    facts += [
        {"record": "file", "name": each["path"], "n": each["rows"], **each} for each in inputs
    ]
    facts += [{"record": "parameter", "name": n, "value": v} for n, v in (resolved or {}).items()]
    if metrics is not None:
        flags = dict.fromkeys(flag for flags in metrics["flags"] for flag in flags)
        facts += _named("metric", metrics["metric"].unique()) + _named("flag", flags)
        facts += [] if params is None else _limits(metrics, ledgers or {}, params)
    if channels is not None:
        names = zip(channels["channel"], channels["amount"], strict=True)
        facts += [{"record": "channel", "name": name, "value": spent} for name, spent in names]
    frame = pd.DataFrame(facts, columns=QUALITY_COLUMNS, dtype=object)
    return frame.assign(currency=currency)


def flagged(groups: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the tidy rows of all leads, and one row of each metric and its flags."""
    kept = [rows[(rows["by"] == "") | ~rows.duplicated(["metric", "flags"])] for rows in groups]
    return with_text(pd.concat(kept, ignore_index=True))


def _ledger(table: str, ledger: Ledger) -> list[dict[str, Any]]:
    counts = [("rows", "read", ledger.read), ("rows", "used", ledger.used)]
    counts += [("excluded", reason, n) for reason, n in sorted(ledger.set_aside.items())]
    counts += [("noted", name, n) for name, n in sorted(ledger.noted.items()) if n]
    return [{"record": r, "table": table, "name": name, "n": n} for r, name, n in counts]


def _named(record: str, names: Iterable[str]) -> list[dict[str, Any]]:
    return [{"record": record, "name": name} for name in names]


def _limits(
    metrics: pd.DataFrame, ledgers: Mapping[str, Ledger], params: ReportParams
) -> list[dict[str, Any]]:
    """Return the limits that the numbers of the whole period break."""
    named = {*params.fail_on, *params.warn_on} - {SET_ASIDE}
    totals = pick(metrics, *named)
    totals = totals[totals["bucket"] == "total"]
    values = dict(zip(totals["metric"], totals["value"], strict=True))
    values[SET_ASIDE] = share_set_aside({n: ledger.to_dict() for n, ledger in ledgers.items()})
    return [
        {"record": kind, "name": name, "value": value, "limit": getattr(params, kind)[name]}
        for kind in LIMITS
        for name, value in broken(getattr(params, kind), values).items()
    ]
