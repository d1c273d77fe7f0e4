data "aws_partition" "current" {}

locals {
  balancing = "arn:${data.aws_partition.current.partition}:elasticloadbalancing:${var.region}:${var.account}"
}

# What ECS may do in a rollout by blue-green, canary or linear: what AmazonECSInfrastructureRolePolicyForLoadBalancers
# grants for network load balancers, and in this environment only.
resource "aws_iam_role" "rollout" {
  name                 = "${var.name}_ecs-rollout"
  path                 = "/${var.project}/${var.environment}/"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "rollout" {
  name = "shift"
  role = aws_iam_role.rollout.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Elastic Load Balancing knows no resources for these.
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules",
          "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
        ]
        Resource = "*"
      },
      {
        Sid       = "ShiftRequests"
        Effect    = "Allow"
        Action    = ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:ModifyListener", "elasticloadbalancing:RegisterTargets"]
        Resource  = ["${local.balancing}:listener/net/*", "${local.balancing}:targetgroup/*"]
        Condition = { StringEquals = { "aws:ResourceTag/environment" = var.environment, "aws:ResourceTag/project" = var.project } }
      },
    ]
  })
}
