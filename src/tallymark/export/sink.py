"""What a file is written into: from its beginning to its end, hashed on the way."""

import hashlib
import io
from typing import Any, BinaryIO


class Hashing(io.RawIOBase):
    """Passes on to a file what it is given; nothing can be written twice, and nothing be read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """The hash of what was written, 64 hexadecimal digits."""
        return self._hash.hexdigest()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """How many bytes were written: all."""
        self._file.write(data)
        self._hash.update(data)
        written = memoryview(data).nbytes
        self.size += written
        return written

    def tell(self) -> int:
        """How many bytes were written so far."""
        return self.size
