variable "environment" {
  description = "Name of the environment: one of stackyard.yaml's, \"pr-<number>\" for a preview, or \"local\"."
  type        = string
  nullable    = false
}

variable "image_digests" {
  description = "Service -> \"sha256:<64 hex digits>\", for every service."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for digest in var.image_digests : can(regex("^sha256:[0-9a-f]{64}$", digest))])
    error_message = "image_digests: a digest is \"sha256:\" and 64 hex digits; wrong for ${join(", ", [for name, digest in var.image_digests : "${name} (\"${digest}\")" if !can(regex("^sha256:[0-9a-f]{64}$", digest))])}."
  }
}

variable "held_versions" {
  description = "Service -> the version that the alias of its function stays at; heeded where the rollout is canary or linear."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "held_tasks" {
  description = "Service -> ARN of the task definition that it stays at; heeded for ecs where the rollout is blue-green, canary or linear."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "allow_empty" {
  description = "Whether having no service at all is meant: the last removal in an environment."
  type        = bool
  default     = false
  nullable    = false
}

variable "root" {
  description = "Folder that holds stackyard.yaml and src/services; tests bring their own."
  type        = string
  default     = null
}
