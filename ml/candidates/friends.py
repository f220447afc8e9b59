"""What a listener's friends, and theirs, listen to.

Belongs here: one source from friendships. Does not belong here: who belongs to a circle (circle), listeners
who are merely alike (item_item, ease, ials).
"""

from typing import ClassVar

from ml.candidates.circle import circle_tastes
from ml.candidates.generator import Candidates
from ml.candidates.stateless import Stateless
from ml.candidates.top import in_blocks, no_candidates, top_of
from ml.state.requests import Requests
from ml.state.state import State

# Requests scored together: 500 x 12,000 terms are 72 MB.
_REQUESTS = 500


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
        return in_blocks(requests, _REQUESTS, lambda block: top_of(circle_tastes(block, state), k))
