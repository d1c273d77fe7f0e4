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

  # What roles may be given, by the names that infra/app gives. Names of services and environments hold no "_", so what
  # begins with "<project>-<environment>_" is the environment's own and no service's.
  arns = { for name, environment in local.environments : name => {
    functions      = "${local.arn["lambda"]}:function:${local.project}-${name}-*"
    roles          = "${local.iam}:role/${local.project}/${name}/*"
    service_roles  = "${local.iam}:role/${local.project}/${name}/${local.project}-${name}-*"
    own_roles      = "${local.iam}:role/${local.project}/${name}/${local.project}-${name}_*"
    node_role      = "${local.iam}:role/${local.project}/${name}/${local.project}-${name}_eks-nodes"
    boundary       = "${local.iam}:policy/${local.project}-${name}_boundary"
    infrastructure = "${local.iam}:policy/${local.project}-${name}_infrastructure"
    log_groups = [for group in [
      "api-gateway/${local.project}-${name}", "ecs/${local.project}-${name}-*", "eks/${local.project}-${name}-*",
      "eks/${local.project}-${name}/*", "lambda/${local.project}-${name}-*", "vpc/${local.project}-${name}",
    ] : "${local.arn["logs"]}:log-group:/aws/${group}"]
    gateway = [for path in [
      "apikeys", "apikeys/*", "restapis", "restapis/*", "tags/*", "usageplans", "usageplans/*", "vpclinks", "vpclinks/*",
    ] : "arn:${local.partition}:apigateway:${var.region}::/${path}"]
    secrets  = "${local.arn["secretsmanager"]}:secret:${local.project}/${name}/*"
    schedule = "${local.arn["scheduler"]}:schedule/default/${local.project}-${name}-*"
    ecs = {
      cluster  = "${local.arn["ecs"]}:cluster/${local.project}-${name}"
      services = "${local.arn["ecs"]}:service/${local.project}-${name}/${local.project}-${name}-*"
      tasks    = "${local.arn["ecs"]}:task-definition/${local.project}-${name}-*:*"
    }
    eks = { for kind in ["access-entry", "addon", "cluster", "nodegroup", "podidentityassociation"] :
      kind => "${local.arn["eks"]}:${kind}/${local.project}-${name}${kind == "cluster" ? "" : "/*"}"
    }
    state    = "${local.state_bucket_arn}/app/${name}/terraform.tfstate"
    releases = "${local.state_bucket_arn}/releases/${name}/*"
  } }

  # What has no name to tell it by has the tags that infra/app gives to all it makes: `own` is for what is there already,
  # `new` for what is being made. `tag` is for giving tags to what has none yet, or ours.
  tagged = { for name in keys(local.environments) : name => {
    own = { StringEquals = { "aws:ResourceTag/environment" = name, "aws:ResourceTag/project" = local.project } }
    new = { StringEquals = { "aws:RequestTag/environment" = name, "aws:RequestTag/project" = local.project } }
    tag = {
      StringEquals         = { "aws:RequestTag/environment" = name, "aws:RequestTag/project" = local.project }
      StringEqualsIfExists = { "aws:ResourceTag/environment" = name, "aws:ResourceTag/project" = local.project }
    }
  } }

  # ARNs up to the account, by service.
  iam = "arn:${local.partition}:iam::${var.account}"
  arn = { for service in [
    "application-autoscaling", "apprunner", "cloudwatch", "codedeploy", "ec2", "ecs", "eks", "elasticloadbalancing", "kms", "lambda",
    "logs", "scheduler", "secretsmanager",
  ] : service => "arn:${local.partition}:${service}:${var.region}:${var.account}" }
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
