"""Create and update workspaces: ``mqlkit new``."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import Any

import mqlkit
from mqlkit.core.errors import ParamsError, report
from mqlkit.core.params import ReportParams
from mqlkit.core.periods import DAY, Calendar, add_months
from mqlkit.core.terminal import harmless
from mqlkit.core.yaml_files import yaml_text
from mqlkit.run.check import available
from mqlkit.run.signals import uninterrupted
from mqlkit.run.source_draft import ANSWERED, FILL_IN, draft_source
from mqlkit.run.workspace import check_workspace
from mqlkit.sources.inspect import TableReport
from mqlkit.sources.spec import SourceSpec

SOURCE = "source.yaml"
# The title of each report and its breakdowns, as far as the data has these columns.
REPORTS = {
    "mql_report": ("MQL report", ("source", "owner")),
    "funnel_efficiency": ("Funnel and conversion", ("source",)),
    "sla_velocity": ("SLA and time in stage", ("owner",)),
    "cost_per_mql": ("Cost per MQL", ("source",)),
}
# They apply to the outputs that the kit's own notebooks keep.
OUTPUT_TAGS = {"keep_output", "nbval-check-output"}


# File, line number and text.
Line = tuple[Path, int, str]


@dataclass(frozen=True)
class Workspace:
    """The files that were written.

    Attributes
    ----------
    written
        The files, in the order in which a user needs them.
    to_fill_in, answered
        File, line number and text of each line to fill in, and of each line that was answered.
    """

    written: tuple[Path, ...]
    to_fill_in: tuple[Line, ...]
    answered: tuple[Line, ...] = ()


def kit_notebooks() -> Path:
    """Return the folder of the kit's notebooks: inside the package of a wheel, or beside it."""
    package = Path(mqlkit.__file__).parent
    inside = package / "notebooks"
    return inside if inside.is_dir() else package.parent / "notebooks"


def create_workspace(
    folder: Path,
    source: SourceSpec | None,
    looks: Sequence[TableReport],
    *,
    answers: Mapping[str, Mapping[str, Any]] = {},
) -> Workspace:
    """Write a workspace: ``source.yaml``, and a params file and a notebook for each report.

    Parameters
    ----------
    folder
        Created if needed. Existing files stay.
    source, looks
        The classified exports and what they hold; None and nothing for a form to fill in.
    answers
        What the user has answered, by the place of a block: its settings as in YAML.

    Returns
    -------
    Workspace
        The files written, the lines to fill in, and those that were answered.

    Raises
    ------
    ParamsError
        If a file exists or cannot be written; nothing is written if one exists.
    """
    texts = _texts(folder, source, looks, answers)
    refuse_existing(folder)
    _create(texts, folder)
    path, lines = folder / SOURCE, texts[SOURCE].splitlines()
    numbered = [(path, number, line) for number, line in enumerate(lines, start=1)]
    return Workspace(
        written=tuple(folder / name for name in texts),
        to_fill_in=tuple(line for line in numbered if FILL_IN in line[2]),
        answered=tuple(line for line in numbered if line[2].endswith(ANSWERED)),
    )


def refuse_existing(folder: Path) -> None:
    """Refuse a folder that holds a file of a workspace.

    Raises
    ------
    ParamsError
        With the files that are there.
    """
    params, notebooks = ([f"{f}/{n}.{e}" for n in REPORTS]
                         for f, e in (("params", "yaml"), ("notebooks", "ipynb")))  # fmt: skip
    names = [SOURCE, *params, *notebooks]
    if there := [str(folder / name) for name in names if (folder / name).exists()]:
        raise ParamsError(
            report(
                f"{folder}: {len(there)} of the files to write already exist.",
                found=", ".join(there),
                fix="give another folder, or rewrite the notebooks only: "
                f"mqlkit new {folder} --update",
            )
        )


def _texts(
    folder: Path,
    source: SourceSpec | None,
    looks: Sequence[TableReport],
    answers: Mapping[str, Mapping[str, Any]],
) -> dict[str, str]:
    """Return the text of each file by its path in the workspace."""
    settings = {name: report_settings(name, looks) for name in REPORTS}
    texts = {SOURCE: draft_source(source, looks, folder=folder, answers=answers)}
    texts |= {f"params/{name}.yaml": params_yaml(given) for name, given in settings.items()}
    for name, given in settings.items():
        values = {key: value for key, (value, _) in given.items()}
        # The notebooks are as deep in the workspace as the params files.
        texts[f"notebooks/{name}.ipynb"] = notebook_text(name, values)
    return texts


def _create(texts: Mapping[str, str], folder: Path) -> None:
    """Write all files of a new folder, or none."""
    if folder.exists():
        _write({folder / name: text for name, text in texts.items()}, folder)
        return
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    with uninterrupted():
        try:
            _write({beside / name: text for name, text in texts.items()}, folder)
            beside.rename(folder)
        except OSError as error:
            raise _not_written(folder, error) from None
        finally:
            rmtree(beside, ignore_errors=True)


def _write(texts: Mapping[Path, str], folder: Path) -> None:
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise _not_written(folder, error) from None


def _not_written(folder: Path, error: OSError) -> ParamsError:
    return ParamsError(report(f"{folder}: cannot be written ({error}).", fix="give another folder"))


def next_steps(made: Workspace, folder: Path) -> list[str]:
    """Return the files written, what was answered and the next commands, for a terminal."""
    lines = [f"wrote {path}" for path in made.written]
    source, params = made.written[:2]
    if made.answered:
        lines += ["", "Your answers:", *map(_shown, made.answered)]
        lines += ["", "To change something later:"]
        lines += [f"  {source}  how the files are read, with your answers"]
        lines += [f"  {params}  period, SLA and breakdowns of the report"]
    if made.to_fill_in:
        n_open = len(made.to_fill_in)
        lines += ["", f"{n_open} line{'' if n_open == 1 else 's'} to fill in:"]
        lines += map(_shown, made.to_fill_in)
    lines += ["", "Next:", f"  mqlkit check {source}", f"  mqlkit run {params}"]
    lines += [f"  mqlkit lab {folder}"]
    return [harmless(line) for line in lines]


def _shown(line: Line) -> str:
    path, number, text = line
    return f"  {path}:{number}: {' '.join(text.removesuffix(ANSWERED).split())}"


# --- Notebooks


def notebook_text(name: str, values: Mapping[str, Any]) -> str:
    """Return one of the kit's notebooks without outputs and with other parameters.

    Parameters
    ----------
    name
        The report, such as ``mql_report``.
    values
        Parameters to set in the parameters cell; the others keep their values.
    """
    path = kit_notebooks() / f"{name}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        if "parameters" in tags:
            lines = "".join(cell["source"]).splitlines(keepends=True)
            cell["source"] = [_assigned(line, values) for line in lines]
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        if OUTPUT_TAGS & set(tags):
            cell["metadata"]["tags"] = [tag for tag in tags if tag not in OUTPUT_TAGS]
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _assigned(line: str, values: Mapping[str, Any]) -> str:
    """Return a line of a parameters cell, ``name: type = value  # words``, with its value set."""
    (statement,) = ast.parse(line).body
    if not isinstance(statement, ast.AnnAssign) or statement.value is None:
        return line
    name = ast.unparse(statement.target)
    if name not in values or ast.literal_eval(statement.value) == values[name]:
        return line
    data = line.encode()
    start, end = statement.value.col_offset, statement.value.end_col_offset
    return data[:start].decode() + _literal(values[name]) + data[end:].decode()


def _literal(value: Any) -> str:
    """Return a value as Python with double quotes, as in the kit's notebooks."""
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_literal(k)}: {_literal(v)}' for k, v in value.items())}}}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def update_workspace(folder: Path) -> Iterator[str]:
    """Rewrite the notebooks of a workspace with those of this version; keep old ones as ``.bak``.

    Missing params files are added, with the settings of an existing one. The parameters cell of
    each notebook gets the values of its params file.

    Parameters
    ----------
    folder
        The workspace.

    Yields
    ------
    str
        A line for a terminal for each file.

    Raises
    ------
    ParamsError
        If the folder is not a workspace, a params file is wrong, or nothing can be written.
    """
    notebooks = folder / "notebooks"
    check_workspace(folder)
    missing = _missing_params(folder)
    _write(missing, folder)
    yield from (harmless(f"wrote {path}") for path in missing)
    texts = {notebooks / f"{n}.ipynb": notebook_text(n, _values(folder, n)) for n in REPORTS}
    for path, text in texts.items():
        kept = ""
        if path.is_file():
            if path.read_text(encoding="utf-8") == text:
                yield harmless(f"{path} is up to date")
                continue
            backup = _backup_of(path)
            _write({backup: path.read_text(encoding="utf-8")}, folder)
            kept = f"; the old one is {backup.name}"
        _write({path: text}, folder)
        yield harmless(f"wrote {path}{kept}")


def _missing_params(folder: Path) -> dict[Path, str]:
    """Return the text of each params file that a workspace lacks."""
    paths = {name: folder / "params" / f"{name}.yaml" for name in REPORTS}
    known = next((name for name, path in paths.items() if path.is_file()), None)
    shared = {} if known is None else _values(folder, known)
    texts = {}
    for name, path in paths.items():
        if not path.is_file():
            settings = report_settings(name, ())
            # The notebooks are as deep in the workspace as the params files.
            same = {key: shared[key] for key in [*settings][2:] if key in shared}
            settings |= {key: (value, f"as in {known}.yaml") for key, value in same.items()}
            texts[path] = params_yaml(settings)
    return texts


def _values(folder: Path, name: str) -> dict[str, Any]:
    """Return the parameters for a notebook of a workspace: those of its params file."""
    params = ReportParams.read(folder / "params" / f"{name}.yaml")
    notebooks = (folder / "notebooks").resolve()
    moved = params.with_paths(lambda path: Path(os.path.relpath(path, notebooks)).as_posix())
    return moved.to_dict()


def _backup_of(path: Path) -> Path:
    """Return the first free name for a copy: ``NAME.ipynb.bak``, ``NAME.ipynb.bak2``, ..."""
    names = (path.with_name(f"{path.name}.bak{n if n > 1 else ''}") for n in count(1))
    return next(name for name in names if not name.exists())


# --- Params files


def report_settings(name: str, looks: Sequence[TableReport]) -> dict[str, tuple[Any, str]]:
    """Return the value and a comment for each parameter of a drafted params file.

    Parameters
    ----------
    name
        The report, such as ``mql_report``.
    looks
        What the exports hold; they decide the period and the breakdowns.
    """
    title, breakdowns = REPORTS[name]
    columns = available(looks)
    return {
        "report": (name, "the notebook, in notebooks/"),
        "title": (title, "title of the page"),
        "source": (f"../{SOURCE}", "where the data is, relative to this file"),
        "period": _period(looks),
        "grain": ("month", "one bucket a month; or week, quarter, half, year"),
        "as_of": ("auto", "the latest timestamp in the data; better: the day of the export"),
        "lag_days": ("auto", "days from net-new to MQL that spend is shifted by; measured"),
        "sla": ("48h", "the time that sales has for an MQL; enter what was agreed"),
        "sla_clock": ("calendar", "nights and weekends count; or business"),
        "by": ([c for c in breakdowns if c in columns], "breakdowns: columns of the leads"),
    }


def params_yaml(settings: Mapping[str, tuple[Any, str]]) -> str:
    """Return the text of a params file from `report_settings`."""
    name = settings["report"][0]
    lines = [
        f"# One report: `mqlkit run params/{name}.yaml`. docs/parameters.md lists all parameters."
    ]
    for key, (value, comment) in settings.items():
        text = f"[{', '.join(map(yaml_text, value))}]" if isinstance(value, list) else value
        lines.append(f"{f'{key}: {text}':<36} # {comment}")
    return "\n".join(lines) + "\n"


def _period(looks: Sequence[TableReport]) -> tuple[str, str]:
    """Return the period of a drafted params file, and a comment."""
    spans = [look.mql_days for look in looks if look.mql_days]
    if spans:
        return _covered(min(first for first, _ in spans), max(last for _, last in spans))
    if looks:
        # The dates are not read while a question is open. A year probably contains some.
        return "last-12-months", "the last twelve complete months before as_of"
    return "last-quarter", "the last complete quarter before as_of"


def _covered(first: date, last: date) -> tuple[str, str]:
    """Return the last complete quarter between two dates, or else their months."""
    calendar = Calendar(1)
    start = calendar.start_of(last, "quarter")
    if last + DAY < calendar.next_start(start, "quarter"):
        start = add_months(start, -3)
    if calendar.next_start(start, "quarter") > first:
        return calendar.label(start, "quarter"), "the last complete quarter with MQLs"
    return f"{first:%Y-%m}..{last:%Y-%m}", "the months with MQLs; no quarter is complete"
