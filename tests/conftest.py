"""What every test shares: how Hypothesis draws its examples."""

import os

from hypothesis import settings

# "ci" draws the same examples every time; HYPOTHESIS_PROFILE=explore draws new and more ones.
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=1_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
