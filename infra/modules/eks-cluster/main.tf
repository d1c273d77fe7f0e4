data "aws_partition" "current" {}

locals {
  auto      = var.nodes == "auto"
  role_path = "/${var.project}/${var.environment}/"
  policies  = "arn:${data.aws_partition.current.partition}:iam::aws:policy"
}

resource "aws_cloudwatch_log_group" "control_plane" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts every group by a key of its own; one of ours costs monthly and guards nothing more here
  name              = "/aws/eks/${var.name}/cluster"
  retention_in_days = var.log_retention
}

resource "aws_kms_key" "secrets" {
  #checkov:skip=CKV2_AWS_64:KMS's default policy leaves the key to the account's IAM, where the boundaries are
  description             = "Kubernetes secrets of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "secrets" {
  name          = "alias/${var.name}-eks"
  target_key_id = aws_kms_key.secrets.key_id
}

resource "aws_eks_cluster" "this" {
  #checkov:skip=CKV_AWS_37:api, audit and authenticator say who did what; the other two are for who runs schedulers, and billed by the GB
  #checkov:skip=CKV_AWS_38:GitHub's runners have no addresses of their own; IAM lets in, and `public_endpoint: false` closes it
  name     = var.name
  role_arn = aws_iam_role.cluster.arn
  version  = var.kubernetes_version

  enabled_cluster_log_types = ["api", "audit", "authenticator"]
  # Add-ons are named below, or are Auto Mode's own.
  bootstrap_self_managed_addons = false

  vpc_config {
    subnet_ids              = var.subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = var.public_endpoint
  }

  encryption_config {
    resources = ["secrets"]
    provider {
      key_arn = aws_kms_key.secrets.arn
    }
  }

  dynamic "access_config" {
    for_each = var.emulated ? [] : [1]
    content {
      authentication_mode = "API"
      # Whoever happens to apply first would stay an administrator; entries say who is one.
      bootstrap_cluster_creator_admin_permissions = false
    }
  }

  # The three blocks of Auto Mode are on or off together.
  dynamic "compute_config" {
    for_each = var.emulated ? [] : [1]
    content {
      enabled = local.auto
      # With a pool of its own EKS makes the NodeClass `default`, and lets the nodes' role in. Our pods run in neither
      # pool: general-purpose is amd64 (README).
      node_pools    = local.auto ? ["general-purpose", "system"] : null
      node_role_arn = local.auto ? aws_iam_role.nodes[0].arn : null
    }
  }

  dynamic "kubernetes_network_config" {
    for_each = var.emulated ? [] : [1]
    content {
      elastic_load_balancing {
        enabled = local.auto
      }
    }
  }

  dynamic "storage_config" {
    for_each = var.emulated ? [] : [1]
    content {
      block_storage {
        enabled = local.auto
      }
    }
  }

  # Six times the price and no new features: a version that has run out is upgraded instead.
  dynamic "upgrade_policy" {
    for_each = var.emulated ? [] : [1]
    content {
      support_type = "STANDARD"
    }
  }

  lifecycle {
    precondition {
      condition     = var.emulated || length(local.administrators) > 0
      error_message = "admin_arns is empty and deploy_role_arn is null: nobody could enter the cluster."
    }
  }

  # Logs written before the group exists would make EKS create it, without a retention. Without their policies the roles
  # could not take away what the cluster made in the VPC.
  depends_on = [
    aws_cloudwatch_log_group.control_plane, aws_iam_role_policy_attachment.cluster, aws_iam_role_policy.cluster,
    aws_iam_role_policy_attachment.nodes,
  ]
}

data "aws_vpc" "this" {
  count = var.emulated ? 0 : 1
  id    = var.vpc_id
}

# The load balancer's way to the pods: Auto Mode's controller opens none for a TargetGroupBinding.
resource "aws_vpc_security_group_ingress_rule" "services" {
  count = var.emulated ? 0 : 1

  description       = "Services, from inside the VPC"
  security_group_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  cidr_ipv4         = data.aws_vpc.this[0].cidr_block
  ip_protocol       = "tcp"
  from_port         = 8080
  to_port           = 8080
}
