# Two commands: `make demo` shows anbu at work, `make test` tests it. Both need only Python 3.11-3.13. `make quick` is
# the part of the tests for daily work: a minute and a half, no broker, no database.
# PYTHON=/path/to/python chooses another Python; ARGS="..." goes to `anbu demo`; TESTS="..." goes to pytest.

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
TESTS ?=

.PHONY: help demo test quick clean lock sbom audit
.DEFAULT_GOAL := help

help:
	@echo "make demo    시연: 브로커와 가상 1,000가구 · the demonstration (ARGS=... for anbu demo)"
	@echo "make test    검사: ruff, mypy, pytest, 실제 브로커 · all checks, on a real broker too (TESTS=... for pytest)"
	@echo "make quick   매일: 브로커와 데이터베이스 없이 1분 남짓 · a minute and a half, no broker, no database (TESTS=... for pytest)"
	@echo "make sbom    구성 목록(CycloneDX) · what anbu is made of;  make audit  알려진 취약점 · what is known against it"
	@echo "make clean   환경과 로컬 자료를 지웁니다 · remove the environment and the local broker's data"

demo: $(VENV)/installed
	@exec $(BIN)/anbu demo $(ARGS)

# What `make quick` leaves out: what needs a program of its own, and what is marked as slow.
QUICK := not broker and not postgres and not sipp and not browser and not promtool and not slow
# ... and whole files in which homes are lived for weeks.
LIVED := $(patsubst %,--ignore=tests/stream/test_%.py,outcomes learned partition kinds known_from judgeable intake warned \
	changelog drift alerts)

# All three run even when one fails; the result is a failure when any has failed.
# All cores: a file's tests stay together, as they share what they start. A process that hangs is ended with its stack.
CORES := -n auto --maxprocesses=4 --dist=loadfile
test: CHOSEN := $(if $(TESTS),,$(CORES) -m "not broker") --durations=25 --durations-min=1
# Those with a broker are several processes each, killed and timed: they have the cores to themselves. What TESTS names
# is one run, of those alone.
test: THEN := $(if $(TESTS),,-m broker --durations=10 --durations-min=1)
quick: CHOSEN := $(CORES) -m "$(QUICK)" $(LIVED) --ignore-glob="tests/test_benchmark*" --durations=5 --durations-min=1
test quick: $(VENV)/installed-test
	@failed=0; \
	echo "ruff"; $(BIN)/python -m ruff check . || failed=1; \
	echo "mypy"; $(BIN)/python -m mypy || failed=1; \
	echo "pytest"; $(BIN)/python -m pytest $(CHOSEN) $(TESTS) || failed=1; \
	[ -z '$(THEN)' ] || $(BIN)/python -m pytest $(THEN) || failed=1; \
	exit $$failed

clean:
	rm -rf $(VENV) .anbu *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make a second run instant. A changed lock or a changed pyproject.toml installs again.
$(VENV)/installed: requirements.lock pyproject.toml deploy/environment.py
	@$(find_python); "$$python" deploy/environment.py $(VENV) requirements.lock
	@touch $@

$(VENV)/installed-test: $(VENV)/installed requirements-test.lock
	@$(find_python); "$$python" deploy/environment.py $(VENV) requirements-test.lock
	@touch $@

# The first Python of a right version that can make environments; one clear line when there is none.
define find_python
python=; unfit=; \
for p in $(PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 || continue; \
	if "$$p" -c 'import ensurepip, venv' >/dev/null 2>&1; then python=$$p; break; else unfit=$$p; fi; \
done; \
if [ -z "$$python" ] && [ -n "$$unfit" ]; then \
	echo "$$unfit: venv 모듈이 없습니다 (예: apt-get install python3-venv) · $$unfit has no venv: install it" >&2; exit 1; \
elif [ -z "$$python" ]; then \
	echo "Python 3.11-3.13이 필요합니다: 설치하거나 PYTHON=경로로 알려 주십시오 ·" \
		"Python 3.11, 3.12 or 3.13 is needed: install one, or name it with PYTHON=path" >&2; exit 1; \
fi
endef

# For developers, after a change of dependencies in pyproject.toml: pins with hashes, the same ones for all three Pythons
# (numpy newest for each would give mypy other types on each).
COMPILE = $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-header --no-annotate
lock: $(VENV)/installed
	$(BIN)/python -m pip install --quiet uv
	echo "setuptools>=77" | $(COMPILE) pyproject.toml - --output-file requirements.lock
	echo "setuptools>=77" | $(COMPILE) pyproject.toml - --extra test --extra train --extra supply --constraint requirements.lock \
		--output-file requirements-test.lock

# What anbu is made of, from the locks alone: packages and jars with their hashes, as CycloneDX.
sbom: $(VENV)/installed-test
	@$(BIN)/python -m deploy.sbom build/anbu.cdx.json

# What is known against the packages that are installed. --strict: a package of which nothing can be learned is a
# failure, not a pass (the index must serve advisories; ARGS="-s osv" asks osv.dev). Jars: give build/anbu.cdx.json to a
# scanner that knows Maven.
audit: $(VENV)/installed-test
	@$(BIN)/python -m pip_audit --strict --require-hashes --disable-pip -r requirements.lock $(ARGS)
