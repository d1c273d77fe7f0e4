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
    condition     = length("${var.project}-${var.environment}-${var.name}") <= 59
    error_message = "\"${var.project}-${var.environment}-${var.name}\" is longer than 59 characters: with \"_exec\" behind it, IAM allows 64."
  }
}

variable "environment" {
  description = "The environment's name; the gateway's stage has it too."
  type        = string
  nullable    = false
}

variable "image" {
  description = "The image by digest: \"<account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<64 hex digits>\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.[a-z.]+/[a-z0-9._/-]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image is \"${var.image}\": it must lie in ECR and end in \"@sha256:\" and 64 hex digits, because a tag could move."
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
  description = "What service.yaml says, defaults and overrides applied. memory in MiB; cpu: 1024 is one vCPU; secrets: variable -> the secret's ARN; settings: variables that servicekit reads; held_task: ARN of the task definition that the service stays at."
  type = object({
    path        = string
    memory      = optional(number, 512)
    cpu         = optional(number, 256)
    timeout     = optional(number)
    scaling     = optional(object({ min = optional(number, 1), max = optional(number, 4), concurrency = optional(number) }), {})
    environment = optional(map(string), {})
    secrets     = optional(map(string), {})
    settings    = optional(map(string), {})
    vpc         = optional(bool, false)
    rollout     = optional(object({ alarms = optional(list(string), []) }), {})
    held_task   = optional(string)
  })
  nullable = false

  # Amazon ECS: "Task CPU and memory" of Fargate task definition parameters.
  validation {
    condition = contains(try({
      "256"   = [512, 1024, 2048]
      "512"   = range(1024, 4097, 1024)
      "1024"  = range(2048, 8193, 1024)
      "2048"  = range(4096, 16385, 1024)
      "4096"  = range(8192, 30721, 1024)
      "8192"  = range(16384, 61441, 4096)
      "16384" = range(32768, 122881, 8192)
    }[tostring(var.service.cpu)], []), var.service.memory)
    error_message = "memory is ${var.service.memory} with cpu ${var.service.cpu}: not a pair that Fargate has. The smallest are 512, 1024 and 2048 with 256."
  }

  validation {
    condition     = alltrue([for size in [var.service.scaling.min, var.service.scaling.max] : floor(size) == size]) && var.service.scaling.min >= 1 && var.service.scaling.max >= var.service.scaling.min
    error_message = "scaling is {min: ${var.service.scaling.min}, max: ${var.service.scaling.max}}: whole numbers are allowed, min 1 or more, max no less than min."
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
  description = "ARN of the policy that caps the service's roles."
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
  description = "Whether the service may send X-Ray traces."
  type        = bool
  default     = true
  nullable    = false
}

variable "emulated" {
  description = "Whether AWS is the one on a laptop, where there is no load balancer, and no task that could be waited for."
  type        = bool
  default     = false
  nullable    = false
}

variable "platform" {
  description = "What the service stands on: network, load balancer and its listener port for this service, ECS cluster."
  type = object({
    network       = optional(object({ vpc_id = string, subnet_ids = list(string), cidr = string, security_group_id = string }))
    load_balancer = optional(object({ arn = string, dns_name = string, vpc_link_id = string, security_group_id = string }))
    port          = optional(number)
    ecs_cluster   = optional(object({ arn = string, name = string, rollout_role_arn = string }))
    eks_cluster   = optional(object({ name = string, endpoint = string }))
  })
  nullable = false

  validation {
    condition     = var.platform.network != null && var.platform.load_balancer != null && var.platform.ecs_cluster != null
    error_message = "platform must have network, load_balancer and ecs_cluster."
  }

  validation {
    condition     = var.platform.port == null ? false : var.platform.port >= 1 && var.platform.port <= 65535 && floor(var.platform.port) == var.platform.port
    error_message = "platform.port must be the service's port on the load balancer, from 1 to 65535."
  }
}
