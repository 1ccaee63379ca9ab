"""Prediction of one more value from a small sample, by Student's t distribution."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# Steps of bisection after which the bounds of a quantile are neighboring floats.
STEPS = 200


def t_above(t: npt.ArrayLike, df: int) -> Floats:
    r"""Return the share of Student's t distribution above a value.

    Parameters
    ----------
    t
        Values. An array of any shape.
    df
        Degrees of freedom, a whole number from 1.

    Notes
    -----
    With :math:`\theta = \arctan(t / \sqrt{\nu})`, the share within :math:`\pm t` is a finite sum of
    powers of :math:`\cos\theta`: Abramowitz, M. & Stegun, I. A. (1964), Handbook of Mathematical
    Functions, 26.7.3 and 26.7.4.

    Examples
    --------
    >>> [round(float(x), 4) for x in t_above([0, 1.415, -1.415], 7)]
    [0.5, 0.1, 0.9]
    """
    theta = np.arctan(np.asarray(t, dtype=float) / np.sqrt(df))
    sine, cosine = np.sin(theta), np.cos(theta)
    # The first power of the cosine, and the factor from each term to the next.
    term = cosine if df % 2 else np.ones_like(cosine)
    total = np.zeros_like(cosine)
    for power in range(df % 2, df - 1, 2):
        total = total + term
        term = term * cosine**2 * (power + 1) / (power + 2)
    within = 2 / np.pi * (theta + sine * total) if df % 2 else sine * total
    return np.asarray((1 - within) / 2, dtype=float)


@lru_cache
def t_quantile(share: float, df: int) -> float:
    """Return the value that a share of Student's t distribution lies below.

    Parameters
    ----------
    share
        From 0.5 up to, and without, 1.
    df
        Degrees of freedom, a whole number from 1.

    Examples
    --------
    >>> round(t_quantile(0.9, 7), 6), round(t_quantile(0.975, 1), 4)
    (1.414924, 12.7062)
    """
    low, high = 0.0, 1.0
    while t_above(high, df) > 1 - share:
        high *= 2
    for _ in range(STEPS):
        middle = (low + high) / 2
        if t_above(middle, df) > 1 - share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def predicted(sample: npt.ArrayLike) -> tuple[Floats, Floats]:
    r"""Return the mean of a sample, and the standard error of one more value about it.

    Parameters
    ----------
    sample
        Values, at least two along the last axis.

    Returns
    -------
    mean, error
        One per sample. The difference of one more value from the mean, divided by the error, is
        distributed as Student's t with ``k - 1`` degrees of freedom, where k is the sample's size
        and its values are normal.

    Notes
    -----
    .. math:: s \sqrt{1 + 1/k}

    Hahn, G. J. & Meeker, W. Q. (1991), Statistical Intervals, section 4.7.

    Examples
    --------
    >>> mean, error = predicted([1, 1, 1, 1, 2, 1, 1, 1])
    >>> float(mean), float(error)
    (1.125, 0.375)
    """
    values = np.asarray(sample, dtype=float)
    spread = values.std(axis=-1, ddof=1) * np.sqrt(1 + 1 / values.shape[-1])
    return values.mean(axis=-1), spread


def share_at_or_above(limit: npt.ArrayLike, mean: Floats, error: Floats, *, df: int) -> Floats:
    """Return how probable it is that one more value is at or above a limit.

    Parameters
    ----------
    limit
        Limits, one per sample.
    mean, error
        As `predicted` returns them.
    df
        One less than the size of the samples.
    """
    distance = np.asarray(limit, dtype=float) - mean
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = t_above(distance / error, df)
    # Without any spread, the value is the mean.
    return np.where(error > 0, shares, np.where(np.isnan(distance), np.nan, distance <= 0))
