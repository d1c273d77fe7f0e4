# What each run begins with.
name   = "acme-dev"
stage  = "dev"
region = "eu-west-1"
services = {
  api = {
    path        = "/"
    integration = { type = "aws_proxy", target = "arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-api:live" }
  }
  worker = {
    path        = "/worker"
    integration = { type = "aws_proxy", target = "arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-worker:live" }
  }
}
functions = {
  api    = { name = "acme-dev-api", qualifier = "live" }
  worker = { name = "acme-dev-worker", qualifier = "live" }
}
