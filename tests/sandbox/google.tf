# A destination on Google Cloud Storage as somebody may have written it in Terraform.
provider "google" {
  project = "sandbox-project"
}

locals {
  workspace = "w-acme"
  apis      = ["iam", "iamcredentials", "sts", "storage"]
}

resource "google_project_service" "api" {
  for_each           = toset(local.apis)
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

resource "google_storage_bucket" "recordings" {
  name                        = "your-recording-bucket"
  location                    = "EU"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  versioning { enabled = true }
  soft_delete_policy { retention_duration_seconds = 604800 }
  lifecycle_rule {
    action { type = "AbortIncompleteMultipartUpload" }
    condition { age = 7 }
  }
}

resource "google_iam_workload_identity_pool" "vendor" {
  workload_identity_pool_id = "recordings"
  depends_on                = [google_project_service.api]
}

resource "google_iam_workload_identity_pool_provider" "vendor" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.vendor.workload_identity_pool_id
  workload_identity_pool_provider_id = "vendor"
  attribute_mapping                  = { "google.subject" = "assertion.sub" }
  attribute_condition                = "assertion.sub == '${local.workspace}'"
  oidc { issuer_uri = "https://recording-copy.tavus.io" }
}

resource "google_service_account" "writer" {
  account_id = "recording-writer"
}

resource "google_service_account_iam_member" "trust" {
  service_account_id = google_service_account.writer.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/${google_iam_workload_identity_pool.vendor.name}/subject/${local.workspace}"
}

resource "google_storage_bucket_iam_member" "writer" {
  bucket = google_storage_bucket.recordings.name
  role   = "roles/storage.objectCreator"
  member = google_service_account.writer.member
}

output "recording_storage" {
  value = {
    provider                   = "gcs"
    bucket_name                = google_storage_bucket.recordings.name
    project_id                 = google_storage_bucket.recordings.project
    workload_identity_provider = google_iam_workload_identity_pool_provider.vendor.name
    service_account_email      = google_service_account.writer.email
  }
}
