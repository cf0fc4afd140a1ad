-- When a day was first published; `published_at` moves with every look at it.
ALTER TABLE runs
    ADD COLUMN IF NOT EXISTS created_at DateTime64(3, 'UTC') DEFAULT published_at AFTER shelf;

-- The packs of projects: a pack's views show the projects that have it.
ALTER TABLE projects
    ADD COLUMN IF NOT EXISTS packs Array(LowCardinality(String)) AFTER name;
