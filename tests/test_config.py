"""Settings: where they come from, under which names, and what is said of a wrong one."""

from pathlib import Path

import pytest

from tallymark.config import SETTINGS, Settings, load
from tallymark.errors import BadSetting

ALIASES = [(row.field, row.name, row.alias) for row in SETTINGS if row.alias]


def settings(tmp_path: Path, dotenv: str = "", **environment: str) -> Settings:
    """The settings of an environment over the lines of a `.env` file."""
    file = tmp_path / ".env"
    file.write_text(dotenv)
    return load(environment, file)


def test_the_other_names() -> None:
    assert {alias: name for _, name, alias in ALIASES} == {
        "API_KEY": "TALLYMARK_API_KEY", "ENVIRONMENT": "TALLYMARK_ENVIRONMENT",
        "DASHBOARD_TOKEN": "TALLYMARK_DASHBOARD_TOKEN", "EVAL_BATCH_SIZE": "TALLYMARK_EVAL_BATCH_SIZE",
        "GEMINI_API_KEY": "TALLYMARK_GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL": "TALLYMARK_GEMINI_URL",
        "OPENAI_API_KEY": "TALLYMARK_OPENAI_API_KEY", "OPENAI_BASE_URL": "TALLYMARK_OPENAI_URL",
        "SUPABASE_JWT_SECRET": "TALLYMARK_JWT_SECRET",
    }  # fmt: skip
    names = [row.name for row in SETTINGS] + [alias for _, _, alias in ALIASES]
    assert len(names) == len(set(names))


#: What a setting may be that is no text: three values of it.
_VALUES = {
    "eval_batch_size": ("7", "8", "9"),
    **dict.fromkeys(("gemini_url", "openai_url"), ("http://a", "http://b", "http://c")),
}


@pytest.mark.parametrize(("field", "name", "alias"), ALIASES)
def test_a_setting_goes_by_either_name_and_the_first_one_wins(
    tmp_path: Path, field: str, name: str, alias: str
) -> None:
    first, second, third = _VALUES.get(field, ("first", "second", "third"))
    default = next(row.default for row in SETTINGS if row.field == field)

    def told(dotenv: str = "", **environment: str) -> str:
        value = getattr(settings(tmp_path, dotenv, **environment), field)
        return ",".join(value) if isinstance(value, tuple) else str(value)

    assert told() == default
    assert told(**{alias: second}) == second
    assert told(**{name: first}) == first
    assert told(**{name: first, alias: second}) == first
    assert told(f"{name}={first}", **{alias: second}) == first
    assert told(f"{alias}={second}") == second
    assert told(f"{alias}={second}", **{alias: third}) == third


def test_a_budget_is_an_amount(tmp_path: Path) -> None:
    assert settings(tmp_path).eval_daily_usd == 5
    assert settings(tmp_path, TALLYMARK_EVAL_DAILY_USD="0.25").eval_daily_usd == 0.25
    for text in ("-1", "nan", "inf", "five", "1e10"):
        with pytest.raises(BadSetting, match="TALLYMARK_EVAL_DAILY_USD must be"):
            settings(tmp_path, TALLYMARK_EVAL_DAILY_USD=text)


def test_keys_are_not_shown_with_the_settings(tmp_path: Path) -> None:
    keys = {row.name: f"secret-{row.field}" for row in SETTINGS if row.field.endswith("_key")}
    assert len(keys) == 4
    assert "secret-" not in repr(settings(tmp_path, **keys))


def test_an_empty_first_name_says_nothing(tmp_path: Path) -> None:
    assert settings(tmp_path, TALLYMARK_API_KEY="", API_KEY="second").api_key == "second"


@pytest.mark.parametrize(
    ("environment", "log_format", "style"),
    [
        ("development", "auto", "auto"),
        ("staging", "auto", "auto"),
        ("production", "auto", "json"),
        ("production", "json", "json"),
        ("production", "console", "console"),
        ("development", "json", "json"),
    ],
)
def test_a_log_in_production_is_lines_of_json_unless_it_is_told_otherwise(
    tmp_path: Path, environment: str, log_format: str, style: str
) -> None:
    here = settings(tmp_path, ENVIRONMENT=environment, TALLYMARK_LOG_FORMAT=log_format)
    assert (here.environment, here.log_style) == (environment, style)


@pytest.mark.parametrize("name", ["TALLYMARK_ENVIRONMENT", "ENVIRONMENT"])
@pytest.mark.parametrize("text", ["two words", "a\n", "ß", "a/b"])
def test_an_environment_is_one_word(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(BadSetting, match="must be one word") as caught:
        settings(tmp_path, **{name: text})
    assert caught.value.field == "TALLYMARK_ENVIRONMENT"


def test_a_mistyped_name_is_answered_with_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="Did you mean TALLYMARK_API_KEY"):
        settings(tmp_path, TALLYMARK_APIKEY="x")
