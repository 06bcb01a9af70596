# SPDX-License-Identifier: Apache-2.0

BIN      ?= bin
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)

# The same commit and the same Go give the same bytes: no date, no user, no host, no path.
version := github.com/prometheus/common/version
GOBUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false \
	-ldflags '-s -w -buildid= -X $(version).Version=$(VERSION) -X $(version).Revision=$(REVISION)'

# golangci-lint is built from source once for each version of tools/go.mod.
LINT := bin/tools/golangci-lint

.DEFAULT_GOAL := help
.PHONY: help demo demo-once build test test-matrix test-newest check lint fmt docs tidy fuzz clean servers

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: servers build ## Start a whole XMPP service in a temporary directory, watch it, stop it on Ctrl-C
	@go build -o bin/tools/demo ./internal/service/demo && exec bin/tools/demo

demo-once: servers build ## The same for scripts: print the page on stdout and tear down
	@go build -o bin/tools/demo ./internal/service/demo && exec bin/tools/demo --once

build: ## Build every program under cmd/ into bin/, static and reproducible
	@$(GOBUILD) -o $(BIN)/ ./cmd/...

test: servers ## Run every test, against real servers, with the race detector
	REQUIRE_SERVERS=1 go test -race -shuffle=on -timeout 30m ./...

test-matrix: servers ## Test every collector on every ejabberd that Debian has, and write docs/compatibility.md
	@scripts/install-servers debootstrap
	roots=$$(scripts/make-root bullseye trixie trixie-backports) && \
		EJABBERD_ROOTS="$$roots" REQUIRE_SERVERS=1 go test -count=1 -timeout 30m -run 'TestMatrix$$' ./cmd/ejabberd_exporter -update

test-newest: servers ## Test every collector on the newest ejabberd that Debian has
	@scripts/install-servers debootstrap
	roots=$$(scripts/make-root trixie-backports) && \
		EJABBERD_ROOTS="$$roots" REQUIRE_SERVERS=1 go test -count=1 -run 'TestMatrix/trixie-backports$$' ./cmd/ejabberd_exporter

check: ## Everything that CI runs
	@for step in build lint tidy-check test; do \
		start=$$(date +%s); $(MAKE) --no-print-directory $$step || exit 1; \
		echo "== make $$step: $$(($$(date +%s) - start)) s"; \
	done

lint: $(LINT) ## Vet, lint and check the formatting
	$(LINT) run --allow-parallel-runners
	$(if $(shell command -v shellcheck),shellcheck scripts/* .ci/run)

fmt: $(LINT) ## Format the code
	$(LINT) fmt

docs: ## Write anew what is made from code: docs/metrics.md, docs/flags.md, examples
	go test ./cmd/ejabberd_exporter ./examples -run TestMadeFromCode -update

tidy: ## Tidy the modules
	go mod tidy
	go -C tools mod tidy

fuzz: ## Fuzz every fuzz target for ten seconds
	scripts/fuzz 10s

clean: ## Remove what was built
	rm -rf bin

# Not shown by help: steps of the above.
.PHONY: tidy-check
tidy-check:
	go mod tidy -diff
	go -C tools mod tidy -diff

servers:
	@scripts/need-go
	@scripts/install-servers

$(LINT): tools/go.mod tools/go.sum
	go -C tools build -trimpath -ldflags '-s -w' -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@
