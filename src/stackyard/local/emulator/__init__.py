"""The emulated AWS: moto in a process of its own, with patches where it is at fault.

Nothing else in the project knows that it is moto. Others start ``python -m stackyard.local.emulator`` and speak to the
address it reports, with boto3 or Terraform, as they would speak to AWS.
"""
