# Services name their launch type themselves, so no capacity provider is attached.
resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:billed by the metric and task; the variable turns them on
  name = var.name

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }
}
