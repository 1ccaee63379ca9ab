"""Read and write YAML files."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError
from yaml.error import MarkedYAMLError
from yaml.reader import ReaderError

from mqlkit.core.errors import ParamsError, report, shortened
from mqlkit.core.files import reason, why_no_file

# Text that needs no quotes in YAML.
PLAIN = re.compile(r"(\.\./)*[A-Za-z][A-Za-z0-9_./()+-]*( [A-Za-z0-9_./()+-]+)*")
# A file written by hand is far below these; aliases of aliases, or another file, are not.
MOST_BYTES, MOST_VALUES, MOST_LEVELS = 1 << 20, 100_000, 20
SURROGATE = re.compile("[\ud800-\udfff]")
TOO_DEEP = "nested too deeply, or contains itself"
STANDARD = "tag:yaml.org,2002:"
KINDS = ("null", "bool", "int", "float", "str", "seq", "map", "merge")
TAGS = {STANDARD + kind for kind in KINDS}
# Without YAML's numbers in base 60, 16, 8 and 2, and without underscores.
NUMBERS = {
    STANDARD + "int": re.compile(r"[-+]?(?:0|[1-9][0-9]*)$"),
    STANDARD + "float": re.compile(
        r"(?:[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
}
RESERVED = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that contains a mapping; dates and names of a mapping stay text.

    Raises
    ------
    ParamsError
        If the file does not exist or is not a YAML mapping.
    """
    text = _text_of(path)
    try:
        loaded = load_yaml(text)
    except yaml.YAMLError as error:
        line, what = _fault(error, text)
        raise ParamsError(report(f"{path}{line}: is not valid YAML ({what}).")) from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ParamsError(
            report(f"{path}: is not a list of `name: value` lines.", found=type(loaded).__name__)
        )
    return loaded


def _text_of(path: Path) -> str:
    if why := why_no_file(path):
        raise ParamsError(report(f"{path}: {why}."))
    try:
        with path.open("rb") as handle:
            data = handle.read(MOST_BYTES + 1)
    except OSError as error:
        raise ParamsError(report(f"{path}: cannot be read ({reason(error)}).")) from None
    if len(data) > MOST_BYTES:
        raise ParamsError(
            report(
                f"{path}: is larger than {MOST_BYTES >> 20} MiB.",
                expected="a YAML file of some lines, written by hand",
                fix="name the export under `files:` of a source.yaml",
            )
        )
    try:
        is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ParamsError(
            report(f"{path}:{line}: is not UTF-8 text.", fix="save the file as UTF-8")
        ) from None


def _fault(error: yaml.YAMLError, text: str) -> tuple[str, str]:
    """Return the place of a fault, as ``:3``, and what it is."""
    if isinstance(error, ReaderError):
        return f":{text.count(chr(10), 0, error.position) + 1}", str(error.reason)
    at = getattr(error, "problem_mark", None)
    line = f":{at.line + 1}" if at else ""
    problem = getattr(error, "problem", None) or "not YAML"
    # PyYAML shows the tab as an escape sequence.
    return line, "a tab; indent with spaces" if r"'\t'" in problem else problem


def load_yaml(text: str) -> Any:
    """Return the value of a YAML text.

    Raises
    ------
    yaml.YAMLError
        If it is not YAML, names a value twice, contains itself or is unreasonably large.
    """
    loader = TextDatesLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _size(root, {}, depth=0)
        return loader.construct_document(root)
    except RecursionError:
        raise MarkedYAMLError(problem=TOO_DEEP) from None
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[int, int], *, depth: int) -> int:
    """Return how many values a node stands for, once its aliases are written out."""
    if id(node) in known:
        return known[id(node)]
    if depth > MOST_LEVELS:
        raise _wrong(node, TOO_DEEP)
    if node.tag not in TAGS:
        raise _wrong(node, f"the type {node.tag} is not used here")
    if isinstance(node, yaml.ScalarNode) and SURROGATE.search(node.value):
        raise _wrong(node, "half of a character, such as \\ud83d")
    if isinstance(node, yaml.MappingNode):
        _check_names(node)
        parts = [part for pair in node.value for part in pair]
    else:
        parts = node.value if isinstance(node, yaml.SequenceNode) else []
    size = 1 + sum(_size(part, known, depth=depth + 1) for part in parts)
    if size > MOST_VALUES:
        raise _wrong(node, f"more than {MOST_VALUES:,} values")
    known[id(node)] = size
    return size


def _check_names(node: yaml.MappingNode) -> None:
    first: dict[str, int] = {}
    for name, _ in node.value:
        if not isinstance(name, yaml.ScalarNode):
            raise _wrong(name, "a name must be text")
        line = name.start_mark.line + 1
        if name.value in first:
            where = f"lines {first[name.value]} and {line}"
            raise _wrong(name, f"{shortened(name.value)} is given twice, {where}")
        first[name.value] = line


def _wrong(node: yaml.Node, problem: str) -> MarkedYAMLError:
    return ConstructorError(problem=problem, problem_mark=node.start_mark)


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
    root = yaml.compose(_text_of(path), Loader=TextDatesLoader)
    if not isinstance(root, yaml.MappingNode):
        return {}
    return {str(key.value): key.start_mark.line + 1 for key, _ in root.value}


class TextDatesLoader(yaml.SafeLoader):
    """Safe YAML loader that keeps ``2026-01-31``, ``007``, ``1_000`` and names as text.

    papermill passes dates as text, and a campaign may be called 007.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - as in PyYAML
        """Return a mapping whose names are text as written."""
        if not isinstance(node, yaml.MappingNode):
            raise _wrong(node, "a mapping is expected")
        self.flatten_mapping(node)
        return {str(n.value): self.construct_object(v, deep=deep) for n, v in node.value}

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - as in PyYAML
        """Return the value of a node."""
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, KeyError):
            kind = str(node.tag).rpartition(":")[2]
            raise _wrong(node, f"{shortened(node.value)} is not of the type {kind}") from None


TextDatesLoader.yaml_implicit_resolvers = {
    first: [(tag, NUMBERS.get(tag, pattern)) for tag, pattern in resolvers if tag in TAGS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
