variable "name" {
  description = "Name of the network: \"<project>-<environment>\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,53}$", var.name))
    error_message = "name is \"${var.name}\": lower-case letters, digits and \"-\" are allowed, a letter first, 54 at most: its role's name has room for 64."
  }
}

variable "project" {
  description = "The project's name."
  type        = string
  nullable    = false
}

variable "environment" {
  description = "The environment's name."
  type        = string
  nullable    = false
}

variable "region" {
  description = "The AWS region."
  type        = string
  nullable    = false
}

variable "zones" {
  description = "Availability zones that it spans."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains([2, 3], var.zones)
    error_message = "zones is ${var.zones}: 2 and 3 are allowed."
  }
}

variable "nat" {
  description = "Gateways to the internet: \"none\", one (\"single\"), or one in each zone (\"per-zone\")."
  type        = string
  default     = "single"
  nullable    = false

  validation {
    condition     = contains(["none", "single", "per-zone"], var.nat)
    error_message = "nat is \"${var.nat}\": none, single and per-zone are allowed."
  }
}

variable "cidr" {
  description = "Private addresses of the network: /16 to /22, so that the public subnets get at least the /28 that a VPC allows."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition     = can(regex("^(10\\.[0-9]+|172\\.(1[6-9]|2[0-9]|3[01])|192\\.168)\\.[0-9]+\\.[0-9]+/(1[6-9]|2[0-2])$", var.cidr)) && try(cidrsubnet(var.cidr, 0, 0) == var.cidr, false)
    error_message = "cidr is \"${var.cidr}\": the first address of a private range and /16 to /22 are allowed, such as 10.0.0.0/16."
  }
}

variable "endpoints" {
  description = "AWS services that are reached from inside the network where nat is \"none\", by their endpoints' short names."
  type        = set(string)
  default     = ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "sns", "sqs", "ssm", "sts", "xray"]
  nullable    = false

  validation {
    condition     = alltrue([for name in var.endpoints : can(regex("^[a-z0-9.-]+$", name)) && !contains(["s3", "dynamodb"], name)])
    error_message = "endpoints holds short names such as \"ecr.api\"; s3 and dynamodb are there without being named."
  }
}

variable "more_endpoints" {
  description = "The same beside `endpoints`, for what only some networks hold: a Kubernetes cluster's."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.more_endpoints : can(regex("^[a-z0-9.-]+$", name)) && !contains(["s3", "dynamodb"], name)])
    error_message = "more_endpoints holds short names such as \"eks\"; s3 and dynamodb are there without being named."
  }
}

variable "log_retention" {
  description = "Days that flow logs are kept; one of those that CloudWatch Logs allows."
  type        = number
  default     = 30
  nullable    = false
}

variable "permissions_boundary" {
  description = "ARN of the policy that caps the flow logs' role."
  type        = string
  default     = null
}

variable "emulated" {
  description = "Whether AWS is the one on a laptop, where host names in the network are left out."
  type        = bool
  default     = false
  nullable    = false
}
