"""The dashboard's files: what is served, under which names, and what they may hold."""

import re
from pathlib import Path

import pytest

from tallymark.dashboard.files import Files

STATIC = Path(__file__).parents[2] / "src/tallymark/dashboard/static"
OWN = sorted(path for path in STATIC.rglob("*") if path.is_file() and "vendor" not in path.parts)
MODULES = [path for path in OWN if path.suffix == ".js"]


@pytest.fixture(scope="module")
def files() -> Files:
    return Files.read()


def test_what_is_preloaded_is_what_the_first_module_needs(files: Files) -> None:
    needed, waiting = {"app/main.js"}, ["app/main.js"]
    while waiting:
        path = waiting.pop()
        for name in re.findall(r'(?:from|import)\s*"(\.[^"]+)"', files.by_path[path].content.decode()):
            found = (STATIC / path).parent.joinpath(name).resolve().relative_to(STATIC.resolve()).as_posix()
            if found not in needed:
                needed.add(found)
                waiting.append(found)
    assert {*files.preloaded, "app/main.js"} == needed
    assert len(set(files.preloaded)) == len(files.preloaded)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(STATIC).as_posix())
def test_what_a_module_imports_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for lazily in re.findall(r'import\("(\.[^"]+)"\)', text):
        assert (path.parent / lazily).is_file(), lazily
    for names, source in re.findall(r'import \{([^}]*)\} from "(\.[^"]+)"', text):
        found = (path.parent / source).read_text(encoding="utf-8")
        if "vendor" in source:
            continue
        declared = set(re.findall(r"export (?:async )?(?:function|const|let|class) (\w+)", found))
        for listed in re.findall(r"export \{([^}]*)\}", found):
            declared |= {name.split(" as ")[-1].strip() for name in listed.split(",")}
        wanted = {name.split(" as ")[0].strip() for name in names.split(",") if name.strip()}
        assert wanted <= declared, source


def test_the_page_names_every_file_by_the_version(files: Files) -> None:
    html = files.html("/dashboard/x")
    assert "{" not in html
    for path in re.findall(r'(?:href|src)="/dashboard/x/([^"]+)"', html):
        assert path in files.by_path, path


def test_the_version_is_another_one_when_a_file_is(tmp_path: Path) -> None:
    versions = set()
    for text in ("one", "other"):
        (tmp_path / "index.html").write_text("{base}")
        (tmp_path / "main.js").write_text(text)
        versions.add(Files.read(tmp_path).version)
    assert len(versions) == 2


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.relative_to(STATIC).as_posix())
def test_our_own_files_name_no_other_host_and_write_no_markup(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    hosts = re.findall(r"(?:https?:)?//([\w-]+(?:\.[\w-]+)+)", text)
    assert set(hosts) <= {"www.w3.org", "example.org"}
    assert not re.search(r"innerHTML|outerHTML|\beval\(|new Function|document\.write", text)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(STATIC).as_posix())
def test_modules_are_short_and_say_what_they_are(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("// ")
    assert len(lines) <= 250


def test_what_is_vendored_comes_with_its_licences() -> None:
    licences = (STATIC / "vendor/LICENSES.txt").read_text(encoding="utf-8")
    for path in (STATIC / "vendor").iterdir():
        assert path.name == "LICENSES.txt" or path.name in licences, path.name
