"""What a statement may say that shows a part of the rows: a SELECT of tables and views, and nothing around them."""

import re
from collections.abc import Iterator
from typing import Final

#: Tokens of the engine's SQL that matter here: what is quoted as text is in no group.
_TOKENS: Final = re.compile(
    r"""'(?:[^'\\]|\\.|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | (?P<comment>--|/\*|\#)
    | `(?P<ticked>(?:[^`\\]|\\.|``)*)` | "(?P<quoted>(?:[^"\\]|\\.|"")*)" | (?P<word>[^\W\d]\w*) | (?P<mark>[^\s\w])""",
    re.VERBOSE | re.DOTALL,
)
#: Table functions that read what no filter of a table reaches, of those that the engine leaves to readers.
UNSEEN: Final = frozenset(
    {
        "cluster", "clusterallreplicas", "eval", "fuzzquery", "input", "loop", "merge", "mergetreeanalyzeindexes",
        "mergetreeanalyzeindexesuuid", "mergetreecodecblockcounts", "mergetreeindex", "mergetreeprojection",
        "mergetreetextindex", "viewifpermitted",
    }
)  # fmt: skip
_BEGINS: Final = frozenset({"select", "with", "from", "("})
#: What begins a text that has no end: what is put behind the statement would be a part of it.
_UNENDED: Final = ("'", '"', "`", "$")
#: A comment may be ended in another place than a reader of the text believes, so there is none.
_REFUSED: Final = frozenset({"settings", "into", "insert", "alter", "identifier", ";", "--", "/*", "#", *_UNENDED})
_OF_THE_ENGINE: Final = frozenset({"system", "information_schema"})
_BEFORE_TABLES: Final = frozenset({"from", "join"})

#: What a statement may set for itself: how it is run, and how much of it, never which rows it sees.
_SETTABLE: Final = frozenset(
    {
        "max_block_size", "max_bytes_before_external_group_by", "max_result_bytes",
        "output_format_json_escape_forward_slashes", "query_plan_optimize_lazy_materialization", "result_overflow_mode",
    }
)  # fmt: skip
_SETTING: Final = r"\w+ = (?:\d+|'\w+')"
_TAIL: Final = re.compile(rf"\sSETTINGS\s+({_SETTING}(?:, {_SETTING})*)\s*\Z", re.ASCII)


def parted(sql: str) -> tuple[str, list[str]]:
    """A statement without what it sets at its end, and that, where it may; else the statement as it is, and nothing."""
    tail = _TAIL.search(sql)
    settings = [] if tail is None else tail[1].split(", ")
    if tail is None or not {setting.split(" ")[0] for setting in settings} <= _SETTABLE:
        return sql, []
    return sql[: tail.start()], settings


def objection(sql: str) -> str | None:
    """What of a statement would leave the part of the rows that it may show; None for nothing."""
    tokens = list(_words(sql))
    if not tokens or tokens[0] not in _BEGINS:
        return tokens[0] if tokens else "nothing"
    places = zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False)
    return next((token for before, token, following in places if _leaves(before, token, following)), None)


def _leaves(before: str, token: str, following: str) -> bool:
    """Whether a token, between its neighbours, names what the filters of tables don't reach or lifts them."""
    if token in _REFUSED:
        return True
    if following == ".":
        return token in _OF_THE_ENGINE or before in _BEFORE_TABLES
    return following == "(" and token in UNSEEN


def _words(sql: str) -> Iterator[str]:
    """The names, words and marks of a statement, in lower case; names without what quotes them."""
    for found in _TOKENS.finditer(sql):
        kind = found.lastgroup
        if kind is not None and kind != "tag":
            yield found[kind].lower()
