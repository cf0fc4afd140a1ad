"""The dashboard's files: read once, compressed once, and called by what is in all of them, so that none goes stale."""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

_PLACE: Final = Path(__file__).parent / "static"
_FIRST: Final = "app/main.js"

#: A static import of JavaScript, not one by `import()`.
_IMPORT: Final = re.compile(r"""^\s*(?:import|export)\b[^;"'(]*?["'](\.[^"']+)["']""", re.MULTILINE)
_MINIFIED_IMPORT: Final = re.compile(r"""\bfrom\s*["'](\.[^"']+)["']""")


@dataclass(frozen=True)
class File:
    """A file as it is sent: its bytes, the same by gzip, and its media type."""

    content: bytes
    compressed: bytes
    media_type: str


@dataclass(frozen=True)
class Files:
    """The files by their paths below the folder, and the page."""

    page: str
    by_path: dict[str, File]

    @classmethod
    def read(cls, place: Path = _PLACE) -> "Files":
        """Every file there is."""
        found = {p.relative_to(place).as_posix(): p.read_bytes() for p in sorted(place.rglob("*")) if p.is_file()}
        page = found.pop("index.html").decode()
        return cls(page, {path: _file(path, content) for path, content in found.items()})

    @cached_property
    def version(self) -> str:
        """A hash of all of them."""
        whole = hashlib.blake2b(self.page.encode(), digest_size=8)
        for path, file in self.by_path.items():
            whole.update(path.encode() + b"\0" + file.content)
        return whole.hexdigest()

    @cached_property
    def preloaded(self) -> tuple[str, ...]:
        """The modules that are needed before anything is seen: what the first one imports, and these in turn."""
        wanted, seen = [_FIRST], {_FIRST: None}
        while wanted:
            for path in self._imported(wanted.pop(0)):
                if path not in seen:
                    seen[path] = None
                    wanted.append(path)
        return tuple(seen)[1:]

    def _imported(self, path: str) -> list[str]:
        text = self.by_path[path].content.decode()
        names = dict.fromkeys([*_IMPORT.findall(text), *_MINIFIED_IMPORT.findall(text)])
        base = _PLACE / path
        return [(base.parent / name).resolve().relative_to(_PLACE.resolve()).as_posix() for name in names]

    def html(self, base: str) -> str:
        """The page, with the files below the path `base`."""
        preloads = "\n  ".join(f'<link rel="modulepreload" href="{base}/{path}">' for path in self.preloaded)
        return self.page.replace("{base}", base).replace("{preloads}", preloads)


def _file(path: str, content: bytes) -> File:
    media_type = mimetypes.guess_type(path)[0] or "text/plain"
    if path.endswith(".js"):
        media_type = "text/javascript"
    return File(content, gzip.compress(content, 9, mtime=0), media_type)
