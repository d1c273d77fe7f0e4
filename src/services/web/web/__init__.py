"""A page for people: every service, its health, and a form to try it."""
