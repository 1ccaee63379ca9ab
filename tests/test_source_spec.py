"""source.yaml: every fault in it is named, all at once, before a file is opened."""

from __future__ import annotations

import pytest

from mqlkit.core.errors import SourceError
from mqlkit.sources.reader import Reader
from mqlkit.sources.spec import read_source, source_from
from mqlkit.sources.store import connect
from mqlkit.sources.tables import load

ZONES = "an IANA name, such as Europe/Tallinn or UTC"
PLAIN = {"files": ["leads.csv"]}


@pytest.fixture
def exports(desk):
    """Lay down one leads file, which the descriptions in this module name."""
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    return desk


def refusal(desk, description):
    path = desk.describe(description)
    with pytest.raises(SourceError) as caught:
        read_source(path)
    return str(caught.value).replace(str(path), "source.yaml")


# --- What is understood


def test_a_whole_description(exports):
    for name in ("history.csv", "won.csv", "spend-1.csv", "spend-2.csv", "goals.csv"):
        exports.write(name, "x\n")
    path = exports.describe(
        """
        leads:
          files: [leads.csv]
          columns: {lead_id: mql_id, mql_at: first_contact_date}
          timezone: Europe/Tallinn
          dates: dmy
        history:
          - files: [history.csv]
            stages: {mql: [MQL, Marketing Qualified], rejected: Recycled}
          - files: [won.csv]
            stage: won
            timezone: UTC
        spend:
          files: ["spend-*.csv"]
          currency: EUR
        goals:
          files: goals.csv
        """
    )
    source = read_source(path)
    assert source.timezone == "Europe/Tallinn"
    assert source.leads.columns == {"lead_id": "mql_id", "mql_at": "first_contact_date"}
    assert source.leads.dates == "dmy"
    log, won = source.history
    assert log.stages == {"mql": ["MQL", "Marketing Qualified"], "rejected": ["Recycled"]}
    assert (log.timezone, log.dates) == ("Europe/Tallinn", "auto")  # the zone is the leads'
    assert (won.stage, won.timezone, won.place) == ("won", "UTC", "history[1]")
    assert [f.name for f in source.spend.files] == ["spend-1.csv", "spend-2.csv"]
    assert source.spend.currency == "EUR"
    assert [f.name for f in source.goals.files] == ["goals.csv"]


def test_paths_are_relative_to_the_description(exports, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    source = read_source(exports.describe({"leads": PLAIN}))
    assert source.leads.files == (exports.folder / "leads.csv",)


def test_a_file_named_twice_is_read_once(exports):
    source = read_source(exports.describe({"leads": {"files": ["leads.csv", "*.csv"]}}))
    assert [f.name for f in source.leads.files] == ["leads.csv"]


def test_without_leads_the_first_history_gives_the_zone(exports):
    block = {**PLAIN, "timezone": "Asia/Tokyo", "stage": "mql"}
    assert read_source(exports.describe({"history": [block]})).timezone == "Asia/Tokyo"


def test_without_a_zone_stamps_are_utc(exports):
    assert read_source(exports.describe({"leads": PLAIN})).timezone == "UTC"


# --- Faults


@pytest.mark.parametrize(
    ("description", "message"),
    [
        pytest.param(
            {},
            "source.yaml: names no leads.\n"
            "  Expected: leads: or history:, with files\n"
            "  Fix:      add `leads:` and below it `files: [your-export.csv]`",
            id="nothing in it",
        ),
        pytest.param(
            {"lead": PLAIN},
            "source.yaml: table 'lead' is unknown.\n  Fix:      did you mean 'leads'?",
            id="unknown table",
        ),
        pytest.param(
            {"leads": {**PLAIN, "colums": {}}},
            "source.yaml: leads: name 'colums' is unknown.\n  Fix:      did you mean 'columns'?",
            id="unknown name",
        ),
        pytest.param(
            {"leads": {**PLAIN, "currency": "EUR"}},
            "source.yaml: leads: name 'currency' is unknown.\n"
            "  Fix:      one of files, format, columns, encoding, delimiter, decimal, "
            "keep_duplicates, missing, timezone, dates, columns_missing",
            id="a name of another table",
        ),
        pytest.param(
            {"leads": "leads.csv"},
            "source.yaml: leads is not a block.\n  Expected: files:, columns:, ... below it",
            id="no block",
        ),
        pytest.param(
            {"leads": {"timezone": "UTC"}},
            "source.yaml: leads names no files.\n  Expected: files: [exports/leads-*.csv]",
            id="no files",
        ),
        pytest.param(
            {"leads": {"files": ["lead.csv"]}},
            "source.yaml: leads: there is no file 'lead.csv'.\n"
            "  Found:    nearest here: 'leads.csv'\n"
            "  Fix:      paths are relative to source.yaml; correct the path or add the file",
            id="missing file",
        ),
        pytest.param(
            {"leads": {"files": ["exports/leads-*.csv"]}},
            "source.yaml: leads: there is no file 'exports/leads-*.csv'.\n"
            "  Fix:      paths are relative to source.yaml; correct the path or add the file",
            id="a pattern that matches nothing",
        ),
        pytest.param(
            {"leads": {**PLAIN, "timezone": "Mars/Olympus"}},
            f"source.yaml: leads: timezone 'Mars/Olympus' is unknown.\n  Expected: {ZONES}",
            id="unknown zone",
        ),
        pytest.param(
            {"leads": {**PLAIN, "format": "plane"}},
            "source.yaml: leads: format 'plane' is unknown.\n  Fix:      did you mean 'plain'?",
            id="unknown format",
        ),
        pytest.param(
            {"leads": {**PLAIN, "columns": ["lead_id"]}},
            "source.yaml: leads: columns ['lead_id'] is not usable.\n"
            "  Expected: {lead_id: Lead ID, ...}",
            id="columns as a list",
        ),
        pytest.param(
            {"leads": PLAIN, "spend": {**PLAIN, "columns": {"amout": "Cost"}}},
            "source.yaml: spend.columns: column 'amout' is unknown.\n"
            "  Fix:      did you mean 'amount'?",
            id="unknown column of ours",
        ),
        pytest.param(
            {"history": [PLAIN, {**PLAIN, "stage": "MQL"}]},
            "source.yaml: history[1]: stage 'MQL' is unknown.\n  Fix:      did you mean 'mql'?",
            id="unknown stage",
        ),
        pytest.param(
            {"history": [{**PLAIN, "stages": {"qualified": ["MQL"]}}]},
            "source.yaml: history[0]: stage 'qualified' is unknown.\n"
            "  Fix:      one of created, mql, contacted, accepted, rejected, sql, won, on_hold",
            id="unknown stage in a mapping",
        ),
        pytest.param(
            {"history": [{**PLAIN, "stages": ["MQL"]}]},
            "source.yaml: history[0]: stages ['MQL'] is not usable.\n  Expected: {mql: [MQL], ...}",
            id="stages as a list",
        ),
    ],
)
def test_each_fault_is_named_with_its_place(exports, description, message):
    assert refusal(exports, description) == message


def test_all_faults_come_in_one_message(exports):
    bad = {"leads": {"files": ["january.txt"], "timezone": "Mars", "colums": {}}, "spnd": PLAIN}
    assert refusal(exports, bad) == (
        "source.yaml: table 'spnd' is unknown.\n"
        "  Fix:      did you mean 'spend'?\n"
        "source.yaml: leads: name 'colums' is unknown.\n"
        "  Fix:      did you mean 'columns'?\n"
        f"source.yaml: leads: timezone 'Mars' is unknown.\n  Expected: {ZONES}\n"
        "source.yaml: leads: there is no file 'january.txt'.\n"
        "  Fix:      paths are relative to source.yaml; correct the path or add the file"
    )


@pytest.mark.parametrize("table", ["leads", "spend", "goals"])
def test_a_second_block_of_a_table_is_not_dropped_in_silence(exports, table):
    with pytest.raises(SourceError, match=table):
        read_source(exports.describe({"leads": PLAIN, table: [PLAIN, PLAIN]}))


@pytest.mark.parametrize(
    ("name", "value"),
    [("delimiter", "::"), ("delimiter", ""), ("decimal", "point"), ("dates", "european")],
)
def test_a_value_that_means_nothing_is_refused_with_its_place(exports, name, value):
    # `decimal: point` would be read as the comma, the opposite of what it says.
    with pytest.raises(SourceError, match=rf"leads.*{name}"):
        exports.read({"leads": {**PLAIN, name: value}})


def test_a_description_that_is_not_there(desk):
    path = desk.folder / "source.yaml"
    with pytest.raises(SourceError) as caught:
        read_source(path)
    assert str(caught.value) == (
        f"{path}: there is no such file.\n"
        "  Fix:      give the path of a source.yaml, beside the params file"
    )


def test_a_description_that_is_not_yaml_names_the_line(desk):
    path = desk.describe("leads:\n  files: [leads.csv\n  dates: dmy\n")
    with pytest.raises(SourceError) as caught:
        read_source(path)
    assert str(caught.value).startswith(
        f"{path}:3: is not valid YAML (expected ',' or ']', but got ':')."
    )


def test_the_exit_code_is_that_of_wrong_data():
    assert SourceError.exit_code == 2


@pytest.mark.parametrize(
    ("setting", "zone"),
    [
        ({}, "UTC (assumed)"),
        ({"timezone": "UTC"}, "UTC"),
        ({"timezone": "Europe/Tallinn"}, "Europe/Tallinn"),
    ],
)
def test_an_assumed_zone_is_named_so(tmp_path, setting, zone):
    path = tmp_path / "leads.csv"
    path.write_text("lead_id,mql_at\n1,2026-01-05 10:00\n", encoding="utf-8")
    source = source_from({"leads": {"files": ["leads.csv"], **setting}}, tmp_path / "source.yaml")
    reader = Reader(connect(), tmp_path, tmp_path, 1.0, "UTC")
    (file,) = load(reader, source, extras=[]).inputs_with_assumptions
    assert file["timezone"] == zone


def test_a_column_may_have_several_headers(exports):
    path = exports.describe({"leads": {**PLAIN, "columns": {"mql_at": ["MQL on", "MQL since"]}}})
    assert read_source(path).leads.columns["mql_at"]
