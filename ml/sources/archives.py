"""Files of an import that comes as a file, a folder or a zip.

Belongs here: finding members, unpacking a zip. Does not belong here: what the members hold.
"""

import lzma
import shutil
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ml.sources.files import UnreadableFileError

# What zipfile raises where a zip is damaged, encrypted or packed in a way that it does not know.
BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Member:
    """A file: its name under the path that was given, and where it can be read."""

    name: str
    path: Path


class Members:
    """The files under a path whose names fit, by name; a zip is unpacked into a temporary folder that
    goes when this object does.

    Raises UnreadableFileError for a zip that cannot be read.
    """

    def __init__(self, path: Path, fits: Callable[[str], bool]) -> None:
        if is_zip(path):
            self.found = self._unpacked(path, fits)
        elif path.is_file():
            self.found = [Member(path.name, path)] if fits(path.name) else []
        else:
            names = sorted(str(name.relative_to(path)) for name in files_under(path))
            self.found = [Member(name, path / name) for name in names if fits(name)]

    def _unpacked(self, path: Path, fits: Callable[[str], bool]) -> list[Member]:
        folder = Path(tempfile.mkdtemp(prefix="segue-import-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        found = []
        try:
            with zipfile.ZipFile(path) as archive:
                names = sorted(name for name in archive.namelist() if fits(name))
                for place, name in enumerate(names):
                    # Never the name inside the zip as a path: it may point anywhere.
                    target = folder / f"{place}-{PurePosixPath(name).name}"
                    with archive.open(name) as packed, target.open("wb") as plain:
                        shutil.copyfileobj(packed, plain, 1 << 20)
                    found.append(Member(f"{path.name}/{name}", target))
        except BROKEN_ZIP as error:
            raise UnreadableFileError(f"no readable zip: {error}") from error
        return found


def is_zip(path: Path) -> bool:
    """Whether a path is a zip, by its name or its content."""
    return path.is_file() and (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path))


def files_under(folder: Path) -> list[Path]:
    """All files of a folder and its folders that are not hidden, in order of path."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )


def names_under(path: Path) -> list[str]:
    """Names of all files of a file, folder or zip (empty for a zip that cannot be read)."""
    if path.is_dir():
        return [str(file.relative_to(path)) for file in files_under(path)]
    if is_zip(path):
        try:
            with zipfile.ZipFile(path) as archive:
                return sorted(name for name in archive.namelist() if not name.endswith("/"))
        except BROKEN_ZIP:
            return []
    return [path.name] if path.is_file() else []
