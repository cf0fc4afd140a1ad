"""Fetches the dashboard's front-end libraries with npm, of pinned versions, with their licences.

Run it as `python -m scripts.vendor_dashboard` after changing a version; it needs npm. Modules import each other by
bare names, which a browser knows only through an import map, and a map is an inline script; so names become paths.
"""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

VENDOR: Final = Path(__file__).parent.parent / "src/tallymark/dashboard/static/vendor"


@dataclass(frozen=True)
class Library:
    """A package: its version, and its files by what they are called here."""

    name: str
    version: str
    files: Mapping[str, str]
    ending: Mapping[str, str] = field(default_factory=dict)


LIBRARIES: Final = (
    Library("preact", "11.2.0", {"preact.js": "dist/preact.mjs", "hooks.js": "hooks/dist/hooks.mjs"}),
    Library("htm", "3.1.1", {"htm.js": "dist/htm.module.js"}),
    Library("@preact/signals-core", "1.14.5", {"signals-core.js": "dist/signals-core.mjs"}),
    Library("@preact/signals", "2.11.4", {"signals.js": "dist/signals.mjs"}),
    Library(
        "uplot", "1.6.32", {"uplot.js": "dist/uPlot.iife.min.js", "uplot.css": "dist/uPlot.min.css"},
        {"uplot.js": "\nexport default uPlot;\n"},
    ),
    Library("fflate", "0.8.3", {"fflate.js": "esm/browser.js"}),
)  # fmt: skip

#: The file that a bare name stands for.
_PATHS: Final = {
    '"preact"': '"./preact.js"', '"preact/hooks"': '"./hooks.js"',
    '"@preact/signals-core"': '"./signals-core.js"',
}  # fmt: skip


def main() -> None:
    """Fetches every library anew."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    licences = []
    for library in LIBRARIES:
        with _fetch(library) as archive:
            for here, there in library.files.items():
                (VENDOR / here).write_text(_mend(_text(archive, there)) + library.ending.get(here, ""))
            files = ", ".join(library.files)
            licence = _text(archive, "LICENSE").strip()
            licences.append(f"{library.name} {library.version} ({files})\n\n{licence}\n")
    (VENDOR / "LICENSES.txt").write_text(("\n" + "-" * 80 + "\n\n").join(licences))


def _fetch(library: Library) -> tarfile.TarFile:
    with tempfile.TemporaryDirectory() as place:
        command = ["npm", "pack", "--silent", f"{library.name}@{library.version}"]
        subprocess.run(command, cwd=place, check=True, capture_output=True)
        (packed,) = Path(place).iterdir()
        return tarfile.open(fileobj=io.BytesIO(packed.read_bytes()))


def _text(archive: tarfile.TarFile, name: str) -> str:
    member = archive.extractfile(f"package/{name}")
    if member is None:
        raise FileNotFoundError(name)
    return member.read().decode()


def _mend(text: str) -> str:
    """The text without the address of a source map, and with paths for bare names."""
    lines = [line for line in text.splitlines() if not line.startswith("//# sourceMappingURL")]
    text = "\n".join(lines) + "\n"
    for name, path in _PATHS.items():
        text = text.replace(f"from{name}", f"from{path}")
    return text


if __name__ == "__main__":
    main()
