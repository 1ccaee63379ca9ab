"""Which tables of a source have timestamps with an offset, and which without."""

from __future__ import annotations

from dataclasses import dataclass, field

from mqlkit.sources.questions import Question

ANSWER = "timezone: Europe/Tallinn"


@dataclass
class Clocks:
    """Which tables of a source have timestamps with an offset, and which without.

    Attributes
    ----------
    has_offsets
        Whether any has an offset.
    local
        For each block of ``source.yaml`` without a zone, its files and some of its timestamps that
        have no offset.
    """

    has_offsets: bool = False
    local: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    def questions(self) -> list[Question]:
        """Return the questions for the zones of local timestamps where others have an offset."""
        if not self.has_offsets:
            return []
        return [
            Question(
                place,
                f"{names}: some timestamps of the source have an offset, and these have none: "
                "nothing tells their zone.",
                (ANSWER,),
                examples,
            )
            for place, (names, examples) in self.local.items()
        ]
