"""The steps of CONTRIBUTING for a new metric, carried out on a copy of the package."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORKED = ROOT / "tests" / "worked_example" / "params.yaml"
# By step: the file, a line of it, and what is added after that line.
EDITS = [
    (
        "mqlkit/core/metrics.py",
        "METRICS: dict[str, Metric] = {\n",
        '    "rejection_rate": Metric("share", "Rejection rate", "rejected / decided", WILSON),\n',
    ),
    (
        "mqlkit/metrics/handoff.py",
        '            metric_rows(wide, "undecided", wide["mqls"] - decided),\n',
        '            metric_rows(wide, "rejection_rate", share(wide["rejected"], decided)),\n',
    ),
    (
        "mqlkit/views/tables/handoff.py",
        '            "undecided": ("Undecided", count),\n',
        '            "rejection_rate": ("Rejection", percent),\n',
    ),
]
PROGRAM = """
import json, sys
import mqlkit as mk
report = mk.Report.read(sys.argv[1])
table = mk.tables.handoff.decisions(report.handoff)
names = mk.tables.data_quality.glossary(report.data_quality).cells["Name"].tolist()
print(json.dumps([mk.__file__, report.value("rejection_rate"), report.value("acceptance_rate"),
                  table.cells.columns.tolist(), "rejection_rate" in names]))
"""


def steps():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("## Add a metric\n")[2].partition("\n## ")[0].strip()
    return section.splitlines()


def test_the_steps_are_at_most_ten_lines_and_name_the_files_that_are_edited():
    assert len(steps()) <= 10
    named = re.findall(r"`(mqlkit/[^`]+)`", " ".join(steps()))
    for path, _, _ in EDITS:
        pattern = Path(path).parent.as_posix() + "/<family>.py"
        assert path in named or pattern in named, path


def test_the_steps_give_a_metric_in_the_report_its_table_and_its_glossary(tmp_path):
    shutil.copytree(ROOT / "mqlkit", tmp_path / "mqlkit")
    for path, after, line in EDITS:
        file = tmp_path / path
        text = file.read_text(encoding="utf-8")
        assert text.count(after) == 1, path
        file.write_text(text.replace(after, after + line), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(WORKED)],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    place, rejected, accepted, columns, is_defined = json.loads(done.stdout)
    assert Path(place).is_relative_to(tmp_path)
    assert rejected + accepted == 1
    assert "Rejection" in columns
    assert is_defined
