mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_vpc" {
    defaults = { cidr_block = "10.0.0.0/16" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111111111111:role/acme/dev/acme-dev_eks-cluster" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/eks/acme-dev/cluster" }
  }
  mock_resource "aws_eks_cluster" {
    defaults = { certificate_authority = [{ data = "Y2VydGlmaWNhdGU=" }] }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
}

variables {
  name                 = "acme-dev"
  project              = "acme"
  environment          = "dev"
  vpc_id               = "vpc-0123456789abcdef0"
  subnet_ids           = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  admin_arns           = ["arn:aws:iam::111111111111:role/Administrator"]
  deploy_role_arn      = "arn:aws:iam::111111111111:role/acme/acme-dev"
  permissions_boundary = "arn:aws:iam::111111111111:policy/acme-dev_infrastructure"
}

run "auto_mode_is_on_as_a_whole" {
  command = apply

  assert {
    condition = (
      one(aws_eks_cluster.this.compute_config).enabled
      && one(one(aws_eks_cluster.this.kubernetes_network_config).elastic_load_balancing).enabled
      && one(one(aws_eks_cluster.this.storage_config).block_storage).enabled
      && !aws_eks_cluster.this.bootstrap_self_managed_addons
    )
    error_message = "EKS refuses Auto Mode in parts, or beside add-ons that it brings itself."
  }
  assert {
    condition     = one(aws_eks_cluster.this.compute_config).node_pools == toset(["general-purpose", "system"])
    error_message = "Without a built-in pool there is no NodeClass `default` for ours."
  }
  assert {
    condition     = contains(jsondecode(aws_iam_role.cluster.assume_role_policy).Statement[0].Action, "sts:TagSession")
    error_message = "Auto Mode's policies compare the session's tags."
  }
  assert {
    condition     = toset(keys(aws_iam_role_policy_attachment.nodes)) == toset(["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodeMinimalPolicy"])
    error_message = "Auto Mode's nodes need these two policies and no more."
  }
  assert {
    condition     = length(aws_iam_role_policy_attachment.cluster) == 5
    error_message = "Auto Mode's cluster role needs five policies."
  }
  assert {
    condition     = length(aws_eks_node_group.this) == 0 && toset(keys(aws_eks_addon.after_nodes)) == toset(["metrics-server"]) && length(aws_eks_addon.before_nodes) == 0
    error_message = "Auto Mode brings its nodes and add-ons; only metrics-server is missing."
  }
  assert {
    condition     = length(aws_iam_role.controller) == 0
    error_message = "Auto Mode has its own load balancer controller."
  }
}

run "managed_nodes_are_graviton" {
  command = apply
  variables {
    nodes = "managed"
  }
  assert {
    condition = (
      aws_eks_node_group.this[0].ami_type == "AL2023_ARM_64_STANDARD" && aws_eks_node_group.this[0].instance_types == tolist(["m7g.large"])
      && !one(aws_eks_cluster.this.compute_config).enabled
      && !one(one(aws_eks_cluster.this.kubernetes_network_config).elastic_load_balancing).enabled
      && !one(one(aws_eks_cluster.this.storage_config).block_storage).enabled
    )
    error_message = "The group must be arm64 and Auto Mode off."
  }
  assert {
    condition     = one(aws_launch_template.nodes[0].metadata_options).http_tokens == "required" && one(aws_launch_template.nodes[0].metadata_options).http_put_response_hop_limit == 1
    error_message = "Pods must not reach the node's credentials."
  }
  assert {
    condition     = toset(keys(aws_eks_addon.before_nodes)) == toset(["eks-pod-identity-agent", "kube-proxy", "vpc-cni"]) && toset(keys(aws_eks_addon.after_nodes)) == toset(["coredns", "metrics-server"])
    error_message = "Managed nodes need these add-ons, the network's before the first node."
  }
  assert {
    condition     = !contains(jsondecode(aws_iam_role.cluster.assume_role_policy).Statement[0].Action, "sts:TagSession") && one(keys(aws_iam_role_policy_attachment.cluster)) == "AmazonEKSClusterPolicy"
    error_message = "Without Auto Mode the cluster's role needs one policy."
  }
  assert {
    condition = (
      aws_eks_pod_identity_association.controller[0].service_account == "aws-load-balancer-controller"
      && jsondecode(aws_iam_role_policy.controller[0].policy).Statement[1].Condition.StringEquals["aws:ResourceTag/eks:eks-cluster-name"] == "acme-dev"
    )
    error_message = "The controller may touch this cluster's target groups only."
  }
}

run "lets_in_whom_it_names_and_nobody_else" {
  command = apply

  assert {
    condition     = toset(keys(aws_eks_access_entry.administrator)) == toset(["arn:aws:iam::111111111111:role/Administrator", "arn:aws:iam::111111111111:role/acme/acme-dev"])
    error_message = "The administrators and the deploy role must have entries."
  }
  assert {
    condition     = one(aws_eks_cluster.this.access_config).authentication_mode == "API" && !one(aws_eks_cluster.this.access_config).bootstrap_cluster_creator_admin_permissions
    error_message = "Entries alone must say who gets in."
  }
  assert {
    condition     = alltrue([for association in aws_eks_access_policy_association.administrator : association.policy_arn == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"])
    error_message = "Entries must be given their policy."
  }
}

run "keeps_secrets_and_logs" {
  command = apply

  assert {
    condition     = one(aws_eks_cluster.this.encryption_config).resources == toset(["secrets"]) && one(one(aws_eks_cluster.this.encryption_config).provider).key_arn == aws_kms_key.secrets.arn && aws_kms_key.secrets.enable_key_rotation
    error_message = "Secrets must be encrypted with the cluster's key."
  }
  assert {
    condition     = aws_cloudwatch_log_group.control_plane.name == "/aws/eks/acme-dev/cluster" && aws_cloudwatch_log_group.control_plane.retention_in_days == 30 && contains(aws_eks_cluster.this.enabled_cluster_log_types, "audit")
    error_message = "The control plane's logs must be kept, for a while."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.logs[0].policy).Statement[0].Resource == "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/eks/acme-dev-*:*"
    error_message = "Pods' logs may be written to the services' groups only."
  }
  assert {
    condition     = strcontains(jsondecode(aws_eks_addon.logs[0].configuration_values).containerLogs.fluentBit.config.extraFiles["application-log.conf"], "region              $${AWS_REGION}\n")
    error_message = "Fluent Bit must fill the region in, not Terraform."
  }
}

run "opens_the_services_port_to_the_vpc" {
  command = apply

  assert {
    condition     = aws_vpc_security_group_ingress_rule.services[0].cidr_ipv4 == "10.0.0.0/16" && aws_vpc_security_group_ingress_rule.services[0].from_port == 8080 && aws_vpc_security_group_ingress_rule.services[0].to_port == 8080
    error_message = "The load balancer must reach pods on 8080."
  }
}

run "closes_the_public_endpoint_on_request" {
  command = plan
  variables {
    public_endpoint = false
  }
  assert {
    condition     = !one(aws_eks_cluster.this.vpc_config).endpoint_public_access && one(aws_eks_cluster.this.vpc_config).endpoint_private_access
    error_message = "The private endpoint must be the only one."
  }
}

run "caps_every_role" {
  command = plan
  variables {
    nodes = "managed"
  }
  assert {
    condition = alltrue([
      for role in concat([aws_iam_role.cluster], aws_iam_role.nodes, aws_iam_role.logs, aws_iam_role.controller) :
      role.permissions_boundary == var.permissions_boundary && role.path == "/acme/dev/"
    ])
    error_message = "Every role must carry the boundary and lie in its environment's path."
  }
}

run "leaves_out_what_the_emulator_cannot_hold" {
  command = plan
  variables {
    emulated        = true
    admin_arns      = []
    deploy_role_arn = null
  }
  assert {
    condition = (
      length(aws_eks_cluster.this.compute_config) == 0 && length(aws_eks_addon.after_nodes) == 0 && length(aws_eks_addon.logs) == 0
      && length(aws_eks_access_entry.administrator) == 0 && length(aws_iam_role.nodes) == 0 && length(aws_vpc_security_group_ingress_rule.services) == 0
    )
    error_message = "The embedded AWS drifts on these."
  }
}

run "reject_name" {
  command = plan
  variables {
    name = "Acme_dev"
  }
  expect_failures = [var.name]
}

run "reject_one_subnet" {
  command = plan
  variables {
    subnet_ids = ["subnet-0123456789abcdef0"]
  }
  expect_failures = [var.subnet_ids]
}

run "reject_nodes" {
  command = plan
  variables {
    nodes = "fargate"
  }
  expect_failures = [var.nodes]
}

run "reject_fewer_nodes_than_the_least" {
  command = plan
  variables {
    node_group = { min = 3, desired = 2 }
  }
  expect_failures = [var.node_group]
}

run "reject_nodes_that_are_not_graviton" {
  command = plan
  variables {
    node_group = { instance_types = ["m7i.large"] }
  }
  expect_failures = [var.node_group]
}

run "reject_kubernetes_version" {
  command = plan
  variables {
    kubernetes_version = "1.34.1"
  }
  expect_failures = [var.kubernetes_version]
}

run "reject_a_session_as_administrator" {
  command = plan
  variables {
    admin_arns = ["arn:aws:sts::111111111111:assumed-role/Administrator/me"]
  }
  expect_failures = [var.admin_arns]
}

run "reject_a_cluster_that_nobody_can_enter" {
  command = plan
  variables {
    admin_arns      = []
    deploy_role_arn = null
  }
  expect_failures = [aws_eks_cluster.this]
}
