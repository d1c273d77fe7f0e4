locals {
  state_bucket     = "${local.project}-state-${var.account}-${var.region}"
  state_bucket_arn = "arn:${local.partition}:s3:::${local.state_bucket}"
}

# The state of this very stack is in the bucket: `inv bootstrap` creates it when absent, and from then on it is Terraform's.
import {
  to = aws_s3_bucket.state
  id = local.state_bucket
}

resource "aws_s3_bucket" "state" {
  #checkov:skip=CKV_AWS_18:CloudTrail's data events say who reads and writes a state, where the account records them; no role of the project reaches those
  #checkov:skip=CKV_AWS_144:versions are kept; with the region goes what the state describes, too
  #checkov:skip=CKV_AWS_145:AES256 by S3; a key of ours would have to let in every account that promotes from this one
  #checkov:skip=CKV2_AWS_62:nothing waits for an object to appear
  bucket = local.state_bucket

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket = aws_s3_bucket.state.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Not emulated: the provider waits a whole minute for it to settle everywhere in S3, which is longer than all the rest of
# `inv up`, and an emulated bucket lives for too short to have old versions.
resource "aws_s3_bucket_lifecycle_configuration" "state" {
  count = var.emulated ? 0 : 1

  bucket = aws_s3_bucket.state.id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days           = 90
      newer_noncurrent_versions = 20
    }

    expiration {
      expired_object_delete_marker = true
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # A destroyed preview's name never comes back, so that no newer version would ever push its old ones out.
  rule {
    id     = "previews"
    status = "Enabled"

    filter {
      prefix = "app/pr-"
    }

    noncurrent_version_expiration {
      noncurrent_days = 90
    }
  }

  # Versions must be kept before any can be old.
  depends_on = [aws_s3_bucket_versioning.state]
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.state_bucket_arn, "${local.state_bucket_arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }, {
      Sid       = "OnlyOverTls12"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.state_bucket_arn, "${local.state_bucket_arn}/*"]
      Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
      }], [for statement in [{
        Sid       = "OtherAccountsReadReleases"
        Effect    = "Allow"
        Principal = { AWS = local.elsewhere_principals }
        Action    = "s3:GetObject"
        Resource  = "${local.state_bucket_arn}/releases/*"
        }, {
        Sid       = "OtherAccountsListReleases"
        Effect    = "Allow"
        Principal = { AWS = local.elsewhere_principals }
        Action    = "s3:ListBucket"
        Resource  = local.state_bucket_arn
        Condition = { StringLike = { "s3:prefix" = "releases/*" } }
    }] : statement if length(local.elsewhere) > 0])
  })

  # Two changes of a bucket's access at once are refused by S3.
  depends_on = [aws_s3_bucket_public_access_block.state]
}
