"""The README is a short introduction."""

from __future__ import annotations

import re

from markdown_pages import ROOT, blocks, read

README = read("README.md")


def test_it_is_short():
    assert README.count("\n") <= 200


def test_it_opens_with_a_sentence_and_a_picture():
    title, sentence, picture = README.split("\n\n")[:3]
    assert title == "# mqlkit"
    assert sentence.count(".") == 1
    assert picture.startswith("![")


def test_two_commands_try_it_and_three_report_on_an_own_export():
    sample, own = blocks(README, "sh")
    assert sample.splitlines() == ["make report", "make lab"]
    assert re.findall(r"^mqlkit (\w+)", own, re.MULTILINE) == ["check", "new", "run"]
    assert own.count("\n") == 3


def test_it_links_every_page_of_the_docs():
    linked = set(re.findall(r"\]\(docs/([\w-]+)\.md", README))
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert linked == pages - {"index", "gallery", "contributing", "changelog"}
