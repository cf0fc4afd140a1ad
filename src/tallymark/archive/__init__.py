"""Archives: a project's raw events of a month as a Parquet file that outlives them, and how they come back."""
