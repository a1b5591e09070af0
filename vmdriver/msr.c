// SPDX-License-Identifier: GPL-2.0-only
/*
 * Model-specific registers. Those that the CPU switches with the guest live in
 * the backend's control block; a few are kept here; the rest does not exist:
 * the guest gets #GP, the trace says which one it was.
 */
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "vmdriver.h"

#define APIC_BASE_BSP		BIT(8)	/* the boot processor; enable bit clear: no APIC */
#define APIC_BASE_DEFAULT	(0xfee00000ull | APIC_BASE_BSP)
#define VM_CR_DISABLED		(BIT(4) | BIT(3))	/* SVMDIS and its lock */
#define DE_CFG_LFENCE		BIT(1)	/* LFENCE waits for what is before it */
#define UCODE_REV		0x01000065
#define EFER_GUEST	((u64)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX | EFER_FFXSR))

/* Every MSR whose value makes up a guest's state, for GET_MSR_LIST. */
static const u32 saved_msrs[] = {
	MSR_IA32_TSC, MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	MSR_IA32_CR_PAT, MSR_IA32_DEBUGCTLMSR, MSR_IA32_APICBASE, MSR_IA32_MISC_ENABLE,
	MSR_EFER, MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK, MSR_FS_BASE, MSR_GS_BASE,
	MSR_KERNEL_GS_BASE, MSR_K7_HWCR,
};

unsigned int vmdrv_msr_list(u32 *list, unsigned int room)
{
	static_assert(ARRAY_SIZE(saved_msrs) <= VMDRV_MSR_MAX);

	memcpy(list, saved_msrs, min_t(size_t, room, ARRAY_SIZE(saved_msrs)) * sizeof(*list));
	return ARRAY_SIZE(saved_msrs);
}

void vmdrv_msr_reset(struct vmdrv_vcpu *vcpu)
{
	vcpu->msr = (struct vmdrv_msr_store) {
		.apic_base = APIC_BASE_DEFAULT,
		.misc_enable = MSR_IA32_MISC_ENABLE_FAST_STRING,
	};
}

/* Registers of the platform's that read as a constant and may be written with it. */
static int get_constant(u32 index, u64 *value)
{
	switch (index) {
	case MSR_IA32_PLATFORM_ID:
	case MSR_IA32_DEBUGCTLMSR:
	case MSR_IA32_MCG_CAP:		/* no banks */
	case MSR_IA32_MCG_STATUS:
	case MSR_IA32_LASTBRANCHFROMIP:
	case MSR_IA32_LASTBRANCHTOIP:
	case MSR_IA32_LASTINTFROMIP:
	case MSR_IA32_LASTINTTOIP:
	case MSR_AMD64_SYSCFG:
	case MSR_AMD64_NB_CFG:
	case MSR_K8_INT_PENDING_MSG:
	case MSR_AMD64_LS_CFG:
	case MSR_AMD64_DC_CFG:
	case MSR_F15H_IC_CFG:
	case MSR_AMD64_BU_CFG2:
		*value = 0;
		return 0;
	case MSR_IA32_UCODE_REV:
		*value = boot_cpu_data.x86_vendor == X86_VENDOR_INTEL ?
			(u64)UCODE_REV << 32 : UCODE_REV;
		return 0;
	case MSR_AMD64_DE_CFG:
		*value = DE_CFG_LFENCE;
		return 0;
	case MSR_VM_CR:
		*value = VM_CR_DISABLED;
		return 0;
	default:
		return -ENOENT;
	}
}

/* 0, or -ENOENT: the guest has no such register. */
int vmdrv_get_msr(struct vmdrv_vcpu *vcpu, u32 index, u64 *value)
{
	switch (index) {
	case MSR_IA32_TSC:
		*value = rdtsc_ordered() + vcpu->tsc_offset;
		return 0;
	case MSR_EFER:
		*value = vmdrv_ops->get_efer(vcpu);
		return 0;
	case MSR_IA32_APICBASE:
		*value = vcpu->msr.apic_base;
		return 0;
	case MSR_IA32_MISC_ENABLE:
		*value = vcpu->msr.misc_enable;
		return 0;
	case MSR_K7_HWCR:
		*value = vcpu->msr.hwcr;
		return 0;
	default:
		if (!vmdrv_ops->get_msr(vcpu, index, value))
			return 0;
		return get_constant(index, value);
	}
}

/* WRMSR's rules: AMD manual 2, 3.1.7 "Extended Feature Enable Register". */
int vmdrv_set_efer(struct vmdrv_vcpu *vcpu, u64 efer)
{
	u64 old = vmdrv_ops->get_efer(vcpu);

	if (efer & ~EFER_GUEST)
		return -EINVAL;
	if ((efer & EFER_NX && !boot_cpu_has(X86_FEATURE_NX)) ||
	    (efer & EFER_FFXSR && !boot_cpu_has(X86_FEATURE_FXSR_OPT)))
		return -EINVAL;
	if ((efer ^ old) & EFER_LME && vmdrv_ops->get_cr(vcpu, 0) & X86_CR0_PG)
		return -EINVAL;
	/* LMA is the CPU's to set. */
	vmdrv_ops->set_efer(vcpu, (efer & ~EFER_LMA) | (old & EFER_LMA));
	set_bit(VMDRV_REQ_FLUSH, &vcpu->requests);
	return 0;
}

static bool pat_valid(u64 pat)
{
	int i;

	for (i = 0; i < 64; i += 8) {
		u8 type = pat >> i;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

static bool canonical(u64 address)
{
	return (u64)((s64)(address << 16) >> 16) == address;
}

/* 0, -ENOENT: no such register, or -EINVAL: a value that it does not take. */
int vmdrv_set_msr(struct vmdrv_vcpu *vcpu, u32 index, u64 value)
{
	u64 constant;

	switch (index) {
	case MSR_IA32_TSC:
		vcpu->tsc_offset = value - rdtsc_ordered();
		vmdrv_ops->set_tsc_offset(vcpu, vcpu->tsc_offset);
		return 0;
	case MSR_EFER:
		return vmdrv_set_efer(vcpu, value);
	case MSR_IA32_APICBASE:		/* there is no APIC to enable or to move */
		return value == vcpu->msr.apic_base ? 0 : -EINVAL;
	case MSR_IA32_MISC_ENABLE:
		vcpu->msr.misc_enable = value;
		return 0;
	case MSR_K7_HWCR:
		vcpu->msr.hwcr = value;
		return 0;
	case MSR_IA32_UCODE_WRITE:
	case MSR_AMD64_PATCH_LOADER:
	case MSR_IA32_UCODE_REV:	/* written with 0 before it is read, on Intel */
	case MSR_AMD64_NB_CFG:		/* Linux sets bit 46 on any AMD CPU since family 10h */
		return 0;
	case MSR_IA32_CR_PAT:
		if (!pat_valid(value))
			return -EINVAL;
		break;
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_IA32_SYSENTER_EIP:
	case MSR_IA32_SYSENTER_ESP:
		if (!canonical(value))
			return -EINVAL;
		break;
	default:
		if (!get_constant(index, &constant))
			return value == constant ? 0 : -EINVAL;
	}
	return vmdrv_ops->set_msr(vcpu, index, value);
}
