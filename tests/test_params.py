"""Parameters: read, checked, resolved; each fault in words that say what to write instead."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from mqlkit.core.checks import sla_words, split_sla
from mqlkit.core.errors import ParamsError
from mqlkit.core.params import ReportParams, located, resolve_as_of, split_override
from mqlkit.core.periods import AsOf

PERIODS = (
    "2026-01..2026-03, 2026-01, 2026-Q1, 2026-H1, 2026, 2026-01-05..2026-02-14, last-month, "
    "last-quarter, last-half, last-year, last-12-months, this-quarter or year-to-date"
)
TALLINN = ZoneInfo("Europe/Tallinn")


def refusal(given, where="params/q1.yaml"):
    with pytest.raises(ParamsError) as caught:
        ReportParams.from_mapping(given, where=where)
    return str(caught.value)


# --- What is given, and what is not


def test_what_is_not_given_is_as_the_contract_says():
    assert ReportParams.from_mapping({}).to_dict() == {
        "report": "mql_report",
        "title": "MQL report",
        "source": "../data/sample/source.yaml",
        "period": "last-quarter",
        "grain": "month",
        "fiscal_year_start": 1,
        "timezone": None,  # the source's
        "as_of": "auto",
        "lag_days": "auto",
        "rolling": 3,
        "within_days": None,
        "passes": "first",
        "sla": "48h",
        "sla_clock": "calendar",
        "sla_stops_on": "decision",
        "sla_rules": [],
        "sla_warn": 0.75,
        "work_week": "Mon-Fri 09:00-17:00",
        "holidays": None,
        "by": ["source"],
        "where": {},
        "language": "en",
        "redact": False,
        "max_set_aside": 0.05,
        "fail_on": {},
        "warn_on": {},
        "rates": None,
    }


def test_two_reports_do_not_share_a_default():
    ReportParams.from_mapping({}).by.append("owner")
    assert ReportParams.from_mapping({}).by == ["source"]


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        pytest.param("period", 2026, "2026", id="a year is a number in YAML"),
        pytest.param("as_of", date(2026, 3, 31), "2026-03-31", id="papermill's YAML makes dates"),
        pytest.param("lag_days", "30", 30, id="papermill's -p passes text"),
        pytest.param("lag_days", 0, 0, id="no lag at all"),
        pytest.param("within_days", None, None, id="null is all SQLs"),
        pytest.param("grain", "Quarter", "quarter", id="case does not matter"),
        pytest.param("sla", "1.5 D", "1.5 d", id="space before the unit"),
        pytest.param("title", 2026, "2026", id="a title that is a number"),
        pytest.param("by", None, [], id="null is no breakdown"),
        pytest.param("by", "owner", ["owner"], id="one column needs no brackets"),
        pytest.param("by", ["owner", "owner"], ["owner"], id="a column twice is one breakdown"),
        pytest.param("where", None, {}, id="null keeps all"),
        pytest.param("where", {"country": "EE"}, {"country": ["EE"]}, id="one value, no brackets"),
        pytest.param("where", {"size": [10]}, {"size": ["10"]}, id="cells are text"),
        pytest.param("holidays", "NO", "NO", id="Norway, in quotes"),
        pytest.param("max_set_aside", 1, 1.0, id="everything may be set aside"),
        pytest.param("fail_on", {"cost_per_mql": "> 900"}, {"cost_per_mql": "> 900"}, id="a limit"),
    ],
)
def test_values_are_kept_in_one_form(name, given, kept):
    value = getattr(ReportParams.from_mapping({name: given}), name)
    assert value == kept
    assert type(value) is type(kept)


def test_a_notebooks_cell_gives_its_parameters_and_nothing_else():
    namespace = {"grain": "week", "rolling": 4, "pd": object(), "_ih": ["x"]}
    assert ReportParams.from_cell(namespace) == ReportParams(grain="week", rolling=4)


# --- Faults


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"lag_day": 30},
            "params/q1.yaml: parameter 'lag_day' is unknown.\n  Fix:      did you mean 'lag_days'?",
        ),
        (
            {"color": "red"},
            (
                "params/q1.yaml: parameter 'color' is unknown.\n"
                "  Fix:      one of report, title, source, period, grain, fiscal_year_start, "
                "timezone, as_of, lag_days, rolling, within_days, passes, sla, sla_clock, "
                "sla_stops_on, sla_rules, sla_warn, work_week, holidays, by, where, language, "
                "redact, max_set_aside, fail_on, warn_on, rates"
            ),
        ),
        (
            {"period": "last-fortnight"},
            (
                "params/q1.yaml: period 'last-fortnight' cannot be read.\n"
                f"  Expected: {PERIODS}\n"
                "  Found:    'last-fortnight'\n"
                "  Fix:      write the period in one of these forms"
            ),
        ),
        (
            {"period": "2026-01..soon"},
            (
                "params/q1.yaml: period '2026-01..soon' cannot be read.\n"
                f"  Expected: {PERIODS}\n"
                "  Found:    'soon'\n"
                "  Fix:      write the period in one of these forms"
            ),
        ),
        (
            {"period": "2026-03..2026-01"},
            (
                "params/q1.yaml: period '2026-03..2026-01' ends before it starts.\n"
                "  Found:    2026-03-01 .. 2026-01-31\n"
                "  Fix:      write the earlier one first"
            ),
        ),
        (
            {"grain": "monthly"},
            (
                "params/q1.yaml: grain: choice 'monthly' is unknown.\n"
                "  Fix:      did you mean 'month'?"
            ),
        ),
        (
            {"sla_stops_on": "call"},
            (
                "params/q1.yaml: sla_stops_on: choice 'call' is unknown.\n"
                "  Fix:      one of decision, contact"
            ),
        ),
        (
            {"timezone": "Mars/Olympus"},
            (
                "params/q1.yaml: timezone 'Mars/Olympus' is not usable.\n"
                "  Expected: an IANA name, such as Europe/Tallinn or UTC"
            ),
        ),
        (
            {"timezone": "../../etc/passwd"},
            (
                "params/q1.yaml: timezone '../../etc/passwd' is not usable.\n"
                "  Expected: an IANA name, such as Europe/Tallinn or UTC"
            ),
        ),
        (
            {"as_of": "2026-02-30"},  # a day that does not exist
            (
                "params/q1.yaml: as_of '2026-02-30' is not usable.\n"
                "  Expected: auto, now, a date (2026-03-31) or a timestamp (2026-03-31T18:00:00Z)\n"
                "  Fix:      write an existing date in one of these forms"
            ),
        ),
        (
            {"as_of": "yesterday"},
            (
                "params/q1.yaml: as_of 'yesterday' is not usable.\n"
                "  Expected: auto, now, a date (2026-03-31) or a timestamp (2026-03-31T18:00:00Z)\n"
                "  Fix:      write an existing date in one of these forms"
            ),
        ),
        (
            {"sla": 48},  # hours? days? a bare number is refused
            (
                "params/q1.yaml: sla '48' is not a duration with a unit.\n"
                "  Expected: a number above zero and min, h, d or w\n"
                '  Fix:      write for example "48h" or "2d"'
            ),
        ),
        (
            {"sla": "0h"},
            (
                "params/q1.yaml: sla '0h' is not a duration with a unit.\n"
                "  Expected: a number above zero and min, h, d or w\n"
                '  Fix:      write for example "48h" or "2d"'
            ),
        ),
        (
            {"rolling": 0},
            "params/q1.yaml: rolling 0 is not usable.\n  Expected: a whole number from 1 to 120",
        ),
        (
            {"rolling": True},  # an int to Python
            "params/q1.yaml: rolling True is not usable.\n  Expected: a whole number from 1 to 120",
        ),
        (
            {"fiscal_year_start": 13},
            (
                "params/q1.yaml: fiscal_year_start 13 is not usable.\n"
                "  Expected: a whole number from 1 to 12"
            ),
        ),
        (
            {"lag_days": "thirty"},
            (
                "params/q1.yaml: lag_days 'thirty' is not usable.\n"
                "  Expected: auto, or a whole number from 0 to 3650"
            ),
        ),
        (
            {"within_days": -1},
            (
                "params/q1.yaml: within_days -1 is not usable.\n"
                "  Expected: null, or a whole number from 0 to 3650"
            ),
        ),
        (
            {"work_week": "Mon-Fri"},
            (
                "params/q1.yaml: work_week: 'Mon-Fri' cannot be read.\n"
                "  Expected: weekdays and hours, such as 'Mon-Fri 09:00-12:30 13:30-18:00, "
                "Sat 10:00-14:00' or 'Mon,Tue,Thu 22:00-06:00'\n"
                "  Found:    'Mon-Fri' without hours after it"
            ),
        ),
        (
            {"holidays": False},  # what YAML makes of NO
            (
                "params/q1.yaml: holidays 'false' is not usable.\n"
                "  Expected: a country code or null\n"
                '  Fix:      Norway is written "NO", in quotes'
            ),
        ),
        (
            {"by": {"source": "Web"}},
            (
                "params/q1.yaml: by {'source': 'Web'} is not usable.\n"
                "  Expected: a list of columns, such as [source, owner]"
            ),
        ),
        (
            {"where": ["EE"]},
            (
                "params/q1.yaml: where ['EE'] is not usable.\n"
                "  Expected: columns with lists of values, such as {country: [EE, LV]}"
            ),
        ),
        (
            {"redact": "yes"},
            "params/q1.yaml: redact 'yes' is not usable.\n  Expected: true or false",
        ),
        (
            {"max_set_aside": 5},  # five percent is 0.05
            (
                "params/q1.yaml: max_set_aside 5 is not usable.\n"
                "  Expected: a share from 0 to 1, such as 0.05"
            ),
        ),
        (
            {"report": "../secrets"},
            (
                "params/q1.yaml: report '../secrets' is not usable.\n"
                "  Expected: the name of a notebook in notebooks/, without .ipynb"
            ),
        ),
        (
            {"title": " "},
            "params/q1.yaml: title ' ' is not usable.\n  Expected: text",
        ),
        (
            {"language": "et"},
            "params/q1.yaml: language: choice 'et' is unknown.\n  Fix:      one of en",
        ),
        (
            {"fail_on": {"sla_attainmnt": "< 0.8"}},
            (
                "params/q1.yaml: fail_on: metric 'sla_attainmnt' is unknown.\n"
                "  Fix:      did you mean 'sla_attainment'?"
            ),
        ),
        (
            {"fail_on": {"sla_attainment": "80 %"}},
            (
                "params/q1.yaml: fail_on.sla_attainment '80 %' is not usable.\n"
                '  Expected: a comparison, such as "< 0.8" or "> 900"'
            ),
        ),
    ],
    ids=lambda part: next(iter(part)) if isinstance(part, dict) else "words",
)
def test_each_fault_says_what_to_write(given, message):
    assert refusal(given) == message


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13", "2026-W54"])
def test_a_period_that_is_not_in_the_calendar(day):
    # Python's own words stand in brackets, and they change with its version.
    assert refusal({"period": day}).startswith(
        f"params/q1.yaml: period {day!r}: {day!r} does not exist ("
    )


@pytest.mark.parametrize("period", ["0001-01", "0206-01..2026-01", "9999"])
def test_a_period_of_another_age_is_a_slip(period):
    # Nobody waits for the months since the year 206.
    assert refusal({"period": period}).startswith(f"params/q1.yaml: period {period!r}")


def test_no_in_a_filter_is_norway_and_not_false():
    # YAML reads `where: {country: [NO, SE]}` as [False, "SE"]; a filter on the text "False" would
    # keep nobody and say nothing.
    assert refusal({"where": {"country": [False, "SE"]}}) == (
        "params/q1.yaml: where {'country': [False, 'SE']} is not usable.\n"
        "  Expected: texts\n"
        "  Fix:      put yes, no, on, off and NO (Norway) in quotes"
    )


def test_all_faults_come_in_one_message():
    assert refusal({"lag_day": 30, "sla": "2", "rolling": 0}) == (
        "params/q1.yaml: parameter 'lag_day' is unknown.\n"
        "  Fix:      did you mean 'lag_days'?\n"
        "params/q1.yaml: rolling 0 is not usable.\n"
        "  Expected: a whole number from 1 to 120\n"
        "params/q1.yaml: sla '2' is not a duration with a unit.\n"
        "  Expected: a number above zero and min, h, d or w\n"
        '  Fix:      write for example "48h" or "2d"'
    )


def test_the_exit_code_is_that_of_wrong_parameters():
    assert ParamsError.exit_code == 2


# --- The file


def test_a_file_is_read_and_its_source_is_beside_it(desk):
    path = desk.write(
        "params/q1.yaml", "period: 2026-Q1\nas_of: 2026-03-31\nsource: ../source.yaml"
    )
    params = ReportParams.read(path)
    assert params.source == str((desk.folder / "source.yaml").resolve())
    assert (params.period, params.as_of) == ("2026-Q1", "2026-03-31")


def test_overrides_win_over_the_file(desk):
    path = desk.write("q1.yaml", "grain: month\nlag_days: auto\n")
    params = ReportParams.read(path, ["lag_days=45", "by=[source, owner]", "title=a: b: c"])
    assert (params.grain, params.lag_days, params.by) == ("month", 45, ["source", "owner"])
    assert params.title == "a: b: c"  # no YAML, so it is text


def test_an_empty_file_takes_every_default(desk):
    path = desk.write("q1.yaml", "# nothing yet\n")
    assert ReportParams.read(path).grain == "month"


def test_a_file_that_is_not_there(desk):
    path = desk.folder / "q1.yaml"
    with pytest.raises(ParamsError) as caught:
        ReportParams.read(path)
    assert str(caught.value) == f"{path}: there is no such file."


def test_a_file_that_is_not_yaml_names_the_line(desk):
    path = desk.write("q1.yaml", "title: Q1\nby: [source\nsla: 48h\n")
    with pytest.raises(ParamsError) as caught:
        ReportParams.read(path)
    assert str(caught.value) == (f"{path}:3: is not valid YAML (expected ',' or ']', but got ':').")


def test_a_file_that_is_a_list(desk):
    path = desk.write("q1.yaml", "- period: 2026\n")
    with pytest.raises(ParamsError) as caught:
        ReportParams.read(path)
    assert str(caught.value) == (f"{path}: is not a list of `name: value` lines.\n  Found:    list")


def test_a_file_that_is_not_text(desk):
    path = desk.write("q1.yaml", b"title: \xff\xff\n")
    with pytest.raises(ParamsError, match=r"q1\.yaml:1: is not UTF-8 text"):
        ReportParams.read(path)


def test_an_override_without_a_value():
    with pytest.raises(ParamsError) as caught:
        split_override("lag_days")
    assert str(caught.value) == (
        "-p 'lag_days' has no value.\n  Expected: name=value, such as -p lag_days=45"
    )


# --- The SLA


@pytest.mark.parametrize(
    ("text", "hours", "words"),
    [
        ("90min", 1.5, "90 minutes"),
        ("1h", 1, "1 hour"),
        ("48h", 48, "48 hours"),
        ("2d", 48, "2 days"),
        ("1.5 d", 36, "1.5 days"),
        ("1w", 168, "1 week"),
    ],
)
def test_an_sla_in_hours_and_in_words(text, hours, words):
    params = ReportParams.from_mapping({"sla": text})
    assert params.sla_hours == hours
    assert sla_words(params.sla) == words


def test_a_day_of_the_business_clock_is_a_working_day():
    params = {"sla_clock": "business", "work_week": "Mon-Thu 08:00-18:00"}
    assert ReportParams.from_mapping({**params, "sla": "2d"}).sla_hours == 20
    assert ReportParams.from_mapping({**params, "sla": "1w"}).sla_hours == 40
    assert ReportParams.from_mapping({**params, "sla": "48h"}).sla_hours == 48  # working hours
    # Of unequal days, a day is the longest one; a week is what the team works in one.
    params["work_week"] = "Mon-Fri 09:00-12:30 13:30-18:00, Sat 10:00-14:00"
    assert ReportParams.from_mapping({**params, "sla": "2d"}).sla_hours == 16
    assert ReportParams.from_mapping({**params, "sla": "1w"}).sla_hours == 44


@pytest.mark.parametrize("text", ["48", "h", "-2h", "2 days ago", "2y", "1:30"])
def test_no_duration(text):
    with pytest.raises(ParamsError, match="is not a duration with a unit"):
        split_sla(text)


# --- The cut-off


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def test_a_date_means_the_end_of_that_day_in_the_reports_zone():
    as_of = resolve_as_of("2026-03-31", zone=TALLINN, latest=None)
    assert as_of == AsOf(at=utc(2026, 3, 31, 21), cutoff=utc(2026, 3, 31, 21), on=date(2026, 3, 31))


@pytest.mark.parametrize("text", ["20260331", "2026-W14-2"])
def test_other_iso_forms_of_a_date_mean_the_same(text):
    plain = resolve_as_of("2026-03-31", zone=TALLINN, latest=None)
    assert resolve_as_of(text, zone=TALLINN, latest=None) == plain


def test_a_stamp_without_an_offset_is_local_to_the_reports_zone():
    as_of = resolve_as_of("2026-03-31T00:30", zone=TALLINN, latest=None)
    assert as_of.at == utc(2026, 3, 30, 21, 30)
    assert as_of.on == date(2026, 3, 31)
    assert as_of.cutoff == utc(2026, 3, 30, 21, 30, 0, 1)  # an event at the very stamp counts


def test_a_stamp_with_an_offset_is_an_instant():
    as_of = resolve_as_of("2026-03-31T23:30:00Z", zone=TALLINN, latest=None)
    assert as_of.at == utc(2026, 3, 31, 23, 30)
    assert as_of.on == date(2026, 4, 1)  # already April in Tallinn


def test_auto_takes_the_latest_stamp():
    latest = AsOf.end_of(date(2026, 3, 31), TALLINN)
    assert resolve_as_of("auto", zone=TALLINN, latest=latest) is latest


def test_auto_without_a_stamp():
    with pytest.raises(ParamsError) as caught:
        resolve_as_of("auto", zone=TALLINN, latest=None)
    assert str(caught.value) == "as_of: auto needs a timestamp in the data, and there is none."


def test_only_now_reads_the_clock():
    before = datetime.now(UTC)
    as_of = resolve_as_of("now", zone=TALLINN, latest=None)
    assert before <= as_of.at <= datetime.now(UTC)


def test_an_error_in_the_data_names_the_line_of_its_parameter(tmp_path):
    path = tmp_path / "q1.yaml"
    path.write_text("# First quarter\nperiod: 2026-Q1\nsla_rules: []\nas_of: 2026-03-31\n")
    error = ParamsError(
        "sla_rules, rule 2: column 'taem' is unknown.\n"
        "  Fix:      did you mean 'team'?\n"
        "period '2026-Q1' has no data.\n"
        "as_of: given on the command line.\n"
        "leads.csv: not about a parameter."
    )
    assert str(located(error, path, ["as_of"])) == (
        f"{path}:3: sla_rules, rule 2: column 'taem' is unknown.\n"
        "  Fix:      did you mean 'team'?\n"
        f"{path}:2: period '2026-Q1' has no data.\n"
        f"{path}: as_of: given on the command line.\n"
        "leads.csv: not about a parameter."
    )
