"""The report's numbers in plain pandas: a rival to measure `mqlkit run` against.

It knows its data: the exports of make_leads.py, months of one year, breakdown by source, UTC, the
calendar clock, decisions stop the SLA. It checks no row, keeps no ledger and draws nothing.

    python benchmarks/rival_pandas.py FOLDER OUT.json
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

START, AS_OF = pd.Timestamp("2025-07-01", tz="UTC"), pd.Timestamp("2026-07-01", tz="UTC")
EDGES = pd.date_range(START, AS_OF, freq="MS")
MONTHS = range(12)
STAMPS = ["created_at", "mql_at", "contacted_at", "accepted_at", "rejected_at", "sql_at"]
HOUR, DAY = pd.Timedelta(hours=1), pd.Timedelta(days=1)
SLA = 48 * HOUR
ROLLING = 3
WHOLE = -100  # the month that stands for the whole period
Z = 1.959963984540054


def read_leads(folder: Path) -> pd.DataFrame:
    """Return the MQLs as of the report's moment, with their durations."""
    leads = pd.read_csv(
        folder / "leads.csv",
        usecols=[*STAMPS, "source"],
        parse_dates=STAMPS,
        date_format="ISO8601",
        dtype={"source": "category"},
    )
    for stamp in STAMPS:
        leads[stamp] = leads[stamp].where(leads[stamp] < AS_OF)
    leads = leads[leads["mql_at"].notna()]
    source = leads["source"].cat.add_categories("(missing)").fillna("(missing)")
    exit_at = leads[["accepted_at", "rejected_at", "sql_at"]].min(axis=1)
    since = {
        name: leads[f"{name}_at"] - leads["mql_at"]
        for name in ("accepted", "rejected", "sql", "contacted")
    }
    return pd.DataFrame(
        {
            "source": source,
            "month": month_of(leads["mql_at"]),
            "sql_month": month_of(leads["sql_at"]),
            "exit_month": month_of(exit_at.where(exit_at > leads["mql_at"], leads["mql_at"])).where(
                exit_at.notna(), np.inf
            ),
            **since,
            "accepted": since["accepted"].where(
                ~(since["sql"] < since["accepted"]) & since["accepted"].notna(), since["sql"]
            ),
            "stage": exit_at - leads["mql_at"],
            "lag": leads["mql_at"] - leads["created_at"],
            "waited": AS_OF - leads["mql_at"],
        }
    )


def month_of(stamps: pd.Series) -> pd.Series:
    """Return the months since the start of the period; NaN without a stamp."""
    return (stamps.dt.year - START.year) * 12 + stamps.dt.month - START.month


def groups(columns: pd.DataFrame, month: str = "month"):
    """Return (grouping, keys) for months and the whole, all leads and each source."""
    whole = pd.Series(WHOLE, index=columns.index)
    everyone = pd.Series("", index=columns.index)
    source = columns["source"].astype(str)
    for m in (columns[month].astype(int), whole):
        for s in (source, everyone):
            yield [m.rename("month"), s.rename("source")]


def count(cohort: pd.DataFrame) -> pd.DataFrame:
    """Return everything that is counted, averaged or ranked, by month and source."""
    stage, contact = cohort["stage"], cohort["contacted"]
    in_order = ~(stage < pd.Timedelta(0))
    is_open, is_sql = stage.isna(), cohort["sql"].notna()
    accepted, rejected = cohort["accepted"], cohort["rejected"]
    fast = contact.between(pd.Timedelta(0), HOUR)
    slow = contact > HOUR
    flags = pd.DataFrame(
        {
            "mqls": True,
            "accepted": accepted.notna() & ~(rejected < accepted),
            "rejected": rejected.notna() & ~(accepted <= rejected),
            "sqls": is_sql,
            "in_order": in_order,
            "gone": in_order & ~is_open,
            "sla_met": in_order & (stage <= SLA),
            "sla_breached": in_order & ((stage > SLA) | (is_open & (cohort["waited"] > SLA))),
            "sla_past_due": in_order & is_open & (cohort["waited"] > SLA),
            "sla_pending": in_order & is_open & (cohort["waited"] <= SLA),
            "sla_unmeasurable": ~in_order,
            "fast": fast,
            "slow": slow,
            "hour_over": contact.isna() & (cohort["waited"] >= HOUR),
            "fast_sqls": fast & is_sql,
            "slow_sqls": slow & is_sql,
            "lagged": cohort["lag"] >= pd.Timedelta(0),
        }
    )
    hours = (stage / HOUR).where(in_order)
    lag = (cohort["lag"] / DAY).where(flags["lagged"])
    parts = []
    for keys in groups(cohort):
        found = flags.groupby(keys).sum()
        by_hours = hours.groupby(keys)
        found["hours_mean"] = by_hours.mean()
        found["hours_median"] = by_hours.median()
        found["hours_p90"] = by_hours.quantile(0.9)
        found["lag_days"] = lag.groupby(keys).mean()
        parts.append(found)
    return pd.concat(parts)


def survival(time: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return times, leads at risk, Kaplan-Meier estimate and Greenwood's sum."""
    times, place = np.unique(time, return_inverse=True)
    d = np.bincount(place, weights=left)
    n = np.bincount(place)[::-1].cumsum()[::-1]
    times, d, n = times[d > 0], d[d > 0], n[d > 0]
    with np.errstate(divide="ignore"):
        green = np.where(n > d, d / (n * (n - d)), 0).cumsum()
    return times, n, np.cumprod(1 - d / n), green


def km_median(time: np.ndarray, left: np.ndarray) -> float:
    """Return the smallest time at which at most half are left."""
    times, _, s, _ = survival(time, left)
    below = np.flatnonzero(s <= 0.5 + 1e-12)
    return times[below[0]] if len(below) else np.nan


def chances(leads: pd.DataFrame) -> tuple[pd.Series, float, float]:
    """Return each lead's chance to become an SQL yet, its relative error, and the maturity.

    The Aalen-Johansen estimate of all leads in order, up to the age that 30 of them have reached.
    """
    seen = leads[~(leads["stage"] < pd.Timedelta(0))]
    time = (seen["sql"].fillna(seen["rejected"]).fillna(seen["waited"]) / DAY).to_numpy()
    kind = np.where(seen["sql"].notna(), 1, np.where(seen["rejected"].notna(), 2, 0))
    horizon = np.sort(time)[-min(30, -(-len(time) // 10))]
    times, place = np.unique(time, return_inverse=True)
    d, d1 = np.bincount(place, weights=kind > 0), np.bincount(place, weights=kind == 1)
    n = np.bincount(place)[::-1].cumsum()[::-1].astype(float)
    kept = (d > 0) & (times <= horizon)
    times, d, d1, n = times[kept], d[kept], d1[kept], n[kept]
    after = np.cumprod(1 - d / n)
    before = np.concatenate([[1.0], after[:-1]])
    f = np.cumsum(before * d1 / n)
    rest = f[-1] - f
    with np.errstate(divide="ignore"):
        hazard = np.where(n > d, d / (n * (n - d)), 0)
    variance = (
        (rest**2 * hazard).sum()
        + (before**2 * (n - d1) / n * d1 / n**2).sum()
        - 2 * (rest * before * d1 / n**2).sum()
    )
    age = np.searchsorted(times, time, side="right")
    ahead = (f[-1] - np.append(0.0, f)[age]) / np.append(1.0, after)[age]
    p = pd.Series(np.where((kind == 0) & (time < horizon), ahead, 0.0), index=seen.index)
    maturity = times[np.searchsorted(f, 0.9 * f[-1] - 1e-12)]
    return p.reindex(leads.index, fill_value=0.0), np.sqrt(variance) / f[-1], maturity


def curves(cohort: pd.DataFrame) -> pd.DataFrame:
    """Return the Kaplan-Meier median, and the sums of chances, by month and source."""
    seen = cohort[~(cohort["stage"] < pd.Timedelta(0))]
    time = (seen["stage"].fillna(seen["waited"]) / HOUR).to_numpy()
    left = seen["stage"].notna().to_numpy()
    p = seen["p"].to_numpy()
    rows = {}
    for keys in groups(seen):
        for key, at in seen.groupby(keys).indices.items():
            rows[key] = (km_median(time[at], left[at]), p[at].sum(), (p[at] * (1 - p[at])).sum())
    index = pd.MultiIndex.from_tuples(rows, names=["month", "source"])
    return pd.DataFrame(rows.values(), index=index, columns=["km_median", "expected", "spread"])


def curve(cohort: pd.DataFrame) -> list[dict]:
    """Return the survival curve of the whole period, at most 240 steps of it."""
    seen = cohort[~(cohort["stage"] < pd.Timedelta(0))]
    time = (seen["stage"].fillna(seen["waited"]) / HOUR).to_numpy()
    times, n, s, green = survival(time, seen["stage"].notna().to_numpy())
    _, first = np.unique(-np.floor(s * 240), return_index=True)
    times, n, s, green = (x[first] for x in (times, n, s, green))
    with np.errstate(divide="ignore", invalid="ignore"):
        power = Z * np.sqrt(green) / np.log(s)
        low, high = s ** np.exp(-power), s ** np.exp(power)
    low, high = np.where(np.isfinite(low), low, s), np.where(np.isfinite(high), high, s)
    frame = pd.DataFrame({"hours": times, "waiting": s, "low": low, "high": high, "at_risk": n})
    return frame.to_dict("records")


def stock(leads: pd.DataFrame) -> pd.DataFrame:
    """Return who is an MQL at each month's end."""
    rows = {}
    for month in MONTHS:
        waiting = leads["source"][(leads["month"] <= month) & (leads["exit_month"] > month)]
        rows |= {(month, s): n for s, n in waiting.value_counts().items()} | {
            (month, ""): len(waiting)
        }
    rows |= {(WHOLE, source): n for (month, source), n in rows.items() if month == MONTHS[-1]}
    return pd.Series(rows).rename_axis(["month", "source"]).to_frame("in_stage")


def flow(leads: pd.DataFrame) -> pd.DataFrame:
    """Return SQLs by the month they are dated in."""
    dated = leads[leads["sql_month"].between(0, 11)]
    sizes = [dated.groupby(keys).size() for keys in groups(dated, "sql_month")]
    return pd.concat(sizes).to_frame("flow")


def spend_of(folder: Path, lag: int) -> tuple[pd.DataFrame, pd.Series]:
    """Return spend by month (from two before the period) and channel, and of everything."""
    ranges = pd.read_csv(folder / "spend.csv", parse_dates=["date_from", "date_to"])
    days = (ranges["date_to"] - ranges["date_from"]).dt.days + 1
    daily = ranges.loc[ranges.index.repeat(days), ["date_from", "channel"]]
    offset = daily.groupby(level=0).cumcount().to_numpy()
    daily["day"] = daily.pop("date_from") + pd.to_timedelta(offset, unit="D")
    daily["amount"] = (ranges["amount"] / days).loc[daily.index]
    first, last = daily["day"].min(), daily["day"].max() + DAY
    naive = START.tz_localize(None)
    rows = {}
    spans = {
        m: (naive + pd.DateOffset(months=m), naive + pd.DateOffset(months=m + 1))
        for m in range(1 - ROLLING, 12)
    } | {WHOLE: (naive, naive + pd.DateOffset(months=12))}
    for month, span in spans.items():
        begin, end = (edge - lag * DAY for edge in span)
        inside = daily[(daily["day"] >= begin) & (daily["day"] < end)]
        covered = begin >= first and end <= last
        by_channel = inside.groupby("channel")["amount"].sum()
        for channel in ranges["channel"].unique():
            rows[month, channel] = by_channel.get(channel, 0.0) if covered else np.nan
        rows[month, ""] = inside["amount"].sum() if covered else np.nan
    return pd.Series(rows).rename_axis(["month", "source"])


def wilson(k: pd.Series, n: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return the 95 % Wilson interval of a share."""
    share, scale = k / n, 1 + Z**2 / n
    center = share + Z**2 / (2 * n)
    spread = Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    low = ((center - spread) / scale).mask(k == 0, 0.0)
    high = ((center + spread) / scale).mask(k == n, 1.0)
    return low.where(n > 0), high.where(n > 0)


def tall(wide: pd.DataFrame, error: float) -> list[dict]:
    """Return one row per metric, month and source."""
    c = wide
    reach = Z * np.sqrt(c["spread"] + (c["expected"] * error) ** 2)
    hits = c["sqls"] + c["expected"]
    decided, done = c["accepted"] + c["rejected"], c["sla_met"] + c["sla_breached"]
    reached, due = c["fast"] + c["slow"], c["fast"] + c["slow"] + c["hour_over"]
    lift = (c["fast_sqls"] / c["fast"]) / (c["slow_sqls"] / c["slow"])
    spread = Z * np.sqrt(1 / c["fast_sqls"] - 1 / c["fast"] + 1 / c["slow_sqls"] - 1 / c["slow"])
    cost = c["spend"] / c["mqls"]
    rows = {
        "mqls": (c["mqls"],),
        "in_stage": (c["in_stage"],),
        "goal": (c["goal"],),
        "goal_attainment": (c["mqls"] / c["goal"],),
        "goal_gap": (c["mqls"] - c["goal"],),
        "accepted": (c["accepted"],),
        "rejected": (c["rejected"],),
        "undecided": (c["mqls"] - decided,),
        "acceptance_rate": (c["accepted"] / decided, decided, *wilson(c["accepted"], decided)),
        "sqls": (c["sqls"],),
        "efficiency": (c["sqls"] / c["mqls"], c["mqls"], *wilson(c["sqls"], c["mqls"])),
        "mqls_per_sql": (c["mqls"] / c["sqls"], c["mqls"]),
        "sqls_in_period": (c["flow"],),
        "efficiency_flow": (c["flow"] / c["mqls"], c["mqls"]),
        "efficiency_projected": (
            hits / c["mqls"],
            c["mqls"],
            (c["sqls"] + (c["expected"] - reach).clip(lower=0)) / c["mqls"],
            np.minimum(hits + reach, c["mqls"]) / c["mqls"],
        ),
        "hours_in_stage_mean": (c["hours_mean"], c["gone"]),
        "hours_in_stage_median": (c["hours_median"], c["gone"]),
        "hours_in_stage_p90": (c["hours_p90"], c["gone"]),
        "hours_in_stage_km_median": (c["km_median"], c["in_order"]),
        "sla_met": (c["sla_met"],),
        "sla_breached": (c["sla_breached"],),
        "sla_past_due": (c["sla_past_due"],),
        "sla_pending": (c["sla_pending"],),
        "sla_unmeasurable": (c["sla_unmeasurable"],),
        "sla_attainment": (c["sla_met"] / done, done, *wilson(c["sla_met"], done)),
        "contacted_within_1h": (c["fast"] / due, due, *wilson(c["fast"], due)),
        "lift_1h": (lift, reached, lift * np.exp(-spread), lift * np.exp(spread)),
        "lead_to_mql_days_mean": (c["lag_days"], c["lagged"]),
        "spend": (c["spend"],),
        "cost_per_mql": (cost, c["mqls"]),
        "cost_per_sql": (c["spend"] / c["sqls"], c["sqls"]),
        "wasted_cost": (c["sla_breached"] * cost, c["sla_breached"]),
        "cost_per_mql_rolling": (c["rolling"], c["rolling_mqls"]),
    }
    out = []
    for metric, columns in rows.items():
        frame = pd.DataFrame(dict(zip(("value", "n", "low", "high"), columns, strict=False)))
        frame = frame.reindex(columns=["value", "n", "low", "high"]).replace([np.inf], np.nan)
        for (month, source), *cells in (
            frame.reset_index().set_index(["month", "source"]).itertuples()
        ):
            plain = [None if pd.isna(x) else float(x) for x in cells]
            where = {"month": None if month == WHOLE else month, "source": source or None}
            out.append(
                {"metric": metric, **where}
                | dict(zip(("value", "n", "low", "high"), plain, strict=True))
            )
    return out


def main() -> None:
    """Compute all, and write it as JSON."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    leads = read_leads(folder)
    leads["p"], error, maturity = chances(leads)
    cohort = leads[leads["month"].between(0, 11)]
    wide = count(cohort)
    wide = wide.join([curves(cohort), stock(leads), flow(leads)])
    wide = wide.fillna({"in_stage": 0, "flow": 0})
    lag = round(wide.loc[(WHOLE, ""), "lag_days"])
    spend = spend_of(folder, lag)
    wide["spend"] = spend.reindex(wide.index)
    goals = pd.read_csv(folder / "goals.csv", parse_dates=["month"])
    goal = goals.set_index(month_of(goals["month"]))["mqls"].reindex(MONTHS)
    goal = {(m, ""): g for m, g in goal.items()} | {(WHOLE, ""): goal.sum()}
    wide["goal"] = pd.Series(goal).reindex(wide.index)
    of_all = range(1 - ROLLING, 12)
    mqls = leads["month"].value_counts().reindex(of_all, fill_value=0)
    total = pd.Series([spend[m, ""] for m in of_all], index=of_all)
    total = total.where(total.index >= leads["month"].min())
    counts = mqls.rolling(ROLLING).sum().loc[0:]
    rolling = total.rolling(ROLLING).sum().loc[0:] / counts
    for name, values in {"rolling": rolling, "rolling_mqls": counts}.items():
        wide[name] = pd.Series({(m, ""): v for m, v in values.items()}).reindex(wide.index)
    document = {
        "lag_days_used": lag,
        "maturity_days": maturity,
        "metrics": tall(wide, error),
        "curve": curve(cohort),
    }
    out.write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    main()
