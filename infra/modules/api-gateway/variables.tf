variable "name" {
  description = "Name of the API: \"<project>-<environment>\"."
  type        = string
  nullable    = false
}

variable "stage" {
  description = "Name of the stage: the environment's."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,128}$", var.stage))
    error_message = "stage is \"${var.stage}\": letters, digits, \"-\" and \"_\" are allowed, 128 at most."
  }
}

variable "region" {
  description = "The AWS region."
  type        = string
  nullable    = false
}

variable "partition" {
  description = "The AWS partition: aws, aws-cn or aws-us-gov."
  type        = string
  default     = "aws"
  nullable    = false
}

variable "services" {
  description = "Service -> public path, whether it asks for an API key, and how it is reached (aws_proxy: target is the ARN to invoke, of that function and qualifier)."
  type = map(object({
    path    = string
    api_key = optional(bool, false)
    integration = object({
      type      = string
      target    = string
      function  = string
      qualifier = string
    })
  }))
  nullable = false

  validation {
    condition     = alltrue([for s in var.services : can(regex("^/([a-z0-9][a-z0-9_-]*)?$", s.path))])
    error_message = "path must be \"/\" or \"/\" and one segment of lower-case letters, digits, \"-\" and \"_\"; found ${join(", ", [for name, s in var.services : "\"${s.path}\" for ${name}"])}."
  }

  validation {
    condition     = length(distinct([for s in var.services : s.path])) == length(var.services)
    error_message = "Two services have the same path: ${join(", ", [for name, s in var.services : "\"${s.path}\" for ${name}"])}."
  }

  validation {
    condition     = alltrue([for s in var.services : contains(["aws_proxy"], s.integration.type)])
    error_message = "integration.type must be aws_proxy."
  }

  validation {
    condition     = length(var.services) >= 1 && length(var.services) <= 100
    error_message = "There are ${length(var.services)} services: an API needs one, and has room for 300 resources, three a service."
  }
}

variable "throttle" {
  description = "Requests a second, and how many may come at once, for the whole stage."
  type        = object({ rate = optional(number, 100), burst = optional(number, 200) })
  default     = {}
  nullable    = false

  validation {
    condition     = var.throttle.rate > 0 && var.throttle.burst > 0
    error_message = "throttle is {rate: ${var.throttle.rate}, burst: ${var.throttle.burst}}: both must be above 0."
  }
}

variable "log_retention" {
  description = "Days that access logs are kept; one of those that CloudWatch Logs allows."
  type        = number
  default     = 30
  nullable    = false
}

variable "tracing" {
  description = "Whether X-Ray traces are recorded for sampled requests."
  type        = bool
  default     = true
  nullable    = false
}
