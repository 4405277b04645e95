# kith: `make` builds build/kith from what is installed; `make run` and `make check` install first.
# BUILD=dir keeps several builds apart, BUNDLE=dir links the static libraries of tools/bundle.

BUILD ?= build
comma := ,
CC ?= cc
DOMAIN ?= localhost
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wvla -Wformat=2 -Wundef
OPTIMIZE ?= $(if $(BUNDLE),-Os -g -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables,-O2 -g)
CFLAGS ?=
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(OPTIMIZE) $(WARNINGS) -fno-strict-aliasing \
	-fstack-protector-strong -Isrc -I. $(EXTRA_CFLAGS) $(CFLAGS)
LIBS := -lmbedtls -lmbedx509 -lmbedcrypto -lexpat -llmdb -lqrencode
ifdef BUNDLE
ALL_CFLAGS += -isystem $(BUNDLE)/include -include $(BUNDLE)/include/kith_bundle.h
ALL_CFLAGS += -flto -ffat-lto-objects
LDFLAGS += -L$(BUNDLE)/lib -static -Wl,--gc-sections -fno-lto
# The program is optimized as a whole, with its libraries; the tests are linked as usual.
WHOLE := -flto=auto -Wl,-z,noseparate-code
endif
PLATFORM ?= linux
# V=1 shows the commands.
Q := $(if $(V),,@)

SOURCES := $(filter-out src/main.c,$(wildcard src/*.c src/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/profiles.o
PROFILES := $(wildcard boards/*/profile)
LIBRARY := $(BUILD)/libkith.a
UNITS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*.c))

.PHONY: all run check test unit bench tidy clean
all: $(BUILD)/kith

PLATFORM_OBJECTS := $(addprefix $(BUILD)/obj/platform/,$(PLATFORM).o unix.o runner.o)

$(BUILD)/kith: $(BUILD)/obj/src/main.o $(PLATFORM_OBJECTS) $(LIBRARY)
	@echo "link $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(WHOLE) -o $@ $^ $(LIBS)

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# gcc would fold our own malloc + memset into a call of our own calloc.
$(BUILD)/obj/src/base/heap.o: EXTRA_CFLAGS := -fno-builtin
# What stands in for libc's calls must have their names, not those of the wide ones.
$(BUILD)/obj/tests/sim/disk.o: EXTRA_CFLAGS := -U_FILE_OFFSET_BITS
$(BUILD)/obj/src/features/version.o: EXTRA_CFLAGS := -DKITH_VERSION='"$(VERSION)"'

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "cc $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(EXTRA_CFLAGS) -MMD -MP -c -o $@ $<

# The profiles as text in the program, without their comments.
$(BUILD)/profiles.c: $(PROFILES) Makefile
	@mkdir -p $(@D)
	@{ echo '#include "plan.h"'; echo 'const struct profile profiles[] = {'; \
	for file in $(PROFILES); do \
	echo "    {\"$$(basename $$(dirname $$file))\","; \
	sed -e 's/#.*//' -e 's/[ \t]*$$//' -e '/^$$/d' -e 's/["\\]/\\&/g' -e 's/.*/     "&\\n"/' $$file; \
	echo '    },'; done; echo '    {0}};'; } >$@

$(BUILD)/obj/profiles.o: $(BUILD)/profiles.c src/plan.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# A server for DOMAIN in this directory, kept under ./data. The settings are made once; a DOMAIN given
# later changes them.
run:
	@tools/need run
	@$(MAKE) --no-print-directory $(BUILD)/kith
	@mkdir -p -m 700 data
	@test -f data/kith.conf || printf '%s\n' '# Made by make run. All keys: $(BUILD)/kith serve --help' \
	    'data = data' 'domain = $(DOMAIN)' >data/kith.conf
	@$(if $(filter file,$(origin DOMAIN)),,sed -i '/^domain *=/c domain = $(DOMAIN)' data/kith.conf)
	@exec $(BUILD)/kith --config data/kith.conf serve

# A unit test is one program a file, linked against everything but main.c.
unit: $(UNITS)
	@failed=0; for unit in $(UNITS); do echo "unit: $$unit"; $$unit || failed=1; done; exit $$failed

# Tests that stand in for a function of libc's, where libc is static too.
UNIT_LDFLAGS := $(if $(BUNDLE),-Wl$(comma)-z$(comma)muldefs)
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(PLATFORM_OBJECTS) $(LIBRARY)
	@mkdir -p $(@D)
	@echo "link $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(UNIT_LDFLAGS) -o $@ $^ $(LIBS)

# Power cuts and failing disks under the store.
CRASH := $(BUILD)/crash/powercut $(BUILD)/crash/diskfault $(BUILD)/crash/archivecut
.PHONY: crash
crash: $(CRASH)
	@failed=0; for test in $(CRASH); do echo "crash: $$test"; $$test || failed=1; done; exit $$failed

$(BUILD)/crash/%: $(BUILD)/obj/tests/crash/%.o $(BUILD)/obj/tests/crash/groups.o \
		$(BUILD)/obj/tests/sim/disk.o $(PLATFORM_OBJECTS) $(LIBRARY)
	@mkdir -p $(@D)
	@echo "link $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

include tests/sim/Makefile.inc

# Fuzz targets; build them with clang and -fsanitize=fuzzer-no-link.
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*.c))
.PHONY: fuzzers
fuzzers: $(FUZZERS)
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(PLATFORM_OBJECTS) $(LIBRARY)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LIBS)

# Everything that `make check` builds with the ordinary libraries.
.PHONY: programs
programs: $(BUILD)/kith $(UNITS) $(CRASH) $(SIM)

# The ruler: the same load on kith and on a relay that only moves and encrypts bytes. These two need a
# TLS client, which the bundle does not have: they are linked with the system's mbedTLS.
TOOL_CFLAGS := -std=c11 -O2 -Wall -Wextra
TOOL_LIBS := -lmbedtls -lmbedx509 -lmbedcrypto

$(BUILD)/load: $(wildcard tools/load*.c) tools/load.h
	@mkdir -p $(@D)
	@echo "link $@"
	$(Q)cc $(TOOL_CFLAGS) -o $@ $(filter %.c,$^) $(TOOL_LIBS)

$(BUILD)/floor: tools/floor.c
	@mkdir -p $(@D)
	@echo "link $@"
	$(Q)cc $(TOOL_CFLAGS) -o $@ $^ $(TOOL_LIBS)

bench: $(BUILD)/kith $(BUILD)/load $(BUILD)/floor
	@tools/bench --build $(BUILD) $(BENCH_ARGUMENTS)

check:
	@tools/need check
	@tests/check

tidy:
	@tools/tidy

.SECONDARY:
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
