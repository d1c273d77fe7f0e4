variable "account" {
  description = "The AWS account's id, so that nothing is made in another by mistake."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account))
    error_message = "account is \"${var.account}\": it must be 12 digits."
  }
}

variable "region" {
  description = "The AWS region of the state bucket and the image repository."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is \"${var.region}\": an AWS region such as eu-west-1 is meant."
  }
}

variable "emulated" {
  description = "Whether this is the AWS on a laptop."
  type        = bool
  default     = false
  nullable    = false
}

variable "github_trusted" {
  description = "Whether the account trusts GitHub's tokens already, by a provider that something else made."
  type        = bool
  default     = false
  nullable    = false
}

variable "root" {
  description = "Folder that holds stackyard.yaml; tests bring their own."
  type        = string
  default     = null
}
