"""Marks of tests that are about one database: what its files hold, what it calls things."""

import pytest

ON_SQLITE = pytest.mark.parametrize("control_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("control_url", ["postgresql"], indirect=True)
