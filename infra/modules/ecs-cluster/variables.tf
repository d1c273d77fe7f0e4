variable "name" {
  description = "Name of the cluster: \"<project>-<environment>\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,51}$", var.name))
    error_message = "name is \"${var.name}\": lower-case letters, digits and \"-\" are allowed, a letter first, 52 at most: its role's name has room for 64."
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

variable "permissions_boundary" {
  description = "ARN of the policy that caps the role."
  type        = string
  default     = null
}

variable "account" {
  description = "The account's id."
  type        = string
  nullable    = false
}

variable "region" {
  description = "The AWS region."
  type        = string
  nullable    = false
}

variable "container_insights" {
  description = "CloudWatch metrics per task, which cost extra: \"disabled\", \"enabled\" or \"enhanced\"."
  type        = string
  default     = "disabled"
  nullable    = false

  validation {
    condition     = contains(["disabled", "enabled", "enhanced"], var.container_insights)
    error_message = "container_insights is \"${var.container_insights}\": disabled, enabled and enhanced are allowed."
  }
}
