"""Countries of addresses and of time zones."""

import ipaddress
import lzma
import runpy
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.ingest.country import CountryTable, country_of_timezone

BUILD = Path(__file__).parents[2] / "scripts" / "build_country_table.py"
TABLE = CountryTable.load()


@pytest.mark.parametrize(
    ("ip", "country"),
    [
        ("8.8.8.8", "US"),
        ("193.99.144.80", "DE"),
        ("130.89.148.12", "NL"),
        ("133.11.0.1", "JP"),
        ("200.160.2.3", "BR"),
        ("41.0.0.1", "ZA"),
        ("2001:4860:4860::8888", "US"),
        ("2001:4860:4860:0000:0000:0000:0000:8888", "US"),
        ("2a02:2e0:3fe:1001:302::", "DE"),
        ("2001:200::1", "JP"),
        ("2804:14c::1", "BR"),
        ("::ffff:193.99.144.80", "DE"),
        ("::FFFF:c163:9050", "DE"),
        ("2002:c163:9050::1", "DE"),
    ],
)
def test_a_public_address_has_its_country(ip: str, country: str) -> None:
    assert TABLE.country(ip) == country


@pytest.mark.parametrize(
    "ip",
    [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "127.0.0.1",
        "169.254.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::",
        "::1",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:10.0.0.1",
    ],
)
def test_an_address_that_is_not_public_has_none(ip: str) -> None:
    assert TABLE.country(ip) == ""


@pytest.mark.parametrize(
    "ip",
    [
        "",
        " ",
        "-",
        "unknown",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "8.8.8.8:80",
        "[::1]",
        "fe80::1%eth0",
        ":",
        "::g",
        "8.8.8.8\x00",
        "\uff18.8.8.8",
        "\ud800",
        "8.8.8.8 ",
    ],
)
def test_what_is_no_address_has_none(ip: str) -> None:
    assert TABLE.country(ip) == ""


@given(st.ip_addresses() | st.text(alphabet="0123456789abcdef.:", max_size=40))
def test_any_address_gets_two_letters_or_none(ip: object) -> None:
    country = TABLE.country(str(ip))
    assert country == "" or (len(country) == 2 and country.isalpha() and country.isupper())


def test_private_networks_have_no_country_anywhere() -> None:
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10"):
        whole = ipaddress.ip_network(network)
        step = max(whole.num_addresses // 64, 1)
        assert {TABLE.country(str(whole[place])) for place in range(0, whole.num_addresses, step)} == {""}


def build(folder: Path, v4: list[str], v6: list[str], monkeypatch: pytest.MonkeyPatch) -> CountryTable:
    """The table that the script builds from the rows."""
    (folder / "x-ipv4-num.csv").write_text("".join(f"{row}\n" for row in v4))
    (folder / "x-ipv6-num.csv").write_text("".join(f"{row}\n" for row in v6))
    monkeypatch.setattr(sys, "argv", [str(BUILD), str(folder), str(folder / "out.xz")])
    runpy.run_path(str(BUILD), run_name="__main__")
    return CountryTable.unpack((folder / "out.xz").read_bytes())


def v6_row(first: str, last: str, country: str) -> str:
    return f"{int(ipaddress.IPv6Address(first))},{int(ipaddress.IPv6Address(last))},{country}"


def test_the_script_builds_what_the_table_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = build(
        tmp_path,
        ["16777216,16777471,AU", "16777472,16777727,AU", "16777984,16777984,CN", "4294967040,4294967295,ZZ"],
        [
            v6_row("2a00::", "2a00:0:0:1:ffff:ffff:ffff:ffff", "DE"),
            v6_row("2a00:0:0:2::", "2a00:0:0:2:7fff:ffff:ffff:ffff", "FR"),
            v6_row("2a00:0:0:2:8000::", "2a00:0:0:3:ffff:ffff:ffff:ffff", "IT"),
        ],
        monkeypatch,
    )
    assert [table.country(ip) for ip in ("0.255.255.255", "1.0.0.0", "1.0.1.255", "1.0.2.0")] == [
        "",
        "AU",
        "AU",
        "",
    ]
    assert [table.country(ip) for ip in ("1.0.3.0", "1.0.3.1", "255.255.255.255")] == ["CN", "", "ZZ"]
    assert [table.country(f"2a00:0:0:{net}::1") for net in range(5)] == ["DE", "DE", "FR", "IT", ""]
    assert table.country("2a00:0:0:2:ffff::") == "FR"


def test_the_script_refuses_rows_that_overlap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="overlap"):
        build(tmp_path, ["1,5,AU", "5,9,NZ"], [], monkeypatch)


def test_a_table_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="not a country-table"):
        CountryTable.unpack(lzma.compress(b"something-else 0 0 --\n"))
    with pytest.raises(ValueError, match="cut short"):
        CountryTable.unpack(lzma.compress(b"country-table-1 1 0 --\n"))


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Europe/Berlin", "DE"),
        ("Europe/Amsterdam", "NL"),
        ("America/New_York", "US"),
        ("America/Argentina/Buenos_Aires", "AR"),
        ("Asia/Kolkata", "IN"),
        ("Asia/Calcutta", "IN"),
        ("Europe/Kiev", "UA"),
        ("Asia/Saigon", "VN"),
        ("US/Pacific", "US"),
        ("Iceland", "IS"),
        ("Africa/Asmera", "ER"),
        ("America/Coral_Harbour", "CA"),
        ("UTC", ""),
        ("Etc/GMT+3", ""),
        ("CET", ""),
        ("EST5EDT", ""),
        ("+02:00", ""),
        ("Mars/Olympus_Mons", ""),
        ("", ""),
    ],
)
def test_a_zone_has_its_country(zone: str, country: str) -> None:
    assert country_of_timezone(zone) == country
