# The most that the roles of an environment's own parts can ever do: flow logs, CodeDeploy, ECS in rollouts, the EKS
# cluster, its nodes and add-ons.
# They need what no service does, and AWS's policies for them reach the whole account; under this they stay with what
# bears the cluster's name, which is the environment's, and grant nothing. Only roles called "<project>-<environment>_…"
# may have it (write_roles.tf); no service's is.
locals {
  cluster = { for name in keys(local.environments) : name => {
    own = { StringLike = { "aws:ResourceTag/eks:eks-cluster-name" = "${local.project}-${local.like[name]}" } }
    new = { StringLike = { "aws:RequestTag/eks:eks-cluster-name" = "${local.project}-${local.like[name]}" } }
  } }
}

resource "aws_iam_policy" "infrastructure" {
  for_each = local.environments

  name        = "${local.project}-${each.key}_infrastructure"
  description = "Caps the roles of ${each.key}'s network and cluster"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "autoscaling:Describe*", "ec2:Describe*", "ec2:GetSecurityGroupsForVpc", "elasticloadbalancing:Describe*",
          "ecr:GetAuthorizationToken", "logs:DescribeLogGroups",
        ]
        Resource = "*"
      },
      {
        Sid    = "Log"
        Effect = "Allow"
        Action = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = [for group in ["eks/${local.project}-${local.like[each.key]}-*", "vpc/${local.project}-${local.like[each.key]}"] :
        "${local.arn["logs"]}:log-group:/aws/${group}:*"]
      },
      {
        # What CodeDeploy does by its role (modules/lambda-rollout).
        Sid      = "ShiftRequests"
        Effect   = "Allow"
        Action   = ["lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig", "lambda:UpdateAlias"]
        Resource = local.arns[each.key].functions
      },
      {
        # What ECS does by its role (modules/ecs-cluster).
        Sid       = "LeadRequests"
        Effect    = "Allow"
        Action    = ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:ModifyListener", "elasticloadbalancing:RegisterTargets"]
        Resource  = [local.balancing["listener"], local.targets]
        Condition = local.tagged[each.key].own
      },
      {
        Sid      = "LookAtAlarms"
        Effect   = "Allow"
        Action   = ["cloudwatch:DescribeAlarms"]
        Resource = "*"
      },
      {
        Sid      = "PullImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = aws_ecr_repository.images.arn
      },
      {
        # Add-ons' images, from accounts of AWS that differ from region to region.
        Sid       = "PullAddOns"
        Effect    = "Allow"
        Action    = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource  = "*"
        Condition = { StringNotEquals = { "aws:ResourceAccount" = var.account } }
      },
      {
        Sid      = "KnowCluster"
        Effect   = "Allow"
        Action   = ["eks:DescribeCluster", "eks-auth:AssumeRoleForPodIdentity"]
        Resource = local.arns[each.key].eks.cluster
      },
      {
        Sid       = "EncryptSecrets"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants"]
        Resource  = "${local.arn["kms"]}:key/*"
        Condition = local.tagged[each.key].own
      },
      {
        # AmazonEKSComputePolicy, …BlockStoragePolicy, …NetworkingPolicy and …LoadBalancingPolicy ask for this tag, too.
        Sid    = "MakeForCluster"
        Effect = "Allow"
        Action = [
          "ec2:CreateFleet", "ec2:CreateLaunchTemplate", "ec2:CreateNetworkInterface", "ec2:CreateSnapshot",
          "ec2:CreateVolume", "ec2:RunInstances",
        ]
        Resource = [for kind in [
          "fleet", "instance", "launch-template", "network-interface", "snapshot", "spot-instances-request", "volume",
        ] : "arn:${local.partition}:ec2:${var.region}:${kind == "snapshot" ? "" : var.account}:${kind}/*"]
        Condition = local.cluster[each.key].new
      },
      {
        Sid    = "StandOn"
        Effect = "Allow"
        Action = ["ec2:CreateFleet", "ec2:CreateNetworkInterface", "ec2:RunInstances"]
        Resource = [for kind in ["capacity-reservation", "image", "placement-group", "security-group"] :
        "arn:${local.partition}:ec2:${var.region}:${kind == "image" ? "" : var.account}:${kind}/*"]
      },
      {
        Sid       = "StandInOwnSubnets"
        Effect    = "Allow"
        Action    = ["ec2:CreateFleet", "ec2:CreateNetworkInterface", "ec2:RunInstances"]
        Resource  = local.ec2["subnet"]
        Condition = local.tagged[each.key].own
      },
      {
        Sid    = "ChangeClusters"
        Effect = "Allow"
        Action = [
          "ec2:AssignIpv6Addresses", "ec2:AssignPrivateIpAddresses", "ec2:AttachNetworkInterface", "ec2:AttachVolume",
          "ec2:CreateFleet", "ec2:CreateSnapshot", "ec2:DetachNetworkInterface", "ec2:DetachVolume",
          "ec2:ModifyNetworkInterfaceAttribute", "ec2:ModifyVolume", "ec2:RunInstances", "ec2:UnassignIpv6Addresses",
          "ec2:UnassignPrivateIpAddresses", "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets",
        ]
        Resource  = "*"
        Condition = local.cluster[each.key].own
      },
      {
        Sid      = "TagWhatIsMade"
        Effect   = "Allow"
        Action   = ["ec2:CreateTags"]
        Resource = "*"
        Condition = { StringEquals = { "ec2:CreateAction" = [
          "CreateFleet", "CreateLaunchTemplate", "CreateNetworkInterface", "CreateSnapshot", "CreateVolume", "RunInstances",
        ] } }
      },
      {
        # Nodes of a group are not tagged for the cluster but for the group's sake, nor are their network interfaces, and
        # the VPC's network add-on asks for no tag (AmazonEKS_CNI_Policy).
        Sid    = "NetworkOfManagedNodes"
        Effect = "Allow"
        Action = [
          "ec2:AssignPrivateIpAddresses", "ec2:AttachNetworkInterface", "ec2:CreateNetworkInterface", "ec2:CreateTags",
          "ec2:DeleteNetworkInterface", "ec2:DetachNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute",
          "ec2:UnassignPrivateIpAddresses",
        ]
        Resource = [local.ec2["instance"], local.ec2["network-interface"]]
      },
      {
        Sid       = "MakeNodes"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = local.arns[each.key].node_role
        Condition = { StringEquals = { "iam:PassedToService" = "ec2.amazonaws.com" } }
      },
      {
        Sid      = "MakeNodesProfile"
        Effect   = "Allow"
        Action   = ["iam:AddRoleToInstanceProfile"]
        Resource = "${local.iam}:instance-profile/eks*"
      },
      {
        # But for the two above.
        Sid         = "NeverGrant"
        Effect      = "Deny"
        Action      = ["iam:*", "organizations:*", "account:*", "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"]
        NotResource = [local.arns[each.key].node_role, "${local.iam}:instance-profile/eks*"]
      },
      {
        Sid      = "NeverReadState"
        Effect   = "Deny"
        Action   = ["s3:*"]
        Resource = [local.state_bucket_arn, "${local.state_bucket_arn}/*"]
      },
    ]
  })
}
