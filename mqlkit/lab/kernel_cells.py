"""The id of the running cell, and a callback before each cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.core.getipython import get_ipython

BEFORE = "pre_run_cell"


def request() -> dict[str, Any]:
    """Return the last request to the kernel; empty outside a kernel."""
    kernel = getattr(get_ipython(), "kernel", None)
    return {} if kernel is None else dict(kernel.get_parent("shell") or {})


def running() -> str:
    """Return the id of the running cell; empty if the client sends none."""
    return str(request().get("metadata", {}).get("cellId") or "")


def before_each(tell: Callable[[str], None]) -> Callable[[], None]:
    """Call a function with the id of each cell before it runs.

    Parameters
    ----------
    tell
        The function; not called for cells without an id.

    Returns
    -------
    Callable
        Removes the callback.
    """
    shell = get_ipython()
    if shell is None:
        return lambda: None

    def on_run(info: Any) -> None:
        if info.cell_id:
            tell(str(info.cell_id))

    shell.events.register(BEFORE, on_run)
    return lambda: shell.events.unregister(BEFORE, on_run)
