"""What the README, CONTRIBUTING and CHANGELOG say is what the code does."""

import argparse
import re
import shlex
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from mqlkit.core.errors import ParamsError, RunError, SourceError
from mqlkit.core.metrics import METRICS
from mqlkit.core.names import FLAGS, LEAD_COLUMNS, SET_ASIDE_REASONS, STAGES
from mqlkit.core.params import ReportParams
from mqlkit.core.yaml_files import TextDatesLoader
from mqlkit.metrics.report import read_numbers
from mqlkit.run import cli
from mqlkit.run.turn import LIMIT_BROKEN
from mqlkit.sources.formats import known_formats
from mqlkit.sources.spec import TABLES, read_source

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mqlkit"
PAPERS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "data/sample/README.md",
    "docs/schedule.md",
)
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

# Written by a run, or made by make.
WRITTEN = re.compile(
    r"NAME\.figures/|NAME(\.[a-z-]+)?\.(html|ipynb|json|csv)|metrics\.json|index\.html|reports/|out\.ipynb|\.venv"
)
FILE_ENDINGS = r"md|py|ya?ml|toml|lock|ipynb|csv|png|html|json"


def read(paper: str) -> str:
    return (ROOT / paper).read_text(encoding="utf-8")


def table_under(text: str, header: str) -> list[list[str]]:
    """Return the cells of the Markdown table with this header, its rows only."""
    _, found, rest = text.partition(f"\n| {header} |\n")
    assert found, f"no table with the header | {header} |"
    lines = rest.splitlines()
    assert set(lines[0]) <= set("|-: ")
    rows = []
    for line in lines[1:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def names_in(rows: list[list[str]]) -> list[str]:
    return [row[0].strip("| `") for row in rows]


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def code_in(text: str) -> list[str]:
    """Return the inline code and the lines of the shell blocks."""
    blocks = [
        line for lang in ("sh", "powershell") for b in fenced(text, lang) for line in b.split("\n")
    ]
    indented = re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    unfenced = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [*blocks, *indented, *re.findall(r"`([^`\n]+)`", unfenced)]


def headings(text: str) -> set[str]:
    """Return the anchors that a page of Markdown has on GitHub."""
    found = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in found}


def is_params(block: str) -> bool:
    return not set(yaml.load(block, TextDatesLoader)) & set(TABLES)


SOURCE_YAML = "\n".join(b for b in fenced(README, "yaml") if not is_params(b))
PARAMS_YAML = [b for b in fenced(README, "yaml") if is_params(b)]
EXPORTS = dict(re.findall(r"^`(\S+\.csv)`:\n\n```csv\n(.*?)^```", README, re.MULTILINE | re.DOTALL))


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """Return a folder with the files of the README's example."""
    for name, content in {**EXPORTS, "source.yaml": SOURCE_YAML}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (tmp_path / "report.yaml").write_text(PARAMS_YAML[0], encoding="utf-8")
    return tmp_path


def test_the_readme_opens_with_a_sentence_a_picture_and_three_commands():
    parts = README.split("\n\n")
    assert parts[0] == "# mqlkit"
    assert parts[1].count(".") == 1
    assert parts[2].startswith("![")
    assert [row[0] for row in table_under(README, "command | does")] == [
        "`make report`", "`make test`", "`make lab`"
    ]  # fmt: skip


def test_the_picture_is_sharp_and_light():
    picture = (ROOT / "docs" / "report.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20], "big") == 2 * 1280
    assert len(picture) < 250_000


def test_the_table_of_parameters_is_that_of_the_code():
    rows = table_under(README, "name | default | meaning")
    documented = [
        (name.strip("` "), yaml.load(d.strip("`"), TextDatesLoader)) for name, d, _ in rows
    ]
    assert documented == [
        (f.name, f.default if f.default is not NO_DEFAULT else f.default_factory())
        for f in fields(ReportParams)
    ]
    assert all(meaning for _, _, meaning in rows)


def test_the_glossary_is_that_of_the_code():
    expected = [
        f"| `{name}` | {m.label} | {m.unit} | {m.definition} | "
        f"{'' if m.source == 'mqlkit' else m.source} |"
        for name, m in METRICS.items()
    ]
    _, _, after = README.partition("| name | in words | unit | definition | after |\n")
    assert after.splitlines()[1 : len(expected) + 2] == [*expected, ""]


def test_the_flags_are_those_of_the_code():
    rows = table_under(README, "flag | means")
    assert {name.strip("`"): meaning for name, meaning in rows} == FLAGS


def test_the_reasons_for_setting_rows_aside_exist():
    found = set(names_in(table_under(README, "reason | the row has")))
    assert found <= set(SET_ASIDE_REASONS)
    # Those that the readers give; the others wait for formats that have such rows.
    given = {
        reason
        for path in (PACKAGE / "sources").glob("*.py")
        for reason in SET_ASIDE_REASONS
        if f'"{reason}"' in path.read_text(encoding="utf-8")
    }
    assert found == given


def test_the_formats_are_those_of_the_code():
    rows = table_under(README, "format | export")
    assert [(name.strip("`"), title) for name, title in rows] == known_formats()


def test_the_exit_codes_are_those_of_the_code():
    rows = table_under(README, "code | means")
    assert [int(code) for code, _ in rows] == [0, RunError.exit_code, 2, LIMIT_BROKEN]
    assert {ParamsError.exit_code, SourceError.exit_code} == {2}


@pytest.mark.parametrize("paper", PAPERS)
def test_every_make_command_named_is_a_target(paper):
    makefile = read("Makefile")
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    named = {m[1] for code in code_in(read(paper)) if (m := re.match(r"make ([a-z]+)", code))}
    assert named <= targets


def subcommands() -> set[str]:
    actions = cli._parser()._actions
    (commands,) = [a for a in actions if isinstance(a, argparse._SubParsersAction)]
    return set(commands.choices)


@pytest.mark.parametrize("paper", PAPERS)
def test_every_mqlkit_command_named_exists_with_its_options(paper):
    for code in code_in(read(paper)):
        found = re.match(r"mqlkit ([a-z]+)(.*)", code)
        if found is None:
            continue
        assert found[1] in subcommands(), code
        if found[2].strip():
            cli._parser().parse_args(shlex.split(code)[1:])


@pytest.mark.parametrize("paper", PAPERS)
def test_every_link_leads_somewhere(paper):
    text = read(paper)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings(text), target
        elif "://" not in target:
            assert ((ROOT / paper).parent / target).exists(), target


@pytest.mark.parametrize("paper", PAPERS)
def test_every_file_named_exists(paper):
    own = {*EXPORTS, "source.yaml", "report.yaml", "params/mql_report.yaml"}
    own |= {f"{home}/{name}" for name in own for home in ("my-leads", "/srv/leads")}
    own |= {f"{Path(name).parent}/" for name in own}
    folders = [ROOT, PACKAGE, ROOT / "notebooks", (ROOT / paper).parent]
    for code in code_in(read(paper)):
        for word in re.findall(rf"[\w./*-]+\.(?:{FILE_ENDINGS})\b|[\w./-]+/(?=\s|$)", code):
            name = word.removeprefix("../")
            is_known = name in own or WRITTEN.match(name)
            assert is_known or any((f / name).exists() for f in folders), f"{paper} names {word}"


def test_the_examples_of_parameters_are_accepted():
    assert PARAMS_YAML
    for block in PARAMS_YAML:
        ReportParams.from_mapping(yaml.load(block, TextDatesLoader))
    overrides = [w for c in code_in(README) for w in re.findall(r"-p (\w+)=", c) if w != "name"]
    assert overrides
    assert set(overrides) <= set(ReportParams.names())


def test_the_values_named_in_the_table_of_parameters_are_accepted():
    for cell, _, meaning in table_under(README, "name | default | meaning"):
        name = cell.strip("` ")
        if name in {"report", "title", "source"}:
            continue
        values = [yaml.load(v, TextDatesLoader) for v in re.findall(r"`([^`]+)`", meaning)]
        for value in values:
            is_by_the_way = value in ReportParams.names() or (name, value) == ("where", "NO")
            if not is_by_the_way:
                ReportParams.from_mapping({name: value})


def test_the_example_of_a_source_is_understood(own_folder):
    described = yaml.load(SOURCE_YAML, TextDatesLoader)
    # The steps put together are one file: a table written twice would hide the first.
    assert len(re.findall(r"^\w+:", SOURCE_YAML, re.MULTILINE)) == len(described)
    source = read_source(own_folder / "source.yaml")

    assert set(described) == set(TABLES)
    assert [len(t.files) for t in (source.leads, source.spend, source.goals, *source.history)] == [
        1
    ] * 5
    assert source.timezone == "Europe/Tallinn"
    assert [h.stage for h in source.history] == [None, "won"]


def test_the_example_gives_a_report(own_folder):
    numbers = read_numbers(ReportParams.read(own_folder / "report.yaml"))

    (aside,) = [row for ledger in numbers.ledgers.values() for row in ledger.rows]
    assert (aside.file, aside.line, aside.reason) == ("exports/leads-2026-01.csv", 4, "duplicate")
    assert numbers.ledgers["history"].noted == {"stage not mapped: On hold": 1}
    totals = numbers.rows[numbers.rows["bucket"] == "total"]
    totals = totals[[not segment for segment in totals["segment"]]].set_index("metric")["value"]
    assert totals[["mqls", "accepted", "rejected", "sqls"]].tolist() == [2, 1, 1, 1]


def test_the_columns_and_stages_that_the_readme_names_are_all_there_are():
    chapter = README.partition("### 1. Leads")[2].partition("### 5.")[0]
    words = set(re.findall(r"[a-z_]+", " ".join([*code_in(chapter), SOURCE_YAML])))
    assert {*LEAD_COLUMNS, *STAGES} <= words


@pytest.mark.parametrize("section", ["Added", "Numbers"])
def test_the_changelog_has_what_is_unreleased(section):
    unreleased = CHANGELOG.partition("## [Unreleased]")[2].partition("\n## ")[0]
    assert re.search(rf"^### {section}\n\n- \S", unreleased, re.MULTILINE)
