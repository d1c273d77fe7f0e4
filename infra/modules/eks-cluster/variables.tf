variable "name" {
  description = "The cluster's name: \"<project>-<environment>\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.name)) && length(var.name) <= 50
    error_message = "name is \"${var.name}\": at most 50 lower-case letters, digits and \"-\" are allowed, a letter first."
  }
}

variable "project" {
  description = "The project's name; with the environment's the path of the roles."
  type        = string
  nullable    = false
}

variable "environment" {
  description = "The environment's name."
  type        = string
  nullable    = false
}

variable "vpc_id" {
  description = "The VPC that nodes, pods and the private endpoint are in."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "Private subnets, in two zones at least."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids names ${length(var.subnet_ids)} subnet(s): EKS asks for two, in different zones."
  }
}

variable "nodes" {
  description = "auto: EKS Auto Mode runs the nodes. managed: a group of Graviton nodes."
  type        = string
  default     = "auto"
  nullable    = false

  validation {
    condition     = contains(["auto", "managed"], var.nodes)
    error_message = "nodes is \"${var.nodes}\": auto and managed are allowed."
  }
}

variable "node_group" {
  description = "The nodes when they are managed. desired counts when the group is made; later it is whoever scales the group."
  type = object({
    instance_types = optional(list(string), ["m7g.large"])
    min            = optional(number, 2)
    desired        = optional(number, 2)
    max            = optional(number, 6)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.node_group.min >= 1 && var.node_group.min <= var.node_group.desired && var.node_group.desired <= var.node_group.max
    error_message = "node_group has min ${var.node_group.min}, desired ${var.node_group.desired}, max ${var.node_group.max}: 1 <= min <= desired <= max."
  }

  validation {
    condition     = length(var.node_group.instance_types) > 0 && alltrue([for type in var.node_group.instance_types : can(regex("^[a-z]+[0-9]+g[a-z]*\\.[a-z0-9-]+$", type))])
    error_message = "node_group.instance_types is ${join(", ", var.node_group.instance_types)}: images are built for arm64, so only Graviton types (m7g.large, c8gd.xlarge …) are allowed."
  }
}

variable "kubernetes_version" {
  description = "\"1.34\", say; null takes what EKS gives new clusters and leaves it alone."
  type        = string
  default     = null

  validation {
    condition     = var.kubernetes_version == null ? true : can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "kubernetes_version is \"${coalesce(var.kubernetes_version, "null")}\": it must be a minor version, like 1.34."
  }
}

variable "public_endpoint" {
  description = "Whether the Kubernetes API is reached from outside of the VPC too; always with IAM. Without it deploys must run inside."
  type        = bool
  default     = true
  nullable    = false
}

variable "admin_arns" {
  description = "IAM roles and users that are administrators in the cluster."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.admin_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[^*]+$", arn))])
    error_message = "admin_arns must be ARNs of IAM roles or users, without a wildcard; a session's (arn:aws:sts::…:assumed-role/…) is none."
  }
}

variable "deploy_role_arn" {
  description = "The role that deploys: it makes namespaces and what is in them, so it is an administrator too."
  type        = string
  default     = null
}

variable "permissions_boundary" {
  description = "ARN of the policy that caps the roles of cluster and nodes. The services' own boundary is too narrow (README)."
  type        = string
  default     = null
}

variable "log_retention" {
  description = "Days that the control plane's logs are kept; one of those that CloudWatch Logs allows."
  type        = number
  default     = 30
  nullable    = false
}

variable "emulated" {
  description = "Leaves out what the embedded AWS cannot hold: Auto Mode, access entries, add-ons, nodes."
  type        = bool
  default     = false
  nullable    = false
}
