# Gradual rollouts by CodeDeploy, and what tells why a rollout failed. What is named begins with the environment's name.
locals {
  # What the names of its resources begin with; the cluster is called just that.
  begins = { for name, arns in local.arns : name => trimprefix(arns.ecs.cluster, "${local.arn["ecs"]}:cluster/") }

  codedeploy = { for name, begin in local.begins : name => {
    application = "${local.arn["codedeploy"]}:application:${begin}"
    group       = "${local.arn["codedeploy"]}:deploymentgroup:${begin}/*"
    config      = "${local.arn["codedeploy"]}:deploymentconfig:${begin}-*"
  } }

  write_rollouts = { for name, arns in local.arns : name => [
    {
      Sid    = "WriteRollouts"
      Effect = "Allow"
      Action = [
        "codedeploy:CreateApplication", "codedeploy:CreateDeployment", "codedeploy:CreateDeploymentConfig",
        "codedeploy:CreateDeploymentGroup", "codedeploy:DeleteApplication", "codedeploy:DeleteDeploymentConfig",
        "codedeploy:DeleteDeploymentGroup", "codedeploy:GetApplicationRevision", "codedeploy:GetDeployment",
        "codedeploy:ListDeployments", "codedeploy:RegisterApplicationRevision", "codedeploy:TagResource",
        "codedeploy:UntagResource", "codedeploy:UpdateApplication", "codedeploy:UpdateDeploymentGroup",
      ]
      Resource = values(local.codedeploy[name])
    },
    {
      # They know no resource, only a deployment's id. Ids are random, and ListDeployments tells this environment's only.
      Sid      = "EndRollouts"
      Effect   = "Allow"
      Action   = ["codedeploy:BatchGetDeploymentTargets", "codedeploy:ListDeploymentTargets", "codedeploy:StopDeployment"]
      Resource = "*"
    },
    {
      # A rollback takes no steps.
      Sid      = "ShiftAtOnce"
      Effect   = "Allow"
      Action   = ["codedeploy:GetDeploymentConfig"]
      Resource = "${local.arn["codedeploy"]}:deploymentconfig:CodeDeployDefault.LambdaAllAtOnce"
    },
    {
      # ECS leads requests to new tasks; a revision says which (tools/ecsrollout.py).
      Sid      = "LeadRequests"
      Effect   = "Allow"
      Action   = ["ecs:DescribeServiceRevisions", "ecs:StopServiceDeployment"]
      Resource = concat([arns.ecs.services], [for kind in ["deployment", "revision"] : "${replace(arns.ecs.services, ":service/", ":service-${kind}/")}/*"])
    },
    {
      # Which of a service's alarms are there; they may have any name.
      Sid      = "FindAlarms"
      Effect   = "Allow"
      Action   = ["cloudwatch:DescribeAlarms"]
      Resource = "${local.arn["cloudwatch"]}:alarm:*"
    },
    {
      Sid       = "FindStoppedTasks"
      Effect    = "Allow"
      Action    = ["ecs:ListTasks"]
      Resource  = "*"
      Condition = { ArnEquals = { "ecs:cluster" = arns.ecs.cluster } }
    },
    {
      Sid      = "ReadStoppedTasks"
      Effect   = "Allow"
      Action   = ["ecs:DescribeTasks"]
      Resource = "${local.arn["ecs"]}:task/${local.begins[name]}/*"
    },
    {
      # App Runner's service names are cut there (modules/apprunner-service).
      Sid    = "ReadLastLines"
      Effect = "Allow"
      Action = ["logs:FilterLogEvents"]
      Resource = [for group in [
        "apprunner/${substr("${local.begins[name]}-", 0, 29)}*", "ecs/${local.begins[name]}-*", "lambda/${local.begins[name]}-*",
      ] : "${local.arn["logs"]}:log-group:/aws/${group}"]
    },
    {
      # It makes them itself, and a destroy leaves none behind.
      Sid      = "DeleteAppRunnersLogGroups"
      Effect   = "Allow"
      Action   = ["logs:DeleteLogGroup"]
      Resource = [for end in ["", ":*"] : "${local.arn["logs"]}:log-group:/aws/apprunner/${substr("${local.begins[name]}-", 0, 29)}*${end}"]
    },
  ] }
}
