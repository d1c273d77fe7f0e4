# Only with nodes = "managed"; Auto Mode makes its nodes itself.
locals {
  managed = !local.auto && !var.emulated
}

resource "aws_launch_template" "nodes" {
  count = local.managed ? 1 : 0

  name                   = "${var.name}-eks-nodes"
  update_default_version = true

  # One hop reaches the node itself and no pod: pods get their own role, never the node's.
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size = 30
      volume_type = "gp3"
      encrypted   = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = { Name = "${var.name}-eks" }
  }
}

resource "aws_eks_node_group" "this" {
  count = local.managed ? 1 : 0

  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "graviton"
  node_role_arn   = aws_iam_role.nodes[0].arn
  subnet_ids      = var.subnet_ids
  ami_type        = "AL2023_ARM_64_STANDARD"
  instance_types  = var.node_group.instance_types

  launch_template {
    id      = aws_launch_template.nodes[0].id
    version = aws_launch_template.nodes[0].latest_version
  }

  scaling_config {
    min_size     = var.node_group.min
    desired_size = var.node_group.desired
    max_size     = var.node_group.max
  }

  update_config {
    max_unavailable = 1
  }

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [aws_eks_addon.before_nodes, aws_iam_role_policy_attachment.nodes]
}

# A node is not ready without a network, and pods that start before the agent get no role.
resource "aws_eks_addon" "before_nodes" {
  for_each = toset(local.managed ? ["eks-pod-identity-agent", "kube-proxy", "vpc-cni"] : [])

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"
}

# The autoscaler of pods asks metrics-server, which no mode brings along.
resource "aws_eks_addon" "after_nodes" {
  for_each = toset(var.emulated ? [] : local.auto ? ["metrics-server"] : ["coredns", "metrics-server"])

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  depends_on = [aws_eks_node_group.this]
}
