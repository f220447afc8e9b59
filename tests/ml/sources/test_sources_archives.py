"""A damaged zip is told, whatever breaks in it."""

import struct
import zipfile

import pytest

from ml.sources.archives import Members
from ml.sources.files import UnreadableFileError
from ml.sources.looking import Look

KINDS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


def damaged(folder, kind):
    """A zip of one member whose directory is whole and whose content is damaged (of LZMA not the settings)."""
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("a.json", bytes(range(256)) * 40)
    content = bytearray(path.read_bytes())
    spared = 9 if kind == zipfile.ZIP_LZMA else 0
    begin, end = 30 + len("a.json") + spared, content.rindex(b"PK\x01\x02")
    content[begin:end] = b"\xff" * (end - begin)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_that_cannot_be_unpacked_makes_the_zip_unreadable(tmp_path, kind):
    with pytest.raises(UnreadableFileError, match="no readable zip"):
        Members(damaged(tmp_path, kind), lambda name: name.endswith(".json"))


def test_a_zip_that_ends_before_its_member_does_is_unreadable(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.json", "{}")
    content = bytearray(path.read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 20 : directory + 28] = struct.pack("<II", 1 << 20, 1 << 20)
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match="no readable zip"):
        Members(path, lambda name: True)
    assert Look(path).head("a.json") == ""


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_look_at_a_damaged_member_sees_nothing(tmp_path, kind):
    look = Look(damaged(tmp_path, kind))
    assert look.names == ("a.json",)
    assert look.head("a.json") == ""
