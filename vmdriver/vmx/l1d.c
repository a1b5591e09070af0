// SPDX-License-Identifier: GPL-2.0-only
/*
 * On CPUs with the L1 terminal fault a guest can read what is in the level 1
 * data cache, whatever its page tables say: it is emptied before each stay in
 * the guest, when the host's own mitigations ask for it (the kernel's
 * documentation, "L1TF - L1 Terminal Fault"). Between the exits of one stay no
 * code runs that would bring in what is somebody else's.
 */
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/jump_label.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "vmx.h"

/* Without the microcode's help the cache is filled with something else: twice its size. */
#define FLUSH_SIZE	(64 * 1024)
#define FLUSH_ORDER	get_order(FLUSH_SIZE)
#define LINE		64

static DEFINE_STATIC_KEY_FALSE(wanted);
static u8 *pages;	/* NULL where the CPU can do it by itself */

static bool needed(void)
{
	u64 caps = 0;

	if (!boot_cpu_has_bug(X86_BUG_L1TF))
		return false;
	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrl(MSR_IA32_ARCH_CAPABILITIES, caps);
	return !(caps & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH) && l1tf_mitigation != L1TF_MITIGATION_OFF;
}

int vmx_l1d_setup(void)
{
	if (!needed())
		return 0;
	if (!boot_cpu_has(X86_FEATURE_FLUSH_L1D)) {
		pages = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, FLUSH_ORDER);
		if (!pages)
			return -ENOMEM;
	}
	static_branch_enable(&wanted);
	return 0;
}

void vmx_l1d_unsetup(void)
{
	free_pages((unsigned long)pages, FLUSH_ORDER);
}

/* How, for sysfs. */
const char *vmx_l1d_state(void)
{
	if (!static_key_enabled(&wanted.key))
		return boot_cpu_has_bug(X86_BUG_L1TF) ? "off" : "not needed";
	return pages ? "by software" : "by the CPU";
}

void vmx_l1d_flush(void)
{
	unsigned int at;

	if (!static_branch_unlikely(&wanted))
		return;
	if (!pages) {
		wrmsrl(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
		return;
	}
	/* Translations first, that no walk of page tables comes in between. */
	for (at = 0; at < FLUSH_SIZE; at += PAGE_SIZE)
		READ_ONCE(pages[at]);
	for (at = 0; at < FLUSH_SIZE; at += LINE)
		READ_ONCE(pages[at]);
}
