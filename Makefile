# `make bench` measures and saves; `make test` tests the suite. What the other commands do is written beside each.
# Options of the suite and of pytest go into ARGS: make bench ARGS="--loops 5 --rounds 5".
# STACK=newest, with any command, has the newest torch and TorchCodec in an environment beside the pinned one.

PYTHON ?= python3
STACK ?= pinned
ifeq ($(STACK),pinned)
VENV := .venv
CONSTRAINTS := constraints.txt
OLDEST := 3.10
else ifeq ($(STACK),newest)
VENV := .venv-newest
CONSTRAINTS := constraints-newest.txt
OLDEST := 3.11
else
$(error STACK=$(STACK): give pinned or newest)
endif
EXTRAS := dev
INSTALLED := $(VENV)/installed-from-pyproject-and-constraints
PYTEST := $(VENV)/bin/python -m pytest

.PHONY: tables grid bench try bench-peers bench-requests bench-scaling bench-cluster bench-page page ab ab-check fuzz test
.PHONY: test-long test-stack test-library release-check check setup system clean
PAGE := $(VENV)/bin/python -m results.page
BENCH := $(PYTEST) benchmarks/test_speed.py --benchmark-only --benchmark-autosave --interleave
BENCH += $(if $(VIDEO),--video "$(VIDEO)")

TRY := $(PYTEST) benchmarks/test_speed.py --benchmark-only --interleave
TRY += $(if $(VIDEO),--video "$(VIDEO)" --rounds 1,--loops 10 --rounds 2)

REQUESTS := $(PYTEST) benchmarks/test_requests.py --benchmark-only --benchmark-autosave --interleave

CPUS = $(shell $(VENV)/bin/python -c "from fixtures.settings import usable_cpus; print(usable_cpus())")
BESIDE_A_CLUSTER := sequential or processes or pruned-threads or cluster or limit or across

bench: setup  ## time every strategy at full size; saves under results/
	$(BENCH) $(ARGS)
	@$(PAGE)

try: setup  ## the same in about a minute, for a first look: less video, and nothing is saved
	$(TRY) $(ARGS)

bench-peers: setup  ## the strategies and what other libraries take for the same frames
	$(BENCH) -m "not scaling" $(ARGS)
	@$(PAGE)

bench-scaling: setup  ## the parallel strategies at other numbers of workers and threads
	$(BENCH) -m scaling $(ARGS)
	@$(PAGE)

bench-requests: setup  ## requests of data loaders and servers, in about ten minutes: [ARGS="--requests FILE.jsonl"]
	$(REQUESTS) $(ARGS)
	@$(PAGE)

page: setup  ## all saved results as one page to look at: results/page.html [RUNS="0001 0002"] [ARGS=...]
	@$(PAGE) $(RUNS) $(ARGS)

bench-cluster: setup  ## strategies on Dask workers beside their local counterparts: [CLUSTER=N or tcp://host:8786] [ARGS=...]
	$(BENCH) --cluster "$(or $(CLUSTER),$(CPUS))" -k "$(BESIDE_A_CLUSTER)" $(ARGS)
	@$(PAGE)

bench-page: setup  ## a page of 1,000 runs: made and drawn in time?
	$(PYTEST) -m many_runs results/page $(ARGS)

ab: setup  ## A against B in lockstep: make ab A="torchcodec==0.12.0" B="torchcodec==0.13.0" [MINUTES=10] [ARGS=...]
	$(VENV)/bin/python -m results.ab -a "$(A)" -b "$(B)" $(if $(MINUTES),--minutes $(MINUTES)) \
	  $(if $(SUMMARY),--markdown "$(SUMMARY)") -- $(ARGS); status=$$?; $(PAGE); exit $$status

ab-check: setup  ## three minutes of this code against itself: what could `make ab` find here, now?
	$(VENV)/bin/python -m results.calibrate --check

grid: setup  ## requests of every shape on every length of GOP, in half an hour: make grid SAVE=FILE.json [ARGS=...]
	$(VENV)/bin/python -m benchmarks.grid --save "$(or $(SAVE),$(error SAVE=FILE.json: where is the grid kept?))" $(ARGS)

tables: setup  ## tables of README and docs measured again in one go, in two to three hours; can be interrupted
	$(VENV)/bin/python -m benchmarks.everything $(ARGS)

fuzz: setup  ## pruned frames of random videos against sequential ones: make fuzz [MINUTES=5] [ARGS=...]
	$(VENV)/bin/python -m exactframes.tests.fuzz --minutes $(or $(MINUTES),5) $(ARGS)

test: check  ## lint, types, and all tests (nothing is timed)
	$(PYTEST) --benchmark-skip $(ARGS)

test-long: setup  ## the tests that take longest: real sides in lockstep, sets of videos, parts
	$(PYTEST) --benchmark-skip -m long $(ARGS)

release-check: system  ## build wheel and sdist, and test them in a fresh environment; leaves them in build/release
	PYTHON="$(PYTHON)" .ci/release-check

test-stack: setup  ## what depends on the versions of torch and TorchCodec: the library, and each strategy's frames
	$(PYTEST) --benchmark-skip exactframes fixtures benchmarks/test_exactness.py benchmarks/tests/test_stages.py \
	  benchmarks/tests/test_corpus.py benchmarks/tests/test_suite.py $(ARGS)

test-library: setup  ## the library's own tests
	$(PYTEST) --benchmark-skip exactframes $(ARGS)

check: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/mypy

setup: system $(INSTALLED)

system:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < tuple(map(int, "$(OLDEST)".split("."))))' \
	  || { echo "Python $(OLDEST) or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m fixtures.ffmpeg >/dev/null 2>&1 && $(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || PYTHON=$(PYTHON) sh .ci/install-system-packages

# A constraint that a machine sets for all of pip's runs would contradict these.
$(INSTALLED): pyproject.toml $(CONSTRAINTS)
	test -x $(VENV)/bin/pip || $(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=/dev/null $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
	  -c $(CONSTRAINTS) -e '.[$(EXTRAS)]'
	touch $@

clean:
	rm -rf .venv .venv-* *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
