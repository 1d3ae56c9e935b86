# make demo · make test · make test-fast · make test-all · make golden · make gate · make lint · make types · make docs · make coverage · make bench · make findings · make prove · make test-py312 · make test-py313: each makes .venv first if there is none.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
DEV := .venv/.dev
DOCS := .venv/.docs

.PHONY: demo test test-fast test-all test-py312 test-py313 golden gate lint types docs coverage bench findings prove prove-tenth

demo: $(READY)
	$(BIN)/ssmd-bench run studies/demo --out runs/demo --jobs 2 --report runs/demo/report

# the quick files, a quarter of the slow ones, another with each commit (tests/turns.py), and what changes reach
test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile --turn commit $(ARGS)

test-fast: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile --turn quick

test-all: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

# laws, kernels and installs on another Python, or the whole suite with TESTS=tests, in an environment of its own: 3.12
# with the newest torch that pip finds, 3.13 with the oldest that the project runs on; either may bring gigabytes of GPU
# libraries, Triton among them, whose interpreter runs the kernels. Without pyenv, PYTHON312=PATH names it
TESTS ?= tests/conformance tests/golden tests/fused tests/test_install.py
TORCH312 ?= torch>=2.11
TORCH313 ?= torch==2.11.0
test-py312 test-py313: test-py3%: .venv-py3%/.ready
	$(<D)/bin/python -m pytest -n 2 --dist loadfile $(TESTS) $(ARGS)

.venv-py3%/.ready: pyproject.toml constraints.txt
	$(or $(PYTHON3$*),$(wildcard $(shell pyenv prefix 3.$* 2> /dev/null)/bin/python),python3.$*) -m venv $(@D)
	grep -v '^torch==' constraints.txt > $(@D)/constraints.txt
	$(@D)/bin/pip install --quiet '$(TORCH3$*)'
	$(@D)/bin/pip install --quiet -c $(@D)/constraints.txt -e . 'pytest>=8' 'pytest-benchmark>=5' 'pytest-xdist>=3.5' 'hypothesis>=6.100' 'randomgen>=2.2' 'transformers>=4.50' 'setuptools>=77'
	touch $@

# which samplers give other tokens or counts than tests/golden/probes.json has, in seconds
golden: $(READY)
	$(BIN)/python -m tests.golden

gate: $(READY)
	$(BIN)/ssmd-bench run studies/smoke --n 1024 --out runs/gate --jobs 2 --no-time
	$(BIN)/ssmd-bench run studies/gate --out runs/gate --jobs 2 --no-time
	$(BIN)/ssmd-bench compare studies/gate/counts.jsonl runs/gate --rules studies/gate/rules.toml
	$(BIN)/ssmd-bench compare studies/gate/base.zip runs/gate --rules studies/gate/rules.toml

# some rows of every kept cell sampled again by the sources of this commit
prove: $(READY)
	$(BIN)/ssmd-bench prove --jobs 2

# a tenth of the cells, another one with each commit, and nothing stored
prove-tenth: $(READY)
	$(BIN)/ssmd-bench prove --check --rows 4 --jobs 2 --share $$(( $$(git rev-list --count HEAD) % 10 + 1 ))/10

lint: $(READY)
	$(BIN)/ruff check .

types: $(DEV)
	$(BIN)/mypy

# the documents and the reference as a site, runs/site/index.html, which loads nothing from a network
docs: $(DOCS)
	$(BIN)/mkdocs build --strict

coverage: $(DEV)
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov harness --cov ssmd --cov baselines --cov reports --cov studies --cov-report term:skip-covered --cov-report json:runs/coverage.json
	$(BIN)/python -m tests.covered runs/coverage.json

bench: $(READY)
	$(BIN)/python -m pytest tests/bench --benchmark-enable --benchmark-only

# claims, figures and pages from the records in the repository, without sampling
findings: $(READY)
	$(BIN)/ssmd-bench claims --rebuild
	$(BIN)/ssmd-bench claims --write docs/claims.md
	$(BIN)/ssmd-bench claims --refresh docs/gate.md docs/judges.md docs/metrics.md docs/molecules.md docs/peers.md docs/proteins.md docs/serving.md docs/speed.md
	$(BIN)/ssmd-bench claims --fill studies/findings.md --write docs/findings.md
	$(BIN)/ssmd-bench claims --fill studies/readme.md --write README.md
	$(BIN)/python -m reports.gallery

# torch first and pinned alone: a looser request would pull gigabytes of GPU libraries
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet $$(grep '^torch==' constraints.txt)
	$(BIN)/pip install --quiet -c constraints.txt -e '.[test]'
	touch $@

$(DEV): $(READY)
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

$(DOCS): $(READY)
	$(BIN)/pip install --quiet -c constraints.txt -e '.[docs]'
	touch $@
