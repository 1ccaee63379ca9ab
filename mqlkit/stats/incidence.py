"""Aalen–Johansen cumulative incidence of one group of leads, and what it says about open leads.

References
----------
.. [1] Aalen, O. O. & Johansen, S. (1978), An empirical transition matrix for non-homogeneous
   Markov chains based on censored observations, Scand. J. Stat. 5:141-150.
.. [2] Marubini, E. & Valsecchi, M. G. (1995), Analysing Survival Data from Clinical Trials and
   Observational Studies, section 10.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mqlkit.stats.intervals import Z95
from mqlkit.stats.survival import EDGE, Floats, Ints

# The horizon is the greatest age that so many leads have reached, or such a part of them if fewer.
HORIZON_LEADS, HORIZON_PART = 30, 10
# An incidence still rises if more than this share of it comes in the last fifth of the time.
RISING_SHARE, LAST_PART = 0.05, 5


def horizon(time: Ints) -> int:
    """Return the greatest age with enough leads to estimate an incidence; 0 without a lead.

    Parameters
    ----------
    time
        Time to the exit or to censoring, ascending. Shape (n,).

    Returns
    -------
    int
        The greatest age that at least 30 leads have as their time or pass. If a tenth of all
        leads, rounded up, is less than 30, that many leads are enough.
    """
    n = len(time)
    return int(time[n - min(HORIZON_LEADS, -(-n // HORIZON_PART))]) if n else 0


@dataclass(frozen=True, eq=False)
class Incidence:
    r"""Cumulative incidence of exits of kind 1, with all other kinds competing.

    Attributes
    ----------
    time
        Distinct times of exits up to ``until``, ascending. Shape (times,).
    reached, staying
        Share of leads that have left by kind 1, and that have not left at all, after each time.
    until
        End of the estimate.
    value, variance
        Incidence at ``until``, and its variance by the delta method.

    Notes
    -----
    .. math::
        F(t) = \sum_{t_i \le t} S(t_{i-1}) d_{1i} / n_i, \quad
        S(t) = \prod_{t_i \le t} (1 - d_i / n_i)

    Leads censored at an exit time count as at risk at that time. Estimator: [1]_. With F for the
    incidence at ``until``, its variance is [2]_

    .. math::
        \sum_i (F - F(t_i))^2 \frac{d_i}{n_i (n_i - d_i)}
        + S(t_{i-1})^2 \frac{d_{1i} (n_i - d_{1i})}{n_i^3}
        - 2 (F - F(t_i)) S(t_{i-1}) \frac{d_{1i}}{n_i^2}

    where the first part is left out if no lead is left at risk.
    """

    time: Ints
    reached: Floats
    staying: Floats
    until: int
    value: float
    variance: float

    @classmethod
    def of(cls, time: Ints, kind: npt.NDArray[Any], *, until: int) -> Incidence:
        """Estimate the incidence.

        Parameters
        ----------
        time, kind
            Times from 0 and kinds of exits, in the order of `survival.in_time`. Shape (n,).
        until
            The time up to which to estimate.
        """
        rows = np.flatnonzero(kind[: np.searchsorted(time, until, side="right")])
        first = np.flatnonzero(np.diff(time[rows], prepend=-1))
        if not len(first):
            none = np.zeros(0)
            return cls(time[rows], none, none, until, 0.0, 0.0)
        d = np.diff(first, append=len(rows)).astype(float)
        d1 = np.add.reduceat((kind[rows] == 1).astype(float), first)
        # Exits come before leads censored at the same time.
        n = (len(time) - rows[first]).astype(float)
        staying = np.cumprod((n - d) / n)
        before = np.append(1.0, staying[:-1])
        reached = np.cumsum(before * d1 / n)
        ahead = reached[-1] - reached
        hazard = np.divide(d, n * (n - d), out=np.zeros_like(n), where=n > d)
        terms = ahead**2 * hazard + before**2 * d1 * (n - d1) / n**3
        variance = (terms - 2 * ahead * before * d1 / n**2).sum()
        return cls(
            time[rows[first]],
            reached,
            staying,
            until,
            float(reached[-1]),
            max(0.0, float(variance)),
        )

    def at(self, time: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return the share that has left by kind 1 by some times, and that has not left at all."""
        place = np.searchsorted(self.time, time, side="right")
        return np.append(0.0, self.reached)[place], np.append(1.0, self.staying)[place]

    def time_of(self, share: float) -> float:
        """Return the earliest time at which a share of the incidence at ``until`` is reached.

        NaN if the incidence is 0.
        """
        if not self.value:
            return float("nan")
        # A share that equals the limit exactly can be off by rounding.
        return float(self.time[np.searchsorted(self.reached, share * self.value - EDGE)])

    @property
    def is_rising(self) -> bool:
        """Return whether more than 5 % of the incidence comes in the last fifth of the time."""
        reached, _ = self.at(self.until - -(-self.until // LAST_PART))
        return bool(self.value - reached > RISING_SHARE * self.value + EDGE)

    def chances(self, age: Ints) -> Floats:
        r"""Return the chance of each open lead to leave by kind 1 by ``until``.

        Parameters
        ----------
        age
            Time that each lead has been open. Shape (n,).

        Notes
        -----
        .. math:: (F(\tau) - F(a)) / S(a)

        for the age a and the end of the estimate τ; 0 for a lead that is as old or older.
        """
        reached, staying = self.at(age)
        is_young = (age < self.until) & (staying > 0)
        ahead = np.divide(self.value - reached, staying, out=np.zeros(len(age)), where=is_young)
        return np.clip(ahead, 0.0, 1.0)


def expected_share(
    hits: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    expected: npt.ArrayLike,
    spread: npt.ArrayLike,
    error: float,
) -> tuple[Floats, Floats, Floats]:
    r"""Return the share that each cohort is expected to reach, with its 95 % prediction interval.

    Parameters
    ----------
    hits, n
        Leads of each cohort that have left by kind 1, and all of its leads. Shape (cohorts,).
    expected, spread
        Sums of p and of p (1 − p) over its open leads, with p from `Incidence.chances`.
    error
        Relative standard error of the incidence that the chances come from; NaN if it is 0.

    Returns
    -------
    share, low, high
        In [0, 1], none below ``hits / n``. NaN for a cohort without a lead, or an error of NaN.

    Notes
    -----
    .. math:: \frac{1}{n} \left( s + \mu \pm z \sqrt{\sum p (1 - p) + (\mu e)^2} \right)

    where s are the hits, μ is the sum of p and e the relative standard error. The first part under
    the root is the chance in each lead, the second the error of the estimate.

    Examples
    --------
    >>> found = expected_share([2], [6], expected=[22 / 21], spread=[0.680272], error=0.471767)
    >>> [round(float(x[0]), 4) for x in found]
    [0.5079, 0.3333, 0.822]
    """
    s, total, mu, own = (np.asarray(x, dtype=float) for x in (hits, n, expected, spread))
    reach = Z95 * np.sqrt(own + (mu * error) ** 2)
    leads = (s + mu, s + np.maximum(0, mu - reach), np.minimum(total, s + mu + reach))
    with np.errstate(divide="ignore", invalid="ignore"):
        is_known = (total > 0) & ~np.isnan(error)
        share, low, high = (np.where(is_known, x / total, np.nan) for x in leads)
    return share, low, high
