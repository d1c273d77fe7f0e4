"""ECS's service deployments: an ECS service comes to a new revision, all at once or by and by, and back."""
