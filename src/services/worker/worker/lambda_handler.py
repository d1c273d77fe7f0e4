"""What Lambda calls."""

from servicekit import handler as lambda_handler
from worker.app import app

handler = lambda_handler(app)
