"""Input that is not what it should be: one sentence that says so, exit code 2, no traceback."""

from __future__ import annotations

import gzip
import os
import zipfile
from pathlib import Path

import pytest
from test_workbooks import TABLE, sheet, workbook

from mqlkit.core.errors import MqlkitError, ParamsError, SourceError
from mqlkit.core.params import ReportParams
from mqlkit.core.yaml_files import MOST_BYTES, read_yaml
from mqlkit.run.output import check_out, folder_of
from mqlkit.run.report import Job
from mqlkit.sources.classify import classify_exports
from mqlkit.sources.spec import read_source

LEADS = "lead_id,mql_at\nA,2026-01-05T09:00:00Z\nB,2026-01-06T09:00:00Z\n"
READ = {"leads": {"files": ["leads.csv"]}}
# Each name stands for nine of the one before.
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcde", "bcdef", strict=True)
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("[" * 500, "nested too deeply, or contains itself", id="nested"),
        pytest.param("by: &a [*a]", ":1: is not valid YAML (nested too deeply", id="in itself"),
        pytest.param(BOMB, ":6: is not valid YAML (more than 100,000 values)", id="bomb"),
        pytest.param("by: []\nby: [a]", ":2: is not valid YAML ('by' is given twice, lines 1 and",
                     id="twice"),
        pytest.param("? [a]\n: b", "is not valid YAML (a name must be text)", id="list as name"),
        pytest.param("by:\n\t- a", ":2: is not valid YAML (a tab; indent with spaces)", id="tab"),
        pytest.param("a: !!int x", "('x' is not of the type int)", id="number that is none"),
        pytest.param(f"a: {'9' * 5000}", "…99999", id="digits without end"),
        pytest.param("a: !!binary eA==", "tag:yaml.org,2002:binary is not used here", id="type"),
        pytest.param(r'by: "\ud83d"', ":1: is not valid YAML (half of a character", id="half"),
        pytest.param("title: a\0b", ":1: is not valid YAML (special characters", id="NUL"),
        pytest.param("title: \xe9".encode("latin-1"), ":1: is not UTF-8 text", id="encoding"),
        pytest.param("# " + "x" * MOST_BYTES, "is larger than 1 MiB", id="size"),
    ],
)  # fmt: skip
def test_yaml_that_cannot_be_used_names_line_and_fault(desk, text, fault):
    path = desk.write("q1.yaml", text)
    with pytest.raises(ParamsError) as caught:
        read_yaml(path)
    assert fault in str(caught.value)
    assert str(caught.value).startswith(f"{path}")
    # A long value is shortened.
    assert len(str(caught.value)) < 500


def test_yaml_keeps_names_and_numbers_as_they_are_written(desk):
    text = "where: {no: [007, 1_000, 12:30], 2026: [x]}\nlag_days: 45\nsla_warn: 0.5\n"
    for data in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        assert read_yaml(desk.write("q1.yaml", data)) == {
            "where": {"no": ["007", "1_000", "12:30"], "2026": ["x"]},
            "lag_days": 45,
            "sla_warn": 0.5,
        }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("files", {"a": "b"}),
        ("files", [["leads.csv"]]),
        ("columns", {"lead_id": [["a"]]}),
        ("columns", "lead_id"),
        ("timezone", ["UTC"]),
        ("dates", {"mql_at": "dmy"}),
        ("encoding", ["utf-8"]),
        ("keep_duplicates", "no"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_what_is_expected(desk, name, value):
    desk.write("leads.csv", LEADS)
    path = desk.describe({"leads": {"files": ["leads.csv"], name: value}})
    with pytest.raises(SourceError) as caught:
        read_source(path)
    assert f"{path}: leads: {name} {value!r} is not usable.\n  Expected: " in str(caught.value)


def test_paths_that_are_no_paths(desk):
    desk.write("leads.csv", LEADS)
    for given in ("a\0b", "x" * 5000, "a**b", "[", "**/["):
        with pytest.raises(SourceError, match=r"files|there is no file|cannot be read"):
            read_source(desk.describe({"leads": {"files": [given]}}))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("folder", "is a folder, not a file"),
        # Opening a pipe waits for a writer.
        ("pipe", "is not a regular file"),
        ("device", "is not a regular file"),
        ("loop", "cannot be read (Too many levels of symbolic links)"),
        ("dangling", "there is no such file"),
    ],
)
def test_what_is_no_file_is_not_opened(desk, kind, words):
    path = desk.folder / "leads.csv"
    {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to("/dev/zero"),
        "loop": lambda: path.symlink_to(path.name),
        "dangling": lambda: path.symlink_to("nowhere"),
    }[kind]()
    for read in (
        lambda: classify_exports([path], root=desk.folder),
        lambda: read_yaml(path),
        lambda: Job(Path("q1.yaml"), ReportParams(source=str(path))).checked_params(),
    ):
        with pytest.raises(MqlkitError) as caught:
            read()
        assert words in str(caught.value)
        assert caught.value.exit_code == 2
    if kind != "dangling":
        with pytest.raises(SourceError) as caught:
            read_source(desk.describe(READ))
        assert words in str(caught.value)


PACKED = gzip.compress(LEADS.encode())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(LEADS.encode(), "", id="plain text"),
        pytest.param(gzip.compress(LEADS[:30].encode()) + gzip.compress(LEADS[30:].encode()), "",
                     id="two in one"),
        pytest.param(PACKED[:-10], "cannot be read", id="cut off"),
        pytest.param(PACKED + b"more", "cannot be read", id="text behind it"),
        pytest.param(gzip.compress(PACKED), "is a gzip file within a gzip file", id="twice"),
        pytest.param(gzip.compress(workbook({"a": TABLE})), "is an xlsx file within a gzip file",
                     id="workbook"),
        pytest.param(b"BZh91AY", "is a bzip2 archive, whatever its name says", id="bzip2"),
    ],
)  # fmt: skip
def test_a_file_named_gz_is_read_as_what_it_is(desk, content, words):
    desk.write("leads.csv.gz", content)
    description = {"leads": {"files": ["leads.csv.gz"]}}
    if not words:
        assert desk.read(description).ledgers["leads"].used == 2
        return
    with pytest.raises(SourceError, match=words):
        desk.read(description)


@pytest.mark.parametrize("end", ["\0", "\0" * 4096, "C,2026-01-07\0\0,\0\n"])
def test_nul_bytes_make_a_row_unusable_and_nothing_else(desk, end):
    # A file system fills the end of a file with them after a crash.
    desk.write("leads.csv", LEADS + end)
    ledger = desk.read(READ).ledgers["leads"]
    assert [(row.line, row.reason) for row in ledger.rows] == [(4, "bad_row")]
    assert ledger.used == 2


@pytest.mark.parametrize("before", ["", "x"])
@pytest.mark.parametrize(
    ("row", "words"),
    [
        # The engine keeps 10,000 bytes of a row that it cannot split, and half a letter.
        ("é" * 6000 + ",a,b\n", "leads.csv:4: a long row is not split into 2 cells."),
        ('C,"é\n' + "é,2026-01-05\n" * 900, "leads.csv:4: a quote is opened and never closed."),
    ],
)
def test_a_long_broken_row_is_named_or_excluded(desk, before, row, words):
    desk.write("leads.csv", f"{LEADS}{before}{row}")
    try:
        assert desk.read(READ).ledgers["leads"].used == 2
    except SourceError as error:
        assert str(error).startswith(words)  # noqa: PT017 - one of both, by the parity of a byte


def test_a_text_without_line_ends_is_no_table(desk):
    desk.write("leads.csv", "lead_id,mql_at," * 20_000)
    with pytest.raises(SourceError, match=r"leads\.csv:1: has more than 20,000 columns"):
        desk.read(READ)


@pytest.mark.parametrize("sign", ['"', "\n", "\0", "a", "7"])
def test_a_delimiter_that_is_none(desk, sign):
    desk.write("leads.csv", LEADS)
    with pytest.raises(SourceError, match="is no delimiter"):
        read_source(desk.describe({"leads": {"files": ["leads.csv"], "delimiter": sign}}))


@pytest.mark.parametrize("name", ["base64", "hex", "martian", "a\0b", "undefined"])
def test_an_encoding_that_is_none(desk, name):
    desk.write("leads.csv", LEADS.replace("A", "Zoë").encode("cp1252"))
    with pytest.raises(SourceError, match=r"encoding '.+' is unknown"):
        desk.read({"leads": {"files": ["leads.csv"], "encoding": name}})


def encrypted(content: bytes) -> bytes:
    """Return a zip archive that says that its files have a password."""
    data = bytearray(content)
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = -1
        while (at := data.find(mark, at + 1)) >= 0:
            data[at + place] |= 1
    return bytes(data)


def with_last(row: str) -> bytes:
    return workbook({"a": sheet(TABLE[2:4]).replace("</sheetData>", f"{row}</sheetData>")})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(with_last('<row r="4294967290"><c><v>1</v></c></row>'), "", id="row alone"),
        pytest.param(with_last('<row r="9"><c r="XFD1048576" ><v>1</v></c></row>'), "too large",
                     id="cell"),
        pytest.param(with_last("<row><c r='xfd1048576'><v>1</v></c></row>"), "too large",
                     id="other quotes"),
        pytest.param(with_last(f'<row><c r={" " * 90}"XFD1048576"><v>1</v></c></row>'), "",
                     id="spaces"),
        pytest.param(encrypted(workbook({"a": TABLE})), "is a damaged workbook", id="password"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1", "is an old Excel workbook", id="old"),
    ],
)  # fmt: skip
def test_a_workbook_never_ends_the_process(desk, content, words):
    desk.write("leads.xlsx", content)
    with pytest.raises(SourceError, match=f"leads.xlsx: .*{words}"):
        desk.read({"leads": {"files": ["leads.xlsx"]}})


def test_a_workbook_with_a_sheet_list_without_end_is_read_in_part(desk):
    with zipfile.ZipFile(desk.folder / "leads.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", " " * (1 << 21))
    with pytest.raises(SourceError, match="is a damaged workbook"):
        desk.read({"leads": {"files": ["leads.xlsx"]}})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("index.yaml", "index.html is the page that lists the reports"),
        ("Index.yaml", "index.html is the page that lists the reports"),
        ("q\n1.yaml", "has characters that cannot be printed"),
        ("q\udcff.yaml", "has characters that cannot be printed"),
        ("q" * 240 + ".yaml", "it has more than 200 bytes"),
    ],
)
def test_a_params_file_with_a_name_that_no_report_can_have(name, words):
    with pytest.raises(ParamsError, match=words):
        Job(Path(name), ReportParams()).checked_params()


def test_braces_in_the_name_of_a_folder_are_plain_characters(tmp_path):
    document = {"period": {"start": "2026-01-01", "end": "2026-04-01"}, "as_of": "2026-04-01"}
    there = tmp_path / "{client}"
    there.mkdir()
    for out in (there / "reports", tmp_path / "q{1}" / "{ }"):
        check_out(out, None)
        assert folder_of(out, document) == out
    assert folder_of(there / "{period}", document) == there / "2026-Q1"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"period": "9999-12-31"}, "does not exist", id="after the last day"),
        pytest.param({"period": "last-999-years"}, "is out of range", id="before 1900"),
        pytest.param({"sla": f"{'9' * 400}h"}, "is longer than 3,650 days", id="infinite"),
        pytest.param({"sla": "3651d"}, "is longer than 3,650 days", id="above ten years"),
        pytest.param({"rolling": "9" * 5000}, "rolling '9", id="digits without end"),
        pytest.param({"rates": "a\0b"}, "rates 'a", id="NUL in a path"),
        pytest.param({"where": {"source": ["a\0"]}}, "without a NUL", id="NUL in a filter"),
    ],
)
def test_a_parameter_beyond_what_can_be_computed_is_refused(given, words):
    with pytest.raises(ParamsError) as caught:
        ReportParams().changed(given)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 500


def test_an_amount_too_large_for_the_engine_is_excluded(desk):
    desk.write("leads.csv", "lead_id,mql_at,amount\nA,2026-01-05,5\nB,2026-01-05,99999999999999\n")
    ledger = desk.read(READ).ledgers["leads"]
    assert (ledger.used, len(ledger.rows)) == (1, 1)
