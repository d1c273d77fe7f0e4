output "integration" {
  description = "How the gateway reaches the service."
  value = {
    type   = "http_proxy"
    target = "http://${var.platform.load_balancer.dns_name}:${var.platform.port}"
  }
}

output "resource" {
  description = "The namespace and the Deployment in it, as kubectl writes them."
  value       = "${local.namespace}/${var.name}"
}

output "version" {
  description = "What is to run: the beginning of the image's digest. Which ReplicaSet runs it is the cluster's knowledge."
  value       = substr(split("@sha256:", var.image)[1], 0, 12)
}

output "log_group" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "image" {
  description = "The image that is to run, by digest."
  value       = var.image
}

output "role_name" {
  description = "Name of the role, to attach policies for what the service uses."
  value       = aws_iam_role.this.name
}

output "details" {
  description = "What the Kubernetes objects are made from (stackyard.kinds.manifests); environment is JSON."
  value = {
    cluster          = var.platform.eks_cluster.name
    namespace        = local.namespace
    target_group_arn = aws_lb_target_group.this.arn
    role_arn         = aws_iam_role.this.arn
    environment      = jsonencode(local.environment)
    cpu              = var.service.cpu
    memory           = var.service.memory
    min              = var.service.scaling.min
    max              = var.service.scaling.max
  }
}
