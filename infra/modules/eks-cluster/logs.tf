# What pods print, each service's into its own log group /aws/eks/<namespace>, which eks-service makes. The add-on would
# keep much more (nodes, Kubernetes itself, metrics of every pod); its role may write to the services' groups only.
locals {
  services_logs = "/aws/eks/${var.name}-"

  fluent_bit = <<-EOT
    [INPUT]
      Name              tail
      Tag               application.*
      Path              /var/log/containers/*_${var.name}-*_*.log
      multiline.parser  docker, cri
      DB                /var/fluent-bit/state/flb_container.db
      Mem_Buf_Limit     50MB
      Skip_Long_Lines   On
      Refresh_Interval  10
      Rotate_Wait       30
      storage.type      filesystem
      Read_from_Head    On

    [FILTER]
      Name              kubernetes
      Match             application.*
      Kube_URL          https://kubernetes.default.svc:443
      Kube_Tag_Prefix   application.var.log.containers.
      Merge_Log         Off
      Labels            Off
      Annotations       Off

    [OUTPUT]
      Name                cloudwatch_logs
      Match               application.*
      region              $${AWS_REGION}
      log_group_name      ${local.services_logs}unknown
      log_group_template  /aws/eks/$kubernetes['namespace_name']
      log_stream_prefix   pod-
      log_stream_template $kubernetes['pod_name']
      log_key             log
      auto_create_group   false
  EOT
}

resource "aws_eks_addon" "logs" {
  count = var.emulated ? 0 : 1

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = "amazon-cloudwatch-observability"
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  configuration_values = jsonencode({
    containerLogs = {
      enabled = true
      fluentBit = {
        config = {
          extraFiles = {
            "application-log.conf" = local.fluent_bit
            "dataplane-log.conf"   = "# not kept\n"
            "host-log.conf"        = "# not kept\n"
          }
        }
      }
    }
  })

  pod_identity_association {
    role_arn        = aws_iam_role.logs[0].arn
    service_account = "cloudwatch-agent"
  }

  depends_on = [aws_eks_node_group.this, aws_iam_role_policy.logs]
}

resource "aws_iam_role" "logs" {
  count = var.emulated ? 0 : 1

  name                 = "${var.name}_eks-logs"
  path                 = local.role_path
  permissions_boundary = var.permissions_boundary
  assume_role_policy   = local.pods_trust
}

resource "aws_iam_role_policy" "logs" {
  count = var.emulated ? 0 : 1

  name = "write-logs"
  role = aws_iam_role.logs[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = "${replace(aws_cloudwatch_log_group.control_plane.arn, "/${var.name}/cluster", "/${var.name}-*")}:*"
    }]
  })
}
