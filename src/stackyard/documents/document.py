"""What makes a type a document."""

from __future__ import annotations

from pydantic import ConfigDict, with_config

document = with_config(ConfigDict(use_attribute_docstrings=True))
"""Marks a TypedDict whose keys' words below them go into its schema."""
