"""Files of the page: style sheets, scripts, and the chart library."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from platformdirs import user_cache_path

KEPT = "\n// end"
VEGA_LITE = "6.4"
# The page's policy allows one script. Later parts use names of earlier ones.
SCRIPTS = ("page.js", "pick.js", "grain.js", "sort.js", "start.js")
# The chart library is larger by far.
SMALLEST_SCRIPT = 300_000
# The metadata key of a notebook output that holds the kind of its part.
METADATA = "mqlkit"


def asset(name: str) -> str:
    """Return a file of the template folder."""
    return (files("mqlkit.pages") / "templates" / name).read_text(encoding="utf-8")


def template(name: str, **filters: Callable[..., Any]) -> Template:
    """Return a Jinja template of the template folder, which escapes what is not marked as safe."""
    environment = Environment(
        loader=PackageLoader("mqlkit.pages"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters.update(filters)
    return environment.get_template(name)


def page_script(folder: Path | None = None) -> str:
    """Return the chart library and the page's own script as one text.

    Making it takes a second, so that it is kept on disk.

    Parameters
    ----------
    folder
        Where it is kept; the user's cache folder when left out. A folder that cannot be used is
        ignored.
    """
    folder = folder or user_cache_path("mqlkit", appauthor=False)
    own = "\n".join(map(asset, SCRIPTS))
    key = "\n".join([version("vl-convert-python"), VEGA_LITE, own])
    kept = folder / f"page-{sha256(key.encode()).hexdigest()[:16]}.js"
    with suppress(OSError, ValueError):
        script = kept.read_text(encoding="utf-8")
        # A crash or a full disk can cut off a file.
        if script.endswith(KEPT):
            return script
    script = _bundled(own) + KEPT
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        for outdated in folder.glob("page-*"):
            outdated.unlink(missing_ok=True)
        new = kept.with_suffix(f".{os.getpid()}")
        new.write_text(script, encoding="utf-8")
        new.replace(kept)
    return script


def _bundled(own: str) -> str:
    import vl_convert

    bundle: str = vl_convert.javascript_bundle(own, VEGA_LITE)
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")
