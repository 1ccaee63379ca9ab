"""What every page wears: its style, the chart library, and a page without charts."""

from __future__ import annotations

from html import escape
from importlib.resources import files

VEGA_LITE = "6.4"
# One script, as the page's policy has it: later parts use the names of those before them.
SCRIPTS = ("page.js", "pick.js", "grain.js", "sort.js", "start.js")


def asset(name: str) -> str:
    """Return a file of the template folder."""
    return (files("mqlkit") / "templates" / name).read_text(encoding="utf-8")


def page_script() -> str:
    """Return the chart library and the page's own script as one text."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle("\n".join(map(asset, SCRIPTS)), VEGA_LITE)
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def plain_page(title: str, body: str, *, style: str = "") -> str:
    """Return a page without charts or scripts, in the same dress."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'unsafe-inline'\"><title>{escape(title)}</title>"
        f"<style>{asset('page.css')}{style}</style></head><body><main>{body}</main></body></html>\n"
    )
