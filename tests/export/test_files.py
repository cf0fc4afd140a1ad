"""Where the files of exports are kept: one suite over a directory and a bucket of a real S3-compatible server."""

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tallymark.config import load
from tallymark.errors import BadSetting, Unavailable
from tallymark.export.files import Files, Span, open_files, owner_of
from tests.s3 import S3, running_s3

NAME = "exp_" + "a" * 32 + ".csv"
MB = 1 << 20


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


def opened(directory: Path, url: str = "") -> Files:
    files = open_files(load({"TALLYMARK_DATA": str(directory), "TALLYMARK_FILES": url}, directory / "no.env"))
    files.drafts.mkdir(parents=True, exist_ok=True)
    return files


@pytest.fixture(params=["directory", "bucket"])
def files(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    if request.param == "directory":
        return opened(tmp_path)
    server: S3 = request.getfixturevalue("s3")
    for name, value in server.credentials.items():
        monkeypatch.setenv(name, value)
    return opened(tmp_path, server.url(f"below/{tmp_path.name}"))


def put(files: Files, content: bytes, name: str = NAME, going: Callable[[], None] = lambda: None) -> None:
    draft = files.drafts / "draft"
    draft.write_bytes(content)
    files.put(draft, name, "text/csv", going)


def read(files: Files, name: str = NAME, span: Span | None = None) -> list[bytes]:
    async def chunks() -> list[bytes]:
        return [bytes(chunk) async for chunk in await files.read(name, span)]

    return asyncio.run(chunks())


def names(files: Files) -> list[str]:
    return sorted(file.name for file in files.stored())


@pytest.mark.parametrize("size", [0, 1, 8 * MB, 8 * MB + 1, 20 * MB])
def test_what_is_put_is_read(files: Files, size: int) -> None:
    content = os.urandom(size)
    put(files, content)
    chunks = read(files)
    assert b"".join(chunks) == content
    assert max(map(len, chunks), default=0) < 4 * MB  # a download holds a little of the file at a time
    assert names(files) == [NAME]


def test_the_whole_or_nothing(files: Files) -> None:
    put(files, b"first")
    put(files, b"second, longer")
    assert b"".join(read(files)) == b"second, longer"


@pytest.mark.parametrize("span", [(0, 1), (0, 3 * MB), (5, 6), (MB, 2 * MB + 7), (3 * MB - 1, 3 * MB)])
def test_a_part_of_a_file(files: Files, span: Span) -> None:
    content = os.urandom(3 * MB)
    put(files, content)
    assert b"".join(read(files, span=span)) == content[span[0] : span[1]]


def test_what_is_not_there(files: Files) -> None:
    for span in (None, (0, 1)):
        with pytest.raises(FileNotFoundError):
            read(files, span=span)
    files.delete(NAME)
    assert names(files) == []


def test_deleted_and_listed(files: Files) -> None:
    for letter in "abc":
        put(files, b"x", f"{letter}.csv")
    files.delete("b.csv")
    assert names(files) == ["a.csv", "c.csv"]
    ages = [datetime.now(UTC) - file.modified for file in files.stored()]
    assert all(timedelta(seconds=-5) < age < timedelta(minutes=1) for age in ages)


def test_a_directory_knows_no_files_but_its_own(tmp_path: Path) -> None:
    files = opened(tmp_path)
    put(files, b"x")
    (files.drafts / "other").write_text("y")
    assert names(files) == [NAME]
    assert (tmp_path / "files" / "exports" / NAME).read_bytes() == b"x"
    assert not (files.drafts / "draft").exists()


@pytest.fixture
def bucket(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    for name, value in s3.credentials.items():
        monkeypatch.setenv(name, value)
    return opened(tmp_path, s3.url(tmp_path.name))


def test_a_bucket_has_its_files_below_the_prefix(bucket: Files, s3: S3, tmp_path: Path) -> None:
    put(bucket, b"content")
    assert (s3.objects / tmp_path.name / NAME).read_bytes() == b"content"
    assert not (tmp_path / "files" / "exports").exists()


class Enough(Exception):
    pass


def test_an_upload_can_be_ended_and_leaves_nothing(bucket: Files, s3: S3, tmp_path: Path) -> None:
    told: list[int] = []

    def going() -> None:
        told.append(1)
        if len(told) == 3:
            raise Enough

    with pytest.raises(Enough):
        put(bucket, os.urandom(40 * MB), going=going)
    assert names(bucket) == []
    assert not (s3.objects / tmp_path.name / NAME).exists()


def test_an_upload_holds_little_of_the_file(bucket: Files) -> None:
    content = os.urandom(MB) * 64
    put(bucket, content)
    digest = hashlib.sha256()
    for chunk in read(bucket):
        digest.update(chunk)
    assert digest.digest() == hashlib.sha256(content).digest()


@pytest.mark.parametrize("size", [1, 9 * MB])
def test_wrong_credentials_are_told_as_such(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "guessed")
    files = opened(tmp_path, s3.url())
    for attempt in (lambda: put(files, bytes(size)), lambda: read(files), lambda: files.delete(NAME)):
        with pytest.raises(Unavailable) as told:
            attempt()
        assert told.value.message.startswith("The bucket refuses these credentials: see AWS_ACCESS_KEY_ID")
        assert "guessed" not in told.value.message
    with pytest.raises(Unavailable):
        names(files)


def test_no_such_bucket(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.credentials.items():
        monkeypatch.setenv(name, value)
    files = opened(tmp_path, s3.url().replace("s3://exports/", "s3://elsewhere/"))
    with pytest.raises(Unavailable, match="There is no such bucket"):
        put(files, b"x")


def test_a_bucket_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    files = opened(tmp_path, "s3://exports?endpoint=http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="can't be used now"):
        put(files, b"x")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://", "say which bucket"),
        ("s3:///prefix", "say which bucket"),
        ("s3://key:hidden@bucket/", "not from the URL"),
        ("s3://bucket/?zone=eu", "no option 'zone'"),
        ("s3://bucket/?endpoint=minio:9000", "http:// or https://"),
    ],
)
def test_a_url_that_cannot_be_used(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(BadSetting, match="TALLYMARK_FILES") as told:
        opened(tmp_path, url)
    assert said in told.value.message
    assert "hidden" not in told.value.message


def test_the_spool_of_a_bucket_stays_on_the_disk(tmp_path: Path) -> None:
    settings = load({"TALLYMARK_DATA": str(tmp_path), "TALLYMARK_FILES": "s3://bucket/x"}, tmp_path / "no.env")
    assert settings.files_path == tmp_path / "files"
    settings = load({"TALLYMARK_FILES": f"file://{tmp_path}/other"}, tmp_path / "no.env")
    assert settings.files_path == tmp_path / "other"


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        (NAME, NAME[:-4]), (NAME[:-4] + "-12", NAME[:-4]), ("exp_" + "-_" * 16 + ".parquet", "exp_" + "-_" * 16),
        (NAME[:-4], None), ("x" + NAME, None), ("exp_short.csv", None), ("notes.csv", None), (NAME + ".bak", None),
    ],
)  # fmt: skip
def test_whose_a_file_is(name: str, owner: str | None) -> None:
    assert owner_of(name) == owner
