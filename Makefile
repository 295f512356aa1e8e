# SPDX-License-Identifier: MIT
# One file, no recursion into folders. `make help` says what there is; README.md how to start.

BUILD     ?= build
PREFIX    ?= /usr/local
CFLAGS    ?= $(if $(filter musl,$(STATIC)),-Os,-O2) -g
SECONDS   ?= 60
ENGINE    ?= libfuzzer
NVCC      ?= $(firstword $(wildcard $(addsuffix /nvcc,$(subst :, ,$(PATH)) $(CUDA_HOME)/bin /usr/local/cuda/bin)))
Q         := $(if $(V),,@)
say        = $(if $(V),@:,@printf '  %-6s %s\n' '$(1)' '$(patsubst $(BUILD)/%,%,$@)')

# Each kind of build has its folder below $(BUILD), so that objects never mix. With STATIC=1 only the
# link is another.
comma   := ,
OUT     := $(BUILD)$(if $(SANITIZE),/sanitize-$(subst $(comma),-,$(SANITIZE)))
OUT     := $(OUT)$(if $(filter musl,$(STATIC)),/musl)
OBJ     := $(OUT)/obj
OUT     := $(OUT)$(if $(filter 1,$(STATIC)),/static)
PROGRAMS := muster-init musterctl $(if $(STATIC),,muster-sidecar)
ifeq ($(STATIC),musl)
CC := musl-gcc
endif

ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += --no-print-directory -j$(shell nproc)
endif

# ---- flags ----
WARN := -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wvla -Walloca -Wstrict-prototypes \
	-Wmissing-prototypes $(if $(WERROR),-Werror)
# of these the compiler takes those that it knows on this machine
HARDEN := -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero \
	-fcf-protection=full -mbranch-protection=standard
known   = $(shell for flag in $(1); do $(CC) -Werror $$flag -x c -c -o /dev/null /dev/null \
	2>/dev/null && echo "$$flag"; done)
FORTIFY = $(shell for level in 3 2; do echo '\#include <stdio.h>' | $(CC) -Werror -O2 -E -x c \
	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$$level - >/dev/null 2>&1 && \
	{ echo "-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$$level"; break; }; done)

ifneq ($(SANITIZE),)
HARD := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
else
HARD := $(call known,$(HARDEN)) $(if $(filter musl,$(STATIC)),,$(FORTIFY))
endif
# that of the compiler: another may not know what CC makes
AR      := $(shell $(CC) -print-prog-name=ar)
COMPILE := $(CC) -std=gnu17 -D_GNU_SOURCE $(WARN) $(HARD) -ffunction-sections -fdata-sections \
	"-ffile-prefix-map=$(CURDIR)=."
LINK := $(CC) $(HARD) -Wl,--as-needed -Wl,--gc-sections -Wl,-z,now,-z,noexecstack

ifneq ($(STATIC),musl)
COMPILE += -fPIE
LINK    += $(if $(STATIC),-static-pie,-pie) -Wl,-z,relro,-z,separate-code
else
# The smallest: at a fixed address nothing is relocated, so no page is dirtied by it and there is
# nothing for relro to protect.
COMPILE   += -fno-pie -fno-asynchronous-unwind-tables
LINK      += -static -no-pie -Wl,-z,norelro,-z,noseparate-code
MUSL_LIBS := $(addprefix $(OUT)/lib/lib,inih.a seccomp.a yaml.a)
INCLUDE   := -isystem $(OUT)/include -idirafter $(OUT)/kernel
LINK      += -L$(OUT)/lib
endif
INCLUDE += -Icommon
# Who sees whose headers besides its own and those of common/: docs/architecture.md. Only tests may look
# into all programs.
INIT   := init $(addprefix init/,start wrap system child)
SEES_init        := init/system init/child
SEES_init/start  := init init/wrap init/system init/child
SEES_init/wrap   := init/system init/child
SEES_init/system := init/child
$(OBJ)/tests/%.o: INCLUDE += $(addprefix -I,$(INIT) init/ctl sidecar tests/fuzz/engine)

# ---- programs ----
objects  = $(patsubst %.c,$(OBJ)/%.o,$(wildcard $(addsuffix /*.c,$(1))))
named    = $(patsubst tests/$(1)/%.c,$(OUT)/$(1)/%,$(wildcard tests/$(1)/*.c))
COMMON  := $(OBJ)/libmuster.a
# Statically where that is possible: hardly anybody who wraps a program needs it, and a library more to
# load would be paid for at each start.
SECCOMP      := $(if $(findstring /,$(shell $(CC) -print-file-name=libseccomp.a)),-l:libseccomp.a,-lseccomp)
CTL_LIBS     := -l:libyaml.a
SIDECAR_LIBS := -lcurl -lmicrohttpd -lcares -ljansson -lseccomp

all: $(addprefix $(OUT)/,$(PROGRAMS))

# What wrap mode needs comes first, and what of libc it needs behind it (-lc): a wrapped program keeps
# few pages of init in memory.
WRAPPING := $(patsubst %,$(OBJ)/%.o,$(addprefix init/,start/main start/options wrap/wrap wrap/wrap_start \
	child/spawn child/exec wrap/terminal system/memory system/fault) common/fd)
$(OUT)/muster-init: $(call objects,$(INIT)) $(COMMON)
	$(call say,LINK)
	$(Q)mkdir -p $(@D)
	$(Q)$(LINK) $(CFLAGS) $(LDFLAGS) -o $@ $(WRAPPING) $(if $(STATIC),-lc) \
		$(filter-out $(WRAPPING),$^) -linih $(SECCOMP)
# libyaml goes into the program: a check that runs every few seconds loads no library more for it.
$(OUT)/musterctl: $(call objects,init/ctl) $(COMMON)
$(OUT)/musterctl: LIBS := $(CTL_LIBS)
$(OUT)/muster-sidecar: $(call objects,sidecar) $(COMMON)
$(OUT)/muster-sidecar: LIBS := $(SIDECAR_LIBS)
$(OBJ)/sidecar/page.o: $(wildcard sidecar/page/*)
$(OBJ)/init/wrap/personality.o: LICENSE

$(addprefix $(OUT)/,musterctl muster-sidecar):
	$(call say,LINK)
	$(Q)mkdir -p $(@D)
	$(Q)$(LINK) $(CFLAGS) $(LDFLAGS) -o $@ $^ -linih $(LIBS)

$(OBJ)/%.o: %.c $(OBJ)/flags $(MUSL_LIBS)
	$(call say,CC)
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE) $(INCLUDE) $(addprefix -I,$(SEES_$(@D:$(OBJ)/%=%))) $(CPPFLAGS) $(CFLAGS) \
		-MMD -MP -c -o $@ $<

# What of a program is not its main, for tests to link.
archive = $(filter-out %/main.o,$(call objects,$(1)))
$(COMMON): $(call objects,common)
$(OBJ)/libinit.a: $(call archive,$(INIT))
$(OBJ)/libctl.a: $(call archive,init/ctl)
$(OBJ)/libsidecar.a: $(call archive,sidecar)
$(OBJ)/lib%.a: $(OBJ)/sources
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $(filter %.o,$^)

# Whether there is a GPU that computes; needs nvcc. CUDA_ARCHS: the GPUs that it is for, as "86 89 90".
GPU_CHECK := $(addprefix dockerfiles/gpu-check/,compile gpu-check.cu) common/gpu_codes.h common/version.h
gpu-check: $(if $(NVCC),$(OUT)/gpu-check)
	$(if $(NVCC),,@echo 'gpu-check is not built: there is no nvcc (CUDA toolkit) in PATH, CUDA_HOME or /usr/local/cuda')
$(OUT)/gpu-check: $(GPU_CHECK) $(OUT)/cuda
	$(call say,NVCC)
	$(Q)NVCC='$(NVCC)' CUDA_ARCHS='$(CUDA_ARCHS)' dockerfiles/gpu-check/compile $(abspath $@)
$(OUT)/cuda: FORCE
	@mkdir -p $(@D)
	@echo '$(NVCC) $(CUDA_ARCHS)' | cmp -s - $@ || echo '$(NVCC) $(CUDA_ARCHS)' >$@

# Other flags than last time, or a library that is missing, are seen here.
$(OBJ)/flags: FORCE
	@mkdir -p $(@D)
	@test -e $@ || scripts/install-deps --check build $(if $(filter musl,$(STATIC)),musl)
	@echo '$(COMPILE) $(CPPFLAGS) $(CFLAGS)' | cmp -s - $@ || \
		echo '$(COMPILE) $(CPPFLAGS) $(CFLAGS)' >$@

# So is a source file that came or went.
$(OBJ)/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(wildcard $(addsuffix /*.c,common $(INIT) init/ctl sidecar))' | cmp -s - $@ || \
		echo '$(wildcard $(addsuffix /*.c,common $(INIT) init/ctl sidecar))' >$@

$(OUT)/lib/libinih.a: scripts/build-musl-libs
	scripts/build-musl-libs $(OUT) inih
$(OUT)/lib/libyaml.a: $(OUT)/lib/libinih.a
	scripts/build-musl-libs $(OUT) libyaml
$(OUT)/lib/libseccomp.a: $(OUT)/lib/libyaml.a
	scripts/build-musl-libs $(OUT) libseccomp

# ---- tests ----
# A unit test links common/ and init/; one named sidecar_* or ctl_* that program instead.
unit:  $(call named,unit)
tools: $(call named,tools) $(OUT)/demo/agent $(addprefix $(OUT)/nvml/,fake.so fake-v1.so fake-bare.so)
tools: $(if $(STATIC)$(SANITIZE),,$(OUT)/preload/allocations.so)
tools: $(if $(STATIC)$(SANITIZE),,$(if $(and $(NVCC),$(shell command -v g++)),$(addprefix $(OUT)/,gpu-check tools/gpu-check-fake)))
link-test = $(Q)mkdir -p $(@D) && $(LINK) $(CFLAGS) $(LDFLAGS) -o $@ $^
$(OUT)/unit/sidecar_%: $(OBJ)/tests/unit/sidecar_%.o $(OBJ)/libsidecar.a $(COMMON)
	$(call say,LINK)
	$(link-test) -lcmocka -linih $(SIDECAR_LIBS)
$(OUT)/unit/ctl_%: $(OBJ)/tests/unit/ctl_%.o $(OBJ)/libctl.a $(COMMON)
	$(call say,LINK)
	$(link-test) -lcmocka -linih $(CTL_LIBS)
$(OUT)/unit/%: $(OBJ)/tests/unit/%.o $(OBJ)/libinit.a $(COMMON)
	$(call say,LINK)
	$(link-test) -lcmocka -linih $(SECCOMP)
$(OUT)/tools/%: $(OBJ)/tests/tools/%.o $(COMMON)
	$(call say,LINK)
	$(link-test)
# NVIDIA's library as a fake: of now, of old drivers, and with as little as there can be.
$(OUT)/nvml/fake-v1.so: CPPFLAGS += -DFAKE_V1
$(OUT)/nvml/fake-bare.so: CPPFLAGS += -DFAKE_BARE
$(OUT)/nvml/%.so: tests/nvml/fake_nvml.c sidecar/nvml.h $(OBJ)/flags
	$(call say,LINK)
	$(Q)mkdir -p $(@D) && $(COMPILE) -Isidecar $(CPPFLAGS) $(CFLAGS) -fPIC -shared -fvisibility=hidden -o $@ $<
# For LD_PRELOAD.
$(OUT)/preload/%.so: tests/preload/%.c $(OBJ)/flags
	$(call say,LINK)
	$(Q)mkdir -p $(@D) && $(COMPILE) -fno-builtin $(CPPFLAGS) $(CFLAGS) -fPIC -shared -o $@ $<
# gpu-check with CUDA's runtime as a fake.
$(OUT)/tools/gpu-check-fake: tests/cuda/fake_cudart.c $(GPU_CHECK)
	$(call say,NVCC)
	$(Q)mkdir -p $(@D) && $(NVCC) -O2 -c -o $@.o $<
	$(Q)NVCC='$(NVCC)' CUDA_ARCHS=86 dockerfiles/gpu-check/compile $(abspath $@ $@.o)
# An entry of tests/fuzz is run by libFuzzer where the build is for it; in any other build it is a
# program that plays the files it is given.
FUZZ_MAIN := $(if $(findstring fuzzer,$(SANITIZE)),,replay)
FUZZ_WITH := $(patsubst %,$(OBJ)/tests/fuzz/engine/%.o,arena $(FUZZ_MAIN))
link-fuzz  = $(link-test) $(if $(FUZZ_MAIN),,-fsanitize=fuzzer) -linih
$(OUT)/fuzz/ctl_%: $(OBJ)/tests/fuzz/ctl_%.o $(FUZZ_WITH) $(OBJ)/libctl.a $(COMMON)
	$(call say,LINK)
	$(link-fuzz) $(CTL_LIBS)
$(OUT)/fuzz/sidecar_%: $(OBJ)/tests/fuzz/sidecar_%.o $(FUZZ_WITH) $(OBJ)/libsidecar.a $(COMMON)
	$(call say,LINK)
	$(link-fuzz) $(SIDECAR_LIBS)
$(OUT)/fuzz/init_%: $(OBJ)/tests/fuzz/init_%.o $(FUZZ_WITH) $(OBJ)/libinit.a $(COMMON)
	$(call say,LINK)
	$(link-fuzz) $(SECCOMP)
$(OUT)/fuzz/%: $(OBJ)/tests/fuzz/%.o $(FUZZ_WITH) $(COMMON)
	$(call say,LINK)
	$(link-fuzz)

# The services of the reference stack.
$(OUT)/demo/agent: demo/reference/agent.c $(OBJ)/flags
	$(call say,LINK)
	$(Q)mkdir -p $(@D) && $(COMPILE) $(CFLAGS) -o $@ $<

# The unit tests and the corpus of configurations run a second time, under sanitizers, and so do the
# seeds of the fuzzers.
CHECKED := address,undefined
test:
	$(Q)scripts/install-deps build test
	$(Q)+$(MAKE) all unit tools
	$(Q)+$(MAKE) STATIC=1 all
	$(Q)+$(MAKE) SANITIZE=$(CHECKED) all unit fuzz-entries
	$(Q)MUSTER_BUILD=$(BUILD) python3 tests/run.py $(TESTS)

# IMAGES="cpu cuda"; DOCKER=podman, BASE=, CUDA_DEVEL= and others as scripts/build-images says
images:
	$(Q)scripts/build-images $(IMAGES)

# In containers, of engines that are started for this and stopped behind it. The programs that are put
# into containers are static.
test-image:
	$(Q)scripts/install-deps build test image
	$(Q)+$(MAKE) all
	$(Q)+$(MAKE) STATIC=1 all tools
	$(Q)MUSTER_BUILD=$(abspath $(BUILD)) python3 tests/image/engine.py \
		python3 tests/run.py $(or $(TESTS),'image/*')

# On a Kubernetes of one node, built once from Debian's source package: its programs stay in a folder of the user's.
K8S := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/muster-k8s
test-k8s:
	$(Q)scripts/install-deps build test image k8s
	$(Q)+$(MAKE) all
	$(Q)+$(MAKE) STATIC=1 all tools
	$(Q)scripts/build-kubernetes $(K8S)
	$(Q)MUSTER_BUILD=$(abspath $(BUILD)) python3 tests/image/engine.py python3 tests/k8s/cluster.py \
		python3 tests/run.py $(or $(TESTS),'k8s/*')

# ---- more ----
demo:
	$(Q)scripts/install-deps build demo
	$(Q)+$(MAKE) all $(OUT)/demo/agent
	$(Q)MUSTER_BUILD=$(OUT) scripts/demo

lint:
	$(Q)scripts/install-deps build test lint
	$(Q)+$(MAKE) BUILD=$(BUILD)/lint WERROR=1 all unit tools
	$(Q)MUSTER_BUILD=$(BUILD)/lint scripts/lint

analyze:
	$(Q)scripts/install-deps build
	$(Q)+$(MAKE) BUILD=$(BUILD)/analyze CC=gcc CFLAGS='-O2 -g -fanalyzer' all

# Each entry of tests/fuzz, or those that FUZZ names, for SECONDS; ENGINE=afl: by AFL++. What is learned
# and found stays in build/fuzz.
ifeq ($(ENGINE),afl)
FUZZ_BUILD = BUILD=$(BUILD)/afl CC=afl-clang-fast SANITIZE=$(CHECKED)
FUZZ_OUT   = $(BUILD)/afl/sanitize-$(subst $(comma),-,$(CHECKED))/fuzz
else
FUZZ_BUILD = CC=$(firstword $(foreach name,clang-14 clang,$(shell command -v $(name)))) SANITIZE=$(FUZZED)
FUZZED    := fuzzer-no-link,address,undefined
FUZZ_OUT   = $(BUILD)/sanitize-$(subst $(comma),-,$(FUZZED))/fuzz
endif
fuzz:
	$(Q)scripts/install-deps build fuzz $(filter afl,$(ENGINE))
	$(Q)+$(MAKE) $(FUZZ_BUILD) fuzz-entries
	$(Q)scripts/fuzz --engine $(ENGINE) --seconds $(SECONDS) --place $(BUILD)/fuzz $(FUZZ_OUT) $(FUZZ)
fuzz-entries: $(call named,fuzz)

# Counters are in memory that all processes of a program share: tests/coverage/counters.c.
COVERAGE := $(abspath $(BUILD))/coverage
coverage:
	$(Q)scripts/install-deps build test coverage
	$(Q)mkdir -p -m 1777 $(COVERAGE)/counters
	$(Q)gcc -std=gnu17 -D_GNU_SOURCE $(WARN) -O2 -fPIE -DCOUNTERS_FOLDER='"$(COVERAGE)/counters"' \
		-c -o $(COVERAGE)/counters.o tests/coverage/counters.c
	$(Q)+$(MAKE) BUILD=$(COVERAGE) CC=gcc CFLAGS='-O0 -g -fprofile-arcs -ftest-coverage -fprofile-update=atomic \
		-fprofile-info-section=gcov_info -Wno-format-overflow -Wno-format-truncation' \
		LDFLAGS='$(COVERAGE)/counters.o -Wl,-T,tests/coverage/counters.ld,--build-id,-z,muldefs -lgcov' all unit tools fuzz-entries
	$(Q)python3 -B tests/coverage/coverage.py $(COVERAGE) $(TESTS)

# RELIABILITY='NAME ...' runs some of tests/reliability/; of a build for one of them each object of an arena
# is a reservation of its own, which can fail
reliability:
	$(Q)scripts/install-deps build test reliability
	$(Q)+$(MAKE) all tools
	$(Q)+$(MAKE) BUILD=$(BUILD)/exact CPPFLAGS=-DCHUNK_SIZE=1 all
	$(Q)MUSTER_BUILD=$(abspath $(OUT)) python3 -B tests/reliability/report.py docs/reliability.md $(RELIABILITY)
soak:
	$(Q)+SOAK_RESTARTS=$(or $(RESTARTS),100000) $(MAKE) reliability RELIABILITY=soak

# The programs of the benchmark, and what it runs: bench-programs, bench.
include tests/bench/bench.mk
bench-deps:
	$(Q)scripts/install-deps build bench musl
	$(Q)+$(MAKE) all
	$(Q)+$(MAKE) STATIC=1 all
	$(Q)+$(MAKE) STATIC=musl all || echo 'without the musl build: see above' >&2
$(BENCH_PROGRAMS): | bench-deps
bench-programs: $(OUT)/bench/resolve $(OUT)/demo/agent
$(OUT)/bench/resolve: $(OBJ)/tests/bench/resolve.o $(COMMON) | bench-deps
	$(call say,LINK)
	$(Q)mkdir -p $(@D) && $(LINK) $(CFLAGS) $(LDFLAGS) -o $@ $^ -linih

# what is there only where nvcc is
BUILT := $(notdir $(wildcard $(OUT)/gpu-check))
MAN := $(wildcard docs/*.1 docs/*.5 docs/*.8)
INSTALLED = $(addprefix bin/,$(PROGRAMS) $(BUILT)) \
	$(foreach page,$(MAN),share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
	$(addprefix share/,$(COMPLETIONS))
COMPLETED   := muster-init musterctl muster-sidecar
COMPLETIONS := $(addprefix bash-completion/completions/,$(COMPLETED)) $(addprefix zsh/site-functions/_,$(COMPLETED))
# words of the shell's, as a path may have blanks
TO = "$(DESTDIR)$(PREFIX)"
install: all
	$(Q)install -d $(foreach place,$(sort $(dir $(INSTALLED))),$(TO)/$(place))
	$(Q)install -m 755 $(addprefix $(OUT)/,$(PROGRAMS) $(BUILT)) $(TO)/bin
	$(Q)for page in $(MAN); do \
		install -m 644 $$page $(TO)/share/man/man$${page##*.}; done
	$(Q)for name in $(COMPLETED); do \
		install -m 644 docs/completions/$$name.bash $(TO)/share/bash-completion/completions/$$name; \
		install -m 644 docs/completions/_$$name $(TO)/share/zsh/site-functions; done
uninstall:
	rm -f $(foreach file,$(INSTALLED),$(TO)/$(file))

# The archives of a release, and Debian's packages.
dist:
	$(Q)scripts/install-deps build dist
	$(Q)scripts/dist $(BUILD)/dist
deb:
	$(Q)scripts/install-deps build test deb
	$(Q)scripts/build-deb $(BUILD)/deb
check-reproducible:
	$(Q)scripts/install-deps build test dist deb
	$(Q)scripts/check-reproducible $(REPRODUCIBLE)

# What dist and deb have made, in use: on other roots, and for the other architecture in an emulator.
test-dist: dist deb
	$(Q)+$(MAKE) STATIC=musl all || echo 'without the musl build: see above' >&2
	$(Q)MUSTER_BUILD=$(BUILD) python3 tests/run.py $(or $(TESTS),'dist/*')

clean:
	rm -rf $(BUILD)

help:
	@sed -n 's/^#: \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

#: make                 build muster-init, musterctl and muster-sidecar into build/
#: make demo            start a real stack and show it; ONCE=1: shut it down once all is ready;
#:                      STACK=reference: 84 services on two hosts, SCALE=0.1: with a tenth of their delays
#: make test            build and run all tests; TESTS='NAME ...' runs some
#: make test-image      run what needs containers: starts engines of its own, needs root
#: make test-k8s        run the manifests of k8s/ on a Kubernetes of its own, needs root; the first time builds it
#: make images          the images of dockerfiles/, with their sizes; needs docker or podman
#: make lint            formatting, warnings, static checks
#: make analyze         build with gcc's analyzer, whose warnings are to be judged
#: make fuzz            fuzz the parsers, SECONDS=60 each; FUZZ='NAME ...' some of them, ENGINE=afl: by AFL++
#: make coverage        run the tests with counters; fails where more than docs/coverage.md says is not reached
#: make bench           the measurements of docs/benchmarks.md
#: make reliability     the figures of docs/reliability.md; RELIABILITY='NAME ...' some of them
#: make soak            the same of RESTARTS=100000 of services, beside all else
#: make gpu-check       build the check of GPUs, with nvcc; CUDA_ARCHS='86 89 90'
#: make install         DESTDIR= PREFIX=/usr/local; uninstall removes the same files
#: make dist            archives of sources and programs, checksums and SBOMs, into build/dist/
#: make deb             Debian's packages, into build/deb/; test-dist tries both, check-reproducible makes them twice
#: make clean           remove build/
#:
#: Variables, each with a folder of its own below build/:
#:   SANITIZE=address,undefined   build/sanitize-address-undefined/
#:   STATIC=1                     build/static/   muster-init and musterctl, static-pie with glibc
#:   STATIC=musl                  build/musl/     the smallest
#: V=1 shows commands, WERROR=1 makes warnings errors, BUILD=DIR builds elsewhere.

FORCE:
.PHONY: all unit dist deb check-reproducible test-dist tools gpu-check test images test-image test-k8s demo lint analyze fuzz fuzz-entries reliability soak coverage bench-deps install uninstall clean help FORCE
# kept although only a chain of rules asks for them; not .SECONDARY, which would also hide that a header is gone
.PRECIOUS: $(OBJ)/%.o
.SUFFIXES:
.DELETE_ON_ERROR:
-include $(patsubst %.o,%.d,$(call objects,common $(INIT) init/ctl sidecar tests/unit tests/tools tests/fuzz tests/fuzz/engine tests/bench))
