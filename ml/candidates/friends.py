"""What a listener's friends, and theirs, listen to.

Belongs here: one source from friendships. Does not belong here: who belongs to a circle (circle), listeners
who are merely alike (item_item, ease, ials).
"""

from typing import ClassVar

from ml.candidates.circle import circle_tastes
from ml.candidates.generator import Candidates
from ml.candidates.stateless import Stateless
from ml.candidates.top import best_of, no_candidates
from ml.state.requests import Requests
from ml.state.state import State


class Friends(Stateless):
    """Tracks of the circle by its tastes: all that is known of a listener without history.

    On HetRec Last.fm (validation) this alone has NDCG@20 .102, popularity .066; of listeners without history
    .178, popularity .107.
    """

    name: ClassVar[str] = "friends"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Sums of the members' tastes; listeners without friends get nothing."""
        if not len(requests) or not state.has_friends:
            return no_candidates()
        return best_of(circle_tastes(requests, state), k)
