// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host that crashes does not call its reboot notifiers, but VMX has to be off
 * then, too: with VMX on a CPU takes no INIT, which resets and starts CPUs, and the
 * kernel that kexec goes on with cannot clear CR4.VMXE. The host has a hook for
 * that, cpu_emergency_register_virt_callback(), but just one, and KVM warns if it
 * finds that taken. So there is a probe at the function that makes the call: each
 * CPU gets to it on its way out.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>

#include "vmx.h"

static int crash_probe_hit(struct kprobe *probe, struct pt_regs *regs)
{
	vmx_emergency_off();
	return 0;
}

NOKPROBE_SYMBOL(crash_probe_hit);

static struct kprobe crash_probe = {
	.symbol_name = "cpu_emergency_disable_virtualization",
	.pre_handler = crash_probe_hit,
};

/* Some kernels do not call it on the CPU that panics, when the machine is only reset. */
static int crash_panic(struct notifier_block *nb, unsigned long code, void *unused)
{
	unsigned long flags;

	local_irq_save(flags);
	vmx_emergency_off();
	local_irq_restore(flags);
	return NOTIFY_DONE;
}

static struct notifier_block crash_panic_nb = {
	.notifier_call = crash_panic,
};

/* A host without probes is not refused for that. */
void vmx_crash_setup(void)
{
	int err = register_kprobe(&crash_probe);

	if (err)
		pr_warn("no probe for crashes (%d): a kernel for crash dumps may not start while a VM runs\n",
			err);
	atomic_notifier_chain_register(&panic_notifier_list, &crash_panic_nb);
}

void vmx_crash_unsetup(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &crash_panic_nb);
	unregister_kprobe(&crash_probe);	/* nothing, if there is none */
}
