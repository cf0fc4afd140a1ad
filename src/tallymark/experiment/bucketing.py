"""Where a unit falls: GrowthBook's hashes and ranges, so that its SDKs and this server give a unit the same variant.

Hashes are FNV-1a, 32 bits, over the UTF-16 code units of a text, as GrowthBook's SDKs have them. A part comes in
steps of a ten-thousandth; that of a namespace in steps of a thousandth.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

from tallymark.spec.experiment import Namespace

_OFFSET, _PRIME, _MASK = 0x811C9DC5, 0x01000193, 0xFFFFFFFF

#: From where, included, to where, excluded.
Range = tuple[float, float]


def fnv1a32(text: str, state: int = _OFFSET) -> int:
    """The hash of a text; `state` is the hash of what stands before it."""
    for unit in text.encode() if text.isascii() else _utf16(text):
        state = (state ^ unit) * _PRIME & _MASK
    return state


def part_of(seed: str, unit_id: str) -> float:
    """Where of 0 to 1 a unit falls under a seed: GrowthBook's hash version 2."""
    return fnv1a32(str(fnv1a32(unit_id, _seeded(seed)))) % 10_000 / 10_000


def in_namespace(namespace: Namespace, unit_id: str) -> bool:
    """Whether a unit falls into that part of the namespace: GrowthBook's hash version 1."""
    part = fnv1a32(f"{unit_id}__{namespace.name}") % 1_000 / 1_000
    return namespace.start <= part < namespace.end


@lru_cache(maxsize=4_096)
def bucket_ranges(weights: tuple[float, ...], coverage: float) -> tuple[Range, ...]:
    """The range of each variant: the covered share of its weight, from where the weights before it end.

    So a unit keeps its variant when coverage grows. Weights are of any sum above 0.
    """
    total = sum(weights)
    shares = [weight / total for weight in weights]
    starts = accumulate(shares[:-1], initial=0.0)
    return tuple((start, start + coverage * share) for start, share in zip(starts, shares, strict=True))


def choose(part: float, ranges: Sequence[Range]) -> int | None:
    """Which range a part falls into; None where it falls into none."""
    return next((index for index, (start, end) in enumerate(ranges) if start <= part < end), None)


@lru_cache(maxsize=4_096)
def _seeded(seed: str) -> int:
    """The hash of a seed, which stands before every unit's id."""
    return fnv1a32(seed)


def _utf16(text: str) -> Sequence[int]:
    """The code units of a text, halves of surrogate pairs included."""
    encoded = text.encode("utf-16-le", "surrogatepass")
    return struct.unpack(f"<{len(encoded) // 2}H", encoded)
