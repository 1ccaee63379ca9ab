"""The time zone of this computer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LINK = Path("/etc/localtime")
FALLBACK = "UTC"


def local_zone(environment: Mapping[str, str], link: Path = LINK) -> str:
    """Return the IANA name of the zone of this computer; UTC where it has none.

    Parameters
    ----------
    environment
        Environment variables; ``TZ`` wins.
    link
        The link to the zone's file.

    Examples
    --------
    >>> local_zone({"TZ": ":Europe/Tallinn"})
    'Europe/Tallinn'
    """
    given = environment.get("TZ", "").removeprefix(":")
    _, _, linked = str(link.resolve()).partition("zoneinfo/")
    for name in (given, linked):
        # `Etc/UTC` and `EST5EDT` are no zones that a person would name.
        if "/" in name and not name.startswith("Etc/") and _is_zone(name):
            return name
    return FALLBACK


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
