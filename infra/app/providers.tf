provider "aws" {
  region              = module.catalog.environment.region
  allowed_account_ids = [module.catalog.environment.account]

  skip_credentials_validation = local.emulated
  skip_metadata_api_check     = local.emulated
  skip_region_validation      = local.emulated
  s3_use_path_style           = local.emulated
  # What the emulator does not know must fail at once, not after minutes of retries.
  max_retries = local.emulated ? 2 : null

  default_tags {
    tags = {
      project     = module.catalog.project.name
      environment = var.environment
      managed-by  = "stackyard"
    }
  }
}
