variable "name" {
  description = "Name of the cluster: \"<project>-<environment>\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,254}$", var.name))
    error_message = "name is \"${var.name}\": lower-case letters, digits and \"-\" are allowed, a letter first, 255 at most."
  }
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
