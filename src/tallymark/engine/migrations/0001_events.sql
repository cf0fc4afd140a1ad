-- Raw events. The key is an event's identity: whatever is sent again replaces itself, the first to arrive wins.
CREATE TABLE IF NOT EXISTS events
(
    project UInt32,
    event LowCardinality(String),
    occurred_at DateTime64(3, 'UTC'),
    received_at DateTime64(3, 'UTC'),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3),
    event_id UInt64,
    actor UInt64,
    session UInt64,
    value Nullable(Float64),
    bot LowCardinality(String),
    host LowCardinality(String),
    path String,
    referrer_host LowCardinality(String),
    source LowCardinality(String),
    channel LowCardinality(String),
    medium LowCardinality(String),
    campaign LowCardinality(String),
    country LowCardinality(String),
    device LowCardinality(String),
    browser LowCardinality(String),
    os LowCardinality(String),
    props JSON(max_dynamic_paths = 256),
    expires_at DateTime('UTC'),
    precedence UInt64 DEFAULT bitNot(bitShiftLeft(toUInt64(toUnixTimestamp64Milli(received_at)), 20)),
    INDEX by_insertion inserted_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (project, toDate(occurred_at), event, actor, event_id)
TTL expires_at
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000;

-- The time first given to an event whose sender fixed its id but not its time, so that sending it again,
-- on the other side of a midnight even, meets the first one.
CREATE TABLE IF NOT EXISTS pins
(
    project UInt32,
    event_id UInt64,
    occurred_at DateTime64(3, 'UTC'),
    expires_at DateTime('UTC'),
    precedence UInt64
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (project, event_id)
TTL expires_at
SETTINGS index_granularity = 256, fsync_after_insert = 1, fsync_part_directory = 1;

-- Events that were refused, by reason; the counts of a day add up.
CREATE TABLE IF NOT EXISTS rejections
(
    project UInt32,
    day Date,
    reason LowCardinality(String),
    n UInt64
)
ENGINE = SummingMergeTree(n)
ORDER BY (project, day, reason)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000;
