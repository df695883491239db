# oathkit: make, make check, make install. Variables that may be set:
# PREFIX, DESTDIR, SYSCONFDIR, PAMDIR, VERSION, FUZZTIME, USERS, GO, CC, CFLAGS.

GO         ?= go
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
BINDIR     ?= $(PREFIX)/bin
SBINDIR    ?= $(PREFIX)/sbin
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/oathkit
STATEDIR   ?= /var/lib/oathkit
LOGDIR     ?= /var/log/oathkit
INSTALL    ?= install
CFLAGS     ?= -O2 -g
FUZZTIME   ?= 2m
VERSION    ?=

# The programs that anybody runs, and those of the administrator.
USER_PROGS  := oathkeygen oath-qrencode oathenroll
ADMIN_PROGS := oathverify realmctl mfactl oath-duo
PROGS       := $(USER_PROGS) $(ADMIN_PROGS)

# Samples, one per host: for the administrator to copy.
CONFIGS := $(shell find configs -type f)

# Static, small, and no paths of the machine that built them.
BUILD := CGO_ENABLED=0 $(GO) build -trimpath \
	-ldflags "-s -w$(if $(VERSION), -X oathkit/cmd/internal/cli.Version=$(VERSION))"

# The PAM module, and the program that it starts, whose path is fixed here.
PAMODULE   ?= bin/pam_oathkit.so
OATHVERIFY ?= $(SBINDIR)/oathverify
# Where libpam looks for modules: a folder of the machine's kind, as in Debian,
# or of its word length.
PAMDIR     ?= $(firstword $(wildcard /lib/$(shell $(CC) -print-multiarch 2>/dev/null)/security /lib64/security) /lib/security)
PAMWARN    := -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wcast-qual -Wformat=2 -Wundef -Wpointer-arith -Wvla
PAMHARD    := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fvisibility=hidden
PAMLINK    := -Wl,-z,relro,-z,now,-z,noexecstack

# Tools of `make check`, outside go.mod, in versions that are known to agree
# with this code.
STATICCHECK := .tools/.staticcheck-v0.8.2
GOFUMPT     := .tools/.gofumpt-v0.12.0

.PHONY: all pam check format vet staticcheck scripts manuals test race bench fuzz soak demo completion \
	install uninstall clean

all:
	@mkdir -p bin
	$(BUILD) -o bin/ ./cmd/...

# Needs the headers of libpam (libpam0g-dev, pam-devel). make install takes the
# module along when it is there.
pam:
	@mkdir -p $(dir $(PAMODULE))
	$(CC) -std=gnu11 $(PAMWARN) $(PAMHARD) -DOATHVERIFY='"$(OATHVERIFY)"' $(CPPFLAGS) $(CFLAGS) -fPIC -shared $(PAMLINK) $(LDFLAGS) \
		-o $(PAMODULE) cmd/pam_oathkit/*.c -lpam

# $(call with,PROGRAM,WHAT IS LEFT OUT) ends a recipe where there is no such
# program: well by hand, badly where CI is set.
with = { command -v $(1) >/dev/null || { echo "no $(1): $(2)" >&2; test -z "$$CI"; exit; }; }

check: format vet staticcheck scripts manuals test race

format: $(GOFUMPT)
	@unformatted=$$(.tools/gofumpt -l cmd pkg scripts) && test -z "$$unformatted" || \
		{ echo "run .tools/gofumpt -w on:" $$unformatted >&2; exit 1; }

vet:
	$(GO) vet ./...

staticcheck: $(STATICCHECK)
	.tools/staticcheck ./...

# Every file that says it is for sh or bash, and the bash completions, which
# have no such line as they are never run by themselves.
scripts:
	@$(call with,shellcheck,the scripts were not checked) && shellcheck $$(grep -rlE '^#!.*[/ ](ba)?sh$$' scripts configs .ci) && \
		shellcheck -s bash scripts/completion/bash/*

manuals:
	@$(call with,mandoc,the manual pages were not checked) && mandoc -Tlint -W warning man/man?/*.?

# The hosts take minutes on a slow machine, and Go's own limit is ten of them.
# GOTESTFLAGS=-v shows each test; CI=true makes a test fail that would be
# skipped for want of a program.
test:
	$(GO) test -timeout 30m $(GOTESTFLAGS) ./...

# What is used by several goroutines at once. The race detector needs a C
# compiler.
RACE := ./pkg/audit/... ./pkg/duo/... ./pkg/store/... ./pkg/internal/...
race:
	@$(call with,gcc,the race detector was left out) && CGO_ENABLED=1 $(GO) test -race -short $(RACE)

# Whole programs against their peers, then the Go benchmarks.
bench: all
	$(GO) run ./scripts/bench -bin bin
	$(GO) test -run '^$$' -bench . -benchmem ./pkg/...

# Every fuzz target in turn. Minimizing is kept short, for it is not counted as
# running.
fuzz:
	@set -e; for dir in $$(grep -rlE --include='*_test.go' '^func Fuzz' cmd pkg | xargs -n1 dirname | sort -u); do \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | sed 's/^func //'); do \
			echo "== $$dir $$target"; \
			$(GO) test ./$$dir -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x; \
		done; \
	done

# The completions, which are made from the programs' own usage.
completion:
	$(GO) test ./cmd -run '^TestCompletions$$' -update

# The full figures that the documentation quotes: hours, not minutes.
soak: all
	SOAK=1 $(GO) test -count=1 -timeout 0 ./...

demo: all
	scripts/demo bin

# Root often has no Go in its path: `make && sudo make install` takes what make
# has built.
install: $(if $(shell command -v $(GO)),all) $(if $(wildcard $(PAMODULE)),pam)
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(SBINDIR) $(DESTDIR)$(DOCDIR)
	$(INSTALL) -m 0755 $(addprefix bin/,$(USER_PROGS)) $(DESTDIR)$(BINDIR)
	$(INSTALL) -m 0755 $(addprefix bin/,$(ADMIN_PROGS)) $(DESTDIR)$(SBINDIR)
	$(if $(wildcard $(PAMODULE)),$(INSTALL) -D -m 0644 $(PAMODULE) $(DESTDIR)$(PAMDIR)/pam_oathkit.so)
	for page in man/man?/*.?; do \
		$(INSTALL) -D -m 0644 $$page $(DESTDIR)$(MANDIR)/$${page#man/} || exit 1; done
	for prog in $(PROGS); do \
		$(INSTALL) -D -m 0644 scripts/completion/bash/$$prog $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$prog && \
		$(INSTALL) -D -m 0644 scripts/completion/zsh/_$$prog $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_$$prog && \
		$(INSTALL) -D -m 0644 scripts/completion/fish/$$prog.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/$$prog.fish || exit 1; done
	$(INSTALL) -m 0644 README.md SECURITY.md CHANGELOG.md LICENSE $(DESTDIR)$(DOCDIR)
	for file in $(CONFIGS); do \
		$(INSTALL) -D -m 0644 $$file $(DESTDIR)$(DOCDIR)/$$file || exit 1; done
	$(INSTALL) -D -m 0644 configs/sysusers.d/oathkit.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/oathkit.conf
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	for unit in service path; do \
		sed 's,/usr/local/sbin,$(SBINDIR),' "configs/systemd/oathkit-trial@.$$unit" >"$(DESTDIR)$(PREFIX)/lib/systemd/system/oathkit-trial@.$$unit" && \
		chmod 0644 "$(DESTDIR)$(PREFIX)/lib/systemd/system/oathkit-trial@.$$unit" || exit 1; done
	$(INSTALL) -d -m 0755 $(DESTDIR)$(SYSCONFDIR)/oathkit
	test -d $(DESTDIR)$(STATEDIR) || $(INSTALL) -d -m 0700 $(DESTDIR)$(STATEDIR)
	test -d $(DESTDIR)$(LOGDIR) || $(INSTALL) -d -m 0700 $(DESTDIR)$(LOGDIR)
	@# What an administrator may have changed is never overwritten.
	test -e $(DESTDIR)$(SYSCONFDIR)/oathkit/oathkit.toml || \
		$(INSTALL) -m 0644 configs/oathkit.toml $(DESTDIR)$(SYSCONFDIR)/oathkit/oathkit.toml
	test -e $(DESTDIR)$(SYSCONFDIR)/logrotate.d/oathkit || \
		$(INSTALL) -D -m 0644 configs/logrotate.d/oathkit $(DESTDIR)$(SYSCONFDIR)/logrotate.d/oathkit

# A service that names what is not there any more lets nobody in, root included.
uninstall:
	@used=$$(grep -lsE '^[^#]*(pam_oathkit\.so|/oathverify)' $(DESTDIR)$(SYSCONFDIR)/pam.conf $(DESTDIR)$(SYSCONFDIR)/pam.d/*); \
		test -z "$$used" || { echo "take the lines of oathkit out first, or nobody can log in:" $$used >&2; exit 1; }
	rm -f $(DESTDIR)$(PAMDIR)/pam_oathkit.so
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,$(USER_PROGS)) $(addprefix $(DESTDIR)$(SBINDIR)/,$(ADMIN_PROGS))
	for page in man/man?/*.?; do rm -f $(DESTDIR)$(MANDIR)/$${page#man/}; done
	for prog in $(PROGS); do \
		rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$prog \
			$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_$$prog \
			$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/$$prog.fish; done
	rm -f $(addprefix $(DESTDIR)$(DOCDIR)/,README.md SECURITY.md CHANGELOG.md LICENSE $(CONFIGS))
	rm -f $(DESTDIR)$(PREFIX)/lib/sysusers.d/oathkit.conf $(addprefix $(DESTDIR)$(PREFIX)/lib/systemd/system/oathkit-trial@.,service path)
	-find $(DESTDIR)$(DOCDIR) -depth -type d -empty -delete 2>/dev/null
	@echo "kept: $(DESTDIR)$(SYSCONFDIR)/oathkit, $(DESTDIR)$(SYSCONFDIR)/logrotate.d/oathkit, $(DESTDIR)$(STATEDIR), $(DESTDIR)$(LOGDIR)"

clean:
	rm -rf bin

$(STATICCHECK):
	GOBIN=$(CURDIR)/.tools $(GO) install honnef.co/go/tools/cmd/staticcheck@v0.8.2
	@touch $@

$(GOFUMPT):
	GOBIN=$(CURDIR)/.tools $(GO) install mvdan.cc/gofumpt@v0.12.0
	@touch $@
