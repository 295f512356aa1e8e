# The programs of the benchmark, and the benchmark. Included by the Makefile; alone it works too:
# make -f tests/bench/bench.mk bench-programs BUILD=build
CC ?= cc
BUILD ?= build
CFLAGS ?= -O2 -g
CPPFLAGS ?= -D_GNU_SOURCE
WARN ?= -std=gnu17 -Wall -Wextra

BENCH_TOOLS := launch wrap signal orphans ref_event stream pace
BENCH_BARE := true tiny ref_init
# no libc, one segment, nothing to relocate: what is left is what the kernel does for an exec
BENCH_BARE_FLAGS = -O2 -static -nostdlib -ffreestanding -fno-pie -no-pie -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -s \
	-Wl,--build-id=none -Wl,-z,noseparate-code -Wl,-z,norelro
BENCH_PROGRAMS := $(addprefix $(BUILD)/bench/,$(BENCH_TOOLS) $(BENCH_BARE))

bench-programs: $(BENCH_PROGRAMS)

$(addprefix $(BUILD)/bench/,$(BENCH_TOOLS)): $(BUILD)/bench/%: tests/bench/%.c tests/bench/bench.h tests/bench/record.h
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE $(WARN) -O2 -g -static -o $@ $<
$(addprefix $(BUILD)/bench/,$(BENCH_BARE)): $(BUILD)/bench/%: tests/bench/%.c tests/bench/sys.h tests/bench/record.h
	@mkdir -p $(@D)
	$(CC) $(WARN) $(BENCH_BARE_FLAGS) -o $@ $<

# BENCH="wrap start=layered84": only these; QUICK=1: fewer rounds; DINIT=path: a dinit to compare with
BENCH ?= all
bench: bench-programs
	BUILD=$(BUILD) python3 -B tests/bench/bench.py $(BENCH); made=$$?; \
		BUILD=$(BUILD) python3 -B tests/bench/bench.py report && exit $$made

.PHONY: bench bench-programs
