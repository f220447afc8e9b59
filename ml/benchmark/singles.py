"""Every single generator's own lists on a case's requests: what the ranker has to beat.

Belongs here: lists by source from a loaded recommender. Does not belong here: fitting or scoring.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from ml.candidates.generator import Candidates, Generator
from ml.candidates.merge import merge
from ml.candidates.top import top_of_long
from ml.serving.recommender import Recommender
from ml.state.requests import Requests, requests_from_table

_BLOCK = 2_000
# Asked for this much deeper where heard tracks are left out, as own favourites fill the top.
_DEEPER = 10


def single_lists(
    recommender: Recommender,
    generators: Mapping[str, Generator],
    requests: pa.Table,
    surface: str,
    k: int,
    *,
    exclude_heard: bool,
) -> Iterator[tuple[str, pa.Table]]:
    """(generator, lists): `request_id`, `track_id`, `rank`, at most `k` a request, in its own order.

    `generators` are bound to the recommender's catalogue; `requests` is a REQUESTS table of `surface`.
    """
    state = recommender.state
    asked = requests_from_table(requests, surface, state)
    for name, generator in generators.items():
        parts = []
        for start in range(0, len(asked), _BLOCK):
            block = asked.select(np.arange(start, min(start + _BLOCK, len(asked)), dtype=np.int64))
            depth = k * _DEEPER if exclude_heard else k
            found = generator.generate(block, state, depth)
            if exclude_heard:
                found = _unheard(recommender, block, name, found, k)
            parts.append(
                pa.table(
                    {
                        "request_id": block.request_ids.take(pa.array(found.request)),
                        "track_id": state.catalogue.track_ids.take(pa.array(found.track)),
                        "rank": found.rank,
                    }
                )
            )
        if parts:
            yield name, pa.concat_tables(parts)


def _unheard(
    recommender: Recommender, block: Requests, name: str, found: Candidates, k: int
) -> Candidates:
    pool = merge({name: found}, {name: int(found.rank.max(initial=0))})
    kept = recommender.unheard(block, pool)
    return top_of_long(pool.request[kept], pool.track[kept], pool.score[0, kept], k)
