"""App Runner, in memory: moto has none.

As much of it as the AWS provider's resources and our own calls use. It starts no process: a service is its description,
and whoever serves requests (the gateway) reads that.
"""
