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

variable "base_url" {
  description = "The gateway's address with its stage and no slash at the end: what calls to sibling services begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https?://[^ ]*[^ /]$", var.base_url))
    error_message = "base_url is \"${var.base_url}\": an address without a slash at the end is allowed."
  }
}

variable "service" {
  description = "What service.yaml says, defaults and overrides applied. memory in MiB, timeout in s; secrets: variable -> the secret's ARN; settings: variables that servicekit reads; held_version: what the alias stays at."
  type = object({
    path        = string
    memory      = optional(number, 1024)
    cpu         = optional(number)
    timeout     = optional(number, 29)
    scaling     = optional(object({ min = optional(number), max = optional(number), concurrency = optional(number) }), {})
    environment = optional(map(string), {})
    secrets     = optional(map(string), {})
    settings    = optional(map(string), {})
    vpc         = optional(bool, false)

    held_version = optional(string)
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
    condition     = var.service.held_version == null ? true : can(regex("^[1-9][0-9]*$", var.service.held_version))
    error_message = "held_version is \"${coalesce(var.service.held_version, "-")}\": the number of a published version is allowed."
  }

  validation {
    condition     = var.service.scaling.max == null ? true : var.service.scaling.max >= 0 && floor(var.service.scaling.max) == var.service.scaling.max
    error_message = "scaling.max must be a whole number, 0 (which stops the service) or more."
  }

  validation {
    condition     = alltrue([for name in concat(keys(var.service.environment), keys(var.service.secrets)) : !can(regex("^(AWS_|SERVICE_|LAMBDA_|PORT$)", name))])
    error_message = "environment and secrets must not set PORT or names that start with AWS_, LAMBDA_ (the platform's own) or SERVICE_ (Stackyard's own)."
  }

  validation {
    condition     = length(setintersection(keys(var.service.environment), keys(var.service.secrets))) == 0
    error_message = "environment and secrets set the same variable: ${join(", ", setintersection(keys(var.service.environment), keys(var.service.secrets)))}."
  }

  validation {
    condition     = alltrue([for arn in values(var.service.secrets) : can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", arn))])
    error_message = "secrets must hold ARNs of Secrets Manager's secrets; found ${join(", ", values(var.service.secrets))}."
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

variable "emulated" {
  description = "Whether AWS is the one on a laptop. It holds all of this; the input is there because every kind has it."
  type        = bool
  default     = false
  nullable    = false
}

variable "platform" {
  description = "What services of other kinds stand on; a function needs nothing of it."
  type = object({
    network       = optional(object({ vpc_id = string, subnet_ids = list(string), cidr = string, security_group_id = string }))
    load_balancer = optional(object({ arn = string, dns_name = string, vpc_link_id = string, security_group_id = string }))
    port          = optional(number)
    ecs_cluster   = optional(object({ arn = string, name = string }))
    eks_cluster   = optional(object({ name = string, endpoint = string }))
  })
  default  = {}
  nullable = false
}
