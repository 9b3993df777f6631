# The commands a person types; CI calls the same ones.
#   make run     everything a fresh machine needs, then the page on http://127.0.0.1:7860
#   make test    everything the tests need, then all of them
#   make check   what a reader would complain about: lint, format, types, import floors, documents
#   make soak    hundreds of kills at random moments, and many clients at once
#   make audit   known vulnerabilities of the exact versions in the lock; asks pypi.org
#   make bench   the measurements of benchmarks/
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help run test check soak audit bench bench-train browser clean

help:
	@sed -n 's/^#   //p' Makefile

run: .venv/.ready
	@$(BIN)/python app.py

test: .venv/.ready-dev browser
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST)

check: .venv/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_house.py

# SURVEILLANCE and LFW_DEV name the folders that benchmarks/README.md describes; `make bench-train` takes hours.
LFW_DEV ?= ../shared/data/lfw-dev
SURVEILLANCE ?= data/surveillance

soak: .venv/.ready-dev
	BYTEFACE_KILLS=100 $(BIN)/python -m pytest -q tests/test_crashes.py
	$(BIN)/python benchmarks/load.py --photos data/demo

audit: .venv/.ready
	$(BIN)/python -m pip install --disable-pip-version-check -q pip-audit
	$(BIN)/pip-audit -r requirements.lock --no-deps --disable-pip

bench: .venv/.ready-dev .venv/.ready-bench
	$(BIN)/python benchmarks/search.py --sizes 1000 10000 100000 1000000 --photos 1
	$(BIN)/python benchmarks/embed.py --rounds 7 --batch 16
	$(BIN)/python benchmarks/pipeline.py --lfw-dev $(LFW_DEV)
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/page_at_10000.py
	$(BIN)/python benchmarks/start.py --photo "$$(find data/demo/val -name '*.jpg' | head -1)"
	$(BIN)/python benchmarks/train_step.py --lfw-dev $(LFW_DEV)
	$(BIN)/python benchmarks/plots.py
	$(BIN)/python benchmarks/milvus.py
	$(BIN)/python benchmarks/scale.py --lfw-dev $(LFW_DEV)
	$(BIN)/python benchmarks/accuracy.py --lfw-dev $(LFW_DEV) --surveillance $(SURVEILLANCE) --split val --detector yunet

bench-train: .venv/.ready-dev
	@for question in recipes strangers ablation; do \
		$(BIN)/python benchmarks/train.py $$question --lfw-dev $(LFW_DEV) --surveillance $(SURVEILLANCE) || exit 1; done

# The lock holds exact versions for both lists; used as constraints, it leaves out what another platform does not need.
.venv/.ready: requirements.txt requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'ByteFace needs Python 3.11 or newer: make run PYTHON=python3.12' >&2; exit 1; }
	@test -x $(BIN)/python || { echo 'making .venv'; $(PYTHON) -m venv .venv; }
	@echo 'installing dependencies: once, a few gigabytes with PyTorch'
	@$(BIN)/python -m pip install --disable-pip-version-check -c requirements.lock -r requirements.txt
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -e .
	@touch $@

.venv/.ready-dev: .venv/.ready requirements-dev.txt requirements-train.txt requirements-milvus.txt requirements-int8.txt
	@$(BIN)/python -m pip install --disable-pip-version-check -q -c requirements.lock -r requirements-dev.txt
	@touch $@

.venv/.ready-bench: requirements-bench.txt requirements-int8.txt
	@$(BIN)/python -m pip install --disable-pip-version-check -q -r requirements-bench.txt
	@touch $@

browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo 'installing Chromium for the browser tests'; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else \
		echo 'The browser tests need Chromium. Install it (sudo apt-get install chromium) and run make test again.' >&2; exit 1; \
	fi

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache byteface.egg-info
