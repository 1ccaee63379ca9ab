"""Everything that a page names exists: links, commands, files, parameters, pictures."""

from __future__ import annotations

import re

import pytest
import yaml
from check_commands import faults
from markdown_pages import PAGES, ROOT, anchors, blocks, code, names, prose, read, tables

from mqlkit.core.names import LEAD_COLUMNS, STAGES
from mqlkit.core.params import ReportParams
from mqlkit.core.yaml_files import TextDatesLoader
from mqlkit.sources.spec import TABLES

ENDINGS = "md|py|ya?ml|toml|lock|ipynb|csv|png|html|json"
# Made by make or by a run.
MADE = re.compile(
    r"(params/NAME.yaml|NAME\.figures/|NAME(\.[a-z-]+)?\.(html|ipynb|json|csv)|metrics\.json|index\.html|reports/.*"
    r"|site/|out\.ipynb|runs\.jsonl?|\.venv.*)$"
)
# Invented for the examples.
INVENTED = {
    "source.yaml", "report.yaml", "leads.csv", "ads.csv", "goals.csv", "exports/", "ads/",
    "exports/leads-2026-01.csv", "exports/leads-*.csv", "exports/lead_history.csv",
    "exports/deals.csv", "ads/spend.csv", "ads/*.csv", "params/mql_report.yaml", "my-leads/",
    "sla.html", "metrics.csv", "all-leads.csv",
}  # fmt: skip
SIZE_LIMIT = 500_000


def test_every_link_leads_somewhere():
    dead = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(read(page))):
            if re.match(r"https?:|gallery:", target):
                continue
            name, _, anchor = target.partition("#")
            path = (ROOT / page).parent / name if name else ROOT / page
            is_dead = not path.exists()
            if anchor and not is_dead:
                # The two pages of the site that include a file of the repository.
                is_dead = anchor not in anchors(path.read_text(encoding="utf-8"))
            dead += [f"{page}: {target}"] if is_dead else []
    assert dead == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_option_and_target_exists(page):
    assert [fault for each in code(read(page)) for fault in faults(each)] == []


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ("mqlkit fly", "mqlkit fly: there is no such command"),
        ("cd x && mqlkit run a.yaml --fast", "mqlkit run --fast: there is no such option"),
        ("mqlkit check --jobs 2", "mqlkit check --jobs: there is no such option"),
        ("--fast", "--fast: no mqlkit command has this option"),
        ("make coffee", "make coffee: there is no such target"),
    ],
)
def test_an_unknown_command_option_or_target_is_found(wrong, fault):
    assert faults(wrong) == [fault]


@pytest.mark.parametrize("page", PAGES)
def test_every_file_named_exists(page):
    folders = [ROOT, ROOT / "mqlkit", ROOT / "notebooks", (ROOT / page).parent]
    missing = []
    for each in code(read(page)):
        for word in re.findall(rf"[\w./*-]+\.(?:{ENDINGS})\b|[\w./-]+/(?=\s|$)", each):
            name = re.sub(r"^(\.\./|/srv/leads/|my-leads/(?=.))+", "", word)
            is_known = name in INVENTED or MADE.match(name)
            if not is_known and not any((folder / name).exists() for folder in folders):
                missing.append(word)
    assert missing == []


def test_params_in_examples_are_accepted():
    examples = [
        block
        for page in PAGES
        for text in blocks(read(page), "yaml")
        if not {*TABLES, "jobs"} & set(block := yaml.load(text, TextDatesLoader))
    ]
    assert len(examples) >= 3
    for block in examples:
        ReportParams.from_mapping(block)


def test_overrides_in_examples_name_parameters():
    overrides = {
        word
        for page in PAGES
        for each in code(read(page))
        for word in re.findall(r"-p (\w+)=", each)
    }
    assert {"period", "lag_days"} <= overrides
    assert overrides - {"name", "NAME"} <= set(ReportParams.names())


def test_every_canonical_column_and_stage_is_documented():
    words = set(re.findall(r"[a-z_]+", " ".join(code(read("docs/your-data.md")))))
    assert {*LEAD_COLUMNS, *STAGES} <= words


def test_every_make_target_for_contributors_is_documented():
    documented = names(tables(read("CONTRIBUTING.md"), "command | does"))
    assert documented == [f"make {t}" for t in ("test", "lint", "docs", "bench", "lock")]


@pytest.mark.parametrize("picture", sorted(p.name for p in (ROOT / "docs").glob("*.png")))
def test_pictures_are_shown_and_small(picture):
    assert (ROOT / "docs" / picture).stat().st_size < SIZE_LIMIT
    assert any(f"]({picture})" in read(page) for page in PAGES if page.startswith("docs/"))


def test_the_picture_of_the_readme_is_sharp():
    png = (ROOT / "docs" / "report.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == 2 * 1280
