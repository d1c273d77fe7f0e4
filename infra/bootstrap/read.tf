locals {
  # What a plan needs, and no more. It is for `terraform plan -lock=false`: who may only read may take no lock either.
  read = { for name, arns in local.arns : name => {
    read = concat(local.read_edge[name], [
      {
        # Its older versions, too: what was deleted or broken is told from what there never was.
        Sid      = "ReadOwnState"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectVersion"]
        Resource = [arns.state, arns.releases, arns.drift]
      },
      {
        # Terraform lists "env:/" to find workspaces, a deploy of a preview how many there are.
        Sid       = "ListOwnState"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = local.state_bucket_arn
        Condition = { StringLike = { "s3:prefix" = concat(["app/${local.like[name]}/*", "drift/${local.like[name]}.json", "env:/"], name == "previews" ? ["app/pr-"] : []) } }
      },
      {
        Sid       = "ListOwnVersions"
        Effect    = "Allow"
        Action    = ["s3:ListBucketVersions"]
        Resource  = local.state_bucket_arn
        Condition = { StringLike = { "s3:prefix" = ["app/${local.like[name]}/*", "releases/${local.like[name]}/*"] } }
      },
      {
        # Every environment's: a promotion reads another's. They hold no secrets.
        Sid      = "ReadReleases"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = [for bucket in concat([local.state_bucket_arn], local.elsewhere_releases) : "${bucket}/releases/*"]
      },
      {
        Sid       = "ListReleases"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = concat([local.state_bucket_arn], local.elsewhere_releases)
        Condition = { StringLike = { "s3:prefix" = "releases/*" } }
      },
      {
        Sid      = "ReadImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchGetImage", "ecr:GetRepositoryPolicy", "ecr:ListImages"]
        Resource = concat([aws_ecr_repository.images.arn], local.elsewhere_images)
      },
      {
        Sid    = "ReadFunctions"
        Effect = "Allow"
        Action = [
          "lambda:GetAlias", "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:GetPolicy",
          "lambda:ListVersionsByFunction",
        ]
        Resource = arns.functions
      },
      {
        Sid      = "ReadServiceRoles"
        Effect   = "Allow"
        Action   = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies"]
        Resource = arns.roles
      },
      {
        Sid      = "ReadGateway"
        Effect   = "Allow"
        Action   = ["apigateway:GET"]
        Resource = arns.gateway
      },
      {
        Sid      = "ReadLogGroups"
        Effect   = "Allow"
        Action   = ["logs:ListTagsForResource"]
        Resource = arns.log_groups
      },
      {
        # Which secret a name means; never what is in it.
        Sid      = "FindSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"]
        Resource = arns.secrets
      },
      {
        # An API's ARN holds no name, only a number: what tells environments apart is the tag that infra/app gives.
        Sid      = "NotOtherEnvironments"
        Effect   = "Deny"
        Action   = local.gateway_verbs
        Resource = arns.gateway
        Condition = {
          StringNotLike = { "aws:ResourceTag/environment" = local.like[name] }
          Null          = { "aws:ResourceTag/environment" = "false" }
        }
      },
      {
        Sid      = "NotOtherProjects"
        Effect   = "Deny"
        Action   = local.gateway_verbs
        Resource = arns.gateway
        Condition = {
          StringNotEquals = { "aws:ResourceTag/project" = local.project }
          Null            = { "aws:ResourceTag/project" = "false" }
        }
      },
    ])

    read-compute = concat(local.read_monitoring[name], [
      {
        # None of these knows resources: the names and settings of other environments in the account can be read.
        Sid    = "ReadWhatHasNoResources"
        Effect = "Allow"
        Action = [
          "application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies",
          "apprunner:ListServices",
          "ec2:DescribeAddresses", "ec2:DescribeAddressesAttribute", "ec2:DescribeAvailabilityZones",
          "ec2:DescribeFlowLogs", "ec2:DescribeInternetGateways", "ec2:DescribeLaunchTemplateVersions",
          "ec2:DescribeLaunchTemplates", "ec2:DescribeNatGateways", "ec2:DescribeNetworkAcls",
          "ec2:DescribeNetworkInterfaces", "ec2:DescribePrefixLists", "ec2:DescribeRouteTables",
          "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcEndpoints",
          "ec2:DescribeVpcs",
          "ecs:DescribeTaskDefinition",
          "elasticloadbalancing:DescribeCapacityReservation", "elasticloadbalancing:DescribeListenerAttributes",
          "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancerAttributes",
          "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeTags",
          "elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTargetGroups",
          "kms:ListAliases",
          "logs:DescribeLogGroups",
        ]
        Resource = "*"
      },
      {
        Sid       = "ReadOwnNetwork"
        Effect    = "Allow"
        Action    = ["ec2:DescribeVpcAttribute"]
        Resource  = "${local.arn["ec2"]}:vpc/*"
        Condition = local.tagged[name].own
      },
      {
        Sid    = "ReadContainers"
        Effect = "Allow"
        Action = [
          "ecs:DescribeClusters", "ecs:DescribeServiceDeployments", "ecs:DescribeServices", "ecs:ListServiceDeployments",
        ]
        Resource = [arns.ecs.cluster, arns.ecs.services, "${replace(arns.ecs.services, ":service/", ":service-deployment/")}/*", arns.ecs.tasks]
      },
      {
        Sid       = "ReadScaling"
        Effect    = "Allow"
        Action    = ["application-autoscaling:ListTagsForResource"]
        Resource  = "${local.arn["application-autoscaling"]}:scalable-target/*"
        Condition = local.tagged[name].own
      },
      {
        Sid    = "ReadAppRunner"
        Effect = "Allow"
        Action = [
          "apprunner:DescribeAutoScalingConfiguration", "apprunner:DescribeObservabilityConfiguration",
          "apprunner:DescribeService", "apprunner:DescribeVpcConnector", "apprunner:ListOperations",
          "apprunner:ListTagsForResource",
        ]
        Resource  = [for kind in local.apprunner_kinds : "${local.arn["apprunner"]}:${kind}/*"]
        Condition = local.tagged[name].own
      },
      {
        Sid    = "ReadRollouts"
        Effect = "Allow"
        Action = [
          "codedeploy:GetApplication", "codedeploy:GetDeploymentConfig", "codedeploy:GetDeploymentGroup",
          "codedeploy:ListTagsForResource",
        ]
        Resource = values(local.codedeploy[name])
      },
      {
        Sid      = "ReadSchedules"
        Effect   = "Allow"
        Action   = ["scheduler:GetSchedule"]
        Resource = arns.schedule
      },
      {
        Sid    = "ReadCluster"
        Effect = "Allow"
        Action = [
          "eks:DescribeAccessEntry", "eks:DescribeAddon", "eks:DescribeCluster", "eks:DescribeNodegroup",
          "eks:DescribePodIdentityAssociation", "eks:DescribeUpdate", "eks:ListAssociatedAccessPolicies",
        ]
        Resource = values(arns.eks)
      },
      {
        Sid       = "ReadKeys"
        Effect    = "Allow"
        Action    = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"]
        Resource  = "${local.arn["kms"]}:key/*"
        Condition = local.tagged[name].own
      },
    ])
  } }

  gateway_verbs   = ["apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT"]
  gateway_writes  = [for verb in local.gateway_verbs : verb if verb != "apigateway:GET"]
  apprunner_kinds = ["autoscalingconfiguration", "observabilityconfiguration", "service", "vpcconnector"]
}
