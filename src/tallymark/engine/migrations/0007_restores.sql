-- Spans of time whose events were restored from an archive: until then they go by their own time alone, however long
-- ago they came.
CREATE TABLE IF NOT EXISTS restores
(
    project UInt32,
    starts_at DateTime64(3, 'UTC'),
    ends_at DateTime64(3, 'UTC'),
    kept_until DateTime('UTC')
)
ENGINE = ReplacingMergeTree(kept_until)
ORDER BY (project, starts_at, ends_at)
TTL kept_until + INTERVAL 1 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
