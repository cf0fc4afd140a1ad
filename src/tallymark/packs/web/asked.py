"""What an admin asks about a person: whom, and of which property."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import QueryParameter

from tallymark.api.auth import Call
from tallymark.api.body import read_json
from tallymark.api.services import Services
from tallymark.errors import BadRequest, UnreadableBody
from tallymark.packs.web.contract import PEOPLE
from tallymark.packs.web.form import without_mark
from tallymark.spec.project import Project

PropertyId = Annotated[str | None, QueryParameter(name="propertyId", description="Name of the project.")]

#: The body of requests about a person.
PERSON: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "email": Schema(type=OpenAPIType.STRING, description="The person's address."),
        "propertyId": Schema(type=OpenAPIType.STRING, description="Name of the project."),
    },
    required=["email"],
    examples=[{"email": "ada@example.org", "propertyId": "site"}],
)


def asked_person(here: Services, request: Call, body: bytes) -> tuple[Project, str]:
    """The project and the address that a body names. Who asks is looked at first.

    Errors: those of `Contract.administrated`; `UnreadableBody`; `BadRequest` for no address.
    """
    broken: UnreadableBody | None = None
    fields: Any = {}
    try:
        fields = read_json(without_mark(body))
    except UnreadableBody as error:
        broken = error
    told = fields if isinstance(fields, dict) else {}
    name = told.get("propertyId", request.query_params.get("propertyId"))
    project = PEOPLE.administrated(here, request.scope, name if isinstance(name, str) else None)
    if broken is not None:
        raise broken
    email = told.get("email")
    if not isinstance(email, str) or not email.strip():
        raise BadRequest("An address is needed.", field="email")
    return project, email


def moment(at: datetime) -> str:
    """An instant as answers write it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
