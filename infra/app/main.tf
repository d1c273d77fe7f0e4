data "aws_partition" "current" {}

locals {
  emulated = var.environment == "local"
  root     = var.root == null ? "${path.root}/../.." : var.root
  project  = module.catalog.project.name
  account  = module.catalog.environment.account
  region   = module.catalog.environment.region

  partition  = data.aws_partition.current.partition
  repository = "${local.account}.dkr.ecr.${local.region}.${data.aws_partition.current.dns_suffix}/${local.project}"
  boundary   = "arn:${local.partition}:iam::${local.account}:policy/${local.project}-${var.environment}_boundary"
}

module "catalog" {
  source = "../modules/catalog"

  project_yaml  = file("${local.root}/stackyard.yaml")
  services_yaml = { for path in fileset(local.root, "src/services/*/service.yaml") : path => file("${local.root}/${path}") }
  environment   = var.environment
  image_digests = var.image_digests
  allow_empty   = var.allow_empty
}

module "lambda_service" {
  source   = "../modules/lambda-service"
  for_each = { for name, service in module.catalog.services : name => service if service.kind == "lambda" }

  name                 = each.key
  project              = local.project
  environment          = var.environment
  service              = each.value
  image                = "${local.repository}@${each.value.digest}"
  permissions_boundary = local.boundary
  log_retention        = module.catalog.environment.log_retention
  tracing              = module.catalog.environment.xray
}

locals {
  # Another kind of service adds its module above and itself to this line.
  services = merge(module.lambda_service)
}

# API Gateway deploys no API without a method, so where there is no service there is no gateway either.
module "api_gateway" {
  source = "../modules/api-gateway"
  count  = length(module.catalog.services) > 0 ? 1 : 0

  name          = "${local.project}-${var.environment}"
  stage         = var.environment
  region        = local.region
  partition     = local.partition
  throttle      = module.catalog.environment.throttle
  log_retention = module.catalog.environment.log_retention
  tracing       = module.catalog.environment.xray

  services = { for name, service in module.catalog.services : name => {
    path        = service.path
    api_key     = service.api_key
    integration = local.services[name].integration
  } }
}
