# Alarms, whom they tell, the dashboard, saved queries and the group of X-Ray (modules/monitoring).
locals {
  monitoring = { for name, begin in local.begins : name => {
    alarms    = [for mark in ["-", "_"] : "${local.arn["cloudwatch"]}:alarm:${begin}${mark}*"]
    dashboard = "arn:${local.partition}:cloudwatch::${var.account}:dashboard/${begin}"
    topic     = "${local.arn["sns"]}:${begin}_alarms"
    group     = "${local.arn["xray"]}:group/${begin}/*"
  } }

  # With what a deploy reads already (read.tf): DescribeAlarms of any name is among "FindAlarms".
  read_monitoring = { for name, own in local.monitoring : name => [
    {
      Sid      = "ReadAlarms"
      Effect   = "Allow"
      Action   = ["cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"]
      Resource = own.alarms
    },
    {
      Sid      = "ReadDashboard"
      Effect   = "Allow"
      Action   = ["cloudwatch:GetDashboard"]
      Resource = own.dashboard
    },
    {
      Sid      = "ReadTopic"
      Effect   = "Allow"
      Action   = ["sns:GetTopicAttributes", "sns:ListTagsForResource"]
      Resource = own.topic
    },
    {
      Sid      = "ReadTraceGroup"
      Effect   = "Allow"
      Action   = ["xray:GetGroup", "xray:ListTagsForResource"]
      Resource = own.group
    },
    {
      # Neither knows resources: names of queries, and who subscribed to what, of other environments in the account can be read.
      Sid      = "ReadWhatHasNoName"
      Effect   = "Allow"
      Action   = ["logs:DescribeQueryDefinitions", "sns:GetSubscriptionAttributes"]
      Resource = "*"
    },
  ] }

  write_monitoring = { for name, own in local.monitoring : name => [
    {
      Sid      = "WriteAlarms"
      Effect   = "Allow"
      Action   = ["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource"]
      Resource = own.alarms
    },
    {
      Sid      = "WriteDashboard"
      Effect   = "Allow"
      Action   = ["cloudwatch:DeleteDashboards", "cloudwatch:PutDashboard"]
      Resource = own.dashboard
    },
    {
      Sid    = "WriteTopic"
      Effect = "Allow"
      Action = [
        "sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:Subscribe", "sns:TagResource", "sns:UntagResource",
      ]
      Resource = own.topic
    },
    {
      Sid      = "WriteTraceGroup"
      Effect   = "Allow"
      Action   = ["xray:CreateGroup", "xray:DeleteGroup", "xray:TagResource", "xray:UntagResource", "xray:UpdateGroup"]
      Resource = own.group
    },
    {
      # None knows resources. What can be lost is a saved query, which the next deploy makes again, and an address that an
      # alarm tells, in whatever environment of the account.
      Sid      = "WriteWhatHasNoName"
      Effect   = "Allow"
      Action   = ["logs:DeleteQueryDefinition", "logs:PutQueryDefinition", "sns:Unsubscribe"]
      Resource = "*"
    },
  ] }
}
