"""Tables as HTML."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from mqlkit.views.tables.base import Table


def table_html(table: Table) -> str:
    """Return a table as HTML, folded under its title; every cell is escaped."""
    headings = [str(heading) for heading in table.cells.columns]
    rows = zip(*(column.tolist() for _, column in table.cells.items()), strict=True)
    return _template().render(table=table, headings=headings, rows=rows)


@cache
def _template() -> Template:
    loader = PackageLoader("mqlkit.pages")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("table.html.j2")
