"""The environment of a program in the sandbox: built from nothing, never inherited.

No credential, configuration folder, metadata service or state backend of the caller can be reached by mistake:
only what is listed here exists. What a program needs to reach the stand-ins, and nothing else, is put in.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "TZ", "COLUMNS", "LINES", "SYSTEMROOT")
"""Of the caller's environment: where programs are, and how text looks."""
LOOPBACK = "127.0.0.1,localhost,::1"
"""Both cases of `NO_PROXY` hold it, or gRPC to loopback goes to the proxy."""
CA_VARIABLES = (
    "AWS_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "HTTPLIB2_CA_CERTS",
)
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")


def build(home: Path, *, proxy: str, ca_certificate: Path, credentials: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child whose home is `home`, a folder of the sandbox.

    `credentials` are the variables of whoever the child shall be.
    """
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    aws = home / ".aws"
    aws.mkdir(parents=True, exist_ok=True)
    return (
        kept
        | {
            "HOME": str(home),
            "TMPDIR": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "AWS_CONFIG_FILE": str(aws / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(aws / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "CLOUDSDK_CONFIG": str(home / ".config" / "gcloud"),
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
            "CLOUDSDK_CORE_CHECK_GCE_METADATA": "false",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
            "CLOUDSDK_SURVEY_DISABLE_PROMPTS": "true",
            "NO_GCE_CHECK": "true",
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CONFIG_DIR": str(home / ".azure"),
            "PULUMI_HOME": str(home / ".pulumi"),
            "PULUMI_BACKEND_URL": home.as_uri(),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "CHECKPOINT_DISABLE": "true",  # Terraform's
            "NODE_USE_ENV_PROXY": "1",
            "NO_PROXY": LOOPBACK,
            "no_proxy": LOOPBACK,
            "RECORDING_STORAGE_SANDBOX": "1",
        }
        | dict.fromkeys(CA_VARIABLES, str(ca_certificate))
        | dict.fromkeys(PROXY_VARIABLES, proxy)
        | dict(credentials)
    )
