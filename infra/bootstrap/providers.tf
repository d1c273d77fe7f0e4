provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account]

  skip_credentials_validation = var.emulated
  skip_metadata_api_check     = var.emulated
  skip_region_validation      = var.emulated
  s3_use_path_style           = var.emulated
  # What the emulator does not know must fail at once, not after minutes of retries.
  max_retries = var.emulated ? 2 : null

  default_tags {
    tags = {
      project    = local.project
      managed-by = "stackyard"
    }
  }
}
