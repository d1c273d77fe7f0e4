"""A FastAPI application as people have them: made without servicekit, and knowing nothing of it."""
