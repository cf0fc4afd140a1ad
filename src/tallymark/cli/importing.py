"""`tallymark import`: files of events through the same pipeline as any other event.

A file is read as a stream of events, cut into chunks, and each chunk sent; the answers are added up in a `Tally`,
which is shown at the end. Sending a file again changes no number: its events keep their identities.
"""

import gzip
import io
import json
import os
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final, cast

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tallymark.errors import BadRequest, BodyTooLarge, NotFound
from tallymark.ingest.decode import decode
from tallymark.ingest.log_events import LogEvents, Numbered, Wire
from tallymark.ingest.tables import Columns, Times, read_csv, read_jsonl, read_parquet
from tallymark.spec.event import Reason
