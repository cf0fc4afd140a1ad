"""Exports: rows of a project as files, written in constant memory and the same every time."""
