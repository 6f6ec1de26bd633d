# Yunzheng. One Makefile, no recursion; everything made goes under $(B)/.
#
#   make            the four programs, into $(B)/bin
#   make demo       installs what is missing, builds, shows the whole path
#   make test       installs what is missing, builds with sanitizers, tests
#   make check      arrows, headers, banned functions, layout, long functions
#   make golden     rewrites the expected outputs under tests/data
#   make bench      benchmarks, ratios against peers in one run
#   make corpus     names found in real captures; CORPUS=DIR
#   make mutate     real captures cut and with bits turned; CORPUS=DIR
#   make drill      durability: DRILL_KILLS kill -9, DRILL_CUTS losses of power
#   make soak       endless new flows for SOAK_MINUTES, memory must stay flat
#   make fuzz       every fuzz target for FUZZ_SECONDS each
#   make install    programs, manual pages, units; DESTDIR and PREFIX honoured
#   make clean
#
# Variants of the objects: obj (as installed), san (address and undefined
# behaviour sanitizers), fuz (clang, libFuzzer). A library enters through
# deploy/libraries, which names its Debian package.

B       ?= build
PREFIX  ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=
CC      ?= cc
CLANG   ?= clang
CFLAGS  ?= -O2 -g
LDFLAGS ?=
# Optimisation over all files of a program; LTO= switches it off.
LTO     ?= -flto=auto
FUZZ_SECONDS ?= 30
SOAK_MINUTES ?= 30
DRILL_KILLS ?= 1000
DRILL_CUTS ?= 200
DRILL_MINUTES ?= 40
V       ?=
Q       := $(if $(V),,@)

WARN := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes \
        -Wmissing-prototypes -Wold-style-definition -Wwrite-strings \
        -Wvla -Wformat=2 -Wundef -Wno-missing-field-initializers
ifeq ($(CI),true)
WARN += -Werror
endif
BASE := -std=c17 -D_GNU_SOURCE -I. -I$(B)/gen -MMD -MP \
        -DYZ_SYSCONFDIR='"$(SYSCONFDIR)"'
HARDEN := -fstack-protector-strong -fPIE
SAN  := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
        -fno-omit-frame-pointer

PROGRAMS := probe collector verifier portal
# What each folder is linked with: its own library first, then those it uses.
LINK_common    := common
LINK_rules     := rules common
LINK_capture   := capture common
LINK_meter     := meter capture common
LINK_probe     := probe meter capture common
LINK_ledger    := ledger common
LINK_netflow   := netflow common
LINK_collector := collector netflow ledger common
LINK_verifier  := verifier rules common
LINK_portal    := portal rules common
LINK_demo      := common
LINK_bench     := capture netflow common
LINK_drill     := $(LINK_probe)
FOLDERS  := common rules capture meter ledger netflow $(PROGRAMS)

src      = $(filter-out %/main.c,$(wildcard $(1)/*.c))
TESTS    := $(wildcard $(FOLDERS:%=tests/%/*_test.c))
TOOLS    := $(filter-out tests/probe/%,$(wildcard tests/*/*_tool.c))
FUZZERS  := $(wildcard tests/fuzz/*_fuzz.c)
SCRIPTS  := $(sort $(wildcard tests/*/*_test.sh))
BENCHES  := $(sort $(filter-out %/soak.sh,$(wildcard tests/bench/*.sh)))
HEADERS  := $(wildcard $(FOLDERS:%=%/*.h) tests/*.h)
TEXTS    := $(wildcard portal/*.sql ledger/*.sql verifier/*.sql \
              portal/pages/* portal/text/*)
GENERATED := $(TEXTS:%=$(B)/gen/%.inc)
BINARIES := $(PROGRAMS:%=$(B)/bin/yz-%)

.PHONY: all demo test check golden bench corpus mutate drill soak fuzz install clean
.DEFAULT_GOAL := all
.SECONDARY:

all: $(BINARIES)

# Libraries. The goals that promise to install what they need do so first.
INSTALLING := $(filter demo test bench drill fuzz check golden,$(MAKECMDGOALS))
INSTALLED  := $(INSTALLING:%=$(B)/flags/installed-%)
$(B)/flags/installed-%: deploy/packages deploy/install-packages
	$(Q)mkdir -p $(@D)
	$(Q)deploy/install-packages build $*
	$(Q)touch $@
$(B)/flags/ok: deploy/libraries deploy/find-libraries | $(INSTALLED)
	$(Q)deploy/find-libraries deploy/libraries $(B)/flags
	$(Q)touch $@

# Text files as C string literals, included by name: "portal/001-x.sql.inc".
$(B)/gen/%.inc: %
	$(Q)mkdir -p $(@D)
	$(Q)sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $< >$@

# Objects: $(1) variant, $(2) compiler, $(3) its flags.
define variant
$(B)/$(1)/%.o: %.c $$(B)/flags/ok | $$(GENERATED)
	@mkdir -p $$(@D)
	$$(if $$(Q),@echo "  CC    $(1)/$$*.o")
	$$(Q)$(2) $$(BASE) $$(WARN) $(3) @$$(B)/flags/cflags -c -o $$@ $$<
endef
$(eval $(call variant,obj,$$(CC),$$(HARDEN) $$(CPPFLAGS) $$(CFLAGS) $$(LTO)))
$(eval $(call variant,san,$$(CC),-O1 -g $$(SAN) $$(CPPFLAGS)))
$(eval $(call variant,fuz,$$(CLANG),-O1 -g -fsanitize=fuzzer-no-link,address,undefined))

# Objects of the libraries a folder is linked with, in a variant.
objects = $(foreach f,$(LINK_$(2)),$(patsubst %.c,$(B)/$(1)/%.o,$(call src,$(f))))
link_flags = $(foreach f,$(LINK_$(1)),@$(B)/flags/$(f).libs)

define program
$(B)/bin/yz-$(1): $(B)/obj/$(1)/main.o $(call objects,obj,$(1))
	@mkdir -p $$(@D)
	$$(if $$(Q),@echo "  LINK  $$@")
	$$(Q)$$(CC) $$(CFLAGS) $$(LTO) -pie -Wl,-z,relro,-z,now $$(LDFLAGS) -o $$@ $$^ $(call link_flags,$(1))
$(B)/san/bin/yz-$(1): $(B)/san/$(1)/main.o $(call objects,san,$(1))
	@mkdir -p $$(@D)
	$$(if $$(Q),@echo "  LINK  $$@")
	$$(Q)$$(CC) $$(SAN) $$(LDFLAGS) -o $$@ $$^ $(call link_flags,$(1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

# A test program of tests/FOLDER is linked with that folder's libraries.
define unit_test
$(B)/san/$(1:%.c=%): $(B)/san/$(1:%.c=%.o) $(call objects,san,$(notdir $(patsubst %/,%,$(dir $(1)))))
	$$(if $$(Q),@echo "  LINK  $$@")
	$$(Q)$$(CC) $$(SAN) $$(LDFLAGS) -o $$@ $$^ $(call link_flags,$(notdir $(patsubst %/,%,$(dir $(1)))))
endef
$(foreach t,$(TESTS),$(eval $(call unit_test,$(t))))

# Reads damaged captures; sanitized and linked as a test, run by scripts.
MUTATE := tests/probe/mutate_tool.c
$(eval $(call unit_test,$(MUTATE)))
MUTATE_BINARY := $(MUTATE:%.c=$(B)/san/%)

# Tools of the tests (generators); plain and sanitized.
define tool
$(B)/tools/$(notdir $(1:%.c=%)): $(B)/obj/$(1:%.c=%.o) $(call objects,obj,$(notdir $(patsubst %/,%,$(dir $(1)))))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) $$(LTO) -pie $$(LDFLAGS) -o $$@ $$^ $(call link_flags,$(notdir $(patsubst %/,%,$(dir $(1))))) -lm
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$(t))))
# The durability drill: what its power switch knows of disks, and the disk that
# is loaded before a program.
$(B)/tools/power_tool: $(B)/obj/tests/drill/disk.o
POWER_SHIM := $(B)/tools/power_shim.so
$(POWER_SHIM): tests/drill/power_shim.c | $(B)/flags/ok
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(WARN) $(CFLAGS) -fPIC -shared -fvisibility=hidden -o $@ $<
TOOL_BINARIES := $(patsubst %.c,$(B)/tools/%,$(notdir $(TOOLS))) $(POWER_SHIM)

# Fuzz targets name the folder they need in front: probe_hello_fuzz.c.
fuzz_folder = $(firstword $(subst _, ,$(notdir $(1))))
define fuzzer
$(B)/fuz/$(1:%.c=%): $(B)/fuz/$(1:%.c=%.o) $(call objects,fuz,$(call fuzz_folder,$(1)))
	$$(Q)$$(CLANG) -fsanitize=fuzzer,address,undefined -o $$@ $$^ $(call link_flags,$(call fuzz_folder,$(1)))
endef
$(foreach t,$(FUZZERS),$(eval $(call fuzzer,$(t))))

SAN_BINARIES := $(PROGRAMS:%=$(B)/san/bin/yz-%)
TEST_BINARIES := $(TESTS:%.c=$(B)/san/%)

demo: $(INSTALLED) $(BINARIES) $(TOOL_BINARIES)
	$(Q)B='$(B)' DEMO_EXIT='$(DEMO_EXIT)' tests/demo/demo.sh

test: $(INSTALLED) $(SAN_BINARIES) $(BINARIES) $(TEST_BINARIES) $(TOOL_BINARIES) $(MUTATE_BINARY)
	$(Q)B='$(B)' tests/run $(TEST_BINARIES) $(SCRIPTS)

golden: $(INSTALLED) $(SAN_BINARIES) $(TEST_BINARIES) $(TOOL_BINARIES)
	$(Q)B='$(B)' GOLDEN=write tests/run $(TEST_BINARIES) $(SCRIPTS)

check: $(INSTALLED) $(B)/flags/ok $(GENERATED)
	$(Q)B='$(B)' CC='$(CC)' deploy/check $(FOLDERS)

bench: $(INSTALLED) $(BINARIES) $(TOOL_BINARIES)
	$(Q)set -e; for b in $(BENCHES); do B='$(B)' $$b; done

soak: $(INSTALLED) $(BINARIES) $(TOOL_BINARIES)
	$(Q)B='$(B)' tests/bench/soak.sh $(SOAK_MINUTES)

drill: $(INSTALLED) $(BINARIES) $(TOOL_BINARIES)
	$(Q)B='$(B)' DRILL_KILLS='$(DRILL_KILLS)' DRILL_CUTS='$(DRILL_CUTS)' \
	  DRILL_MINUTES='$(DRILL_MINUTES)' tests/drill/drill_test.sh

# Real captures kept outside the repository: DIR/captures and DIR/names.tsv.
corpus: $(B)/bin/yz-probe
	$(Q)tests/probe/corpus $< $(CORPUS)

mutate: $(MUTATE_BINARY)
	$(Q)UBSAN_OPTIONS=print_stacktrace=1 $< $(MUTATE_FLAGS) $(sort $(wildcard $(CORPUS)/captures/*))

fuzz: $(INSTALLED) $(FUZZERS:%.c=$(B)/fuz/%)
	$(Q)B='$(B)' FUZZ_SECONDS='$(FUZZ_SECONDS)' tests/fuzz/run $(FUZZERS:%.c=$(B)/fuz/%)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
	  $(DESTDIR)$(PREFIX)/share/yunzheng $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 755 $(BINARIES) $(DESTDIR)$(PREFIX)/bin
	install -m 644 doc/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	cp -r rules/guangdong-2018 $(DESTDIR)$(PREFIX)/share/yunzheng/
	install -m 644 deploy/*.conf $(DESTDIR)$(PREFIX)/share/yunzheng
	for u in deploy/*.service; do sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' $$u \
	  >$(DESTDIR)$(PREFIX)/lib/systemd/system/$${u##*/}; done

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
