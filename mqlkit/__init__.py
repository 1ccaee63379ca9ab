"""Honest reports on marketing qualified leads.

>>> import mqlkit
>>> mqlkit.__version__
'0.1.0'
"""

from __future__ import annotations

__version__ = "0.1.0"
