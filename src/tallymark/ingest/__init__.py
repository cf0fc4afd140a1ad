"""From what arrives to events: decode, gate, enrich, write."""
