# A name of one's own.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "has_no_domain_unless_told" {
  command = plan

  assert {
    condition     = length(aws_api_gateway_domain_name.this) == 0 && output.domain == null && aws_api_gateway_rest_api.this.disable_execute_api_endpoint == false
    error_message = "Without a word of it there must be the stage's address alone."
  }
}

run "answers_under_a_name_of_ones_own" {
  command = apply
  variables {
    domain = { name = "api.acme.example", certificate = "arn:aws:acm:eu-west-1:111111111111:certificate/1" }
  }

  assert {
    condition     = aws_api_gateway_domain_name.this["api.acme.example"].security_policy == "TLS_1_2" && aws_api_gateway_base_path_mapping.this["api.acme.example"].stage_name == "dev"
    error_message = "The name must lead to the stage, by TLS 1.2 or newer."
  }
  assert {
    condition     = output.domain.name == "api.acme.example" && aws_api_gateway_rest_api.this.disable_execute_api_endpoint == false && strcontains(output.base_url, "execute-api")
    error_message = "The stage's address must stay until the name leads here."
  }
}

run "closes_the_other_address_when_told" {
  command = apply
  variables {
    domain = { name = "api.acme.example", certificate = "arn:aws:acm:eu-west-1:111111111111:certificate/1", only = true }
  }

  assert {
    condition     = aws_api_gateway_rest_api.this.disable_execute_api_endpoint && output.url == "https://api.acme.example" && output.base_url == "https://api.acme.example"
    error_message = "There must be no way around the name, and services must know it."
  }
}

run "reject_domain_name" {
  command = plan
  variables {
    domain = { name = "https://api.acme.example", certificate = "arn:aws:acm:eu-west-1:111111111111:certificate/1" }
  }
  expect_failures = [var.domain]
}

run "reject_certificate" {
  command = plan
  variables {
    domain = { name = "api.acme.example", certificate = "acme" }
  }
  expect_failures = [var.domain]
}
