resource "aws_iam_role" "cluster" {
  name                 = "${var.name}_eks-cluster"
  path                 = local.role_path
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      # Auto Mode tags its sessions with the cluster's name; its policies compare that with what they touch.
      Action    = concat(["sts:AssumeRole"], local.auto ? ["sts:TagSession"] : [])
      Principal = { Service = "eks.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  for_each = toset(concat(["AmazonEKSClusterPolicy"], local.auto ? [
    "AmazonEKSBlockStoragePolicy", "AmazonEKSComputePolicy", "AmazonEKSLoadBalancingPolicy", "AmazonEKSNetworkingPolicy",
  ] : []))

  role       = aws_iam_role.cluster.name
  policy_arn = "${local.policies}/${each.key}"
}

resource "aws_iam_role_policy" "cluster" {
  name = "encrypt-secrets"
  role = aws_iam_role.cluster.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants"]
      Resource = aws_kms_key.secrets.arn
    }]
  })
}

resource "aws_iam_role" "nodes" {
  count = var.emulated ? 0 : 1

  name                 = "${var.name}_eks-nodes"
  path                 = local.role_path
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "nodes" {
  for_each = toset(var.emulated ? [] : concat(
    ["AmazonEC2ContainerRegistryPullOnly"],
    local.auto ? ["AmazonEKSWorkerNodeMinimalPolicy"] : ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy"],
  ))

  role       = aws_iam_role.nodes[0].name
  policy_arn = "${local.policies}/${each.key}"
}
