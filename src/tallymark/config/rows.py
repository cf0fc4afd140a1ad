"""The settings there are: one row each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallymark.config.values import amount, integer, names, networks, one_of, path, url, word


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


SETTINGS: tuple[Setting, ...] = (
    Setting("data", "TALLYMARK_DATA", Path, "data",
            "Directory of everything embedded: engine, control store, spool."),
    Setting("host", "TALLYMARK_HOST", str, "127.0.0.1", "Address the server listens on."),
    Setting("port", "TALLYMARK_PORT", integer(0, 65_535), "8787", "Port the server listens on."),
    Setting("engine", "TALLYMARK_ENGINE", url("chdb", "clickhouse", "clickhouses"), "",
            "Where events live: `chdb:///path` in the process (default: `engine` in the data directory), or "
            "`clickhouse://user:password@host:8123/database` (`clickhouses://` for TLS)."),
    Setting("control", "TALLYMARK_CONTROL", url("sqlite", "postgresql", "postgres"), "",
            "Where projects, keys and jobs live; default: `sqlite://` with `control.db` in the data directory, or "
            "`postgresql://user:password@host/database?sslmode=require`."),
    Setting("cache", "TALLYMARK_CACHE", url("memory", "valkey", "valkeys", "redis", "rediss"), "memory://",
            "Where hot answers and rate limits live: `memory://`, in each process by itself; or a Valkey that "
            "processes share, `valkey://user:password@host:6379/0` (`valkeys://` for TLS; `redis://` and "
            "`rediss://` mean the same). One that is away breaks nothing."),
    Setting("files", "TALLYMARK_FILES", url("file", "s3"), "",
            "Where spool and exports live: `file:///path` (default: `files` in the data directory), or "
            "`s3://bucket/prefix?region=…&endpoint=…` for exports, with the credentials of the environment's `AWS_…` "
            "variables; the spool then stays in the data directory."),
    Setting("export_hours", "TALLYMARK_EXPORT_HOURS", integer(1, 720), "24",
            "How long the file of an export is kept, in hours."),
    Setting("archive", "TALLYMARK_ARCHIVE", one_of("off", "monthly"), "off",
            "`monthly`: raw events of every past month are archived by themselves, before they expire, of projects "
            "that keep them for 31 days or more; `off`: only when asked for."),
    Setting("export_workers", "TALLYMARK_EXPORT_WORKERS", integer(1, 4), "1", "How many exports are written at once."),
    Setting("admin_api_key", "ADMIN_API_KEY", str.strip, "", "A key that is admin of every project. Empty: nobody is."),
    Setting("api_key", "TALLYMARK_API_KEY", str.strip, "",
            "A key that may read the numbers of every project, such as the monthly export of `/sdk`.", alias="API_KEY"),
    Setting("dashboard_token", "TALLYMARK_DASHBOARD_TOKEN", str.strip, "",
            "A key that may read the numbers of every project, as `TALLYMARK_API_KEY` may; dashboards of `/ab` send it "
            "as `x-dashboard-token`.", alias="DASHBOARD_TOKEN"),
    Setting("environment", "TALLYMARK_ENVIRONMENT", word, "development",
            "`production` writes its log as JSON lines even on a terminal, and says at the start which keys are "
            "missing; any other word is a name only.", alias="ENVIRONMENT"),
    Setting("secret", "TALLYMARK_SECRET", str, "",
            "Secret that keys the hashes of actors. Empty: made at the first start and kept in the data directory."),
    Setting("cors_origins", "CORS_ALLOWED_ORIGINS", names, "*",
            "Origins whose browsers may send events, separated by commas."),
    Setting("web_capture", "TALLYMARK_WEB_CAPTURE", one_of("open", "keyed"), "open",
            "`open`: pages send to projects with the pack `web` by naming the property; `keyed`: only with a key."),
    Setting("default_property", "ROLLUP_DEFAULT_PROPERTY_ID", str, "default",
            "The project that requests below `/web` mean when they name no property."),
    Setting("sdk_capture", "TALLYMARK_SDK_CAPTURE", one_of("open", "keyed"), "open",
            "`open`: SDKs send counters to projects with the pack `sdk` by naming the project; `keyed`: only with a "
            "key."),
    Setting("sdk_metrics", "TALLYMARK_SDK_METRICS", one_of("open", "keyed"), "open",
            "`open`: everybody may read the aggregated counters of `/sdk/api/v1/metrics`; `keyed`: only with a key."),
    Setting("sdk_project", "TALLYMARK_SDK_PROJECT", str, "sdk",
            "The project that requests below `/sdk` mean when they name none."),
    Setting("sdk_networks", "TALLYMARK_SDK_NETWORKS", names, "",
            "Networks that SDKs may send counters of, separated by commas; empty: any, at most 32 a project."),
    Setting("ab_capture", "TALLYMARK_AB_CAPTURE", one_of("open", "keyed"), "open",
            "`open`: apps ask for assignments of, and send events to, projects with the pack `ab` by naming the "
            "project; `keyed`: only with a key."),
    Setting("ab_project", "TALLYMARK_AB_PROJECT", str, "ab",
            "The project that requests below `/ab` and `/ofrep` mean when they name none."),
    Setting("voice_capture", "TALLYMARK_VOICE_CAPTURE", one_of("open", "keyed", "signed"), "open",
            "`open`: workers send to projects with the pack `voice` by naming the project; `keyed`: only with a key; "
            "`signed`: only requests that are signed."),
    Setting("voice_signing_secrets", "TALLYMARK_VOICE_SIGNING_SECRETS", names, "",
            "Secrets that requests to `/voice/ingest` may be signed with, separated by commas: two while one replaces "
            "the other."),
    Setting("voice_allow", "TALLYMARK_VOICE_ALLOW", networks, "",
            "Addresses and networks (`203.0.113.7, 2001:db8::/32`) that may send to `/voice/ingest`; empty: any."),
    Setting("voice_stats", "TALLYMARK_VOICE_STATS", one_of("open", "keyed"), "open",
            "`open`: everybody may read the numbers of `/voice/stats`, though no transcripts; `keyed`: only with a "
            "key."),
    Setting("voice_project", "TALLYMARK_VOICE_PROJECT", str, "voice",
            "The project that requests below `/voice` mean when they name none."),
    Setting("quiz_capture", "TALLYMARK_QUIZ_CAPTURE", one_of("open", "keyed"), "open",
            "`open`: quizzes send to projects with the pack `quiz` by naming the project; `keyed`: only with a key or "
            "a token of a user."),
    Setting("quiz_project", "TALLYMARK_QUIZ_PROJECT", str, "quiz",
            "The project that requests below `/quiz` mean when they name none."),
    Setting("rate_limit", "TALLYMARK_RATE_LIMIT", integer(0, 1_000_000), "12000",
            "How many questions a key may ask in a minute; 0 is no limit."),
    Setting("rate_limit_address", "TALLYMARK_RATE_LIMIT_ADDRESS", integer(0, 1_000_000), "1200",
            "How many requests an address may make in a minute without a key, events not counted; a tenth of it may "
            "bring a wrong key. 0 is no limit. Behind a proxy, say so by `TALLYMARK_TRUSTED_PROXIES`, or all requests "
            "are of one address."),
    Setting("rate_limit_ingest", "TALLYMARK_RATE_LIMIT_INGEST", integer(0, 1_000_000), "0",
            "How many requests that bring events a key, or an address without one, may make in a minute; 0 is no "
            "limit."),
    Setting("jwt_secrets", "TALLYMARK_JWT_SECRET", names, "",
            "Secrets that tokens of users (JWT) are signed with by HS256, of 32 characters at least, separated by "
            "commas: two while one replaces the other.", alias="SUPABASE_JWT_SECRET"),
    Setting("jwt_jwks_url", "TALLYMARK_JWT_JWKS_URL", url("http", "https"), "",
            "Where the public keys are (a JWK set) that tokens of users are signed with by RS256, ES256 or EdDSA."),
    Setting("jwt_issuer", "TALLYMARK_JWT_ISSUER", str.strip, "",
            "Who must have issued a token, its `iss`; empty: whoever has the secret or the keys."),
    Setting("jwt_audience", "TALLYMARK_JWT_AUDIENCE", str.strip, "authenticated",
            "Whom a token must be for, one of its `aud`; empty: anybody."),
    Setting("jwt_role_claim", "TALLYMARK_JWT_ROLE_CLAIM", path, "app_metadata.tallymark_role",
            "The claim that says `learner`, `teacher` or `admin`, a path with dots; whoever has none is a learner. "
            "Never one that users may write, such as `user_metadata` of Supabase."),
    Setting("jwt_project_claim", "TALLYMARK_JWT_PROJECT_CLAIM", path, "",
            "The claim that names the project, or a list of them, that a token is good for, a path with dots; empty: "
            "tokens are good for `TALLYMARK_QUIZ_PROJECT` alone."),
    Setting("sync_dsn", "TALLYMARK_SYNC_DSN", str.strip, "",
            "Database that `tallymark sync` reads, as `postgresql://…`: here rather than as its `--dsn`, where others "
            "on the machine can read its password."),
    Setting("quiz_abandon_minutes", "TALLYMARK_QUIZ_ABANDON_MINUTES", integer(1, 525_600), "1440",
            "An attempt at a quiz that nobody ended is abandoned once nothing of it has come for so many minutes."),
    Setting("rollup_batch_days", "ROLLUP_BATCH_DAYS", integer(1, 31), "31",
            "Most days that a refresh computes by the same statements."),
    Setting("trusted_proxies", "TALLYMARK_TRUSTED_PROXIES", integer(0, 10), "0",
            "How many proxies in front of the server append to `X-Forwarded-For`; 0 ignores the header."),
    Setting("max_body_bytes", "TALLYMARK_MAX_BODY_BYTES", integer(1_024, 1 << 30), "5242880",
            "Largest request body, also after decompression, in bytes."),
    Setting("max_event_bytes", "TALLYMARK_MAX_EVENT_BYTES", integer(256, 1 << 24), "65536",
            "Largest properties of one event as JSON, in bytes."),
    Setting("max_properties", "TALLYMARK_MAX_PROPERTIES", integer(1, 10_000), "200", "Most properties of one event."),
    Setting("accept_past_days", "TALLYMARK_ACCEPT_PAST_DAYS", integer(0, 36_500), "30",
            "How old an event may be on arrival, in days; imports have no such limit."),
    Setting("accept_future_minutes", "TALLYMARK_ACCEPT_FUTURE_MINUTES", integer(0, 1_440), "60",
            "How far ahead of the server's clock an event may be, in minutes."),
    Setting("linger_ms", "TALLYMARK_LINGER_MS", integer(0, 100), "20",
            "How long a group commit waits for more events where few have come, in milliseconds."),
    Setting("queue_events", "TALLYMARK_QUEUE_EVENTS", integer(1_000, 10_000_000), "200000",
            "Most events that may wait to be written; more are answered 503."),
    Setting("spool_bytes", "TALLYMARK_SPOOL_BYTES", integer(1 << 20, 1 << 40), "4294967296",
            "Largest spool while the engine is away, in bytes; more events are answered 503."),
    Setting("refresh_seconds", "TALLYMARK_REFRESH_SECONDS", integer(1, 3_600), "3",
            "How often the server looks for days that have become stale, in seconds."),
    Setting("settle_seconds", "TALLYMARK_SETTLE_SECONDS", integer(0, 3_600), "30",
            "How long after its insertion a batch may become visible; a day is checked again until then."),
    Setting("engine_memory_mb", "TALLYMARK_ENGINE_MEMORY_MB", integer(256, 1 << 20), "2048",
            "Memory the embedded engine may use, in megabytes."),
    Setting("engine_threads", "TALLYMARK_ENGINE_THREADS", integer(0, 256), "0",
            "Threads one query may use; 0 leaves it to the engine."),
    Setting("eval_batch_size", "TALLYMARK_EVAL_BATCH_SIZE", integer(1, 1_000), "50",
            "How many answers are judged together at most; every minute a batch follows another until none waits.",
            alias="EVAL_BATCH_SIZE"),
    Setting("eval_timeout_seconds", "TALLYMARK_EVAL_TIMEOUT_SECONDS", integer(1, 600), "30",
            "How long a judge may take for an answer, in seconds."),
    Setting("eval_requests_per_minute", "TALLYMARK_EVAL_REQUESTS_PER_MINUTE", integer(0, 100_000), "300",
            "How often a kind of judge that is a model is asked in a minute; 0 is no limit."),
    Setting("eval_tokens_per_minute", "TALLYMARK_EVAL_TOKENS_PER_MINUTE", integer(0, 10**9), "200000",
            "How many tokens a kind of judge that is a model may take in a minute; 0 is no limit."),
    Setting("eval_daily_tokens", "TALLYMARK_EVAL_DAILY_TOKENS", integer(0, 10**12), "2000000",
            "How many tokens the judges of a project may take in a UTC day; 0 is no limit."),
    Setting("eval_daily_usd", "TALLYMARK_EVAL_DAILY_USD", amount(1e9), "5",
            "What the judges of a project may cost in a UTC day, in US dollars by their evaluators' prices; 0 is no "
            "limit."),
    Setting("gemini_api_key", "TALLYMARK_GEMINI_API_KEY", str.strip, "",
            "Key for the judge Gemini; with it, answers are judged by a model.", alias="GEMINI_API_KEY"),
    Setting("gemini_url", "TALLYMARK_GEMINI_URL", url("http", "https"), "",
            "Where Gemini answers; empty: where Google says.", alias="GOOGLE_GEMINI_BASE_URL"),
    Setting("gemini_model", "TALLYMARK_GEMINI_MODEL", str.strip, "gemini-3.5-flash-lite",
            "Model of the evaluator that projects begin with, where a key for Gemini is set."),
    Setting("openai_api_key", "TALLYMARK_OPENAI_API_KEY", str.strip, "",
            "Key for the judge that is a server which speaks as OpenAI's does.", alias="OPENAI_API_KEY"),
    Setting("openai_url", "TALLYMARK_OPENAI_URL", url("http", "https"), "",
            "Where that server answers (vLLM, Ollama, …), as `http://127.0.0.1:8000/v1`; empty: OpenAI's own.",
            alias="OPENAI_BASE_URL"),
    Setting("openai_model", "TALLYMARK_OPENAI_MODEL", str.strip, "gpt-5.4-mini",
            "Model of the evaluator that projects begin with, where such a server and no key for Gemini is set."),
    Setting("log_level", "TALLYMARK_LOG_LEVEL", one_of("debug", "info", "warning", "error"), "info",
            "Least severe log line."),
    Setting("log_format", "TALLYMARK_LOG_FORMAT", one_of("auto", "json", "console"), "auto",
            "`json` lines, `console` for people, `auto` for console on a terminal."),
    Setting("endpoint", "TALLYMARK_ENDPOINT", url("http", "https"), "",
            "Server that commands talk to; empty: the one on this machine if it runs, else the data directory."),
    Setting("key", "TALLYMARK_KEY", str, "", "Key that commands use with that server."),
)  # fmt: skip
