# What each run begins with; a negative run differs from it in one thing only.
environment   = "dev"
image_digests = { api = "sha256:a", worker = "sha256:b" }
project_yaml  = <<-EOT
  project: acme
  repository: acme/platform
  region: eu-west-1
  environments:
    dev: {account: "111111111111"}
    prod: {account: "222222222222", region: eu-central-1, protected: true, throttle: {rate: 500}, waf: {rate: 100}, domain: {name: api.acme.example, certificate: "arn:aws:acm:eu-central-1:222222222222:certificate/1"}}
EOT
services_yaml = {
  "src/services/api/service.yaml"    = "# all as it comes"
  "src/services/worker/service.yaml" = <<-EOT
    kind: lambda
    memory: 512
    environment: {GREETING: hello, LOG_LEVEL: info}
    overrides:
      prod: {memory: 4096, scaling: {max: 9}, environment: {LOG_LEVEL: warning}}
  EOT
}
