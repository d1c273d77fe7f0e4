"""Secrets Manager: which secrets are there, and on the laptop their values."""

from __future__ import annotations

from collections.abc import Collection

from stackyard.tools.aws import Aws


def has_secret(aws: Aws, name: str) -> bool:
    """Tell whether Secrets Manager has a secret, one that is not being deleted."""
    client = aws.client("secretsmanager")
    with aws.explained(f"secret {name}"):
        try:
            return "DeletedDate" not in client.describe_secret(SecretId=name)
        except client.exceptions.ResourceNotFoundException:
            return False


def set_secret(aws: Aws, name: str, value: str) -> None:
    """Give a secret its value; make it where it is not there. For the laptop only."""
    client = aws.client("secretsmanager")
    with aws.explained(f"secret {name}"):
        try:
            if client.get_secret_value(SecretId=name)["SecretString"] != value:
                client.put_secret_value(SecretId=name, SecretString=value)
        except client.exceptions.ResourceNotFoundException:
            client.create_secret(Name=name, SecretString=value)


def read_secrets(aws: Aws, arns: Collection[str]) -> dict[str, str]:
    """Return the values of secrets by ARN. For the laptop only."""
    with aws.explained("secrets"):
        return {
            arn: aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"] for arn in sorted(arns)
        }
