# Thin: what happens stands in scripts/. Needs GNU make; where there is none, call the scripts.

PREFIX ?= /usr/local
DESTDIR ?=
export PREFIX DESTDIR

.DEFAULT_GOAL := help
.PHONY: help demo test bench install clean

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile | expand -t 12

demo: ## build, fuse two real per-architecture archives, show the result (installs what is missing)
	@scripts/demo.sh

test: ## every check and every test, with the real clients (installs what is missing; root or sudo)
	@scripts/test.sh

bench: ## the benches, and the table against the rivals that are installed
	@scripts/bench.sh

install: ## command, C library, man page, completions into PREFIX=/usr/local, below DESTDIR=
	@scripts/install.sh

clean: ## remove what was built
	@scripts/clean.sh
