"""How well text alone finds company for tracks nobody has heard yet.

Belongs here: holding tracks out and measuring what an encoder makes of them. Does not belong here:
judging recommenders (ml.evaluation).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from ml.embeddings.encoder import EncoderConfig, load_encoder, train_encoder
from ml.embeddings.neighbours import nearest


@dataclass(frozen=True, slots=True)
class ColdRecall:
    """Mean Recall@k over `tracks` cold tracks, by text and by popularity."""

    text: float
    popularity: float
    tracks: int
    k: int

    @property
    def ratio(self) -> float:
        """How many times better text is than popularity."""
        return self.text / self.popularity if self.popularity > 0 else float("inf")


def hold_out(n: int, *, share: float, seed: int) -> NDArray[np.bool_]:
    """True for round(share * n) tracks drawn at random."""
    cold = np.zeros(n, dtype=np.bool_)
    cold[np.random.default_rng(seed).permutation(n)[: round(share * n)]] = True
    return cold


def cold_recall(
    vectors: NDArray[np.float32],
    pairs: NDArray[np.int32],
    cold: NDArray[np.bool_],
    plays: NDArray[np.int64],
    *,
    k: int = 100,
    discount: float = 0.5,
) -> ColdRecall:
    """Recall@k of each cold track's co-listened warm tracks, averaged over cold tracks with any.

    `vectors` float32 (n, d), `cold` bool (n), `plays` (n); `pairs` int32 (m, 2) are the co-listens
    to be found. Text answers with the k nearest warm tracks, popularity with the k most played
    warm tracks (ties by index).

    A co-listened track weighs plays^-discount: 0 is plain recall; 0.5 is what plain recall would be
    on average if co-listens were thinned as in training (ml.embeddings.pairs), so that a hit that
    everybody hears beside everything says less (inverse propensity: Yang et al. 2018, RecSys).
    """
    warm = np.flatnonzero(~cold)
    relevant = _warm_company(pairs, cold, warm)
    asked = np.flatnonzero(np.diff(relevant.indptr))
    relevant = relevant[asked]
    relevant.data = np.maximum(plays[warm][relevant.indices], 1.0) ** -discount
    total = np.asarray(relevant.sum(axis=1)).ravel()
    popular = np.lexsort((warm, -plays[warm]))[:k]
    found, _ = nearest(vectors[asked], vectors[warm], k)
    owner = np.repeat(np.arange(len(asked)), k)[found.ravel() >= 0]
    answers = sparse.csr_matrix(
        (np.ones(len(owner)), (owner, found.ravel()[found.ravel() >= 0])), shape=relevant.shape
    )
    hits = np.asarray(relevant.multiply(answers).sum(axis=1)).ravel()
    popular_hits = np.asarray(relevant[:, popular].sum(axis=1)).ravel()
    return ColdRecall(
        text=float(np.mean(hits / total)),
        popularity=float(np.mean(popular_hits / total)),
        tracks=len(asked),
        k=k,
    )


def _warm_company(
    pairs: NDArray[np.int32], cold: NDArray[np.bool_], warm: NDArray[np.int64]
) -> sparse.csr_matrix:
    """How often each cold track is paired with each warm one, float64 (n, warm); warm rows are empty."""
    place = np.full(len(cold), -1, dtype=np.int64)
    place[warm] = np.arange(len(warm))
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[cold[both[:, 0]] & ~cold[both[:, 1]]]
    return sparse.csr_matrix(
        (np.ones(len(both), dtype=np.float64), (both[:, 0], place[both[:, 1]])),
        shape=(len(cold), len(warm)),
    )


def closest_co_listens(
    session: NDArray[np.int32],
    track: NDArray[np.int32],
    cold: NDArray[np.bool_],
    *,
    most: int = 10,
) -> NDArray[np.int32]:
    """The `most` warm tracks that are most co-listened with each cold track, int32 (n, 2), cold first.

    Listens `session`, `track` (m), -1 = unknown. By the cosine of the sets of sessions, as item-item
    generators count what is heard together, ties by index: a hit is heard beside everything, so plain
    counts would call the same few tracks everybody's company.
    """
    known = track >= 0
    sets = sparse.csr_matrix(
        (np.ones(int(known.sum())), (session[known], track[known])),
        shape=(int(session.max(initial=-1)) + 1, len(cold)),
    )
    sets.sum_duplicates()
    sets.data[:] = 1.0
    heard = np.asarray(sets.sum(axis=0)).ravel()
    asked, warm = np.flatnonzero(cold), np.flatnonzero(~cold)
    together = (sets[:, asked].T @ sets[:, warm]).tocoo()
    left, right = asked[together.row], warm[together.col]
    cosine = together.data / np.sqrt(heard[left] * heard[right])
    order = np.lexsort((right, -cosine, left))
    left, right = left[order], right[order]
    kept = np.arange(len(left)) - np.searchsorted(left, left) < most
    return np.stack([left[kept], right[kept]], axis=1).astype(np.int32)


def train_without(
    documents: pa.Table,
    pairs: NDArray[np.int32],
    cold: NDArray[np.bool_],
    config: EncoderConfig,
    directory: Path,
) -> NDArray[np.float32]:
    """Vectors (n, d) of all documents by an encoder that has seen neither text nor listens of `cold`."""
    place = np.cumsum(~cold, dtype=np.int32) - 1
    seen = pairs[~cold[pairs].any(axis=1)]
    version = train_encoder(documents.filter(pa.array(~cold)), place[seen], config, directory)
    return load_encoder(str(directory / version)).encode(documents["document"].to_pylist())
