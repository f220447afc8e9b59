"""Tokens of documents: the own tokenizer, and documents as arrays of tokens.

Belongs here: learning a vocabulary from the catalogue, and bags of tokens with fields left out.
Does not belong here: weights, losses or batches.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.embeddings.documents import FIELD_SEPARATOR

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAXIMUM_FIELDS = 8


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> "Tokenizer":
    """A byte-level BPE over words; no text has unknown tokens.

    Byte-level BPE and not WordPiece: WordPiece numbers its pieces in the order of a hash map, so
    two trainings on the same text differ (tokenizers 0.23); a byte alphabet has one order.
    Separators of the document are no tokens: a mean over tokens should hold words only.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r'[\s|,:;()\[\]"]+'), "removed"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


@dataclass(frozen=True, slots=True)
class DocumentTokens:
    """Tokens of n documents: `ids` and `field` int64 (t), `indptr` int64 (n + 1).

    `field` is the place of a token's field in its document, below MAXIMUM_FIELDS.
    """

    ids: NDArray[np.int64]
    field: NDArray[np.int64]
    indptr: NDArray[np.int64]

    def bags(
        self, rows: NDArray[np.int64], keep: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Tokens of documents `rows` (b) in the fields `keep` (b, MAXIMUM_FIELDS).

        A document that would lose all its tokens keeps all of them. Returns the ids and the offset
        int64 (b) at which each bag begins.
        """
        length = np.diff(self.indptr)[rows]
        owner = np.repeat(np.arange(len(rows)), length)
        start = np.cumsum(length) - length
        source = self.indptr[rows][owner] + np.arange(len(owner)) - start[owner]
        kept = keep[owner, self.field[source]]
        left = np.bincount(owner[kept], minlength=len(rows))
        kept |= (left == 0)[owner]
        count = np.bincount(owner[kept], minlength=len(rows))
        return self.ids[source[kept]], (np.cumsum(count) - count).astype(np.int64)


def tokenize(documents: pa.Array, tokenizer: "Tokenizer") -> DocumentTokens:
    """Every document's tokens, field by field.

    Fields are tokenised apart; as no token spans two words, a document's tokens are its fields'.
    """
    fields = pc.split_pattern(documents, FIELD_SEPARATOR)
    owner = np.asarray(pc.list_parent_indices(fields), dtype=np.int64)
    fields_of = np.bincount(owner, minlength=len(documents))
    place = np.arange(len(owner)) - (np.cumsum(fields_of) - fields_of)[owner]
    encodings = tokenizer.encode_batch(
        pc.list_flatten(fields).to_pylist(), add_special_tokens=False
    )
    length = np.fromiter((len(e) for e in encodings), dtype=np.int64, count=len(encodings))
    ids = np.concatenate([np.empty(0, dtype=np.int64), *(e.ids for e in encodings)])
    tokens = np.bincount(owner, weights=length, minlength=len(documents)).astype(np.int64)
    return DocumentTokens(
        ids=ids.astype(np.int64),
        field=np.repeat(np.minimum(place, MAXIMUM_FIELDS - 1), length),
        indptr=np.concatenate([[0], np.cumsum(tokens)]).astype(np.int64),
    )
