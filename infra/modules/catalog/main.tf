locals {
  service_defaults = {
    kind        = "lambda"
    environment = {}
    secrets     = {}
    scaling     = {}
    rollout     = { strategy = "all-at-once", percent = 10, interval = 5, alarms = [] }
    alarms      = { enabled = true, errors = 5, latency_p99_ms = 3000 }
    vpc         = false
    api_key     = false
    usage       = null
    cors        = { origins = [], methods = ["GET", "HEAD", "POST"], headers = ["authorization", "content-type", "x-api-key", "x-request-id"], expose = ["x-request-id"], credentials = false, max_age = 600 }
    auth        = { jwt = { issuer = null, audience = [], scopes = [] } }
    example     = null
    catalog     = false
  }

  environment_defaults = {
    region        = try(local.project_file.region, null)
    protected     = false
    log_retention = 30
    throttle      = { rate = 100, burst = 200 }
    waf           = null
    domain        = null
    xray          = true
    network       = { nat = "single", zones = 2, cidr = "10.0.0.0/16" }
    eks           = { nodes = "auto", public_endpoint = true, admins = [] }
    alarms        = { enabled = true, email = null }
  }

  # A text that is no YAML, or no mapping, becomes null here; a precondition names its file.
  texts     = merge({ "stackyard.yaml" = var.project_yaml }, var.services_yaml)
  documents = { for file, text in local.texts : file => try(yamldecode(length(regexall("(?m)^[^#\\s]", text)) == 0 ? "{}" : text), null) }
  readable  = { for file, document in local.documents : file => document if can(keys(document)) }

  project_file  = try(local.readable["stackyard.yaml"], {})
  service_files = { for file, document in local.readable : basename(dirname(file)) => merge({ file = file }, document) if file != "stackyard.yaml" }

  # AWS's documentation account stands for the AWS on a laptop, where nothing is measured.
  named_environments = merge({ local = { account = "123456789012", alarms = { enabled = false } } }, try(merge({}, local.project_file.environments), {}))

  # "pr-<number>" is made from what `previews` says, and goes by that name in overrides, secrets and rights.
  has_previews = can(keys(local.project_file.previews))
  is_preview   = can(regex("^pr-[1-9][0-9]{0,5}$", var.environment))
  group        = local.is_preview ? "previews" : var.environment
  groups       = concat(keys(local.named_environments), local.has_previews ? ["previews"] : [])

  environment_files = merge(
    local.named_environments,
    { for name in distinct(["previews", local.is_preview ? var.environment : "previews"]) : name => merge({ max = 5, log_retention = 3 }, local.project_file.previews, { alarms = merge({ enabled = false }, try(local.project_file.previews.alarms, {})) }) if local.has_previews },
  )
  environments = {
    for name, environment in local.environment_files : name => merge(
      local.environment_defaults,
      try(merge({}, environment), {}),
      { name = name, group = name == var.environment ? local.group : name },
      { domain = can(keys(environment.domain)) ? merge({ only = false }, environment.domain) : null },
      { waf = can(keys(environment.waf)) ? merge({ mode = "count", rate = 2000 }, environment.waf) : null },
      { for key in ["throttle", "network", "eks", "alarms"] : key => merge(local.environment_defaults[key], try(merge({}, environment[key]), {})) },
    )
  }

  overrides = { for name, document in local.service_files : name => try(merge({}, document.overrides[local.group]), {}) }
  services = {
    for name, document in local.service_files : name => merge(
      local.service_defaults,
      { for key, value in try(local.kinds[try(document.kind, "lambda")], local.kinds.lambda) : key => value if contains(["memory", "cpu", "timeout"], key) },
      { path = name == "api" ? "/" : "/${name}" },
      document,
      local.overrides[name],
      {
        environment = merge(try(merge({}, document.environment), {}), try(merge({}, local.overrides[name].environment), {}))
        secrets     = merge(try(merge({}, document.secrets), {}), try(merge({}, local.overrides[name].secrets), {}))
        scaling     = merge(try(local.kinds[try(document.kind, "lambda")], local.kinds.lambda).scaling, try(merge({}, document.scaling), {}), try(merge({}, local.overrides[name].scaling), {}))
        alarms      = merge(local.service_defaults.alarms, try(merge({}, document.alarms), {}), try(merge({}, local.overrides[name].alarms), {}))
        rollout     = merge(local.service_defaults.rollout, try(merge({}, document.rollout), {}), try(merge({}, local.overrides[name].rollout), {}))
        cors        = merge(local.service_defaults.cors, try(merge({}, document.cors), {}), try(merge({}, local.overrides[name].cors), {}))
        auth        = { jwt = merge(local.service_defaults.auth.jwt, try(merge({}, document.auth.jwt), {}), try(merge({}, local.overrides[name].auth.jwt), {})) }
        usage = can(keys(document.usage)) || can(keys(local.overrides[name].usage)) ? merge(
          { rate = 10, burst = 20, quota = null, period = "month" }, try(merge({}, document.usage), {}), try(merge({}, local.overrides[name].usage), {})
        ) : null
        digest = lookup(var.image_digests, name, null)
      },
    )
  }
}
