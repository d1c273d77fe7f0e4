resource "aws_ecr_repository" "images" {
  #checkov:skip=CKV_AWS_136:AES256 by ECR; images hold no secret, and every account that pulls would need the key too
  name                 = local.project
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "AES256"
  }
}

# An image that matches a rule's tags is out of reach of every rule after it. The first rule's number is above what a
# repository can hold (100,000 images), so it expires nothing and keeps the rest from releases. `any` must come last.
resource "aws_ecr_lifecycle_policy" "images" {
  repository = aws_ecr_repository.images.name

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Releases are kept"
        selection    = { tagStatus = "tagged", tagPrefixList = ["release-"], countType = "imageCountMoreThan", countNumber = 1000000 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "What no tag names any more"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 3
        description  = "What was built and never released"
        selection    = { tagStatus = "any", countType = "sinceImagePushed", countUnit = "days", countNumber = 90 }
        action       = { type = "expire" }
      },
    ]
  })
}

# Without it Lambda would write this policy itself, by the right of whoever deploys.
resource "aws_ecr_repository_policy" "images" {
  repository = aws_ecr_repository.images.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Sid       = "LambdaECRImageRetrievalPolicy"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Condition = { StringLike = { "aws:sourceArn" = "arn:${local.partition}:lambda:${var.region}:${var.account}:function:${local.project}-*" } }
      }], [for statement in [{
        Sid       = "OtherAccountsPull"
        Effect    = "Allow"
        Principal = { AWS = local.elsewhere_principals }
        Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }] : statement if length(local.elsewhere) > 0])
  })
}
