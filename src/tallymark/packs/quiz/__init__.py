"""Quizzes: attempts, their questions, scores, and each user's own numbers only."""

from tallymark.packs.product import Product
from tallymark.packs.quiz.described import described
from tallymark.packs.quiz.jobs import jobs
from tallymark.packs.quiz.metrics import PACK
from tallymark.packs.quiz.routes import routes
from tallymark.packs.quiz.smoke import smoke
from tallymark.packs.quiz.views import VIEWS

PRODUCT = Product(PACK, routes=routes, jobs=jobs, views=VIEWS, paths=described(), smoke=smoke)

__all__ = ["PACK", "PRODUCT"]
