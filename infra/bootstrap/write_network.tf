locals {
  ec2 = { for kind in [
    "elastic-ip", "image", "instance", "internet-gateway", "launch-template", "natgateway", "network-interface",
    "route-table", "security-group", "security-group-rule", "subnet", "volume", "vpc", "vpc-endpoint",
    "vpc-endpoint-service", "vpc-flow-log",
  ] : kind => "arn:${local.partition}:ec2:${var.region}:${kind == "image" ? "" : var.account}:${kind}/*" }

  balancing = { for kind in ["listener", "loadbalancer"] : kind => "${local.arn["elasticloadbalancing"]}:${kind}/net/*" }
  targets   = "${local.arn["elasticloadbalancing"]}:targetgroup/*"

  # EC2 asks for each resource of a request on its own. What is made must get the environment's tags, what it stands in
  # must have them: so no statement with the former condition may name a kind of resource that its actions stand in.
  write_network = { for name, arns in local.arns : name => [
    {
      Sid    = "Make"
      Effect = "Allow"
      Action = [
        "ec2:AllocateAddress", "ec2:CreateInternetGateway", "ec2:CreateLaunchTemplate", "ec2:CreateRouteTable",
        "ec2:CreateSecurityGroup", "ec2:CreateSubnet",
      ]
      Resource = [for kind in [
        "elastic-ip", "internet-gateway", "launch-template", "route-table", "security-group", "subnet",
      ] : local.ec2[kind]]
      Condition = local.tagged[name].new
    },
    {
      Sid       = "MakeVpc"
      Effect    = "Allow"
      Action    = ["ec2:CreateVpc"]
      Resource  = local.ec2["vpc"]
      Condition = local.tagged[name].new
    },
    {
      Sid       = "MakeFlowLog"
      Effect    = "Allow"
      Action    = ["ec2:CreateFlowLogs"]
      Resource  = local.ec2["vpc-flow-log"]
      Condition = local.tagged[name].new
    },
    {
      Sid       = "MakeWaysOut"
      Effect    = "Allow"
      Action    = ["ec2:CreateNatGateway", "ec2:CreateVpcEndpoint"]
      Resource  = [local.ec2["natgateway"], local.ec2["vpc-endpoint"]]
      Condition = local.tagged[name].new
    },
    {
      Sid    = "InOwnNetwork"
      Effect = "Allow"
      Action = [
        "ec2:CreateFlowLogs", "ec2:CreateNatGateway", "ec2:CreateRouteTable", "ec2:CreateSecurityGroup", "ec2:CreateSubnet",
        "ec2:CreateVpcEndpoint",
      ]
      Resource  = [for kind in ["elastic-ip", "route-table", "security-group", "subnet", "vpc"] : local.ec2[kind]]
      Condition = local.tagged[name].own
    },
    {
      Sid    = "ChangeOwnNetwork"
      Effect = "Allow"
      Action = [
        "ec2:AssociateRouteTable", "ec2:AttachInternetGateway", "ec2:CreateLaunchTemplateVersion", "ec2:CreateRoute",
        "ec2:DeleteFlowLogs", "ec2:DeleteInternetGateway", "ec2:DeleteLaunchTemplate",
        "ec2:DeleteNatGateway", "ec2:DeleteRoute", "ec2:DeleteRouteTable", "ec2:DeleteSubnet", "ec2:DeleteTags",
        "ec2:DeleteVpc", "ec2:DeleteVpcEndpoints", "ec2:DetachInternetGateway", "ec2:DisassociateAddress",
        "ec2:DisassociateRouteTable", "ec2:GetSecurityGroupsForVpc", "ec2:ModifyLaunchTemplate", "ec2:ModifySubnetAttribute", "ec2:ModifyVpcAttribute",
        "ec2:ModifyVpcEndpoint", "ec2:ReleaseAddress", "ec2:ReplaceRoute", "ec2:ReplaceRouteTableAssociation",
      ]
      Resource = [for kind in [
        "elastic-ip", "internet-gateway", "launch-template", "natgateway", "route-table", "security-group", "subnet", "vpc",
        "vpc-endpoint", "vpc-flow-log",
      ] : local.ec2[kind]]
      Condition = local.tagged[name].own
    },
    {
      Sid    = "TagWhatIsMade"
      Effect = "Allow"
      Action = ["ec2:CreateTags"]
      Resource = [for kind in [
        "elastic-ip", "internet-gateway", "launch-template", "natgateway", "route-table", "security-group",
        "security-group-rule", "subnet", "vpc", "vpc-endpoint", "vpc-flow-log",
      ] : local.ec2[kind]]
      Condition = { StringLike = merge(local.tagged[name].new.StringLike, { "ec2:CreateAction" = [
        "AllocateAddress", "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "CreateFlowLogs",
        "CreateInternetGateway", "CreateLaunchTemplate", "CreateNatGateway", "CreateRouteTable", "CreateSecurityGroup",
        "CreateSubnet", "CreateVpc", "CreateVpcEndpoint",
      ] }) }
    },
    {
      Sid    = "TagOwn"
      Effect = "Allow"
      Action = ["ec2:CreateTags"]
      Resource = [for kind in [
        "elastic-ip", "internet-gateway", "launch-template", "natgateway", "route-table", "security-group-rule", "subnet",
        "vpc", "vpc-endpoint", "vpc-flow-log",
      ] : local.ec2[kind]]
      Condition = merge(local.tagged[name].own, { StringLikeIfExists = local.tagged[name].new.StringLike })
    },
  ] }

  write_security_groups = { for name, arns in local.arns : name => [
    {
      # A VPC's default group comes without tags, and Terraform takes its rules away. So nobody's groups can be claimed
      # and closed; to open or delete one asks for the tag Name, which is given when a group is made and never later.
      Sid       = "CloseOwnAndNobodys"
      Effect    = "Allow"
      Action    = ["ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"]
      Resource  = local.ec2["security-group"]
      Condition = { StringLikeIfExists = local.tagged[name].own.StringLike }
    },
    {
      Sid      = "ClaimNobodys"
      Effect   = "Allow"
      Action   = ["ec2:CreateTags"]
      Resource = local.ec2["security-group"]
      Condition = {
        StringLikeIfExists             = merge(local.tagged[name].own.StringLike, local.tagged[name].new.StringLike)
        "ForAllValues:StringNotEquals" = { "aws:TagKeys" = ["Name"] }
      }
    },
    {
      Sid      = "OpenOwn"
      Effect   = "Allow"
      Action   = ["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:DeleteSecurityGroup", "ec2:ModifySecurityGroupRules"]
      Resource = local.ec2["security-group"]
      Condition = { StringLike = merge(local.tagged[name].own.StringLike, {
        "aws:ResourceTag/Name" = ["${local.project}-${local.like[name]}-*", "${local.project}-${local.like[name]}_*"]
      }) }
    },
    {
      # EKS makes this group itself and gives it no other tag that would do.
      Sid       = "OpenClusters"
      Effect    = "Allow"
      Action    = ["ec2:AuthorizeSecurityGroupIngress", "ec2:ModifySecurityGroupRules", "ec2:RevokeSecurityGroupIngress"]
      Resource  = local.ec2["security-group"]
      Condition = { StringLike = { "aws:ResourceTag/aws:eks:cluster-name" = "${local.project}-${local.like[name]}" } }
    },
    {
      # Rules in line have no tags.
      Sid       = "Rules"
      Effect    = "Allow"
      Action    = ["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"]
      Resource  = local.ec2["security-group-rule"]
      Condition = { StringLikeIfExists = local.tagged[name].new.StringLike }
    },
    {
      Sid       = "ChangeRules"
      Effect    = "Allow"
      Action    = ["ec2:DeleteTags", "ec2:ModifySecurityGroupRules"]
      Resource  = local.ec2["security-group-rule"]
      Condition = local.tagged[name].own
    },
  ] }

  write_balancing = { for name, arns in local.arns : name => [
    {
      Sid       = "MakeBalancers"
      Effect    = "Allow"
      Action    = ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"]
      Resource  = [local.balancing["loadbalancer"], local.targets]
      Condition = local.tagged[name].new
    },
    {
      Sid       = "MakeListeners"
      Effect    = "Allow"
      Action    = ["elasticloadbalancing:CreateListener"]
      Resource  = local.balancing["loadbalancer"]
      Condition = { StringLike = merge(local.tagged[name].own.StringLike, local.tagged[name].new.StringLike) }
    },
    {
      Sid      = "TagNewBalancers"
      Effect   = "Allow"
      Action   = ["elasticloadbalancing:AddTags"]
      Resource = [local.balancing["listener"], local.balancing["loadbalancer"], local.targets]
      Condition = { StringLike = merge(local.tagged[name].new.StringLike, {
        "elasticloadbalancing:CreateAction" = ["CreateListener", "CreateLoadBalancer", "CreateTargetGroup"]
      }) }
    },
    {
      Sid       = "TagBalancers"
      Effect    = "Allow"
      Action    = ["elasticloadbalancing:AddTags"]
      Resource  = [local.balancing["listener"], local.balancing["loadbalancer"], local.targets]
      Condition = merge(local.tagged[name].own, { StringLikeIfExists = local.tagged[name].new.StringLike })
    },
    {
      Sid    = "ChangeBalancers"
      Effect = "Allow"
      Action = [
        "elasticloadbalancing:DeleteListener", "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing:DeleteTargetGroup", "elasticloadbalancing:ModifyListener",
        "elasticloadbalancing:ModifyListenerAttributes", "elasticloadbalancing:ModifyLoadBalancerAttributes",
        "elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:ModifyTargetGroupAttributes",
        "elasticloadbalancing:RemoveTags", "elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets",
      ]
      Resource  = [local.balancing["listener"], local.balancing["loadbalancer"], local.targets]
      Condition = local.tagged[name].own
    },
    {
      # A VPC link stands on an endpoint service that API Gateway makes in the caller's name, without the caller's tags
      # (API Gateway: Grant permissions for API Gateway to create a VPC link).
      Sid    = "LinkGateway"
      Effect = "Allow"
      Action = [
        "ec2:CreateVpcEndpointServiceConfiguration", "ec2:DeleteVpcEndpointServiceConfigurations",
        "ec2:ModifyVpcEndpointServicePermissions",
      ]
      Resource = local.ec2["vpc-endpoint-service"]
    },
    {
      Sid      = "FindLinks"
      Effect   = "Allow"
      Action   = ["ec2:DescribeVpcEndpointServiceConfigurations"]
      Resource = "*"
    },
  ] }
}
