"""Signatures of links: made here, and of nothing else than what they say."""

import re

import pytest

from tallymark.access.signature import Signatures

ID = "exp_" + "a" * 32


def test_a_signature_fits_what_it_was_made_for() -> None:
    signatures = Signatures(b"secret")
    made = signatures.sign(ID, 1_800_000_000)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", made)
    assert signatures.fits(ID, 1_800_000_000, made)
    assert Signatures(b"secret").fits(ID, 1_800_000_000, made)


def test_and_nothing_else() -> None:
    signatures = Signatures(b"secret")
    made = signatures.sign(ID, 1_800_000_000)
    assert not signatures.fits(ID, 1_800_000_001, made)
    assert not signatures.fits(ID[:-1] + "b", 1_800_000_000, made)
    assert not signatures.fits(ID, 1_800_000_000, made[:-1])
    assert not signatures.fits(ID, 1_800_000_000, made.swapcase())
    assert not Signatures(b"other").fits(ID, 1_800_000_000, made)


@pytest.mark.parametrize("given", ["", "ü", "\udc80", "A" * 43, "=" * 1_000])
def test_what_is_no_signature_does_not_fit(given: str) -> None:
    assert not Signatures(b"secret").fits(ID, 1_800_000_000, given)


def test_the_parts_of_what_is_signed_cannot_be_shifted() -> None:
    signatures = Signatures(b"secret")
    assert signatures.sign("exp_a", 11) != signatures.sign("exp_a1", 1)
