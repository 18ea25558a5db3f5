"""The questions about a run, in SQL, on the views of `_database`.

A loss that counts and was not recorded is null; `coalesce` makes it NaN, and with it every sum that it is part of.
"""

from collections.abc import Collection

__all__ = [
    "FILTERS",
    "GROUPS",
    "ORDERS",
    "PLACE",
    "STRIPS",
    "SUMMARIES",
    "TRAJECTORY",
    "UNNESTED",
    "grouped",
    "sequences",
    "steps",
    "tokens",
]

_NAN = "'NaN'::DOUBLE"
_KEY = "format('{:016x}', key)"
_MEAN = "sum(loss) / nullif(sum(weight), 0)"
ORDERS = {"worst": "mean DESC NULLS LAST", "changed": "change DESC NULLS LAST", "spread": "spread DESC NULLS LAST"}
GROUPS = {"position": "timestep", "token": "target", "length": "tokens", "rank": "rank", "weight": "weight"}
"""What losses can be grouped by, and the column of that."""
FILTERS = {
    "token": "key IN (SELECT key FROM sequences WHERE list_contains(targets, ?))",
    "timestep": "key IN (SELECT key FROM sequences WHERE list_contains(timesteps, ?))",
    "rank": "key IN (SELECT key FROM summaries WHERE rank = ?)",
    "lengths": "tokens BETWEEN ? AND ?",
}
"""What a list of sequences can be cut down by."""
UNNESTED = {"position": "timesteps", "token": "targets", "weight": "losses"}
"""Groups of single timesteps, and the list of that; the others are of sequences."""

# Lists are summed in place; a sum that is to be NaN where an entry is null counts the entries that are there.
_LOSS = (
    "CASE WHEN list_count(losses) < len(losses) THEN 'NaN'::DOUBLE WHEN len(losses) = 0 THEN 0 "
    "WHEN weights IS NULL THEN list_sum(losses) "
    "ELSE list_sum(list_transform(losses, lambda x, i: x::DOUBLE * weights[i])) END"
)
_WEIGHT = "CASE WHEN weights IS NULL THEN len(losses) ELSE coalesce(list_sum(weights), 0) END"


def steps(among: str, *, weighted: bool) -> str:
    """One row per step; `among` is a condition on `step`, which the files answer by row groups."""
    weight = ", unnest(weights)::DOUBLE AS weight" if weighted else ""
    loss, divisor = _sums(weighted=weighted)
    return f"""
WITH each AS (
  SELECT step, count(*) AS sequences, sum(width) AS width FROM sequences WHERE {among} GROUP BY step),
counted AS (
  SELECT step, {loss} AS loss, {divisor} AS divisor, count(*) AS tokens, count(*) - count(loss) AS unknown,
    quantile_cont(loss, [0.1, 0.5, 0.9]) FILTER (NOT isnan(loss)) AS bands
  FROM (SELECT step, unnest(losses) AS loss{weight} FROM sequences WHERE {among}) GROUP BY step)
SELECT step, loss / nullif(divisor, 0) AS mean, coalesce(divisor, 0) AS divisor,
  1 - coalesce(tokens, 0) / nullif(width, 0) AS padding, sequences, coalesce(unknown, 0)::BIGINT AS unknown,
  bands[1] AS low, bands[2] AS middle, bands[3] AS high
FROM each LEFT JOIN counted USING (step) ORDER BY step"""


SUMMARIES = f"""
CREATE TABLE IF NOT EXISTS summaries AS
SELECT key, step, rank, micro_batch, row, {_LOSS} AS loss, {_WEIGHT} AS weight, len(losses) AS tokens,
  targets[:12] AS targets FROM sequences"""

TRAJECTORY = f"""
SELECT step, unnest(range(len(targets))) AS timestep, unnest(targets) AS target,
  coalesce(unnest(losses)::DOUBLE, {_NAN}) AS loss, unnest(weights)::DOUBLE AS weight, rank, micro_batch, row
FROM timesteps JOIN (
  SELECT step, min((rank, micro_batch, row)) AS place FROM sequences WHERE key = ? GROUP BY step) USING (step)
WHERE (rank, micro_batch, row) = place
ORDER BY step, timestep"""


STRIPS = f"""
SELECT {_KEY} AS sequence, timestep, any_value(target) AS target, avg(loss) AS mean,
  avg(loss) FILTER (NOT early) - avg(loss) FILTER (early) AS change
FROM (SELECT key, step < ? AS early, unnest(timesteps) AS timestep, unnest(targets) AS target,
  coalesce(unnest(losses)::DOUBLE, {_NAN}) AS loss FROM sequences WHERE list_contains(?::UBIGINT[], key))
GROUP BY key, timestep"""

PLACE = """
SELECT count(*) AS place FROM summaries WHERE step = ? AND (rank, micro_batch, row) < (?, ?, ?)"""


def sequences(order_by: str, filters: Collection[str]) -> str:
    """One row a distinct sequence; the values are the step that parts before and after, then those of the filters.

    Args:
        order_by: one of `ORDERS`.
        filters: which of `FILTERS` there is a value for, in that order; the last value is how many rows.
    """
    where = " AND ".join(sql for name, sql in FILTERS.items() if name in filters) or "true"
    return f"""
WITH each AS (SELECT key, step, {_MEAN} AS mean, sum(loss) AS loss, sum(weight) AS weight, max(tokens) AS tokens,
  any_value(targets) AS targets FROM summaries GROUP BY key, step),
parted AS (SELECT *, step < ? AS early FROM each),
known AS (SELECT key, count(*) AS steps, min(step) AS first_step, max(step) AS last_step, max(tokens) AS tokens,
  {_MEAN} AS mean,
  sum(loss) FILTER (early) / nullif(sum(weight) FILTER (early), 0) AS before,
  sum(loss) FILTER (NOT early) / nullif(sum(weight) FILTER (NOT early), 0) AS after,
  max(mean) - min(mean) AS spread, arg_max(step, mean) AS worst_step, any_value(targets) AS targets
  FROM parted GROUP BY key HAVING sum(weight) > 0)
SELECT {_KEY} AS sequence, steps, first_step, last_step, tokens, mean, before, after, after - before AS change, spread,
  worst_step, targets FROM known WHERE {where} ORDER BY {ORDERS[order_by]}, sequence LIMIT ?"""


def grouped(name: str, *, weighted: bool) -> str:
    """The losses that count, summed for each value of what `GROUPS` names; `weighted` where not every weight is 1."""
    order, column = "loss DESC, value" if name == "token" else "value", "target" if name == "token" else name
    if name in UNNESTED:
        weight = ", unnest(weights)::DOUBLE AS weight" if weighted else ""
        value = "value" if name != "weight" else "weight" if weighted else "1"
        source = f"SELECT unnest({UNNESTED[name]}) AS value, unnest(losses) AS loss{weight} FROM sequences"
        number, loss, divisor = "count(*)", *_sums(weighted=weighted)
    else:
        value, number, loss, divisor = GROUPS[name], "sum(tokens)::BIGINT", "sum(loss)", "sum(weight)"
        source = "SELECT * FROM summaries WHERE tokens > 0"
    return f"""
SELECT value AS {column}, count, loss, divisor, loss / nullif(divisor, 0) AS mean FROM (
  SELECT {value} AS value, {number} AS count, {loss} AS loss, {divisor} AS divisor FROM ({source}) GROUP BY 1)
ORDER BY {order}"""


def _sums(*, weighted: bool) -> tuple[str, str]:
    """Σ weight · loss and Σ weight of unnested timesteps; the first is NaN where a loss is not known."""
    if weighted:
        return f"sum(weight * coalesce(loss::DOUBLE, {_NAN}))", "sum(weight)"
    return f"CASE WHEN count(loss) < count(*) THEN {_NAN} ELSE sum(loss::DOUBLE) END", "count(*)::DOUBLE"


def tokens(where: str | None) -> str:
    """One row a recorded timestep; the value is how many rows."""
    condition = "" if where is None else f"WHERE ({where})"
    return f"""
SELECT * FROM (
  SELECT step, rank, micro_batch, row, unnest(range(len(targets))) AS timestep, unnest(targets) AS target,
    coalesce(unnest(losses)::DOUBLE, {_NAN}) AS loss, unnest(weights)::DOUBLE AS weight, {_KEY} AS sequence
  FROM timesteps JOIN (SELECT step, rank, micro_batch, row, key FROM sequences) USING (step, rank, micro_batch, row))
{condition} ORDER BY step, rank, micro_batch, row, timestep LIMIT ?"""
