"""What the libraries may say in the logs."""

import logging
from collections.abc import Iterator

import pytest

from tallymark.logs import configure


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leaves the loggers as they were: all tests share them."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level


@pytest.mark.parametrize("level", ["debug", "info"])
@pytest.mark.parametrize("library", ["httpx", "httpx2", "httpcore2.connection"])
def test_no_request_to_a_judge_is_logged_with_its_address(
    level: str, library: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(level, "json")

    logging.getLogger(library).info("HTTP Request: POST %s", "http://user:password@gateway.example/v1")

    assert "password" not in capsys.readouterr().err
