variable "name" {
  description = "Name of the load balancer and its VPC link: \"<project>-<environment>\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])*$", var.name))
    error_message = "name is \"${var.name}\": lower-case letters, digits and single \"-\" are allowed, a letter first."
  }
}

variable "vpc_id" {
  description = "Id of the VPC."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "Ids of the private subnets, one a zone."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids has ${length(var.subnet_ids)}: a subnet in each of two zones is the least, so that one zone may fail."
  }
}

variable "cidr" {
  description = "The network's addresses, where services are."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.cidr))
    error_message = "cidr is \"${var.cidr}\": a range such as 10.0.0.0/16 is allowed."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete it: every private service is reached by it."
  type        = bool
  default     = false
  nullable    = false
}

variable "emulated" {
  description = "Whether AWS is the one on a laptop, where there is no load balancer, only its name."
  type        = bool
  default     = false
  nullable    = false
}
