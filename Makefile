# `make lab` opens the course, `make test` tests everything; each sets up what it needs, and is quick the second time.
#   PYTHON=python3.12          the Python that makes the environment (3.10 or newer)
#   LAB_ARGS="--no-browser"    flags for JupyterLab
#   PYTEST_ARGS="-k split"     flags for pytest ("-n 4" tests in four processes; by default in two)
#   WHAT=softmax               the exercise, the lesson (04) or the case (pets) that `make reset` gives its first state
#   LESSON=04                  the notebooks that `make render` executes: those whose names start so
#   ROWS="P4 P12"              the rows of benchmarks/README.md that `make bench` measures
#   TORCH_INDEX=URL            where to get PyTorch from: the address that pytorch.org names for your CPU or GPU

PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
INSTALL := $(BIN)/python -m tools.install -c constraints.txt
PACKAGE := settings.ini setup.py constraints.txt
LINTED := nbs tests tools benchmarks docs/conf.py setup.py

# Nothing is installed outside .venv, whatever the user's own settings for pip say.
export PIP_USER := 0
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help lab progress reset test train export render site bench lint clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: $(VENV)/course.stamp ## open the course in JupyterLab, on your own copies of the lessons
	@$(BIN)/python -m tools.lab $(LAB_ARGS)

progress: $(VENV)/course.stamp ## show which exercises you have passed
	@$(BIN)/python -m tools.progress

reset: $(VENV)/course.stamp ## start an exercise or a lesson again (WHAT=softmax, WHAT=04); asks, and keeps a backup
	@$(BIN)/python -m tools.progress --reset "$(WHAT)"

test: $(VENV)/dev.stamp lint ## run every check and test, the notebooks included
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

train: $(VENV)/course.stamp ## train, explain and export a classifier, without a browser
	@$(BIN)/python -m tools.quickstart

lint: $(VENV)/dev.stamp ## ruff on notebooks, tests and tools; mypy on the package
	@$(BIN)/ruff check $(LINTED)
	@$(BIN)/ruff format --check $(LINTED)
	@$(BIN)/mypy

export: $(VENV)/dev.stamp ## write the notebooks' code to coursekit/
	@$(BIN)/nbdev-export

render: $(VENV)/dev.stamp ## execute the notebooks, keep their outputs clean, make README.md
	@$(BIN)/python -m tools.render $(LESSON)

site: $(VENV)/dev.stamp ## make the reading edition in site/: every lesson, the reference, a glossary; needs no network
	@$(BIN)/python -m tools.build_site

bench: $(VENV)/peers.stamp ## measure speed beside fastai and bare PyTorch, in some 20 minutes (ROWS="P4 P12": only these)
	@PYTHONPATH=$(VENV)/peers $(BIN)/python -m benchmarks.run $(ROWS)

clean: ## remove builds and caches; your course/ and the environment stay
	rm -rf build dist site .pytest_cache .mypy_cache .ruff_cache quickstart
	@test ! -e $(VENV)/course.stamp || $(BIN)/python -m tools.clear_cache

# The environment. "dev" holds all that "course" holds, so `make lab` has nothing to do after `make test`.
$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "coursekit needs Python 3.10 or newer, and '$(PYTHON)' is not. Name another: make lab PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Python could not make an environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/course.stamp: $(PACKAGE) | $(VENV)/pyvenv.cfg
	$(call install,course)
	@touch $@

$(VENV)/dev.stamp: $(PACKAGE) | $(VENV)/pyvenv.cfg
	$(call install,course$(comma)dev)
	@touch $@ $(VENV)/course.stamp

# What coursekit is compared with, in a folder that only the benchmarks look into.
$(VENV)/peers.stamp: benchmarks/requirements.txt $(VENV)/dev.stamp
	@rm -rf $(VENV)/peers
	@$(BIN)/python -m tools.install --no-deps --target $(VENV)/peers -r benchmarks/requirements.txt
	@touch $@

comma := ,
define install
@echo "Installing PyTorch, JupyterLab, the photos and the weights into $(VENV): some minutes the first time"
$(if $(TORCH_INDEX),@$(INSTALL) --no-deps torch torchvision --index-url $(TORCH_INDEX))
@$(INSTALL) --editable ".[$(1)]"
endef
