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
    error_message = "\"${var.project}-${var.environment}-${var.name}\" is longer than 59 characters: with \"_pull\" behind it, IAM allows 64."
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
  description = "What service.yaml says, defaults and overrides applied. memory in MiB; cpu: 1024 is one vCPU; secrets: variable -> the secret's ARN; settings: variables that servicekit reads."
  type = object({
    path        = string
    memory      = optional(number, 2048)
    cpu         = optional(number, 1024)
    timeout     = optional(number)
    scaling     = optional(object({ min = optional(number, 1), max = optional(number, 10), concurrency = optional(number, 100) }), {})
    environment = optional(map(string), {})
    secrets     = optional(map(string), {})
    settings    = optional(map(string), {})
    vpc         = optional(bool, false)
  })
  nullable = false

  # App Runner: Architecture, "App Runner supported configurations".
  validation {
    condition = contains(try({
      "256"  = [512, 1024]
      "512"  = [1024]
      "1024" = [2048, 3072, 4096]
      "2048" = [4096, 6144]
      "4096" = [8192, 10240, 12288]
    }[tostring(var.service.cpu)], []), var.service.memory)
    error_message = "memory is ${var.service.memory} with cpu ${var.service.cpu}: not a pair that App Runner has. With 1024 it has 2048, 3072 and 4096."
  }

  # App Runner: "App Runner resource quotas", and CreateAutoScalingConfiguration.
  validation {
    condition     = alltrue([for size in values(var.service.scaling) : floor(size) == size]) && var.service.scaling.min >= 1 && var.service.scaling.max >= var.service.scaling.min && var.service.scaling.max <= 25 && var.service.scaling.concurrency >= 1 && var.service.scaling.concurrency <= 200
    error_message = "scaling is {min: ${var.service.scaling.min}, max: ${var.service.scaling.max}, concurrency: ${var.service.scaling.concurrency}}: whole numbers are allowed, min and max from 1 to 25, max no less than min, concurrency from 1 to 200."
  }

  validation {
    condition     = alltrue([for name in concat(keys(var.service.environment), keys(var.service.secrets)) : !can(regex("^(AWS_|AWSAPPRUNNER|SERVICE_|LAMBDA_|PORT$|UVICORN_APP$)", name))])
    error_message = "environment and secrets must not set PORT, UVICORN_APP or names that start with AWS_, AWSAPPRUNNER, LAMBDA_ (the platform's own) or SERVICE_ (Stackyard's own)."
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
  description = "Whether X-Ray traces are recorded."
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
  description = "What the service stands on: the network, where service.vpc is true."
  type = object({
    network       = optional(object({ vpc_id = string, subnet_ids = list(string), cidr = string, security_group_id = string }))
    load_balancer = optional(object({ arn = string, dns_name = string, vpc_link_id = string, security_group_id = string }))
    port          = optional(number)
    ecs_cluster   = optional(object({ arn = string, name = string }))
    eks_cluster   = optional(object({ name = string, endpoint = string }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.platform.network != null || !var.service.vpc
    error_message = "platform must have network: service.vpc is true."
  }
}
