"""The project's lint configuration refuses what the rules forbid: each case is one small offence."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "pyproject.toml"
LONGEST_FUNCTION = 60

TOO_COMPLEX = "def rank(n: int) -> int:\n" + "".join(f"    if n == {i}:\n        n += {i + 1}\n" for i in range(10))
TOO_MANY_STATEMENTS = "def count(n: int) -> None:\n" + "    print(n)\n" * 41
OFFENCES = [
    ("C901", TOO_COMPLEX + "    return n\n"),
    ("PLR0915", TOO_MANY_STATEMENTS),
    ("TID252", "from .engine import query\n\n__all__ = ['query']\n"),
    ("F401", "import json\n"),
    ("I001", "import sys\nimport json\n\nprint(sys, json)\n"),
    ("E501", f"NAME = '{'x' * 120}'\n"),
    ("PLC0415", "def load() -> object:\n    import json\n\n    return json\n"),
    ("PLW0603", "n = 0\n\n\ndef add() -> None:\n    global n\n    n = 1\n"),
    ("B006", "def add(to: list[int] = []) -> None:\n    to.append(1)\n"),
    ("PGH003", "N: int = 'one'  # type: ignore\n"),
    ("PGH004", "N = 1  # noqa\n"),
]


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )


def ruff_codes(tmp_path: Path, source: str) -> set[str]:
    module = tmp_path / "offence.py"
    module.write_text(source)
    found = run("-m", "ruff", "check", "--no-cache", "--config", CONFIG, "--output-format", "json", module)
    return {offence["code"] for offence in json.loads(found.stdout)}


@pytest.mark.parametrize(("code", "source"), OFFENCES, ids=[code for code, _ in OFFENCES])
def test_ruff_refuses(tmp_path: Path, code: str, source: str) -> None:
    assert code in ruff_codes(tmp_path, source)


def test_ruff_accepts_a_function_at_the_limit(tmp_path: Path) -> None:
    source = TOO_COMPLEX.replace("    if n == 9:\n        n += 10\n", "") + "    return n\n"
    assert ruff_codes(tmp_path, source) == set()


def test_mypy_refuses_an_untyped_function(tmp_path: Path) -> None:
    module = tmp_path / "offence.py"
    module.write_text("def double(n):\n    return 2 * n\n")
    cache = tmp_path / "cache"
    found = run("-m", "mypy", "--config-file", CONFIG, "--cache-dir", cache, module, cwd=tmp_path)
    assert "[no-untyped-def]" in found.stdout


def lint_imports(tmp_path: Path, modules: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the contracts over a package of these modules that stands in for the project's."""
    for name, source in {"__init__": "", **modules}.items():
        module = tmp_path / "tallymark" / f"{name}.py"
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(source)
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    return run("-c", program, "--config", CONFIG, "--no-cache", "--no-logo", cwd=tmp_path, env=env)


def test_import_linter_accepts_a_downward_import(tmp_path: Path) -> None:
    found = lint_imports(tmp_path, {"app": "from tallymark import errors\n", "errors": ""})
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("modules", "broken"),
    [
        pytest.param({"app": "", "errors": "from tallymark import app\n"}, "tallymark.errors", id="upward"),
        pytest.param({"api": "", "export": "from tallymark import api\n"}, "tallymark.export", id="sibling"),
        pytest.param({"utils": ""}, "utils", id="no-layer"),
        pytest.param(
            {
                "spec/__init__": "",
                "spec/event": "from tallymark.spec import query\n",
                "spec/query": "from tallymark.spec import event\n",
            },
            "tallymark.spec",
            id="cycle",
        ),
    ],
)
def test_import_linter_refuses(tmp_path: Path, modules: dict[str, str], broken: str) -> None:
    found = lint_imports(tmp_path, modules)
    assert found.returncode == 1
    assert "BROKEN" in found.stdout
    assert broken in found.stdout


def long_functions(source: str) -> list[str]:
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    ]


def test_no_function_is_longer_than_a_screen() -> None:
    body = "    print(1)\n"
    assert long_functions("def f():\n" + body * LONGEST_FUNCTION) == ["f"]
    assert long_functions("def f():\n" + body * (LONGEST_FUNCTION - 1)) == []
    found = {path.name: long_functions(path.read_text()) for path in (ROOT / "src").rglob("*.py")}
    assert {name: functions for name, functions in found.items() if functions} == {}
