output "name" {
  description = "Name of the cluster."
  value       = aws_eks_cluster.this.name
}

output "endpoint" {
  description = "Address of the Kubernetes API."
  value       = aws_eks_cluster.this.endpoint
}

output "certificate" {
  description = "The certificate authority of the Kubernetes API, in base64."
  value       = aws_eks_cluster.this.certificate_authority[0].data
}

output "arn" {
  description = "ARN of the cluster."
  value       = aws_eks_cluster.this.arn
}

output "security_group_id" {
  description = "Security group of nodes and pods; empty in the embedded AWS."
  value       = var.emulated ? "" : aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "nodes" {
  description = "auto or managed: it decides which controller binds pods to target groups."
  value       = var.nodes
}
