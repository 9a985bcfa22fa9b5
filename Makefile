# Frond. `make run` starts it, `make test` proves it, `make check` is the fast loop. `make help` lists the rest.
#
# One run of make builds one MODE into one folder; targets that need several modes call make again:
#   release     gcc -O2            $(BUILD)/frond, frond-worker, frond-signer, frond-jail
#   clang       clang -O2          $(BUILD)/clang/...        (a replay must agree between the two)
#   asan-gcc    gcc   ASan, UBSan  $(BUILD)/asan-gcc/...     (beside copies of the release worker, signer and jail: see host/sandbox)
#   asan-clang  clang ASan, UBSan  $(BUILD)/asan-clang/...
#   fuzz        clang libFuzzer    $(BUILD)/fuzz/...         (tests/fuzz)
#   tsan        clang TSan         $(BUILD)/tsan/...         (tests/tsan)
# What was fetched stands in build/deps and build/npm, shared by every BUILD.

BUILD ?= build
MODE  ?= release
DEPS  ?= build/deps
NPM   ?= build/npm
LISTEN ?= 127.0.0.1:8080
CLANG ?= clang-14
PYTHON ?= python3

Q := $(if $(V),,@)
comma := ,
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif

OUT_release := $(BUILD)
OUT := $(or $(OUT_$(MODE)),$(BUILD)/$(MODE))
O := $(OUT)/obj
WORKER_MODE := $(if $(filter asan-% tsan,$(MODE)),release,$(MODE))
WORKER := $(or $(OUT_$(WORKER_MODE)),$(BUILD)/$(WORKER_MODE))/frond-worker
SIGNER := $(or $(OUT_$(WORKER_MODE)),$(BUILD)/$(WORKER_MODE))/frond-signer
JAIL := $(or $(OUT_$(WORKER_MODE)),$(BUILD)/$(WORKER_MODE))/frond-jail

# --- compilers and flags -------------------------------------------------------------------------------------------
CC_release := gcc
CC_clang := $(CLANG)
CC_asan-gcc := gcc
CC_asan-clang := $(CLANG)
CC_fuzz := $(CLANG)
CC_tsan := $(CLANG)
ifeq ($(CC_$(MODE)),)
$(error MODE is release, clang, asan-gcc, asan-clang, fuzz or tsan, not "$(MODE)")
endif
CC := $(CC_$(MODE))

# -ffp-contract=off: a match must have the same hash on a machine with fused multiply-add and on one without.
COMMON := -std=gnu11 -D_GNU_SOURCE -g -fPIE -pthread -fno-omit-frame-pointer -ffp-contract=off -fstack-protector-strong -MMD -MP
HARD   := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
SAN    := -fsanitize=$(if $(filter tsan,$(MODE)),thread,$(if $(filter fuzz,$(MODE)),fuzzer-no-link$(comma))address$(comma)undefined)
SANE   := -O1 $(SAN) -fno-sanitize-recover=all
TUNE   := $(if $(filter asan-% fuzz tsan,$(MODE)),$(SANE),$(HARD))
WARN   := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Werror
ifeq ($(CC),gcc)
WARN   += -Wno-format-truncation    # cutting text at its bound is what we call snprintf for
endif
CFLAGS_OURS   = $(COMMON) $(TUNE) $(WARN) -Ihost -I. $(PKG_CFLAGS)
CFLAGS_THEIRS = $(COMMON) $(TUNE) -w
LDFLAGS := -pie -pthread -Wl,-z,relro,-z,now,--as-needed $(if $(filter asan-% fuzz tsan,$(MODE)),$(SAN))

PKGS := libuv sqlite3 libcjson libsodium libcurl nettle gmp libsecp256k1
ifneq ($(shell pkg-config --exists $(PKGS) 2>/dev/null && echo yes),yes)
ifneq ($(filter-out help deps run test layers clean engine,$(or $(MAKECMDGOALS),all)),)
$(error a library of host/deps/README.md is missing on this machine: type make deps)
endif
endif
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS := $(or $(shell pkg-config --libs $(PKGS) 2>/dev/null),-luv -lsqlite3 -lcjson -lsodium -lcurl -lnettle -lgmp -lsecp256k1) -lm
SIGNER_LIBS := $(or $(shell pkg-config --libs libcjson libsodium nettle gmp libsecp256k1 2>/dev/null),-lcjson -lsodium -lnettle -lgmp -lsecp256k1) -lm
WORKER_LIBS := $(or $(shell pkg-config --libs libcjson 2>/dev/null),-lcjson) -lm

# --- our folders, and what each may link: the order of the layers ---------------------------------------------------
FOLDERS := base ipc store net sandbox llm ledger chain treasury player plugin play telegram api gateway console cli
USES_base    :=
USES_ipc     := base
USES_store   := base
USES_net     := base
USES_sandbox := ipc base
USES_llm     := net store ipc base
USES_ledger  := store base
USES_chain   := ipc store base
USES_treasury := llm chain ledger ipc store net base
USES_player  := chain ledger ipc store net base
USES_plugin  := player llm chain ledger sandbox ipc store net base
USES_play    := plugin $(USES_plugin)
USES_telegram := player chain ledger ipc store net base
USES_api     := treasury llm chain play $(USES_play)
USES_gateway := api treasury llm chain play plugin player ledger sandbox net store ipc base
USES_console := $(USES_gateway)
USES_cli     := console telegram $(USES_gateway) gateway
USES_worker  := ipc base
USES_signer  := chain ipc base
USES_jail    := ipc base
USES_frond   := cli console telegram gateway $(USES_gateway)

where = $(if $(filter chain llm,$1),$1,host/$1)
code = $(filter-out %_test.c,$(wildcard $(where)/*.c))
SRC_worker := $(filter-out host/worker/main.c,$(call code,worker))
SRC_signer := $(filter-out host/signer/main.c,$(call code,signer))
SRC_jail   := $(filter-out host/jail/main.c,$(call code,jail))
SRC_api    := $(filter-out host/api/gen.c,$(call code,api))
$(foreach f,$(filter-out api,$(FOLDERS)),$(eval SRC_$f := $(call code,$f)))
TESTS_OF = $(patsubst $(where)/%.c,$(OUT)/test/$1/%,$(wildcard $(where)/*_test.c))

LIBS_OF = $(foreach f,$1,$(if $(SRC_$f),$(OUT)/lib/lib$f.a))
ARCHIVES = -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

.PHONY: all
PROGRAMS := $(if $(wildcard host/frond.c),$(OUT)/frond) $(if $(wildcard host/worker/main.c),$(OUT)/frond-worker) $(OUT)/frond-signer $(OUT)/frond-jail
all: $(PROGRAMS) $(if $(wildcard host/api/gen.c),$(OUT)/frond-api-gen)
	@:

# --- third-party sources --------------------------------------------------------------------------------------------
$(DEPS)/.fetched: host/deps/fetch.py
	$(PYTHON) host/deps/fetch.py $(DEPS)
	@touch $@

# Only what a plugin may have: without liolib, loslib, loadlib, ldblib and linit a slip cannot even link.
LUA := lapi lauxlib lbaselib lcode lcorolib lctype ldebug ldo ldump lfunc lgc llex lmathlib lmem lobject lopcodes \
       lparser lstate lstring lstrlib ltable ltablib ltm lundump lutf8lib lvm lzio
LUA_FLAGS := -I$(DEPS)/lua -DLUA_USE_POSIX $(if $(wildcard host/worker/luauser.h),-Ihost/worker -DLUA_USER_H='"luauser.h"')
LUA_OBJS := $(LUA:%=$O/lua/%.o)
LLHTTP_FLAGS := -I$(DEPS)/llhttp/include
LLHTTP_OBJS := $(patsubst %,$O/llhttp/%.o,api http llhttp)

$(LUA:%=$(DEPS)/lua/%.c) $(patsubst %,$(DEPS)/llhttp/src/%.c,api http llhttp): $(DEPS)/.fetched ;
$O/lua/%.o: $(DEPS)/lua/%.c $(DEPS)/.fetched $(wildcard host/worker/luauser.h)
	@mkdir -p $(@D)
	@echo "  $(MODE)  $<"
	$(Q)$(CC) $(CFLAGS_THEIRS) $(LUA_FLAGS) -c $< -o $@
$O/llhttp/%.o: $(DEPS)/llhttp/src/%.c $(DEPS)/.fetched
	@mkdir -p $(@D)
	@echo "  $(MODE)  $<"
	$(Q)$(CC) $(CFLAGS_THEIRS) $(LLHTTP_FLAGS) -c $< -o $@
$(OUT)/lib/liblua.a: $(LUA_OBJS)
$(OUT)/lib/libllhttp.a: $(LLHTTP_OBJS)

# --- objects and archives -------------------------------------------------------------------------------------------
$O/host/worker/%.o: CFLAGS_OURS += $(LUA_FLAGS)
$O/host/net/%.o: CFLAGS_OURS += $(LLHTTP_FLAGS)
define COMPILE
@mkdir -p $(@D)
@echo "  $(MODE)  $<"
$(Q)$(CC) $(CFLAGS_OURS) -c $< -o $@
endef
$O/host/%.o: host/%.c | $(DEPS)/.fetched
	$(COMPILE)
$O/chain/%.o: chain/%.c
	$(COMPILE)
$O/llm/%.o: llm/%.c
	$(COMPILE)
$O/gen/%.o: $(OUT)/gen/%.c
	$(COMPILE)
$(OUT)/lib/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $(filter %.o,$^)

objs = $(patsubst %.c,$O/%.o,$1)
$(foreach f,$(FOLDERS) worker signer jail,$(eval $(OUT)/lib/lib$f.a: $(call objs,$(SRC_$f))))
$(OUT)/lib/libgateway.a: $O/gen/assets.o

# --- programs -------------------------------------------------------------------------------------------------------
$(OUT)/frond: $(patsubst host/%.c,$O/host/%.o,$(wildcard host/*.c)) $(call LIBS_OF,$(USES_frond)) $(OUT)/lib/libllhttp.a
	@echo "  $(MODE)  $@"
	$(Q)$(CC) $(LDFLAGS) $(filter %.o,$^) $(ARCHIVES) $(LIBS) -o $@

# A sanitized host runs the release worker, signer and jail: their system call filters have no room for a sanitizer. The jail is static, so that it can
# stand for a helper in its own tests: inside it there are no shared libraries.
ifeq ($(WORKER_MODE),$(MODE))
$(OUT)/frond-worker: $O/host/worker/main.o $(call LIBS_OF,worker $(USES_worker)) $(OUT)/lib/liblua.a
	@echo "  $(MODE)  $@"
	$(Q)$(CC) $(LDFLAGS) $(filter %.o,$^) $(ARCHIVES) $(WORKER_LIBS) -o $@
$(OUT)/frond-signer: $O/host/signer/main.o $(call LIBS_OF,signer $(USES_signer))
	@echo "  $(MODE)  $@"
	$(Q)$(CC) $(LDFLAGS) $(filter %.o,$^) $(ARCHIVES) $(SIGNER_LIBS) -o $@
$(OUT)/frond-jail: $O/host/jail/main.o $(call LIBS_OF,jail $(USES_jail))
	@echo "  $(MODE)  $@"
	$(Q)$(CC) $(filter-out -pie,$(LDFLAGS)) -static-pie $(filter %.o,$^) $(ARCHIVES) -o $@
else
.PHONY: children-of-other-mode
children-of-other-mode:
	@+$(MAKE) --no-print-directory -s MODE=$(WORKER_MODE) $(WORKER) $(SIGNER) $(JAIL)
$(OUT)/frond-worker: children-of-other-mode
	@mkdir -p $(@D)
	@cmp -s $(WORKER) $@ || cp $(WORKER) $@
$(OUT)/frond-signer: children-of-other-mode
	@mkdir -p $(@D)
	@cmp -s $(SIGNER) $@ || cp $(SIGNER) $@
$(OUT)/frond-jail: children-of-other-mode
	@mkdir -p $(@D)
	@cmp -s $(JAIL) $@ || cp $(JAIL) $@
endif

# --- tables and assets that are generated ---------------------------------------------------------------------------
$(NPM)/.installed: host/gateway/web/package.json host/gateway/web/package-lock.json
	@mkdir -p $(@D)
	@cp $^ $(@D)
	@echo "  npm  $(@D)"
	$(Q)cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

PAGE_LIBS := /app/lib/htm-preact.mjs=$(NPM)/node_modules/htm/preact/standalone.module.js /app/lib/uqr.mjs=$(NPM)/node_modules/uqr/dist/index.mjs
$(OUT)/gen/assets.c: host/gateway/embed.py $(NPM)/.installed $(shell find host/gateway/web -not -name '.*' 2>/dev/null)
	@echo "  $(MODE)  $@"
	$(Q)$(PYTHON) $< $@ host/gateway/web $(PAGE_LIBS)

# api/gen.c turns the table of calls into what plugin authors read.
$(OUT)/frond-api-gen: $O/host/api/gen.o $(call LIBS_OF,base)
	@echo "  $(MODE)  $@"
	$(Q)$(CC) $(LDFLAGS) $(filter %.o,$^) $(ARCHIVES) $(LIBS) -o $@

.PHONY: stubs stubs-check
STUBS := $(if $(wildcard host/api/gen.c),$(OUT)/gen/frond.lua $(OUT)/gen/REFERENCE.md)
$(OUT)/gen/frond.lua: $(OUT)/frond-api-gen
	@mkdir -p $(@D)
	$(Q)$< stubs > $@
$(OUT)/gen/REFERENCE.md: $(OUT)/frond-api-gen
	@mkdir -p $(@D)
	$(Q)$< reference > $@
stubs: $(STUBS)
	$(if $(STUBS),cp $(OUT)/gen/frond.lua plugins/sdk/frond.lua && cp $(OUT)/gen/REFERENCE.md host/api/REFERENCE.md)
stubs-check: $(STUBS)
	@$(if $(STUBS),diff -u plugins/sdk/frond.lua $(OUT)/gen/frond.lua && diff -u host/api/REFERENCE.md $(OUT)/gen/REFERENCE.md \
		|| { echo "stubs are stale: make stubs"; exit 1; })

# --- unit tests: one program per *_test.c, linked with its folder and the layers below, nothing else -----------------
define TEST_RULES
$(OUT)/test/$1/%: $O/$(call where,$1)/%.o $(call LIBS_OF,$1 $(USES_$1)) $(if $(filter net,$1 $(USES_$1)),$(OUT)/lib/libllhttp.a) $(if $(filter worker,$1),$(OUT)/lib/liblua.a)
	@mkdir -p $$(@D)
	@echo "  $(MODE)  $$@"
	$$(Q)$$(CC) $$(LDFLAGS) $$(filter %.o,$$^) $$(ARCHIVES) $$(LIBS) -o $$@
.PHONY: units-$1
units-$1: $(call TESTS_OF,$1)
endef
TESTED := $(FOLDERS) worker signer jail
$(foreach f,$(TESTED),$(eval $(call TEST_RULES,$f)))
# These tests start real children.
$(foreach f,chain treasury signer,$(eval $(call TESTS_OF,$f): | $(OUT)/frond-signer))
$(foreach f,sandbox plugin play api gateway console cli,$(eval $(call TESTS_OF,$f): | $(if $(wildcard host/worker/main.c),$(OUT)/frond-worker)))

.PHONY: units run-units
UNITS := $(foreach f,$(TESTED),$(call TESTS_OF,$f))
units: $(UNITS)
run-units: units
	@BUILD=$(BUILD) OUT=$(OUT) tests/run.sh unit $(MODE) $(UNITS)

# --- what people type -----------------------------------------------------------------------------------------------
AGAIN = +@$(MAKE) --no-print-directory
RUN_TESTS = BUILD=$(BUILD) OUT=$(BUILD) tests/run.sh
unit_files = $(patsubst $(OUT)/test/%,$(BUILD)/asan-gcc/test/%,$(call TESTS_OF,$1))

.PHONY: help deps run test check layers clean unit-tests $(TESTED:%=check-%)
help:
	@echo "make            build $(BUILD)/frond, frond-worker, frond-signer and frond-jail"
	@echo "make run        install what is missing, build, serve on $(LISTEN) (LISTEN=HOST:PORT)"
	@echo "make test       everything that can be tested, against the real program too"
	@echo "make check      unit tests under sanitizers with gcc and clang, fuzz targets built, layers, stubs; check-FOLDER: one folder"
	@echo "make stubs      plugins/sdk/frond.lua and host/api/REFERENCE.md from the table of calls"
	@echo "make bench      figures against other programs, with a table; bench-NAME: http call ws relay idle rooms ledger burn sign llm-overhead llm-tokens llm-memory start restart"
	@echo "make crash KILLS=200, powercut CUTS=1000, torture CASES=0 (SEED=N): kill -9, power cuts, the Nth of everything fails"
	@echo "make replays DUELS=1000 (SEED=N): recorded duels with random play, replayed from everywhere"
	@echo "make soak SECONDS=300 (SEED=N): a while of everything, then what leaked; tsan: races, by ThreadSanitizer"
	@echo "make fuzz       strangers' bytes into every parser; FUZZ_S=60 FUZZ_TARGETS=\"json ws\": see tests/fuzz"
	@echo "make geth       a second node for the tests of tests/chain, built with Go: some minutes, once"
	@echo "make engine     the model's server and a small model: some minutes, once; make run does it behind the host"
	@echo "make contracts  what stands on chain, compiled; contracts-test RUNS=500, contracts-gas: see chain/contracts"
	@echo "make screenshots  every screen as a picture, to be looked at; make test-background: pages frozen for ten minutes"
	@echo "make layers | deps | clean; V=1 shows the commands, BUILD=DIR builds elsewhere, MODE=release|clang|asan-gcc|asan-clang|fuzz|tsan"

deps:
	@DEPS=$(DEPS) host/deps/install.sh run test
	@$(PYTHON) host/deps/fetch.py $(DEPS)

# What chain and model need is compiled behind the running host, not before it: see host/dev.
APART := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL $(MAKE) -s BUILD=$(BUILD) NPM=$(NPM)
run:
	@DEPS=$(DEPS) host/deps/install.sh run
	$(AGAIN) all
	@$(APART) -q contracts 2>/dev/null || { rm -f $(CONTRACTS); host/dev/behind "the contracts are compiled meanwhile, and the chain comes up when they are there" $(BUILD)/contracts.log $(APART) contracts & }; \
	$(APART) -q engine 2>/dev/null || { host/dev/behind "the model's engine is built meanwhile, some minutes, and comes up when it is there ($(BUILD)/engine/progress says how far it is)" $(BUILD)/engine.log $(APART) engine & }; \
	exec host/dev/run $(BUILD)/frond serve --dev --data $(BUILD)/dev --listen $(LISTEN)

layers:
	@tests/layers.sh

# Both sanitizers, one after the other: memory, not time, is scarce on a small machine.
unit-tests:
	$(AGAIN) MODE=asan-gcc run-units
	$(AGAIN) MODE=asan-clang run-units

check:
	@$(RUN_TESTS) begin
	$(AGAIN) unit-tests
	$(AGAIN) fuzz-build
	@$(RUN_TESTS) step layers tests/layers.sh
	@$(RUN_TESTS) step stubs $(MAKE) --no-print-directory -s BUILD=$(BUILD) stubs-check
	@$(RUN_TESTS) end

$(TESTED:%=check-%): check-%:
	$(AGAIN) MODE=asan-gcc units-$*
	@$(RUN_TESTS) begin
	@OUT=$(BUILD)/asan-gcc BUILD=$(BUILD) tests/run.sh unit asan-gcc $(call unit_files,$*)
	@$(RUN_TESTS) end

test:
	@DEPS=$(DEPS) host/deps/install.sh run test
	$(AGAIN) test-here

# What is tested beside the unit tests: rules of games with plain Lua, then flows through the running host.
RULE_TESTS := $(wildcard games/*/rules_test.lua plugins/*/rules_test.lua)
FLOW_TESTS := $(sort $(wildcard tests/*/*.test.mjs tests/*/*_test.py tests/*/*_test.sh))
.PHONY: test-here test-tools
test-here: test-tools
	$(AGAIN) all
	$(AGAIN) MODE=clang all
	$(AGAIN) MODE=asan-gcc all
	$(AGAIN) MODE=asan-clang all
	@$(RUN_TESTS) begin
	$(AGAIN) unit-tests
	@$(RUN_TESTS) step layers tests/layers.sh
	@$(RUN_TESTS) step stubs $(MAKE) --no-print-directory -s BUILD=$(BUILD) stubs-check
	@$(RUN_TESTS) file $(RULE_TESTS)
	@$(RUN_TESTS) file $(FLOW_TESTS)
	@$(RUN_TESTS) end

test-tools: tests/node_modules/.installed build/venv/.installed
tests/node_modules/.installed: tests/package.json tests/package-lock.json
	@echo "  npm  tests/node_modules"
	$(Q)cd tests && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
build/venv/.installed: tests/requirements.txt
	@echo "  venv  build/venv"
	$(Q)$(PYTHON) -m venv build/venv
	$(Q)build/venv/bin/python -m pip install -q --disable-pip-version-check -r $<
	@touch $@

# What was fetched and `make run`'s data stay; `rm -rf build` takes everything.
clean:
	find $(BUILD) -mindepth 1 -maxdepth 1 $(patsubst %,! -name %,deps npm venv dev go engine) -exec rm -rf {} +

.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell [ -d $O ] && find $O -name '*.d')
-include host/*/Makefile.inc llm/Makefile.inc chain/*/Makefile.inc llm/*/Makefile.inc tests/*/Makefile.inc
