"""ClickHouse, embedded or served, behind one narrow interface."""
