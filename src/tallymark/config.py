"""Settings: one row each, read once at start from the environment and a `.env` file, then frozen.

The environment wins over `.env`. An unknown `TALLYMARK_*` name or a value that can't be read is a
`BadSetting` error at start, never a silent default.
"""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from tallymark.errors import BadSetting

PREFIX = "TALLYMARK_"

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Setting:
    """One row: the field of `Settings`, the variable's name, how it is read, its default as text, its help.

    `alias` is another name of the variable; the first name wins where it says anything.
    """

    field: str
    name: str
    parse: Callable[[str], Any]
    default: str
    help: str
    alias: str = ""

    def text(self, values: Mapping[str, str]) -> str:
        """What variables say of it, or its default."""
        if self.alias:
            return values.get(self.name) or values.get(self.alias) or self.default
        return values.get(self.name, self.default)


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError("must be a whole number") from None
        if not low <= number <= high:
            raise ValueError(f"must be between {low} and {high}")
        return number

    return parse


def _amount(most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise ValueError("must be a number") from None
        if not 0 <= number <= most:
            raise ValueError(f"must be between 0 and {most:g}")
        return number

    return parse


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return parse


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text and text.partition("://")[0] not in schemes:
            raise ValueError(f"must start with {' or '.join(s + '://' for s in schemes)}")
        return text

    return parse


def _word(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]*", text):
        raise ValueError("must be one word")
    return text


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _path(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(".")) if text else ()
    if not all(parts):
        raise ValueError("must be names with dots between them")
    return parts


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(part, strict=False) for part in _names(text))
    except ValueError as error:
        raise ValueError(f"must be addresses or networks: {error}") from None


SETTINGS: tuple[Setting, ...] = (
    Setting("data", "TALLYMARK_DATA", Path, "data",
            "Directory of everything embedded: engine, control store, spool."),
    Setting("host", "TALLYMARK_HOST", str, "127.0.0.1", "Address the server listens on."),
    Setting("port", "TALLYMARK_PORT", _integer(0, 65_535), "8787", "Port the server listens on."),
    Setting("engine", "TALLYMARK_ENGINE", _url("chdb", "clickhouse", "clickhouses"), "",
            "Where events live: `chdb:///path` in the process (default: `engine` in the data directory), or "
            "`clickhouse://user:password@host:8123/database` (`clickhouses://` for TLS)."),
    Setting("control", "TALLYMARK_CONTROL", _url("sqlite", "postgresql", "postgres"), "",
            "Where projects, keys and jobs live; default: `sqlite://` with `control.db` in the data directory, or "
            "`postgresql://user:password@host/database?sslmode=require`."),
    Setting("cache", "TALLYMARK_CACHE", _url("memory", "valkey", "valkeys", "redis", "rediss"), "memory://",
            "Where hot answers and rate limits live: `memory://`, in each process by itself; or a Valkey that "
            "processes share, `valkey://user:password@host:6379/0` (`valkeys://` for TLS; `redis://` and "
            "`rediss://` mean the same). One that is away breaks nothing."),
    Setting("files", "TALLYMARK_FILES", _url("file", "s3"), "",
            "Where spool and exports live: `file:///path` (default: `files` in the data directory), or "
            "`s3://bucket/prefix?region=…&endpoint=…` for exports, with the credentials of the environment's `AWS_…` "
            "variables; the spool then stays in the data directory."),
    Setting("export_hours", "TALLYMARK_EXPORT_HOURS", _integer(1, 720), "24",
            "How long the file of an export is kept, in hours."),
    Setting("archive", "TALLYMARK_ARCHIVE", _one_of("off", "monthly"), "off",
            "`monthly`: raw events of every past month are archived by themselves, before they expire, of projects "
            "that keep them for 31 days or more; `off`: only when asked for."),
    Setting("export_workers", "TALLYMARK_EXPORT_WORKERS", _integer(1, 4), "1", "How many exports are written at once."),
    Setting("admin_api_key", "ADMIN_API_KEY", str.strip, "", "A key that is admin of every project. Empty: nobody is."),
    Setting("api_key", "TALLYMARK_API_KEY", str.strip, "",
            "A key that may read the numbers of every project, such as the monthly export of `/sdk`.", alias="API_KEY"),
    Setting("dashboard_token", "TALLYMARK_DASHBOARD_TOKEN", str.strip, "",
            "A key that may read the numbers of every project, as `TALLYMARK_API_KEY` may; dashboards of `/ab` send it "
            "as `x-dashboard-token`.", alias="DASHBOARD_TOKEN"),
    Setting("environment", "TALLYMARK_ENVIRONMENT", _word, "development",
            "`production` writes its log as JSON lines even on a terminal, and says at the start which keys are "
            "missing; any other word is a name only.", alias="ENVIRONMENT"),
    Setting("secret", "TALLYMARK_SECRET", str, "",
            "Secret that keys the hashes of actors. Empty: made at the first start and kept in the data directory."),
    Setting("cors_origins", "CORS_ALLOWED_ORIGINS", _names, "*",
            "Origins whose browsers may send events, separated by commas."),
    Setting("web_capture", "TALLYMARK_WEB_CAPTURE", _one_of("open", "keyed"), "open",
            "`open`: pages send to projects with the pack `web` by naming the property; `keyed`: only with a key."),
    Setting("default_property", "ROLLUP_DEFAULT_PROPERTY_ID", str, "default",
            "The project that requests below `/web` mean when they name no property."),
    Setting("sdk_capture", "TALLYMARK_SDK_CAPTURE", _one_of("open", "keyed"), "open",
            "`open`: SDKs send counters to projects with the pack `sdk` by naming the project; `keyed`: only with a "
            "key."),
    Setting("sdk_metrics", "TALLYMARK_SDK_METRICS", _one_of("open", "keyed"), "open",
            "`open`: everybody may read the aggregated counters of `/sdk/api/v1/metrics`; `keyed`: only with a key."),
    Setting("sdk_project", "TALLYMARK_SDK_PROJECT", str, "sdk",
            "The project that requests below `/sdk` mean when they name none."),
    Setting("sdk_networks", "TALLYMARK_SDK_NETWORKS", _names, "",
            "Networks that SDKs may send counters of, separated by commas; empty: any, at most 32 a project."),
    Setting("ab_capture", "TALLYMARK_AB_CAPTURE", _one_of("open", "keyed"), "open",
            "`open`: apps ask for assignments of, and send events to, projects with the pack `ab` by naming the "
            "project; `keyed`: only with a key."),
    Setting("ab_project", "TALLYMARK_AB_PROJECT", str, "ab",
            "The project that requests below `/ab` and `/ofrep` mean when they name none."),
    Setting("voice_capture", "TALLYMARK_VOICE_CAPTURE", _one_of("open", "keyed", "signed"), "open",
            "`open`: workers send to projects with the pack `voice` by naming the project; `keyed`: only with a key; "
            "`signed`: only requests that are signed."),
    Setting("voice_signing_secrets", "TALLYMARK_VOICE_SIGNING_SECRETS", _names, "",
            "Secrets that requests to `/voice/ingest` may be signed with, separated by commas: two while one replaces "
            "the other."),
    Setting("voice_allow", "TALLYMARK_VOICE_ALLOW", _networks, "",
            "Addresses and networks (`203.0.113.7, 2001:db8::/32`) that may send to `/voice/ingest`; empty: any."),
    Setting("voice_stats", "TALLYMARK_VOICE_STATS", _one_of("open", "keyed"), "open",
            "`open`: everybody may read the numbers of `/voice/stats`, though no transcripts; `keyed`: only with a "
            "key."),
    Setting("voice_project", "TALLYMARK_VOICE_PROJECT", str, "voice",
            "The project that requests below `/voice` mean when they name none."),
    Setting("quiz_capture", "TALLYMARK_QUIZ_CAPTURE", _one_of("open", "keyed"), "open",
            "`open`: quizzes send to projects with the pack `quiz` by naming the project; `keyed`: only with a key or "
            "a token of a user."),
    Setting("quiz_project", "TALLYMARK_QUIZ_PROJECT", str, "quiz",
            "The project that requests below `/quiz` mean when they name none."),
    Setting("rate_limit", "TALLYMARK_RATE_LIMIT", _integer(0, 1_000_000), "12000",
            "How many questions a key may ask in a minute; 0 is no limit."),
    Setting("rate_limit_address", "TALLYMARK_RATE_LIMIT_ADDRESS", _integer(0, 1_000_000), "1200",
            "How many requests an address may make in a minute without a key, events not counted; a tenth of it may "
            "bring a wrong key. 0 is no limit. Behind a proxy, say so by `TALLYMARK_TRUSTED_PROXIES`, or all requests "
            "are of one address."),
    Setting("rate_limit_ingest", "TALLYMARK_RATE_LIMIT_INGEST", _integer(0, 1_000_000), "0",
            "How many requests that bring events a key, or an address without one, may make in a minute; 0 is no "
            "limit."),
    Setting("jwt_secrets", "TALLYMARK_JWT_SECRET", _names, "",
            "Secrets that tokens of users (JWT) are signed with by HS256, of 32 characters at least, separated by "
            "commas: two while one replaces the other.", alias="SUPABASE_JWT_SECRET"),
    Setting("jwt_jwks_url", "TALLYMARK_JWT_JWKS_URL", _url("http", "https"), "",
            "Where the public keys are (a JWK set) that tokens of users are signed with by RS256, ES256 or EdDSA."),
    Setting("jwt_issuer", "TALLYMARK_JWT_ISSUER", str.strip, "",
            "Who must have issued a token, its `iss`; empty: whoever has the secret or the keys."),
    Setting("jwt_audience", "TALLYMARK_JWT_AUDIENCE", str.strip, "authenticated",
            "Whom a token must be for, one of its `aud`; empty: anybody."),
    Setting("jwt_role_claim", "TALLYMARK_JWT_ROLE_CLAIM", _path, "app_metadata.tallymark_role",
            "The claim that says `learner`, `teacher` or `admin`, a path with dots; whoever has none is a learner. "
            "Never one that users may write, such as `user_metadata` of Supabase."),
    Setting("jwt_project_claim", "TALLYMARK_JWT_PROJECT_CLAIM", _path, "",
            "The claim that names the project, or a list of them, that a token is good for, a path with dots; empty: "
            "tokens are good for `TALLYMARK_QUIZ_PROJECT` alone."),
    Setting("sync_dsn", "TALLYMARK_SYNC_DSN", str.strip, "",
            "Database that `tallymark sync` reads, as `postgresql://…`: here rather than as its `--dsn`, where others "
            "on the machine can read its password."),
    Setting("quiz_abandon_minutes", "TALLYMARK_QUIZ_ABANDON_MINUTES", _integer(1, 525_600), "1440",
            "An attempt at a quiz that nobody ended is abandoned once nothing of it has come for so many minutes."),
    Setting("rollup_batch_days", "ROLLUP_BATCH_DAYS", _integer(1, 31), "31",
            "Most days that a refresh computes by the same statements."),
    Setting("trusted_proxies", "TALLYMARK_TRUSTED_PROXIES", _integer(0, 10), "0",
            "How many proxies in front of the server append to `X-Forwarded-For`; 0 ignores the header."),
    Setting("max_body_bytes", "TALLYMARK_MAX_BODY_BYTES", _integer(1_024, 1 << 30), "5242880",
            "Largest request body, also after decompression, in bytes."),
    Setting("max_event_bytes", "TALLYMARK_MAX_EVENT_BYTES", _integer(256, 1 << 24), "65536",
            "Largest properties of one event as JSON, in bytes."),
    Setting("max_properties", "TALLYMARK_MAX_PROPERTIES", _integer(1, 10_000), "200", "Most properties of one event."),
    Setting("accept_past_days", "TALLYMARK_ACCEPT_PAST_DAYS", _integer(0, 36_500), "30",
            "How old an event may be on arrival, in days; imports have no such limit."),
    Setting("accept_future_minutes", "TALLYMARK_ACCEPT_FUTURE_MINUTES", _integer(0, 1_440), "60",
            "How far ahead of the server's clock an event may be, in minutes."),
    Setting("linger_ms", "TALLYMARK_LINGER_MS", _integer(0, 100), "20",
            "How long a group commit waits for more events where few have come, in milliseconds."),
    Setting("queue_events", "TALLYMARK_QUEUE_EVENTS", _integer(1_000, 10_000_000), "200000",
            "Most events that may wait to be written; more are answered 503."),
    Setting("spool_bytes", "TALLYMARK_SPOOL_BYTES", _integer(1 << 20, 1 << 40), "4294967296",
            "Largest spool while the engine is away, in bytes; more events are answered 503."),
    Setting("refresh_seconds", "TALLYMARK_REFRESH_SECONDS", _integer(1, 3_600), "3",
            "How often the server looks for days that have become stale, in seconds."),
    Setting("settle_seconds", "TALLYMARK_SETTLE_SECONDS", _integer(0, 3_600), "30",
            "How long after its insertion a batch may become visible; a day is checked again until then."),
    Setting("engine_memory_mb", "TALLYMARK_ENGINE_MEMORY_MB", _integer(256, 1 << 20), "2048",
            "Memory the embedded engine may use, in megabytes."),
    Setting("engine_threads", "TALLYMARK_ENGINE_THREADS", _integer(0, 256), "0",
            "Threads one query may use; 0 leaves it to the engine."),
    Setting("eval_batch_size", "TALLYMARK_EVAL_BATCH_SIZE", _integer(1, 1_000), "50",
            "How many answers are judged together at most; every minute a batch follows another until none waits.",
            alias="EVAL_BATCH_SIZE"),
    Setting("eval_timeout_seconds", "TALLYMARK_EVAL_TIMEOUT_SECONDS", _integer(1, 600), "30",
            "How long a judge may take for an answer, in seconds."),
    Setting("eval_requests_per_minute", "TALLYMARK_EVAL_REQUESTS_PER_MINUTE", _integer(0, 100_000), "300",
            "How often a kind of judge that is a model is asked in a minute; 0 is no limit."),
    Setting("eval_tokens_per_minute", "TALLYMARK_EVAL_TOKENS_PER_MINUTE", _integer(0, 10**9), "200000",
            "How many tokens a kind of judge that is a model may take in a minute; 0 is no limit."),
    Setting("eval_daily_tokens", "TALLYMARK_EVAL_DAILY_TOKENS", _integer(0, 10**12), "2000000",
            "How many tokens the judges of a project may take in a UTC day; 0 is no limit."),
    Setting("eval_daily_usd", "TALLYMARK_EVAL_DAILY_USD", _amount(1e9), "5",
            "What the judges of a project may cost in a UTC day, in US dollars by their evaluators' prices; 0 is no "
            "limit."),
    Setting("gemini_api_key", "TALLYMARK_GEMINI_API_KEY", str.strip, "",
            "Key for the judge Gemini; with it, answers are judged by a model.", alias="GEMINI_API_KEY"),
    Setting("gemini_url", "TALLYMARK_GEMINI_URL", _url("http", "https"), "",
            "Where Gemini answers; empty: where Google says.", alias="GOOGLE_GEMINI_BASE_URL"),
    Setting("gemini_model", "TALLYMARK_GEMINI_MODEL", str.strip, "gemini-3.5-flash-lite",
            "Model of the evaluator that projects begin with, where a key for Gemini is set."),
    Setting("openai_api_key", "TALLYMARK_OPENAI_API_KEY", str.strip, "",
            "Key for the judge that is a server which speaks as OpenAI's does.", alias="OPENAI_API_KEY"),
    Setting("openai_url", "TALLYMARK_OPENAI_URL", _url("http", "https"), "",
            "Where that server answers (vLLM, Ollama, …), as `http://127.0.0.1:8000/v1`; empty: OpenAI's own.",
            alias="OPENAI_BASE_URL"),
    Setting("openai_model", "TALLYMARK_OPENAI_MODEL", str.strip, "gpt-5.4-mini",
            "Model of the evaluator that projects begin with, where such a server and no key for Gemini is set."),
    Setting("log_level", "TALLYMARK_LOG_LEVEL", _one_of("debug", "info", "warning", "error"), "info",
            "Least severe log line."),
    Setting("log_format", "TALLYMARK_LOG_FORMAT", _one_of("auto", "json", "console"), "auto",
            "`json` lines, `console` for people, `auto` for console on a terminal."),
    Setting("endpoint", "TALLYMARK_ENDPOINT", _url("http", "https"), "",
            "Server that commands talk to; empty: the one on this machine if it runs, else the data directory."),
    Setting("key", "TALLYMARK_KEY", str, "", "Key that commands use with that server."),
)  # fmt: skip


@dataclass(frozen=True, repr=False)  # keys are in it
class Settings:
    """The values of all settings. Made by `load`; passed down, never looked up."""

    data: Path
    host: str
    port: int
    engine: str
    control: str
    cache: str
    files: str
    export_hours: int
    archive: str
    export_workers: int
    admin_api_key: str
    api_key: str
    dashboard_token: str
    environment: str
    secret: str
    cors_origins: tuple[str, ...]
    web_capture: str
    default_property: str
    sdk_capture: str
    sdk_metrics: str
    sdk_project: str
    sdk_networks: tuple[str, ...]
    ab_capture: str
    ab_project: str
    voice_capture: str
    voice_signing_secrets: tuple[str, ...]
    voice_allow: tuple[Network, ...]
    voice_stats: str
    voice_project: str
    quiz_capture: str
    quiz_project: str
    rate_limit: int
    rate_limit_address: int
    rate_limit_ingest: int
    jwt_secrets: tuple[str, ...]
    jwt_jwks_url: str
    jwt_issuer: str
    jwt_audience: str
    jwt_role_claim: tuple[str, ...]
    jwt_project_claim: tuple[str, ...]
    sync_dsn: str
    quiz_abandon_minutes: int
    rollup_batch_days: int
    trusted_proxies: int
    max_body_bytes: int
    max_event_bytes: int
    max_properties: int
    accept_past_days: int
    accept_future_minutes: int
    linger_ms: int
    queue_events: int
    spool_bytes: int
    refresh_seconds: int
    settle_seconds: int
    engine_memory_mb: int
    engine_threads: int
    eval_batch_size: int
    eval_timeout_seconds: int
    eval_requests_per_minute: int
    eval_tokens_per_minute: int
    eval_daily_tokens: int
    eval_daily_usd: float
    gemini_api_key: str
    gemini_url: str
    gemini_model: str
    openai_api_key: str
    openai_url: str
    openai_model: str
    log_level: str
    log_format: str
    endpoint: str
    key: str

    @property
    def read_keys(self) -> tuple[str, ...]:
        """Keys that may read the numbers of every project; empty ones are none."""
        return (self.api_key, self.dashboard_token)

    @property
    def engine_url(self) -> str:
        """The engine's URL with the default filled in."""
        return self.engine or f"chdb://{(self.data / 'engine').absolute()}"

    @property
    def control_url(self) -> str:
        """The control store's URL with the default filled in."""
        return self.control or f"sqlite:///{(self.data / 'control.db').absolute()}"

    @property
    def log_style(self) -> str:
        """How the log is written; what is `auto` otherwise is `json` in production."""
        return "json" if self.log_format == "auto" and self.environment == "production" else self.log_format

    @property
    def files_path(self) -> Path:
        """The directory of the spool, and of exports where these don't go to a bucket."""
        return Path(self.files.removeprefix("file://")) if self.files.startswith("file://") else self.data / "files"


def read_dotenv(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of a `.env` file; comments, `export` and quotes as usual; {} without a file."""
    values: dict[str, str] = {}
    if not path.is_file():
        return values
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip().removeprefix("export ").strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise BadSetting(f"{path}, line {number}: expected NAME=value.")
        values[name.strip()] = _unquote(value.strip())
    return values


def _unquote(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value.partition(" #")[0].rstrip()


def _check_names(values: Mapping[str, str]) -> None:
    known = [row.name for row in SETTINGS]
    for name in values:
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise BadSetting(f"Unknown setting {name}.{hint}", field=name, allowed=known)


def load(environ: Mapping[str, str] | None = None, dotenv: Path | None = None, **overrides: Any) -> Settings:
    """The settings out of `environ` (default: the process's) over `dotenv` (default: `./.env`).

    `overrides` are ready values by field name (a command's options); None leaves a field alone.
    Errors: `BadSetting` for an unknown name or a value that can't be read.
    """
    values = {**read_dotenv(dotenv or Path(".env")), **(os.environ if environ is None else environ)}
    _check_names(values)
    given = {field: value for field, value in overrides.items() if value is not None}
    unknown = given.keys() - {f.name for f in fields(Settings)}
    if unknown:
        raise BadSetting(f"Unknown setting {', '.join(sorted(unknown))}.")
    parsed = {row.field: _parse(row, row.text(values)) for row in SETTINGS if row.field not in given}
    return Settings(**parsed, **given)


def _parse(row: Setting, text: str) -> Any:
    try:
        return row.parse(text)
    except ValueError as error:
        name = f"{row.name} ({row.alias})" if row.alias else row.name
        raise BadSetting(f"{name} {error}, not {text!r}.", field=row.name) from None
