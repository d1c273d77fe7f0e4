"""Greets; the service to copy from."""
