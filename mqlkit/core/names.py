"""Stages, columns, flags and exclusion reasons, each with its meaning."""

from __future__ import annotations

import re

STAGES = ("created", "mql", "contacted", "accepted", "rejected", "sql", "won")
LATER_STAGES = STAGES[2:]
STAMPS = tuple(f"{stage}_at" for stage in STAGES)
TEXT_COLUMNS = ("rejection_reason", "owner", "source", "campaign")
LEAD_COLUMNS = ("lead_id", *STAMPS, "amount", *TEXT_COLUMNS)
TABLE_COLUMNS = {
    "leads": LEAD_COLUMNS,
    "history": ("lead_id", "at", "stage"),
    "spend": ("date", "date_from", "date_to", "amount", "channel", "currency"),
    "goals": ("month", "mqls", "source"),
}
# A spreadsheet takes a cell for a formula by its first character.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
MISSING = "(missing)"
LAST_ALONE = "lead_alone_in_the_last_month"
HIDDEN = "(redacted)"
# Headers of columns that tell who somebody is, in snake_case, CamelCase or plain words.
PERSONAL = re.compile(
    r"\b(e ?mail|phone|mobile|fax|address|birth\w*|gender|age|ip|surname"
    r"|owner|assignee|assigned to|(created|modified|qualified) by|user|agent|rep|representative"
    r"|manager|sdr|bdr|(first|last|full|middle|given|family|contact|lead|person|owner|user) name)\b"
    r"|\bid$|^name$"
)
TOTAL = "total"
SMALL_N = 30
# Between the column and the value of what was clicked on in a chart; no text of either has it.
PICK_MARK = "\x1f"
# How efficiency is shown.
BOTH, COHORT, FLOW = VIEWS = ("both", "cohort", "flow")
# Environment: folder and name of a report, as `mqlkit run` hands them to the kernel.
RESULTS_VARIABLE = "MQLKIT_RESULTS"
# Likewise: a pattern of the metrics.json of earlier reports of the same name.
EARLIER_VARIABLE = "MQLKIT_EARLIER"
# Likewise: the folder in which the reports of a batch share what was read.
READINGS_VARIABLE = "MQLKIT_READINGS"
# The histogram of waits has this many quarters of the SLA, and one bin for everything later.
LAST_BIN = 16
SET_ASIDE_REASONS = {
    "no_id": "no lead id",
    "bad_date": "a date that does not exist or cannot be read",
    "bad_amount": "an amount that is not a number",
    "bad_row": "too many or too few cells, or broken text",
    "total_row": "a total of other rows",
    "not_data": "a line before or after the table",
    "repeated_header": "the header once more",
    "blank": "nothing in it",
    "duplicate": "equal to an earlier row in every cell",
}
# A duplicate or a blank line costs nothing; these are rows whose content is lost to the report.
UNUSABLE_REASONS = ("no_id", "bad_date", "bad_amount", "bad_row")
FLAGS = {
    "in-progress": "the bucket is not over yet",
    "immature": "young cohort: more of its MQLs will still become SQLs",
    "day-precision": "needs the hour, and the data has only dates",
    "spend-not-covered": "the spend data does not cover the whole window",
    "no-spend-channel": "no spend channel carries this name",
    "small-n": f"fewer than {SMALL_N} leads",
}


def is_personal(column: str) -> bool:
    """Return whether a column tells who a lead or a colleague is, by its header.

    >>> [is_personal(c) for c in ("owner", "OwnerId", "Lead Owner", "Work E-mail", "sales_rep")]
    [True, True, True, True, True]
    >>> [is_personal(c) for c in ("source", "Campaign Name", "country", "Industry", "page")]
    [False, False, False, False, False]
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", column)
    return bool(PERSONAL.search(" ".join(re.split(r"[\W_]+", words)).strip().lower()))
