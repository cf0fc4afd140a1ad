"""What the bodies of `/v1/evaluators` and `/v1/evaluations` look like, for OpenAPI."""

from typing import Final, get_args

from litestar.openapi.spec import Reference, Schema
from litestar.openapi.spec.enums import OpenAPIType

from tallymark.spec.evaluator import JudgeKind
from tallymark.spec.evaluator_draft import HIGHEST_PRICE, LONGEST_FILTER, LONGEST_PROMPT, MODEL_PATTERN, MOST_FILTERS

#: Dead letters of a request.
MOST_IDS: Final = 1_000

_KEY: Final = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


def _text(description: str, most: int | None = None, pattern: str | None = None) -> Schema:
    return Schema(type=OpenAPIType.STRING, description=description, max_length=most, pattern=pattern)


def _number(description: str, most: float) -> Schema:
    return Schema(type=OpenAPIType.NUMBER, minimum=0, maximum=most, description=description)


_FIELDS: Final[dict[str, Reference | Schema]] = {
    "key": _text("Unique in the project; stays.", pattern=_KEY),
    "judge": Schema(type=OpenAPIType.STRING, enum=get_args(JudgeKind), description="Who judges."),
    "model": _text("Model of a judge that is one; the rules have none.", pattern=f"^({MODEL_PATTERN})?$"),
    "prompt": _text("Instructions to a model. Default: the judge's own.", LONGEST_PROMPT),
    "rubric": _text("What scores mean. Default: the judge's own.", LONGEST_PROMPT),
    "sampleRate": _number("The share of the answers that is judged. Default: 1.", 1),
    "filter": Schema(
        type=OpenAPIType.ARRAY,
        items=_text("A filter as in queries, such as language:is:de.", LONGEST_FILTER),
        max_items=MOST_FILTERS,
        description="What must all hold of an answer that is judged.",
    ),
    "inputPrice": _number("US dollars for a million tokens that a model reads. Default: 0.", HIGHEST_PRICE),
    "outputPrice": _number("US dollars for a million tokens that a model writes. Default: 0.", HIGHEST_PRICE),
}

#: A new evaluator.
DRAFT: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties=_FIELDS,
    required=["key", "judge"],
    additional_properties=False,
    examples=[{"key": "tone", "judge": "rules", "sampleRate": 0.25}],
)
#: The fields of an evaluator that are to change.
CHANGE: Final = Schema(
    type=OpenAPIType.OBJECT, properties=_FIELDS, additional_properties=False, examples=[{"sampleRate": 0.5}]
)
#: Which dead letters are to be judged again.
RETRY: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "evaluator": _text("Key of an evaluator. Default: all of the project.", pattern=_KEY),
        "ids": Schema(
            type=OpenAPIType.ARRAY,
            items=Schema(type=OpenAPIType.INTEGER, minimum=1),
            max_items=MOST_IDS,
            description="Dead letters. Default: all.",
        ),
    },
    additional_properties=False,
    examples=[{"evaluator": "quality"}],
)
