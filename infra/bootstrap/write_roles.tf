locals {
  # Policies of AWS that a role may be given, and no others: those of the EKS cluster and its nodes (modules/eks-cluster).
  cluster_policies = [for policy in [
    "AmazonEC2ContainerRegistryPullOnly", "AmazonEKSBlockStoragePolicy", "AmazonEKSClusterPolicy", "AmazonEKSComputePolicy",
    "AmazonEKSLoadBalancingPolicy", "AmazonEKSNetworkingPolicy", "AmazonEKSWorkerNodeMinimalPolicy",
    "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy",
  ] : "arn:${local.partition}:iam::aws:policy/${policy}"]

  # Roles that AWS's services make for themselves when an account first uses them, by service.
  service_linked = {
    "apprunner.amazonaws.com"                   = "AWSServiceRoleForAppRunner"
    "ecs.amazonaws.com"                         = "AWSServiceRoleForECS"
    "ecs.application-autoscaling.amazonaws.com" = "AWSServiceRoleForApplicationAutoScaling_ECSService"
    "eks-nodegroup.amazonaws.com"               = "AWSServiceRoleForAmazonEKSNodegroup"
    "eks.amazonaws.com"                         = "AWSServiceRoleForAmazonEKS"
    "elasticloadbalancing.amazonaws.com"        = "AWSServiceRoleForElasticLoadBalancing"
    "networking.apprunner.amazonaws.com"        = "AWSServiceRoleForAppRunnerNetworking"
    "ops.apigateway.amazonaws.com"              = "AWSServiceRoleForAPIGateway"
  }

  write_roles = { for name, arns in local.arns : name => [
    {
      Sid       = "GrantWithinBoundary"
      Effect    = "Allow"
      Action    = ["iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
      Resource  = arns.service_roles
      Condition = { StringEquals = { "iam:PermissionsBoundary" = arns.boundary } }
    },
    {
      Sid       = "GrantInfrastructureWithinItsBoundary"
      Effect    = "Allow"
      Action    = ["iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
      Resource  = arns.own_roles
      Condition = { StringEquals = { "iam:PermissionsBoundary" = arns.infrastructure } }
    },
    {
      Sid      = "GiveClusterItsPolicies"
      Effect   = "Allow"
      Action   = ["iam:AttachRolePolicy"]
      Resource = arns.own_roles
      Condition = {
        StringEquals = { "iam:PermissionsBoundary" = arns.infrastructure }
        ArnEquals    = { "iam:PolicyARN" = local.cluster_policies }
      }
    },
    {
      Sid       = "TakeClusterItsPolicies"
      Effect    = "Allow"
      Action    = ["iam:DetachRolePolicy"]
      Resource  = arns.own_roles
      Condition = { ArnEquals = { "iam:PolicyARN" = local.cluster_policies } }
    },
    {
      Sid      = "WriteServiceRoles"
      Effect   = "Allow"
      Action   = ["iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole"]
      Resource = arns.roles
    },
    {
      Sid      = "HandRolesToServices"
      Effect   = "Allow"
      Action   = ["iam:PassRole"]
      Resource = arns.service_roles
      Condition = { StringEquals = { "iam:PassedToService" = [
        "build.apprunner.amazonaws.com", "ecs-tasks.amazonaws.com", "lambda.amazonaws.com", "pods.eks.amazonaws.com",
        "scheduler.amazonaws.com", "tasks.apprunner.amazonaws.com",
      ] } }
    },
    {
      Sid      = "HandRolesToInfrastructure"
      Effect   = "Allow"
      Action   = ["iam:PassRole"]
      Resource = arns.own_roles
      Condition = { StringEquals = { "iam:PassedToService" = [
        "codedeploy.amazonaws.com", "ec2.amazonaws.com", "ecs.amazonaws.com", "eks.amazonaws.com", "pods.eks.amazonaws.com",
        "vpc-flow-logs.amazonaws.com",
      ] } }
    },
    {
      # The first of its kind in an account makes them.
      Sid       = "LetServicesMakeTheirRoles"
      Effect    = "Allow"
      Action    = ["iam:CreateServiceLinkedRole"]
      Resource  = [for service, role in local.service_linked : "${local.iam}:role/aws-service-role/${service}/${role}"]
      Condition = { StringEquals = { "iam:AWSServiceName" = keys(local.service_linked) } }
    },
    {
      Sid      = "NeverWithoutBoundary"
      Effect   = "Deny"
      Action   = ["iam:DeleteRolePermissionsBoundary"]
      Resource = "*"
    },
    {
      # Boundaries, and what GitHub's roles may do.
      Sid      = "NeverAnotherBoundary"
      Effect   = "Deny"
      Action   = ["iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"]
      Resource = "${local.iam}:policy/${local.project}-*"
    },
  ] }
}
