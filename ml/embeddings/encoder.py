"""The text encoder: trained on the catalogue and its co-listens, or any sentence-transformers model.

Belongs here: training, saving and loading encoders. Does not belong here: which tracks to encode
(ml.embeddings.vectors) or what their neighbours are (ml.embeddings.neighbours).
"""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.embeddings.batches import Bags, epoch_batches
from ml.embeddings.tokens import DocumentTokens, tokenize, train_tokenizer
from ml.errors import SegueError
from ml.files import aside_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

OWN = "own"
# Small, so that a token seen in no training text stays nearly silent in a mean of trained ones.
_INITIAL_SCALE = 0.1
_WARM_UP = 0.1


class EncoderError(SegueError):
    """An encoder that cannot be found, loaded or trained."""


class Encoder(Protocol):
    """Turns documents into vectors of one `dimension`; `version` names its content."""

    @property
    def version(self) -> str:
        """Equal versions give equal vectors."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode(self, documents: Sequence[str]) -> NDArray[np.float32]:
        """L2-normalised vectors (n, dimension); zeros for a document without tokens."""


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Which encoder, and how the own one is trained.

    `name` is "own", a hub name or a folder; the rest concerns the own encoder only. `matryoshka`
    are the leading dimensions that are trained to stand alone, `dimension` among them.
    """

    name: str = OWN
    dimension: int = 128
    vocabulary: int = 8192
    epochs: int = 2
    batch: int = 512
    learning_rate: float = 0.02
    seed: int = 0
    matryoshka: tuple[int, ...] = (128, 64, 32)


@dataclass(frozen=True, slots=True)
class SentenceEncoder:
    """A sentence-transformers model as Encoder."""

    model: "SentenceTransformer"
    version: str
    dimension: int

    def encode(self, documents: Sequence[str]) -> NDArray[np.float32]:
        """See Encoder."""
        if not documents:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = self.model.encode(
            list(documents),
            batch_size=256,
            show_progress_bar=False,
            convert_to_numpy=True,
            normalize_embeddings=True,
        )
        return np.asarray(vectors, dtype=np.float32)


def folder_version(folder: Path) -> str:
    """Hash of the names and contents of all files under `folder`."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _initial_weights(config: EncoderConfig, size: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(config.seed)
    weights = rng.standard_normal((size, config.dimension), dtype=np.float32)
    return weights * np.float32(_INITIAL_SCALE)


def _steps(tokens: DocumentTokens, pairs: NDArray[np.int32], config: EncoderConfig) -> int:
    per_epoch = -(-(len(pairs) + len(tokens.indptr) - 1) // config.batch)
    return max(1, per_epoch * config.epochs)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One torch thread inside: as fast as two at these sizes (9 s each), five times faster than two
    on a busy machine (49 s), and the weights do not depend on the number of cores."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _fit(
    model: "SentenceTransformer",
    tokens: DocumentTokens,
    pairs: NDArray[np.int32],
    config: EncoderConfig,
) -> None:
    """Adam with linear warm-up and decay over MultipleNegativesRankingLoss in MatryoshkaLoss.

    A plain loop: the library's trainer needs `datasets` and `accelerate`, and would tokenise the
    same documents again in every epoch.
    """
    import torch
    from sentence_transformers.sentence_transformer.losses import (
        MatryoshkaLoss,
        MultipleNegativesRankingLoss,
    )

    loss = MatryoshkaLoss(model, MultipleNegativesRankingLoss(model), list(config.matryoshka))
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    steps = _steps(tokens, pairs, config)
    warm_up = max(1, round(_WARM_UP * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm_up, 1.0) * max(0.0, 1.0 - step / steps)
    )

    def features(bags: Bags) -> dict[str, torch.Tensor]:
        return {"input_ids": torch.from_numpy(bags[0]), "offsets": torch.from_numpy(bags[1])}

    labels = torch.empty(0)
    model.train()
    rng = np.random.default_rng(config.seed)
    for _ in range(config.epochs):
        for anchors, positives in epoch_batches(tokens, pairs, config.batch, rng):
            optimizer.zero_grad()
            loss([features(anchors), features(positives)], labels).backward()
            optimizer.step()
            schedule.step()
    model.eval()


def _save(model: "SentenceTransformer", directory: Path) -> str:
    """Save aside, then rename to directory/<version>; an equal encoder already there stays."""
    aside = aside_folder(directory)
    try:
        model.save(str(aside), create_model_card=False)
        version = folder_version(aside)
        if not (directory / version).exists():
            aside.replace(directory / version)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return version


def train_encoder(
    documents: pa.Table, pairs: NDArray[np.int32], config: EncoderConfig, directory: Path
) -> str:
    """Train the own StaticEmbedding and save it as `directory`/<version>; return the version.

    `documents` as from track_documents; `pairs` int32 (n, 2) are rows of it. The version is the
    hash of the saved files: the same input, config and packages give the same version.

    Raises:
        EncoderError: `config.matryoshka` does not contain `config.dimension` or exceeds it.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    if max(config.matryoshka) != config.dimension:
        raise EncoderError(
            f"expected the largest of matryoshka to be dimension {config.dimension}, "
            f"found {config.matryoshka}"
        )
    texts = documents["document"].combine_chunks()
    tokenizer = train_tokenizer(texts.to_pylist(), config.vocabulary)
    weights = _initial_weights(config, tokenizer.get_vocab_size())
    module = StaticEmbedding(tokenizer, embedding_weights=weights)
    model = SentenceTransformer(modules=[module], device="cpu")
    with _one_thread():
        _fit(model, tokenize(texts, tokenizer), pairs, config)
    return _save(model, directory)


def load_encoder(name_or_folder: str) -> Encoder:
    """Any sentence-transformers model: a folder (no network is asked) or a hub name.

    Raises:
        EncoderError: there is no such folder, or the name is neither cached nor to be fetched.
    """
    from sentence_transformers import SentenceTransformer

    folder = Path(name_or_folder)
    if folder.is_dir():
        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        version = folder_version(folder)
    else:
        model = _load_by_name(name_or_folder)
        version = _weights_version(model)
    dimension = model.get_embedding_dimension()
    if dimension is None:
        raise EncoderError(f"the encoder {name_or_folder} does not say its dimension")
    return SentenceEncoder(model, version, int(dimension))


def _load_by_name(name: str) -> "SentenceTransformer":
    from sentence_transformers import SentenceTransformer

    if Path(name).is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise EncoderError(
            f"expected a folder with a sentence-transformers model at {name}, found none; "
            "train one (`segue run train`) or set `encoder` to an existing folder or hub name"
        )
    try:
        return SentenceTransformer(name, device="cpu", local_files_only=True)
    except OSError:
        pass
    try:
        return SentenceTransformer(name, device="cpu")
    except OSError as error:
        raise EncoderError(
            f"expected the model {name} in the Hugging Face cache or on the hub, found it in "
            f"neither ({error}); set `encoder` to `{OWN}` or to a local folder"
        ) from error


def _weights_version(model: "SentenceTransformer") -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + b"\0")
        digest.update(tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
