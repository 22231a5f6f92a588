# Plain verbs. A bare machine needs python3 (3.11 or newer) and make; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: run test check bench soak lock clean

run: $(VENV)/.run  ## start logdock on the embedded store
	@printf '%s\n' \
	  'logdock is starting on the embedded store (./logdock-data). In a second terminal:' \
	  '  1. see it work:      $(BIN)/logdock emit "hello"   then   $(BIN)/logdock logs' \
	  '  2. point Docker at it: copy compose/fluentd.json to /etc/docker/daemon.json, restart dockerd,' \
	  '     recreate your containers' \
	  '  3. ask:              $(BIN)/logdock ps   or   http://127.0.0.1:8080/docs' \
	  'Ctrl-C ends it; nothing that was acknowledged is lost.'
	@exec $(BIN)/logdock serve

test: $(VENV)/.dev  ## every test; real dockerd and Elasticsearch where this machine can
	$(BIN)/pytest -m "not soak" -n 2 --no-loadscope-reorder

soak: $(VENV)/.dev  ## the long forms: 50 kills, 10 minutes of fuzzing
	$(BIN)/pytest -m soak --timeout 3600
	LOGDOCK_FUZZ_SECONDS=600 $(BIN)/pytest tests/fuzz -m "not soak" --timeout 3600

check: $(VENV)/.dev  ## what a reviewer would say
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(if $(DOCS),$(BIN)/pytest -q $(DOCS))
DOCS := $(wildcard tests/docs tests/test_docs.py tests/api/test_docs.py)

# The promised numbers first, then what each part costs. store_elastic wants a running Elasticsearch,
# search a quarter of an hour and Go, tail_docker a dockerd: by hand.
BENCHES := all acks tail decoders normalize tags store_local
bench: $(VENV)/.dev  ## the numbers, one table a script
	@for name in $(BENCHES); do PYTHONPATH=. $(BIN)/python bench/$$name.py || exit 1; done

lock: $(VENV)/.dev  ## pin again what pyproject.toml asks for
	$(PIP) install uv
	$(BIN)/uv pip compile $(LOCK) --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCK) --constraint requirements.lock --extra dev --output-file requirements-dev.lock pyproject.toml
LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --custom-compile-command 'make lock'

clean:  ## everything that was built; never the logs
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes --requirement requirements-dev.lock
	$(PIP) install --no-deps --editable .
	@touch $@ $(VENV)/.run
