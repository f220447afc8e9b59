"""Calibration: does a list hold a listener's interests in their proportions (Steck, RecSys 2018)?

Belongs here: distributions over groups of tracks (genres, popularity tiers, familiar and new) and their
divergence. Does not belong here: re-ranking towards calibration (ml.policy).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

ALPHA = 0.01


def membership(group: NDArray[np.integer], groups: int) -> sparse.csr_array:
    """Tracks that belong to one group each, as p(g|i) (tracks, groups): `group` (tracks), -1 = none."""
    track = np.flatnonzero(group >= 0)
    return sparse.csr_array(
        (np.ones(len(track)), (track, group[track])), shape=(len(group), groups)
    )


def shared_membership(
    indptr: NDArray[np.integer], group: NDArray[np.integer], groups: int
) -> sparse.csr_array:
    """Tracks with several groups, in equal parts, as p(g|i) (tracks, groups): groups of track i are
    `group[indptr[i]:indptr[i + 1]]`, each once."""
    number = np.diff(indptr)
    part = 1.0 / np.repeat(np.maximum(number, 1), number)
    return sparse.csr_array((part, group, indptr), shape=(len(number), groups))


def distribution(
    owner: NDArray[np.integer],
    track: NDArray[np.integer],
    weight: NDArray[np.floating],
    member: sparse.csr_array,
    owners: int,
) -> NDArray[np.float64]:
    """p(g|owner) = sum_i w_i p(g|i), made to sum to 1: float64 (owners, groups), nan rows where an
    owner has no track with a group.

    Of profiles, owners are requests or listeners and weights say how recent or often (p of the paper);
    of lists, owners are requests and weights are 1 or fall with the rank (q of the paper).
    """
    shape = (owners, member.shape[0])
    taste = sparse.csr_array((weight.astype(np.float64), (owner, track)), shape=shape)
    mass = (taste @ member).toarray()
    total = mass.sum(axis=1, keepdims=True)
    return np.where(total > 0, mass / np.where(total > 0, total, 1.0), np.nan)


def miscalibration(
    profile: NDArray[np.float64], shown: NDArray[np.float64], *, alpha: float = ALPHA
) -> NDArray[np.float64]:
    """C_KL(p, q) = sum_g p(g) ln(p(g) / q~(g)), q~ = (1 - alpha) q + alpha p, of each row of `profile`
    (p) and `shown` (q), both (n, groups): float64 (n), nan where either is.

    0 = in proportion, at most -ln alpha (4.61 at .01). `alpha` keeps it finite where the list lacks a
    group (Steck 2018, eq. 6).
    """
    mixed = (1.0 - alpha) * shown + alpha * profile
    some = profile > 0
    ratio = np.where(some, profile, 1.0) / np.where(some, mixed, 1.0)
    divergence = np.where(some, profile * np.log(ratio), 0.0).sum(axis=1)
    judged = ~(np.isnan(profile).any(axis=1) | np.isnan(shown).any(axis=1))
    return np.where(judged, np.maximum(divergence, 0.0), np.nan)
