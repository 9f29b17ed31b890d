"""What the recording service's application in Entra and its federated credential are called and described as.

Pure: for what makes them, and for what is assumed of one that exists.
"""

from __future__ import annotations

from typing import Final

CREDENTIAL: Final = "recording-service"
"""The name of the federated credential, which can't be changed once it is made."""
CREDENTIAL_DESCRIPTION: Final = "The recording service's tokens for one workspace"
SIGN_IN_AUDIENCE: Final = "AzureADMyOrg"
"""Accounts of its own tenant only: https://learn.microsoft.com/graph/api/resources/application#signinaudience-values"""


def application_description(destination: str) -> str:
    """What the application of a destination says of itself."""
    return f"The recording service writes to {destination} as this"
