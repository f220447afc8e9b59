"""The text of a track: one line of fields that an encoder reads.

Belongs here: which fields a document has, their order and wording, and its content hash. Does not
belong here: tokens, vectors or models.

Thresholds of the audio words are constants, never quantiles of the catalogue: a document changes
only when its own track changes, so a new release re-encodes nothing but itself.
"""

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FIELD_SEPARATOR = " | "
DOCUMENTS = pa.schema(
    [
        pa.field("track_id", pa.string(), nullable=False),
        pa.field("document", pa.string(), nullable=False),
        pa.field("content_hash", pa.string(), nullable=False),
    ]
)

_LEVELS = ("very-low", "low", "mid", "high", "very-high")
# Hyphenated, so that a word tokenizer keeps level and feature together: in a bag of words
# "high energy" and "low valence" would say the same as "low energy" and "high valence".
_AUDIO_WORDS: dict[str, tuple[tuple[float, ...], tuple[str, ...]]] = {
    "tempo": ((80, 100, 120, 140), ("very-slow", "slow", "mid-tempo", "fast", "very-fast")),
    **{
        name: ((0.2, 0.4, 0.6, 0.8), tuple(f"{level}-{name}" for level in _LEVELS))
        for name in ("energy", "valence", "danceability")
    },
    "acousticness": ((0.2, 0.8), ("electric", "part-acoustic", "acoustic")),
    "instrumentalness": ((0.5,), ("vocal", "instrumental")),
    "loudness": ((-14.0, -6.0), ("quiet", "mid-loud", "loud")),
}


def _array(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else combined.chunk(0)


def _projected(text: pa.Array, expression: str) -> pa.Array:
    """A DuckDB expression over the column `text`, row by row in order."""
    with duckdb.connect() as connection:
        relation = connection.from_arrow(pa.table({"text": text.cast(pa.string())}))
        table = relation.project(f"{expression} as text").to_arrow_table()
    return _array(table["text"]).cast(pa.string())


def _clean(text: pa.Array) -> pa.Array:
    """One line of composed (NFC) text without the field separator; blank becomes null.

    In DuckDB because pyarrow 25.0 answers `utf8_normalize(form="NFC")` with decomposed text.
    """
    spaced = r"regexp_replace(replace(nfc_normalize(text), '|', '/'), '[\s\pZ\p{Cc}]+', ' ', 'g')"
    return _projected(text, f"nullif(trim({spaced}), '')")


def _joined(lists: pa.Array) -> pa.Array:
    """The cleaned members of each list, "a, b"; null where none is left."""
    members = _clean(pc.list_flatten(lists))
    owner = np.asarray(pc.list_parent_indices(lists), dtype=np.int64)
    kept = np.asarray(pc.is_valid(members), dtype=np.bool_)
    counts = np.bincount(owner[kept], minlength=len(lists))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    rebuilt = pa.ListArray.from_arrays(pa.array(offsets), members.filter(pa.array(kept)))
    joined = pc.binary_join(rebuilt, ", ")
    return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)


def _prefixed(prefix: str, text: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(prefix, text, "")


def _combined(columns: list[pa.Array], separator: str) -> pa.Array:
    """The texts of each row that are not null, separated; "" where all are null.

    Not `null_handling="skip"`: pyarrow 25.0 loses the rows in which every text is null.
    """
    parts = [pc.fill_null(_prefixed(separator, column), "") for column in columns]
    joined = pc.binary_join_element_wise(*parts, "")
    return pc.utf8_slice_codeunits(joined, start=len(separator))


def _decade(released_on: pa.Array) -> pa.Array:
    year = pc.year(released_on)
    decade = pc.multiply(pc.divide(year, 10), 10)
    return pc.binary_join_element_wise(decade.cast(pa.string()), "s", "")


def _audio(tracks: pa.Table) -> pa.Array:
    """Words of the audio features: a bucket each, nothing where the feature is null or nan."""
    columns = []
    for name, (thresholds, words) in _AUDIO_WORDS.items():
        values = _array(tracks[name]).cast(pa.float64())
        known = pc.and_(pc.is_valid(values), pc.is_finite(pc.fill_null(values, np.nan)))
        numbers = np.asarray(pc.fill_null(values, 0.0), dtype=np.float64)
        bucket = np.digitize(numbers, thresholds)
        word = pa.array(words, pa.string()).take(pa.array(bucket))
        columns.append(pc.if_else(known, word, pa.scalar(None, pa.string())))
    joined = _combined(columns, ", ")
    return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)


def _hashes(documents: pa.Array) -> pa.Array:
    """The first 128 bits of SHA-256 of each document, in hexadecimal."""
    return _projected(documents, "left(sha256(text), 32)")


def track_documents(tracks: pa.Table) -> pa.Table:
    """One document a track, in the order of `tracks` (columns of ml.tables.TRACKS).

    `Title | by Artist | album: … | genres: a, b | tags: c, d | 1990s | fast, high-energy, …`;
    a field that is null or blank is left out, and a track without any text has the document "".
    Returns the schema DOCUMENTS; equal documents have equal content hashes.
    """
    fields = [
        _clean(_array(tracks["title"])),
        _prefixed("by ", _clean(_array(tracks["artist_name"]))),
        _prefixed("album: ", _clean(_array(tracks["album"]))),
        _prefixed("genres: ", _joined(_array(tracks["genres"]))),
        _prefixed("tags: ", _joined(_array(tracks["tags"]))),
        _decade(_array(tracks["released_on"])),
        _audio(tracks),
    ]
    documents = _combined(fields, FIELD_SEPARATOR)
    track_ids = _array(tracks["track_id"])
    return pa.Table.from_arrays([track_ids, documents, _hashes(documents)], schema=DOCUMENTS)
