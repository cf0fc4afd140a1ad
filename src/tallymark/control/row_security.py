"""Row-level security of PostgreSQL: the role that policies bind, made where the login is one that none binds.

Policies are made by the migrations. Superusers and roles with BYPASSRLS are bound by none; every transaction of such a
login becomes a plain role, for as long as it lasts.
"""

from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tallymark.control.models import Base

#: The plain role; it can't log in.
ROLE: Final = "tallymark_app"

_BYPASSES: Final = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"

#: Roles are the whole server's, so another database may have made it already, or just be making it. A login that may
#: not make it goes on without.
_MAKE: Final = """DO $make$
DECLARE
    tables regclass[] := '{{{tables}}}';
    named regclass;
BEGIN
    BEGIN
        CREATE ROLE {role} NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        GRANT {role} TO CURRENT_USER;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO {role}', current_schema());
    FOREACH named IN ARRAY tables LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO {role}', named);
    END LOOP;
    FOR named IN SELECT s.oid::regclass FROM pg_class s JOIN pg_depend d ON d.objid = s.oid
        WHERE s.relkind = 'S' AND d.deptype = 'a' AND d.refobjid = ANY (tables::oid[]) LOOP
        EXECUTE format('GRANT USAGE ON %s TO {role}', named);
    END LOOP;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $make$"""


def bypasses(connection: Connection) -> bool:
    """Whether no policy binds whoever a transaction runs as."""
    return bool(connection.exec_driver_sql(_BYPASSES).scalar_one())


def make_role(connection: Connection) -> None:
    """Makes the plain role, where the login may, and lets it use every table."""
    tables = sorted(Base.metadata.tables)
    if not _may(connection, tables):
        connection.exec_driver_sql(_MAKE.format(role=ROLE, tables=",".join(tables)))


def becomes(connection: Connection) -> bool:
    """Whether the login may become the plain role, which it is from now on in this transaction."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("SELECT set_config('role', $1, true)", (ROLE,))
    except DBAPIError:
        return False
    return not bypasses(connection)


def _may(connection: Connection, tables: list[str]) -> bool:
    there = connection.exec_driver_sql("SELECT count(*) FROM pg_roles WHERE rolname = $1", (ROLE,)).scalar_one()
    missing = "SELECT count(*) FROM unnest($2::text[]) AS named WHERE NOT has_table_privilege($1, named, 'INSERT')"
    return there == 1 and connection.exec_driver_sql(missing, (ROLE, tables)).scalar_one() == 0
