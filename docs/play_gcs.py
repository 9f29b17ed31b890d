"""Play the recording service on Google Cloud Storage in the sandbox: with tokens, and Google's ordinary clients."""

import json
import os
import subprocess
import sys
from pathlib import Path

from google.api_core.exceptions import Forbidden
from google.auth import identity_pool
from google.auth.exceptions import OAuthError
from google.cloud import storage

outputs = json.loads(Path(os.environ["RECORDING_STORAGE_OUTPUTS"]).read_text())
handed_over = next(
    one["recording_storage"] for one in outputs["destinations"].values() if one["provider"] == "gcs"
)
command = str(Path(sys.executable).with_name("recording-storage"))
audience = f"//iam.googleapis.com/{handed_over['workload_identity_provider']}"
impersonate = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{}:generateAccessToken"


class Tokens(identity_pool.SubjectTokenSupplier):
    """The recording service's own tokens, for one customer."""

    def __init__(self, workspace: str) -> None:
        self._workspace = workspace

    def get_subject_token(self, context: object, request: object) -> str:
        """One for this exchange."""
        del context, request
        return subprocess.check_output(
            [command, "token", "-s", self._workspace, "-a", audience], text=True
        ).strip()


def bucket_as_the_service(workspace: str) -> storage.Bucket:
    """The bucket, for whoever shows a token for this workspace."""
    credentials = identity_pool.Credentials(
        audience=audience,
        subject_token_type="urn:ietf:params:oauth:token-type:jwt",  # noqa: S106 (a name)
        token_url="https://sts.googleapis.com/v1/token",  # noqa: S106 (an address)
        service_account_impersonation_url=impersonate.format(handed_over["service_account_email"]),
        subject_token_supplier=Tokens(workspace),
        scopes=["https://www.googleapis.com/auth/devstorage.read_write"],
    )
    return storage.Client(handed_over["project_id"], credentials).bucket(handed_over["bucket_name"])


recording = bucket_as_the_service("w-acme").blob("c93a7ead335b/recording.mp4")
recording.upload_from_string(b"a recording", "video/mp4")
print("written")
try:
    recording.download_as_bytes()
except Forbidden as error:
    print("read", error.code.value)
try:
    bucket_as_the_service("w-other").blob("another.mp4").upload_from_string(b"not a recording")
except OAuthError as error:
    print("another workspace", error.args[0].partition(":")[0])
