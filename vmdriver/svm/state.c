// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's state in the VMCB's save area.
 */
#include <linux/percpu.h>
#include <asm/processor.h>
#include <asm/debugreg.h>
#include <asm/msr.h>

#include "svm.h"

#define PAT_RESET	0x0007040600070406ull
#define DR7_RESET	0x400
#define ATTRIB_L	0x200
#define ATTRIB_DB	0x400

static struct vmcb_save_area *save(struct vmdrv_vcpu *vcpu)
{
	return &svm_vmcb(vcpu)->save;
}

static struct vmcb_seg *segment(struct vmcb_save_area *s, int seg)
{
	struct vmcb_seg *segments[] = {
		[VMDRV_SEG_ES] = &s->es, [VMDRV_SEG_CS] = &s->cs, [VMDRV_SEG_SS] = &s->ss,
		[VMDRV_SEG_DS] = &s->ds, [VMDRV_SEG_FS] = &s->fs, [VMDRV_SEG_GS] = &s->gs,
		[VMDRV_SEG_LDTR] = &s->ldtr, [VMDRV_SEG_TR] = &s->tr,
	};

	return segments[seg];
}

/* After power-on: AMD manual 2, 14.1.3 "Processor Initialization State". */
void svm_reset_save(struct vmcb_save_area *s)
{
	int seg;

	memset(s, 0, sizeof(*s));
	for (seg = VMDRV_SEG_ES; seg <= VMDRV_SEG_GS; seg++) {
		segment(s, seg)->attrib = 0x93;
		segment(s, seg)->limit = 0xffff;
	}
	s->cs = (struct vmcb_seg) {
		.selector = 0xf000, .attrib = 0x9b, .limit = 0xffff, .base = 0xffff0000,
	};
	s->ldtr = (struct vmcb_seg) { .attrib = 0x82, .limit = 0xffff };
	s->tr = (struct vmcb_seg) { .attrib = 0x8b, .limit = 0xffff };
	s->gdtr.limit = 0xffff;
	s->idtr.limit = 0xffff;
	/* CD and NW would be set: on SVM they act on the host's CPU. */
	s->cr0 = X86_CR0_ET;
	s->efer = EFER_SVME;
	s->rflags = X86_EFLAGS_FIXED;
	s->rip = 0xfff0;
	s->dr6 = DR6_RESERVED;
	s->dr7 = DR7_RESET;
	s->g_pat = PAT_RESET;
}

void svm_reset(struct vmdrv_vcpu *vcpu)
{
	svm_reset_save(save(vcpu));
	vcpu->ctx.gpr[VMDRV_RDX] = cpuid_eax(1);
}

u64 svm_get_rip(struct vmdrv_vcpu *vcpu)
{
	return save(vcpu)->rip;
}

bool svm_advance(struct vmdrv_vcpu *vcpu, u64 next)
{
	struct vmcb_save_area *s = save(vcpu);

	s->rip = s->efer & EFER_LMA && s->cs.attrib & ATTRIB_L ? next : (u32)next;
	svm_set_shadow(vcpu, false);
	return s->rflags & X86_EFLAGS_TF;
}

u64 svm_get_rflags(struct vmdrv_vcpu *vcpu)
{
	return save(vcpu)->rflags;
}

int svm_get_cpl(struct vmdrv_vcpu *vcpu)
{
	return save(vcpu)->cpl;
}

int svm_get_mode(struct vmdrv_vcpu *vcpu)
{
	const struct vmcb_save_area *s = save(vcpu);

	if (s->efer & EFER_LMA && s->cs.attrib & ATTRIB_L)
		return 8;
	return s->cs.attrib & ATTRIB_DB ? 4 : 2;
}

u64 svm_get_cr(struct vmdrv_vcpu *vcpu, int cr)
{
	const struct vmcb_save_area *s = save(vcpu);

	switch (cr) {
	case 0:
		return s->cr0;
	case 2:
		return s->cr2;
	case 3:
		return s->cr3;
	case 4:
		return s->cr4;
	default:
		return 0;
	}
}

void svm_set_cr2(struct vmdrv_vcpu *vcpu, u64 cr2)
{
	save(vcpu)->cr2 = cr2;
}

u64 svm_get_efer(struct vmdrv_vcpu *vcpu)
{
	return save(vcpu)->efer & ~EFER_SVME;
}

void svm_get_paging(struct vmdrv_vcpu *vcpu, struct vmdrv_paging *paging)
{
	const struct vmcb_save_area *s = save(vcpu);

	paging->cr0 = s->cr0;
	paging->cr3 = s->cr3;
	paging->cr4 = s->cr4;
	paging->efer = svm_get_efer(vcpu);
	paging->cpl = s->cpl;
	paging->mode = svm_get_mode(vcpu);
}

/* VMRUN wants SVME in the guest's EFER; the guest never sees it. */
void svm_set_efer(struct vmdrv_vcpu *vcpu, u64 efer)
{
	save(vcpu)->efer = efer | EFER_SVME;
}

void svm_get_segment(struct vmdrv_vcpu *vcpu, int seg, struct vmdrv_segment *out)
{
	const struct vmcb_seg *s = segment(save(vcpu), seg);

	out->base = s->base;
	out->limit = s->limit;
	out->selector = s->selector;
	out->attrib = s->attrib;
}

static void set_segment(struct vmdrv_vcpu *vcpu, int seg, const struct vmdrv_segment *in)
{
	*segment(save(vcpu), seg) = (struct vmcb_seg) {
		.base = in->base,
		.limit = in->limit,
		.selector = in->selector,
		.attrib = in->attrib & 0xfff,
	};
}

bool svm_get_shadow(struct vmdrv_vcpu *vcpu)
{
	return svm_vmcb(vcpu)->control.int_state & SVM_INTERRUPT_SHADOW_MASK;
}

void svm_set_shadow(struct vmdrv_vcpu *vcpu, bool on)
{
	struct vmcb_control_area *c = &svm_vmcb(vcpu)->control;

	if (on)
		c->int_state |= SVM_INTERRUPT_SHADOW_MASK;
	else
		c->int_state &= ~SVM_INTERRUPT_SHADOW_MASK;
}

void svm_get_regs(struct vmdrv_vcpu *vcpu, struct vmdrv_regs *regs)
{
	static_assert(offsetof(struct vmdrv_regs, rip) == sizeof(vcpu->ctx.gpr));

	memcpy(regs, vcpu->ctx.gpr, sizeof(vcpu->ctx.gpr));
	regs->rsp = save(vcpu)->rsp;
	regs->rip = save(vcpu)->rip;
	regs->rflags = save(vcpu)->rflags;
}

void svm_set_regs(struct vmdrv_vcpu *vcpu, const struct vmdrv_regs *regs)
{
	memcpy(vcpu->ctx.gpr, regs, sizeof(vcpu->ctx.gpr));
	save(vcpu)->rsp = regs->rsp;
	save(vcpu)->rip = regs->rip;
	save(vcpu)->rflags = regs->rflags;
	/* Whoever emulates an instruction in VMApp ends its shadow by this. */
	svm_set_shadow(vcpu, false);
}

void svm_get_sregs(struct vmdrv_vcpu *vcpu, struct vmdrv_sregs *out)
{
	const struct vmcb_save_area *s = save(vcpu);
	int seg;

	for (seg = VMDRV_SEG_ES; seg <= VMDRV_SEG_TR; seg++)
		svm_get_segment(vcpu, seg, &out->es + seg);
	out->gdtr.base = s->gdtr.base;
	out->gdtr.limit = s->gdtr.limit;
	out->idtr.base = s->idtr.base;
	out->idtr.limit = s->idtr.limit;
	out->cr0 = s->cr0;
	out->cr2 = s->cr2;
	out->cr3 = s->cr3;
	out->cr4 = s->cr4;
	out->cr8 = svm_vmcb(vcpu)->control.int_ctl & V_TPR_MASK;
	out->efer = svm_get_efer(vcpu);
}

void svm_set_sregs(struct vmdrv_vcpu *vcpu, const struct vmdrv_sregs *in)
{
	struct vmcb_control_area *c = &svm_vmcb(vcpu)->control;
	struct vmcb_save_area *s = save(vcpu);
	int seg;

	for (seg = VMDRV_SEG_ES; seg <= VMDRV_SEG_TR; seg++)
		set_segment(vcpu, seg, &in->es + seg);
	s->gdtr.base = in->gdtr.base;
	s->gdtr.limit = in->gdtr.limit;
	s->idtr.base = in->idtr.base;
	s->idtr.limit = in->idtr.limit;
	s->cr0 = in->cr0;
	s->cr2 = in->cr2;
	s->cr3 = in->cr3;
	s->cr4 = in->cr4;
	c->int_ctl = (c->int_ctl & ~V_TPR_MASK) | in->cr8;
	svm_set_efer(vcpu, in->efer);
	/* The CPU takes its privilege level from here, and it must agree with SS. */
	s->cpl = in->cr0 & X86_CR0_PE ? (in->ss.attrib >> 5) & 3 : 0;
}

u64 svm_get_dr(struct vmdrv_vcpu *vcpu, int dr)
{
	return dr == 6 ? save(vcpu)->dr6 : save(vcpu)->dr7;
}

void svm_set_dr(struct vmdrv_vcpu *vcpu, int dr, u64 value)
{
	if (dr == 6)
		save(vcpu)->dr6 = value;
	else
		save(vcpu)->dr7 = value;
}

static u64 *msr_field(struct vmdrv_vcpu *vcpu, u32 index)
{
	struct vmcb_save_area *s = save(vcpu);

	switch (index) {
	case MSR_STAR:
		return &s->star;
	case MSR_LSTAR:
		return &s->lstar;
	case MSR_CSTAR:
		return &s->cstar;
	case MSR_SYSCALL_MASK:
		return &s->sfmask;
	case MSR_FS_BASE:
		return &s->fs.base;
	case MSR_GS_BASE:
		return &s->gs.base;
	case MSR_KERNEL_GS_BASE:
		return &s->kernel_gs_base;
	case MSR_IA32_SYSENTER_CS:
		return &s->sysenter_cs;
	case MSR_IA32_SYSENTER_ESP:
		return &s->sysenter_esp;
	case MSR_IA32_SYSENTER_EIP:
		return &s->sysenter_eip;
	case MSR_IA32_CR_PAT:
		return &s->g_pat;
	default:
		return NULL;
	}
}

int svm_get_msr(struct vmdrv_vcpu *vcpu, u32 index, u64 *value)
{
	const u64 *field = msr_field(vcpu, index);

	if (!field)
		return -ENOENT;
	*value = *field;
	return 0;
}

int svm_set_msr(struct vmdrv_vcpu *vcpu, u32 index, u64 value)
{
	u64 *field = msr_field(vcpu, index);

	if (!field)
		return -ENOENT;
	*field = value;
	return 0;
}

void svm_set_tsc_offset(struct vmdrv_vcpu *vcpu, u64 offset)
{
	svm_vmcb(vcpu)->control.tsc_offset = offset;
}
