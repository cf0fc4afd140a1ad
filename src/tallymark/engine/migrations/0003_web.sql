-- Search terms and contents of campaigns; a daily salted hash of address and user agent, 0 where none is kept.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS term LowCardinality(String) AFTER campaign,
    ADD COLUMN IF NOT EXISTS content LowCardinality(String) AFTER term,
    ADD COLUMN IF NOT EXISTS origin UInt64 AFTER os;

-- `entrance` and `exit`: how many the sender says there are, one where nothing is said. `converted`: any event of the
-- session is a conversion; `landed`: how many entrances convert before the next page.
ALTER TABLE sessions
    ADD COLUMN IF NOT EXISTS term LowCardinality(String) AFTER campaign,
    ADD COLUMN IF NOT EXISTS content LowCardinality(String) AFTER term,
    ADD COLUMN IF NOT EXISTS entrance UInt16 DEFAULT 1 AFTER bounced,
    ADD COLUMN IF NOT EXISTS `exit` UInt16 DEFAULT 1 AFTER entrance,
    ADD COLUMN IF NOT EXISTS converted UInt8 AFTER `exit`,
    ADD COLUMN IF NOT EXISTS landed UInt16 AFTER converted;

-- Names of projects, for people who read the engine's views.
CREATE TABLE IF NOT EXISTS projects
(
    project UInt32,
    name String,
    noted_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(noted_at)
ORDER BY project
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
