variable "name" {
  description = "The service's name: its folder's name below src/services."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.name))
    error_message = "name is \"${var.name}\": lower-case letters, digits and \"-\" are allowed, a letter first."
  }
}

variable "project" {
  description = "The project's name."
  type        = string
  nullable    = false

  validation {
    condition     = length("${var.project}-${var.environment}-${var.name}") <= 64
    error_message = "\"${var.project}-${var.environment}-${var.name}\" is longer than the 64 characters that IAM and Lambda allow."
  }
}

variable "environment" {
  description = "The environment's name; the gateway's stage has it too."
  type        = string
  nullable    = false
}

variable "image" {
  description = "The image by digest: \"<repository>@sha256:<64 hex digits>\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image is \"${var.image}\": it must end in \"@sha256:\" and 64 hex digits, because a tag could move."
  }
}

variable "service" {
  description = "What service.yaml says, defaults and overrides applied. memory in MiB, timeout in s."
  type = object({
    path        = string
    memory      = optional(number, 1024)
    timeout     = optional(number, 29)
    scaling     = optional(object({ max = optional(number) }), {})
    environment = optional(map(string), {})
  })
  nullable = false

  validation {
    condition     = var.service.memory >= 128 && var.service.memory <= 10240 && floor(var.service.memory) == var.service.memory
    error_message = "memory is ${var.service.memory}: whole MiB from 128 to 10240 are allowed."
  }

  validation {
    condition     = var.service.timeout >= 1 && var.service.timeout <= 900 && floor(var.service.timeout) == var.service.timeout
    error_message = "timeout is ${var.service.timeout}: whole seconds from 1 to 900 are allowed."
  }

  validation {
    condition     = var.service.scaling.max == null ? true : var.service.scaling.max >= 0 && floor(var.service.scaling.max) == var.service.scaling.max
    error_message = "scaling.max must be a whole number, 0 (which stops the service) or more."
  }

  validation {
    condition     = alltrue([for name in keys(var.service.environment) : !startswith(name, "AWS_") && !startswith(name, "SERVICE_")])
    error_message = "environment must not set names that start with AWS_ (Lambda's own) or SERVICE_ (Stackyard's own)."
  }
}

variable "permissions_boundary" {
  description = "ARN of the policy that caps the service's role."
  type        = string
  default     = null
}

variable "log_retention" {
  description = "Days that logs are kept; one of those that CloudWatch Logs allows."
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
