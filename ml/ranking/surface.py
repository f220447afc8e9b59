"""Everything fitted that one surface needs: generators and text vectors, bound to a catalogue.

Belongs here: proposing candidates and moving fitted parts to a later catalogue. Does not belong here:
ranking what was proposed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Generator
from ml.candidates.item_item import ItemItem
from ml.candidates.merge import Pool, merge
from ml.candidates.plan import DISCOVERY_REACH, GENERATORS, PLAN, REACH, depths
from ml.candidates.session_item_item import SessionItemItem
from ml.candidates.transitions import Transitions, Walk
from ml.state.catalogue import place_rows
from ml.state.requests import Requests
from ml.state.state import State

# (request, track), int32 (m) each -> bool (m): what may not be answered.
LeftOut = Callable[[NDArray[np.int32], NDArray[np.int32]], NDArray[np.bool_]]

# Generators whose matrix tells how two tracks relate; the walk has that of the transitions.
RELATED = (Transitions, SessionItemItem, ItemItem)


@dataclass(frozen=True, slots=True)
class SurfaceSources:
    """Fitted generators of `surface` by name, in the plan's order, and text vectors (tracks, d)."""

    surface: str
    generators: Mapping[str, Generator]
    vectors: NDArray[np.float32] | None

    def propose(self, requests: Requests, state: State, left_out: LeftOut | None = None) -> Pool:
        """The merged candidates of all generators.

        `left_out(request, track)` says which of them may not be answered. They go before the depths are
        counted: a listener of many tracks otherwise gets nearly nothing new. Ranks are those of the whole
        lists, deeper than any that training held: trees take them for the deepest they know.
        """
        depth = depths(self.surface)
        if left_out is None:
            parts = {
                name: generator.generate(requests, state, REACH * depth[name])
                for name, generator in self.generators.items()
            }
            return merge(parts, depth)
        parts = {}
        for name, generator in self.generators.items():
            found = generator.generate(requests, state, DISCOVERY_REACH * depth[name])
            parts[name] = found.select(np.flatnonzero(~left_out(found.request, found.track)))
        return merge(parts, depth)

    @property
    def relations(self) -> dict[str, sparse.csr_matrix]:
        """Item-item matrices (tracks, tracks) that generators learned, by name, for pair features."""
        return {
            name: one.relation
            for name, one in self.generators.items()
            if isinstance(one, RELATED) and name != Walk.name
        }

    def moved(self, position: NDArray[np.int32], tracks: int) -> "SurfaceSources":
        """The same sources in the order of a catalogue of `tracks` tracks.

        `position` int32 (fitted tracks): each one's index there, -1 where it is gone.
        """
        generators = {
            name: type(generator).restore(generator.arrays(), position, tracks)
            for name, generator in self.generators.items()
        }
        vectors = None if self.vectors is None else place_rows(self.vectors, position, tracks)
        return SurfaceSources(self.surface, generators, vectors)

    def write(self, folder: Path) -> None:
        """Store every generator's arrays as `<generator>/<array>.npy`; the vectors are not written."""
        for name, generator in self.generators.items():
            target = folder / name
            target.mkdir(parents=True, exist_ok=True)
            for key, array in sorted(generator.arrays().items()):
                np.save(target / f"{key}.npy", array, allow_pickle=False)


def read_sources(
    folder: Path, surface: str, vectors: NDArray[np.float32] | None, tracks: int
) -> SurfaceSources:
    """The sources written to `folder`, in their own catalogue of `tracks` tracks."""
    generators: dict[str, Generator] = {}
    identity = np.arange(tracks, dtype=np.int32)
    for generator, _ in PLAN[surface]:
        target = folder / generator.name
        if target.is_dir():
            arrays = {
                path.stem: np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
                for path in sorted(target.glob("*.npy"))
            }
            generators[generator.name] = GENERATORS[generator.name].restore(
                arrays, identity, tracks
            )
    return SurfaceSources(surface, generators, vectors)
