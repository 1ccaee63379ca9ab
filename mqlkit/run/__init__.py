"""The command line: reports from params files, batches, mail. ``mqlkit.run(…)`` runs one report."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any


class _CallableModule(ModuleType):
    """A module that can be called, as the function `mqlkit.run.python.run`."""

    def __call__(self, params: str | Path, **options: Any) -> Path:
        from mqlkit.run.python import run

        return run(params, **options)


# `mqlkit.run` is this module as soon as anything in the folder is imported.
sys.modules[__name__].__class__ = _CallableModule
