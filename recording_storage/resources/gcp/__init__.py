"""Google Cloud resources through Google's REST APIs: what the destinations are made of, and what a team adds.

Leaves out every type that no destination needs; a program that registers one is told so.
"""

from __future__ import annotations

from recording_storage.resources import Provider
from recording_storage.resources.gcp import iam, kms, projects, storage
from recording_storage.resources.gcp.clients import Clients

PROVIDER = Provider(
    types={
        "gcp:storage/bucket:Bucket": storage.Bucket(),
        "gcp:storage/bucketIAMMember:BucketIAMMember": storage.MEMBER,
        "gcp:storage/bucketIAMBinding:BucketIAMBinding": storage.BINDING,
        "gcp:serviceaccount/account:Account": iam.Account(),
        "gcp:serviceaccount/iAMMember:IAMMember": iam.MEMBER,
        "gcp:serviceaccount/iAMBinding:IAMBinding": iam.BINDING,
        "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": iam.WORKLOAD_POOL,
        "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": iam.WORKLOAD_PROVIDER,
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": kms.MEMBER,
        "gcp:projects/service:Service": projects.Service(),
    },
    functions={
        "gcp:iam/getWorkloadIdentityPool:getWorkloadIdentityPool": iam.get_pool,
        "gcp:organizations/getClientConfig:getClientConfig": projects.get_client_config,
        "gcp:organizations/getProject:getProject": projects.get_project,
        "gcp:serviceaccount/getAccount:getAccount": iam.get_account,
        "gcp:storage/getBucket:getBucket": storage.get_bucket,
        "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": storage.get_project_service_account,
    },
    configure=Clients,
)
