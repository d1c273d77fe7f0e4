variable "name" {
  description = "Name of the web ACL: \"<project>-<environment>\"."
  type        = string
  nullable    = false
}

variable "stage_arn" {
  description = "ARN of the gateway's stage that it stands before."
  type        = string
  nullable    = false
}

variable "mode" {
  description = "What it does with a request that a rule minds: \"count\" logs it, \"block\" answers 403."
  type        = string
  default     = "count"
  nullable    = false

  validation {
    condition     = contains(["count", "block"], var.mode)
    error_message = "mode is \"${var.mode}\": count and block are allowed."
  }
}

variable "rate" {
  description = "Requests that one address may make in five minutes."
  type        = number
  default     = 2000
  nullable    = false

  # AWS WAF: RateBasedStatement.
  validation {
    condition     = var.rate >= 10 && var.rate <= 2000000000 && floor(var.rate) == var.rate
    error_message = "rate is ${var.rate}: a whole number from 10 to 2000000000 is allowed."
  }
}

variable "log_retention" {
  description = "Days that its log is kept; one of those that CloudWatch Logs allows."
  type        = number
  default     = 30
  nullable    = false
}
