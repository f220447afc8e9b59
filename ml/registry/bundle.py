"""A model as a directory that proves what it is.

Belongs here: writing a bundle aside, its manifest, its version (a hash of its content), verification. Does
not belong here: what the files mean (ml.serving.saved).
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version as package_version
from pathlib import Path

from ml.errors import SegueError
from ml.files import aside_folder

MANIFEST = "manifest.json"
# What can change the numbers of a model when it changes version.
PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "xgboost",
    "implicit",
    "sentence-transformers",
    "torch",
    "duckdb",
)
_UNSAFE = (".pkl", ".pickle", ".joblib", ".pt", ".bin")


class BundleError(SegueError):
    """A bundle is missing, incomplete or not what its manifest says."""


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """What a manifest states beside the files: all of it goes into the version.

    `features` are the feature names in order by surface; `data` what it was built from (days, rows);
    `settings` everything chosen (generators, hyper-parameters, threads).
    """

    as_of: str
    seed: int
    code_version: str
    features: Mapping[str, tuple[str, ...]]
    windows: Mapping[str, tuple[str, ...]]
    data: Mapping[str, str | int | float]
    settings: Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A verified bundle's manifest."""

    version: str
    facts: BundleFacts
    packages: Mapping[str, str]
    files: Mapping[str, str]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder: Path) -> dict[str, str]:
    paths = [p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST]
    return {str(path.relative_to(folder)): _sha256(path) for path in sorted(paths)}


def _version(stated: Mapping[str, object]) -> str:
    text = json.dumps(stated, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _stated(
    facts: BundleFacts, files: Mapping[str, str], packages: Mapping[str, str]
) -> dict[str, object]:
    return {
        "as_of": facts.as_of,
        "seed": facts.seed,
        "code_version": facts.code_version,
        "features": {name: list(values) for name, values in facts.features.items()},
        "windows": {name: list(values) for name, values in facts.windows.items()},
        "data": dict(facts.data),
        "settings": dict(facts.settings),
        "packages": dict(packages),
        "files": dict(files),
    }


def write_bundle(parent: Path, build: Callable[[Path], None], facts: BundleFacts) -> str:
    """Let `build` write the files, add the manifest, and move all to `parent/<version>`.

    The same content gives the same version; a bundle that is already there is kept, and replaced where
    it was changed or lost a file. A kill leaves at most a hidden folder, which the next write removes, never a half bundle.

    Raises:
        BundleError: `build` wrote a file of a kind that can run code when loaded.
    """
    aside = aside_folder(parent)
    try:
        build(aside)
        files = _files(aside)
        if unsafe := [name for name in files if name.endswith(_UNSAFE)]:
            raise BundleError(
                f"expected arrays, Parquet, JSON and UBJSON in a bundle, found {unsafe[0]}, "
                "which may run code when loaded; store it in a plain format"
            )
        packages = {name: package_version(name) for name in PACKAGES}
        stated = _stated(facts, files, packages)
        version = _version(stated)
        text = json.dumps({"version": version, **stated}, indent=1, sort_keys=True)
        (aside / MANIFEST).write_text(text)
        if not _is_whole(parent / version, text, files):
            shutil.rmtree(parent / version, ignore_errors=True)
            aside.replace(parent / version)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return version


def _is_whole(folder: Path, manifest: str, files: Mapping[str, str]) -> bool:
    path = folder / MANIFEST
    return path.is_file() and path.read_text() == manifest and _files(folder) == files


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a bundle, its own version checked, files not read.

    Raises:
        BundleError: there is no manifest, or it was edited.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(
            f"expected a bundle in {folder.name}, found no {MANIFEST}; "
            "run `segue run train` to build one"
        )
    stored = json.loads(path.read_text())
    facts = BundleFacts(
        as_of=stored["as_of"],
        seed=stored["seed"],
        code_version=stored["code_version"],
        features={name: tuple(values) for name, values in stored["features"].items()},
        windows={name: tuple(values) for name, values in stored["windows"].items()},
        data=stored["data"],
        settings=stored["settings"],
    )
    manifest = Manifest(stored["version"], facts, stored["packages"], stored["files"])
    if _version(_stated(facts, manifest.files, manifest.packages)) != manifest.version:
        raise BundleError(
            f"bundle {folder.name}: the manifest does not hash to its version {manifest.version}; "
            "it was edited: train again or roll back"
        )
    return manifest


def verify_bundle(folder: Path) -> Manifest:
    """The manifest, after every file was hashed and compared.

    Raises:
        BundleError: a file is missing, extra or changed; the message names it.
    """
    manifest = read_manifest(folder)
    found = _files(folder)
    for name in sorted(set(found) | set(manifest.files)):
        if name not in found:
            problem = "is missing"
        elif name not in manifest.files:
            problem = "is not in the manifest"
        elif found[name] != manifest.files[name]:
            problem = "differs from its hash"
        else:
            continue
        raise BundleError(
            f"bundle {manifest.version}: {name} {problem}; run `segue run train --as-of "
            f"{manifest.facts.as_of}` to rebuild it"
        )
    return manifest
