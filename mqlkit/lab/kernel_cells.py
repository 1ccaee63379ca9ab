"""Which cell of a notebook is running, and a callback before each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.core.getipython import get_ipython

BEFORE = "pre_run_cell"


def request() -> dict[str, Any]:
    """Return what the kernel was asked last: the message; empty outside a kernel."""
    kernel = getattr(get_ipython(), "kernel", None)
    return {} if kernel is None else dict(kernel.get_parent("shell") or {})


def running() -> str:
    """Return the id of the cell being run; empty where the program that runs it tells none."""
    return str(request().get("metadata", {}).get("cellId") or "")


def before_each(tell: Callable[[str], None]) -> Callable[[], None]:
    """Have a function told the id of each cell before it is run.

    Parameters
    ----------
    tell
        Is not told of cells without an id.

    Returns
    -------
    Callable
        Ends that.
    """
    shell = get_ipython()
    if shell is None:
        return lambda: None

    def heard(info: Any) -> None:
        if info.cell_id:
            tell(str(info.cell_id))

    shell.events.register(BEFORE, heard)
    return lambda: shell.events.unregister(BEFORE, heard)
