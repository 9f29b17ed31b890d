"""Plain requests into a sandbox, past every client library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 30


class Web:
    """Plain requests through the sandbox's proxy, by one holder of a token."""

    def __init__(self, environment: Mapping[str, str], token: str = "") -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.proxies = {"https": environment["HTTPS_PROXY"]}
        self._session.verify = environment["REQUESTS_CA_BUNDLE"]
        self.environment = environment
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, url: str, **more: Any) -> requests.Response:
        return self._session.request(method, url, timeout=SECONDS, **more)

    def get(self, url: str, **parameters: str) -> Any:
        """What is there, or None."""
        answer = self.ask("GET", url, params=parameters)
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.text
        return answer.json()

    def must(self, method: str, url: str, **more: Any) -> Any:
        answer = self.ask(method, url, **more)
        assert answer.ok, answer.text
        return answer.json() if answer.content else {}
