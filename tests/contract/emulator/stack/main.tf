# What services of every kind are made of, in one stack: each resource that the emulated AWS is to hold.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                      = "eu-west-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
  max_retries                 = 2
  default_tags {
    tags = { project = "acme", environment = "local" }
  }
}

variable "image" { type = string }
variable "greeting" {
  type    = string
  default = "hello"
}

variable "rate" {
  type    = number
  default = 10
}

locals {
  name = "acme-local"
}

data "aws_availability_zones" "all" { state = "available" }
