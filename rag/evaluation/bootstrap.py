"""Figures with 95 % intervals: the percentile bootstrap over questions (Efron 1979).

The seed is fixed: the same values give the same interval. Differences between two systems are
taken question by question first and then resampled, so what makes a question hard cancels out.
With a handful of questions the interval is too narrow: five out of five gives [1, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Statistic = Callable[[FloatArray], FloatArray]

RESAMPLES = 2000
_SEED = 20240229
_BLOCK_ELEMENTS = 2**21


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure over `n` questions; all None if no question defines it.

    Attributes:
        value: the figure on the sample itself.
        n: how many questions it is made of.
        low: lower end of the 95 % interval.
        high: upper end.
    """

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 is outside the interval: for a difference, whether it is more than noise."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high

    def to_dict(self) -> dict[str, float | int | None]:
        """JSON; figures are rounded to six digits."""
        rounded = {
            name: None if figure is None else round(figure, 6)
            for name, figure in (("value", self.value), ("low", self.low), ("high", self.high))
        }
        return {"n": self.n, **rounded}


def mean(samples: FloatArray) -> FloatArray:
    """Arithmetic mean over the last axis."""
    return np.asarray(samples.mean(axis=-1))


def median(samples: FloatArray) -> FloatArray:
    """Median over the last axis."""
    return np.asarray(np.median(samples, axis=-1))


def estimate(values: FloatArray, statistic: Statistic = mean) -> Estimate:
    """A statistic of `values` and its interval.

    Args:
        values: one figure a question, shape (n,).
        statistic: maps (…, n) to (…).
    """
    if not len(values):
        return Estimate(None, 0)
    rng = np.random.default_rng(_SEED)
    draws = [statistic(values[rows]) for rows in _resamples(rng, len(values))]
    return _with_interval(float(statistic(values)), len(values), np.concatenate(draws))


def wins(positives: FloatArray, negatives: FloatArray) -> FloatArray:
    """For each pair 1 if the positive scores higher, ½ if equal, 0 if lower; shape (p, q).

    Its mean is the area under the ROC curve (Mann and Whitney 1947; Hanley and McNeil 1982).
    """
    difference = positives[:, None] - negatives[None, :]
    return np.asarray((np.sign(difference) + 1) / 2, dtype=np.float64)


def estimate_pairs(pairs: FloatArray) -> Estimate:
    """The mean over pairs of a positive and a negative question, and its interval.

    Both sides are resampled, each from its own, so that no resample lacks one of them.

    Args:
        pairs: as from `wins`, or the difference of two such; shape (p, q).
    """
    positives, negatives = pairs.shape
    if not pairs.size:
        return Estimate(None, 0)
    rng = np.random.default_rng(_SEED)
    # The mean of a resampled matrix is a product with how often each row and column was drawn.
    rows = rng.multinomial(positives, np.full(positives, 1 / positives), size=RESAMPLES)
    columns = rng.multinomial(negatives, np.full(negatives, 1 / negatives), size=RESAMPLES)
    draws = ((rows @ pairs) * columns).sum(axis=1) / pairs.size
    return _with_interval(float(pairs.mean()), positives + negatives, draws)


def _with_interval(value: float, n: int, draws: FloatArray) -> Estimate:
    low, high = np.percentile(draws, [2.5, 97.5])
    return Estimate(value, n, float(low), float(high))


def _resamples(rng: np.random.Generator, n: int) -> Iterator[npt.NDArray[np.int64]]:
    # In blocks, so that a large set does not need RESAMPLES × n numbers at once.
    block = max(1, _BLOCK_ELEMENTS // n)
    for start in range(0, RESAMPLES, block):
        yield rng.integers(n, size=(min(block, RESAMPLES - start), n))
