"""Addresses of data centres."""

import ipaddress
import lzma
import runpy
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.ingest.hosting import HostingTable
from tallymark.ingest.ranges import Row, pack

SCRIPTS = Path(__file__).parents[2] / "scripts"
BUILD = SCRIPTS / "build_hosting_table.py"
TABLE = HostingTable.load()


@pytest.mark.parametrize(
    "ip",
    [
        "52.94.1.1",  # Amazon
        "3.5.1.1",
        "2600:1f18::1",
        "34.64.0.1",  # Google Cloud
        "2600:1900::1",
        "20.1.1.1",  # Azure
        "2603:1000::1",
        "138.68.1.1",  # DigitalOcean
        "2a03:b0c0::1",
        "51.68.1.1",  # OVH
        "2001:41d0::1",
        "95.216.1.1",  # Hetzner
        "2a01:4f8::1",
        "2A01:04F8:0000:0000:0000:0000:0000:0001",
        "45.33.1.1",  # Linode
        "2600:3c00::1",
        "45.76.1.1",  # Vultr
        "2001:19f0::1",
        "62.210.1.1",  # Scaleway
        "::ffff:95.216.1.1",
        "::FFFF:5fd8:101",
        "2002:5fd8:101::1",
    ],
)
def test_an_address_of_a_data_centre_is_told(ip: str) -> None:
    assert TABLE.is_hosting(ip)


@pytest.mark.parametrize(
    "ip",
    [
        "73.1.1.1",  # Comcast
        "84.128.1.1",  # Deutsche Telekom
        "2003::1",
        "2a01:c000::1",  # Orange
        "2600:1700::1",  # AT&T
        "2607:fb90::1",  # T-Mobile USA
        "35.5.5.5",  # a university
        "8.8.8.8",  # Google, not its cloud
        "2001:4860:4860::8888",
        "17.1.1.1",  # Apple
        "::ffff:84.128.1.1",
        "2002:5480:101::1",
    ],
)
def test_an_address_of_people_is_none(ip: str) -> None:
    assert not TABLE.is_hosting(ip)


@pytest.mark.parametrize(
    "ip",
    [
        "104.28.1.1",  # Cloudflare
        "2606:54c0::1",
        "2a09:bac1::1",
        "172.224.224.1",  # Akamai, not its cloud
        "172.226.0.1",
        "2a02:26f7::1",
        "146.75.160.1",  # Fastly
        "2a04:4e41:2::1",
        "165.225.0.1",  # Zscaler
    ],
)
def test_a_relay_that_people_come_through_is_none(ip: str) -> None:
    assert not TABLE.is_hosting(ip)


@pytest.mark.parametrize(
    "ip",
    ["10.0.0.1", "127.0.0.1", "192.168.1.1", "0.0.0.0", "255.255.255.255", "::", "::1", "fe80::1", "ff02::1"],
)
def test_an_address_that_is_not_public_is_none(ip: str) -> None:
    assert not TABLE.is_hosting(ip)


@pytest.mark.parametrize(
    "ip",
    [
        "",
        " ",
        "-",
        "unknown",
        "95.216.1",
        "95.216.1.1.1",
        "95.216.1.256",
        "95.216.1.1:80",
        "95.216.1.1 ",
        "95.216.1.1\x00",
        "\uff19\uff15.216.1.1",
        "[2a01:4f8::1]",
        "2a01:4f8::1%eth0",
        "2a01:4f8::g",
        "::ffff:95.216.1.256",
        "\ud800",
        "1" * 10_000,
    ],
)
def test_what_is_no_address_is_none(ip: str) -> None:
    assert not TABLE.is_hosting(ip)


def read_slowly(packed: bytes) -> dict[int, list[tuple[int, bool]]]:
    """Each family's (start, hosting) out of the packed bytes, by the format's description and nothing else."""
    head, body = lzma.decompress(packed).split(b"\n", 1)
    _, count4, count6, *names = head.decode().split()
    tables = {}
    for version, count, width in ((4, int(count4), 4), (6, int(count6), 8)):
        planes, body = [body[i * count : (i + 1) * count] for i in range(width)], body[width * count :]
        keys, body = body[:count], body[count:]
        starts = [sum(plane[i] << 8 * (width - 1 - place) for place, plane in enumerate(planes)) for i in range(count)]
        tables[version] = [(start, names[key] == "hosting") for start, key in zip(starts, keys, strict=True)]
    assert body == b""
    return tables


SLOW = read_slowly((files("tallymark.ingest") / "data" / "hosting.xz").read_bytes())


def address(version: int, number: int) -> str:
    return str(ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number << 64))


@pytest.mark.parametrize("version", [4, 6])
def test_every_range_begins_and_ends_where_the_data_says(version: int) -> None:
    ranges = SLOW[version]
    assert [start for start, _ in ranges] == sorted({start for start, _ in ranges})
    assert ranges[0] == (0, False)
    before = False
    for start, hosting in ranges:
        assert hosting is not before or start == 0, "neighbours of one kind are one range"
        assert TABLE.is_hosting(address(version, start)) is hosting
        if start:
            assert TABLE.is_hosting(address(version, start - 1)) is before
        before = hosting
    assert before is False


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_any_address_gets_what_a_slow_reader_finds(v4: int, high: int, low: int) -> None:
    def slow(version: int, number: int) -> bool:
        return next((hosting for start, hosting in reversed(SLOW[version]) if start <= number), False)

    assert TABLE.is_hosting(address(4, v4)) is slow(4, v4)
    assert TABLE.is_hosting(f"::ffff:{ipaddress.IPv4Address(v4)}") is slow(4, v4)
    six = ipaddress.IPv6Address(high << 64 | low)
    if six.ipv4_mapped is None and six.sixtofour is None:
        assert TABLE.is_hosting(str(six)) is slow(6, high)


@given(st.text(alphabet="0123456789abcdef.:", max_size=40))
def test_any_text_is_answered(text: str) -> None:
    assert TABLE.is_hosting(text) in {True, False}


@st.composite
def gapped(draw: st.DrawFn, end: int) -> list[Row]:
    """Rows that are sorted and don't overlap, between 0 and `end` (included)."""
    points = sorted(draw(st.sets(st.integers(0, end), max_size=12)))
    return [(first, last, "hosting") for first, last in zip(points[::2], points[1::2], strict=False)]


@given(gapped(2**32 - 1), gapped(2**64 - 1))
def test_what_is_packed_is_read(v4: list[Row], v6: list[Row]) -> None:
    whole = [(first << 64, (last << 64) + 2**64 - 1, name) for first, last, name in v6]
    table = HostingTable.unpack(pack("hosting-table-1", v4, whole)[0])
    for version, rows, end in ((4, v4, 2**32), (6, v6, 2**64)):
        edges = {edge + step for first, last, _ in rows for edge in (first, last) for step in (-1, 0, 1)}
        for number in (edge for edge in edges if 0 <= edge < end):
            if version == 4 or number >> 48 != 0x2002:  # 6to4 is asked for as IPv4
                inside = any(first <= number <= last for first, last, _ in rows)
                assert table.is_hosting(address(version, number)) is inside


def build(folder: Path, networks: str, v4: list[str], v6: list[str], monkeypatch: pytest.MonkeyPatch) -> HostingTable:
    """The table that the script builds from the rows and the list of networks."""
    (folder / "x-ipv4-num.csv").write_text("".join(f"{row}\n" for row in v4), encoding="utf-8")
    (folder / "x-ipv6-num.csv").write_text("".join(f"{row}\n" for row in v6), encoding="utf-8")
    (folder / "list.csv").write_text(networks, encoding="utf-8")
    out = folder / "out.xz"
    monkeypatch.setattr(sys, "argv", [str(BUILD), str(folder), str(out), "--networks", str(folder / "list.csv")])
    runpy.run_path(str(BUILD), run_name="__main__")
    return HostingTable.unpack(out.read_bytes())


def test_the_script_keeps_the_listed_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def v6(first: str, last: str, number: int) -> str:
        return f"{int(ipaddress.IPv6Address(first))},{int(ipaddress.IPv6Address(last))},{number},Näme"

    table = build(
        tmp_path,
        "# why\n\n7,Seven  # remark\n77,Seventy-seven\n777,Silent\n",
        ['16777216,16777471,7,"Seven, Inc."', "16777472,16777727,8,Eight", "16777728,16777983,77,Other"],
        [v6("2a00::", "2a00:0:0:1:ffff:ffff:ffff:ffff", 77), v6("2a00:0:0:2::", "2a00:0:0:2:ffff:ffff:ffff:ffff", 8)],
        monkeypatch,
    )
    told = [table.is_hosting(f"1.0.{net}.{host}") for net in range(4) for host in (0, 255)]
    assert told == [True, True, False, False, True, True, False, False]
    assert not table.is_hosting("0.255.255.255")
    assert [table.is_hosting(f"2a00:0:0:{net}::1") for net in range(3)] == [True, True, False]
    assert "nothing is announced by: 777\n" in capsys.readouterr().out


@pytest.mark.parametrize("networks", ["7,Seven\n7,Again\n", "AS7,Seven\n"])
def test_the_script_refuses_a_wrong_list(networks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="not a number"):
        build(tmp_path, networks, [], [], monkeypatch)


def test_the_list_names_no_relay_of_people() -> None:
    listed = runpy.run_path(str(BUILD))["read_networks"](SCRIPTS / "hosting_networks.csv")
    assert {"16509", "396982", "8075", "24940", "16276", "14061", "63949"} <= listed
    assert not listed & {"13335", "209242", "20940", "36183", "54113", "15169", "714", "22616", "53813", "62044"}


def test_a_table_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="not a hosting-table"):
        HostingTable.unpack((files("tallymark.ingest") / "data" / "country.xz").read_bytes())
    with pytest.raises(ValueError, match="cut short"):
        HostingTable.unpack(lzma.compress(b"hosting-table-1 1 0 --\n"))
