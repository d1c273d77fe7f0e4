# What each kind of service has by default and which sizes there are. src/stackyard/kinds says the same, with its sources.
locals {
  kinds = {
    lambda    = { memory = 1024, cpu = null, timeout = 29, scaling = { min = null, max = null, concurrency = null }, private = false, strategies = ["all-at-once", "canary", "linear"], alarms = true, keys = ["timeout"] }
    apprunner = { memory = 2048, cpu = 1024, timeout = null, scaling = { min = 1, max = 10, concurrency = 100 }, private = false, strategies = ["all-at-once"], alarms = false, keys = ["cpu", "scaling.concurrency", "scaling.min", "vpc"] }
    ecs       = { memory = 512, cpu = 256, timeout = null, scaling = { min = 1, max = 4, concurrency = null }, private = true, strategies = ["all-at-once", "blue-green", "canary", "linear"], alarms = true, keys = ["cpu", "scaling.min"] }
    eks       = { memory = 512, cpu = 256, timeout = null, scaling = { min = 1, max = 4, concurrency = null }, private = true, strategies = ["all-at-once"], alarms = false, keys = ["cpu", "scaling.min"] }
  }

  # MiB by cpu, where AWS sells pairs only.
  sizes = {
    apprunner = {
      256  = [512, 1024]
      512  = [1024]
      1024 = [2048, 3072, 4096]
      2048 = [4096, 6144]
      4096 = [8192, 10240, 12288]
    }
    ecs = {
      256   = [512, 1024, 2048]
      512   = range(1024, 4096 + 1, 1024)
      1024  = range(2048, 8192 + 1, 1024)
      2048  = range(4096, 16384 + 1, 1024)
      4096  = range(8192, 30720 + 1, 1024)
      8192  = range(16384, 61440 + 1, 4096)
      16384 = range(32768, 122880 + 1, 8192)
    }
  }

  kind_keys = distinct(flatten([for kind in values(local.kinds) : kind.keys]))

  # Keys that a file gives, for this environment, the ones inside scaling with a dot.
  given = { for name, document in local.service_files : name => distinct(concat(
    keys(document), keys(local.overrides[name]),
    [for key in concat(try(keys(document.scaling), []), try(keys(local.overrides[name].scaling), [])) : "scaling.${key}"],
  )) }

  misplaced = flatten([for name, service in local.services : [
    for key in local.given[name] : "${service.file}: ${key} is not for kind ${service.kind}" if contains(local.kind_keys, key) && !contains(try(local.kinds[service.kind].keys, local.kind_keys), key)
  ]])

  wrong_sizes = concat(
    [for name, service in local.services : "${service.file}: memory is ${service.memory} with cpu ${coalesce(service.cpu, 0)}; allowed: ${jsonencode(local.sizes[service.kind])}"
    if can(local.sizes[service.kind]) && !try(contains(local.sizes[service.kind][tostring(service.cpu)], service.memory), false)],
    [for name, service in local.services : "${service.file}: memory is ${service.memory}; allowed: 128 to 10240" if service.kind == "lambda" && try(service.memory > 10240, false)],
    [for name, service in local.services : "${service.file}: scaling.max is ${service.scaling.max}; allowed: 1 to 25" if service.kind == "apprunner" && try(service.scaling.max > 25, false)],
    [for name, service in local.services : "${service.file}: scaling.min is ${service.scaling.min} and scaling.max is ${service.scaling.max}" if try(service.scaling.min > service.scaling.max, false)],
  )

  wrong_rollouts = flatten([for name, service in local.services : [for problem in [
    try(contains(local.kinds[service.kind].strategies, service.rollout.strategy), true) ? "" : "rollout.strategy ${service.rollout.strategy} is not for kind ${service.kind}; allowed: ${join(", ", local.kinds[service.kind].strategies)}",
    length(try(tolist(service.rollout.alarms), [])) > 0 && !try(local.kinds[service.kind].alarms, true) ? "rollout.alarms is not for kind ${service.kind}" : "",
    length(try(tolist(service.rollout.alarms), [])) > 10 ? "rollout.alarms names ${length(service.rollout.alarms)}; CodeDeploy takes 10" : "",
    try(!service.alarms.enabled && length(setintersection(service.rollout.alarms, ["errors", "latency"])) > 0, false) ? "rollout.alarms names alarms that alarms.enabled leaves out" : "",
    try(service.rollout.interval * (service.rollout.strategy == "linear" ? ceil(100 / service.rollout.percent) - 1 : 1) > 2880, false) ? "the rollout takes longer than 2880 minutes" : "",
    try(service.kind == "ecs" && service.rollout.strategy != "all-at-once" && service.rollout.interval > 1440, false) ? "rollout.interval is ${service.rollout.interval}; ecs has 1440 minutes at the most" : "",
    try(service.kind == "ecs" && service.rollout.strategy == "linear" && service.rollout.percent < 3, false) ? "rollout.percent is ${service.rollout.percent}; ecs goes on by 3 at the least" : "",
  ] : "${service.file}: ${problem}" if problem != ""]])

  wrong_cors = flatten([for name, service in local.services : [for problem in [
    can(keys(local.service_files[name].cors)) && !can(service.cors.origins[0]) && !can(local.service_files[name].cors.origins) && !can(local.overrides[name].cors.origins) ? "cors needs origins" : "",
    try(contains(service.cors.origins, "*") && service.cors.credentials, false) ? "cors.credentials: with them, name the origins, not \"*\"" : "",
    try(contains(service.cors.origins, "*") && length(service.cors.origins) > 1, false) ? "cors.origins: \"*\" is every origin; keep it alone or leave it out" : "",
  ] : "${service.file}: ${problem}" if problem != ""]])

  wrong_auth = flatten([for name, service in local.services : [for problem in [
    (can(keys(local.service_files[name].auth)) || can(keys(local.overrides[name].auth))) && (service.auth.jwt.issuer == null || length(service.auth.jwt.audience) == 0) ? "auth.jwt needs issuer and audience" : "",
    var.environment != "local" && try(startswith(service.auth.jwt.issuer, "http://"), false) ? "auth.jwt.issuer: ${var.environment} needs https" : "",
    try(length(service.auth.jwt.audience) > 10 || length(service.auth.jwt.scopes) > 20 || length(service.auth.jwt.issuer) > 200, false) ? "auth.jwt: 10 audiences, 20 scopes and an issuer of 200 characters at the most" : "",
  ] : "${service.file}: ${problem}" if problem != ""]])

  keyless_usage = [for name, service in local.services : service.file if service.usage != null && service.api_key != true]
  doubled       = flatten([for name, service in local.services : [for variable in keys(service.environment) : "${service.file}: ${variable}" if contains(keys(service.secrets), variable)]])

  # What the permissions boundary lets a service's role read (infra/bootstrap); a laptop has no such walls.
  foreign_secrets = var.environment == "local" ? [] : flatten([for name, service in local.services : [
    for variable, secret in service.secrets : "${service.file}: secrets.${variable}" if strcontains(secret, "/") && !startswith(secret, "${try(local.project_file.project, "")}/${local.group}/")
  ]])

  # A port follows from the name alone, so that no other service's coming or going moves it.
  ports        = { for name, service in local.services : name => 10000 + parseint(substr(sha256(name), 0, 8), 16) % 40000 if try(local.kinds[service.kind].private, false) }
  port_owners  = { for name, port in local.ports : tostring(port) => name... }
  shared_ports = [for names in values(local.port_owners) : join(" and ", names) if length(names) > 1]
}
