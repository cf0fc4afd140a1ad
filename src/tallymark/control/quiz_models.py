"""The tables of quizzes: which there are and whose, xAPI statements that were taken, how far syncs have come."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tallymark.control.models import Base


class QuizRow(Base):
    """A quiz that someone owns; `owner` is the `sub` of their tokens, '' for nobody."""

    __tablename__ = "quizzes"
    __table_args__ = (Index(None, "project_id", "owner"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True, autoincrement=False)
    quiz: Mapped[str] = mapped_column(String(200), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    owner: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class StatementRow(Base):
    """An xAPI statement that was taken; `digest` is the SHA-256 of what it says, in hexadecimal."""

    __tablename__ = "statements"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class SyncRow(Base):
    """How far rows of a table elsewhere were taken in; `cursor` is the last value of its cursor column, as text."""

    __tablename__ = "syncs"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    cursor: Mapped[str] = mapped_column(Text)
    rows: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[datetime]
