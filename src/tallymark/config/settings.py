"""What all settings say: frozen values, passed down."""

from dataclasses import dataclass
from pathlib import Path

from tallymark.config.values import Network


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
