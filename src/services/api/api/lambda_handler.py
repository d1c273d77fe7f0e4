"""What Lambda calls."""

from api.app import app
from servicekit import handler as lambda_handler

handler = lambda_handler(app)
