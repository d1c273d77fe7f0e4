resource "aws_iam_role" "this" {
  name                 = "${local.full_name}_pod"
  path                 = "/${var.project}/${var.environment}/"
  permissions_boundary = var.permissions_boundary

  # EKS sends these tags with each session: the role is this service account's, whatever else is associated with it.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "pods.eks.amazonaws.com" }
      Condition = { StringEquals = {
        "aws:RequestTag/eks-cluster-name"           = var.platform.eks_cluster.name
        "aws:RequestTag/kubernetes-namespace"       = local.namespace
        "aws:RequestTag/kubernetes-service-account" = var.name
      } }
    }]
  })
}

locals {
  statements = concat(
    length(var.service.secrets) == 0 ? [] : [{
      Sid      = "ReadOwnSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = distinct(values(var.service.secrets))
    }],
    # X-Ray knows no resources for these two.
    var.tracing ? [{
      Sid      = "WriteTraces"
      Effect   = "Allow"
      Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      Resource = ["*"]
    }] : [],
  )
}

resource "aws_iam_role_policy" "this" {
  count = length(var.service.secrets) > 0 || var.tracing ? 1 : 0

  name   = "run"
  role   = aws_iam_role.this.name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}

resource "aws_eks_pod_identity_association" "this" {
  count = var.emulated ? 0 : 1

  cluster_name    = var.platform.eks_cluster.name
  namespace       = local.namespace
  service_account = var.name
  role_arn        = aws_iam_role.this.arn
}
