"""Verdict on MQLs against the goal."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from mqlkit.core.names import SMALL_N, TOTAL
from mqlkit.core.text import bucket_name, bucket_noun
from mqlkit.metrics.tidy import constant, pick
from mqlkit.metrics.volume import latest_against_goal
from mqlkit.views.claims import (
    BAD,
    ESTIMATED,
    GOOD,
    MEASURED,
    PLAIN,
    SO_FAR,
    UNCLEAR,
    UNKNOWN,
    Cells,
    Claim,
    Quantity,
    Range,
    Sentence,
    Verdict,
    verdict,
)  # fmt: skip

NO_GOAL = Sentence("{mqls:MQL} in the period{when}. No goal is set.")
PART_GOAL = Sentence("{mqls:MQL} in the period{when}. The goals do not cover the whole period.")
MISSED = Sentence(
    "{mqls:MQL}: {gap} short of the goal of {goal} ({attainment}). Marketing must produce more."
)
MISSED_BY_CHANCE = Sentence(
    "{mqls:MQL}: {gap} short of the goal of {goal} ({attainment}). Marketing must produce more. A "
    "gap of this size is within chance."
)
EXACT = Sentence(
    "{mqls:MQL}: exactly the goal. Marketing produces enough; the same number is enough."
)
EXCEEDED = Sentence(
    "{mqls:MQL}: {gap} more than the goal of {goal}. Marketing produces enough; fewer would have "
    "been enough."
)
REACHED = Sentence("{mqls:MQL} so far: the goal of {goal} is reached.")
BEHIND = Sentence(
    "{mqls:MQL} so far, behind the even pace of {to_date} by now. The goal of {goal} needs "
    "{needed} a day from now on."
)
AHEAD = Sentence(
    "{mqls:MQL} so far, ahead of the even pace of {to_date} by now. The goal of {goal} needs "
    "{needed} a day from now on."
)
ON_PACE = Sentence(
    "{mqls:MQL} so far, and {to_date} at an even pace: the difference is within chance. The goal "
    "of {goal} needs {needed} a day from now on."
)
LATEST = Sentence(
    "{bucket_name}, the latest complete {noun}: {mqls:MQL} against a goal of {goal} ({attainment})."
)
LATEST_NO_GOAL = Sentence(
    "{bucket_name}, the latest complete {noun}: {mqls:MQL} against a goal of {goal}."
)
BELOW_AGAIN = Sentence("Each of the last {n} complete {noun}s was below its goal.")
DIFFERS_DOWN = Sentence("For the period the goal is met, but not in the latest complete {noun}.")
DIFFERS_UP = Sentence("For the period the goal is missed, but not in the latest complete {noun}.")
FORECAST = Sentence(
    "{bucket_name} is on course for {forecast} MQLs by its end (80% prediction interval "
    "{interval}), if it goes on as the {closed} {noun}s before it did."
)
FORECAST_GOAL = Sentence(
    "{bucket_name} is on course for {forecast} MQLs by its end (80% prediction interval "
    "{interval}), if it goes on as the {closed} {noun}s before it did: a probability of "
    "{probability} to reach its goal of {goal}."
)
FORECAST_REACHED = Sentence(
    "{bucket_name} is on course for {forecast} MQLs by its end (80% prediction interval "
    "{interval}), if it goes on as the {closed} {noun}s before it did. Its goal of {goal} is "
    "reached."
)
BACKTEST = Sentence(
    "Made at the same point of earlier {noun}s, such a forecast had the outcome inside its "
    "interval in {hits} of {trials}."
)
TOO_SHORT = Sentence(
    "There is no forecast for {bucket_name}: it needs 6 complete {noun}s before it, and the data "
    "has {closed}."
)
EXPECTED = "expected leads"
# For the headline.
SHORT_WORDS = {
    MISSED: "{gap} too few", MISSED_BY_CHANCE: "{gap} too few, within chance",
    EXACT: "Enough", EXCEEDED: "Enough", REACHED: "Goal reached",
    BEHIND: "Behind pace", AHEAD: "Ahead of pace", ON_PACE: "On pace, within chance",
    LATEST: "Below the goal in {bucket_name}",
    LATEST_NO_GOAL: "Enough",
}  # fmt: skip
# From so many leads on, a pace has no decimals.
WHOLE_FROM = 100
# So many buckets below the goal in a row are said, and so many are hardly chance: 1 in 32.
MANY, TOO_MANY = 3, 5


def goal(rows: pd.DataFrame) -> Verdict:
    """Return whether marketing produces enough MQLs, compared with the goal.

    Parameters
    ----------
    rows
        `Report.volume`.
    """
    total = Cells(rows)
    mqls = total.figure("mqls")
    if math.isnan(total.value("goal")):
        has_part = pick(rows, "goal")["value"].notna().any()
        sentence = PART_GOAL if has_part else NO_GOAL
        when = " so far" if "in-progress" in total.flags("mqls") else ""
        return verdict(sentence.claim("mqls", certainty=UNKNOWN, mqls=mqls, when=when))
    period, latest = _of_period(total), _of_latest(rows, total)
    if any(claim.sentence == DIFFERS_DOWN for claim in latest):
        # Praise for the period would hide the latest bucket.
        period = replace(period, status=PLAIN)
    return verdict(period, *latest)


def short_words(judged: Verdict) -> str:
    """Return the words for a card: those of what sets the tone, or of a latest bucket below it."""
    claims = {claim.sentence: claim for claim in judged.claims}
    tone = [claim for claim in judged.claims if claim.status == judged.tone]
    claim = claims[LATEST] if DIFFERS_DOWN in claims and LATEST in claims else tone[0]
    return SHORT_WORDS[claim.sentence].format(**claim.figures, **claim.terms)


def _of_period(total: Cells) -> Claim:
    if "in-progress" in total.flags("mqls"):
        return _so_far(total)
    gap, wanted = total.value("goal_gap"), total.value("goal")
    sentence, status, certainty = EXCEEDED if gap > 0 else EXACT, GOOD, MEASURED
    if gap < 0:
        is_chance = total.interval("mqls_range").holds(wanted)
        sentence = MISSED_BY_CHANCE if is_chance else MISSED
        status = BAD if wanted >= SMALL_N and not is_chance else PLAIN
        certainty = UNCLEAR if is_chance else MEASURED
    return sentence.claim(
        "mqls",
        status=status,
        certainty=certainty,
        mqls=total.figure("mqls"),
        goal=total.figure("goal"),
        gap=total.size("goal_gap"),
        attainment=total.figure("goal_attainment", unit="share"),
    )


def forecast(rows: pd.DataFrame) -> Verdict | None:
    """Return what the running bucket is on course for, and how good such forecasts were.

    Parameters
    ----------
    rows
        `Report.volume`; None is returned if the as-of date is inside no whole bucket.
    """
    found = pick(rows, "mqls_forecast")
    if found.empty:
        return None
    bucket = str(found["bucket"].iloc[-1])
    names = {"bucket_name": bucket_name(bucket), "noun": bucket_noun(bucket)}
    cells, closed = Cells(rows, bucket), Quantity(constant(rows, "closed_buckets", 0))
    if math.isnan(cells.value("mqls_forecast")):
        return verdict(
            TOO_SHORT.claim(
                "mqls_forecast", bucket=bucket, certainty=UNKNOWN, closed=closed, **names
            )
        )
    has_goal = not math.isnan(cells.value("goal_probability"))
    sentence = FORECAST_GOAL if has_goal else FORECAST
    if has_goal and cells.value("mqls") >= cells.value("goal"):
        sentence = FORECAST_REACHED
    expected = sentence.claim(
        "mqls_forecast",
        bucket=bucket,
        certainty=ESTIMATED,
        forecast=cells.figure("mqls_forecast", unit=EXPECTED),
        interval=Range(
            cells.figure("mqls_forecast", "low", unit=EXPECTED),
            cells.figure("mqls_forecast", "high", unit=EXPECTED),
        ),
        closed=closed,
        probability=cells.figure("goal_probability"),
        goal=cells.figure("goal"),
        **names,
    )
    return verdict(expected, _backtest(rows, bucket))


def _backtest(rows: pd.DataFrame, bucket: str) -> Claim | None:
    hits, trials = (constant(rows, f"backtest_{name}", 0) for name in ("hits", "trials"))
    if not trials:
        return None
    return BACKTEST.claim(
        "mqls_forecast", bucket=bucket, noun=bucket_noun(bucket), hits=Quantity(hits),
        trials=Quantity(trials),
    )  # fmt: skip


def _so_far(total: Cells) -> Claim:
    mqls, wanted = total.figure("mqls"), total.figure("goal")
    if mqls.value >= wanted.value:
        return REACHED.claim("mqls", status=GOOD, certainty=SO_FAR, mqls=mqls, goal=wanted)
    unit = EXPECTED if total.value("goal_to_date") >= WHOLE_FROM else ""
    to_date, chance = total.figure("goal_to_date", unit=unit), total.interval("mqls_range")
    sentence, status, certainty = ON_PACE, PLAIN, UNCLEAR
    if not chance.holds(to_date.value):
        is_behind = to_date.value > mqls.value
        sentence, status = (BEHIND, BAD) if is_behind else (AHEAD, GOOD)
        certainty = SO_FAR
    return sentence.claim(
        "mqls", status=status, certainty=certainty, mqls=mqls, goal=wanted, to_date=to_date,
        needed=total.figure("needed_per_day"),
    )  # fmt: skip


def _of_latest(rows: pd.DataFrame, total: Cells) -> list[Claim]:
    """Return the latest complete bucket against its goal, unless it is the whole period."""
    latest = latest_against_goal(rows)
    if latest is None or latest.bucket == _only_bucket(rows):
        return []
    cells, noun = Cells(rows, latest.bucket), bucket_noun(latest.bucket)
    is_short = latest.n_below > 0
    is_clear = is_short and not cells.interval("mqls_range").holds(cells.value("goal"))
    sentence = LATEST if cells.value("goal") else LATEST_NO_GOAL
    found = [
        sentence.claim(
            "mqls",
            bucket=latest.bucket,
            status=BAD if is_clear or latest.n_below >= TOO_MANY else PLAIN,
            noun=noun,
            bucket_name=bucket_name(latest.bucket),
            mqls=cells.figure("mqls"),
            goal=cells.figure("goal"),
            attainment=cells.figure("goal_attainment", unit="share"),
        )
    ]
    if latest.n_below >= MANY:
        n = Quantity(latest.n_below)
        found.append(BELOW_AGAIN.claim("goal_gap", bucket=latest.bucket, n=n, noun=noun))
    if "in-progress" not in total.flags("mqls") and is_short != (total.value("goal_gap") < 0):
        sentence = DIFFERS_DOWN if is_short else DIFFERS_UP
        found.append(sentence.claim("goal_gap", bucket=latest.bucket, noun=noun))
    return found


def _only_bucket(rows: pd.DataFrame) -> str:
    """Return the bucket of a period that has no other."""
    buckets = [b for b in pick(rows, "mqls")["bucket"].unique() if b != TOTAL]
    return str(buckets[0]) if len(buckets) == 1 else ""
