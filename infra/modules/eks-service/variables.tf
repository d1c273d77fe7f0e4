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
    condition     = length("${var.project}-${var.environment}-${var.name}") <= 60
    error_message = "\"${var.project}-${var.environment}-${var.name}\" is longer than 60 characters: with \"_pod\" behind it, IAM allows 64."
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
  description = "What service.yaml says, defaults and overrides applied. memory in MiB; cpu 1024 is one vCPU; secrets are ARNs by the name of their variable; settings are variables that servicekit reads."
  type = object({
    path        = string
    memory      = optional(number, 512)
    cpu         = optional(number, 256)
    timeout     = optional(number)
    scaling     = optional(object({ min = optional(number, 1), max = optional(number, 4), concurrency = optional(number) }), {})
    environment = optional(map(string), {})
    secrets     = optional(map(string), {})
    settings    = optional(map(string), {})
    vpc         = optional(bool)
  })
  nullable = false

  validation {
    condition     = var.service.memory >= 64 && var.service.memory <= 122880 && floor(var.service.memory) == var.service.memory
    error_message = "memory is ${var.service.memory}: whole MiB from 64 to 122880 are allowed."
  }

  validation {
    condition     = var.service.cpu >= 64 && var.service.cpu <= 16384 && floor(var.service.cpu) == var.service.cpu
    error_message = "cpu is ${var.service.cpu}: whole numbers from 64 to 16384 are allowed; 1024 is one vCPU."
  }

  validation {
    condition = (
      var.service.scaling.min >= 1 && floor(var.service.scaling.min) == var.service.scaling.min
      && var.service.scaling.max >= var.service.scaling.min && floor(var.service.scaling.max) == var.service.scaling.max
    )
    error_message = "scaling is min ${var.service.scaling.min}, max ${var.service.scaling.max}: whole numbers with 1 <= min <= max are allowed."
  }

  validation {
    condition     = alltrue([for name in concat(keys(var.service.environment), keys(var.service.secrets)) : name != "PORT" && !can(regex("^(AWS|SERVICE|LAMBDA)_", name))])
    error_message = "environment and secrets must not set PORT or names that start with AWS_, LAMBDA_ (the platform's own) or SERVICE_ (Stackyard's own)."
  }

  validation {
    condition     = alltrue([for arn in values(var.service.secrets) : can(regex("^arn:aws[a-z-]*:secretsmanager:[^*]+:secret:[^*]+$", arn))])
    error_message = "secrets must be ARNs of secrets in Secrets Manager, without a wildcard."
  }
}

variable "base_url" {
  description = "The gateway's address with its stage, without a slash at the end."
  type        = string
  nullable    = false
}

variable "platform" {
  description = "What the environment's services share. An eks service needs network, load_balancer, port and eks_cluster."
  type = object({
    network       = optional(object({ vpc_id = string, subnet_ids = list(string), cidr = string, security_group_id = string }))
    load_balancer = optional(object({ arn = string, dns_name = string, vpc_link_id = string, security_group_id = string }))
    port          = optional(number)
    ecs_cluster   = optional(object({ arn = string, name = string }))
    eks_cluster   = optional(object({ name = string, endpoint = string }))
  })
  nullable = false

  validation {
    condition     = var.platform.network != null && var.platform.load_balancer != null && var.platform.eks_cluster != null
    error_message = "platform must have network, load_balancer and eks_cluster."
  }

  validation {
    condition     = var.platform.port == null ? false : var.platform.port >= 1024 && var.platform.port <= 65535
    error_message = "platform.port is ${var.platform.port == null ? "null" : var.platform.port}: a port of the load balancer from 1024 to 65535 is needed."
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
  description = "Leaves out what the embedded AWS cannot hold: the pod identity association, and the load balancer's listener."
  type        = bool
  default     = false
  nullable    = false
}
