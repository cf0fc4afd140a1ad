"""The wheel, installed alone in an empty environment, runs the demo."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _run(*command: str, cwd: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]


def _uv() -> str:
    found = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    assert found, "uv is among the development requirements"
    return found


@pytest.fixture(scope="module")
def tallymark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a fresh environment that holds the wheel and what it needs, and nothing of this checkout."""
    place = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place), cwd=ROOT)
    (wheel,) = place.glob("tallymark-*.whl")
    _run(_uv(), "venv", "-q", "--python", sys.executable, str(place / "venv"), cwd=place)
    python = str(place / "venv" / "bin" / "python")
    pinned = ("--require-hashes", "-r", str(ROOT / "requirements.txt"))
    _run(_uv(), "pip", "install", "-q", "--python", python, *pinned, cwd=place)
    _run(_uv(), "pip", "install", "-q", "--python", python, "--no-deps", str(wheel), cwd=place)
    return place / "venv" / "bin" / "tallymark"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _get(url: str, key: str = "") -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, answer.read()


def _wait_until_ready(url: str, server: "subprocess.Popen[bytes]", seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert server.poll() is None, "the demo has ended"
        try:
            if _get(f"{url}/ready")[0] == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the demo is not ready")


def test_an_installed_wheel_runs_the_demo_and_keeps_its_data(tallymark: Path, tmp_path: Path) -> None:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    visitors = []
    for _ in range(2):
        with (tmp_path / "log").open("ab") as log:
            command = [str(tallymark), "--data", str(tmp_path / "data"), "demo", "--port", str(port), "--days", "10"]
            server = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
        try:
            _wait_until_ready(url, server, 400)
            key = json.loads((tmp_path / "data" / "demo.json").read_text())["demo-web"]["read"]
            answer = json.loads(_get(f"{url}/v1/query?project=demo-web&metrics=visitors", key)[1])
            visitors.append(answer["metrics"]["visitors"]["value"])
            (script,) = re.findall(r'<script type="module" src="([^"]+)"', _get(f"{url}/")[1].decode())
            assert _get(f"{url}{script}")[0] == 200
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(20) == 0
    assert visitors[0] > 1_000
    assert visitors[0] == visitors[1]
