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
# The linter of the Grafana boards is built as well, in a module of its own: it wants another Prometheus.
BOARDLINT := bin/tools/dashboard-linter
# And so is the global view of examples/scaling.
VICTORIA := bin/tools/victoria-metrics
# And what make bench compares us with.
STATSD := bin/tools/statsd_exporter
# And what makes packages and their lists of contents.
PACKAGERS := bin/tools/nfpm bin/tools/cyclonedx-gomod
# And what knows the weaknesses of what we depend on.
VULNERABILITIES := bin/tools/govulncheck
DIST      ?= dist
SCRIPTS   := packaging/build packaging/try packaging/steps packaging/release packaging/ejabberd-exporter/ejabberd-exporter-check \
	$(addprefix packaging/ejabberd-exporter/,postinst prerm postrm)

# Modules with tests of their own, for the sake of what they depend on.
modules = $(patsubst %/go.mod,%,$(filter-out tools/%,$(shell git ls-files '*/go.mod')))

.DEFAULT_GOAL := help
.PHONY: help demo demo-once build test test-matrix test-newest test-image test-scaling compare-plugins \
	test-packages check-packages packages release check lint fmt docs pictures dashboards tidy fuzz fuzz-long faults soak \
	scale scale-hold scale-clear bench licences supply-chain clean servers browser

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: servers build ## Start a whole XMPP service in a temporary directory, watch it, stop it on Ctrl-C
	@go build -o bin/tools/demo ./internal/service/demo && exec bin/tools/demo

demo-once: servers build ## The same for scripts: print the page on stdout and tear down
	@go build -o bin/tools/demo ./internal/service/demo && exec bin/tools/demo --once

build: ## Build every program under cmd/ into bin/, static and reproducible
	@$(GOBUILD) -o $(BIN)/ ./cmd/...

test: servers browser ## Run every test, against real servers, with the race detector
	REQUIRE_SERVERS=1 go test -race -shuffle=on -timeout 30m ./...
	@for module in $(modules); do REQUIRE_SERVERS=1 go -C $$module test -shuffle=on -timeout 10m ./... || exit 1; done

test-matrix: servers ## Test every collector on every ejabberd that Debian has, and write docs/compatibility.md
	@scripts/install-servers debootstrap
	roots=$$(scripts/make-root bullseye trixie trixie-backports) && \
		EJABBERD_ROOTS="$$roots" REQUIRE_SERVERS=1 go test -count=1 -timeout 30m -run 'TestMatrix$$' ./cmd/ejabberd_exporter -update

test-newest: servers ## Test every collector on the newest ejabberd that Debian has
	@scripts/install-servers debootstrap
	roots=$$(scripts/make-root trixie-backports) && \
		EJABBERD_ROOTS="$$roots" REQUIRE_SERVERS=1 go test -count=1 -run 'TestMatrix/trixie-backports$$' ./cmd/ejabberd_exporter

test-image: servers ## Build the image with buildah, run it with podman beside a real service
	@scripts/install-servers buildah podman runc busybox-static
	TEST_IMAGE=1 REQUIRE_SERVERS=1 go test -count=1 -v -run 'TestImage$$' ./examples/container

test-scaling: servers $(VICTORIA) ## Run examples/scaling with thousands of targets, and write the figures in docs/scaling.md
	TEST_SCALING=1 REQUIRE_SERVERS=1 go test -count=1 -v -timeout 20m -run 'TestThousands$$' ./examples/scaling

compare-plugins: servers ## Run Debian's plugins for XMPP in our situations, measure them beside ours, and write docs/peers.md
	@scripts/install-servers hyperfine
	REQUIRE_SERVERS=1 go test -count=1 -timeout 30m -run 'TestPeers$$' ./internal/situations -update
	REQUIRE_SERVERS=1 go test -count=1 -timeout 30m -run '^$$' -bench Peers -benchtime=1x ./internal/situations -update

test-packages: servers $(PACKAGERS) ## Install the packages on bookworm and trixie under systemd, and write docs/packages.md
	@scripts/install-servers debootstrap systemd-container
	packaging/try $(DIST)/tried $$(scripts/make-root bookworm-host trixie-host)

check-packages: $(PACKAGERS) ## Build the packages of this machine twice, compare them, and look at what is in them
	@scripts/install-servers lintian mandoc rpm
	TEST_PACKAGES=1 go test -count=1 -run 'TestPackages$$' ./packaging

packages: $(PACKAGERS) ## Build .deb, .rpm, tarballs, SBOMs and checksums into dist/
	packaging/build $(DIST) amd64 arm64 armv7

release: $(PACKAGERS) ## Build everything of VERSION=1.2.3, check it, and say what to publish
	packaging/release "$(VERSION)" $(DIST)

check: ## Everything that CI runs
	@for step in build lint tidy-check test check-packages; do \
		start=$$(date +%s); $(MAKE) --no-print-directory $$step || exit 1; \
		echo "== make $$step: $$(($$(date +%s) - start)) s"; \
	done

lint: $(LINT) $(BOARDLINT) ## Vet, lint and check the formatting
	$(LINT) run --allow-parallel-runners
	cd dashboards && ../$(LINT) run --allow-parallel-runners
	@for board in dashboards/*.json; do \
		said=$$($(BOARDLINT) lint --strict -c dashboards/lint.yml "$$board" 2>&1) || { echo "$$board:"; echo "$$said"; exit 1; }; \
	done
	$(if $(shell command -v shellcheck),shellcheck scripts/* .ci/run $(SCRIPTS))

fmt: $(LINT) ## Format the code
	$(LINT) fmt
	cd dashboards && ../$(LINT) fmt

docs: ## Write anew what is made from code: docs/metrics.md, flags.md and situations.md, examples
	go test ./cmd/ejabberd_exporter ./examples ./internal/situations ./internal/statistics -run TestMadeFromCode -update
	go -C examples/kubernetes test -run TestMadeFromCode . -update

dashboards: ## Write the Grafana boards anew
	go -C dashboards run .

pictures: servers build ## Take the pictures of docs/img of the demo, in a real browser
	@scripts/install-servers chromium fonts-inter pngquant
	@go build -o bin/tools/demo ./internal/service/demo && bin/tools/demo --pictures=docs/img
	pngquant --force --strip --ext .png docs/img/status-*.png

tidy: ## Tidy the modules
	@for module in . tools tools/packaging tools/dashboard-linter tools/govulncheck $(modules); do go -C $$module mod tidy || exit 1; done

fuzz: ## Fuzz every fuzz target for ten seconds
	scripts/fuzz 10s '' 2

fuzz-long: ## Fuzz every fuzz target for ten minutes, and add what came of it to docs/faults.md
	scripts/fuzz 10m docs/faults.md 2

faults: servers ## Break everything once while the exporter runs, and write the first table of docs/faults.md
	REQUIRE_SERVERS=1 go test -count=1 -v -timeout 60m -run 'TestFaults$$' ./internal/faults -update

DURATION ?= 1h
soak: servers ## Break things at random for DURATION, 1h by default, and add a line to docs/faults.md
	REQUIRE_SERVERS=1 go test -count=1 -v -timeout 0 -run 'TestSoak$$' ./internal/faults -soak $(DURATION) -seed $(or $(SEED),0)

SIZE      ?= 1
CURVE     ?= 0.1
SCALE_DIR ?= /var/tmp/ejabberd-exporter-scale
BENCH     := bin/tools/bench
scale: servers ## Build a service of a million accounts, unless it stands; SIZE=0.1 is ten times smaller
	@go build -o $(BENCH) ./internal/scale/bench
	$(BENCH) build --dir=$(SCALE_DIR) --size=$(SIZE)

scale-hold: servers ## Start that service with its sessions, and stop it on Ctrl-C
	@go build -o $(BENCH) ./internal/scale/bench
	$(BENCH) hold --dir=$(SCALE_DIR) --size=$(SIZE)

scale-clear: ## Remove it
	@go build -o $(BENCH) ./internal/scale/bench
	$(BENCH) clear --dir=$(SCALE_DIR)

bench: servers build $(STATSD) ## Measure on it what the exporter costs, beside what people use today, and write docs/benchmarks.md
	@go build -o $(BENCH) ./internal/scale/bench
	$(BENCH) run --dir=$(SCALE_DIR) --size=$(SIZE) --curve=$(CURVE) --bin=$(BIN) --docs=docs

licences: ## Write docs/dependencies.md: whose work this is made of, and under which licences
	go run ./packaging/papers dependencies . >docs/dependencies.md.new && mv docs/dependencies.md.new docs/dependencies.md

supply-chain: $(PACKAGERS) $(VULNERABILITIES) ## Look at all that this is made of: sums, licences, weaknesses; programs and SBOMs go into dist/supply-chain
	scripts/supply-chain $(DIST)/supply-chain

clean: ## Remove what was built
	rm -rf bin dist

# Not shown by help: steps of the above.
.PHONY: tidy-check
tidy-check:
	@for module in . tools tools/packaging tools/dashboard-linter tools/govulncheck $(modules); do \
		go -C $$module mod tidy -diff && go -C $$module mod verify >/dev/null || exit 1; \
	done

servers:
	@scripts/need-go
	@scripts/install-servers

# The browser is large, and only tests and pictures want it.
browser:
	@scripts/install-servers chromium

$(LINT): tools/go.mod tools/go.sum
	go -C tools build -trimpath -ldflags '-s -w' -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

$(VICTORIA): tools/victoriametrics/go.mod tools/victoriametrics/go.sum
	go -C tools/victoriametrics build -trimpath -ldflags '-s -w' -o ../../$@ github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics
	@touch $@

$(STATSD): tools/statsd_exporter/go.mod tools/statsd_exporter/go.sum
	go -C tools/statsd_exporter build -trimpath -ldflags '-s -w' -o ../../$@ github.com/prometheus/statsd_exporter
	@touch $@

$(BOARDLINT): tools/dashboard-linter/go.mod tools/dashboard-linter/go.sum
	go -C tools/dashboard-linter build -trimpath -ldflags '-s -w' -o ../../$@ github.com/grafana/dashboard-linter
	@touch $@

$(VULNERABILITIES): tools/govulncheck/go.mod tools/govulncheck/go.sum
	go -C tools/govulncheck build -trimpath -ldflags '-s -w' -o ../../$@ golang.org/x/vuln/cmd/govulncheck
	@touch $@

$(PACKAGERS) &: tools/packaging/go.mod tools/packaging/go.sum
	go -C tools/packaging build -trimpath -buildvcs=false -ldflags '-s -w' -o ../../bin/tools/ \
		github.com/goreleaser/nfpm/v2/cmd/nfpm github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
	@touch $(PACKAGERS)
