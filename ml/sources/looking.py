"""A first look at what an import was given, to recognise its format.

Belongs here: names, the first characters of a file, columns of a header. Does not belong here: which
format they mean (each format's own module).
"""

import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from ml.sources.archives import BROKEN_ZIP, is_zip, names_under
from ml.sources.files import UnreadableFileError, column_names, is_data

_HEAD = 1 << 14


@dataclass(frozen=True)
class Look:
    """A file, folder or zip, looked at without reading it whole."""

    path: Path

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all files under the path, by name; a file's own name when it is one."""
        return tuple(names_under(self.path))

    def head(self, name: str) -> str:
        """The first 16 KB of a file as text, broken bytes marked; "" when it cannot be read."""
        try:
            if is_zip(self.path):
                with zipfile.ZipFile(self.path) as archive, archive.open(name) as stream:
                    return stream.read(_HEAD).decode("utf-8", "replace")
            with pa.input_stream(str(self.place(name))) as stream:
                text: str = stream.read(_HEAD).decode("utf-8", "replace")
                return text
        except (pa.ArrowException, *BROKEN_ZIP):
            return ""

    def columns(self, name: str) -> list[str]:
        """Columns of a Parquet file or of a CSV with commas; none when it is neither."""
        if is_zip(self.path) or not is_data(self.place(name)):
            return []
        try:
            return column_names(self.place(name))
        except UnreadableFileError:
            return []

    def place(self, name: str) -> Path:
        """Where a file of a folder lies."""
        return self.path / name if self.path.is_dir() else self.path

    def first(self, *endings: str) -> list[str]:
        """Names directly under the path that end so, at most twenty: a look reads no large folder."""
        return [name for name in self.names if "/" not in name and name.endswith(endings)][:20]
