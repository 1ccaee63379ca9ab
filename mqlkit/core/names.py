"""Stages, columns, flags and exclusion reasons, each with its meaning."""

from __future__ import annotations

import re

STAGES = ("created", "mql", "contacted", "accepted", "rejected", "sql", "won")
LATER_STAGES = STAGES[2:]
# In a history only: time on hold is not counted, and ignored stages are no events.
ON_HOLD, IGNORE = "on_hold", "ignore"
HISTORY_STAGES = (*STAGES, ON_HOLD)
# Stages of the funnel with their labels.
FUNNEL_LABELS = {"created": "Created", "mql": "MQL", "accepted": "SAL", "sql": "SQL", "won": "Won"}
FUNNEL_STAGES = tuple(FUNNEL_LABELS)
STAMPS = tuple(f"{stage}_at" for stage in STAGES)
TEXT_COLUMNS = ("rejection_reason", "owner", "source", "campaign")
LEAD_COLUMNS = ("lead_id", *STAMPS, "amount", *TEXT_COLUMNS)
TABLE_COLUMNS = {
    "leads": LEAD_COLUMNS,
    "history": ("lead_id", "at", "stage"),
    "spend": ("date", "date_from", "date_to", "amount", "channel", "campaign", "currency"),
    "goals": ("month", "mqls", "sqls", "spend", "source"),
    "rates": ("currency", "rate", "date_from"),
}
# A spreadsheet reads a cell that starts so as a formula: with one of these signs, full-width ones
# among them, after any blanks and characters without a width; or with a tab or a line end. Python's
# regular expressions and those of the engine read it alike.
INVISIBLE = (
    "\x01-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180e\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
FORMULA = f"^[{INVISIBLE}]*[=+@\uff1d\uff0b\uff0d\uff20\u2212-]|^[\t\r\n]"
# Excel reads a CSV file as UTF-8 if it begins with this.
BOM = "\ufeff"
MISSING = "(missing)"
LAST_ALONE = "lead_alone_in_the_last_month"
AMBIGUOUS_LOCAL_TIME = "ambiguous_local_time"
HIDDEN = "(redacted)"
# After a time zone that neither source.yaml nor the format names.
ASSUMED = " (assumed)"
# Headers of columns that identify a person, split into words.
PERSONAL = re.compile(
    r"\b(e ?mail|phone|mobile|fax|address|birth\w*|gender|age|ip|surname"
    r"|owner|assignee|assigned to|(created|modified|qualified) by|user|agent|rep|representative"
    r"|manager|sdr|bdr|(first|last|full|middle|given|family|contact|lead|person|owner|user) name)\b"
    r"|\bid$|^name$"
)
TOTAL = "total"
SMALL_N = 30
NOT_RECORDED = "not-recorded"
# Why a stage is not recorded.
NO_COLUMN, NO_MAPPING, NO_VALUE = "no-column", "no-mapping", "no-value"
# Separates column and value in a chart selection. Neither contains it.
PICK_MARK = "\x1f"
# Not shown. It follows values of charts that JavaScript would take for its own names.
WORD_JOINER = "\u2060"
# Which conversion the panel shows: of the cohorts, in the period, or both.
BOTH, COHORT, FLOW = VIEWS = ("both", "cohort", "flow")
# Environment variables that `mqlkit run` sets for the kernel: folder and name of the report;
RESULTS_VARIABLE = "MQLKIT_RESULTS"
# a glob pattern of the metrics.json of earlier reports with the same name;
EARLIER_VARIABLE = "MQLKIT_EARLIER"
# JSON list of the lead columns that any report of the batch uses of the source of this report; not
# set if no other report uses the source.
SHARED_COLUMNS_VARIABLE = "MQLKIT_SHARED_COLUMNS"
# The histogram of time in stage has this many bins of a quarter of the SLA, and one for the rest.
LAST_BIN = 16
SET_ASIDE_REASONS = {
    "no_id": "no lead id",
    "bad_date": "a date that does not exist or cannot be read",
    "bad_amount": "an amount that is not a number",
    "bad_row": "too many or too few cells, or broken text",
    "total_row": "a total of other rows",
    "not_data": "a line above or below the table",
    "repeated_header": "a repeated header",
    "blank": "an empty row",
    "duplicate": "a copy of an earlier row",
}
# Rows whose data is lost to the report. Duplicates and blank rows lose nothing.
UNUSABLE_REASONS = ("no_id", "bad_date", "bad_amount", "bad_row")
FLAGS = {
    "in-progress": "the bucket is not over yet",
    "immature": "young cohort: more of its MQLs can still become SQLs",
    "day-precision": "some or all leads are left out: they have dates without a time of day",
    "spend-not-covered": "the spend data does not cover the whole window",
    "spend-not-filtered": "spend on more leads than are kept: it has no values of a filter column",
    "no-spend-channel": "no spend has this channel or campaign, or one that the filter keeps",
    NOT_RECORDED: "the data has no timestamp of a stage that the number needs",
    "small-n": f"fewer than {SMALL_N} leads",
}


def is_personal(column: str) -> bool:
    """Return whether a column identifies a lead or a colleague, judged by its header.

    >>> [is_personal(c) for c in ("owner", "OwnerId", "Lead Owner", "Work E-mail", "sales_rep")]
    [True, True, True, True, True]
    >>> [is_personal(c) for c in ("source", "Campaign Name", "country", "Industry", "page")]
    [False, False, False, False, False]
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", column)
    return bool(PERSONAL.search(" ".join(re.split(r"[\W_]+", words)).strip().lower()))
