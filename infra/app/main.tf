data "aws_partition" "current" {}

locals {
  emulated = var.environment == "local"
  root     = var.root == null ? "${path.root}/../.." : var.root
  project  = module.catalog.project.name
  account  = module.catalog.environment.account
  region   = module.catalog.environment.region

  partition  = data.aws_partition.current.partition
  repository = "${local.account}.dkr.ecr.${local.region}.${data.aws_partition.current.dns_suffix}/${local.project}"

  # What caps the services' roles, and those of what they stand on (infra/bootstrap).
  boundary       = "arn:${local.partition}:iam::${local.account}:policy/${local.project}-${module.catalog.environment.group}_boundary"
  infrastructure = "arn:${local.partition}:iam::${local.account}:policy/${local.project}-${module.catalog.environment.group}_infrastructure"
}

module "catalog" {
  source = "../modules/catalog"

  project_yaml  = file("${local.root}/stackyard.yaml")
  services_yaml = { for path in fileset(local.root, "src/services/*/service.yaml") : path => file("${local.root}/${path}") }
  environment   = var.environment
  image_digests = var.image_digests
  allow_empty   = var.allow_empty
}

locals {
  full_name = "${local.project}-${var.environment}"
  of_kind   = { for kind in ["lambda", "apprunner", "ecs", "eks"] : kind => { for name, service in module.catalog.services : name => service if service.kind == kind } }
  packages  = { for name in keys(module.catalog.services) : name => replace(name, "-", "_") }

  # Network, load balancer and clusters are there only where a service needs them: they cost by the hour.
  private       = merge(local.of_kind.ecs, local.of_kind.eks)
  needs_network = length(local.private) > 0 || anytrue([for service in module.catalog.services : service.vpc])

  alarmed = module.catalog.environment.alarms.enabled && length(module.catalog.services) > 0

  # A rollout names a service's own alarms by a word, and those are there before it. Where an environment has no alarms, there
  # is nothing to watch.
  rollouts = { for name, service in module.catalog.services : name => merge(service.rollout, {
    alarms = [for alarm in service.rollout.alarms : try(local.own_alarms[name][alarm], alarm)
    if !contains(["errors", "latency"], alarm) || can(local.own_alarms[name])]
  }) }
  own_alarms = local.alarmed ? module.monitoring[0].rollout_alarms : {}

  # Whose requests come to a new version by and by: CodeDeploy leads them to functions, ECS itself to tasks.
  gradual_tasks = toset([for name, service in local.of_kind.ecs : name if service.rollout.strategy != "all-at-once"])
  gradual       = { for name, service in local.of_kind.lambda : name => local.rollouts[name] if service.rollout.strategy != "all-at-once" }

  platform = { for name, service in module.catalog.services : name => {
    network       = one(module.network)
    load_balancer = one(module.load_balancer)
    port          = service.port
    ecs_cluster   = one(module.ecs_cluster)
    eks_cluster   = one(module.eks_cluster)
  } }

  secret_names = toset(flatten([for service in module.catalog.services : values(service.secrets)]))
  secrets      = { for name, service in module.catalog.services : name => { for variable, secret in service.secrets : variable => data.aws_secretsmanager_secret.of[secret].arn } }
}

data "aws_secretsmanager_secret" "of" {
  for_each = local.secret_names
  name     = each.value
}

module "network" {
  source = "../modules/network"
  count  = local.needs_network ? 1 : 0

  name        = local.full_name
  project     = local.project
  environment = var.environment
  region      = local.region
  zones       = module.catalog.environment.network.zones
  nat         = module.catalog.environment.network.nat
  cidr        = module.catalog.environment.network.cidr
  # What nodes and controllers call (Amazon EKS: Deploy private clusters with limited internet access).
  more_endpoints       = length(local.of_kind.eks) > 0 ? ["ec2", "eks", "eks-auth", "elasticloadbalancing"] : []
  log_retention        = module.catalog.environment.log_retention
  permissions_boundary = local.infrastructure
  emulated             = local.emulated
}

module "load_balancer" {
  source = "../modules/load-balancer"
  count  = length(local.private) > 0 ? 1 : 0

  name       = local.full_name
  vpc_id     = module.network[0].vpc_id
  subnet_ids = module.network[0].subnet_ids
  cidr       = module.network[0].cidr

  deletion_protection = module.catalog.environment.protected
  emulated            = local.emulated
}

module "ecs_cluster" {
  source = "../modules/ecs-cluster"
  count  = length(local.of_kind.ecs) > 0 ? 1 : 0

  name                 = local.full_name
  project              = local.project
  environment          = var.environment
  account              = local.account
  region               = local.region
  permissions_boundary = local.infrastructure
}

module "eks_cluster" {
  source = "../modules/eks-cluster"
  count  = length(local.of_kind.eks) > 0 ? 1 : 0

  name                 = local.full_name
  project              = local.project
  environment          = var.environment
  vpc_id               = module.network[0].vpc_id
  subnet_ids           = module.network[0].subnet_ids
  nodes                = module.catalog.environment.eks.nodes
  public_endpoint      = module.catalog.environment.eks.public_endpoint
  admin_arns           = module.catalog.environment.eks.admins
  deploy_role_arn      = "arn:${local.partition}:iam::${local.account}:role/${local.project}/${local.project}-${module.catalog.environment.group}_deploy"
  permissions_boundary = local.infrastructure
  log_retention        = module.catalog.environment.log_retention
  emulated             = local.emulated
}

# Another kind of service adds its module here and itself to `services` and `integrations` below.
module "lambda_service" {
  source   = "../modules/lambda-service"
  for_each = local.of_kind.lambda

  name                 = each.key
  project              = local.project
  environment          = var.environment
  service              = merge(each.value, { secrets = local.secrets[each.key], held_version = contains(keys(local.gradual), each.key) ? lookup(var.held_versions, each.key, null) : null })
  image                = "${local.repository}@${each.value.digest}"
  base_url             = module.api_gateway[0].base_url
  permissions_boundary = local.boundary
  log_retention        = module.catalog.environment.log_retention
  tracing              = module.catalog.environment.xray
  emulated             = local.emulated
  platform             = local.platform[each.key]
}

module "lambda_rollout" {
  source = "../modules/lambda-rollout"
  count  = length(local.gradual) > 0 ? 1 : 0

  name                 = local.full_name
  project              = local.project
  environment          = var.environment
  account              = local.account
  region               = local.region
  services             = local.gradual
  permissions_boundary = local.infrastructure
}

module "apprunner_service" {
  source   = "../modules/apprunner-service"
  for_each = local.of_kind.apprunner

  name                 = each.key
  project              = local.project
  environment          = var.environment
  service              = merge(each.value, { secrets = local.secrets[each.key] })
  image                = "${local.repository}@${each.value.digest}"
  base_url             = module.api_gateway[0].base_url
  permissions_boundary = local.boundary
  log_retention        = module.catalog.environment.log_retention
  tracing              = module.catalog.environment.xray
  emulated             = local.emulated
  platform             = local.platform[each.key]
}

module "ecs_service" {
  source   = "../modules/ecs-service"
  for_each = local.of_kind.ecs

  name                 = each.key
  project              = local.project
  environment          = var.environment
  service              = merge(each.value, { secrets = local.secrets[each.key], held_task = contains(local.gradual_tasks, each.key) ? lookup(var.held_tasks, each.key, null) : null, rollout = local.rollouts[each.key] })
  image                = "${local.repository}@${each.value.digest}"
  base_url             = module.api_gateway[0].base_url
  permissions_boundary = local.boundary
  log_retention        = module.catalog.environment.log_retention
  tracing              = module.catalog.environment.xray
  emulated             = local.emulated
  platform             = local.platform[each.key]
}

module "eks_service" {
  source   = "../modules/eks-service"
  for_each = local.of_kind.eks

  name                 = each.key
  project              = local.project
  environment          = var.environment
  service              = merge(each.value, { secrets = local.secrets[each.key] })
  image                = "${local.repository}@${each.value.digest}"
  base_url             = module.api_gateway[0].base_url
  permissions_boundary = local.boundary
  log_retention        = module.catalog.environment.log_retention
  tracing              = module.catalog.environment.xray
  emulated             = local.emulated
  platform             = local.platform[each.key]
}

locals {
  services = merge(module.lambda_service, module.apprunner_service, module.ecs_service, module.eks_service)

  # How the gateway reaches each service, by what follows from names and the load balancer alone: services are told the
  # gateway's address, so nothing here may wait for a service. App Runner makes up its host names; a stage variable has it.
  integrations = merge(
    { for name, service in local.of_kind.lambda : name => {
      type        = "aws_proxy"
      target      = "arn:${local.partition}:lambda:${local.region}:${local.account}:function:${local.full_name}-${name}:live"
      vpc_link_id = null
    } },
    { for name, service in local.of_kind.apprunner : name => {
      type        = "http_proxy"
      target      = "https://$${stageVariables.url_${local.packages[name]}}"
      vpc_link_id = null
    } },
    { for name, service in local.private : name => {
      type        = "http_proxy"
      target      = "http://${module.load_balancer[0].dns_name}:${service.port}"
      vpc_link_id = module.load_balancer[0].vpc_link_id
    } },
  )
}

module "waf" {
  source = "../modules/waf"
  count  = length(module.catalog.services) > 0 && module.catalog.environment.waf != null ? 1 : 0

  name          = local.full_name
  stage_arn     = module.api_gateway[0].stage_arn
  mode          = module.catalog.environment.waf.mode
  rate          = module.catalog.environment.waf.rate
  log_retention = module.catalog.environment.log_retention
}

# API Gateway deploys no API without a method, so where there is no service there is no gateway either.
module "api_gateway" {
  source = "../modules/api-gateway"
  count  = length(module.catalog.services) > 0 ? 1 : 0

  name          = local.full_name
  stage         = var.environment
  region        = local.region
  partition     = local.partition
  dns_suffix    = data.aws_partition.current.dns_suffix
  throttle      = module.catalog.environment.throttle
  domain        = module.catalog.environment.domain
  log_retention = module.catalog.environment.log_retention
  tracing       = module.catalog.environment.xray

  services = { for name, service in module.catalog.services : name => {
    kind        = service.kind
    path        = service.path
    api_key     = service.api_key
    usage       = service.usage
    cors        = length(service.cors.origins) > 0
    example     = service.example
    catalog     = service.catalog
    integration = local.integrations[name]
  } }

  functions       = { for name, service in module.lambda_service : name => { name = service.details.function_name, qualifier = "live" } }
  stage_variables = { for name, service in module.apprunner_service : "url_${local.packages[name]}" => trimprefix(service.integration.target, "https://") }
  ready           = { for name, service in merge(module.apprunner_service, module.ecs_service, module.eks_service) : name => service.resource }
}

locals {
  # What CloudWatch calls services by.
  balancer = one([for balancer in module.load_balancer : split("loadbalancer/", balancer.arn)[1]])
  hosts    = { for name, service in merge(module.ecs_service, module.eks_service) : name => { TargetGroup = reverse(split(":", service.details.target_group_arn))[0], LoadBalancer = local.balancer } }
  dimensions = merge(
    { for name, service in module.lambda_service : name => { FunctionName = service.resource } },
    { for name, service in module.apprunner_service : name => { ServiceName = service.resource, ServiceID = reverse(split("/", service.details.service_arn))[0] } },
    { for name, service in module.ecs_service : name => merge(local.hosts[name], { ClusterName = service.details.cluster, ServiceName = service.details.service, SecondTargetGroup = reverse(split(":", service.details.second_group_arn))[0] }) },
    { for name, service in module.eks_service : name => local.hosts[name] },
  )
}

module "monitoring" {
  source = "../modules/monitoring"
  count  = local.alarmed ? 1 : 0

  name        = local.full_name
  environment = var.environment
  account     = local.account
  region      = local.region
  partition   = local.partition
  email       = module.catalog.environment.alarms.email
  tracing     = module.catalog.environment.xray
  dimensions  = local.dimensions

  services = { for name, service in module.catalog.services : name => {
    kind    = service.kind
    path    = service.path
    scaling = { min = service.scaling.min, max = service.scaling.max }
    alarms  = service.alarms
  } }

  log_groups = {
    gateway  = module.api_gateway[0].log_group
    services = { for name, service in local.services : name => service.log_group }
  }
}
