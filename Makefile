# SPDX-License-Identifier: GPL-2.0-or-later
# cnish: make | make demo | make check | make install | make lint | make check-incident | make check-kernel | make mutants | make bench | make fuzz | make clean
#
# Sources are found, not listed: a new file needs no line here. Everything built goes below build/.
# Variables: SAN=1 (address and undefined behaviour sanitizers), V=1 (show commands), CC, PREFIX, DESTDIR.

PREFIX ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0
V ?= 0
Q := $(if $(filter 1,$(V)),,@)

B := $(if $(FUZZ),build/fuzz,$(if $(SAN),build/san,build))
CC ?= cc
PKGS := libmnl libnftnl libip4tc libip6tc jansson libnghttp2 libprotobuf-c zlib
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes
CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 -fno-strict-aliasing $(WARN) $(if $(SAN),-fsanitize=address$(comma)undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
FUZZ_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
ifdef FUZZ
override CFLAGS += -O1 $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link
endif
override CPPFLAGS += -I. -I$(B)/gen -D_GNU_SOURCE -DCNISH_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
# Loading and binding a library costs about as much as reading a small namespace; those that only some
# commands need are linked in where their archive is installed.
in_archive = $(if $(wildcard $(shell $(CC) -print-file-name=$(1:-l%=lib%.a))),$(1:-l%=-l:lib%.a),$(1))
# At a fixed address the tables of commands, codecs and fields need no relocation at start-up, which costs as
# much as reading a small namespace does; and fewer segments are mapped. PIE=1 makes a position-independent program.
NO_PIE := $(if $(PIE)$(SAN)$(FUZZ),,-no-pie -Wl,-z,noseparate-code)
# libiptc is loaded when a legacy table is to be written (nsutil/xt/iptc.c).
LIBS := $(filter-out -lip4tc -lip6tc,$(shell pkg-config --libs $(PKGS) 2>/dev/null)) -lreadline -ltinfo
LIBS := $(foreach l,$(LIBS),$(call in_archive,$(l))) -lpthread
comma := ,

find_c = $(sort $(shell find $(1) -name '*.c' 2>/dev/null))
PROTO := $(wildcard nsutil/pod/*.proto)
GEN := $(PROTO:%.proto=$(B)/gen/%.pb-c.c)
NSUTIL := $(call find_c,nsutil)
PROGRAM := $(filter-out shell/portable/%,$(call find_c,shell commands))
NSUTIL_O := $(NSUTIL:%.c=$(B)/%.o) $(GEN:%.c=%.o)
PROGRAM_O := $(PROGRAM:%.c=$(B)/%.o)
UNIT := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))
TOOLS := $(patsubst %.c,$(B)/%,$(wildcard tests/lib/*.c)) $(patsubst %.c,$(B)/%.so,$(wildcard tests/lib/preload/*.c))

.PHONY: all portable static dist demo check coverage fuzz lint install clean bench crash setup-build setup-check test-programs check-kernel check-incident mutants FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/cnish

$(B)/cnish: $(PROGRAM_O) $(B)/libnsutil.a
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(NO_PIE) $(LDFLAGS) -o $@ $(PROGRAM_O) $(B)/libnsutil.a $(LIBS)

$(B)/libnsutil.a: $(NSUTIL_O)
	@echo "  AR      $@"
	$(Q)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^

# Everything of the program but main, for unit tests of shell/ and commands/.
$(B)/libcnish.a: $(filter-out $(B)/shell/main.o,$(PROGRAM_O))
	@echo "  AR      $@"
	$(Q)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^

$(B)/%.o: %.c $(B)/.packages
	@echo "  CC      $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Generated code is not ours to keep free of warnings.
$(B)/gen/%.pb-c.o: $(B)/gen/%.pb-c.c
	@echo "  CC      $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -w -c -o $@ $<

$(B)/gen/%.pb-c.c: %.proto $(B)/.packages
	@echo "  PROTO   $<"
	@mkdir -p $(@D)
	$(Q)protoc-c --proto_path=. --c_out=$(B)/gen $<

$(NSUTIL_O) $(PROGRAM_O): $(if $(GEN),| $(GEN))

# What is missing is named before the compiler stumbles over it.
$(B)/.packages: tests/lib/setup
	@tests/lib/setup --test build
	@mkdir -p $(@D) && touch $@

$(B)/tests/unit/%: tests/unit/%.c $(B)/libcnish.a $(B)/libnsutil.a
	@echo "  TEST    $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(B)/libcnish.a $(B)/libnsutil.a $(LIBS) -lcmocka -lm

# Stand-ins and drivers the tests use (an Envoy, a lying runtime, ...).
$(B)/tests/lib/%: tests/lib/%.c $(B)/libnsutil.a
	@echo "  TOOL    $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(B)/libnsutil.a $(LIBS)

# What tests put in front of libc.
$(B)/tests/lib/preload/%.so: tests/lib/preload/%.c
	@echo "  TOOL    $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) -O2 -shared -fPIC -o $@ $<

$(B)/tests/bench/%: tests/bench/%.c $(B)/libcnish.a $(B)/libnsutil.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(B)/libcnish.a $(B)/libnsutil.a $(LIBS)

$(B)/tests/fuzz/%: tests/fuzz/%.c $(B)/libcnish.a $(B)/libnsutil.a
	@echo "  FUZZ    $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer -MMD -MP -MF $@.d -o $@ $< $(B)/libcnish.a $(B)/libnsutil.a $(LIBS)

# A folder that needs nothing of the system it is on: program, libraries, loader, and a static launcher.
PORTABLE := $(B)/cnish-$(VERSION)-$(shell uname -m)
portable: $(B)/cnish
	$(Q)$(CC) $(CFLAGS) -static -o $(B)/launch shell/portable/launch.c
	$(Q)tests/lib/portable $(B)/cnish $(B)/launch $(PORTABLE)

# One static binary, where there are static libraries of all; STATIC_DIRS: where else to look for them, STATIC_SRC: where
# there is source of those that no package has. Tables for unwinding are a tenth of it, and nothing unwinds.
STATIC_BUILT := $(B)/static
STATIC_DIRS += $(if $(STATIC_SRC),$(STATIC_BUILT))
static:
	$(Q)[ -z "$(STATIC_SRC)" ] || tests/lib/static-source "$(CC)" $(STATIC_BUILT) $(STATIC_SRC)
	$(Q)tests/lib/static "$(CC)" $(STATIC_DIRS) >/dev/null
	$(Q)$(MAKE) --no-print-directory $(B)/cnish-static

$(B)/cnish-static: $(PROGRAM_O) $(B)/libnsutil.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,-u,iptc_init,-u,ip6tc_init -o $@ $(PROGRAM_O) $(B)/libnsutil.a $(STATIC_DIRS:%=-L%) \
		-Wl,--start-group $$(tests/lib/static "$(CC)" $(STATIC_DIRS)) -Wl,--end-group -lpthread -lm
	$(Q)strip -R .comment -R .eh_frame -R .eh_frame_hdr -R .gcc_except_table $@
	@echo "  STATIC  $@ ($$(($$(stat -c %s $@) / 1024)) KiB)"
	@[ $$(stat -c %s $@) -lt 3000000 ] || { echo "make static: more than 3 MB" >&2; exit 1; }

dist:
	$(Q)mkdir -p $(B)
	$(Q)git archive --format=tar.gz --prefix=cnish-$(VERSION)/ -o $(B)/cnish-$(VERSION).tar.gz HEAD
	@echo "  DIST    $(B)/cnish-$(VERSION).tar.gz"

# Harnesses of libFuzzer: build/fuzz/tests/fuzz/NAME [CORPUS...] -dict=tests/fuzz/NAME.dict
fuzz:
	$(Q)$(MAKE) --no-print-directory FUZZ=1 CC=clang $(patsubst %.c,build/fuzz/%,$(wildcard tests/fuzz/*.c))

setup-build:
	@tests/lib/setup build

setup-check:
	@tests/lib/setup build check

# The set-up runs before the sources are looked at, since pkg-config is part of it.
demo: setup-build
	@tests/lib/setup demo
	$(Q)$(MAKE) --no-print-directory all $(B)/tests/lib/standin $(B)/tests/lib/connect
	$(Q)tests/lib/demo $(B)/cnish

check: setup-check
	$(Q)$(MAKE) --no-print-directory test-programs
	$(Q)BUILD=$(B) tests/lib/run $(TESTS)

# The incident on a real kernel; part of 'make check' too.
check-incident: setup-check
	$(Q)$(MAKE) --no-print-directory test-programs
	$(Q)BUILD=$(B) tests/lib/run vm/incident

test-programs: $(B)/cnish $(TOOLS) $(UNIT)

# Random rulesets and packets against the kernel's own trace: make check-kernel N=200000 SEED=7
N ?= 2000
SEED ?= 1
check-kernel: setup-check
	$(Q)$(MAKE) --no-print-directory $(B)/tests/lib/kdiff
	$(Q)TOOLS=$(B)/tests/lib tests/kernel/kdiff -n $(N) -s $(SEED)

# Where the evaluator is broken on purpose, and which test notices; tests/trace/mutate runs them anew
mutants:
	$(Q)tests/trace/mutate --list

# SIGKILL at every system call of apply, flush and undo that changes something: some ten minutes; SCENARIO=repair-legacy
crash: setup-check
	$(Q)$(MAKE) --no-print-directory test-programs
	$(Q)BUILD=$(B) tests/lib/crash $(SCENARIO)

# The table of xt matches and targets: what of the manual page is tried, and what comes out as iptables has it
coverage: setup-check
	$(Q)$(MAKE) --no-print-directory test-programs
	$(Q)TOOLS=$(B)/tests/lib CNISH=$(B)/cnish tests/lib/xt-corpus

lint:
	$(Q)tests/lib/lint

bench: setup-check
	$(Q)$(MAKE) --no-print-directory all $(B)/tests/lib/measure $(B)/tests/bench/trace $(B)/tests/lib/standin $(B)/tests/lib/connect
	$(Q)BUILD=$(B) tests/bench/run; r=$$?; BUILD=$(B) tests/bench/scan && exit $$r

# Completion scripts, printed by the program itself from its table of commands.
COMPLETIONS := $(addprefix $(B)/completions/,bash zsh fish)
$(COMPLETIONS): $(B)/completions/%: $(B)/cnish
	@mkdir -p $(@D)
	$(Q)$(B)/cnish help --completion $* >$@

install: $(B)/cnish $(COMPLETIONS)
	install -D -m 755 $(B)/cnish $(DESTDIR)$(PREFIX)/bin/cnish
	install -m 755 shell/kubectl-cnish $(DESTDIR)$(PREFIX)/bin/kubectl-cnish
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/,man/man1 man/man5 man/man7 cnish/schema)
	install -m 644 man/cnish.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 man/cnish-json.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 man/cnish-trace.7 $(DESTDIR)$(PREFIX)/share/man/man7/
	install -D -m 644 $(B)/completions/bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/cnish
	install -D -m 644 $(B)/completions/zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_cnish
	install -D -m 644 $(B)/completions/fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/cnish.fish
	install -m 644 man/schema/*.json $(DESTDIR)$(PREFIX)/share/cnish/schema/

clean:
	rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)
