"""Fields and conditions as SQL. The only place where a condition becomes text for the engine."""

from tallymark.spec.condition import Above, All, Any, Column, Comparison, Condition, Field, Joined, Not, Op, Prop

#: Numbers beyond this, either way, are not taken for numbers: sums in billionths stay within 128 bits.
LARGEST = 1e15


def literal(text: str) -> str:
    """A string as an SQL literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0")
    return f"'{escaped}'"


def array(texts: tuple[str, ...] | list[str]) -> str:
    """Strings as an SQL array."""
    return f"[{', '.join(literal(text) for text in texts)}]"


def text_of(field: Field) -> str:
    """A field as SQL text; an absent property is the empty text."""
    match field:
        case Column(name):
            return f"toString({identifier(name)})"
        case Prop():
            return f"toString({_path(field)})"
        case Joined(fields):
            return "concat(" + ", '/', ".join(map(text_of, fields)) + ")"


def number_of(field: Field) -> str:
    """A field as a nullable SQL number; what is no number up to `LARGEST` is null."""
    number = (
        f"toFloat64({identifier(field.name)})" if isinstance(field, Column) else f"toFloat64OrNull({text_of(field)})"
    )
    return f"if(abs({number}) <= {LARGEST:.0f}, {number}, NULL)"


def identifier(name: str) -> str:
    """A column's name, quoted."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _path(prop: Prop) -> str:
    return "props." + ".".join(identifier(part) for part in prop.path.split("."))


def condition_sql(condition: Condition) -> str:
    """A condition as a boolean SQL expression, in parentheses."""
    match condition:
        case Comparison(field, op, values):
            return _comparison(field, op, values)
        case Above(field, limit):
            return f"ifNull({number_of(field)} {condition.sign} {limit!r}, 0)"
        case All(parts):
            return f"({' AND '.join(condition_sql(part) for part in parts) or '1'})"
        case Any(parts):
            return f"({' OR '.join(condition_sql(part) for part in parts) or '0'})"
        case Not(part):
            return f"(NOT {condition_sql(part)})"


def _comparison(field: Field, op: Op, values: tuple[str, ...]) -> str:
    text = text_of(field)
    subject = identifier(field.name) if isinstance(field, Column) else text
    if op is Op.IS:
        return f"({subject} IN ({', '.join(map(literal, values))}))"
    if op is Op.IS_NOT:
        return f"({subject} NOT IN ({', '.join(map(literal, values))}))"
    if op is Op.CONTAINS:
        return f"(multiSearchAny(lowerUTF8({text}), {array([value.lower() for value in values])}))"
    return f"({' OR '.join(f'match({text}, {literal(value)})' for value in values)})"
