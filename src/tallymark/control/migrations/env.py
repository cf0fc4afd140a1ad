"""What Alembic runs: the pending migrations, inside the transaction that the caller has begun."""

from alembic import context

import tallymark.control.dashboard_models  # its tables belong to the metadata
import tallymark.control.evaluation_models  # its tables belong to the metadata
import tallymark.control.experiment_models  # its tables belong to the metadata
import tallymark.control.export_models  # its tables belong to the metadata
import tallymark.control.people_models  # its tables belong to the metadata
import tallymark.control.quiz_models  # its tables belong to the metadata
import tallymark.control.session_models  # noqa: F401  # its tables belong to the metadata
from tallymark.control.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
