"""The command line: ``mqlkit run`` and ``mqlkit formats``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mqlkit import __version__
from mqlkit.errors import MqlkitError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    args = _parser().parse_args(argv)
    return int(args.act(args))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mqlkit",
        description="Reports on marketing qualified leads, from exports to one HTML file.",
    )
    parser.add_argument("--version", action="version", version=f"mqlkit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run reports to HTML")
    run.add_argument("params", nargs="+", type=Path, metavar="PARAMS.yaml")
    run.add_argument("--out", type=Path, default=Path("reports"), help="folder of the outputs")
    run.add_argument(
        "-p", dest="overrides", action="append", default=[], metavar="NAME=VALUE",
        help="a parameter that wins over the file's",
    )  # fmt: skip
    run.set_defaults(act=_run)
    formats = commands.add_parser("formats", help="list the export formats that are known")
    formats.set_defaults(act=_formats)
    return parser


def _run(args: argparse.Namespace) -> int:
    from mqlkit.batch import run_all

    return run_all(args.params, args.out, args.overrides)


def _formats(_: argparse.Namespace) -> int:
    from mqlkit.sources.formats import known_formats

    for name, title in known_formats():
        print(f"{name:<20}{title}")
    return 0


def complain(error: MqlkitError) -> int:
    """Print an error and return its exit code."""
    print(f"mqlkit: {error}", file=sys.stderr)
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
