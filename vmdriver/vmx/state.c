// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's state in the VMCS, and the little of it that is elsewhere.
 */
#include <linux/bitops.h>
#include <linux/preempt.h>
#include <asm/debugreg.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "vmx.h"

#define PAT_RESET	0x0007040600070406ull
#define DR7_RESET	0x400

#define AR_LOW		0x00ff	/* the descriptor's byte 5: as in vmdrv_segment.attrib */
#define AR_FLAGS	0xf000	/* G, D/B, L, AVL: four bits higher than there */

#define VAPIC_TPR	0x80

/* A VMCS has each field once for all eight segments, in the order of ours. */
#define FIELD(_what, _seg)	(GUEST_ES_##_what + 2 * (_seg))

static void write_segment(int seg, const struct vmdrv_segment *s)
{
	u32 ar = (s->attrib & AR_LOW) | (s->attrib & 0xf00) << 4;

	if (!(ar & VMX_AR_P_MASK))
		ar |= VMX_AR_UNUSABLE_MASK;
	vmx_write(FIELD(SELECTOR, seg), s->selector);
	vmx_write(FIELD(BASE, seg), s->base);
	vmx_write(FIELD(LIMIT, seg), s->limit);
	vmx_write(FIELD(AR_BYTES, seg), ar);
}

static u16 attrib(u32 ar)
{
	u16 value = (ar & AR_LOW) | (ar & AR_FLAGS) >> 4;

	return ar & VMX_AR_UNUSABLE_MASK ? value & ~VMX_AR_P_MASK : value;
}

void vmx_get_segment(struct vmdrv_vcpu *vcpu, int seg, struct vmdrv_segment *s)
{
	s->base = vmx_read(FIELD(BASE, seg));
	s->limit = vmx_read(FIELD(LIMIT, seg));
	s->selector = vmx_read(FIELD(SELECTOR, seg));
	s->attrib = attrib(vmx_read(FIELD(AR_BYTES, seg)));
}

static void write_cr(u64 cr0, u64 cr3, u64 cr4)
{
	vmx_write(GUEST_CR0, (cr0 & ~VMX_CR0_OURS) | X86_CR0_NE);
	vmx_write(CR0_READ_SHADOW, cr0);
	vmx_write(GUEST_CR3, cr3);
	vmx_write(GUEST_CR4, (cr4 & ~vmx_cr4_ours) | VMX_CR4_SET);
	vmx_write(CR4_READ_SHADOW, cr4);
}

static void write_efer(u64 efer)
{
	u64 entry = vmx_read(VM_ENTRY_CONTROLS) & ~(u64)VM_ENTRY_IA32E_MODE;

	vmx_write(GUEST_IA32_EFER, efer);
	vmx_write(VM_ENTRY_CONTROLS, entry | (efer & EFER_LMA ? VM_ENTRY_IA32E_MODE : 0));
}

/* After power-on: Intel SDM 3, "IA-32 and Intel 64 Processor States Following ... Reset". */
void vmx_reset(struct vmdrv_vcpu *vcpu)
{
	static const struct vmdrv_segment data = { .attrib = 0x93, .limit = 0xffff };
	static const struct vmdrv_segment code = {
		.selector = 0xf000, .attrib = 0x9b, .limit = 0xffff, .base = 0xffff0000,
	};
	static const struct vmdrv_segment ldtr = { .attrib = 0x82, .limit = 0xffff };
	static const struct vmdrv_segment tr = { .attrib = 0x8b, .limit = 0xffff };
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	int seg;

	for (seg = VMDRV_SEG_ES; seg <= VMDRV_SEG_GS; seg++)
		write_segment(seg, seg == VMDRV_SEG_CS ? &code : &data);
	write_segment(VMDRV_SEG_LDTR, &ldtr);
	write_segment(VMDRV_SEG_TR, &tr);
	vmx_write(GUEST_GDTR_BASE, 0);
	vmx_write(GUEST_GDTR_LIMIT, 0xffff);
	vmx_write(GUEST_IDTR_BASE, 0);
	vmx_write(GUEST_IDTR_LIMIT, 0xffff);
	write_cr(X86_CR0_ET, 0, 0);
	write_efer(0);
	vmx_write(GUEST_RFLAGS, X86_EFLAGS_FIXED);
	vmx_write(GUEST_RIP, 0xfff0);
	vmx_write(GUEST_RSP, 0);
	vmx_write(GUEST_INTERRUPTIBILITY_INFO, 0);
	vmx_write(GUEST_PENDING_DBG_EXCEPTIONS, 0);
	vmx_write(GUEST_ACTIVITY_STATE, GUEST_ACTIVITY_ACTIVE);
	vmx_write(GUEST_IA32_DEBUGCTL, 0);
	vmx_write(GUEST_IA32_PAT, PAT_RESET);
	vmx_write(GUEST_SYSENTER_CS, 0);
	vmx_write(GUEST_SYSENTER_ESP, 0);
	vmx_write(GUEST_SYSENTER_EIP, 0);
	vmx->cr2 = 0;
	vmx->pdptes_stale = false;
	vmx->virtual_apic[VAPIC_TPR] = 0;
	vmx->dr6 = DR6_RESERVED;
	vmx_set_dr(vcpu, 7, DR7_RESET);
	memset(vmx->msr, 0, sizeof(vmx->msr));
	vmx->kernel_gs_base = 0;
	vmx->cstar = 0;
	vcpu->ctx.gpr[VMDRV_RDX] = cpuid_eax(1);
}

u64 vmx_get_rip(struct vmdrv_vcpu *vcpu)
{
	return vmx_read(GUEST_RIP);
}

bool vmx_advance(struct vmdrv_vcpu *vcpu, u64 next)
{
	if (unlikely(upper_32_bits(next)) && vmx_get_mode(vcpu) != 8)
		next = (u32)next;
	vmx_write(GUEST_RIP, next);
	if (unlikely(vmx_get_shadow(vcpu)))
		vmx_set_shadow(vcpu, false);
	return vmx_read(GUEST_RFLAGS) & X86_EFLAGS_TF;
}

u64 vmx_get_rflags(struct vmdrv_vcpu *vcpu)
{
	return vmx_read(GUEST_RFLAGS);
}

/* Whatever SS is, its DPL is the privilege level. */
int vmx_get_cpl(struct vmdrv_vcpu *vcpu)
{
	return VMX_AR_DPL(vmx_read(GUEST_SS_AR_BYTES));
}

int vmx_get_mode(struct vmdrv_vcpu *vcpu)
{
	u32 ar = vmx_read(GUEST_CS_AR_BYTES);

	if (ar & VMX_AR_L_MASK && vmx_read(GUEST_IA32_EFER) & EFER_LMA)
		return 8;
	return ar & VMX_AR_DB_MASK ? 4 : 2;
}

u64 vmx_get_cr(struct vmdrv_vcpu *vcpu, int cr)
{
	switch (cr) {
	case 0:
		return (vmx_read(GUEST_CR0) & ~VMX_CR0_OURS) |
		       (vmx_read(CR0_READ_SHADOW) & VMX_CR0_OURS);
	case 2:
		return to_vmx(vcpu)->cr2;
	case 3:
		return vmx_read(GUEST_CR3);
	case 4:
		return (vmx_read(GUEST_CR4) & ~vmx_cr4_ours) |
		       (vmx_read(CR4_READ_SHADOW) & vmx_cr4_ours);
	default:
		return 0;
	}
}

void vmx_set_cr2(struct vmdrv_vcpu *vcpu, u64 cr2)
{
	to_vmx(vcpu)->cr2 = cr2;
}

u64 vmx_get_efer(struct vmdrv_vcpu *vcpu)
{
	return vmx_read(GUEST_IA32_EFER);
}

void vmx_get_paging(struct vmdrv_vcpu *vcpu, struct vmdrv_paging *paging)
{
	paging->cr0 = vmx_get_cr(vcpu, 0);
	paging->cr3 = vmx_get_cr(vcpu, 3);
	paging->cr4 = vmx_get_cr(vcpu, 4);
	paging->efer = vmx_get_efer(vcpu);
	paging->cpl = vmx_get_cpl(vcpu);
	paging->mode = vmx_get_mode(vcpu);
}

void vmx_set_efer(struct vmdrv_vcpu *vcpu, u64 efer)
{
	write_efer(efer);
}

bool vmx_get_shadow(struct vmdrv_vcpu *vcpu)
{
	return vmx_read(GUEST_INTERRUPTIBILITY_INFO) & VMX_SHADOW;
}

/*
 * A shadow of ours is like MOV SS's: STI's could not be without RFLAGS.IF. With
 * it the trap of a single step has to be pending, if there is one, and without
 * it must not be: whoever ends a shadow delivers the trap himself.
 */
void vmx_set_shadow(struct vmdrv_vcpu *vcpu, bool on)
{
	u64 info = vmx_read(GUEST_INTERRUPTIBILITY_INFO) & ~(u64)VMX_SHADOW;
	bool step = on && vmx_read(GUEST_RFLAGS) & X86_EFLAGS_TF;

	vmx_write(GUEST_INTERRUPTIBILITY_INFO, info | (on ? GUEST_INTR_STATE_MOV_SS : 0));
	vmx_write(GUEST_PENDING_DBG_EXCEPTIONS, step ? DR_STEP : 0);
}

bool vmx_get_nmi_mask(struct vmdrv_vcpu *vcpu)
{
	return vmx_read(GUEST_INTERRUPTIBILITY_INFO) & GUEST_INTR_STATE_NMI;
}

void vmx_set_nmi_mask(struct vmdrv_vcpu *vcpu, bool on)
{
	u64 info = vmx_read(GUEST_INTERRUPTIBILITY_INFO) & ~(u64)GUEST_INTR_STATE_NMI;

	vmx_write(GUEST_INTERRUPTIBILITY_INFO, info | (on ? GUEST_INTR_STATE_NMI : 0));
}

void vmx_get_regs(struct vmdrv_vcpu *vcpu, struct vmdrv_regs *regs)
{
	static_assert(offsetof(struct vmdrv_regs, rip) == sizeof(vcpu->ctx.gpr));

	memcpy(regs, vcpu->ctx.gpr, sizeof(vcpu->ctx.gpr));
	regs->rsp = vmx_read(GUEST_RSP);
	regs->rip = vmx_read(GUEST_RIP);
	regs->rflags = vmx_read(GUEST_RFLAGS);
}

void vmx_set_regs(struct vmdrv_vcpu *vcpu, const struct vmdrv_regs *regs)
{
	u64 rip = vmx_read(GUEST_RIP), rflags = vmx_read(GUEST_RFLAGS);

	/* An instruction that VMApp has emulated leaves these as they are. */
	if (upper_32_bits(rip ^ regs->rip) ||
	    (rflags ^ regs->rflags) & (X86_EFLAGS_VM | X86_EFLAGS_IF))
		set_bit(VMDRV_REQ_CHECK, &vcpu->requests);
	memcpy(vcpu->ctx.gpr, regs, sizeof(vcpu->ctx.gpr));
	vmx_write(GUEST_RSP, regs->rsp);
	vmx_write(GUEST_RIP, regs->rip);
	vmx_write(GUEST_RFLAGS, regs->rflags);
	/* Whoever emulates an instruction in VMApp ends its shadow by this. */
	vmx_set_shadow(vcpu, false);
}

void vmx_get_sregs(struct vmdrv_vcpu *vcpu, struct vmdrv_sregs *out)
{
	int seg;

	for (seg = VMDRV_SEG_ES; seg <= VMDRV_SEG_TR; seg++)
		vmx_get_segment(vcpu, seg, &out->es + seg);
	out->gdtr.base = vmx_read(GUEST_GDTR_BASE);
	out->gdtr.limit = vmx_read(GUEST_GDTR_LIMIT);
	out->idtr.base = vmx_read(GUEST_IDTR_BASE);
	out->idtr.limit = vmx_read(GUEST_IDTR_LIMIT);
	out->cr0 = vmx_get_cr(vcpu, 0);
	out->cr2 = vmx_get_cr(vcpu, 2);
	out->cr3 = vmx_get_cr(vcpu, 3);
	out->cr4 = vmx_get_cr(vcpu, 4);
	out->cr8 = to_vmx(vcpu)->virtual_apic[VAPIC_TPR] >> 4;
	out->efer = vmx_get_efer(vcpu);
}

void vmx_set_sregs(struct vmdrv_vcpu *vcpu, const struct vmdrv_sregs *in)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	int seg;

	for (seg = VMDRV_SEG_ES; seg <= VMDRV_SEG_TR; seg++)
		write_segment(seg, &in->es + seg);
	vmx_write(GUEST_GDTR_BASE, in->gdtr.base);
	vmx_write(GUEST_GDTR_LIMIT, in->gdtr.limit);
	vmx_write(GUEST_IDTR_BASE, in->idtr.base);
	vmx_write(GUEST_IDTR_LIMIT, in->idtr.limit);
	write_cr(in->cr0, in->cr3, in->cr4);
	vmx->cr2 = in->cr2;
	vmx->virtual_apic[VAPIC_TPR] = in->cr8 << 4;
	write_efer(in->efer);
	vmx->pdptes_stale = true;
}

u64 vmx_get_dr(struct vmdrv_vcpu *vcpu, int dr)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	unsigned long dr6;

	if (!vcpu->dr_loaded)
		return dr == 6 ? vmx->dr6 : vmx->dr7;
	if (dr == 7)
		return vmx_read(GUEST_DR7);
	get_debugreg(dr6, 6);
	return dr6;
}

void vmx_set_dr(struct vmdrv_vcpu *vcpu, int dr, u64 value)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (dr == 7) {
		vmx->dr7 = value;
		vmx_write(GUEST_DR7, value);
	} else {
		vmx->dr6 = value;
		if (vcpu->dr_loaded)
			set_debugreg(value, 6);
	}
}

static int field_of(u32 index)
{
	switch (index) {
	case MSR_FS_BASE:
		return GUEST_FS_BASE;
	case MSR_GS_BASE:
		return GUEST_GS_BASE;
	case MSR_IA32_SYSENTER_CS:
		return GUEST_SYSENTER_CS;
	case MSR_IA32_SYSENTER_ESP:
		return GUEST_SYSENTER_ESP;
	case MSR_IA32_SYSENTER_EIP:
		return GUEST_SYSENTER_EIP;
	case MSR_IA32_CR_PAT:
		return GUEST_IA32_PAT;
	default:
		return -1;
	}
}

static u64 *own_msr(struct vmx_vcpu *vmx, u32 index)
{
	switch (index) {
	case MSR_STAR:
		return &vmx->msr[VMX_STAR];
	case MSR_LSTAR:
		return &vmx->msr[VMX_LSTAR];
	case MSR_SYSCALL_MASK:
		return &vmx->msr[VMX_SYSCALL_MASK];
	case MSR_CSTAR:
		return &vmx->cstar;
	default:
		return NULL;
	}
}

int vmx_get_msr(struct vmdrv_vcpu *vcpu, u32 index, u64 *value)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	const u64 *own = own_msr(vmx, index);
	int field = field_of(index);

	if (index == MSR_KERNEL_GS_BASE) {
		preempt_disable();
		*value = vmx->kernel_gs_base;
		if (vmx->user_loaded)
			rdmsrl(MSR_KERNEL_GS_BASE, *value);
		preempt_enable();
		return 0;
	}
	if (own)
		*value = *own;
	else if (field >= 0)
		*value = vmx_read(field);
	else
		return -ENOENT;
	return 0;
}

int vmx_set_msr(struct vmdrv_vcpu *vcpu, u32 index, u64 value)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u64 *own = own_msr(vmx, index);
	int field = field_of(index);

	preempt_disable();
	if (index == MSR_KERNEL_GS_BASE) {
		vmx->kernel_gs_base = value;
		if (vmx->user_loaded)
			wrmsrl(MSR_KERNEL_GS_BASE, value);
	} else if (own) {
		*own = value;
		if (vmx->user_loaded)
			vmx_load_syscall_msrs(vmx);
	} else if (field >= 0) {
		vmx_write(field, value);
	}
	preempt_enable();
	return own || field >= 0 || index == MSR_KERNEL_GS_BASE ? 0 : -ENOENT;
}

void vmx_set_tsc_offset(struct vmdrv_vcpu *vcpu, u64 offset)
{
	vmx_write(TSC_OFFSET, offset);
}
