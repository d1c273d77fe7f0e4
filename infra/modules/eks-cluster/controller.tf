# With managed nodes somebody must run the AWS Load Balancer Controller (README); what it may do stands here. It binds
# pods to target groups that Terraform made and never makes a load balancer.
locals {
  pods_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "pods.eks.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role" "controller" {
  count = local.managed ? 1 : 0

  name                 = "${var.name}_eks-load-balancer"
  path                 = local.role_path
  permissions_boundary = var.permissions_boundary
  assume_role_policy   = local.pods_trust
}

resource "aws_iam_role_policy" "controller" {
  count = local.managed ? 1 : 0

  name = "bind-target-groups"
  role = aws_iam_role.controller[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # None of these knows resources.
        Effect = "Allow"
        Action = [
          "ec2:DescribeAvailabilityZones", "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
          "elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroups",
          "elasticloadbalancing:DescribeTargetHealth",
        ]
        Resource = "*"
      },
      {
        Effect    = "Allow"
        Action    = ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"]
        Resource  = "arn:${data.aws_partition.current.partition}:elasticloadbalancing:*:*:targetgroup/*/*"
        Condition = { StringEquals = { "aws:ResourceTag/eks:eks-cluster-name" = var.name } }
      },
    ]
  })
}

resource "aws_eks_pod_identity_association" "controller" {
  count = local.managed ? 1 : 0

  cluster_name    = aws_eks_cluster.this.name
  namespace       = "kube-system"
  service_account = "aws-load-balancer-controller"
  role_arn        = aws_iam_role.controller[0].arn
}
