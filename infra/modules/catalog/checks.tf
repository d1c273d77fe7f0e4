# What each key may hold, as a pattern over its JSON, with the words for it. Python says the same with better manners
# (src/stackyard/project.py, services.py); this is for whoever calls Terraform by hand, and it must not plan nonsense.
locals {
  service_keys = {
    kind        = { pattern = "^\"(${join("|", keys(local.kinds))})\"$", allowed = join(", ", keys(local.kinds)) }
    path        = { pattern = "^\"/([a-z0-9][a-z0-9_-]*)?\"$", allowed = "\"/\", or \"/\" and one segment of a-z, 0-9, \"-\" and \"_\"" }
    memory      = { pattern = "^[0-9]+$", minimum = 128, maximum = 122880, allowed = "whole MiB from 128 to 122880" }
    cpu         = { pattern = "^[0-9]+$", minimum = 64, maximum = 16384, allowed = "whole number from 64 to 16384; 1024 is one vCPU" }
    timeout     = { pattern = "^[0-9]+$", minimum = 1, maximum = 900, allowed = "whole seconds from 1 to 900" }
    scaling     = { pattern = "^\\{(,?\"(concurrency|max|min)\":[0-9]+)*\\}$", allowed = "{min, max, concurrency: whole numbers}" }
    rollout     = { pattern = "^\\{(,?(\"alarms\":\\[(,?\"[A-Za-z0-9][A-Za-z0-9 _./:+=@,()#-]{0,254}\")*\\]|\"interval\":[1-9][0-9]{0,3}|\"percent\":[1-9][0-9]?|\"strategy\":\"(all-at-once|blue-green|canary|linear)\"))*\\}$", allowed = "{strategy: all-at-once, blue-green, canary or linear, percent: 1 to 99, interval: minutes from 1 to 2880, alarms: [names]}" }
    alarms      = { pattern = "^\\{(,?(\"enabled\":(true|false)|\"errors\":([1-9][0-9]?(\\.[0-9]+)?|0\\.[0-9]*[1-9])|\"latency_p99_ms\":([1-9][0-9]{0,3}|1[0-9]{4}|2[0-8][0-9]{3}|29000)))*\\}$", allowed = "{enabled: true or false, errors: percent above 0 and below 100, latency_p99_ms: 1 to 29000}" }
    environment = { pattern = "^\\{(,?\"[A-Za-z][A-Za-z0-9_]*\":\"([^\"\\\\]|\\\\.)*\")*\\}$", allowed = "NAME: text, with numbers and true or false in quotes" }
    secrets     = { pattern = "^\\{(,?\"[A-Za-z][A-Za-z0-9_]*\":\"[A-Za-z0-9/_+=.@-]{1,256}\")*\\}$", allowed = "NAME: name of a secret" }
    vpc         = { pattern = "^(true|false)$", allowed = "true or false" }
    api_key     = { pattern = "^(true|false)$", allowed = "true or false" }
    usage       = { pattern = "^\\{(,?(\"(burst|quota|rate)\":[0-9.]*[1-9][0-9.]*|\"period\":\"(day|week|month)\"))*\\}$", allowed = "{rate, burst, quota: numbers above 0, period: day, week or month}" }
    cors        = { pattern = "^\\{(,?(\"credentials\":(true|false)|\"(expose|headers)\":\\[(,?\"[A-Za-z0-9-]{1,60}\")*\\]|\"max_age\":[0-9]{1,5}|\"methods\":\\[(,?\"(DELETE|GET|HEAD|PATCH|POST|PUT)\")+\\]|\"origins\":\\[(,?\"(\\*|(https://[a-z0-9-]+(\\.[a-z0-9-]+)*|http://(localhost|127\\.0\\.0\\.1))(:[1-9][0-9]{0,4})?)\")*\\]))*\\}$", allowed = "{origins: [https://host or \"*\"], methods: [GET, …], headers: [names], expose: [names], credentials: true or false, max_age: seconds}" }
    auth        = { pattern = "^\\{(\"jwt\":\\{(,?(\"audience\":\\[(,?\"[A-Za-z0-9._~:/@=+-]{1,200}\")*\\]|\"issuer\":\"(https://[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*|http://(localhost|127\\.0\\.0\\.1))(:[1-9][0-9]{0,4})?(/[A-Za-z0-9._~-]+)*/?\"|\"scopes\":\\[(,?\"[A-Za-z0-9._~:/*+-]{1,100}\")*\\]))*\\})?\\}$", allowed = "{jwt: {issuer: https://…, audience: [names], scopes: [names]}}" }
    example     = { pattern = "^\"/([A-Za-z0-9._~!()*+,;=:@%/?-]|\\\\u0026)*\"$", allowed = "\"/\" and the rest of a path and a query" }
    catalog     = { pattern = "^(true|false)$", allowed = "true or false" }
    overrides   = { pattern = "^\\{", allowed = "environment: {settings}" }
  }

  project_keys = {
    project       = { pattern = "^\"[a-z][a-z0-9-]{0,19}\"$", allowed = "a-z, 0-9 and \"-\", a letter first, 20 characters at most" }
    repository    = { pattern = "^\"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+\"$", allowed = "owner/name, as at GitHub" }
    owner_id      = { pattern = "^[0-9]+$", allowed = "the owner's number at GitHub" }
    repository_id = { pattern = "^[0-9]+$", allowed = "the repository's number at GitHub" }
    region        = { pattern = "^\"[a-z]{2}(-[a-z]+)+-[0-9]\"$", allowed = "an AWS region such as eu-west-1" }
    environments  = { pattern = "^\\{", allowed = "name: {account: \"12 digits\"}" }
    previews      = { pattern = "^\\{", allowed = "{account: \"12 digits\", max: how many at once}" }
  }

  environment_keys = {
    account       = { pattern = "^\"[0-9]{12}\"$", allowed = "12 digits in quotes" }
    region        = local.project_keys.region
    protected     = { pattern = "^(true|false)$", allowed = "true or false" }
    log_retention = { pattern = "^(1|3|5|7|14|30|60|90|120|150|180|365|400|545|731|1096|1827|2192|2557|2922|3288|3653)$", allowed = "days that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653" }
    throttle      = { pattern = "^\\{(,?\"(rate|burst)\":[0-9.]*[1-9][0-9.]*)*\\}$", allowed = "{rate: requests a second, burst: requests at once}, both above 0" }
    waf           = { pattern = "^\\{(,?(\"mode\":\"(count|block)\"|\"rate\":[1-9][0-9]{1,8}))*\\}$", allowed = "{mode: count or block, rate: requests of one address in five minutes, 10 or more}" }
    domain        = { pattern = "^\\{(\"certificate\":\"arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+\"),\"name\":\"([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}\"(,\"only\":(true|false))?\\}$", allowed = "{name: host, certificate: ARN of a certificate in Certificate Manager, only: true or false}" }
    xray          = { pattern = "^(true|false)$", allowed = "true or false" }
    network       = { pattern = "^\\{(,?(\"cidr\":\"[0-9.]+/(1[6-9]|2[0-2])\"|\"nat\":\"(none|single|per-zone)\"|\"zones\":[23]))*\\}$", allowed = "{nat: none, single or per-zone, zones: 2 or 3, cidr: /16 to /22}" }
    eks           = { pattern = "^\\{(,?(\"nodes\":\"(auto|managed)\"|\"public_endpoint\":(true|false)|\"admins\":\\[(,?\"arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+\")*\\]))*\\}$", allowed = "{nodes: auto or managed, public_endpoint: true or false, admins: [ARNs of IAM roles and users]}" }
    alarms        = { pattern = "^\\{(,?(\"enabled\":(true|false)|\"email\":(null|\"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+\")))*\\}$", allowed = "{enabled: true or false, email: an address}" }
  }

  preview_keys = merge(
    { for key, rule in local.environment_keys : key => rule if !contains(["domain", "protected"], key) },
    { max = { pattern = "^[0-9]+$", minimum = 1, maximum = 100, allowed = "whole number from 1 to 100" } },
  )

  override_keys = { for key, rule in local.service_keys : key => rule if !contains(["kind", "overrides"], key) }

  # Every setting of every file, flat: [{file, at, key, json, rules}], with rules naming one of the tables above.
  service_settings = flatten([for file, document in local.readable : concat(
    [for key, value in document : { file = file, at = key, key = key, json = jsonencode(value), rules = "service" }],
    flatten([for environment, part in try(merge({}, document.overrides), {}) : [for key, value in try(merge({}, part), { "?" = part }) :
      { file = file, at = "overrides.${environment}.${key}", key = key, json = jsonencode(value), rules = "override" }
    ]]),
  ) if file != "stackyard.yaml"])

  project_settings = concat(
    [for key, value in local.project_file : { file = "stackyard.yaml", at = key, key = key, json = jsonencode(value), rules = "project" }],
    flatten([for name, part in try(merge({}, local.project_file.environments), {}) : [for key, value in try(merge({}, part), { "?" = part }) :
      { file = "stackyard.yaml", at = "environments.${name}.${key}", key = key, json = jsonencode(value), rules = "environment" }
    ]]),
    [for key, value in try(merge({}, local.project_file.previews), {}) : { file = "stackyard.yaml", at = "previews.${key}", key = key, json = jsonencode(value), rules = "preview" }],
  )

  rules = {
    service     = local.service_keys
    override    = local.override_keys
    project     = local.project_keys
    environment = local.environment_keys
    preview     = local.preview_keys
  }

  unknown_keys = {
    for scope, settings in { project = local.project_settings, services = local.service_settings } : scope => [
      for s in settings : "${s.file}: unknown key ${s.at}; allowed: ${join(", ", sort(keys(local.rules[s.rules])))}." if !contains(keys(local.rules[s.rules]), s.key)
    ]
  }

  wrong_values = {
    for scope, settings in { project = local.project_settings, services = local.service_settings } : scope => [
      for s in settings : "${s.file}: ${s.at} is ${s.json}; allowed: ${local.rules[s.rules][s.key].allowed}." if contains(keys(local.rules[s.rules]), s.key) && !try(
        length(regexall(local.rules[s.rules][s.key].pattern, s.json)) == 1
        && try(tonumber(s.json) >= local.rules[s.rules][s.key].minimum && tonumber(s.json) <= local.rules[s.rules][s.key].maximum, can(local.rules[s.rules][s.key].minimum) == false),
      false)
    ]
  }

  unreadable       = [for file in keys(var.services_yaml) : "${file}: not YAML, or not a mapping of keys to values." if !contains(keys(local.readable), file)]
  project_readable = contains(keys(local.readable), "stackyard.yaml")

  missing_project_keys = [for key in ["project", "repository", "region", "environments"] : key if !contains(keys(local.project_file), key)]
  without_account      = [for name, environment in local.environment_files : name if !can(environment.account)]

  # In one account, acme-dev-eu-api would be both dev's eu-api and dev-eu's api, and dev's role would reach what is
  # dev-eu's. "<name>-plan" is the GitHub environment that may plan <name> (infra/bootstrap).
  overlapping = flatten([for a, one in local.named_environments : [for b, other in local.named_environments :
    "\"${b}\" starts with \"${a}-\"" if startswith(b, "${a}-") && (try(one.account == other.account, false) || b == "${a}-plan")
  ]])

  # Of previews: what their names begin with, and what GitHub deploys and plans them from.
  kept_names = [for name, environment in local.named_environments : name if startswith(name, "pr-") || contains(["previews", "previews-plan"], name)
  || (name == "pr" && try(environment.account == local.project_file.previews.account, false))]

  unnamed_overrides = flatten([for name, document in local.service_files : [
    for environment in try(keys(document.overrides), []) : "${document.file}: overrides.${environment}" if local.project_readable && !contains(local.groups, environment)
  ]])
  reserved_variables = flatten([for name, service in local.services : [
    for variable in concat(keys(service.environment), keys(service.secrets)) : "${service.file}: ${variable}" if can(regex("(?i)^(AWS_|SERVICE_|LAMBDA_)", variable)) || variable == "PORT"
  ]])
  bad_names = [for name, service in local.service_files : service.file if !can(regex("^[a-z][a-z0-9-]*$", name))]

  owners         = { for name, service in local.services : jsonencode(service.path) => service.file... }
  shared_paths   = [for path, files in local.owners : "${path} in ${join(" and ", files)}" if length(files) > 1 && path != "\"/\""]
  root_owners    = lookup(local.owners, "\"/\"", [])
  without_digest = [for name, service in local.services : name if service.digest == null]
}
