"""The ab pack's declarations: events of applications, by experiment and variant."""

from tallymark.spec.condition import event, human
from tallymark.spec.experiment import EXPOSURE
from tallymark.spec.measure import actors, count
from tallymark.spec.metric import Metric, Plain
from tallymark.spec.pack import Pack

_EXPOSED = human() & event(EXPOSURE)

METRICS = (
    Metric("exposures", "Exposures", "Events that tell that a unit met a variant.", Plain(count(_EXPOSED)), good="up"),
    Metric("exposed_units", "Exposed units", "Distinct units that met a variant.", Plain(actors(_EXPOSED)), good="up"),
)  # fmt: skip

PACK = Pack("ab", "Experiments", "Assignments to variants, experiments and their results.", METRICS, ())
