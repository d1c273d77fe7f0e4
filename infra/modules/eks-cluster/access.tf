locals {
  administrators = toset(concat(var.admin_arns, var.deploy_role_arn == null ? [] : [var.deploy_role_arn]))
}

resource "aws_eks_access_entry" "administrator" {
  for_each = var.emulated ? toset([]) : local.administrators

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.key
  type          = "STANDARD"
}

# Less would not do for the deploy role: Kubernetes' own `admin` makes no namespaces, pools of nodes or bindings of
# target groups.
resource "aws_eks_access_policy_association" "administrator" {
  for_each = aws_eks_access_entry.administrator

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.value.principal_arn
  policy_arn    = "arn:${data.aws_partition.current.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

  access_scope {
    type = "cluster"
  }
}
