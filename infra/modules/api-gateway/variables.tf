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

variable "dns_suffix" {
  description = "What host names of the partition end in."
  type        = string
  default     = "amazonaws.com"
  nullable    = false
}

variable "services" {
  description = "Service -> public path, whether it asks for an API key and what its holder may use, whether pages of other origins call it, whether it answers /services.json, and how it is reached (aws_proxy: target is the ARN to invoke; http_proxy: target is scheme and host, which may hold a stage variable). Nothing of it may depend on the service's own resources."
  type = map(object({
    kind    = optional(string)
    path    = string
    api_key = optional(bool, false)
    usage = optional(object({
      rate   = optional(number, 10)
      burst  = optional(number, 20)
      quota  = optional(number)
      period = optional(string, "month")
    }), {})
    cors    = optional(bool, false)
    example = optional(string)
    catalog = optional(bool, false)
    integration = object({
      type        = string
      target      = string
      vpc_link_id = optional(string)
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
    condition     = alltrue([for s in var.services : contains(["aws_proxy", "http_proxy"], s.integration.type)])
    error_message = "integration.type must be aws_proxy or http_proxy."
  }

  validation {
    condition     = length(var.services) >= 1 && length(distinct(concat(["/"], [for s in var.services : s.path]))) + length(var.services) + length([for s in var.services : s if s.catalog]) <= 300
    error_message = "There are ${length(var.services)} services: an API needs one, and has room for 300 resources, which are about two a service."
  }
}

variable "functions" {
  description = "Service -> the Lambda function and qualifier that the API may invoke."
  type        = map(object({ name = string, qualifier = string }))
  default     = {}
  nullable    = false
}

variable "stage_variables" {
  description = "Stage variable -> value, for targets that are known only once a service is there."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "ready" {
  description = "What must be there before requests are sent to it, by service; any text that depends on it."
  type        = map(string)
  default     = {}
  nullable    = false
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

variable "domain" {
  description = "A name of one's own, the ARN of its certificate in this region, and whether the stage's own address is closed."
  type        = object({ name = string, certificate = string, only = optional(bool, false) })
  default     = null

  validation {
    condition     = var.domain == null ? true : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain.name))
    error_message = "domain.name is \"${try(var.domain.name, "")}\": a host name in small letters is allowed."
  }

  validation {
    condition     = var.domain == null ? true : can(regex("^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$", var.domain.certificate))
    error_message = "domain.certificate must be the ARN of a certificate in AWS Certificate Manager."
  }
}
