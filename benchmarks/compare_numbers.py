"""Compare the numbers of `mqlkit run` with a rival's, to nine digits.

    python benchmarks/compare_numbers.py REPORT.metrics.json RIVAL.json

The survival curve is taken from the executed notebook beside the metrics.
"""

import json
import sys
from collections import Counter
from pathlib import Path

FIRST = (2025, 7)
FIELDS = ("value", "n", "low", "high")
CURVE = ("hours", "waiting", "low", "high", "at_risk")
TOLERANCE = 1e-9
Key = tuple[str, str, str | None]


def label(month: int | None) -> str:
    """Return the bucket of a month counted from the start of the period."""
    if month is None:
        return "total"
    year, number = divmod(FIRST[0] * 12 + FIRST[1] - 1 + month, 12)
    return f"{year}-{number + 1:02d}"


def is_close(a: float | None, b: float | None) -> bool:
    """Return whether two numbers agree, or are both missing."""
    if a is None or b is None:
        return a is b
    return abs(a - b) <= TOLERANCE * max(1, abs(a), abs(b))


def differences(ours: Path, rival: Path) -> list[str]:
    """Return one line per number that differs."""
    report, other = (json.loads(path.read_text(encoding="utf-8")) for path in (ours, rival))
    out = [
        f"{name}: {report[name]} here, {other[name]} there"
        for name in ("lag_days_used", "maturity_days")
        if not is_close(report[name], other[name])
    ]
    mine: dict[Key, dict] = {
        (r["metric"], r["bucket"], (r["segment"] or {}).get("source")): r for r in report["metrics"]
    }
    theirs: dict[Key, dict] = {
        (r["metric"], label(r["month"]), r["source"]): r for r in other["metrics"]
    }
    for key in sorted({*mine, *theirs}, key=str):
        here, there = mine.get(key), theirs.get(key)
        if here is None or there is None:
            side, row = ("here", here) if here else ("there", there)
            if row["value"] is not None:
                out.append(f"{key}: only {side}, {row['value']}")
            continue
        out += [
            f"{key}: {field} {here[field]} here, {there[field]} there"
            for field in FIELDS
            if not is_close(here[field], there[field])
        ]
    notebook = ours.with_name(ours.name.replace(".metrics.json", ".ipynb"))
    return out + curve_differences(curve_of(notebook), other["curve"])


def curve_of(notebook: Path) -> list[dict]:
    """Return the rows of the survival curve in an executed notebook."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    contents = [
        content
        for cell in cells
        for output in cell.get("outputs", [])
        for content in output.get("data", {}).values()
        if isinstance(content, dict)
    ]
    for content in contents:
        for rows in content.get("datasets", {}).values():
            if rows and set(CURVE) <= set(rows[0]):
                # The picture starts at 0 hours with all of them.
                return [row for row in rows if row["waiting"] < 1]
    return []


def curve_differences(mine: list[dict], theirs: list[dict]) -> list[str]:
    """Return where two curves differ; the picture's ends may be cut or drawn on."""
    by_hours = {round(row["hours"], 9): row for row in theirs}
    shared = [
        (row, by_hours[round(row["hours"], 9)])
        for row in mine
        if round(row["hours"], 9) in by_hours
    ]
    out = [f"curve: {len(mine)} steps here, {len(theirs)} there, {len(shared)} at the same time"]
    for here, there in shared:
        out += [
            f"curve at {here['hours']} h: {field} {here[field]} here, {there[field]} there"
            for field in CURVE
            if not is_close(here[field], there[field])
        ]
    return out if len(out) > 1 or len(shared) < min(len(mine), len(theirs)) - 2 else []


def main() -> int:
    """Print the differences, and say how many."""
    found = differences(*map(Path, sys.argv[1:3]))
    print("\n".join(found[:60]))
    kinds = Counter(line.partition(",")[0] for line in found)
    print(f"{len(found)} differences", dict(kinds.most_common(40)))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
