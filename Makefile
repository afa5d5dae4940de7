# The commands of this repository. `make run` and `make test` set up what is missing.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin

.PHONY: help
help: ## This list
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

.PHONY: run
run: setup ## Everything on this machine (MUSIC=folder of audio files, PORT=number, LAN=1)
	@exec $(BIN)/sync2gear up $(if $(MUSIC),--music "$(MUSIC)") $(if $(PORT),--port $(PORT)) \
		$(if $(LAN),--lan)

.PHONY: test
test: setup-tests ## All tests; the pure core has to be reached wholly; about 25 minutes on 2 cores
	@$(BIN)/python scripts/run_tests.py

.PHONY: check check-python check-web
check: setup-tests ## Format, lint, types, import contracts, architecture: under a minute
	@$(MAKE) --no-print-directory --output-sync=target -j2 check-web check-python
check-python:
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --cache-dir .import_linter_cache
	@$(BIN)/python -m pytest tests/architecture
check-web:
	@cd platform/web && export PATH="$(CURDIR)/$(BIN):$$PATH" && \
		npm run --silent lint && npm run --silent typecheck && npm test --silent -- --reporter=dot

.PHONY: setup setup-tests
setup: ## What `make run` needs
	@scripts/setup
setup-tests:
	@scripts/setup --for-tests

.PHONY: web
web: ## The dashboard, built anew
	@rm -rf platform/web/dist && scripts/setup

.PHONY: lock
lock: ## requirements.lock from the five pyproject.toml
	@$(BIN)/uv lock --quiet
	@$(BIN)/uv export --quiet --frozen --no-emit-workspace --all-groups \
		--format requirements-txt -o requirements.lock
	@! grep -n '://' requirements.lock

.PHONY: docs
docs: ## The generated documents: topics, AsyncAPI, refusals, OpenAPI and the dashboard's types of it
	@$(BIN)/python -m sync2gear_broker.asyncapi docs/
	@S2G_ENV=dev $(BIN)/python -m sync2gear_platform refusals docs/
	@S2G_ENV=dev $(BIN)/python -m sync2gear_platform openapi > platform/web/openapi.json.new
	@mv platform/web/openapi.json.new platform/web/openapi.json
	@cd platform/web && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent api

.PHONY: soak
soak: setup-tests ## Long runs: kill loops, generated matrices, hours of simulated time
	@S2G_HYPOTHESIS=soak $(BIN)/python -m pytest tests -m soak --timeout 7200

.PHONY: test-mqtt-access
test-mqtt-access: setup-tests ## Who may say and hear what on the broker: 36,000 attempts each, a table
	@S2G_HYPOTHESIS=soak $(BIN)/python -m pytest tests/wire/test_mqtt_accounts.py \
		tests/wire/test_mqtt_access.py -m "soak or not soak"

.PHONY: test-access
test-access: setup-tests ## Who reaches what over HTTP and WebSocket: every operation, every role, a table
	@S2G_HYPOTHESIS=soak $(BIN)/python -m pytest tests/access/test_access_matrix.py \
		tests/access/test_access_socket.py tests/access/test_access_faults.py \
		-m "soak or not soak" -s --timeout 3600

bench-%: setup-tests ## One benchmark beside its baseline, e.g. make bench-announce (bench-sync: an hour)
	@$(BIN)/python benchmarks/$*.py

.PHONY: coverage
coverage: setup-tests ## All tests with coverage of everything, about an hour, and pages in htmlcov/
	@$(BIN)/python scripts/run_tests.py --measure-all
	@$(BIN)/coverage report --skip-covered && $(BIN)/coverage html --quiet

.PHONY: format
format: ## Format and repair what ruff can
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

.PHONY: deb
deb: setup ## The speaker's Debian package in dist/ (ARCH=arm64 or amd64)
	@scripts/build-deb --arch $(or $(ARCH),arm64)

.PHONY: clean
clean: ## What was made here, except .venv and the data of `make run`
	@rm -rf .coverage .coverage.* coverage.json htmlcov dist .pytest_cache .mypy_cache .ruff_cache \
		.hypothesis .import_linter_cache benchmarks/results platform/web/dist platform/web/node_modules
	@find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +
