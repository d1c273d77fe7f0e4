# The gateway. Its ARNs hold no names, so tags tell whose an API is.
locals {
  write_gateway = { for name, arns in local.arns : name => [
    {
      Sid      = "WriteGateway"
      Effect   = "Allow"
      Action   = local.gateway_verbs
      Resource = arns.gateway
    },
    {
      # What has no tags is somebody's, too. Parts of an API and keys of a plan have its tags here, though none of their own
      # (API Gateway: API Gateway resources that can be tagged).
      Sid       = "NotNobodysEnvironment"
      Effect    = "Deny"
      Action    = local.gateway_writes
      Resource  = arns.gateway_items
      Condition = { StringNotLike = { "aws:ResourceTag/environment" = local.like[name] } }
    },
    {
      Sid       = "NotNobodysProject"
      Effect    = "Deny"
      Action    = local.gateway_writes
      Resource  = arns.gateway_items
      Condition = { StringNotEquals = { "aws:ResourceTag/project" = local.project } }
    },
    {
      Sid      = "NoOtherTag"
      Effect   = "Deny"
      Action   = local.gateway_verbs
      Resource = arns.gateway
      Condition = {
        StringNotLike = { "aws:RequestTag/environment" = local.like[name] }
        Null          = { "aws:RequestTag/environment" = "false" }
      }
    },
    {
      Sid      = "NoOtherProjectTag"
      Effect   = "Deny"
      Action   = local.gateway_verbs
      Resource = arns.gateway
      Condition = {
        StringNotEquals = { "aws:RequestTag/project" = local.project }
        Null            = { "aws:RequestTag/project" = "false" }
      }
    },
  ] }
}
