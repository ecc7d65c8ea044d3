# mayfly: see README.md. `make help` lists the targets.

PREFIX = /usr/local
DESTDIR =
BUILD = build
CFLAGS = -O2 -g

# How the program is linked: musl, static, static-pie or dynamic. A static
# program starts about 0.3 ms earlier than a dynamic one, and one with musl
# another 0.2 ms (make bench), so that is what is built where musl-gcc is.
LINK = $(if $(shell command -v musl-gcc),musl,static)
# SAN=address,undefined builds with sanitizers, in a directory of its own.
SAN =
ifneq ($(SAN),)
LINK = dynamic
BUILD = build-san
endif
# For make mutate: -DMUTATE_X removes a defence, WITHOUT="call" its filter row.
MUTATE =
WITHOUT =

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wvla -Wno-missing-field-initializers $(WERROR)
# https://best.openssf.org: compiler hardening for C and C++
HARDEN = -fstack-protector-strong -fno-common -fno-strict-aliasing
CPPFLAGS_OWN = -D_GNU_SOURCE -iquote exec -iquote $(BUILD) $(MUTATE)
LDFLAGS_OWN =
ifeq ($(LINK),musl)
CC_OWN = musl-gcc
CPPFLAGS_OWN += -idirafter $(BUILD)/kernel
LDFLAGS_OWN += -static
else
CC_OWN = $(CC)
HARDEN += $(if $(SAN),,-D_FORTIFY_SOURCE=2)
ifeq ($(LINK),static)
LDFLAGS_OWN += -static
else ifeq ($(LINK),static-pie)
HARDEN += -fPIE
LDFLAGS_OWN += -static-pie
else
HARDEN += -fPIE
LDFLAGS_OWN += -pie -Wl,-z,relro,-z,now
endif
endif
ifneq ($(SAN),)
HARDEN += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
# The guest has no libraries of theirs; clang's are static anyway.
LDFLAGS_OWN += -fsanitize=$(SAN) $(if $(findstring clang,$(CC_OWN)),, \
	-static-libasan -static-libubsan -static-libgcc)
endif
COMPILE = $(CC_OWN) -std=gnu17 $(CPPFLAGS_OWN) $(CPPFLAGS) $(WARN) $(HARDEN) \
	$(CFLAGS)

SOURCES = $(wildcard exec/*.c)
EXEC = $(filter-out exec/main.c exec/genfilter%,$(SOURCES))
ACTIVATOR = $(wildcard activator/*.c)
# What runs inside, with libarchive and zlib, and what mayfly does around it.
TOOL = $(wildcard rootfs/tool*.c) exec/io.c exec/names.c exec/fail.c exec/command.c activator/json.c \
	activator/jsoncheck.c activator/jsonread.c activator/jsonvalue.c
ROOTFS = $(filter-out rootfs/tool%,$(wildcard rootfs/*.c))
OBJECTS = $(patsubst %.c,$(BUILD)/%.o,$(EXEC) $(ACTIVATOR) $(ROOTFS))
UNITS = $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*.c))

all: $(BUILD)/mayfly $(BUILD)/mayfly-rootfs

$(BUILD)/mayfly: $(BUILD)/exec/main.o $(OBJECTS) | filter-fresh
	$(CC_OWN) $(LDFLAGS_OWN) $(LDFLAGS) -o $@ $(filter %.o,$^)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/activator/%.o: CPPFLAGS_OWN += -iquote activator -iquote rootfs

$(BUILD)/rootfs/%.o: CPPFLAGS_OWN += -iquote activator \
	-DROOTFS_TOOL='"$(PREFIX)/libexec/mayfly-rootfs"'

# Also where `make` was told nothing of it, and `make install` is.
$(BUILD)/rootfs/work.o: $(BUILD)/prefix
$(BUILD)/prefix: FORCE
	@mkdir -p $(BUILD)
	@echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' >$@

# It is started where images are made, and never for a request to run.
$(BUILD)/mayfly-rootfs: $(TOOL) $(wildcard rootfs/*.h exec/*.h activator/*.h) \
		$(BUILD)/flags
	$(CC) -std=gnu17 -D_GNU_SOURCE -iquote exec -iquote activator $(WARN) \
		-fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -pie \
		-Wl,-z,relro,-z,now $(CFLAGS) -o $@ $(TOOL) -larchive -lz

# The seccomp filter is made here, by libseccomp, and embedded: the running
# program does without that library.
$(BUILD)/exec/filter.o: $(BUILD)/filter_bpf.h

GENFILTER = exec/genfilter.c exec/genfilter_bpf.c
$(BUILD)/genfilter: $(GENFILTER) exec/genfilter.h $(BUILD)/flags
	$(CC) -std=gnu17 -D_GNU_SOURCE $(WARN) $(CFLAGS) -o $@ $(GENFILTER) -lseccomp

$(BUILD)/filter_bpf.h: exec/filter.table $(BUILD)/genfilter
	$(BUILD)/genfilter $(addprefix --without ,$(WITHOUT)) $< >$@.new
	mv $@.new $@

# Fails when what is embedded was not made from the table that is here.
filter-fresh: $(BUILD)/filter_bpf.h
	@$(BUILD)/genfilter --check exec/filter.table $(BUILD)/filter_bpf.h

# Everything is built anew when it would be built in another way. The kernel's
# headers are where musl's compiler does not look.
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)/kernel $(BUILD)/unit
	@ln -sfn /usr/include/linux $(BUILD)/kernel/linux
	@ln -sfn /usr/include/jsmn.h $(BUILD)/kernel/jsmn.h
	@ln -sfn /usr/include/asm-generic $(BUILD)/kernel/asm-generic
	@ln -sfn /usr/include/$$($(CC) -print-multiarch)/asm $(BUILD)/kernel/asm
	@echo '$(COMPILE) $(LDFLAGS_OWN) $(LDFLAGS) $(WITHOUT)' | \
		cmp -s - $@ || \
		echo '$(COMPILE) $(LDFLAGS_OWN) $(LDFLAGS) $(WITHOUT)' >$@

$(BUILD)/unit/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(OBJECTS) | filter-fresh
	$(COMPILE) -iquote activator -iquote rootfs -iquote tests/unit \
		$(LDFLAGS_OWN) $(LDFLAGS) -o $@ \
		$< $(OBJECTS)

# What lets system calls fail. It stands beside the program in a virtual machine
# as well, which has no library for it.
INJECT = $(wildcard tests/faults/*.c)
$(BUILD)/inject: $(INJECT) $(wildcard tests/faults/*.h) $(BUILD)/flags
	$(CC) -std=gnu17 -D_GNU_SOURCE $(WARN) $(CFLAGS) -static -o $@ $(INJECT) -lseccomp

-include $(OBJECTS:.o=.d) $(BUILD)/exec/main.d

# What Debian and Ubuntu call what is needed.
DEPS_BUILD = gcc libarchive-dev libc6-dev libjsmn-dev libseccomp-dev \
	linux-libc-dev musl-tools zlib1g-dev
DEPS_DEMO = $(DEPS_BUILD) curl python3
DEPS_CHECK = $(DEPS_DEMO) buildah bzip2 busybox-static clang \
	debian-archive-keyring debootstrap default-jdk-headless \
	docker-registry e2fsprogs g++ git gnupg golang-go iproute2 jq \
	libcap2-bin libsqlite3-0 make mandoc mmdebstrap mount nodejs perl \
	procps python3-pip skopeo strace systemd systemd-container uidmap \
	umoci util-linux xz-utils zstd $(NETAVARK)
# What buildah makes networks with, from Debian 13 on, it only recommends.
NETAVARK = $(shell . /etc/os-release && [ "$$ID" = debian ] && \
	[ "$${VERSION_ID:-13}" -ge 13 ] && echo netavark)
# The guest is Debian's, built and run without KVM where there is none.
DEPS_VM = $(DEPS_BUILD) debian-archive-keyring e2fsprogs mmdebstrap mount \
	qemu-system-x86
DEPS_LINT = $(DEPS_CHECK) clang-format clang-tidy clang-tools cppcheck \
	shellcheck

deps-build deps-demo deps-check deps-vm deps-lint: deps-%:
	@tests/deps.sh $(DEPS_$(shell echo $* | tr a-z A-Z))

demo: deps-demo
	+@$(MAKE) --no-print-directory -s all
	@MAYFLY=$(BUILD)/mayfly tests/demo.sh

# T=limits runs one topic. MUST_WORK=1 makes a skipped case a failed one.
check: deps-check
	+@$(MAKE) --no-print-directory -s all $(BUILD)/inject $(UNITS)
	@MAYFLY=$(abspath $(BUILD)/mayfly) INJECT=$(abspath $(BUILD)/inject) \
		UNIT="$(UNITS)" tests/run.sh T=$(T)

# Each system call killed, and failed, where check takes a few of them.
faults: deps-check
	+@$(MAKE) --no-print-directory -s all $(BUILD)/inject
	@MAYFLY=$(abspath $(BUILD)/mayfly) INJECT=$(abspath $(BUILD)/inject) \
		FAULTS=all tests/run.sh T=faults_run T=faults_sessions \
		T=faults_snapshots T=faults_images T=faults_http

check-vm: deps-vm
	+@$(MAKE) --no-print-directory -s all
	@MAYFLY=$(abspath $(BUILD)/mayfly) tests/vm/guest.sh $(T)

# The attack, system, session and image suites and the unit tests, in the guest;
# and what check-vm does in fewer ways.
check-guest: deps-vm
	+@$(MAKE) --no-print-directory -s all $(BUILD)/inject $(UNITS)
	@MAYFLY=$(abspath $(BUILD)/mayfly) LONG=1 VM_PATIENCE=14400 \
		tests/vm/guest.sh activation cgroup memory project_disks \
		attack suites images

# By how much limits can be exceeded, without cgroups and with them.
overshoot: deps-check deps-vm
	+@$(MAKE) --no-print-directory -s all
	@MAYFLY=$(abspath $(BUILD)/mayfly) tests/bench/overshoot.py
	@MAYFLY=$(abspath $(BUILD)/mayfly) LONG=1 tests/vm/guest.sh overshoot

# What others wait for while a stressor runs next to them.
neighbours: deps-vm
	+@$(MAKE) --no-print-directory -s all
	@MAYFLY=$(abspath $(BUILD)/mayfly) LONG=1 VM_PATIENCE=7200 \
		tests/vm/guest.sh neighbours

# CUTS=50 times the power fails at work.
CUTS = 50
powercut: deps-vm
	+@$(MAKE) --no-print-directory -s all
	@MAYFLY=$(abspath $(BUILD)/mayfly) tests/vm/powercut.sh $(CUTS)

# Removes each defence in turn and expects its test to fail.
mutate:
	@tests/attack/mutate.sh $(T)

# What each part notes is in the table at the end, in build/bench.json and in
# build/bench.svg.
bench: export MAYFLY = $(abspath $(BUILD)/mayfly)
bench: export BENCH_ROWS = $(abspath $(BUILD)/bench.rows)
bench: all
	@: >$(BENCH_ROWS)
	@ROUNDS=$${ROUNDS:-100} tests/bench/bench.sh $(T)
	@tests/bench/http.sh
	@tests/bench/sustained.sh
	@tests/bench/sizes.sh
	@tests/bench/overload.sh
	@tests/bench/snapshots.sh
	@MB=$${MB:-50} tests/bench/images.sh
	@tests/vm/guest.sh --container bench | tee $(BUILD)/bench.log
	@sed -n 's/^row: //p' $(BUILD)/bench.log >>$(BENCH_ROWS)
	@tests/bench/table.py $(BENCH_ROWS) $(BUILD)/bench.json $(BUILD)/bench.svg

lint: deps-lint
	@tests/lint.sh

# FUZZ_SECONDS each, with clang's libFuzzer.
fuzz: deps-lint
	@tests/deps.sh libclang-rt-$$(clang -dumpversion | cut -d. -f1)-dev
	@tests/fuzz/run.sh

# What is built so takes many times as long.
check-sanitized:
	+@T_PATIENCE=300 $(MAKE) --no-print-directory check \
		SAN=address,undefined

# Runs all that proves a promise, for an hour or more, and prints the tables.
prove:
	@tests/prove.sh

# Where systemd looks in $(PREFIX)/lib only if that is /usr or /usr/local, say
# UNITDIR=/etc/systemd/system SYSUSERSDIR=/etc/sysusers.d
# TMPFILESDIR=/etc/tmpfiles.d.
UNITDIR = $(PREFIX)/lib/systemd/system
SYSUSERSDIR = $(PREFIX)/lib/sysusers.d
TMPFILESDIR = $(PREFIX)/lib/tmpfiles.d
INSTALLED_UNITS = $(notdir $(wildcard units/*.service units/*.slice \
	units/*.socket units/*.timer))
INSTALLED_PAGES = $(notdir $(wildcard man/*.[1-8]))
MANDIR = $(PREFIX)/share/man
INSTALLED = $(PREFIX)/bin/mayfly $(PREFIX)/libexec/mayfly-activator \
	$(PREFIX)/libexec/mayfly-rootfs \
	$(SYSUSERSDIR)/mayfly.conf $(TMPFILESDIR)/mayfly.conf \
	$(addprefix $(UNITDIR)/,$(INSTALLED_UNITS)) \
	$(foreach page,$(INSTALLED_PAGES),$(MANDIR)/man$(subst \
	.,,$(suffix $(page)))/$(page))

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec \
		$(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR) \
		$(DESTDIR)$(TMPFILESDIR)
	install -m 0755 $(BUILD)/mayfly $(DESTDIR)$(PREFIX)/bin/mayfly
	ln -sfn ../bin/mayfly $(DESTDIR)$(PREFIX)/libexec/mayfly-activator
	install -m 0755 $(BUILD)/mayfly-rootfs $(DESTDIR)$(PREFIX)/libexec/mayfly-rootfs
	for unit in $(INSTALLED_UNITS); do \
		sed 's|@PREFIX@|$(PREFIX)|' "units/$$unit" | \
		install -m 0644 /dev/stdin \
			"$(DESTDIR)$(UNITDIR)/$$unit" || exit; \
	done
	install -m 0644 units/mayfly.sysusers $(DESTDIR)$(SYSUSERSDIR)/mayfly.conf
	install -m 0644 units/mayfly.tmpfiles $(DESTDIR)$(TMPFILESDIR)/mayfly.conf
	for page in $(INSTALLED_PAGES); do \
		install -D -m 0644 "man/$$page" \
			"$(DESTDIR)$(MANDIR)/man$${page##*.}/$$page" || exit; \
	done
	@if [ ! -e $(DESTDIR)/etc/mayfly/mayfly.conf ] && \
	    [ -n "$(DESTDIR)" -o "$$(id -u)" = 0 ]; then \
		install -D -m 0644 units/mayfly.conf.example \
			$(DESTDIR)/etc/mayfly/mayfly.conf; \
	fi
	@$(if $(DESTDIR),,units/live.sh install $(SYSUSERSDIR) $(TMPFILESDIR))

# /etc/mayfly, /var/lib/mayfly, and the users that may own files there stay.
uninstall:
	@$(if $(DESTDIR),,units/live.sh stop)
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	@$(if $(DESTDIR),,units/live.sh uninstall)

clean:
	rm -rf build build-san

help:
	@echo 'all        build/mayfly and build/mayfly-rootfs'
	@echo 'demo       install what is needed, build, show it at work'
	@echo 'check      install what the tests need and run them; T=TOPIC'
	@echo 'check-vm   the tests that need cgroup v2, in a QEMU guest; T=TOPIC'
	@echo 'faults     fail, and die at, each system call of a run and a session'
	@echo 'check-guest  the other suites, in that guest'
	@echo 'check-sanitized  check, built with sanitizers; T=TOPIC'
	@echo 'overshoot  by how much each limit can be exceeded'
	@echo 'neighbours what others wait for beside a stressor'
	@echo 'powercut   what is there when the power has failed; CUTS=50'
	@echo 'mutate     show that the test of each defence bites'
	@echo 'prove      all that proves SPECIFICATION.md, and the tables of it'
	@echo 'bench      what it all costs, beside others: a table, JSON, a picture'
	@echo 'lint fuzz  static analysis; fuzzing of the parsers'
	@echo 'install uninstall clean'

FORCE:
.PHONY: all FORCE filter-fresh demo check check-vm mutate bench lint fuzz \
	check-guest faults neighbours overshoot powercut prove \
	check-sanitized install uninstall clean help deps-build deps-demo deps-check \
	deps-vm deps-lint
.DELETE_ON_ERROR:
