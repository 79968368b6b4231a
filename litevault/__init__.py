"""Capture a text now, let an AI draft its title, summary and tags, confirm it before it is kept."""

__version__ = "0.1.0"
