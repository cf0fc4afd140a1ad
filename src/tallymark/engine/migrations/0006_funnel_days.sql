-- Funnels by the day that actors enter on: one row holds a day of a funnel, so that its numbers change all at once.
-- `counts`: for each of `variants` ('' is everybody) how many actors reached each of `steps`; `definition` is a hash of
-- the funnel, `version` of the events and experiments that the numbers are made of.
CREATE TABLE IF NOT EXISTS funnel_days
(
    project UInt32,
    funnel LowCardinality(String),
    day Date,
    definition String,
    version UInt64,
    steps Array(String),
    variants Array(String),
    counts Array(Array(UInt64)),
    made_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(made_at)
ORDER BY (project, funnel, day)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What was asked of rollups, and what came of it.
CREATE TABLE IF NOT EXISTS rollup_jobs
(
    project UInt32,
    id UInt64,
    job LowCardinality(String),
    first Nullable(Date),
    last Nullable(Date),
    started_at DateTime64(3, 'UTC'),
    finished_at Nullable(DateTime64(3, 'UTC')),
    rows UInt64,
    status LowCardinality(String),
    message String,
    noted_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(noted_at)
ORDER BY (project, id)
TTL toDateTime(started_at) + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
