# Who may call a service: from a browser (cors), and with whose tokens (auth).

variables {
  image_digests = { api = "sha256:a", shop = "sha256:c" }
}

run "says_to_servicekit_who_may_call_from_a_browser" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml"  = "# none"
      "src/services/shop/service.yaml" = <<-EOT
        kind: lambda
        cors: {origins: ["https://shop.example.com", "http://localhost:3000"], methods: [GET, DELETE], credentials: true}
        overrides:
          prod: {cors: {origins: ["https://acme.example"]}}
          local: {cors: {origins: []}}
      EOT
    }
  }
  assert {
    condition     = length(output.services.api.settings) == 0 && length(output.services.api.cors.origins) == 0
    error_message = "Without the key there must be no such variable."
  }
  assert {
    condition = jsondecode(output.services.shop.settings.SERVICE_CORS) == {
      origins     = ["https://shop.example.com", "http://localhost:3000"]
      methods     = ["GET", "DELETE"]
      headers     = ["authorization", "content-type", "x-api-key", "x-request-id"]
      expose      = ["x-request-id"]
      credentials = true
      max_age     = 600
    }
    error_message = "What the file says must reach the service, with the rest of it."
  }
}

run "overrides_who_may_call_from_a_browser" {
  command = plan
  variables {
    environment = "local"
    services_yaml = {
      "src/services/api/service.yaml"  = "# none"
      "src/services/shop/service.yaml" = "{kind: lambda, cors: {origins: [\"*\"]}, overrides: {local: {cors: {origins: []}}}}"
    }
  }
  assert {
    condition     = length(output.services.shop.settings) == 0
    error_message = "No origin must mean none."
  }
}

run "says_to_servicekit_whose_tokens_are_good" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml"  = "# everyone"
      "src/services/shop/service.yaml" = <<-EOT
        kind: lambda
        auth: {jwt: {issuer: "https://id.example.com/", audience: [shop], scopes: [orders:read]}}
        overrides:
          prod: {auth: {jwt: {audience: [acme]}}}
      EOT
    }
  }
  assert {
    condition     = length(output.services.api.settings) == 0
    error_message = "Without the key there must be no such variable."
  }
  assert {
    condition     = jsondecode(output.services.shop.settings.SERVICE_AUTH) == { jwt = { issuer = "https://id.example.com/", audience = ["shop"], scopes = ["orders:read"] } }
    error_message = "What the file says must reach the service."
  }
}

run "overrides_whose_tokens_are_good" {
  command = plan
  variables {
    environment   = "local"
    services_yaml = { "src/services/shop/service.yaml" = "{kind: lambda, auth: {jwt: {issuer: \"https://id.example.com\", audience: [shop]}}, overrides: {local: {auth: {jwt: {issuer: \"http://127.0.0.1:9000\"}}}}}" }
  }
  assert {
    condition     = jsondecode(output.services.shop.settings.SERVICE_AUTH) == { jwt = { issuer = "http://127.0.0.1:9000", audience = ["shop"], scopes = [] } }
    error_message = "On a laptop the issuer may be on it; the rest must stay."
  }
}

run "reject_an_issuer_that_is_not_https" {
  command = plan
  variables {
    services_yaml = { "src/services/shop/service.yaml" = "{kind: lambda, auth: {jwt: {issuer: \"http://127.0.0.1:9000\", audience: [shop]}}}" }
  }
  expect_failures = [output.services]
}

run "reject_tokens_for_no_audience" {
  command = plan
  variables {
    services_yaml = { "src/services/shop/service.yaml" = "{kind: lambda, auth: {jwt: {issuer: \"https://id.example.com\"}}}" }
  }
  expect_failures = [output.services]
}

run "reject_auth_that_says_nothing" {
  command = plan
  variables {
    services_yaml = { "src/services/shop/service.yaml" = "{kind: lambda, auth: {}}" }
  }
  expect_failures = [output.services]
}

run "reject_an_issuer_with_a_query" {
  command = plan
  variables {
    services_yaml = { "src/services/shop/service.yaml" = "{kind: lambda, auth: {jwt: {issuer: \"https://id.example.com/?a=b\", audience: [shop]}}}" }
  }
  expect_failures = [output.services]
}

run "reject_any_origin_with_credentials" {
  command = plan
  variables {
    services_yaml = { "src/services/shop/service.yaml" = "{kind: lambda, cors: {origins: [\"*\"], credentials: true}}" }
  }
  expect_failures = [output.services]
}

run "reject_cors_without_origins" {
  command = plan
  variables {
    services_yaml = { "src/services/shop/service.yaml" = "{kind: lambda, cors: {max_age: 5}}" }
  }
  expect_failures = [output.services]
}

run "reject_an_origin_with_a_path" {
  command = plan
  variables {
    services_yaml = { "src/services/shop/service.yaml" = "{kind: lambda, cors: {origins: [\"https://shop.example.com/\"]}}" }
  }
  expect_failures = [output.services]
}
