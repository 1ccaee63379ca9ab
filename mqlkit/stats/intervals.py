"""Confidence intervals of shares, ratios of shares, counts and differences."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Z95 = 1.959963984540054  # 97.5 % quantile of the standard normal distribution
# Fewer weeks do not show how leads arrive.
LEAST_WEEKS = 8


def wilson(successes: npt.ArrayLike, n: npt.ArrayLike) -> tuple[Floats, Floats]:
    r"""Return the 95 % Wilson score interval of a share.

    Parameters
    ----------
    successes, n
        Counts. Arrays of the same shape, or shapes that broadcast.

    Returns
    -------
    low, high
        Bounds in [0, 1]; NaN where ``n`` is 0.

    Notes
    -----
    .. math:: \frac{p + z^2/2n \pm z\sqrt{p(1-p)/n + z^2/4n^2}}{1 + z^2/n}

    Wilson, E. B. (1927), Probable inference, J. Am. Stat. Assoc. 22:209-212.

    Examples
    --------
    >>> low, high = wilson([3, 0], [4, 0])
    >>> [round(float(x), 6) for x in (low[0], high[0])], bool(np.isnan(low[1]))
    ([0.300642, 0.954413], True)
    """
    hits, total = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = hits / total
        center = share + Z95**2 / (2 * total)
        spread = Z95 * np.sqrt(share * (1 - share) / total + Z95**2 / (4 * total**2))
        scale = 1 + Z95**2 / total
        low, high = (center - spread) / scale, (center + spread) / scale
    # With 0 or n successes one bound is exact. Rounding must not move it.
    low = np.where(hits == 0, np.where(total > 0, 0.0, np.nan), low)
    high = np.where((hits == total) & (total > 0), 1.0, high)
    return low, high


def relative_risk(
    hits: npt.ArrayLike, n: npt.ArrayLike, other_hits: npt.ArrayLike, other_n: npt.ArrayLike
) -> tuple[Floats, Floats, Floats]:
    r"""Return the ratio of two shares with its 95 % interval by the log method.

    Parameters
    ----------
    hits, n
        Counts of the first group.
    other_hits, other_n
        Counts of the reference group.

    Returns
    -------
    ratio, low, high
        The ratio is NaN if a group is empty or the share of the reference group is 0. The bounds
        are also NaN if the ratio is 0, because log 0 is undefined.

    Notes
    -----
    .. math:: \ln RR \pm z \sqrt{1/a - 1/n_1 + 1/c - 1/n_2}

    Katz, D. et al. (1978), Obtaining confidence intervals for the risk ratio in cohort studies,
    Biometrics 34:469-474.

    Examples
    --------
    >>> [round(float(x), 3) for x in relative_risk(30, 100, 15, 100)]
    [2.0, 1.149, 3.482]
    """
    a, n1, c, n2 = (np.asarray(x, dtype=float) for x in (hits, n, other_hits, other_n))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((n1 > 0) & (c > 0), (a / n1) / (c / n2), np.nan)
        spread = np.where(a > 0, Z95 * np.sqrt(1 / a - 1 / n1 + 1 / c - 1 / n2), np.nan)
        return ratio, ratio * np.exp(-spread), ratio * np.exp(spread)


def survival_band(survival: Floats, greenwood: Floats) -> tuple[Floats, Floats]:
    r"""Return the 95 % band of a survival curve, by the log-log transform.

    Notes
    -----
    .. math:: S(t)^{\exp(\pm z \sigma / \ln S(t))}

    The band stays in [0, 1]; the untransformed band does not. Kalbfleisch, J. D. & Prentice, R. L.
    (2002), The Statistical Analysis of Failure Time Data, 2nd ed., section 1.4.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        power = Z95 * np.sqrt(greenwood) / np.log(survival)
        low, high = survival ** np.exp(-power), survival ** np.exp(power)
    inside = (survival > 0) & (survival < 1)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def square_and_add(
    weights: npt.ArrayLike, value: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike
) -> tuple[Floats, Floats]:
    r"""Return the 95 % interval of a weighted sum of independent estimates from their bounds.

    Parameters
    ----------
    weights, value, low, high
        Weights of either sign, estimates and their 95 % bounds. The sum is over the last axis.

    Returns
    -------
    low, high
        NaN if an estimate or a bound is NaN.

    Notes
    -----
    .. math:: \sum w_i p_i \mp \sqrt{\sum w_i^2 (p_i - b_i)^2}

    where b is the bound that moves the sum in that direction. With weights 1, -1 and Wilson bounds
    this is method 10 of Newcombe, R. G. (1998), Interval estimation for the difference between
    independent proportions, Stat. Med. 17:873-890. For other bounds: Zou, G. Y. & Donner, A.
    (2008), Stat. Med. 27:1693-1702; for sums: Zou, Huang & Zhang (2009), Comput. Stat. Data Anal.
    53:1080-1085.

    Examples
    --------
    >>> bounds = wilson([56, 48], [70, 80])
    >>> [round(float(x), 4) for x in square_and_add([1, -1], [56 / 70, 48 / 80], *bounds)]
    [0.0524, 0.3339]
    """
    w, p, least, most = (np.asarray(x, dtype=float) for x in (weights, value, low, high))
    total = (w * p).sum(axis=-1)
    down = (w * (p - np.where(w > 0, least, most))) ** 2
    up = (w * (p - np.where(w > 0, most, least))) ** 2
    return total - np.sqrt(down.sum(axis=-1)), total + np.sqrt(up.sum(axis=-1))


def burst_factor(counts: npt.ArrayLike) -> float:
    r"""Return how much more counts of consecutive weeks vary than by chance; at least 1.

    Parameters
    ----------
    counts
        Counts of consecutive weeks, the oldest first. Shape (weeks,).

    Returns
    -------
    float
        1 for fewer than 8 weeks, and where nothing is counted.

    Notes
    -----
    .. math:: \varphi = \max\left(1, \frac{\sum (x_{i+1} - x_i)^2}{2 (k - 1) \bar x}\right)

    Differences of consecutive weeks, unlike deviations from the mean, leave out slow growth.
    von Neumann, J. (1941), Distribution of the ratio of the mean square successive difference to
    the variance, Ann. Math. Stat. 12:367-395; as a factor of the Poisson variance: Wedderburn,
    R. W. M. (1974), Quasi-likelihood functions, Biometrika 61:439-447.

    Examples
    --------
    >>> burst_factor([4, 4, 5, 3, 4, 4, 5, 3]), burst_factor([0, 9, 0, 9, 0, 9, 0, 9])
    (1.0, 9.0)
    """
    x = np.asarray(counts, dtype=float)
    if len(x) < LEAST_WEEKS or not x.any():
        return 1.0
    return max(1.0, float((np.diff(x) ** 2).sum() / (2 * (len(x) - 1) * x.mean())))


def count_bounds(count: npt.ArrayLike, *, bursts: float = 1.0) -> tuple[Floats, Floats]:
    r"""Return the 95 % score interval of the mean of a count.

    Parameters
    ----------
    count
        Counts. An array of any shape.
    bursts
        Variance of the counts by their mean, as `burst_factor` returns it; 1 for leads that arrive
        independently (Poisson).

    Returns
    -------
    low, high
        The lower bound is never negative, and is 0 if the count is 0.

    Notes
    -----
    .. math:: y + z^2 \varphi/2 \mp z \sqrt{\varphi (y + z^2 \varphi/4)}

    Barker, L. (2002), Am. Stat. 56:85-89, with the variance times :math:`\varphi`. In
    `square_and_add`: Li, H. Q., Tang, M. L. & Wong, W. K. (2014), Comput. Stat. 29:869-889.

    Examples
    --------
    >>> [[round(float(x), 2) for x in bound] for bound in count_bounds([0, 100])]
    [[0.0, 82.23], [3.84, 121.61]]
    """
    y, scaled = np.asarray(count, dtype=float), Z95**2 * bursts
    center, spread = y + scaled / 2, Z95 * np.sqrt(bursts * (y + scaled / 4))
    return np.where(y == 0, 0.0, center - spread), center + spread


def total_error(
    total: npt.ArrayLike, squares: npt.ArrayLike, n: npt.ArrayLike, *, bursts: float = 1.0
) -> Floats:
    r"""Return the standard error of a total of amounts of a random number of leads.

    Parameters
    ----------
    total, squares
        Sums of the amounts and of their squares, over leads of which most have none.
    n
        Number of leads.
    bursts
        Variance of the number of leads by its mean, as `burst_factor` returns it.

    Returns
    -------
    numpy.ndarray
        NaN for fewer than two leads.

    Notes
    -----
    The delta method for the product of the number of leads and their mean amount:

    .. math:: \sqrt{n s^2 + \varphi n \bar a^2}

    Oehlert, G. W. (1992), A note on the delta method, Am. Stat. 46:27-29.

    Examples
    --------
    >>> float(total_error(total=6, squares=36, n=4).round(6))
    6.708204
    """
    a, q, size = (np.asarray(x, dtype=float) for x in (total, squares, n))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = a / size
        variance = np.maximum(q - a * mean, 0) / (size - 1)
        return np.where(size > 1, np.sqrt(size * variance + bursts * size * mean**2), np.nan)
