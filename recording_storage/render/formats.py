"""What can be written, and for whom: one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from recording_storage.render import conversation as api
from recording_storage.render.destinations import Destinations
from recording_storage.render.env_file import env
from recording_storage.render.github import github_env
from recording_storage.render.options import Options, check
from recording_storage.render.terraform import tfvars
from recording_storage.render.yaml_documents import configmap, esc

if TYPE_CHECKING:
    from collections.abc import Mapping

Write = Callable[[Destinations, Options], str]


@dataclass(frozen=True)
class Form:
    """One format.

    `what`: what is written. `source`: who reads it, and by which rules. `several`: whether it holds several
    destinations; otherwise it is of the only one, the default or the named one. `options`: fields of `Options` that
    it takes.
    """

    what: str
    source: str
    write: Write
    several: bool = False
    options: tuple[str, ...] = ()


_WHO: Final = ("replica_id", "persona_id", "callback_url")
_API: Final = "https://docs.tavus.io/api-reference/conversations/create-conversation"

FORMATS: Final[Mapping[str, Form]] = {
    "json": Form("the object for the API", _API, api.object_alone),
    "conversation": Form(
        "a whole request for `POST /v2/conversations`", _API, api.conversation, options=_WHO
    ),
    "curl": Form("the same as a command", "https://curl.se/docs/manpage.html", api.curl, options=_WHO),
    "legacy": Form(
        "the older flat properties, of S3 alone",
        "https://docs.tavus.io/sections/conversational-video-interface/quickstart/conversation-recordings",
        api.legacy,
    ),
    "env": Form("variables, as a dotenv file", "https://saurabh-kumar.com/python-dotenv/", env, several=True),
    "github-env": Form(
        "variables for later steps of a job in GitHub Actions",
        "https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#setting-an-environment-variable",
        github_env,
        several=True,
    ),
    "configmap": Form(
        "variables, as a ConfigMap for Kubernetes",
        "https://kubernetes.io/docs/concepts/configuration/configmap/",
        configmap,
        several=True,
        options=("name", "namespace"),
    ),
    "tfvars": Form(
        "values for Terraform's and OpenTofu's variables",
        "https://developer.hashicorp.com/terraform/language/values/variables",
        tfvars,
        several=True,
    ),
    "esc": Form(
        "an environment for Pulumi ESC",
        "https://www.pulumi.com/docs/esc/environments/syntax/",
        esc,
        several=True,
    ),
}
"""Name → format, in the order of the documentation."""


def render(form: str, destinations: Destinations, destination: str | None, options: Options) -> str:
    """Write destinations, or the named one of them, in a format of the table; raises `RenderError`."""
    check(options, form, {name: one.options for name, one in FORMATS.items()})
    destinations.check_text()
    return FORMATS[form].write(
        destinations if destination is None else destinations.only(destination), options
    )
