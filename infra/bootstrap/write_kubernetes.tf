locals {
  write_kubernetes = { for name, arns in local.arns : name => [
    {
      # Making a cluster knows no resource yet.
      Sid       = "MakeCluster"
      Effect    = "Allow"
      Action    = ["eks:CreateCluster"]
      Resource  = "*"
      Condition = local.tagged[name].new
    },
    {
      Sid    = "WriteCluster"
      Effect = "Allow"
      Action = [
        "eks:AssociateAccessPolicy", "eks:AssociateEncryptionConfig", "eks:CreateAccessEntry", "eks:CreateAddon",
        "eks:CreateNodegroup", "eks:CreatePodIdentityAssociation", "eks:DeleteAccessEntry", "eks:DeleteAddon",
        "eks:DeleteCluster", "eks:DeleteNodegroup", "eks:DeletePodIdentityAssociation", "eks:DisassociateAccessPolicy",
        "eks:TagResource", "eks:UntagResource", "eks:UpdateAccessEntry", "eks:UpdateAddon", "eks:UpdateClusterConfig",
        "eks:UpdateClusterVersion", "eks:UpdateNodegroupConfig", "eks:UpdateNodegroupVersion",
        "eks:UpdatePodIdentityAssociation",
      ]
      Resource = values(arns.eks)
    },
    {
      # A group of nodes is started in the name of whoever makes it, from a launch template and in no other way.
      Sid       = "LaunchNodesInOwnNetwork"
      Effect    = "Allow"
      Action    = ["ec2:RunInstances"]
      Resource  = [local.ec2["launch-template"], local.ec2["subnet"]]
      Condition = local.tagged[name].own
    },
    {
      Sid       = "LaunchNodes"
      Effect    = "Allow"
      Action    = ["ec2:RunInstances"]
      Resource  = [for kind in ["image", "instance", "network-interface", "security-group", "volume"] : local.ec2[kind]]
      Condition = { ArnLike = { "ec2:LaunchTemplate" = local.ec2["launch-template"] } }
    },
    {
      Sid       = "TagNodes"
      Effect    = "Allow"
      Action    = ["ec2:CreateTags"]
      Resource  = local.ec2["instance"]
      Condition = { StringEquals = { "ec2:CreateAction" = "RunInstances" } }
    },
    {
      Sid       = "MakeKeys"
      Effect    = "Allow"
      Action    = ["kms:CreateKey"]
      Resource  = "*"
      Condition = local.tagged[name].new
    },
    {
      Sid       = "TagKeys"
      Effect    = "Allow"
      Action    = ["kms:TagResource"]
      Resource  = "${local.arn["kms"]}:key/*"
      Condition = local.tagged[name].tag
    },
    {
      Sid    = "ChangeKeys"
      Effect = "Allow"
      Action = [
        "kms:CreateAlias", "kms:CreateGrant", "kms:DeleteAlias", "kms:DisableKeyRotation", "kms:EnableKeyRotation",
        "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
      ]
      Resource  = "${local.arn["kms"]}:key/*"
      Condition = local.tagged[name].own
    },
    {
      # A month to find out: a key that has no tags can be claimed (TagKeys), whoever it belongs to.
      Sid       = "DeleteKeys"
      Effect    = "Allow"
      Action    = ["kms:ScheduleKeyDeletion"]
      Resource  = "${local.arn["kms"]}:key/*"
      Condition = merge(local.tagged[name].own, { NumericGreaterThanEquals = { "kms:ScheduleKeyDeletionPendingWindowInDays" = "30" } })
    },
    {
      Sid      = "NameKeys"
      Effect   = "Allow"
      Action   = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]
      Resource = "${local.arn["kms"]}:alias/${local.project}-${local.like[name]}-*"
    },
  ] }
}
