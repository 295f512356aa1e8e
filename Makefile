# muster: see README.md. Everything is built into build/.
CC ?= cc
BUILD ?= build
CFLAGS ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -Icommon -Iinit -Isidecar
WARN = -std=gnu17 -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wvla -Walloca -Wstrict-prototypes -Wmissing-prototypes

COMMON := $(wildcard common/*.c)
INIT := $(wildcard init/*.c)
CTL := $(wildcard init/ctl/*.c)
SIDECAR := $(wildcard sidecar/*.c)
UNIT := $(wildcard tests/unit/*_test.c)
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

all: $(BUILD)/muster-init $(BUILD)/musterctl $(BUILD)/muster-sidecar

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(WARN) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libmuster.a: $(call obj,$(COMMON))
	rm -f $@ && ar rcs $@ $^

$(BUILD)/muster-init: $(call obj,$(INIT)) $(BUILD)/libmuster.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -linih
$(BUILD)/musterctl: $(call obj,$(CTL)) $(BUILD)/libmuster.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -linih
$(BUILD)/muster-sidecar: $(call obj,$(SIDECAR)) $(BUILD)/libmuster.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -linih -lcurl -lmicrohttpd -lcares -ljansson

# a unit test links the library and init's objects, less its main
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(filter-out %/main.o,$(call obj,$(INIT))) $(BUILD)/libmuster.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -linih -lcmocka
unit: $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT))

clean:
	rm -rf $(BUILD)
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all unit clean
