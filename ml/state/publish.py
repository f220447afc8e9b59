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
from ml.state.state import State, no_friends

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
    def array(name: str) -> NDArray[Any]:
        mapped: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        # The same pages as a plain array: np.memmap costs 10 us at every look, 160 a request.
        return mapped.view(np.ndarray)

    def columns(name: str, file: str) -> Columns:
        return Columns(tuple(manifest["names"][name]), array(file))

    def pairs(name: str, items: int) -> PairTable:
        return PairTable(
            array(f"{name}.indptr"), array(f"{name}.item"), columns(name, f"{name}.values"), items
        )

    def friends() -> sparse.csr_matrix:
        if "friends.indptr.npy" not in manifest["files"]:
            return no_friends()
        indptr, indices = array("friends.indptr"), array("friends.indices")
        size = len(indptr) - 1
        ones = np.ones(len(indices), dtype=np.float32)
        return sparse.csr_matrix((ones, indices, indptr), shape=(size, size))

    tracks = pq.read_table(folder / "catalogue.parquet").combine_chunks()
    artists = pq.read_table(folder / "artists.parquet")["artist_ids"].combine_chunks()
    indptr, indices = array("catalogue.genres.indptr"), array("catalogue.genres.indices")
    width = int(indices.max()) + 1 if len(indices) else 0
    genres = sparse.csr_matrix(
        (np.ones(len(indices), dtype=np.float32), indices, indptr), shape=(len(tracks), width)
    )
    catalogue = Catalogue(
        track_ids=tracks["track_ids"].combine_chunks(),
        artist_ids=artists,
        genres=genres,
        **{name: tracks[name].combine_chunks() for name in _IDS},
        **{name: array(f"catalogue.{name}") for name in _ARRAYS},
    )
    return State(
        valid_on=date.fromisoformat(str(manifest["valid_on"])),
        catalogue=catalogue,
        user_ids=pq.read_table(folder / "users.parquet")["user_ids"].combine_chunks(),
        users=columns("users", "users"),
        tracks=columns("tracks", "tracks"),
        user_tracks=pairs("user_tracks", catalogue.size),
        user_artists=pairs("user_artists", len(artists)),
        friends=friends(),
    )
