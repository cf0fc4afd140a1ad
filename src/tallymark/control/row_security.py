"""Row-level security of PostgreSQL: the role that policies bind, made where the login is one that none binds.

Policies are made by the migrations. Superusers and roles with BYPASSRLS are bound by none; every transaction of such a
login becomes a plain role, for as long as it lasts.
"""

from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tallymark.control.models import Base

_BYPASSES: Final = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"

#: Roles are the whole server's: each login has its own, which another of its databases may have made, or just be
#: making. A login that may not make roles goes on without.
_MAKE: Final = """DO $make$
DECLARE
    tables regclass[] := '{{{tables}}}';
    role text := 'tallymark_app_' || current_user;
    named regclass;
BEGIN
    BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', role);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT %I TO CURRENT_USER', role);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), role);
    FOREACH named IN ARRAY tables LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I', named, role);
    END LOOP;
    FOR named IN SELECT s.oid::regclass FROM pg_class s JOIN pg_depend d ON d.objid = s.oid
        WHERE s.relkind = 'S' AND d.deptype = 'a' AND d.refobjid = ANY (tables::oid[]) LOOP
        EXECUTE format('GRANT USAGE ON %s TO %I', named, role);
    END LOOP;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $make$"""


_MAY_USE: Final = """SELECT EXISTS (SELECT FROM pg_roles r WHERE rolname = 'tallymark_app_' || current_user
AND NOT EXISTS (SELECT FROM unnest($1::text[]) AS named WHERE NOT has_table_privilege(r.oid, named, 'INSERT')))"""


def bypasses(connection: Connection) -> bool:
    """Whether no policy binds whoever a transaction runs as."""
    return bool(connection.exec_driver_sql(_BYPASSES).scalar_one())


def make_role(connection: Connection) -> None:
    """Makes the login's plain role, which can't log in, where the login may, and lets it use every table."""
    tables = sorted(Base.metadata.tables)
    if not _may_use(connection, tables):
        connection.exec_driver_sql(_MAKE.format(tables=",".join(tables)))


def role_of(connection: Connection) -> str | None:
    """The plain role that the login may become; None where there is none, or one that is not plain."""
    role = str(connection.exec_driver_sql("SELECT 'tallymark_app_' || current_user").scalar_one())
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("SELECT set_config('role', $1, true)", (role,))
            return None if bypasses(connection) else role
    except DBAPIError:
        return None


def _may_use(connection: Connection, tables: list[str]) -> bool:
    """Whether the role is there and may use all of these."""
    return bool(connection.exec_driver_sql(_MAY_USE, (tables,)).scalar_one())
