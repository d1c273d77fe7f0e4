output "rollout_alarms" {
  description = "Service -> the short words of its alarms that a rollout can watch, and their names."
  value = { for name in keys(local.watched) : name => {
    errors  = aws_cloudwatch_metric_alarm.errors[name].alarm_name
    latency = aws_cloudwatch_metric_alarm.latency[name].alarm_name
  } }
}

output "topic_arn" {
  description = "Where alarms speak; whatever else is to hear them subscribes here."
  value       = aws_sns_topic.alarms.arn
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "alarms" {
  description = "Names of all alarms."
  value       = sort(local.alarms[*].alarm_name)
}
