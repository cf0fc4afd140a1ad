"""What the bodies of `/v1/experiments` look like, for OpenAPI."""

from typing import Final, get_args

from litestar.openapi.spec import Reference, Schema
from litestar.openapi.spec.enums import OpenAPIType

from tallymark.spec.experiment import Correction, Direction, MetricKind
from tallymark.spec.experiment_draft import MOST_PRE_DAYS
from tallymark.spec.experiment_metrics import MOST_DAY, MOST_HOURS, MOST_METRICS
from tallymark.spec.experiment_parts import MOST_FORCED, MOST_VARIANTS
from tallymark.spec.targeting import RuleOp

_KEY: Final = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_Fields = dict[str, Reference | Schema]


def _text(description: str, pattern: str | None = None) -> Schema:
    return Schema(type=OpenAPIType.STRING, description=description, pattern=pattern)


def _number(description: str, least: float = 0, most: float = 1) -> Schema:
    return Schema(type=OpenAPIType.NUMBER, minimum=least, maximum=most, description=description)


def _whole(description: str, least: int, most: int, *, null: bool = False) -> Schema:
    kinds = [OpenAPIType.INTEGER, OpenAPIType.NULL] if null else [OpenAPIType.INTEGER]
    return Schema(type=kinds, minimum=least, maximum=most, description=description)


def _word(description: str, words: tuple[str, ...]) -> Schema:
    return Schema(type=OpenAPIType.STRING, enum=words, description=description)


def _truth(description: str) -> Schema:
    return Schema(type=OpenAPIType.BOOLEAN, description=description)


def _list(items: Schema, description: str, least: int, most: int) -> Schema:
    return Schema(type=OpenAPIType.ARRAY, items=items, min_items=least, max_items=most, description=description)


def _object(properties: _Fields, required: list[str], description: str, *, null: bool = False) -> Schema:
    return Schema(
        type=[OpenAPIType.OBJECT, OpenAPIType.NULL] if null else OpenAPIType.OBJECT,
        properties=properties,
        required=required,
        additional_properties=False,
        description=description,
    )


_VARIANT: Final = _object(
    {
        "key": _text("Name of the variant.", _KEY),
        "weight": _number("Its share is its weight among all weights. Default: 1.", 0, 1e9),
        "value": Schema(description="What a flag of it has: any JSON. Default: the key."),
    },
    ["key"],
    "A variant.",
)
_RULE: Final = _object(
    {
        "attribute": _text("Name of an attribute, or a path to it, as in `device.os`."),
        "op": _word("Default: is.", get_args(RuleOp)),
        "values": Schema(description="A value or several, of which one must fit (`is_not`: none may)."),
    },
    ["attribute"],
    "One comparison of an attribute with values.",
)
_EVENTS: Final[_Fields] = {
    "event": Schema(
        one_of=[_text("A name."), _list(_text("A name."), "Several names.", 1, 1_000)],
        description="Which events count, by name.",
    ),
    "where": Schema(
        type=OpenAPIType.OBJECT, description="What must be true of them besides: values by column or `props.…`."
    ),
}
_OF: Final[_Fields] = {
    "of": _text("The number that is taken of each: `value` or `props.…`. Default: how many they are.")
}
_METRIC: Final = _object(
    {
        "name": _text("Name of the metric.", _KEY),
        "kind": _word("What is measured of a unit.", get_args(MetricKind)),
        **_EVENTS,
        **_OF,
        "lower": _object({**_EVENTS, **_OF}, [], "Of a ratio: what is divided by."),
        "level": _number("Of a quantile. Default: 0.5."),
        "day": _whole("Of retention: the day after the first exposure. Default: 1.", 1, MOST_DAY),
        "hours": _whole("How long after the first exposure; default null: until the end.", 1, MOST_HOURS, null=True),
        "direction": _word("Which way is better. Default: up.", get_args(Direction)),
        "guardrail": _truth("Whether it must not get worse. Default: false."),
    },
    ["name", "kind"],
    "A metric of the experiment.",
)

_FIELDS: Final[_Fields] = {
    "key": _text("Unique in the project.", _KEY),
    "name": _text("What people call it. Default: the key."),
    "hypothesis": _text("What is expected, and why."),
    "seed": _text("What units are hashed with. Default: the key."),
    "variants": _list(_VARIANT, "The variants; the first is control.", 2, MOST_VARIANTS),
    "coverage": _number("The share of the units that takes part. Default: 1."),
    "namespace": _object(
        {"name": _text("Its name.", _KEY), "start": _number("Default: 0."), "end": _number("Default: 1.")},
        ["name"],
        "A part of the units; experiments with disjoint parts of a namespace exclude each other.",
        null=True,
    ),
    "holdout": _object(
        {"name": _text("Its name.", _KEY), "share": _number("The share of the units that is held out.")},
        ["name", "share"],
        "A share of the units that meets no experiment which names this holdout.",
        null=True,
    ),
    "targeting": _list(
        Schema(one_of=[_RULE, _list(_RULE, "Rules of which one must hold.", 1, 100)]),
        "Rules that must all hold; a list of rules in place of one: one of them.",
        0,
        100,
    ),
    "forced": Schema(
        type=[OpenAPIType.OBJECT, OpenAPIType.NULL],
        additional_properties=_text("A variant."),
        description=f"Variants by unit, at most {MOST_FORCED}; these units never count.",
    ),
    "killed": _truth("Whether everybody gets control, at once."),
    "metrics": _list(_METRIC, "What is measured.", 0, MOST_METRICS),
    "alpha": _number("The chance of a false alarm. Default: 0.05.", 0.0001, 0.5),
    "correction": _word("For several metrics. Default: benjamini-hochberg.", get_args(Correction)),
    "preDays": _whole("Days before the first exposure that CUPED looks at. Default: 0.", 0, MOST_PRE_DAYS),
}

#: A new experiment.
DRAFT: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties=_FIELDS,
    required=["key", "variants"],
    additional_properties=False,
    examples=[
        {
            "key": "checkout",
            "variants": [{"key": "control"}, {"key": "blue"}],
            "metrics": [{"name": "purchases", "kind": "conversion", "event": "purchase"}],
        }
    ],
)
#: The fields of an experiment that are to change.
CHANGE: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={**_FIELDS, "revision": _whole("The revision that is changed.", 1, 2**31 - 1)},
    additional_properties=False,
    examples=[{"killed": True}],
)
#: The variant that everybody is to get.
SHIPPED: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={"variant": _text("A variant of the experiment.", _KEY)},
    required=["variant"],
    additional_properties=False,
    examples=[{"variant": "blue"}],
)
