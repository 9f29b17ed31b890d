"""A throw-away certificate authority: the stand-ins answer at the clouds' real host names over TLS.

The authority lives as long as the sandbox; its private key never leaves this process's memory.
"""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path


class Authority:
    """Issues the certificates that the hosts need, and the file that clients trust."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="recording-storage sandbox")
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def write_certificate(self, path: Path) -> None:
        """Write the authority's certificate (PEM), for `AWS_CA_BUNDLE` and its like."""
        self._ca.cert_pem.write_to_path(str(path))

    def server_context(self, host: str) -> ssl.SSLContext:
        """Give the TLS context with which a stand-in presents itself as `host`.

        As the clouds do it, one certificate covers every bucket or account in front of the same domain.
        """
        covered = f"*.{host.partition('.')[2]}"
        with self._lock:
            if covered not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.minimum_version = ssl.TLSVersion.TLSv1_2
                context.set_alpn_protocols(["http/1.1"])
                self._ca.issue_cert(covered).configure_cert(context)
                self._contexts[covered] = context
            return self._contexts[covered]
