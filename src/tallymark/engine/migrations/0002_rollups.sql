-- Every actor a refresh has met, with the dense ordinal that stands for it in bitmaps.
CREATE TABLE IF NOT EXISTS actors
(
    project UInt32,
    actor UInt64,
    ordinal SimpleAggregateFunction(min, UInt32),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (project, actor)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Sessions, derived from events by a refresh and never changed; only those of published runs are read.
CREATE TABLE IF NOT EXISTS sessions
(
    project UInt32,
    day Date,
    run UInt64,
    shelf UInt32,
    actor UInt64,
    session UInt64,
    started_at DateTime64(3, 'UTC'),
    duration Float64,
    events UInt32,
    views UInt32,
    bounced UInt8,
    entry_path String,
    exit_path String,
    host LowCardinality(String),
    referrer_host LowCardinality(String),
    source LowCardinality(String),
    channel LowCardinality(String),
    medium LowCardinality(String),
    campaign LowCardinality(String),
    country LowCardinality(String),
    device LowCardinality(String),
    browser LowCardinality(String),
    os LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY shelf
ORDER BY (project, day, run, actor, started_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Mergeable states by day; only those of published runs are read. `shelf` is the month of a closed day, or the
-- ten minutes in which a run of an open day was made: such shelves are thrown away whole.
CREATE TABLE IF NOT EXISTS rollups
(
    project UInt32,
    measure LowCardinality(String),
    dim LowCardinality(String),
    key String,
    day Date,
    run UInt64,
    shelf UInt32,
    n UInt64,
    total Int128,
    squares Int256,
    actors AggregateFunction(groupBitmap, UInt32),
    dist Map(Int16, UInt64)
)
ENGINE = MergeTree
PARTITION BY shelf
ORDER BY (project, dim, measure, day, key, run)
SETTINGS index_granularity = 256, fsync_after_insert = 1, fsync_part_directory = 1;

-- Published runs: a day's numbers are those of its latest run, and publishing is this one row.
CREATE TABLE IF NOT EXISTS runs
(
    project UInt32,
    day Date,
    run UInt64,
    shelf UInt32,
    published_at DateTime64(6, 'UTC') DEFAULT now64(6),
    watermark DateTime64(3, 'UTC'),
    events UInt64,
    fingerprint UInt64,
    expires_from DateTime('UTC'),
    timezone LowCardinality(String),
    digest LowCardinality(String),
    seconds Float64
)
ENGINE = ReplacingMergeTree(published_at)
ORDER BY (project, day)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Days that must be computed again for a reason their own events don't show.
CREATE TABLE IF NOT EXISTS marks
(
    project UInt32,
    day Date,
    marked_at DateTime64(3, 'UTC') DEFAULT now64(3),
    reason LowCardinality(String)
)
ENGINE = ReplacingMergeTree(marked_at)
ORDER BY (project, day)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
