"""What `docs/ci.md` asks of gcloud, asked of Google's APIs themselves: gcloud takes seconds for each command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.support.web import Web

IAM = "https://iam.googleapis.com/v1/projects/{project}"
POOLS = f"{IAM}/locations/global/workloadIdentityPools"
ACCOUNTS = f"{IAM}/serviceAccounts"
MANAGER = "https://cloudresourcemanager.googleapis.com/v1/projects/{project}"
USAGE = "https://serviceusage.googleapis.com/v1/projects/{project}"


def carry_out(calls: Iterable[list[str]], web: Web) -> None:
    """Ask for all of it; a command that isn't known here is an error."""
    for call in calls:
        names = [word for word in call if not word.startswith("--")]
        flags = _pairs(word[2:] for word in call if word.startswith("--"))
        _one(names, flags, web)


def _one(names: list[str], flags: Mapping[str, str], web: Web) -> None:
    match names:
        case ["services", "enable", *services]:
            web.must("POST", f"{_at(USAGE, flags)}/services:batchEnable", json={"serviceIds": services})
        case ["iam", "workload-identity-pools", "create", pool]:
            web.must("POST", _at(POOLS, flags), params={"workloadIdentityPoolId": pool}, json={})
        case ["iam", "workload-identity-pools", "providers", "create-oidc", provider]:
            said = {
                "oidc": {"issuerUri": flags["issuer-uri"]},
                "attributeMapping": _pairs([flags["attribute-mapping"]]),
                "attributeCondition": flags["attribute-condition"],
            }
            place = f"{_at(POOLS, flags)}/{flags['workload-identity-pool']}/providers"
            web.must("POST", place, params={"workloadIdentityPoolProviderId": provider}, json=said)
        case ["iam", "service-accounts", "create", account]:
            web.must("POST", _at(ACCOUNTS, flags), json={"accountId": account})
        case ["iam", "service-accounts", "add-iam-policy-binding", email]:
            _bind(f"{_at(ACCOUNTS, flags)}/{email}", flags, web)
        case ["projects", "add-iam-policy-binding", project]:
            _bind(MANAGER.format(project=project), flags, web)
        case ["iam", "roles", "create", role]:
            said = YAML(typ="safe").load((ROOT / flags["file"]).read_text())
            web.must("POST", f"{_at(IAM, flags)}/roles", json={"roleId": role, "role": said})
        case ["projects", "describe", _]:
            pass  # it was answered
        case _:
            raise NotImplementedError(" ".join(names))


def _at(place: str, flags: Mapping[str, str]) -> str:
    return place.format(project=flags["project"])


def _bind(place: str, flags: Mapping[str, str], web: Web) -> None:
    policy: dict[str, Any] = web.must("POST", f"{place}:getIamPolicy", json={})
    policy.setdefault("bindings", []).append({"role": flags["role"], "members": [flags["member"]]})
    web.must("POST", f"{place}:setIamPolicy", json={"policy": policy})


def _pairs(words: Iterable[str]) -> dict[str, str]:
    return {name: value for name, _, value in (word.partition("=") for word in words)}
