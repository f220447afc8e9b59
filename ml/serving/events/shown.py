"""What one answer showed, as lines of the journal.

Belongs here: the impressions that the service itself makes. Does not belong here: those that others send
(validation.py), the order of writing (journal.py).

Judging twenty rows one by one takes 0.5 ms, which is a fifth of an answer; what the service made itself
needs no judging. A test holds both ways to the same bytes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ml.serving.events.validation import Value, instant_text


@dataclass(frozen=True, slots=True)
class ShownList:
    """The tracks shown in answer to a request, best first, with their scores; probability 1 each.

    `request_id` is new, `user_id` not only of spaces, `shown_at` aware; `scores` beside `track_ids`.
    """

    request_id: str
    user_id: str
    surface: str
    shown_at: datetime
    track_ids: Sequence[str]
    scores: Sequence[float]
    model_version: str
    arm: str

    def __len__(self) -> int:
        return len(self.track_ids)

    def rows(self, known_at: datetime) -> list[dict[str, Value]]:
        """Lines of the journal as validation.checked would make them, `kind` first; a score that is no
        finite number is missing."""
        shown_at, known = instant_text(self.shown_at), instant_text(known_at)
        return [
            {
                "kind": "impression",
                "request_id": self.request_id,
                "position": position,
                "user_id": self.user_id,
                "surface": self.surface,
                "shown_at": shown_at,
                "track_id": track_id,
                "score": score if math.isfinite(score) else None,
                # Without exploration slots what is shown had probability 1.
                "propensity": 1.0,
                "model_version": self.model_version,
                "arm": self.arm,
                "known_at": known,
            }
            for position, (track_id, score) in enumerate(
                zip(self.track_ids, self.scores, strict=True), start=1
            )
        ]
