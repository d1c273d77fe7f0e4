output "project" {
  description = "What stackyard.yaml says of the project: name, repository, owner_id, repository_id (null when not pinned), region."
  value = {
    name          = try(local.project_file.project, null)
    repository    = try(local.project_file.repository, null)
    owner_id      = try(local.project_file.owner_id, null)
    repository_id = try(local.project_file.repository_id, null)
    region        = try(local.project_file.region, null)
  }

  precondition {
    condition     = local.project_readable
    error_message = "stackyard.yaml: not YAML, or not a mapping of keys to values. `inv doctor` names the line."
  }
  precondition {
    condition     = length(local.unknown_keys.project) == 0
    error_message = join("\n", local.unknown_keys.project)
  }
  precondition {
    condition     = length(local.wrong_values.project) == 0
    error_message = join("\n", local.wrong_values.project)
  }
  precondition {
    condition     = length(local.missing_project_keys) == 0
    error_message = "stackyard.yaml: these keys are missing: ${join(", ", local.missing_project_keys)}."
  }
  precondition {
    condition     = can(local.project_file.owner_id) == can(local.project_file.repository_id)
    error_message = "stackyard.yaml: owner_id and repository_id pin the repository together; one of them is missing."
  }
}

output "environments" {
  description = "Every environment, \"local\" included, with its defaults: name, group (that of its overrides, secrets and rights), account, region, protected, log_retention, throttle, waf and domain (null where there is none), xray, network, eks, alarms."
  value = { for name, environment in local.environments : name => {
    name          = name
    group         = environment.group
    account       = environment.account
    region        = environment.region
    protected     = environment.protected
    log_retention = environment.log_retention
    throttle      = environment.throttle
    waf           = environment.waf
    domain        = environment.domain
    xray          = environment.xray
    network       = environment.network
    eks           = environment.eks
    alarms        = environment.alarms
  } if name != "previews" }

  precondition {
    condition     = length(local.without_account) == 0
    error_message = "stackyard.yaml: these environments have no account: ${join(", ", local.without_account)}."
  }
  precondition {
    condition     = length(local.overlapping) == 0
    error_message = "stackyard.yaml: ${join(", ", local.overlapping)}: one would be taken for, or reach into, the other."
  }
  precondition {
    condition     = length(local.kept_names) == 0
    error_message = "stackyard.yaml: the names of these environments are kept for previews: ${join(", ", local.kept_names)}."
  }
}

output "previews" {
  description = "What every \"pr-<number>\" is made from: account, region; null where there are no previews."
  value       = local.has_previews ? { account = local.environments["previews"].account, region = local.environments["previews"].region } : null
}

output "environment" {
  description = "The environment asked for, with its defaults."
  value       = var.environment == "previews" ? null : lookup(local.environments, var.environment, null)

  precondition {
    condition     = contains(keys(local.environments), var.environment) && var.environment != "previews" || !local.project_readable
    error_message = "stackyard.yaml: there is no environment \"${var.environment}\"; there are: ${join(", ", sort(keys(local.named_environments)))}${local.has_previews ? ", pr-<number>" : ""}."
  }
}

output "services" {
  description = "Service -> what its file says for this environment, defaults and overrides applied, and its image's digest."
  value = { for name, service in local.services : name => {
    kind        = service.kind
    path        = service.path
    memory      = service.memory
    cpu         = service.cpu
    timeout     = service.timeout
    scaling     = service.scaling
    rollout     = service.rollout
    alarms      = service.alarms
    environment = service.environment
    secrets     = { for variable, secret in service.secrets : variable => strcontains(secret, "/") ? secret : "${try(local.project_file.project, "")}/${local.group}/${secret}" }
    vpc         = service.vpc
    api_key     = service.api_key
    usage       = service.usage
    cors        = service.cors
    auth        = service.auth
    # Variables in which servicekit reads what service.yaml asks of it.
    settings = merge(
      length(service.cors.origins) > 0 ? { SERVICE_CORS = jsonencode(service.cors) } : {},
      service.auth.jwt.issuer == null ? {} : { SERVICE_AUTH = jsonencode(service.auth) },
    )
    example = service.example
    catalog = service.catalog
    port    = lookup(local.ports, name, null)
    digest  = service.digest
  } }

  precondition {
    condition     = length(local.unreadable) == 0
    error_message = "${join("\n", local.unreadable)} `inv services` names the line."
  }
  precondition {
    condition     = length(local.unknown_keys.services) == 0
    error_message = join("\n", local.unknown_keys.services)
  }
  precondition {
    condition     = length(local.wrong_values.services) == 0
    error_message = join("\n", local.wrong_values.services)
  }
  precondition {
    condition     = length(local.bad_names) == 0
    error_message = "${join(", ", local.bad_names)}: the folder's name must be a-z, 0-9 and \"-\", a letter first."
  }
  precondition {
    condition     = length(local.unnamed_overrides) == 0
    error_message = "${join(", ", local.unnamed_overrides)}: there is no such environment; there are: ${join(", ", sort(local.groups))}."
  }
  precondition {
    condition     = length(local.reserved_variables) == 0
    error_message = "${join(", ", local.reserved_variables)}: PORT and names that start with AWS_, LAMBDA_ or SERVICE_ are set for every service."
  }
  precondition {
    condition     = length(local.misplaced) == 0
    error_message = "${join("; ", local.misplaced)}."
  }
  precondition {
    condition     = length(local.wrong_sizes) == 0
    error_message = "${join("; ", local.wrong_sizes)}."
  }
  precondition {
    condition     = length(local.wrong_rollouts) == 0
    error_message = "${join("; ", local.wrong_rollouts)}."
  }
  precondition {
    condition     = length(local.wrong_cors) == 0
    error_message = "${join("; ", local.wrong_cors)}."
  }
  precondition {
    condition     = length(local.wrong_auth) == 0
    error_message = "${join("; ", local.wrong_auth)}."
  }
  precondition {
    condition     = length(local.keyless_usage) == 0
    error_message = "${join(", ", local.keyless_usage)}: usage limits the holders of an API key; it needs api_key: true."
  }
  precondition {
    condition     = length(local.foreign_secrets) == 0
    error_message = "${join(", ", local.foreign_secrets)}: a service may read only secrets below ${try(local.project_file.project, "")}/${local.group}/; a name without a slash gets that by itself."
  }
  precondition {
    condition     = length(local.doubled) == 0
    error_message = "${join(", ", local.doubled)} is in environment and in secrets; keep one."
  }
  precondition {
    condition     = length(local.shared_ports) == 0
    error_message = "${join("; ", local.shared_ports)} get the same port of the load balancer from their names; rename one of them."
  }
  precondition {
    condition     = length(local.ports) <= 50
    error_message = "There are ${length(local.ports)} services of kinds ecs and eks; one load balancer has 50 listeners."
  }
  precondition {
    condition     = length(local.root_owners) < 2
    error_message = "Two services own the path \"/\": ${join(" and ", local.root_owners)}."
  }
  precondition {
    condition     = length(local.shared_paths) == 0
    error_message = "Two services have the same path: ${join("; ", local.shared_paths)}."
  }
  precondition {
    condition     = length(local.services) > 0 || var.allow_empty
    error_message = "There is no src/services/*/service.yaml, so every service would be destroyed. If that is meant: -var allow_empty=true."
  }
  precondition {
    condition     = length(local.without_digest) == 0
    error_message = "image_digests has no digest for: ${join(", ", local.without_digest)}; it must hold every service."
  }
}
