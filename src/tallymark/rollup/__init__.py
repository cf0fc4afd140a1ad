"""From events to published, mergeable numbers of a day."""
