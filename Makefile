# IndiMail: one makefile for everything. Targets: all (default), man, demo, demo-stop, check, lint,
# bench, install, uninstall, clean. Variables: DESTDIR PREFIX SYSCONFDIR QMAILHOME LOGDIR RUNDIR
# SERVICEDIR MAILBASE; SAN=address,undefined; FUZZ=1; T=name (check), B=name and PEERS=names (bench);
# V=1 shows commands. Which programs there are, and what each links, stands in src/PROGRAMS.

SHELL := /bin/sh
.SUFFIXES:
.DELETE_ON_ERROR:
all:

first_line = $(shell head -n 1 $(1))
CC := $(call first_line,conf-cc)
LD := $(call first_line,conf-ld)

PREFIX ?= /usr
SYSCONFDIR ?= /etc/indimail
QMAILHOME ?= $(call first_line,conf-qmail)
LOGDIR ?= /var/log/svc
RUNDIR ?= /run/indimail
SERVICEDIR ?= /service
MAILBASE ?= /home/mail

# Sanitizer and fuzz builds live in their own directories, so they never mix with the plain one.
comma := ,
ifdef FUZZ
  CC := clang
  LD := clang
  SAN ?= address,undefined
  FUZZFLAGS := -fsanitize=fuzzer-no-link
endif
BUILD := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))$(if $(FUZZ),-fuzz)
OBJ := $(BUILD)/obj
PIC := $(BUILD)/pic
LIB := $(BUILD)/lib
GEN := $(BUILD)/gen
BIN ?= $(BUILD)/bin
PATHS_O ?= $(BIN)/.paths.o
PIC_PATHS_O ?= $(BIN)/.paths-pic.o
PATHS_STAMP := $(BIN)/.paths
SAN_O := $(if $(SAN),$(BUILD)/san_options.o)
PATHS_C := src/base/auto_paths.c
MAN := $(BUILD)/man
FAULTY := $(BUILD)/faulty
FAULT_O := $(BUILD)/fault.o

OPT ?= -O2 -g
WARN := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wvla -Wno-unused-parameter \
        -Wpointer-arith -Wwrite-strings -Wundef
HARDEN := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2) -ffunction-sections -fdata-sections
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
CFLAGS := -std=gnu11 -D_GNU_SOURCE $(OPT) $(WARN) $(HARDEN) $(SANFLAGS) $(FUZZFLAGS) -Isrc -I$(GEN) $(EXTRA_CFLAGS)
# Nothing of ours shows in the program that loads it but what is marked.
PICFLAGS := -fPIC -fvisibility=hidden
LDFLAGS := $(SANFLAGS) -Wl,-z,relro,-z,now -Wl,--gc-sections -Wl,--as-needed
LINK_dynamic := -pie
# A sanitizer's run-time cannot be linked statically.
LINK_static := $(if $(SAN),-pie,-static-pie)
Q := $(if $(V),,@)

RANKS := base net crypt sql mail conf queue user smtp send local super
LIBS := $(foreach r,$(RANKS),$(if $(wildcard src/$(r)/*.c),$(LIB)/lib$(r).a))

PATHS_DEFS := -DAUTO_PREFIX='"$(PREFIX)"' -DAUTO_SYSCONFDIR='"$(SYSCONFDIR)"' -DAUTO_HOME='"$(QMAILHOME)"' \
  -DAUTO_LOGDIR='"$(LOGDIR)"' -DAUTO_RUNDIR='"$(RUNDIR)"' -DAUTO_SERVICEDIR='"$(SERVICEDIR)"' \
  -DAUTO_MAILBASE='"$(MAILBASE)"'
SUBST := -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' -e 's|@QMAILHOME@|$(QMAILHOME)|g' \
  -e 's|@LOGDIR@|$(LOGDIR)|g' -e 's|@RUNDIR@|$(RUNDIR)|g' -e 's|@SERVICEDIR@|$(SERVICEDIR)|g' -e 's|@MAILBASE@|$(MAILBASE)|g'

$(GEN)/programs.mk: src/PROGRAMS src/gen/programs.awk
	@mkdir -p $(@D)
	$(Q)awk -v mode=mk -f src/gen/programs.awk src/PROGRAMS > $@
include $(GEN)/programs.mk

all: $(addprefix $(BIN)/,$(PROGRAMS)) man

# --- objects and libraries -------------------------------------------------------------------
# A library is made anew too when a source has gone (to another one, say): its list is a file.
define library
OBJS_$(1) := $$(patsubst src/%.c,$(OBJ)/%.o,$$(filter-out $(PATHS_C),$$(wildcard src/$(1)/*.c)))
$(LIB)/.$(1): FORCE
	@mkdir -p $$(@D)
	@echo '$$(OBJS_$(1))' | cmp -s - $$@ || echo '$$(OBJS_$(1))' > $$@
$(LIB)/lib$(1).a: $$(OBJS_$(1)) $(LIB)/.$(1)
	$(Q)rm -f $$@ && ar rcs $$@ $$(OBJS_$(1))
# The same for what other people's programs load.
PIC_OBJS_$(1) := $$(patsubst $(OBJ)/%,$(PIC)/%,$$(OBJS_$(1)))
$(LIB)/pic/lib$(1).a: $$(PIC_OBJS_$(1))
	@mkdir -p $$(@D)
	$(Q)rm -f $$@ && ar rcs $$@ $$(PIC_OBJS_$(1))
ALL_OBJS += $$(OBJS_$(1)) $$(PIC_OBJS_$(1))
endef
$(foreach r,$(RANKS),$(eval $(call library,$(r))))

$(GEN)/programs.inc: src/PROGRAMS src/gen/programs.awk
	@mkdir -p $(@D)
	$(Q)awk -v mode=c -f src/gen/programs.awk src/PROGRAMS > $@
$(OBJ)/conf/paths.o $(PIC)/conf/paths.o: $(GEN)/programs.inc

$(OBJ)/%.o: src/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<
$(PIC)/%.o: src/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(PICFLAGS) -MMD -MP -c -o $@ $<

# The paths compiled in stand in one object, so an instance under another root (demo, tests)
# is a matter of linking. The stamp changes when they do.
$(PATHS_STAMP) $(MAN)/.paths: FORCE
	@mkdir -p $(@D)
	@echo '$(PATHS_DEFS)' | cmp -s - $@ || echo '$(PATHS_DEFS)' > $@
$(PATHS_O): $(PATHS_C) src/base/auto_paths.h $(PATHS_STAMP)
	$(Q)$(CC) $(CFLAGS) $(PATHS_DEFS) -c -o $@ $<
$(PIC_PATHS_O): $(PATHS_C) src/base/auto_paths.h $(PATHS_STAMP)
	$(Q)$(CC) $(CFLAGS) $(PICFLAGS) $(PATHS_DEFS) -c -o $@ $<
$(BUILD)/san_options.o: tests/tools/san_options.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<
FORCE:

-include $(ALL_OBJS:.o=.d) $(MAIN_OBJS:.o=.d)

# --- manual pages ----------------------------------------------------------------------------
# A page is its source with our paths and with the tables it asks for, made of the .def files.
PAGES := $(wildcard man/man?/*.[1578])
man: $(patsubst man/%,$(MAN)/%,$(PAGES))
$(MAN)/%: man/% $(GEN)/mantables $(MAN)/.paths
	@mkdir -p $(@D)
	$(Q)sed $(SUBST) $< > $@.tmp && $(GEN)/mantables < $@.tmp > $@ && rm -f $@.tmp
$(GEN)/mantables: src/gen/mantables.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 $(WARN) -Isrc -MMD -MP -o $@ $<
-include $(GEN)/mantables.d

# --- tests -----------------------------------------------------------------------------------
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*/test_*.c))
SYSLIBS := -lssl -lcrypto -lsqlite3 -lcrypt -lpcre2-8 -lmd
# Libraries are given in falling rank, so each finds what it needs behind it.
UNIT_LIBS := $(foreach r,super local send smtp user queue conf mail sql crypt net base,$(filter %/lib$(r).a,$(LIBS)))
$(BUILD)/unit/%: tests/unit/%.c $(LIBS) $(PATHS_O) tests/unit/check.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -Itests/unit -MMD -MP $(LDFLAGS) -Wl,--wrap=realloc,--wrap=malloc,--wrap=calloc,--wrap=reallocarray -o $@ $< tests/unit/check.c $(PATHS_O) $(UNIT_LIBS) $(SYSLIBS)
-include $(UNIT:=.d)
unit: $(UNIT)

# The programs once more, with a recorder and a breaker of system calls under them: tests/fault.
FAULT_CALLS := open openat __open_2 __openat_2 opendir write pwrite read pread recv recvmsg sendmsg pipe2 socket socketpair fsync fdatasync syncfs linkat link symlink renameat2 renameat \
  rename unlinkat unlink rmdir mkdirat mkdir ftruncate send malloc calloc realloc reallocarray fork vfork execve _exit \
  clock_gettime time
FAULT_WRAP := $(patsubst %,-Wl$(comma)--wrap=%,$(FAULT_CALLS))
$(FAULT_O): tests/tools/fault.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -U_FORTIFY_SOURCE -O2 -Wno-missing-prototypes -c -o $@ $<
faulty: $(FAULTY_PROGRAMS)

FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
# Without FUZZ=1 each target is linked with a main that replays the checked-in corpus.
$(BUILD)/fuzz/%: tests/fuzz/fuzz_%.c $(LIBS) $(PATHS_O) $(if $(FUZZ),,tests/fuzz/replay.c)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(if $(FUZZ),-fsanitize=fuzzer) -o $@ $< $(if $(FUZZ),,tests/fuzz/replay.c) $(PATHS_O) $(UNIT_LIBS) $(SYSLIBS)
fuzz: $(FUZZERS)

lint:
	$(Q)python3 tests/tools/lint.py

# What a fresh machine lacks; says so and asks only where a person is there to answer.
deps:
	@sh src/sh/deps.sh $(DEPS)
check:
	@$(MAKE) --no-print-directory deps DEPS=check
	@$(MAKE) --no-print-directory all unit fuzz faulty
	@BUILD=$(BUILD) SAN=$(SAN) python3 tests/run.py $(T)
bench:
	@$(MAKE) --no-print-directory deps DEPS=bench
	@$(MAKE) --no-print-directory all
	@python3 tests/bench/run.py $(B)
	@test -n "$(B)" || python3 tests/bench/users.py
demo:
	@$(MAKE) --no-print-directory deps DEPS=demo
	@sh src/sh/demo.sh start
demo-stop:
	@sh src/sh/demo.sh stop

# --- install ---------------------------------------------------------------------------------
install: all
	@PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' QMAILHOME='$(QMAILHOME)' LOGDIR='$(LOGDIR)' RUNDIR='$(RUNDIR)' \
	 SERVICEDIR='$(SERVICEDIR)' MAILBASE='$(MAILBASE)' DESTDIR='$(DESTDIR)' BIN='$(BIN)' MAN='$(MAN)' sh src/sh/install.sh install
uninstall:
	@PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' QMAILHOME='$(QMAILHOME)' DESTDIR='$(DESTDIR)' BIN='$(BIN)' MAN='$(MAN)' \
	 sh src/sh/install.sh uninstall

clean:
	rm -rf $(BUILD)
.PHONY: all man unit fuzz faulty lint deps check bench demo demo-stop install uninstall clean FORCE
