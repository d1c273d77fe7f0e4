variable "name" {
  description = "What the names of alarms, topic, dashboard and queries begin with: \"<project>-<environment>\"; also the API's name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])*$", var.name))
    error_message = "name is \"${var.name}\": lower-case letters, digits and single \"-\" are allowed, a letter first."
  }
}

variable "environment" {
  description = "Name of the environment, and of the gateway's stage."
  type        = string
  nullable    = false
}

variable "account" {
  description = "The AWS account's id."
  type        = string
  nullable    = false
}

variable "region" {
  description = "The AWS region."
  type        = string
  nullable    = false
}

variable "partition" {
  description = "The AWS partition, such as \"aws\"."
  type        = string
  default     = "aws"
  nullable    = false
}

variable "email" {
  description = "Who is told of alarms; null: nobody, until something else subscribes to the topic."
  type        = string
  default     = null
}

variable "tracing" {
  description = "Whether requests are traced, so that a group of X-Ray has something to hold."
  type        = bool
  default     = true
  nullable    = false
}

variable "services" {
  description = "Service -> kind, path, scaling and what its file says of alarms. Known before any service is there."
  type = map(object({
    kind    = string
    path    = string
    scaling = object({ min = number, max = number })
    alarms  = object({ enabled = bool, errors = number, latency_p99_ms = number })
  }))
  nullable = false

  validation {
    condition     = alltrue([for service in var.services : !service.alarms.enabled || service.alarms.errors > 0 && service.alarms.errors < 100])
    error_message = "alarms.errors is percent of the requests: above 0, below 100."
  }
  validation {
    condition     = alltrue([for service in var.services : !service.alarms.enabled || service.alarms.latency_p99_ms >= 1 && service.alarms.latency_p99_ms <= 29000])
    error_message = "alarms.latency_p99_ms is from 1 to 29000: the gateway ends a request after 29 s."
  }
}

variable "dimensions" {
  description = "Service -> what its metrics are called by: FunctionName; ServiceName, ServiceID; ClusterName, ServiceName; TargetGroup, SecondTargetGroup (ecs), LoadBalancer."
  type        = map(map(string))
  nullable    = false
}

variable "log_groups" {
  description = "Names of the services' log groups and the gateway's, for saved queries."
  type        = object({ gateway = string, services = map(string) })
  nullable    = false
}
