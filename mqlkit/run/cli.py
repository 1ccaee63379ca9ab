"""The command line."""

from __future__ import annotations

import argparse
import gc
import math
import os
import re
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

from mqlkit import __version__
from mqlkit.core.errors import (
    Interrupted,
    MqlkitError,
    ParamsError,
    ResourceError,
    SourceError,
    shortened,
)
from mqlkit.core.terminal import harmless
from mqlkit.run.guard import as_expected, not_printed, open_streams, silence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    # See `kernel.NO_IRI_GRAMMAR`.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    open_streams()
    args = _parser().parse_args(argv)
    try:
        return int(args.act(args))
    except KeyboardInterrupt as stopped:
        print("mqlkit: stopped; no report is half written.", file=sys.stderr)
        return stopped.exit_code if isinstance(stopped, Interrupted) else Interrupted(2).exit_code
    except Exception as error:  # noqa: BLE001 - a user sees one sentence, whatever it is
        return complain(as_expected(error, f"mqlkit {args.command}"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mqlkit",
        description="Reports on marketing qualified leads, from exports to one HTML file.",
    )
    parser.add_argument("--version", action="version", version=f"mqlkit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    run = commands.add_parser("run", help="run reports to HTML")
    run.add_argument("params", nargs="+", type=_path, metavar="PARAMS.yaml")
    run.add_argument(
        "--out",
        type=_path,
        help="folder for the outputs, by default reports/ of the workspace; "
        "may contain {period} and {as_of}",
    )
    run.add_argument("--as-of", metavar="DATE", help="the as-of date, like `-p as_of=DATE`")
    run.add_argument(
        "--keep", type=_number, metavar="N",
        help="keep the newest N reports of a name, where --out has {period}",
    )  # fmt: skip
    run.add_argument(
        "-p", dest="overrides", action="append", default=[], metavar="NAME=VALUE",
        help="a parameter that wins over the file's",
    )  # fmt: skip
    run.add_argument(
        "--jobs", type=_number, default=1, metavar="N", help="how many reports to run at a time"
    )
    run.add_argument(
        "--log-json",
        type=_path,
        metavar="FILE",
        help="add what happens to a file, as lines of JSON",
    )
    run.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="stop a report that takes longer"
    )
    run.add_argument(
        "--no-wait", action="store_true",
        help="give up at once where another run is making the same report",
    )  # fmt: skip
    run.add_argument(
        "--figures", action="store_true", help="write the charts as PNG and SVG too, for slides"
    )
    run.add_argument(
        "--mail-to", action="append", default=[], metavar="ADDRESS",
        help="mail each report there; the server is named in the environment (MQLKIT_SMTP_...)",
    )  # fmt: skip
    run.set_defaults(act=_run)
    check = commands.add_parser(
        "check", help="show how a source or exports are read, and what is open; writes nothing"
    )
    check.add_argument("paths", nargs="+", type=_path, metavar="SOURCE.yaml | EXPORT")
    check.set_defaults(act=_check)
    new = commands.add_parser(
        "new", help="create a workspace with notebooks, params files and a source.yaml for exports"
    )
    new.add_argument("folder", type=_path, metavar="DIR")
    new.add_argument("exports", nargs="*", type=_path, metavar="EXPORT")
    new.add_argument(
        "--update", action="store_true",
        help="rewrite the notebooks of an older workspace; the old ones stay as .bak",
    )  # fmt: skip
    new.set_defaults(act=_new)
    lab = commands.add_parser("lab", help="open JupyterLab on a workspace")
    lab.add_argument(
        "folder", nargs="?", type=_path, metavar="DIR",
        help="the workspace; by default the nearest one at or above this folder",
    )  # fmt: skip
    lab.add_argument(
        "options", nargs="*", metavar="-- OPTION", help="options of `jupyter lab`, after -- and DIR"
    )
    lab.set_defaults(act=_lab)
    formats = commands.add_parser("formats", help="list the export formats that are known")
    formats.set_defaults(act=_formats)
    return parser


def _number(text: str) -> int:
    if not re.fullmatch(r"0*[1-9]\d{0,8}", text):
        raise argparse.ArgumentTypeError(f"{shortened(text)} is not a whole number from 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{shortened(text)} is not a number above 0")
    return seconds


def _path(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; give the path of a file or folder")
    return Path(text)


def _mail(to: Sequence[str]) -> dict[str, Any]:
    if not to:
        return {}
    from mqlkit.run.mail import checked_address, mail_server

    addresses = tuple(checked_address(address, "--mail-to") for address in to)
    return {"mail_to": addresses, "mail_server": mail_server(os.environ)}


def _run(args: argparse.Namespace) -> int:
    from mqlkit.run.batch import run_all
    from mqlkit.run.report import RunOptions
    from mqlkit.run.workspace import by_output_folder

    options = partial(
        RunOptions,
        overrides=(*args.overrides, *_given("as_of", args.as_of)),
        timeout=args.timeout,
        is_patient=not args.no_wait,
        has_figures=args.figures,
        keep=args.keep,
        **_mail(args.mail_to),
    )
    code = max(
        run_all(params, options(out=out), jobs=args.jobs, log_json=args.log_json)
        for out, params in by_output_folder(args.params, args.out).items()
    )
    # A garbage collection of all imported modules at exit takes time and frees nothing.
    gc.freeze()
    return code


def _given(name: str, value: str | None) -> list[str]:
    return [] if value is None else [f"{name}={value}"]


def _check(args: argparse.Namespace) -> int:
    from mqlkit.run.check import examine, findings, is_open

    _, looks = examine(args.paths)
    _say(findings(looks, columns=get_terminal_size((100, 24)).columns))
    return SourceError.exit_code if is_open(looks) else 0


def _new(args: argparse.Namespace) -> int:
    from mqlkit.run.check import examine, faults_of_files
    from mqlkit.run.new import create_workspace, next_steps, update_workspace

    if args.update:
        if args.exports:
            raise ParamsError("--update rewrites the notebooks only; give no exports with it.")
        _say(update_workspace(args.folder))
        return 0
    if args.exports and sys.stdin and sys.stdin.isatty() and sys.stdout.isatty():
        return _new_by_dialog(args)
    source, looks = examine(args.exports) if args.exports else (None, [])
    if faults := faults_of_files(looks):
        raise SourceError("\n".join(faults))
    made = create_workspace(args.folder, source, looks)
    _say(next_steps(made, args.folder))
    return 0


def _new_by_dialog(args: argparse.Namespace) -> int:
    """Ask what the exports leave open, write the workspace, and run its report if wanted."""
    from mqlkit.run.check import faults_of, is_runnable
    from mqlkit.run.dialog import ask_all, confirm, summary
    from mqlkit.run.local_zone import local_zone
    from mqlkit.run.new import create_workspace, next_steps, refuse_existing

    refuse_existing(args.folder)
    terminal = Terminal()
    try:
        draft = ask_all(args.exports, terminal, zone=local_zone(os.environ)).draft
        looks = draft.all_looks
        is_ready = is_runnable(looks)
        _say(summary(looks, terminal.columns))
        words = f"Write {harmless(str(args.folder))} and run the report? n: only write it [Y/n] "
        is_run = is_ready and confirm(words, terminal)
    except (KeyboardInterrupt, EOFError) as stopped:
        print("\nmqlkit: stopped; nothing was written.", file=sys.stderr)
        return Interrupted(2).exit_code if isinstance(stopped, KeyboardInterrupt) else 2
    made = create_workspace(args.folder, draft.source, looks, answers=draft.answers)
    _say(["", *next_steps(made, args.folder)])
    if not made.to_fill_in and (faults := faults_of(looks)):
        return complain(SourceError("\n".join(faults)))
    if not is_run:
        return 0
    print(flush=True)
    return main(["run", str(made.written[1])])


class Terminal:
    """The terminal that the command was started in."""

    @property
    def columns(self) -> int:
        """Return its width, at most 100."""
        return min(get_terminal_size((80, 24)).columns, 100)

    def say(self, line: str) -> None:
        """Print a line."""
        _say([line])

    def ask(self, text: str) -> str:
        """Return the line that is typed; raise `EOFError` at the end of the input."""
        return input(text)


def _lab(args: argparse.Namespace) -> int:
    from mqlkit.run.workspace import open_lab

    open_lab(args.folder, args.options)
    return 0


def _formats(_: argparse.Namespace) -> int:
    from mqlkit.sources.formats import formats

    _say(f"{f.name:<20}{f.title} ({', '.join(f.languages)})" for f in formats().values())
    return 0


def _say(lines: Iterable[str]) -> None:
    # Characters that the terminal's encoding lacks are printed as question marks.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    # First all of them: what is done for a line is not left out where printing fails.
    text = "".join(f"{line}\n" for line in lines)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has ended.
        silence(sys.stdout)
    except OSError as error:
        silence(sys.stdout)
        raise ResourceError(not_printed(error)) from None


def complain(error: MqlkitError) -> int:
    """Print an error and return its exit code."""
    text = "\n".join(harmless(line) for line in str(error).split("\n"))
    try:
        print(f"mqlkit: {text}", file=sys.stderr, flush=True)
    except OSError:
        silence(sys.stderr)
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
