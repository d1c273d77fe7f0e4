# What each run begins with.
name                 = "order-desk"
project              = "acme"
environment          = "dev"
image                = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/acme@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
base_url             = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/dev"
permissions_boundary = "arn:aws:iam::111111111111:policy/acme-dev_boundary"
service = {
  path        = "/order-desk"
  environment = { GREETING = "hello" }
}
platform = {
  network       = { vpc_id = "vpc-0123456789abcdef0", subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"], cidr = "10.0.0.0/16", security_group_id = "sg-0123456789abcdef0" }
  load_balancer = { arn = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:loadbalancer/net/acme-dev/0123456789abcdef", dns_name = "acme-dev-0123456789abcdef.elb.eu-west-1.amazonaws.com", vpc_link_id = "a1b2c3", security_group_id = "sg-0123456789abcdef1" }
  ecs_cluster   = { arn = "arn:aws:ecs:eu-west-1:111111111111:cluster/acme-dev", name = "acme-dev", rollout_role_arn = "arn:aws:iam::111111111111:role/acme/dev/acme-dev_ecs-rollout" }
  port          = 12345
}
