-- The experiments that the event's actor took part in when it happened, each as `experiment/variant`.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS variants Array(LowCardinality(String)) AFTER origin;
