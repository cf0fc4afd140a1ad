"""The tables of what people add to a dashboard: notes on days, views that they saved, segments."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tallymark.control.models import Base


class AnnotationRow(Base):
    """A note on a day of a project."""

    __tablename__ = "annotations"
    __table_args__ = (Index(None, "project_id", "day"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    day: Mapped[date]
    text: Mapped[str] = mapped_column(String(200))
    by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]


class ViewRow(Base):
    """A view of a project that somebody saved: the dashboard's query under a title."""

    __tablename__ = "saved_views"
    __table_args__ = (Index(None, "project_id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    title: Mapped[str] = mapped_column(String(200))
    view: Mapped[str] = mapped_column(String(2_000))
    created_at: Mapped[datetime]


class SegmentRow(Base):
    """Filters that a project keeps under a key; `filters` is a JSON list of their texts."""

    __tablename__ = "segments"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    filters: Mapped[str] = mapped_column(Text)
