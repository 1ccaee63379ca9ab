"""The Markdown pages of the repository, and what is in them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "data/sample/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


def read(page: str) -> str:
    """Return the text of a page, given its path in the repository."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced code blocks of a language."""
    return [
        re.sub(rf"^{indent}", "", code, flags=re.MULTILINE)
        for indent, name, code in FENCED.findall(text)
        if name == language
    ]


def prose(text: str) -> str:
    """Return a page without its fenced code blocks."""
    return FENCED.sub("", text)


def code(text: str) -> list[str]:
    """Return the fenced code blocks and the inline code of a page."""
    fenced = [block for _, _, block in FENCED.findall(text)]
    return [*fenced, *re.findall(r"`([^`\n]+)`", prose(text))]


def tables(text: str, header: str) -> list[list[str]]:
    """Return the rows of all tables with this header, such as ``name | default | meaning``."""
    assert f"| {header} |" in text, f"no table with the header | {header} |"
    rows = []
    for after in re.split(rf"^\| {re.escape(header)} \|\n", text, flags=re.MULTILINE)[1:]:
        _, *lines = after.splitlines()
        for line in lines:
            if not line.startswith("|"):
                break
            rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))])
    return rows


def names(rows: list[list[str]]) -> list[str]:
    """Return the first column of a table, without its backticks."""
    return [row[0].strip("`") for row in rows]


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and Sphinx make them."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


def example_files(text: str) -> dict[str, str]:
    """Return the CSV files that a page shows below their names."""
    found = re.findall(r"`(\S+\.csv)`:\n\n```csv\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return dict(found)


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write files, with their folders, below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
