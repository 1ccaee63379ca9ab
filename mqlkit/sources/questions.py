"""What the data cannot decide, with the line of ``source.yaml`` that does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mqlkit.core.errors import OpenQuestion, listed, report


@dataclass(frozen=True)
class Question:
    """Something the data cannot decide.

    Attributes
    ----------
    place
        The block of ``source.yaml`` that the answer belongs to: ``leads``, ``history[0]``.
    text
        What is undecided, with file, column and examples.
    answers
        The YAML lines that answer it, one of which is to be added: ``dates: dmy``.
    found
        Examples, as written.
    is_blocking
        Whether a report cannot run without an answer.
    """

    place: str
    text: str
    answers: tuple[str, ...]
    found: tuple[str, ...] = ()
    is_blocking: bool = True

    def __str__(self) -> str:
        """Return the question as an error says it."""
        lines = " or ".join(f"`{answer}`" for answer in self.answers)
        return report(
            self.text,
            found=listed(self.found),
            fix=f"add the line {lines} below {self.place}: in source.yaml",
        )


class Undecided(OpenQuestion):
    """Raised when the data can be read in more than one way, and someone must say which.

    ``faults`` are messages about what is wrong beside that.
    """

    def __init__(self, questions: Sequence[Question], *, faults: Sequence[str] = ()) -> None:
        self.questions = tuple(dict.fromkeys(questions))
        self.faults = tuple(faults)
        super().__init__("\n".join([*self.faults, *(str(q) for q in self.questions)]))
