data "aws_partition" "current" {}

module "catalog" {
  source = "../modules/catalog"

  project_yaml  = file("${var.root == null ? "${path.root}/../.." : var.root}/stackyard.yaml")
  services_yaml = {}
  environment   = "local"
  allow_empty   = true
}

locals {
  project      = module.catalog.project.name
  partition    = data.aws_partition.current.partition
  environments = { for name, environment in module.catalog.environments : name => environment if environment.account == var.account }

  # What roles may be given, by the names that infra/app gives.
  arns = { for name, environment in local.environments : name => {
    functions  = "arn:${local.partition}:lambda:${var.region}:${var.account}:function:${local.project}-${name}-*"
    roles      = "arn:${local.partition}:iam::${var.account}:role/${local.project}/${name}/*"
    boundary   = "arn:${local.partition}:iam::${var.account}:policy/${local.project}-${name}_boundary"
    log_groups = [for prefix in ["lambda/${local.project}-${name}-*", "api-gateway/${local.project}-${name}"] : "arn:${local.partition}:logs:${var.region}:${var.account}:log-group:/aws/${prefix}"]
    gateway    = [for path in ["restapis", "restapis/*", "usageplans", "usageplans/*", "apikeys", "apikeys/*", "tags/*"] : "arn:${local.partition}:apigateway:${var.region}::/${path}"]
    state      = "${local.state_bucket_arn}/app/${name}/terraform.tfstate"
    releases   = "${local.state_bucket_arn}/releases/${name}/*"
  } }
}

resource "terraform_data" "checks" {
  lifecycle {
    precondition {
      condition     = alltrue([for environment in local.environments : environment.region == var.region])
      error_message = "stackyard.yaml: account ${var.account} is bootstrapped for ${var.region}, but ${join(", ", [for name, environment in local.environments : "${name} is in ${environment.region}" if environment.region != var.region])}. An account holds one region; give another region another account."
    }
    precondition {
      condition     = length(local.environments) > 0
      error_message = "stackyard.yaml: no environment is in account ${var.account}."
    }
  }
}
