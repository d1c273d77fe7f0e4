variable "name" {
  description = "Name of the application, which the functions' names begin with: \"<project>-<environment>\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,55}$", var.name))
    error_message = "name is \"${var.name}\": lower-case letters, digits and \"-\" are allowed, a letter first, 56 at most: its role's name has room for 64."
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

variable "services" {
  description = "Service -> strategy (canary or linear), percent, interval (minutes), alarms (names)."
  type = map(object({
    strategy = string
    percent  = number
    interval = number
    alarms   = list(string)
  }))
  nullable = false

  validation {
    condition     = length(var.services) > 0 && alltrue([for service in var.services : contains(["canary", "linear"], service.strategy)])
    error_message = "services: one at least, and each with the strategy canary or linear; the others need no CodeDeploy."
  }

  validation {
    condition     = alltrue([for service in var.services : service.percent >= 1 && service.percent <= 99 && service.interval >= 1 && service.interval <= 2880])
    error_message = "services: percent is from 1 to 99, interval from 1 to 2880 minutes."
  }

  validation {
    condition     = alltrue([for service in var.services : length(service.alarms) <= 10])
    error_message = "services: CodeDeploy takes 10 alarms for each."
  }
}

variable "permissions_boundary" {
  description = "ARN of the policy that caps CodeDeploy's role."
  type        = string
  default     = null
}
