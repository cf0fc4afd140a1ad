"""The tables of signing in: sessions, one-time codes, shared links. Secrets are stored hashed."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from tallymark.control.models import Base


class SessionRow(Base):
    """Somebody who is signed in. `kind` says by what, `subject` by which: a key's id or hash, a share's id."""

    __tablename__ = "sessions"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SignInCodeRow(Base):
    """A code that signs in once."""

    __tablename__ = "sign_in_codes"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]


class ShareRow(Base):
    """A link that shows a project to whoever has it; `password` is a salted hash, '' for none."""

    __tablename__ = "shares"
    __table_args__ = (Index(None, "project_id"), Index(None, "hash", unique=True))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    hash: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(200))
    view: Mapped[str] = mapped_column(String(2_000))
    password: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
