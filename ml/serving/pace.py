"""How much time an answer has, and what it falls back to when there is none left.

Belongs here: the three ways to answer and the question whether it is late. Does not belong here: clocks
(the service brings its own) or the answers themselves (ml.serving.recommender).
"""

from enum import StrEnum
from typing import Protocol


class Way(StrEnum):
    """How a list was made, in the order of falling back: as validation chose, by the best single
    generator's order without features, by decayed popularity alone."""

    CHOSEN = "chosen"
    LEADER = "leader"
    POPULARITY = "popularity"


class Pace(Protocol):
    """Asked between the stages of an answer."""

    def late(self) -> bool:
        """Whether the time is up."""
        ...

    def passed(self, stage: str) -> None:
        """The named stage is done."""
        ...


class Patient:
    """Batch has all the time."""

    def late(self) -> bool:
        """Never."""
        return False

    def passed(self, stage: str) -> None:
        """Nobody counts."""


PATIENT = Patient()
