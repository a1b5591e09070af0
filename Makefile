# SPDX-License-Identifier: GPL-2.0-only
#
# make			the modules, vmapp and vmctl
# make nettest		the network's benchmark, one static program
# make modules		the modules only; KDIR=FOLDER or KVER=6.1|6.12|6.1-cloud|debug for another kernel
# make check		the tests that need no virtual machine, in under a minute
# make test		all tests, after installing what they need
# make test-debug	some of them on a kernel with KASAN, lockdep and kmemleak, built first
# make demo		Debian's kernel in our VMM, in the lab; ON=host for this machine
# make paper		the cost of a packet, ours and the peers', to build/paper; QUICK=1, ON=host
# make install modules_install uninstall	with DESTDIR and PREFIX
# make checkpatch sparse	the style and the types of the kernel's part
# make clean		all that was built; make distclean takes the downloads too
#
# Everything that is built goes to build/.

TOP	:= $(abspath $(dir $(lastword $(MAKEFILE_LIST))))
B	:= $(TOP)/build

PREFIX	?= /usr/local
export PREFIX DESTDIR

all: modules vmapp vmctl nettest

# ---- the kernel's part

# Which kernel: KVER's, out of its package; else the one that runs, else the newest
# that has its headers here, else the lab's.
ifdef KVER
KDIR	= $(shell $(TOP)/tools/lab/kernel $(KVER))/headers
else
KDIR	?= $(or $(wildcard /lib/modules/$(shell uname -r)/build),$(lastword $(shell \
	ls -d /lib/modules/*/build 2>/dev/null | sort -V)),$(shell \
	$(TOP)/tools/lab/kernel 6.1)/headers)
endif

utsrelease = $(KDIR)/include/generated/utsrelease.h
release	= $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(utsrelease))
mods	= $(B)/modules/$(release)
kmod	= $(B)/kmod/$(release)$(KMOD_SUFFIX)
kbuild	= $(MAKE) $(jobs) -C $(KDIR) M=$(kmod)
jobs	= $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

# Each kernel's objects live in a tree of their own, of links to the sources. The
# lock is for those who make at the same time.
modules sparse:
	@test -e $(utsrelease) || \
		{ echo "no kernel headers in $(KDIR): run tools/deps build" >&2; exit 1; }
	@mkdir -p $(B)/kmod
	+@flock $(kmod).lock $(MAKE) --no-print-directory KVER= KDIR=$(abspath $(KDIR)) \
		locked_$@

mirror:
	@mkdir -p $(mods) $(kmod)
	@cp -rsf $(TOP)/Kbuild $(TOP)/include $(TOP)/vmdriver $(TOP)/vmnet $(kmod)/
	@find $(kmod) -type l ! \( -name '*.[chS]' -o -name Kbuild \) -delete
	@find $(kmod) -xtype l -delete

# A lab that runs may be reading the old ones.
locked_modules: mirror
	+$(kbuild) modules
	@cd $(kmod) && for ko in *.ko; do \
		cmp -s $$ko $(mods)/$$ko || \
		{ cp $$ko $(mods)/$$ko.new && mv $(mods)/$$ko.new $(mods)/$$ko; } || exit; \
	done

# Objects of their own, as W=1 is another set of flags.
sparse: export KMOD_SUFFIX := -sparse
locked_sparse: mirror
	@command -v sparse >/dev/null || { echo "no sparse here: run tools/deps test" >&2; exit 1; }
	+@$(kbuild) W=1 C=2 modules >$(kmod).log 2>&1 || { cat $(kmod).log; exit 1; }
	@! grep -E -A8 '(warning|error):' $(kmod).log

checkpatch:
	$(TOP)/tools/lab/checkpatch

# ---- programs and tests, each with its folder's own Makefile

vmapp:
	+$(MAKE) -C vmapp
vmctl:
	+$(MAKE) -C tools/vmctl
nettest:
	+$(MAKE) -C tools/nettest

tests:
	+for dir in tools/exitbench selftests/unit selftests/vmctl selftests/kselftest \
		selftests/nettest selftests/vmnet; do $(MAKE) -C $$dir || exit; done

check:
	tools/lab/lanes check

test:
	tools/deps test
	+$(MAKE) vmapp vmctl nettest tests
	+$(MAKE) modules KVER=6.1
	+$(MAKE) modules KVER=6.12
	+$(MAKE) modules KVER=6.1-cloud
	tools/lab/lanes test

test-debug:
	tools/deps test paper
	+$(MAKE) vmapp vmctl nettest tests
	+$(MAKE) modules KVER=debug
	tools/lab/lanes debug

demo:
	tools/deps build $(if $(filter host,$(ON)),,lab)
	+$(MAKE) vmapp vmctl nettest
	+$(MAKE) modules $(if $(filter host,$(ON)),,KVER=6.1)
	ON=$(ON) tools/demo

paper:
	tools/deps build lab paper
	+$(MAKE) vmapp vmctl nettest
	+$(MAKE) modules $(if $(filter host,$(ON)),,KVER=6.1)
	QUICK=$(QUICK) ON=$(ON) tools/paper/run

# ---- installation

updates	= /lib/modules/$(release)/updates

install: vmapp vmctl
	+$(MAKE) -C vmapp install
	+$(MAKE) -C tools/vmctl install
	@getent group vmusers >/dev/null || echo "Members of the group vmusers may run VMs." \
		"There is none yet: groupadd -r vmusers && usermod -aG vmusers USER"

# Not Kbuild's own: out of Debian's headers it can neither sign nor run depmod.
modules_install: modules
	install -D -m 644 -t $(DESTDIR)$(updates) $(mods)/*.ko
	$(if $(DESTDIR),,depmod $(release))

uninstall:
	+$(MAKE) -C vmapp uninstall
	+$(MAKE) -C tools/vmctl uninstall
	$(RM) $(DESTDIR)$(updates)/vmdriver.ko $(DESTDIR)$(updates)/vmnet.ko
	$(if $(DESTDIR),,depmod $(release))

clean:
	find $(B) -mindepth 1 -maxdepth 1 ! -name cache -exec $(RM) -r {} +

distclean:
	$(RM) -r $(B)

.PHONY: all modules modules_install sparse mirror locked_modules locked_sparse \
	 checkpatch vmapp vmctl nettest tests check test test-debug demo paper install uninstall \
	clean distclean
