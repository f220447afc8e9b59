"""Training, saving, swapping and repeating of encoders."""

import socket

import numpy as np
import pyarrow as pa
import pytest

from ml.embeddings.batches import epoch_batches
from ml.embeddings.documents import DOCUMENTS
from ml.embeddings.encoder import EncoderConfig, EncoderError, load_encoder, train_encoder
from ml.embeddings.neighbours import nearest
from ml.embeddings.tokens import MAXIMUM_FIELDS, tokenize, train_tokenizer
from ml.embeddings.vectors import encode_changed, matrix, vector_values

TINY = EncoderConfig(dimension=16, vocabulary=400, epochs=8, batch=32, matryoshka=(16, 8))


def table(texts: list[str], hashes: list[str] | None = None) -> pa.Table:
    ids = [f"t{i}" for i in range(len(texts))]
    return pa.table([ids, texts, hashes or texts], schema=DOCUMENTS)


@pytest.fixture(scope="module")
def catalogue() -> pa.Table:
    """40 tracks of two genres with no other word in common."""
    return table(
        [f"Song{i} | by Band{i} | genres: {('metal', 'ambient')[i % 2]}" for i in range(40)]
    )


@pytest.fixture(scope="module")
def pairs() -> np.ndarray:
    """Tracks of one genre are heard together."""
    left, right = np.triu_indices(40, 1)
    return np.stack([left, right], axis=1)[(left % 2) == (right % 2)].astype(np.int32)


@pytest.fixture(scope="module")
def trained(catalogue, pairs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoders")
    return folder, train_encoder(catalogue, pairs, TINY, folder)


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError(f"asked the network: {arguments}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_the_same_seed_gives_the_same_version(catalogue, pairs, trained, tmp_path):
    folder, version = trained
    assert train_encoder(catalogue, pairs, TINY, tmp_path) == version
    assert [path.name for path in tmp_path.iterdir()] == [version]
    other = EncoderConfig(
        dimension=16, vocabulary=400, epochs=8, batch=32, matryoshka=(16, 8), seed=1
    )
    assert train_encoder(catalogue, pairs, other, folder) != version


def test_a_trained_encoder_loads_without_network_and_is_named_by_its_content(trained, no_network):
    folder, version = trained
    encoder = load_encoder(str(folder / version))
    assert (encoder.version, encoder.dimension) == (version, 16)
    vectors = encoder.encode(["Song1 | by Band1 | genres: ambient", "", "日本 — unseen"])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 0, 1], atol=1e-5)
    assert encoder.encode([]).shape == (0, 16)


def test_what_is_heard_together_comes_close_also_for_unseen_tracks(catalogue, trained):
    folder, version = trained
    encoder = load_encoder(str(folder / version))
    vectors = encoder.encode(catalogue["document"].to_pylist())
    found, _ = nearest(encoder.encode(["genres: metal", "Newcomer | genres: ambient"]), vectors, 10)
    assert np.mean(found[0] % 2 == 0) >= 0.9
    assert np.mean(found[1] % 2 == 1) >= 0.9


def test_leading_dimensions_stand_alone(catalogue, trained):
    folder, version = trained
    vectors = load_encoder(str(folder / version)).encode(catalogue["document"].to_pylist())[:, :8]
    found, _ = nearest(vectors, vectors, 5, exclude=np.arange(40, dtype=np.int32))
    assert np.mean(found % 2 == np.arange(40)[:, None] % 2) >= 0.9


def test_training_works_without_pairs_and_without_any_text(tmp_path):
    nothing = np.empty((0, 2), dtype=np.int32)
    version = train_encoder(table(["Only | by One", "Two"]), nothing, TINY, tmp_path)
    assert load_encoder(str(tmp_path / version)).encode(["Only"]).any()
    silent = train_encoder(table(["", ""]), nothing, TINY, tmp_path)
    assert not load_encoder(str(tmp_path / silent)).encode(["", ""]).any()


def test_impossible_dimensions_are_refused(catalogue, pairs, tmp_path):
    with pytest.raises(EncoderError, match="dimension 16"):
        train_encoder(catalogue, pairs, EncoderConfig(dimension=16, matryoshka=(32, 16)), tmp_path)


def test_a_missing_folder_names_the_way_on(tmp_path, no_network):
    with pytest.raises(EncoderError, match="segue run train"):
        load_encoder(str(tmp_path / "nothing"))


def test_any_sentence_transformers_folder_takes_the_encoders_place(
    catalogue, trained, tmp_path, no_network
):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import BoW

    words = ["metal", "ambient", "band1"]
    model = SentenceTransformer(modules=[BoW(vocab=words)], device="cpu")
    model.save(str(tmp_path / "bow"))
    folder, version = trained
    own = encode_changed(catalogue, None, load_encoder(str(folder / version)))
    foreign = load_encoder(str(tmp_path / "bow"))
    swapped = encode_changed(catalogue, own.table, foreign)
    assert foreign.dimension == 3
    assert (swapped.encoded, swapped.reused) == (40, 0)
    assert vector_values(swapped.table)[0].tolist() == [1.0, 0.0, 0.0]


def test_a_batch_holds_no_document_twice_on_a_side(catalogue, pairs):
    texts = catalogue["document"].combine_chunks()
    tokens = tokenize(texts, train_tokenizer(texts.to_pylist(), 400))
    whole = np.ones((40, MAXIMUM_FIELDS), dtype=np.bool_)
    ids, offsets = tokens.bags(np.arange(40), whole)
    assert ids.tolist() == tokens.ids.tolist()
    assert offsets.tolist() == tokens.indptr[:-1].tolist()
    sizes = [
        (len(anchors[1]), len(positives[1]))
        for anchors, positives in epoch_batches(tokens, pairs, 32, np.random.default_rng(0))
    ]
    assert sizes
    assert all(2 <= left == right <= 32 for left, right in sizes)


def test_tokens_by_field_are_the_tokens_of_the_document(catalogue):
    texts = pa.array(["Blue | by Jay-Z & Björk | genres: r&b, hip-hop", "", "坂本 (live)"])
    tokenizer = train_tokenizer(texts.to_pylist(), 300)
    tokens = tokenize(texts, tokenizer)
    whole = [
        encoding.ids
        for encoding in tokenizer.encode_batch(texts.to_pylist(), add_special_tokens=False)
    ]
    assert [part.tolist() for part in np.split(tokens.ids, tokens.indptr[1:-1])] == whole


def test_fields_are_dropped_whole_and_never_all():
    texts = pa.array(["one | two", "three"])
    tokens = tokenize(texts, train_tokenizer(texts.to_pylist(), 300))
    keep = np.zeros((2, MAXIMUM_FIELDS), dtype=np.bool_)
    keep[0, 1] = True
    ids, offsets = tokens.bags(np.array([0, 1]), keep)
    assert ids.tolist() == tokens.ids[tokens.field == 1].tolist() + tokens.ids[-1:].tolist()
    assert offsets.tolist() == [0, len(ids) - 1]


def test_only_what_changed_is_encoded_again(catalogue, trained):
    folder, version = trained
    encoder = load_encoder(str(folder / version))
    first = encode_changed(catalogue, None, encoder)
    assert (first.encoded, first.reused) == (40, 0)
    again = encode_changed(catalogue, first.table, encoder)
    assert (again.encoded, again.reused) == (0, 40)
    assert again.table.equals(first.table)

    texts = catalogue["document"].to_pylist()
    texts[3] = "Renamed | by Band3"
    grown = table([*texts, "Newcomer"])
    third = encode_changed(grown, first.table, encoder)
    assert (third.encoded, third.reused) == (2, 39)
    np.testing.assert_allclose(
        vector_values(third.table), encoder.encode(grown["document"].to_pylist()), atol=1e-6
    )


def test_a_matrix_follows_the_ids_asked_for(catalogue, trained):
    folder, version = trained
    vectors = encode_changed(catalogue, None, load_encoder(str(folder / version))).table
    aligned = matrix(vectors, ["t5", "nobody", "t0"])
    values = vector_values(vectors)
    assert aligned.tolist() == [values[5].tolist(), [0.0] * 16, values[0].tolist()]
    assert matrix(vectors, pa.array([], pa.string())).shape == (0, 16)
