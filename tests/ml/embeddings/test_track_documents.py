"""Documents: fields, nulls, odd characters and hashes, computed by hand."""

import hashlib
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from ml.embeddings.documents import DOCUMENTS, track_documents
from ml.tables import TRACKS

FULL = {
    "track_id": "t1",
    "title": "Blue Train",
    "artist_id": "a1",
    "artist_name": "John Coltrane",
    "album": "Blue Train (Remastered)",
    "released_on": date(1957, 9, 15),
    "duration_ms": 642_000,
    "explicit": False,
    "genres": ["jazz", "hard bop"],
    "tags": ["saxophone"],
    "tempo": 136.0,
    "energy": 0.19,
    "valence": 0.5,
    "danceability": 0.95,
    "acousticness": 0.9,
    "instrumentalness": 0.8,
    "loudness": -14.5,
    "known_at": datetime(2024, 1, 1, tzinfo=UTC),
}


def tracks(*changes: dict) -> pa.Table:
    return pa.Table.from_pylist([FULL | change for change in changes], schema=TRACKS.schema)


def bare(**fields) -> dict:
    empty = dict.fromkeys(set(FULL) - {"track_id", "known_at"})
    return empty | fields


def documents(*changes: dict) -> list[str]:
    return track_documents(tracks(*changes))["document"].to_pylist()


def test_a_full_track_reads_as_one_line():
    table = track_documents(tracks({}))
    assert table.schema == DOCUMENTS
    text = (
        "Blue Train | by John Coltrane | album: Blue Train (Remastered) | genres: jazz, hard bop"
        " | tags: saxophone | 1950s | fast, very-low-energy, mid-valence, very-high-danceability, "
        "acoustic, instrumental, quiet"
    )
    expected = hashlib.sha256(text.encode()).hexdigest()[:32]
    assert table.to_pylist() == [{"track_id": "t1", "document": text, "content_hash": expected}]


def test_null_and_blank_fields_are_left_out():
    assert documents(
        bare(title="Só", tags=[]),
        bare(artist_name="Nina", title="  "),
        bare(genres=[None, "", "soul"], valence=float("nan")),
        bare(released_on=date(2000, 1, 1), loudness=-6.0),
    ) == ["Só", "by Nina", "genres: soul", "2000s | loud"]


def test_a_track_without_any_text_keeps_its_row_with_an_empty_document():
    table = track_documents(tracks(bare(), {}, bare(track_id="t3")))
    assert table["track_id"].to_pylist() == ["t1", "t1", "t3"]
    assert table["document"].to_pylist()[0] == table["document"].to_pylist()[2] == ""
    assert len(table["content_hash"][0].as_py()) == 32


def test_unicode_is_composed_and_stays_on_one_line_without_separators():
    decomposed = "Bjo\u0308rk"
    assert documents(
        bare(artist_name=decomposed, title="坂本\u3000龍一"),
        bare(title="a | b\r\n\tc\u00a0d", artist_name="Sigur Ro\u0301s \U0001f3b5"),
    ) == ["坂本 龍一 | by Björk", "a / b c d | by Sigur Rós \U0001f3b5"]


def test_only_what_the_document_says_changes_its_hash():
    same, other, longer = track_documents(
        tracks({}, {"title": "Blue Trane"}, {"duration_ms": 1, "energy": 0.1})
    )["content_hash"].to_pylist()
    assert same == longer
    assert same != other


@pytest.mark.parametrize("chunks", [1, 2])
def test_slices_and_chunks_change_nothing(chunks):
    rows = tracks({}, bare(tags=["x", "y"]), bare(genres=["z"]), bare())
    cut = rows.slice(1, 3)
    table = pa.concat_tables([cut.slice(0, 1), cut.slice(1)]) if chunks == 2 else cut
    assert track_documents(table)["document"].to_pylist() == ["tags: x, y", "genres: z", ""]


def test_an_empty_catalogue_has_no_documents():
    assert track_documents(TRACKS.schema.empty_table()).num_rows == 0
