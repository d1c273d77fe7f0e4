"""CodeDeploy for Lambda functions: an alias comes from one version to another by and by, and back on an alarm.

moto's has no deployment configurations, changes and deletes nothing, and starts no deployment.
"""
