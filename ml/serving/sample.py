"""A sample of the ranker's inputs behind a day's lists, drawn while the lists are made.

Belongs here: drawing rows without holding all of them. Does not belong here: which rows are shown
(ml.serving.recommender) or what becomes of the sample (monitoring).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.serving.recommender import Answer


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows drawn so far: `names` of the features, `values` float32 (rows, features), `key` float64 (rows),
    drawn at random: the smallest keys of all rows are the sample. The same blocks draw the same
    sample, whatever the threads."""

    names: tuple[str, ...]
    values: NDArray[np.float32]
    key: NDArray[np.float64]

    def cut(self, most: int) -> "Sample":
        """The `most` rows with the smallest keys, in the order in which they came."""
        if len(self.key) <= most:
            return self
        kept = np.sort(np.argsort(self.key, kind="stable")[:most])
        return Sample(self.names, self.values[kept], self.key[kept])

    def joined(self, other: "Sample", most: int) -> "Sample":
        """Both, cut to `most` rows."""
        values = np.concatenate([self.values, other.values])
        return Sample(self.names, values, np.concatenate([self.key, other.key])).cut(most)

    def table(self) -> pa.Table:
        """A float32 column a feature."""
        columns = {name: self.values[:, place] for place, name in enumerate(self.names)}
        return pa.table(columns)


def drawn(answer: Answer, number: int, seed: int) -> Sample:
    """The shown rows of the block with this number, each with a key of its own."""
    values = answer.features.values[answer.shown.row]
    key = np.random.default_rng([seed, number]).random(len(values))
    return Sample(answer.features.names, values, key)
