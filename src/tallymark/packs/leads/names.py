"""Names of the events that tell of captured forms, and of the packs that take forms."""

from typing import Final

OF_FORM: Final = "lead_captured"
OF_QUIZ: Final = "quiz_lead"
#: Every one. They tell of a form, and prove nothing of who was where.
EVENTS: Final = (OF_FORM, OF_QUIZ)

#: Projects with any of these have leads.
PACKS: Final = ("web", "quiz")
