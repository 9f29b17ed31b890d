"""Where the Pulumi CLI starts the policy pack; `../.venv` has what it needs (PulumiPolicy.yaml)."""

from __future__ import annotations

import sys
from pathlib import Path

# The CLI starts it in its own folder, and the pack shares what the project's other rooms know.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from policy.pack import serve

serve()
