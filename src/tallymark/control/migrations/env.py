"""What Alembic runs: the pending migrations, inside the transaction that the caller has begun."""

from alembic import context

from tallymark.control.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
