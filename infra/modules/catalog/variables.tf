variable "project_yaml" {
  description = "Text of stackyard.yaml."
  type        = string
  nullable    = false
}

variable "services_yaml" {
  description = "Path of each service.yaml -> its text; the folder's name is the service's."
  type        = map(string)
  nullable    = false
}

variable "environment" {
  description = "The environment to read the files for: \"local\", one of stackyard.yaml's, or \"pr-<number>\"."
  type        = string
  nullable    = false
}

variable "image_digests" {
  description = "Service -> \"sha256:<64 hex digits>\", for every service. Digests of services that are gone are ignored."
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
