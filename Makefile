# kith: `make` builds build/kith from what is installed; `make run` and `make check` install first.
# BUILD=dir keeps several builds apart, BUNDLE=dir links the static libraries of tools/bundle.

BUILD ?= build
CC ?= cc
DOMAIN ?= localhost
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wvla -Wformat=2 -Wundef
OPTIMIZE ?= -O2 -g
CFLAGS ?=
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE $(OPTIMIZE) $(WARNINGS) -fno-strict-aliasing \
	-fstack-protector-strong -Isrc -I. $(EXTRA_CFLAGS) $(CFLAGS)
LIBS := -lmbedtls -lmbedx509 -lmbedcrypto -lexpat -llmdb
ifdef BUNDLE
ALL_CFLAGS += -I$(BUNDLE)/include -include $(BUNDLE)/include/kith_bundle.h
LDFLAGS += -L$(BUNDLE)/lib -static
endif
PLATFORM ?= linux

SOURCES := $(filter-out src/main.c,$(wildcard src/*.c src/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/profiles.o
PROFILES := $(wildcard boards/*/profile)
LIBRARY := $(BUILD)/libkith.a
UNITS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*.c))

.PHONY: all run check test unit bench tidy clean
all: $(BUILD)/kith

PLATFORM_OBJECTS := $(BUILD)/obj/platform/$(PLATFORM).o $(BUILD)/obj/platform/unix.o

$(BUILD)/kith: $(BUILD)/obj/src/main.o $(PLATFORM_OBJECTS) $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

# gcc would fold our own malloc + memset into a call of our own calloc.
$(BUILD)/obj/src/base/heap.o: EXTRA_CFLAGS := -fno-builtin
$(BUILD)/obj/src/features/version.o: EXTRA_CFLAGS := -DKITH_VERSION='"$(VERSION)"'

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(EXTRA_CFLAGS) -MMD -MP -c -o $@ $<

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
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# A unit test is one program a file, linked against everything but main.c.
unit: $(UNITS)
	@for unit in $(UNITS); do echo "unit: $$unit"; $$unit || exit 1; done

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(PLATFORM_OBJECTS) $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
