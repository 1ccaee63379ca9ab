"""Estimates with their interval: shares, ratios of shares, survival and incidence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Z95 = 1.959963984540054  # 97.5 % point of the normal distribution


def wilson(successes: npt.ArrayLike, n: npt.ArrayLike) -> tuple[Floats, Floats]:
    r"""Return the 95 % Wilson score interval of a share.

    Parameters
    ----------
    successes, n
        Counts, of any one shape.

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
        centre = share + Z95**2 / (2 * total)
        spread = Z95 * np.sqrt(share * (1 - share) / total + Z95**2 / (4 * total**2))
        scale = 1 + Z95**2 / total
        low, high = (centre - spread) / scale, (centre + spread) / scale
    # At 0 and n of n the bound is exact; rounding must not push it outside.
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
        Counts of the group that it is divided by.

    Returns
    -------
    ratio, low, high
        The ratio is NaN where a group is empty or the share it is divided by is 0; the bounds
        also where the ratio is 0, since the log has no value there.

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

    stays in [0, 1], which the plain band does not. Kalbfleisch, J. D. & Prentice, R. L. (2002),
    The Statistical Analysis of Failure Time Data, 2nd ed., section 1.4.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        power = Z95 * np.sqrt(greenwood) / np.log(survival)
        low, high = survival ** np.exp(-power), survival ** np.exp(power)
    inside = (survival > 0) & (survival < 1)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def share_band(share: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return the 95 % interval of an estimated share from its variance, by the log-log transform.

    It stays in [0, 1]; NaN where the share is 0 or 1 and the transform has no value.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(share)
        power = Z95 * np.sqrt(np.maximum(variance, 0)) / (share * log)
        low, high = share ** np.exp(-power), share ** np.exp(power)
    inside = (share > 0) & (share < 1)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)
