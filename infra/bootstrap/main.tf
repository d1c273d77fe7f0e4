data "aws_partition" "current" {}

module "catalog" {
  source = "../modules/catalog"

  project_yaml  = file("${var.root == null ? "${path.root}/../.." : var.root}/stackyard.yaml")
  services_yaml = {}
  environment   = "local"
  allow_empty   = true
}

locals {
  project   = module.catalog.project.name
  partition = data.aws_partition.current.partition
  # All previews together are one environment more, with one pair of roles.
  environments = {
    for name, environment in merge(module.catalog.environments, { for template in module.catalog.previews[*] : "previews" => template }) :
    name => environment if environment.account == var.account
  }

  domain = { for name, environment in local.environments : name => try(environment.domain.name, null) }

  # What an environment is called in names and tags: of previews, a pattern.
  like = { for name in keys(local.environments) : name => name == "previews" ? "pr-*" : name }

  # What roles may be given, by the names that infra/app gives. Names of services and environments hold no "_", so what
  # begins with "<project>-<environment>_" is the environment's own and no service's.
  arns = { for name, like in local.like : name => {
    functions      = "${local.arn["lambda"]}:function:${local.project}-${like}-*"
    roles          = "${local.iam}:role/${local.project}/${like}/*"
    service_roles  = "${local.iam}:role/${local.project}/${like}/${local.project}-${like}-*"
    own_roles      = "${local.iam}:role/${local.project}/${like}/${local.project}-${like}_*"
    node_role      = "${local.iam}:role/${local.project}/${like}/${local.project}-${like}_eks-nodes"
    boundary       = "${local.iam}:policy/${local.project}-${name}_boundary"
    infrastructure = "${local.iam}:policy/${local.project}-${name}_infrastructure"
    log_groups = concat(["${local.arn["logs"]}:log-group:aws-waf-logs-${local.project}-${like}"], [for group in [
      "api-gateway/${local.project}-${like}", "ecs/${local.project}-${like}-*", "eks/${local.project}-${like}-*",
      "eks/${local.project}-${like}/*", "lambda/${local.project}-${like}-*", "vpc/${local.project}-${like}",
    ] : "${local.arn["logs"]}:log-group:/aws/${group}"])
    # A domain is told by its name.
    gateway = [for path in concat(local.domain[name] == null ? [] : ["domainnames", "domainnames/${local.domain[name]}", "domainnames/${local.domain[name]}/*"], [
      "apikeys", "apikeys/*", "restapis", "restapis/*", "tags/*", "usageplans", "usageplans/*", "vpclinks", "vpclinks/*",
    ]) : "arn:${local.partition}:apigateway:${var.region}::/${path}"]
    gateway_items = [for path in ["apikeys", "restapis", "usageplans", "vpclinks"] : "arn:${local.partition}:apigateway:${var.region}::/${path}/*"]
    secrets       = "${local.arn["secretsmanager"]}:secret:${local.project}/${name}/*"
    schedule      = "${local.arn["scheduler"]}:schedule/default/${local.project}-${like}-*"
    ecs = {
      cluster  = "${local.arn["ecs"]}:cluster/${local.project}-${like}"
      services = "${local.arn["ecs"]}:service/${local.project}-${like}/${local.project}-${like}-*"
      tasks    = "${local.arn["ecs"]}:task-definition/${local.project}-${like}-*:*"
    }
    eks = { for kind in ["access-entry", "addon", "cluster", "nodegroup", "podidentityassociation"] :
      kind => "${local.arn["eks"]}:${kind}/${local.project}-${like}${kind == "cluster" ? "" : "/*"}"
    }
    state    = "${local.state_bucket_arn}/app/${like}/terraform.tfstate"
    releases = "${local.state_bucket_arn}/releases/${like}/*"
    drift    = "${local.state_bucket_arn}/drift/${like}.json"
  } }

  # What has no name to tell it by has the tags that infra/app gives to all it makes: `own` is for what is there already,
  # `new` for what is being made. `tag` is for giving tags to what has none yet, or ours.
  tagged = { for name, like in local.like : name => {
    own = { StringLike = { "aws:ResourceTag/environment" = like, "aws:ResourceTag/project" = local.project } }
    new = { StringLike = { "aws:RequestTag/environment" = like, "aws:RequestTag/project" = local.project } }
    tag = {
      StringLike         = { "aws:RequestTag/environment" = like, "aws:RequestTag/project" = local.project }
      StringLikeIfExists = { "aws:ResourceTag/environment" = like, "aws:ResourceTag/project" = local.project }
    }
  } }

  # The project's other accounts: their environments may promote what runs in this one, and this one's what runs there.
  # Not the laptop's, which is anybody's.
  elsewhere = var.emulated ? [] : distinct([for name, environment in module.catalog.environments :
    { account = environment.account, region = environment.region } if name != "local" && environment.account != var.account
  ])
  elsewhere_releases   = [for each in local.elsewhere : "arn:${local.partition}:s3:::${local.project}-state-${each.account}-${each.region}"]
  elsewhere_images     = [for each in local.elsewhere : "arn:${local.partition}:ecr:${each.region}:${each.account}:repository/${local.project}"]
  elsewhere_principals = distinct([for each in local.elsewhere : "arn:${local.partition}:iam::${each.account}:root"])

  # ARNs up to the account, by service.
  iam = "arn:${local.partition}:iam::${var.account}"
  arn = { for service in [
    "application-autoscaling", "apprunner", "cloudwatch", "codedeploy", "ec2", "ecs", "eks", "elasticloadbalancing", "kms", "lambda",
    "logs", "scheduler", "secretsmanager", "sns", "wafv2", "xray",
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
