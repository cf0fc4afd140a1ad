"""Settings: one row each, read once at start from the environment and a `.env` file, then frozen.

The environment wins over `.env`. An unknown `TALLYMARK_*` name or a value that can't be read is a
`BadSetting` error at start, never a silent default.
"""

from tallymark.config.reading import load
from tallymark.config.rows import SETTINGS, Setting
from tallymark.config.settings import Settings

__all__ = ["SETTINGS", "Setting", "Settings", "load"]
