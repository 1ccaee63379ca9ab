"""Reports on marketing-qualified leads: volume, hand-off, conversion, SLA and cost per MQL.

>>> import mqlkit as mk
>>> mk.__version__
'0.1.0'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mqlkit.lab.report import open_report as open  # noqa: A004
    from mqlkit.metrics.report import Report
    from mqlkit.run.python import run
    from mqlkit.views import charts, tables, topics, verdicts

__version__ = "0.1.0"
__all__ = ["Report", "__version__", "charts", "open", "run", "tables", "topics", "verdicts"]
# Loaded when they are first used: `import mqlkit` loads neither Jupyter nor pandas.
_PLACES = {
    "Report": "mqlkit.metrics.report:Report",
    "charts": "mqlkit.views.charts",
    "open": "mqlkit.lab.report:open_report",
    "run": "mqlkit.run",
    "tables": "mqlkit.views.tables",
    "topics": "mqlkit.views.topics",
    "verdicts": "mqlkit.views.verdicts",
}


def __getattr__(name: str) -> Any:
    """Return a public name, loaded on first use."""
    if name not in _PLACES:
        raise AttributeError(f"module 'mqlkit' has no attribute {name!r}")
    module, _, attribute = _PLACES[name].partition(":")
    loaded = import_module(module)
    return getattr(loaded, attribute) if attribute else loaded


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
