"""A state as memory-mapped files: what commands and the service read instead of the warehouse.

Belongs here: writing a state aside, renaming it, verifying and mapping it. Does not belong here: how
a state is made (ml.state.read).
"""

import hashlib
import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import sparse

from ml.errors import SegueError
from ml.files import aside_folder
from ml.state.catalogue import Catalogue
from ml.state.columns import Columns, PairTable
from ml.state.state import State, no_countries, no_friends

_IDS = ("titles", "artist_names")
_ARRAYS = (
    "artist",
    "album",
    "recording",
    "released_day",
    "first_known_day",
    "duration_ms",
    "explicit",
    "audio",
)


class StateError(SegueError):
    """A published state is missing or does not match its manifest."""


def state_folder(states: Path, day: date) -> Path:
    """Folder of the state that holds everything known through `day`."""
    return states / f"day={day.isoformat()}"


def state_days(states: Path) -> list[date]:
    """Data days with a published state, ascending."""
    return sorted(
        date.fromisoformat(path.name[4:]) for path in states.glob("day=*") if path.is_dir()
    )


def publish_state(state: State, states: Path) -> Path:
    """Write `state` to `states/day=<valid_on - 1>`, replacing another one, and return the folder.

    An equal one that stands there whole is kept: a kill while a day is run again takes nothing away.
    """
    folder = state_folder(states, state.valid_on - timedelta(days=1))
    aside = aside_folder(states)
    try:
        _write_arrays(state, aside)
        text = _manifest_of(state, aside)
        (aside / "manifest.json").write_text(text)
        if not _is_whole(folder, text):
            _put(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _manifest_of(state: State, folder: Path) -> str:
    manifest: dict[str, object] = {
        "valid_on": state.valid_on.isoformat(),
        "files": _hashes(folder),
        "names": {
            "users": state.users.names,
            "tracks": state.tracks.names,
            "user_tracks": state.user_tracks.columns.names,
            "user_artists": state.user_artists.columns.names,
        },
    }
    return json.dumps(manifest, indent=1, sort_keys=True)


def _hashes(folder: Path) -> dict[str, str]:
    paths = [path for path in sorted(folder.iterdir()) if path.name != "manifest.json"]
    return {path.name: _sha256(path) for path in paths}


def _is_whole(folder: Path, manifest: str) -> bool:
    path = folder / "manifest.json"
    if not path.is_file() or path.read_text() != manifest:
        return False
    return bool(_hashes(folder) == json.loads(manifest)["files"])


def _put(aside: Path, folder: Path) -> None:
    if not folder.exists():
        aside.replace(folder)
        return
    retired = aside.with_name(aside.name + "-retired")
    folder.replace(retired)
    aside.replace(folder)
    shutil.rmtree(retired)


def _write_arrays(state: State, folder: Path) -> None:
    catalogue = state.catalogue
    tracks = {"track_ids": catalogue.track_ids} | {name: getattr(catalogue, name) for name in _IDS}
    pq.write_table(pa.table(tracks), folder / "catalogue.parquet")
    pq.write_table(pa.table({"artist_ids": catalogue.artist_ids}), folder / "artists.parquet")
    pq.write_table(pa.table({"user_ids": state.user_ids}), folder / "users.parquet")
    arrays: dict[str, NDArray[np.generic]] = {
        f"catalogue.{name}": getattr(catalogue, name) for name in _ARRAYS
    }
    arrays |= {
        "catalogue.genres.indptr": catalogue.genres.indptr,
        "catalogue.genres.indices": catalogue.genres.indices,
        "users": state.users.values,
        "tracks": state.tracks.values,
    }
    for name in ("user_tracks", "user_artists"):
        pairs: PairTable = getattr(state, name)
        arrays[f"{name}.indptr"] = pairs.indptr
        arrays[f"{name}.item"] = pairs.item
        arrays[f"{name}.values"] = pairs.columns.values
    if state.has_friends:
        arrays |= {
            "friends.indptr": state.friends.indptr,
            "friends.indices": state.friends.indices,
        }
    if state.has_countries:
        arrays["country"] = state.country
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_state(folder: Path, *, verify: bool = False) -> State:
    """The state in `folder`, arrays mapped from disk, not read.

    Raises:
        StateError: the folder holds no complete state, or (with `verify`) a file differs from the
            manifest's hash.
    """
    if not (folder / "manifest.json").is_file():
        raise StateError(
            f"expected a published state in {folder.name}, found no manifest.json; "
            "run `segue run daily` for that day"
        )
    manifest = json.loads((folder / "manifest.json").read_text())
    if verify:
        changed = [n for n, digest in manifest["files"].items() if _sha256(folder / n) != digest]
        if changed:
            raise StateError(
                f"state {folder.name}: {', '.join(changed)} differ from the manifest; "
                "run `segue run daily` for that day again"
            )
    return _read_arrays(folder, manifest)


def _read_arrays(folder: Path, manifest: dict[str, dict[str, list[str]]]) -> State:
    names = manifest["names"]

    def columns(name: str, file: str) -> Columns:
        return Columns(tuple(names[name]), _mapped(folder, file))

    def pairs(name: str, items: int) -> PairTable:
        indptr, item = _mapped(folder, f"{name}.indptr"), _mapped(folder, f"{name}.item")
        return PairTable(indptr, item, columns(name, f"{name}.values"), items)

    catalogue = _read_catalogue(folder)
    return State(
        valid_on=date.fromisoformat(str(manifest["valid_on"])),
        catalogue=catalogue,
        user_ids=pq.read_table(folder / "users.parquet")["user_ids"].combine_chunks(),
        users=columns("users", "users"),
        tracks=columns("tracks", "tracks"),
        user_tracks=pairs("user_tracks", catalogue.size),
        user_artists=pairs("user_artists", len(catalogue.artist_ids)),
        friends=_read_friends(folder)
        if "friends.indptr.npy" in manifest["files"]
        else no_friends(),
        country=_mapped(folder, "country")
        if "country.npy" in manifest["files"]
        else no_countries(),
    )


def _mapped(folder: Path, name: str) -> NDArray[Any]:
    """An array of the state, mapped from disk."""
    mapped: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    # The same pages as a plain array: np.memmap costs 10 us at every look, 160 a request.
    return mapped.view(np.ndarray)


def _read_catalogue(folder: Path) -> Catalogue:
    tracks = pq.read_table(folder / "catalogue.parquet").combine_chunks()
    indices = _mapped(folder, "catalogue.genres.indices")
    width = int(indices.max()) + 1 if len(indices) else 0
    return Catalogue(
        track_ids=tracks["track_ids"].combine_chunks(),
        artist_ids=pq.read_table(folder / "artists.parquet")["artist_ids"].combine_chunks(),
        genres=_read_ones(folder, "catalogue.genres", (len(tracks), width)),
        **{name: tracks[name].combine_chunks() for name in _IDS},
        **{name: _mapped(folder, f"catalogue.{name}") for name in _ARRAYS},
    )


def _read_friends(folder: Path) -> sparse.csr_matrix:
    size = len(_mapped(folder, "friends.indptr")) - 1
    return _read_ones(folder, "friends", (size, size))


def _read_ones(folder: Path, name: str, shape: tuple[int, int]) -> sparse.csr_matrix:
    """A stored set of pairs as ones, float32."""
    indptr, indices = _mapped(folder, f"{name}.indptr"), _mapped(folder, f"{name}.indices")
    ones = np.ones(len(indices), dtype=np.float32)
    return sparse.csr_matrix((ones, indices, indptr), shape=shape)
