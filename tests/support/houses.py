"""The owner's house in each cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.engine_aws import AwsHouse
from tests.support.engine_azure import AzureHouse
from tests.support.engine_google import GoogleHouse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.engine import House

HOUSES: Mapping[str, Callable[..., House[Any]]] = {
    "aws": AwsHouse,
    "google": GoogleHouse,
    "azure": AzureHouse,
}
"""By the cloud's name, as a sandbox has it."""
