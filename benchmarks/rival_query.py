"""The report's numbers in hand-written DuckDB SQL: a rival to measure `mqlkit run` against.

It knows its data: the exports of make_leads.py, months of one year, breakdown by source, UTC, the
calendar clock, decisions stop the SLA. It checks no row, keeps no ledger and draws nothing.

    python benchmarks/rival_query.py FOLDER OUT.json
"""

import json
import sys
from pathlib import Path

import duckdb

# Months are counted from the start of the period; NULL stands for the whole of it.
READ = """
SET enable_progress_bar = false;
CREATE MACRO start() AS TIMESTAMP '2025-07-01';
CREATE MACRO as_of() AS TIMESTAMP '2026-07-01';
CREATE MACRO known(t) AS CASE WHEN t < as_of() THEN t END;
CREATE MACRO month_of(t) AS (datediff('month', start(), t))::INT;
CREATE MACRO us(a, b) AS epoch_us(b) - epoch_us(a);
CREATE MACRO wilson(k, n, side) AS CASE WHEN n = 0 THEN NULL WHEN k = 0 AND side < 0 THEN 0
  WHEN k = n AND side > 0 THEN 1 ELSE (k / n + 1.959963984540054 ** 2 / (2 * n)
    + side * 1.959963984540054 * sqrt(k / n * (1 - k / n) / n + (1.959963984540054 / (2 * n)) ** 2))
    / (1 + 1.959963984540054 ** 2 / n) END;
CREATE MACRO share(k, n) AS CASE WHEN n > 0 THEN k / n END;

CREATE TABLE leads AS
WITH stamps AS (
  SELECT coalesce(source, '(missing)') AS source, known(created_at) AS created_at,
    known(mql_at) AS mql_at, known(contacted_at) AS contacted_at, known(accepted_at) AS accepted_at,
    known(rejected_at) AS rejected_at, known(sql_at) AS sql_at
  FROM read_csv('{folder}/leads.csv', header = true, auto_detect = false, columns = {{
    'lead_id': 'VARCHAR', 'created_at': 'TIMESTAMP', 'mql_at': 'TIMESTAMP',
    'contacted_at': 'TIMESTAMP', 'accepted_at': 'TIMESTAMP', 'rejected_at': 'TIMESTAMP',
    'sql_at': 'TIMESTAMP', 'source': 'VARCHAR', 'owner': 'VARCHAR'}})
)
SELECT source, mql_at, month_of(mql_at) AS month, month_of(sql_at) AS sql_month,
  least(accepted_at, rejected_at, sql_at) AS exit_at,
  us(mql_at, exit_at) AS stage_us, us(mql_at, least(accepted_at, sql_at)) AS accepted_us,
  us(mql_at, rejected_at) AS rejected_us, us(mql_at, sql_at) AS sql_us,
  us(mql_at, contacted_at) AS contact_us, us(created_at, mql_at) AS lag_us,
  us(mql_at, as_of()) AS waited_us
FROM stamps WHERE mql_at IS NOT NULL;

CREATE TABLE cohort AS
SELECT *, coalesce(stage_us >= 0, true) AS in_order, coalesce(contact_us >= 0, false) AS reached,
  reached AND contact_us <= 3600000000 AS fast, sql_us IS NOT NULL AS is_sql
FROM leads WHERE month BETWEEN 0 AND 11;
"""

COUNTS = """
CREATE TABLE counts AS
SELECT month, source, count(*) AS mqls,
  count(*) FILTER (accepted_us <= coalesce(rejected_us, accepted_us)) AS accepted,
  count(*) FILTER (rejected_us < coalesce(accepted_us, rejected_us + 1)) AS rejected,
  mqls - accepted - rejected AS undecided,
  count(*) FILTER (is_sql) AS sqls,
  count(*) FILTER (in_order) AS in_order_n,
  count(stage_us) FILTER (in_order) AS gone,
  avg(stage_us) FILTER (in_order) / 3.6e9 AS hours_mean,
  quantile_cont(stage_us, [0.5, 0.9]) FILTER (in_order) AS hours,
  count(*) FILTER (in_order AND stage_us <= 172800000000) AS sla_met,
  count(*) FILTER (in_order AND stage_us IS NULL AND waited_us > 172800000000) AS sla_past_due,
  count(*) FILTER (in_order AND stage_us > 172800000000) + sla_past_due AS sla_breached,
  count(*) FILTER (in_order AND stage_us IS NULL AND waited_us <= 172800000000) AS sla_pending,
  count(*) FILTER (NOT in_order) AS sla_unmeasurable,
  count(*) FILTER (fast) AS fast,
  count(*) FILTER (reached AND NOT fast) AS slow,
  count(*) FILTER (contact_us IS NULL AND waited_us >= 3600000000) AS hour_over,
  count(*) FILTER (fast AND is_sql) AS fast_sqls,
  count(*) FILTER (reached AND NOT fast AND is_sql) AS slow_sqls,
  count(*) FILTER (lag_us >= 0) AS lagged,
  avg(lag_us) FILTER (lag_us >= 0) / 86.4e9 AS lag_days
FROM cohort GROUP BY GROUPING SETS ((month, source), (month), (source), ());

CREATE TABLE flow AS
SELECT sql_month AS month, source, count(*) AS flow FROM leads WHERE sql_month BETWEEN 0 AND 11
GROUP BY GROUPING SETS ((sql_month, source), (sql_month), (source), ());

-- Entered less left, by month: a lead leaves no sooner than it enters.
CREATE TABLE stock AS
WITH moves AS (
  SELECT source, greatest(month, -1) AS entered,
    CASE WHEN exit_at IS NOT NULL
      THEN greatest(month_of(greatest(exit_at, mql_at)), -1) END AS gone,
    count(*) AS n
  FROM leads GROUP BY ALL
)
SELECT CASE WHEN grouping(m.month) = 0 THEN m.month END AS month, source,
  sum(n) FILTER (entered <= m.month AND (gone IS NULL OR gone > m.month)) AS in_stage
FROM moves, range(12) AS m(month)
GROUP BY GROUPING SETS ((m.month, source), (m.month));
"""

# The number at risk is the size of the group less the leads before: cheaper than a running sum.
CURVES = """
CREATE TABLE waits AS
WITH seen AS (
  SELECT month, source, coalesce(stage_us, waited_us) AS t, stage_us IS NOT NULL AS gone
  FROM cohort WHERE in_order
), laid AS (
  SELECT CASE WHEN monthly THEN month END AS month, CASE WHEN sourced THEN source END AS source,
    t, gone
  FROM seen, (VALUES (true, true), (true, false), (false, true), (false, false)) l(monthly, sourced)
), risk AS (
  SELECT *, (count(*) OVER (PARTITION BY month, source)
    - rank() OVER (PARTITION BY month, source ORDER BY t) + 1)::DOUBLE AS at_risk
  FROM laid
), steps AS (
  SELECT month, source, t, any_value(at_risk) AS at_risk, count(*) AS d
  FROM risk WHERE gone GROUP BY month, source, t
)
SELECT month, source, t, at_risk,
  exp(sum(CASE WHEN d < at_risk THEN ln(1 - d / at_risk) ELSE -1000 END) OVER w) AS survival,
  sum(CASE WHEN d < at_risk THEN d / (at_risk * (at_risk - d)) END) OVER w AS greenwood
FROM steps
WINDOW w AS (PARTITION BY month, source ORDER BY t ROWS UNBOUNDED PRECEDING);

CREATE TABLE medians AS
SELECT month, source, min(t) / 3.6e9 AS km_median FROM waits
WHERE survival <= 0.5 + 1e-12 GROUP BY month, source;

-- The Aalen-Johansen estimate of all leads in order, up to the age that 30 of them have reached.
CREATE TABLE seen AS
SELECT month, source, coalesce(sql_us, rejected_us, waited_us) AS t, sql_us IS NOT NULL AS hit,
  hit OR rejected_us IS NOT NULL AS gone
FROM leads WHERE coalesce(stage_us >= 0, true);

CREATE TABLE curve AS
WITH horizon AS (
  SELECT min(t) AS us FROM (SELECT t FROM seen ORDER BY t DESC
    LIMIT (SELECT least(30, (count(*) + 9) // 10) FROM seen))
), risk AS (
  SELECT *, (count(*) OVER () - rank() OVER (ORDER BY t) + 1)::DOUBLE AS r FROM seen
), times AS (
  SELECT t, any_value(r) AS r, count(*) AS d, count(*) FILTER (hit) AS d1
  FROM risk WHERE gone AND t <= (SELECT us FROM horizon) GROUP BY t
), logs AS (
  SELECT *, sum(CASE WHEN d < r THEN ln(1 - d / r) ELSE -1000 END) OVER (ORDER BY t) AS log_s
  FROM times
), steps AS (
  SELECT *, exp(log_s) AS staying, lag(exp(log_s), 1, 1) OVER (ORDER BY t) AS s FROM logs
)
SELECT *, sum(s * d1 / r) OVER (ORDER BY t) AS f, (SELECT us FROM horizon) AS horizon FROM steps;

CREATE TABLE whole AS
WITH last AS (SELECT max(f) AS f FROM curve)
SELECT last.f, (SELECT min(t) FROM curve c WHERE c.f >= 0.9 * last.f - 1e-12) AS mature_us, (
  SELECT sqrt(sum((last.f - c.f) ** 2 * CASE WHEN r > d THEN d / (r * (r - d)) ELSE 0 END
    + s * s * d1 * (r - d1) / (r * r * r) - 2 * (last.f - c.f) * s * d1 / (r * r))) / last.f
  FROM curve c) AS error
FROM last;

CREATE TABLE projected AS
WITH ages AS (
  SELECT t, f, staying, NULL AS month, NULL AS source, false AS is_open FROM curve
  UNION ALL
  SELECT t, NULL, NULL, month, source, true FROM seen
  WHERE NOT gone AND month BETWEEN 0 AND 11 AND t < (SELECT any_value(horizon) FROM curve)
), reached AS (
  SELECT month, source, is_open, coalesce(last_value(f IGNORE NULLS) OVER w, 0) AS f,
    coalesce(last_value(staying IGNORE NULLS) OVER w, 1) AS staying
  FROM ages WINDOW w AS (ORDER BY t, is_open ROWS UNBOUNDED PRECEDING)
), chances AS (
  SELECT month, source, (whole.f - reached.f) / staying AS p FROM reached, whole WHERE is_open
)
SELECT month, source, sum(p) AS expected, sum(p * (1 - p)) AS spread
FROM chances GROUP BY GROUPING SETS ((month, source), (month), (source), ());
"""

COST = """
CREATE TABLE spend AS
SELECT channel, unnest(generate_series(date_from, date_to, INTERVAL 1 DAY))::DATE AS day,
  amount / (date_to - date_from + 1) AS amount
FROM read_csv('{folder}/spend.csv', columns = {{
  'date_from': 'DATE', 'date_to': 'DATE', 'amount': 'DOUBLE', 'channel': 'VARCHAR'}});

CREATE TABLE lag AS
SELECT round_even(lag_days, 0)::INT AS days FROM counts WHERE month IS NULL AND source IS NULL;

-- Two months before the period as well, which the rolling cost reaches back to.
CREATE TABLE windows AS
SELECT month, start + INTERVAL (month) MONTH - INTERVAL (days) DAY AS begins,
  start + INTERVAL (month + 1) MONTH - INTERVAL (days) DAY AS ends
FROM range(-2, 12) AS m(month), lag, (SELECT start() AS start)
UNION ALL
SELECT NULL, start() - INTERVAL (days) DAY,
  start() + INTERVAL 12 MONTH - INTERVAL (days) DAY FROM lag;

CREATE TABLE spent AS
SELECT w.month, s.source, CASE
  WHEN begins >= (SELECT min(day) FROM spend) AND ends <= (SELECT max(day) + 1 FROM spend)
  THEN coalesce(sum(amount), 0) END AS spend
FROM windows w
CROSS JOIN (SELECT DISTINCT channel AS source FROM spend UNION ALL SELECT NULL) s
LEFT JOIN spend ON day >= begins AND day < ends AND (s.source IS NULL OR channel = s.source)
GROUP BY w.month, s.source, begins, ends;

CREATE TABLE rolling AS
WITH mqls AS (
  SELECT month, count(*) AS n FROM leads WHERE month BETWEEN -2 AND 11 GROUP BY month
), known AS (
  SELECT month, n,
    CASE WHEN month >= (SELECT min(month) FROM leads) THEN spend END AS spend
  FROM spent JOIN mqls USING (month) WHERE source IS NULL
)
SELECT month, sum(n) OVER k AS n,
  CASE WHEN count(spend) OVER k = 3 THEN sum(spend) OVER k / sum(n) OVER k END AS value
FROM known WINDOW k AS (ORDER BY month ROWS 2 PRECEDING);
"""

ROWS = """
CREATE TABLE result AS
WITH goal AS (
  SELECT datediff('month', start(), (month || '-01')::DATE) AS month, mqls AS goal
  FROM read_csv('{folder}/goals.csv', columns = {{'month': 'VARCHAR', 'mqls': 'DOUBLE'}})
), goals AS (
  SELECT month, NULL AS source, sum(goal) AS goal FROM goal WHERE month BETWEEN 0 AND 11
  GROUP BY GROUPING SETS ((month), ())
), everything AS (
  SELECT c.*, goal, km_median, spend, coalesce(expected, 0) AS mu,
    1.959963984540054 * sqrt(coalesce(spread, 0) + (mu * error) ** 2) AS reach,
    coalesce(in_stage, 0) AS in_stage, coalesce(flow, 0) AS flow,
    log_risk(fast_sqls, fast) - log_risk(slow_sqls, slow) AS log_lift,
    1.959963984540054 * sqrt(1 / fast_sqls - 1 / fast + 1 / slow_sqls - 1 / slow) AS lift_spread
  FROM counts c
  CROSS JOIN whole
  LEFT JOIN goals g
    ON c.month IS NOT DISTINCT FROM g.month AND c.source IS NOT DISTINCT FROM g.source
  LEFT JOIN flow f
    ON c.month IS NOT DISTINCT FROM f.month AND c.source IS NOT DISTINCT FROM f.source
  LEFT JOIN stock s ON coalesce(c.month, 11) = s.month AND c.source IS NOT DISTINCT FROM s.source
  LEFT JOIN medians m
    ON c.month IS NOT DISTINCT FROM m.month AND c.source IS NOT DISTINCT FROM m.source
  LEFT JOIN projected p
    ON c.month IS NOT DISTINCT FROM p.month AND c.source IS NOT DISTINCT FROM p.source
  LEFT JOIN spent e
    ON c.month IS NOT DISTINCT FROM e.month AND c.source IS NOT DISTINCT FROM e.source
), tall AS (
  SELECT month, source, unnest([
    row('mqls', mqls, NULL, NULL, NULL),
    row('in_stage', in_stage, NULL, NULL, NULL),
    row('goal', goal, NULL, NULL, NULL),
    row('goal_attainment', mqls / goal, NULL, NULL, NULL),
    row('goal_gap', mqls - goal, NULL, NULL, NULL),
    row('accepted', accepted, NULL, NULL, NULL),
    row('rejected', rejected, NULL, NULL, NULL),
    row('undecided', undecided, NULL, NULL, NULL),
    row('acceptance_rate', share(accepted, accepted + rejected), accepted + rejected,
      wilson(accepted, accepted + rejected, -1), wilson(accepted, accepted + rejected, 1)),
    row('sqls', sqls, NULL, NULL, NULL),
    row('efficiency', share(sqls, mqls), mqls, wilson(sqls, mqls, -1), wilson(sqls, mqls, 1)),
    row('mqls_per_sql', share(mqls, sqls), mqls, NULL, NULL),
    row('sqls_in_period', flow, NULL, NULL, NULL),
    row('efficiency_flow', share(flow, mqls), mqls, NULL, NULL),
    row('efficiency_projected', share(sqls + mu, mqls), mqls,
      share(sqls + greatest(mu - reach, 0), mqls), share(least(sqls + mu + reach, mqls), mqls)),
    row('hours_in_stage_mean', hours_mean, gone, NULL, NULL),
    row('hours_in_stage_median', hours[1] / 3.6e9, gone, NULL, NULL),
    row('hours_in_stage_p90', hours[2] / 3.6e9, gone, NULL, NULL),
    row('hours_in_stage_km_median', km_median, in_order_n, NULL, NULL),
    row('sla_met', sla_met, NULL, NULL, NULL),
    row('sla_breached', sla_breached, NULL, NULL, NULL),
    row('sla_past_due', sla_past_due, NULL, NULL, NULL),
    row('sla_pending', sla_pending, NULL, NULL, NULL),
    row('sla_unmeasurable', sla_unmeasurable, NULL, NULL, NULL),
    row('sla_attainment', share(sla_met, sla_met + sla_breached), sla_met + sla_breached,
      wilson(sla_met, sla_met + sla_breached, -1), wilson(sla_met, sla_met + sla_breached, 1)),
    row('contacted_within_1h', share(fast, fast + slow + hour_over), fast + slow + hour_over,
      wilson(fast, fast + slow + hour_over, -1), wilson(fast, fast + slow + hour_over, 1)),
    row('lift_1h', exp(log_lift), fast + slow, exp(log_lift - lift_spread),
      exp(log_lift + lift_spread)),
    row('lead_to_mql_days_mean', lag_days, lagged, NULL, NULL),
    row('spend', spend, NULL, NULL, NULL),
    row('cost_per_mql', share(spend, mqls), mqls, NULL, NULL),
    row('cost_per_sql', share(spend, sqls), sqls, NULL, NULL),
    row('wasted_cost', sla_breached * share(spend, mqls), sla_breached, NULL, NULL)
  ]::STRUCT(metric VARCHAR, value DOUBLE, n DOUBLE, low DOUBLE, high DOUBLE)[], recursive := true)
  FROM everything
)
SELECT * FROM tall
UNION ALL
SELECT month, NULL, 'cost_per_mql_rolling', value, n, NULL, NULL FROM rolling WHERE month >= 0;
"""

CURVE = """
WITH whole AS (
  SELECT *, floor(survival * 240) AS tier,
    1.959963984540054 * sqrt(greenwood) / ln(survival) AS power
  FROM waits WHERE month IS NULL AND source IS NULL
), steps AS (
  SELECT min(t) AS t, arg_min(at_risk, t) AS at_risk, arg_min(survival, t) AS s,
    arg_min(power, t) AS power
  FROM whole GROUP BY tier
)
SELECT t / 3.6e9 AS hours, s AS waiting, coalesce(s ** exp(-power), s) AS low,
  coalesce(s ** exp(power), s) AS high, at_risk::BIGINT AS at_risk
FROM steps ORDER BY t
"""


def main() -> None:
    """Compute all, and write it as JSON."""
    folder, out = sys.argv[1:]
    base = duckdb.connect()
    base.execute("CREATE MACRO log_risk(k, n) AS CASE WHEN k > 0 THEN ln(k / n) END")
    for text in (READ, COUNTS, CURVES, COST, ROWS):
        base.execute(text.format(folder=folder))

    def rows(query: str) -> list[dict]:
        found = base.execute(query)
        names = [c[0] for c in found.description]
        return [dict(zip(names, values, strict=True)) for values in found.fetchall()]

    document = {
        "lag_days_used": base.execute("SELECT days FROM lag").fetchall()[0][0],
        "maturity_days": base.execute("SELECT mature_us / 86.4e9 FROM whole").fetchall()[0][0],
        "metrics": rows("SELECT * FROM result"),
        "curve": rows(CURVE),
    }
    Path(out).write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    main()
