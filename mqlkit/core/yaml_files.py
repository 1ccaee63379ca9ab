"""Read and write YAML files."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mqlkit.core.errors import ParamsError, report

# Text that needs no quotes in YAML.
PLAIN = re.compile(r"(\.\./)*[A-Za-z][A-Za-z0-9_./()+-]*( [A-Za-z0-9_./()+-]+)*")
RESERVED = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that contains a mapping; dates stay text.

    Raises
    ------
    ParamsError
        If the file does not exist or is not a YAML mapping.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ParamsError(report(f"{path}: there is no such file.")) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ParamsError(report(f"{path}: cannot be read ({error}).")) from None
    try:
        loaded = yaml.load(text, Loader=TextDatesLoader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.YAMLError as error:
        at = getattr(error, "problem_mark", None)
        line = f":{at.line + 1}" if at else ""
        what = getattr(error, "problem", None) or "not YAML"
        raise ParamsError(report(f"{path}{line}: is not valid YAML ({what}).")) from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ParamsError(
            report(f"{path}: is not a list of `name: value` lines.", found=type(loaded).__name__)
        )
    return loaded


def yaml_text(text: str) -> str:
    r"""Format text for YAML, with quotes only where needed.

    >>> print(yaml_text("MQL Date"), yaml_text("no"), yaml_text('the "MQL"'), yaml_text("1\xa02"))
    MQL Date "no" "the \"MQL\"" "1\u00a02"
    """
    if PLAIN.fullmatch(text) and text.casefold() not in RESERVED:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escaped(c) for c in quoted)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


def filled_in(given: Any) -> Any:
    """Return YAML without its empty values, such as lines of a template not filled in yet."""
    if isinstance(given, Mapping):
        return {name: filled_in(value) for name, value in given.items() if value is not None}
    if isinstance(given, list):
        return [filled_in(value) for value in given if value is not None]
    return given


def read_flow(text: str) -> dict[str, Any]:
    """Return the mapping that a line of YAML is.

    >>> read_flow("columns: {mql_at: MQL Date}")
    {'columns': {'mql_at': 'MQL Date'}}
    """
    loaded = yaml.load(text, Loader=TextDatesLoader)  # noqa: S506 - a subclass of SafeLoader
    return dict(loaded)


def as_yaml(values: Mapping[str, Any]) -> str:
    """Format values as the lines of a params file."""
    return yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)


def as_flow(value: Any) -> str:
    """Format a value as YAML on one line.

    >>> as_flow([{"where": {"source": ["Demo"]}, "sla": "1h"}])
    '[{where: {source: [Demo]}, sla: 1h}]'
    """
    text = yaml.safe_dump(
        value, width=math.inf, default_flow_style=True, sort_keys=False, allow_unicode=True
    )
    return text.strip()


def key_lines(path: Path) -> dict[str, int]:
    """Return the line number of each name of a YAML mapping, starting at 1."""
    root = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=TextDatesLoader)
    if not isinstance(root, yaml.MappingNode):
        return {}
    return {str(key.value): key.start_mark.line + 1 for key, _ in root.value}


class TextDatesLoader(yaml.SafeLoader):
    """Safe YAML loader that keeps ``2026-01-31`` as text, because papermill passes text."""


TextDatesLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
