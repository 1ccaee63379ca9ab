"""Tidy rows: flags that rows share, and the rows that tell what flags there are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mqlkit.metrics.data_quality import flagged
from mqlkit.metrics.tidy import LABELS, family, metric_rows, of_all_leads, shown

# A closed and a running bucket, of all leads and of a source.
GRID = pd.DataFrame(
    {
        "bucket": ["2026-01", "2026-02"] * 2,
        "start": None,
        "end": None,
        "by": ["", "", "source", "source"],
        "name": ["", "", "Web", "Web"],
        "flags": [(), ("in-progress",)] * 2,
    }
)


def test_flags_are_those_of_the_bucket_then_those_given_then_small_n():
    given = {"immature": [True, False, False, True], "day-precision": True}
    found = metric_rows(GRID, "efficiency", np.zeros(4), n=[29, 30, 30, 1], flags=given)
    assert found["flags"].tolist() == [
        ("immature", "day-precision", "small-n"),
        ("in-progress", "day-precision"),
        ("day-precision",),
        ("in-progress", "immature", "day-precision", "small-n"),
    ]


def test_rows_with_the_same_flags_share_one_tuple():
    found = metric_rows(GRID, "mqls", np.zeros(4))["flags"]
    assert found[0] is found[2]
    assert found[1] is found[3]


def test_labels_of_rows_are_codes_until_they_are_shown():
    codes = GRID.astype(dict.fromkeys(["bucket", "start", "end", "by", "name"], "category"))
    found = metric_rows(codes, "mqls", np.zeros(4))
    both = pd.concat([found, metric_rows(codes, "sqls", np.zeros(4))])
    # The rows of 2,000 owners by week are 8.5 million.
    assert {str(both[column].dtype) for column in LABELS} == {"category"}
    assert family(both)["metric"].tolist() == ["mqls"] * 4 + ["sqls"] * 4


def test_pages_show_segments_over_the_period_and_one_metric_by_bucket():
    grid = GRID.assign(bucket=["2026-01", "total"] * 2)
    both = pd.concat([metric_rows(grid, name, np.zeros(4)) for name in ("mqls", "sqls")])
    kept = shown(both, "mqls")
    assert [*zip(kept["metric"], kept["by"], kept["bucket"], strict=True)] == [
        ("mqls", "", "2026-01"), ("mqls", "", "total"),
        ("mqls", "source", "2026-01"), ("mqls", "source", "total"),
        ("sqls", "", "2026-01"), ("sqls", "", "total"), ("sqls", "source", "total"),
    ]  # fmt: skip


def test_no_rows_have_no_flags():
    assert metric_rows(GRID.iloc[:0], "mqls", [], n=[])["flags"].tolist() == []


def test_each_metric_and_flag_is_told_once_beside_the_rows_of_all_leads():
    wide = metric_rows(GRID, "efficiency", np.zeros(4), n=[30, 30, 30, 3])
    found = flagged([metric_rows(GRID, "mqls", np.zeros(4)), wide])
    # Of the source, one row has a flag that no other row has.
    assert found[["metric", "by", "bucket"]].values.tolist() == [
        ["mqls", "", "2026-01"], ["mqls", "", "2026-02"],
        ["efficiency", "", "2026-01"], ["efficiency", "", "2026-02"],
        ["efficiency", "source", "2026-02"],
    ]  # fmt: skip
    assert len(of_all_leads([wide, wide])) == 4
