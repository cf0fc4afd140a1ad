"""What the body of `POST /v1/reviews` looks like, for OpenAPI."""

from typing import Final

from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType

from tallymark.packs.voice.review_draft import LONGEST_COMMENT, LONGEST_REVIEWER, MOST_REVIEWS
from tallymark.spec.evaluation import HIGHEST, LONGEST_LABEL, LOWEST, MOST_LABELS, SCORES

_SCORE: Final = Schema(type=OpenAPIType.INTEGER, minimum=LOWEST, maximum=HIGHEST)

_REVIEW: Final = Schema(
    title="ReviewDraft",
    type=OpenAPIType.OBJECT,
    properties={
        "exchangeId": Schema(
            type=OpenAPIType.STRING, pattern="^[0-9a-f]{1,16}$", description="The exchange, as answers name it."
        ),
        "reviewer": Schema(
            type=OpenAPIType.STRING, min_length=1, max_length=LONGEST_REVIEWER,
            description="Who reviews; default: the name of the key.",
        ),
        "scores": Schema(
            type=OpenAPIType.OBJECT, properties=dict.fromkeys(SCORES, _SCORE), additional_properties=False,
            description="Some of the scores, or all.",
        ),
        "labels": Schema(
            type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.STRING, max_length=LONGEST_LABEL),
            max_items=MOST_LABELS, description="Short words, such as `refusal`.",
        ),
        "comment": Schema(type=OpenAPIType.STRING, max_length=LONGEST_COMMENT, description="Anything else."),
    },
    required=["exchangeId"],
    additional_properties=False,
)  # fmt: skip

#: One review, or a list of them.
REVIEWS: Final = Schema(
    one_of=[_REVIEW, Schema(type=OpenAPIType.ARRAY, items=_REVIEW, min_items=1, max_items=MOST_REVIEWS)],
    examples=[{"exchangeId": "8c1f7d2a90b3e455", "scores": {"overall": 4, "safety": 5}, "labels": ["too long"]}],
)
