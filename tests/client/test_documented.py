"""docs/client.md tells everything that the client has."""

import inspect
import re
from pathlib import Path

import pytest

from tallymark.client import AsyncClient, Client, Stats
from tallymark.client.recorder import Recorder

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text(encoding="utf-8")
ARGUMENTS = inspect.signature(Client).parameters


@pytest.mark.parametrize("name", ARGUMENTS)
def test_every_argument_is_there_with_its_default(name: str) -> None:
    section = PAGE.partition("\n## Arguments\n")[2].partition("\n## ")[0]
    row = next(line for line in section.splitlines() if re.match(rf"\| `.*\b{name}\b.*` \|", line))
    default = ARGUMENTS[name].default
    if default is not inspect.Parameter.empty:
        told = f"{default:,}" if isinstance(default, int | float) else f"`{default}`"
        assert told in row.split("|")[2]


@pytest.mark.parametrize("name", [name for name in vars(Recorder) if not name.startswith("_")])
def test_every_method_is_there_with_its_arguments(name: str) -> None:
    told = re.search(rf"^\| `{name}\((.*?)\)`", PAGE, re.MULTILINE)
    assert told is not None
    has = [argument for argument in inspect.signature(getattr(Recorder, name)).parameters if argument != "self"]
    assert told[1].replace("*, ", "").split(", ") == [each for each in has if each not in ("timestamp", "event_id")]


@pytest.mark.parametrize("name", Stats.__dataclass_fields__)
def test_every_count_is_there(name: str) -> None:
    assert f"| `{name}` |" in PAGE


def test_both_clients_take_the_same() -> None:
    assert inspect.signature(AsyncClient).parameters == ARGUMENTS
