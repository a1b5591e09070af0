// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this machine's VMX can do, and what is missing: Intel SDM 3, appendix
 * "VMX Capability Reporting Facility".
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bits.h>
#include <linux/kernel.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "vmx.h"

#define BASIC_REVISION	GENMASK_ULL(30, 0)
#define BASIC_SIZE(_b)	(((_b) >> 32) & 0x1fff)
#define BASIC_TRUE_CTLS	BIT_ULL(55)
#define MISC_TIMER_RATE	0x1f		/* log2 of the TSC's ticks for one */
#define MISC_LMA	BIT_ULL(5)	/* an exit keeps EFER.LMA in the entry controls */

#define TURN_MS		10

struct vmx_config vmx_config;

/* Whether the firmware, or the kernel in its place, has VMX enabled and that locked. */
int vmx_feature_control(void)
{
	u64 value;

	if (rdmsrl_safe(MSR_IA32_FEAT_CTL, &value))
		return 0;	/* some CPUs, and emulators, do not have it */
	if ((value & (FEAT_CTL_LOCKED | FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX)) ==
	    (FEAT_CTL_LOCKED | FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX))
		return 0;
	pr_err("VMX is %s by the firmware (IA32_FEATURE_CONTROL is %llx): enable it there\n",
	       value & FEAT_CTL_LOCKED ? "locked" : "not enabled", value);
	return -EOPNOTSUPP;
}

static int cpu_supported(void)
{
	int err;

	if (!(cpuid_ecx(1) & BIT(5))) {
		pr_err("this CPU has no VMX%s\n", boot_cpu_has(X86_FEATURE_HYPERVISOR) ?
		       ": it is virtual itself; its hypervisor must allow nesting" : "");
		return -EOPNOTSUPP;
	}
	err = vmx_feature_control();
	if (err)
		return err;
	if (!boot_cpu_has(X86_FEATURE_VMX)) {
		pr_err("this kernel was told not to use VMX\n");
		return -EOPNOTSUPP;
	}
#ifdef X86_FEATURE_FRED
	if (cpu_feature_enabled(X86_FEATURE_FRED)) {
		pr_err("this kernel uses FRED, by which NMIs cannot be passed on: boot it with fred=off\n");
		return -EOPNOTSUPP;
	}
#endif
	return 0;
}

/* Sets a word of controls to @must and what else the CPU has of @may. */
static int adjust(const char *word, u32 msr, u32 must, u32 may, u32 *result)
{
	u32 low, high;

	rdmsr(msr, low, high);	/* what has to be set, what can be */
	if (must & ~high) {
		pr_err("this CPU's VMX is too old: it lacks %s %x\n", word, must & ~high);
		return -EOPNOTSUPP;
	}
	*result = ((must | may) & high) | low;
	return 0;
}

/* The two that are most often missing have names; see controls_supported() for the rest. */
static int secondary_supported(void)
{
	u64 primary, secondary = 0;
	u32 high;

	rdmsrl(MSR_IA32_VMX_PROCBASED_CTLS, primary);
	if (upper_32_bits(primary) & CPU_BASED_ACTIVATE_SECONDARY_CONTROLS)
		rdmsrl(MSR_IA32_VMX_PROCBASED_CTLS2, secondary);
	high = upper_32_bits(secondary);
	if (!(high & SECONDARY_EXEC_ENABLE_EPT)) {
		pr_err("this CPU has VMX without EPT, which is needed\n");
		return -EOPNOTSUPP;
	}
	if (!(high & SECONDARY_EXEC_UNRESTRICTED_GUEST)) {
		pr_err("this CPU has VMX without unrestricted guest (real mode), which is needed\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int controls_supported(void)
{
	u32 low, invpcid = boot_cpu_has(X86_FEATURE_INVPCID) ? SECONDARY_EXEC_ENABLE_INVPCID : 0;
	int err;

	err = adjust("pin-based controls", MSR_IA32_VMX_TRUE_PINBASED_CTLS,
		     PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING | PIN_BASED_VIRTUAL_NMIS,
		     PIN_BASED_VMX_PREEMPTION_TIMER, &vmx_config.pin);
	if (err)
		return err;
	err = adjust("primary controls", MSR_IA32_VMX_TRUE_PROCBASED_CTLS,
		     CPU_BASED_USE_TSC_OFFSETTING | CPU_BASED_HLT_EXITING |
		     CPU_BASED_MWAIT_EXITING | CPU_BASED_MONITOR_EXITING |
		     CPU_BASED_RDPMC_EXITING | CPU_BASED_TPR_SHADOW |
		     CPU_BASED_NMI_WINDOW_EXITING | CPU_BASED_INTR_WINDOW_EXITING |
		     CPU_BASED_MOV_DR_EXITING | CPU_BASED_UNCOND_IO_EXITING |
		     CPU_BASED_USE_MSR_BITMAPS | CPU_BASED_ACTIVATE_SECONDARY_CONTROLS, 0,
		     &vmx_config.primary);
	if (err)
		return err;
	/* These two are for when something waits. */
	vmx_config.primary &= ~(CPU_BASED_NMI_WINDOW_EXITING | CPU_BASED_INTR_WINDOW_EXITING);
	low = CPU_BASED_CR3_LOAD_EXITING | CPU_BASED_CR3_STORE_EXITING;
	if (vmx_config.primary & low) {
		pr_err("this CPU's VMX cannot leave CR3 to the guest, which is needed\n");
		return -EOPNOTSUPP;
	}
	err = adjust("secondary controls", MSR_IA32_VMX_PROCBASED_CTLS2,
		     SECONDARY_EXEC_ENABLE_EPT | SECONDARY_EXEC_UNRESTRICTED_GUEST |
		     SECONDARY_EXEC_WBINVD_EXITING, SECONDARY_EXEC_ENABLE_VPID | invpcid,
		     &vmx_config.secondary);
	if (err)
		return err;
	err = adjust("exit controls", MSR_IA32_VMX_TRUE_EXIT_CTLS,
		     VM_EXIT_SAVE_DEBUG_CONTROLS | VM_EXIT_HOST_ADDR_SPACE_SIZE |
		     VM_EXIT_LOAD_IA32_PAT | VM_EXIT_SAVE_IA32_EFER | VM_EXIT_LOAD_IA32_EFER,
		     VM_EXIT_SAVE_VMX_PREEMPTION_TIMER, &vmx_config.exit);
	if (err)
		return err;
	return adjust("entry controls", MSR_IA32_VMX_TRUE_ENTRY_CTLS,
		      VM_ENTRY_LOAD_DEBUG_CONTROLS | VM_ENTRY_LOAD_IA32_PAT |
		      VM_ENTRY_LOAD_IA32_EFER, 0, &vmx_config.entry);
}

/*
 * A stay in the guest is bounded: a host interrupt ends it, and if none does the
 * preemption timer. Bochs needs that, where an interrupt does not come while
 * neither host nor guest have RFLAGS.IF set.
 */
static void set_turn(u64 misc)
{
	u64 ticks = (u64)tsc_khz * TURN_MS >> (misc & MISC_TIMER_RATE);

	if (vmx_config.pin & PIN_BASED_VMX_PREEMPTION_TIMER &&
	    vmx_config.exit & VM_EXIT_SAVE_VMX_PREEMPTION_TIMER) {
		vmx_config.turn = min_t(u64, ticks, U32_MAX);
		return;
	}
	vmx_config.pin &= ~PIN_BASED_VMX_PREEMPTION_TIMER;
	vmx_config.exit &= ~VM_EXIT_SAVE_VMX_PREEMPTION_TIMER;
	vmx_config.turn = 0;
}

static int ept_supported(void)
{
	const u64 must = VMX_EPT_PAGE_WALK_4_BIT | VMX_EPTP_WB_BIT | VMX_EPT_2MB_PAGE_BIT |
			 VMX_EPT_INVEPT_BIT | VMX_EPT_EXTENT_GLOBAL_BIT;
	u64 cap;

	rdmsrl(MSR_IA32_VMX_EPT_VPID_CAP, cap);
	if ((cap & must) != must) {
		pr_err("this CPU's EPT is too simple: it lacks %llx\n", must & ~cap);
		return -EOPNOTSUPP;
	}
	vmx_config.eptp_flags = VMX_EPTP_MT_WB | VMX_EPTP_PWL_4 |
			    (cap & VMX_EPT_AD_BIT ? VMX_EPTP_AD_ENABLE_BIT : 0);
	vmx_config.invept_single = cap & VMX_EPT_EXTENT_CONTEXT_BIT;
	return 0;
}

/* 0: vmx_config is filled in; else pr_err() has said what is missing. */
int vmx_supported(void)
{
	u64 basic, misc;
	int err;

	err = cpu_supported();
	if (err)
		return err;
	err = secondary_supported();
	if (err)
		return err;
	rdmsrl(MSR_IA32_VMX_BASIC, basic);
	rdmsrl(MSR_IA32_VMX_MISC, misc);
	if (!(basic & BASIC_TRUE_CTLS) || !(misc & MISC_LMA) || BASIC_SIZE(basic) > PAGE_SIZE) {
		pr_err("this CPU's VMX is of an unknown kind (basic %llx, misc %llx)\n", basic,
		       misc);
		return -EOPNOTSUPP;
	}
	vmx_config.revision = basic & BASIC_REVISION;
	err = controls_supported();
	if (err)
		return err;
	set_turn(misc);
	return ept_supported();
}
