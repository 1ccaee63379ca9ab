"""Tables of the basis of the numbers: rows, files, parameters, definitions."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.metrics import METRICS
from mqlkit.core.names import FLAGS, SET_ASIDE_REASONS
from mqlkit.core.text import NOTHING, count, money
from mqlkit.metrics.tidy import constant
from mqlkit.views.tables.base import Table, settings_table, titled


def ledger(facts: pd.DataFrame) -> Table:
    """Tabulate the rows read, used and excluded.

    Parameters
    ----------
    facts
        `Report.data_quality`.
    """
    lines = []
    for table in facts["table"][facts["record"] == "rows"].unique():
        part = facts[facts["table"] == table]
        rows = part[part["record"] == "rows"].set_index("name")["n"]
        excluded, noted = (part[part["record"] == record] for record in ("excluded", "noted"))
        reasons = [SET_ASIDE_REASONS[name] for name in excluded["name"]]
        lines.append(
            {
                "Table": table,
                "Rows read": count(rows["read"]),
                "Used": count(rows["used"]),
                "Excluded": count(excluded["n"].sum()),
                "Reasons": _counted(excluded["n"], reasons),
                "Noted": _counted(noted["n"], [n.replace("_", " ") for n in noted["name"]]),
            }
        )
    frame = pd.DataFrame(lines)
    left = ["Table", "Reasons", "Noted"]
    return titled("Rows read, used and excluded", frame, left=left, is_open=True)


def _counted(counts: pd.Series, names: list[str]) -> str:
    return "; ".join(f"{n}: {name}" for n, name in zip(counts, names, strict=True)) or NOTHING


def inputs(facts: pd.DataFrame) -> Table:
    """Tabulate the files read.

    Parameters
    ----------
    facts
        `Report.data_quality`.
    """
    files = facts[facts["record"] == "file"]
    frame = pd.DataFrame(
        {
            "File": files["name"],
            "Lines": files["n"].map(count),
            "Encoding": files["encoding"],
            "Delimiter": files["delimiter"].replace({"\t": "tab"}),
            "Time zone": files["timezone"],
            "SHA-256": files["sha256"].str[:12],
        }
    )
    left = ["File", "Encoding", "Delimiter", "Time zone", "SHA-256"]
    return titled("Files read", frame, left=left)


def channels(facts: pd.DataFrame) -> Table | None:
    """Tabulate spend in channels that match no lead source.

    Parameters
    ----------
    facts
        `Report.data_quality`.
    """
    found = facts[facts["record"] == "channel"]
    if found.empty:
        return None
    currency = constant(facts, "currency", "")
    amounts = [money(amount, currency) for amount in found["value"]]
    frame = pd.DataFrame({"Channel": found["name"].tolist(), "Spend": amounts})
    return titled("Spend with no matching source", frame, left=["Channel"])


def glossary(facts: pd.DataFrame) -> Table:
    """Tabulate the definition and source of each metric of the report.

    Parameters
    ----------
    facts
        `Report.data_quality`.
    """
    frame = pd.DataFrame(
        [
            {
                "Metric": METRICS[n].label,
                "Name": n,
                "Definition": METRICS[n].definition,
                "Reference": METRICS[n].source,
            }
            for n in facts["name"][facts["record"] == "metric"]
        ]
    )
    return titled("Metrics and their definitions", frame, left=list(frame.columns))


def params(facts: pd.DataFrame) -> Table:
    """Tabulate the resolved parameters.

    Parameters
    ----------
    facts
        `Report.data_quality`.
    """
    found = facts[facts["record"] == "parameter"]
    return settings_table(dict(zip(found["name"], found["value"], strict=True)))


def flags(facts: pd.DataFrame) -> Table | None:
    """Tabulate the meaning of each flag of the report.

    Parameters
    ----------
    facts
        `Report.data_quality`.
    """
    seen = {*facts["name"][facts["record"] == "flag"]}
    if not seen:
        return None
    frame = pd.DataFrame([{"Note": f, "Meaning": FLAGS[f]} for f in FLAGS if f in seen])
    return titled(
        "Meaning of the notes in the tables", frame, left=["Note", "Meaning"], is_open=True
    )
