"""Estimators: shares with their interval, survival with its band, incidence under competing risks.

Shares and ratios work on arrays; what needs every lead is an Ibis expression, computed in the
engine and handed out per group.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Z95 = 1.959963984540054  # 97.5 % point of the normal distribution
# Products of shares that make one half exactly may miss it by an ulp or two.
EDGE = 1e-12


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


def exits(
    leads: ir.Table, *, time: str, kind: str, by: Sequence[str], until: float | None = None
) -> ir.Table:
    """Return the leads that left, with what they left behind.

    Parameters
    ----------
    leads
        One row per lead; ``time`` is a number (to the event, or to the moment it was last seen
        waiting), ``kind`` is 0 where the lead still waits.
    by
        Columns of the groups.
    until
        The time up to which exits are wanted; None for all.

    Returns
    -------
    ibis.Table
        ``by``, ``time``, ``kind``, ``gone``, the leads of the group that were last seen waiting
        before, and ``after``, those that were still there when this one and, one by one, others at
        the same time had left.
    """
    size = leads.count().over(ibis.window(group_by=list(by)))
    seen = leads.select(*by, time=leads[time], kind=leads[kind], size=size)
    # What is later need not be put in order.
    seen = seen if until is None else seen.filter(seen["time"] <= until)
    group = [seen[name] for name in by]
    of_all = ibis.window(group_by=group, order_by=seen["time"])
    of_those = ibis.window(group_by=[*group, seen["kind"] > 0], order_by=seen["time"])
    gone = ibis.rank().over(of_all) - ibis.rank().over(of_those)
    after = seen["size"] - gone - ibis.row_number().over(of_those) - 1
    left = seen.select(*by, "time", "kind", gone=gone, after=after)
    return left.filter(left["kind"] > 0)


def stretches(left: ir.Table, by: Sequence[str]) -> ir.Table:
    """Return `exits` with one row for all between two leads that were last seen waiting.

    There the products of the estimators telescope: it takes one step as well as one for every
    time, and a group that waits no more is a single step.

    Returns
    -------
    ibis.Table
        ``by``, ``gone``, ``at_risk`` (leads there at the beginning), ``left``, ``hits`` (of kind
        1), and ``before``, the survival up to there.
    """
    steps = left.group_by([*by, "gone"]).aggregate(
        at_risk=(left["after"].max() + 1).cast("float64"),
        left=left.count().cast("float64"),
        hits=(left["kind"] == 1).sum().cast("float64"),
    )
    # Only the last stretch can leave nobody; no other comes after it.
    stays = ibis.greatest(1 - steps["left"] / steps["at_risk"], 1e-300)
    earlier = ibis.window(group_by=list(by), order_by="gone", preceding=(None, 1))
    return steps.mutate(before=stays.ln().sum().over(earlier).fill_null(0.0).exp())


def survival(leads: ir.Table, *, time: str, event: str, by: Sequence[str]) -> ir.Table:
    """Return `exits` with the Kaplan–Meier estimate after each, ``survival``.

    That of a time is that of its last exit. See `survival_steps`.
    """
    left = exits(leads, time=time, kind=event, by=by)
    begun = stretches(left, by).select(*by, "gone", "before", start="at_risk")
    found = left.join(begun, [*by, "gone"])
    return found.mutate(survival=found["before"] * found["after"] / found["start"])


def survival_steps(leads: ir.Table, *, time: str, event: str, by: Sequence[str]) -> ir.Table:
    r"""Return the Kaplan–Meier curve of each group, one row per distinct time.

    Parameters
    ----------
    leads
        One row per lead; ``time`` is a number (to the event, or to the moment it was last seen
        waiting), ``event`` is 1 where the lead left and 0 where it still waits.
    by
        Columns of the groups.

    Returns
    -------
    ibis.Table
        ``by``, ``time``, ``at_risk``, ``left``, ``survival`` in [0, 1] and ``greenwood``, the sum
        in Greenwood's variance.

    Notes
    -----
    .. math:: S(t) = \prod_{t_i \le t} (1 - d_i / n_i), \quad
              \widehat{Var} = S(t)^2 \sum d_i / (n_i (n_i - d_i))

    Leads censored at a time of an event count as at risk there. Kaplan, E. L. & Meier, P. (1958),
    J. Am. Stat. Assoc. 53:457-481.
    """
    each = survival(leads, time=time, event=event, by=by)
    steps = each.group_by([*by, "time"]).aggregate(
        at_risk=each["after"].max() + 1, left=each.count(), survival=each["survival"].min()
    )
    so_far = ibis.window(group_by=list(by), order_by="time", preceding=None, following=0)
    n, d = (steps[c].cast("float64") for c in ("at_risk", "left"))
    term = (n > d).ifelse(d / (n * (n - d)), ibis.null("float64"))
    return steps.mutate(greenwood=term.sum().over(so_far))


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


def incidence(
    leads: ir.Table, *, time: str, kind: str, until: float, by: Sequence[str]
) -> ir.Table:
    r"""Return the Aalen–Johansen cumulative incidence of one kind of event at a time.

    Parameters
    ----------
    leads
        One row per lead; ``time`` to the first event or to the moment last seen, ``kind`` 1 for
        the event of interest, 2 for the competing one, 0 for none yet.
    until
        The time asked for, in the unit of ``time``.
    by
        Columns of the groups.

    Returns
    -------
    ibis.Table
        ``by``, ``incidence`` in [0, 1], and ``variance``.

    Notes
    -----
    .. math:: F_1(t) = \sum_{t_i \le t} S(t_{i-1}) d_{1i} / n_i

    where S is the survival from both kinds. Variance as in Marubini, E. & Valsecchi, M. G. (1995),
    Analysing Survival Data from Clinical Trials, section 10.3. Aalen, O. O. & Johansen, S. (1978),
    Scand. J. Stat. 5:141-150.
    """
    groups = list(by)
    steps = stretches(exits(leads, time=time, kind=kind, by=groups, until=until), groups)
    so_far = ibis.window(group_by=groups, order_by="gone", preceding=None, following=0)
    step = steps["before"] * steps["hits"] / steps["at_risk"]
    steps = steps.mutate(step=step, reached=step.sum().over(so_far))
    n, d, d1, s = (steps[c] for c in ("at_risk", "left", "hits", "before"))
    hazard = (n > d).ifelse(d / (n * (n - d)), 0.0)
    own = s * d1 / n**2
    sums = steps.group_by(groups).aggregate(
        incidence=steps["step"].sum(),
        h0=hazard.sum(),
        h1=(hazard * steps["reached"]).sum(),
        h2=(hazard * steps["reached"] ** 2).sum(),
        b=(s**2 * (n - d1) / n * d1 / n**2).sum(),
        c0=own.sum(),
        c1=(own * steps["reached"]).sum(),
    )
    total = sums["incidence"]
    spread = total**2 * sums["h0"] - 2 * total * sums["h1"] + sums["h2"]
    cross = total * sums["c0"] - sums["c1"]
    return sums.select(*groups, "incidence", variance=spread + sums["b"] - 2 * cross)


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
