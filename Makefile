# dlbook: `make book` builds the site, `make test` proves it. Both make .venv first.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONUTF8 := 1
# glibc gives large blocks back to the system at once, and the next tensor of that size faults each page in
# again: more than half of the processor time of a training step on some virtual machines. Blocks are kept.
export MALLOC_MMAP_THRESHOLD_ := 1073741824
export MALLOC_TRIM_THRESHOLD_ := 1073741824

.PHONY: gpu help setup book serve test unit zoo zoo-all zoo-parity notebooks lint pages figures clean

help:  ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | column -t -s '|'

setup:  ## make .venv with the exact pins of requirements.txt
	@PYTHON="$(PYTHON)" TORCH="$(TORCH)" sh scripts/setup.sh

book: setup  ## run what changed, then build the HTML (TORCH=cpu: without CUDA)
	@$(BIN)/python scripts/build_book.py

serve: setup  ## serve the built site on http://localhost:8000 (PORT=... for another port)
	@test -f _build/html/index.html || { echo "There is no site yet: run 'make book' first."; exit 1; }
	@echo "dlbook is at http://localhost:$(PORT)/ (stop it with Ctrl-C)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

test: setup  ## everything: unit tests, linter, the book, its notebooks, its pages
	@$(BIN)/python scripts/run_tests.py

unit zoo zoo-all zoo-parity lint notebooks pages figures: setup  ## one stage of the tests
	@$(BIN)/python scripts/run_tests.py $@

gpu:  ## what a GPU is needed for, within MINUTES=10, without a network (WHEELS=FOLDER, CIFAR=FOLDER_OR_TAR)
	@$(PYTHON) scripts/gpu.py --minutes $(or $(MINUTES),10) $(if $(WHEELS),--wheels $(WHEELS)) \
	  $(if $(CIFAR),--cifar $(CIFAR)) $(if $(OUT),--out $(OUT)) $(if $(REHEARSE),--rehearse)

clean:  ## remove what was built; .venv and the cache of executed chapters stay
	rm -rf _build/html _build/.doctrees _build/notebooks
