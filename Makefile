# Yunzheng. One Makefile, no recursion; everything made goes under $(B)/.
#
#   make            the four programs, into $(B)/bin
#   make demo       installs what is missing, builds, shows the whole path
#   make test       installs what is missing, builds with sanitizers, tests;
#                   TEST_JOBS of them at a time
#   make check      arrows, headers, banned functions, layout, long functions
#   make requirements  their tests, how these ended last, and what has none
#   make machines   each state machine as a table
#   make size       lines by folder, and the portal's routes
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
# deploy/arrows: FOLDERS, and LINK_<folder>, the folder itself and all that it
# may use, also by way of others.
$(foreach l,$(shell deploy/read-arrows make),$(eval $(subst @, ,$(l))))

src      = $(filter-out %/main.c,$(wildcard $(1)/*.c))
TESTS    := $(wildcard $(FOLDERS:%=tests/%/*_test.c))
TOOLS    := $(filter-out %/mutate_tool.c,$(wildcard $(FOLDERS:%=tests/%/*_tool.c) \
              $(TEST_FOLDERS:%=%/*_tool.c)))
FUZZERS  := $(wildcard tests/fuzz/*_fuzz.c)
SCRIPTS  := $(sort $(wildcard tests/*/*_test.sh tests/*/*/*_test.sh))
BENCHES  := $(sort $(filter-out %/soak.sh,$(wildcard tests/bench/*.sh)))
TEXTS    := $(wildcard $(FOLDERS:%=%/*.sql) portal/pages/*.html portal/pages/*.css portal/pages/*.svg portal/pages/*.yaml)
SCHEMAS  := $(patsubst %/,%/schema.inc,$(sort $(dir $(filter %.sql,$(TEXTS)))))
GENERATED := $(TEXTS:%=$(B)/gen/%.inc) $(SCHEMAS:%=$(B)/gen/%) $(B)/gen/text/table.inc \
             $(B)/gen/portal/pages/table.inc $(B)/gen/portal/pages/versions.inc \
             $(B)/gen/common/version.h
BINARIES := $(PROGRAMS:%=$(B)/bin/yz-%)

.PHONY: all demo test test-programs check requirements machines size golden bench corpus mutate drill soak fuzz install clean
.DEFAULT_GOAL := all
.SECONDARY:

all: $(BINARIES)

# Libraries. The goals that promise to install what they need do so first.
INSTALLING := $(filter demo test bench drill fuzz check golden,$(MAKECMDGOALS))
INSTALLED  := $(INSTALLING:%=$(B)/flags/installed-%)
$(B)/flags/installed-%: deploy/packages deploy/install-packages
	$(Q)mkdir -p $(@D)
	$(Q)flock deploy/packages deploy/install-packages build $*
	$(Q)touch $@
$(B)/flags/ok: deploy/libraries deploy/find-libraries deploy/arrows | $(INSTALLED)
	$(Q)deploy/find-libraries deploy/libraries $(B)/flags $(FOLDERS)
	$(Q)touch $@

# Text files as C string literals, included by name: "portal/001-x.sql.inc".
$(B)/gen/%.inc: %
	$(Q)mkdir -p $(@D)
	$(Q)sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $< >$@

# The numbered .sql files of a folder in their order: rows of its db_migration.
$(B)/gen/%/schema.inc: %
	$(Q)mkdir -p $(@D)
	$(Q)for file in $(sort $(notdir $(wildcard $</*.sql))); do \
	  printf '{"%s",\n#include "$</%s.inc"\n},\n' $$file $$file; done >$@

# The portal's pages by name; the folder changes when one comes or goes.
$(B)/gen/portal/pages/table.inc: portal/pages
	$(Q)mkdir -p $(@D)
	$(Q)for page in $(sort $(basename $(notdir $(wildcard $</*.html)))); do \
	  printf '{"%s",\n#include "$</%s.html.inc"\n},\n' $$page $$page; done >$@

# What people read, in both languages: the table of common/text.c.
$(B)/gen/text/table.inc: $(wildcard text/*.po) deploy/compile-texts
	$(Q)mkdir -p $(@D)
	$(Q)deploy/compile-texts $(filter %.po,$^) >$@.new
	$(Q)mv $@.new $@

# What of a style sheet and a picture stands in their addresses, so that browsers
# keep them until they change.
$(B)/gen/portal/pages/versions.inc: portal/pages/style.css portal/pages/icon.svg
	$(Q)mkdir -p $(@D)
	$(Q)sha256sum $^ | sed 's,\(.\{12\}\).*/\([a-z]*\)\..*,#define \2_VERSION "\1",' | \
	    sed 's/style/STYLE/; s/icon/ICON/' >$@

# The version, which stands in one file.
$(B)/gen/common/version.h: VERSION
	$(Q)mkdir -p $(@D)
	$(Q)sed 's/.*/#define PROGRAM_VERSION "&"/' $< >$@

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

# An archive of each folder and variant: the linker takes what is named.
AR := $(if $(filter default,$(origin AR)),gcc-ar,$(AR))
define archive
$(B)/$(1)/$(2)/lib.a: $(patsubst %.c,$(B)/$(1)/%.o,$(call src,$(2)))
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^
endef
$(foreach v,obj san fuz,$(foreach f,$(FOLDERS),$(eval $(call archive,$(v),$(f)))))

# What a folder is linked with, in a variant.
archives = $(foreach f,$(LINK_$(2)),$(B)/$(1)/$(f)/lib.a)
link_with = -Wl,--start-group $(call archives,$(1),$(2)) -Wl,--end-group \
            $(foreach f,$(LINK_$(2)),@$(B)/flags/$(f)/libs)
LINK_PLAIN := $(CC) $(CFLAGS) $(LTO) -pie -Wl,-z,relro,-z,now $(LDFLAGS)
LINK_SAN   := $(CC) $(SAN) $(LDFLAGS)
LINK_FUZ   := $(CLANG) -fsanitize=fuzzer,address,undefined

# binary TARGET,OBJECT,VARIANT,LINKER,FOLDER
define binary
$(1): $(2) $(call archives,$(3),$(5))
	@mkdir -p $$(@D)
	$$(if $$(Q),@echo "  LINK  $$@")
	$$(Q)$(4) -o $$@ $$(filter %.o,$$^) $(call link_with,$(3),$(5))
endef
# tests/FOLDER/x.c is linked as FOLDER; tests/fuzz/NAME_x_fuzz.c as NAME and all
# that stands in it.
tested = $(or $(filter $(TEST_FOLDERS),$(patsubst %/,%,$(dir $(1)))),$(patsubst tests/%/,%,$(dir $(1))))
fuzzed = $(firstword $(subst _, ,$(notdir $(1))))
$(foreach p,common $(PROGRAMS) rules,$(eval LINK_fuzz_$(p) := \
  $(sort $(foreach f,$(filter $(p) $(p)/%,$(FOLDERS)),$(LINK_$(f))))))

$(foreach p,$(PROGRAMS),\
  $(eval $(call binary,$(B)/bin/yz-$(p),$(B)/obj/$(p)/main.o,obj,$$(LINK_PLAIN),$(p)))\
  $(eval $(call binary,$(B)/san/bin/yz-$(p),$(B)/san/$(p)/main.o,san,$$(LINK_SAN),$(p))))
# Reads damaged captures; sanitized and linked as a test, run by scripts.
MUTATE := tests/probe/mutate_tool.c
$(foreach t,$(TESTS) $(MUTATE),\
  $(eval $(call binary,$(B)/san/$(t:%.c=%),$(B)/san/$(t:%.c=%.o),san,$$(LINK_SAN),$(call tested,$(t)))))
MUTATE_BINARY := $(MUTATE:%.c=$(B)/san/%)
# Tools of the tests (generators).
$(foreach t,$(TOOLS),\
  $(eval $(call binary,$(B)/tools/$(notdir $(t:%.c=%)),$(B)/obj/$(t:%.c=%.o),obj,$$(LINK_PLAIN),$(call tested,$(t)))))
$(foreach t,$(FUZZERS),\
  $(eval $(call binary,$(B)/fuz/$(t:%.c=%),$(B)/fuz/$(t:%.c=%.o),fuz,$$(LINK_FUZ),fuzz_$(call fuzzed,$(t)))))

# The durability drill: what its power switch knows of disks, and the disk that
# is loaded before a program.
$(B)/tools/power_tool: $(B)/obj/tests/drill/disk.o
POWER_SHIM := $(B)/tools/power_shim.so
$(POWER_SHIM): tests/drill/power_shim.c | $(B)/flags/ok
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(WARN) $(CFLAGS) -fPIC -shared -fvisibility=hidden -o $@ $<
TOOL_BINARIES := $(patsubst %.c,$(B)/tools/%,$(notdir $(TOOLS))) $(POWER_SHIM)

SAN_BINARIES := $(PROGRAMS:%=$(B)/san/bin/yz-%)
TEST_BINARIES := $(TESTS:%.c=$(B)/san/%)

demo: $(INSTALLED) $(BINARIES) $(TOOL_BINARIES)
	$(Q)B='$(B)' DEMO_EXIT='$(DEMO_EXIT)' tests/demo/demo.sh

test-programs: $(INSTALLED) $(SAN_BINARIES) $(BINARIES) $(TEST_BINARIES) $(TOOL_BINARIES) $(MUTATE_BINARY)

# With `make check test` the tests come last, and so does their count.
test: test-programs $(filter check,$(MAKECMDGOALS))
	$(Q)B='$(B)' tests/run $(TEST_BINARIES) $(SCRIPTS)

golden: $(INSTALLED) $(SAN_BINARIES) $(TEST_BINARIES) $(TOOL_BINARIES)
	$(Q)B='$(B)' GOLDEN=write tests/run $(TEST_BINARIES) $(SCRIPTS)

check: $(INSTALLED) $(B)/flags/ok $(GENERATED)
	$(Q)B='$(B)' CC='$(CC)' deploy/check $(TOP_FOLDERS)

requirements:
	$(Q)B='$(B)' tests/policy/requirements

machines: $(B)/bin/yz-portal
	$(Q)$< machines
	$(Q)$< machines --states

size:
	$(Q)deploy/size $(TOP_FOLDERS)

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
	for m in doc/*.1; do sed '/^\.TH/s/"Yunzheng"/"Yunzheng '"$$(cat VERSION)"'"/' $$m \
	  >$(DESTDIR)$(PREFIX)/share/man/man1/$${m##*/}; done
	cp -r rules/guangdong-2018 VERSION $(DESTDIR)$(PREFIX)/share/yunzheng/
	install -m 644 deploy/*.conf $(DESTDIR)$(PREFIX)/share/yunzheng
	for u in deploy/*.service; do sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' $$u \
	  >$(DESTDIR)$(PREFIX)/lib/systemd/system/$${u##*/}; done

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
