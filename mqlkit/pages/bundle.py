"""The scripts of the page as one text.

This module imports little: a separate process builds the bundle while a report runs.
"""

from __future__ import annotations

from importlib.resources import files

VEGA_LITE = "6.4"
# The page's policy allows one script. Later parts use names of earlier ones.
SCRIPTS = ("page.js", "pick.js", "grain.js", "sort.js", "start.js")


def asset(name: str) -> str:
    """Return a file of the template folder."""
    return (files("mqlkit.pages") / "templates" / name).read_text(encoding="utf-8")


def page_script() -> str:
    """Return the chart library and the page's own script as one text."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle("\n".join(map(asset, SCRIPTS)), VEGA_LITE)
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")
