# A destination on S3 as Terraform makes it, to see what the AWS provider itself asks for. The lifecycle configuration is
# left out: the provider waits for most of a minute to read it back unchanged.

variable "stack" {
  type = string
}

variable "existing" {
  type = string
}

variable "boundary" {
  type = string
}

# Whether everything has been changed that can be changed in place.
variable "changed" {
  type    = bool
  default = false
}

locals {
  tags   = var.changed ? { "for" = "recordings" } : { team = "voice" }
  people = var.changed ? ["kms:*", "kms:Describe*"] : ["kms:*"]
}

provider "aws" {
  region = "eu-west-1"
}

data "aws_caller_identity" "own" {}

data "aws_s3_bucket" "existing" {
  bucket = var.existing
}

resource "aws_kms_key" "recordings" {
  description             = "Encrypts the recordings"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  tags                    = local.tags
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AccountControlsKey"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.own.account_id}:root" }
      Action    = local.people
      Resource  = "*"
    }]
  })
}

resource "aws_s3_bucket" "recordings" {
  bucket        = "${var.stack}-calls-aaaaaa"
  force_destroy = true
  tags          = local.tags
}

resource "aws_s3_bucket_public_access_block" "recordings" {
  bucket                  = aws_s3_bucket.recordings.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "recordings" {
  bucket = aws_s3_bucket.recordings.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
  depends_on = [aws_s3_bucket_public_access_block.recordings]
}

resource "aws_s3_bucket_policy" "recordings" {
  bucket = aws_s3_bucket.recordings.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.recordings.arn, "${aws_s3_bucket.recordings.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
  depends_on = [aws_s3_bucket_ownership_controls.recordings]
}

resource "aws_s3_bucket_versioning" "recordings" {
  bucket = aws_s3_bucket.recordings.id
  versioning_configuration {
    status = "Enabled"
  }
  depends_on = [aws_s3_bucket_policy.recordings]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "recordings" {
  bucket = aws_s3_bucket.recordings.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.recordings.arn
    }
    bucket_key_enabled = true
  }
  depends_on = [aws_s3_bucket_versioning.recordings]
}

resource "aws_iam_role" "writer" {
  name                 = "recordings-${var.stack}-calls-aaaaaa"
  description          = "Writes recordings to calls"
  max_session_duration = var.changed ? 3600 : 43200
  permissions_boundary = var.changed ? null : var.boundary
  tags                 = local.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::291871421005:root" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = var.changed ? "acme" : "tavus" } }
    }]
  })
}

resource "aws_iam_role_policy" "writer" {
  name = "write-recordings"
  role = aws_iam_role.writer.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:PutObject", "s3:GetObject", "s3:ListBucket"]
      Resource = [aws_s3_bucket.recordings.arn, "${aws_s3_bucket.recordings.arn}/*"]
    }]
  })
}
