# SPDX-License-Identifier: Apache-2.0
# The one door. Meson and the scripts behind it do the work; each target installs what it needs (Debian 12).
BUILD ?= build
MINUTES ?= 5
PYTHON ?= /usr/bin/python3
COMPILE = meson compile -C

.PHONY: help build serve test asan tsan tidy fmt bench chaos fuzz cover conformance install clean

help:
	@echo 'make build        build/faaskeeper, optimised'
	@echo 'make serve        build, then serve on 127.0.0.1:2181 with the data in ./faaskeeper-data'
	@echo 'make test         install, build, run every test'
	@echo 'make asan         the unit and process tests under AddressSanitizer and UBSan'
	@echo 'make tsan         the tests of what has threads under ThreadSanitizer'
	@echo 'make tidy         clang-format check, clang-tidy, cppcheck, the rules of the tree'
	@echo 'make fmt          format the sources'
	@echo 'make conformance  suites of other projects, and applications, against our server'
	@echo 'make test-aws     what runs on AWS, against emulators of it, some minutes; make test has all of it'
	@echo 'make conformance-aws  the same, whole: all tests of kazoo with both topologies, more sequences, more faults'
	@echo 'make conformance-baseline  the same suites against the real ZooKeeper: what fails there'
	@echo 'make bench        figures beside ZooKeeper; writes docs/benchmarks.md'
	@echo 'make paper        what the paper published beside what ours costs and takes; writes docs/evaluation.md'
	@echo 'make chaos        500 kills and restarts under load  (CYCLES=500)'
	@echo 'make scale        10 000 connections at once: memory, events, mass expiry'
	@echo 'make sim          the simulator, with faults, on random seeds  (MINUTES=5)'
	@echo 'make mutants      does the simulator find the seeded design bugs?'
	@echo 'make fuzz         libFuzzer targets  (MINUTES=5)'
	@echo 'make cover        line coverage of the tests in build-cover/coverage'
	@echo 'make deb          the Debian package, in build-deb'
	@echo 'make reproducible  are two builds, and two packages, equal to the bit?'
	@echo 'make sbom         what the program is made of, as SPDX: build/faaskeeper.spdx.json'
	@echo 'make oci          an image without Docker: build-oci/faaskeeper.tar'
	@echo 'make lambda       the functions for AWS Lambda: dist/faaskeeper-lambda-{x86_64,arm64}.zip'
	@echo 'make man          the manual pages, from the help texts and the table of keys'
	@echo 'make install      install the binary  (DESTDIR, PREFIX as with meson)'
	@echo 'make clean        remove what was built'

$(BUILD)/build.ninja:
	@tools/install.sh build
	meson setup $(BUILD)

build: $(BUILD)/build.ninja
	@tools/install.sh build
	$(COMPILE) $(BUILD)

serve: build
	$(BUILD)/faaskeeper serve

# What the tests need besides: cmocka, ZooKeeper's clients. Tests are left out of a build without cmocka.
.PHONY: test-tools
test-tools:
	@tools/install.sh test
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD)
	@meson configure $(BUILD) -Dtests=true -Dwerror=true
	$(COMPILE) $(BUILD)

# The plain build is gcc's, those with sanitizers are clang's: each test run builds everything with both, warnings as errors.
build-asan/build.ninja:
	CC=clang meson setup build-asan -Dtests=true -Db_sanitize=address,undefined --werror

build-tsan/build.ninja:
	CC=clang meson setup build-tsan -Dtests=true -Db_sanitize=thread --werror

.PHONY: build-asan build-tsan
build-asan: test-tools build-asan/build.ninja
	$(COMPILE) build-asan

build-tsan: test-tools build-tsan/build.ninja
	$(COMPILE) build-tsan

test: build-asan build-tsan build-mutants
	$(PYTHON) tests/run.py --with asan --with tsan

asan: build-asan
	$(PYTHON) tests/run.py --with asan --suite asan

tsan: build-tsan
	$(PYTHON) tests/run.py --with tsan --suite tsan

tidy: test-tools
	tools/tidy.sh $(BUILD)

fmt:
	@tools/install.sh test
	git ls-files '*.c' '*.h' | xargs clang-format -i

conformance: test-tools
	@tools/install.sh conformance
	$(PYTHON) tests/run.py --suite conformance --suite apps

# What fails against the real ZooKeeper, in the same way: the files tests/conformance/*.baseline. Tests that fail are its
# result, not its failure.
BASELINE = FK_CONFORMANCE_SERVER=zookeeper $(PYTHON) tests/conformance
.PHONY: conformance-baseline
conformance-baseline: test-tools
	@tools/install.sh conformance
	-$(BASELINE)/kazoo.py --version 2.8 --baseline
	-$(BASELINE)/kazoo.py --version 2.11 --baseline
	-$(BASELINE)/java_suite.py zookeeper --baseline
	-$(BASELINE)/java_suite.py curator --baseline
	-for suite in c go node rust; do $(BASELINE)/client_suite.py $$suite --baseline; done

# The test cloud: emulators of AWS on the loopback interface (docs/aws-testing.md). `make test` has the first target in it.
.PHONY: test-aws conformance-aws
test-aws: test-tools
	$(PYTHON) tests/run.py --suite aws

conformance-aws: test-tools
	FK_AWS_FULL=1 FK_SUITE_SECONDS=14400 $(PYTHON) tests/run.py --suite aws

bench: build
	@tools/install.sh bench
	$(PYTHON) bench/bench.py --write-docs

# From our programs and what was published: a few seconds, nothing is measured anew.
.PHONY: paper
paper: test-tools
	$(PYTHON) tools/paper.py --build $(BUILD)

CYCLES ?= 500
chaos: test-tools
	$(PYTHON) tests/chaos/crash.py --cycles $(CYCLES)

.PHONY: scale
scale: test-tools
	tests/scale/run-scale --full

# FROM: the first seed; another one for each campaign that is to count.
FROM ?= 1
.PHONY: sim mutants
sim: test-tools
	$(BUILD)/sim/faaskeeper-sim --seeds $(FROM)..$(FROM) --minutes $(MINUTES)

# The two simulators with the seeded design bugs, and nothing else.
build-mutants/build.ninja:
	meson setup build-mutants -Dtests=true -Dmutants=true --werror

.PHONY: build-mutants
build-mutants: test-tools build-mutants/build.ninja
	$(COMPILE) build-mutants faaskeeper-sim faaskeeper-sim-local

mutants: build-mutants
	tests/sim/run-mutants --all

fuzz:
	@tools/install.sh test
	tests/fuzz/run.sh $(MINUTES)

cover:
	@tools/install.sh test
	@test -f build-cover/build.ninja || meson setup build-cover -Dtests=true -Db_coverage=true
	$(COMPILE) build-cover
	meson test -C build-cover --print-errorlogs
	mkdir -p build-cover/coverage
	gcovr -r . --object-directory build-cover -e tests/ -e bench/ --html-details build-cover/coverage/index.html --print-summary

.PHONY: deb sbom oci man
deb:
	@tools/install.sh package
	packaging/deb/build build-deb

sbom: build
	$(PYTHON) packaging/sbom.py $(BUILD)/faaskeeper $(BUILD)/faaskeeper.spdx.json

oci: build
	@tools/install.sh package
	$(PYTHON) packaging/oci/build.py $(BUILD)/faaskeeper build-oci/faaskeeper.tar

# Four builds without the compiler's cache: some minutes.
.PHONY: reproducible
reproducible: test-tools
	$(PYTHON) tests/run.py --suite packaging/reproducible

# Static programs for both architectures; each in a build of its own.
.PHONY: lambda
lambda:
	@tools/install.sh lambda
	$(PYTHON) packaging/lambda/build.py dist

man: build
	tools/man.py $(BUILD)/faaskeeper docs/man

install: build
	meson install -C $(BUILD)

clean:
	rm -rf build build-asan build-tsan build-cover build-fuzz build-mutants build-deb build-oci build-lambda dist
