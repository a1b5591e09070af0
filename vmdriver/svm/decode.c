// SPDX-License-Identifier: GPL-2.0-only
/*
 * From SVM's exit codes to a neutral struct vm_exit: AMD manual 2, appendix C.
 * Nothing outside of this folder knows these numbers.
 */
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "svm.h"

#define NPF_WRITE	BIT(1)
#define NPF_FETCH	BIT(4)
#define RDPRU_EXIT	0x08e

/* Codes that mean one thing; those not here are decode_rare()'s, or nobody's. */
static const u8 causes[] = {
	[SVM_EXIT_INTR] = VMDRV_CAUSE_INTR,
	[SVM_EXIT_NMI] = VMDRV_CAUSE_NMI,
	[SVM_EXIT_SMI] = VMDRV_CAUSE_INTR,
	[SVM_EXIT_INIT] = VMDRV_CAUSE_INTR,
	[SVM_EXIT_VINTR] = VMDRV_CAUSE_WINDOW,
	[SVM_EXIT_RDPMC] = VMDRV_CAUSE_RDPMC,
	[SVM_EXIT_CPUID] = VMDRV_CAUSE_CPUID,
	[SVM_EXIT_IRET] = VMDRV_CAUSE_IRET,
	[SVM_EXIT_INVD] = VMDRV_CAUSE_WBINVD,
	[SVM_EXIT_HLT] = VMDRV_CAUSE_HLT,
	[SVM_EXIT_INVLPGA] = VMDRV_CAUSE_UNDEFINED,
	[SVM_EXIT_IOIO] = VMDRV_CAUSE_IO,
	[SVM_EXIT_MSR] = VMDRV_CAUSE_RDMSR,
	[SVM_EXIT_SHUTDOWN] = VMDRV_CAUSE_SHUTDOWN,
	[SVM_EXIT_VMRUN] = VMDRV_CAUSE_UNDEFINED,
	[SVM_EXIT_VMMCALL] = VMDRV_CAUSE_HYPERCALL,
	[SVM_EXIT_VMLOAD] = VMDRV_CAUSE_UNDEFINED,
	[SVM_EXIT_VMSAVE] = VMDRV_CAUSE_UNDEFINED,
	[SVM_EXIT_STGI] = VMDRV_CAUSE_UNDEFINED,
	[SVM_EXIT_CLGI] = VMDRV_CAUSE_UNDEFINED,
	[SVM_EXIT_SKINIT] = VMDRV_CAUSE_UNDEFINED,
	[SVM_EXIT_RDTSCP] = VMDRV_CAUSE_UNDEFINED,
	[SVM_EXIT_WBINVD] = VMDRV_CAUSE_WBINVD,
	[SVM_EXIT_MONITOR] = VMDRV_CAUSE_UNDEFINED,
	[SVM_EXIT_MWAIT] = VMDRV_CAUSE_UNDEFINED,
	[SVM_EXIT_XSETBV] = VMDRV_CAUSE_XSETBV,
	[RDPRU_EXIT] = VMDRV_CAUSE_UNDEFINED,
};

/* The exit cut the delivery of an event short: it is delivered again. */
static void requeue_event(struct vmdrv_vcpu *vcpu, const struct vmcb_control_area *c)
{
	struct vmdrv_pending *p = &vcpu->pending;
	u32 info = c->exit_int_info;
	u8 vector = info & SVM_EXITINTINFO_VEC_MASK;

	switch (info & SVM_EXITINTINFO_TYPE_MASK) {
	case SVM_EXITINTINFO_TYPE_INTR:
		p->irq = true;
		p->irq_vector = vector;
		break;
	case SVM_EXITINTINFO_TYPE_NMI:
		p->nmi = true;
		svm_set_nmi_mask(vcpu, false);
		break;
	case SVM_EXITINTINFO_TYPE_EXEPT:
		/* INT3 and INTO are executed again, like INT n below. */
		if (vector == X86_TRAP_BP || vector == X86_TRAP_OF)
			break;
		vmdrv_queue_exception(vcpu, vector, info & SVM_EXITINTINFO_VALID_ERR,
				      c->exit_int_info_err);
		break;
	case SVM_EXITINTINFO_TYPE_SOFT:
		break;
	}
}

static void decode_io(const struct vmcb_control_area *c, struct vm_exit *exit)
{
	u32 info = c->exit_info_1;

	exit->rip_next = c->exit_info_2;
	exit->io.port = info >> 16;
	exit->io.size = (info & SVM_IOIO_SIZE_MASK) >> SVM_IOIO_SIZE_SHIFT;
	exit->io.in = info & SVM_IOIO_TYPE_MASK;
	exit->io.string = info & SVM_IOIO_STR_MASK;
	exit->io.rep = info & SVM_IOIO_REP_MASK;
}

/* ---- NMIs are held back until an IRET: SVM leaves that to us ---- */

bool svm_get_nmi_mask(struct vmdrv_vcpu *vcpu)
{
	struct svm_vcpu *svm = vcpu->arch;

	return svm->nmi_masked;
}

void svm_set_nmi_mask(struct vmdrv_vcpu *vcpu, bool on)
{
	struct svm_vcpu *svm = vcpu->arch;

	svm->nmi_masked = on;
	svm_intercept(vcpu, INTERCEPT_IRET, on);
}

/*
 * An NMI handler is about to return. Until its IRET is done no NMI may come: if
 * one waits, a single step over the IRET tells when that is, else the shadow
 * holds the next one back for this instruction.
 */
static void decode_iret(struct vmdrv_vcpu *vcpu)
{
	struct vmcb_save_area *s = &svm_vmcb(vcpu)->save;
	struct svm_vcpu *svm = vcpu->arch;

	svm_intercept(vcpu, INTERCEPT_IRET, false);
	if (vcpu->pending.nmi) {
		svm->guest_steps = s->rflags & X86_EFLAGS_TF;
		s->rflags |= X86_EFLAGS_TF;
		svm->iret_step = true;
	} else {
		svm->nmi_masked = false;
		svm_set_shadow(vcpu, true);
	}
}

/* The step over the IRET of an NMI handler; true if the guest need not know of it. */
static bool end_iret_step(struct vmdrv_vcpu *vcpu)
{
	struct vmcb_save_area *s = &svm_vmcb(vcpu)->save;
	struct svm_vcpu *svm = vcpu->arch;

	svm->iret_step = false;
	svm->nmi_masked = false;
	if (svm->guest_steps)
		return false;
	/* The IRET has restored EFLAGS.TF by itself. */
	s->dr6 &= ~(u64)DR_STEP;
	return !(s->dr6 & DR_TRAP_BITS);
}

static void decode_exception(struct vmdrv_vcpu *vcpu, const struct vmcb_control_area *c,
			     struct vm_exit *exit)
{
	u8 vector = c->exit_code - SVM_EXIT_EXCP_BASE;
	struct svm_vcpu *svm = vcpu->arch;

	if (vector == X86_TRAP_MC) {
		vmdrv_host_machine_check();
		exit->cause = VMDRV_CAUSE_MCE;
		return;
	}
	if (vector == X86_TRAP_DB && svm->iret_step && end_iret_step(vcpu)) {
		exit->cause = VMDRV_CAUSE_IRET;
		return;
	}
	exit->cause = VMDRV_CAUSE_EXCEPTION;
	exit->exception.vector = vector;
	exit->exception.has_error = vector == X86_TRAP_AC;
	exit->exception.error = 0;
}

static void decode_npf(const struct vmcb_control_area *c, struct vm_exit *exit)
{
	exit->cause = VMDRV_CAUSE_NPF;
	exit->npf.gpa = c->exit_info_2;
	exit->npf.access = 0;
	if (c->exit_info_1 & NPF_WRITE)
		exit->npf.access |= VMDRV_ACCESS_WRITE;
	if (c->exit_info_1 & NPF_FETCH)
		exit->npf.access |= VMDRV_ACCESS_FETCH;
}

static void decode_rare(struct vmdrv_vcpu *vcpu, const struct vmcb_control_area *c,
			struct vm_exit *exit)
{
	struct svm_vcpu *svm = vcpu->arch;
	u32 code = c->exit_code;

	if (code == SVM_EXIT_NPF) {
		decode_npf(c, exit);
	} else if (code >= SVM_EXIT_READ_DR0 && code <= SVM_EXIT_WRITE_DR0 + 15) {
		exit->cause = VMDRV_CAUSE_DR;
		svm->dr_wanted = true;
	} else if (code >= SVM_EXIT_EXCP_BASE && code < SVM_EXIT_EXCP_BASE + 32) {
		decode_exception(vcpu, c, exit);
	} else {
		exit->cause = code == SVM_EXIT_ERR ? VMDRV_CAUSE_INVALID : VMDRV_CAUSE_UNKNOWN;
		exit->hw_code = code;
	}
}

static noinline void decode_other(struct vmdrv_vcpu *vcpu, const struct vmcb_control_area *c,
				  struct vm_exit *exit)
{
	u32 code = c->exit_code;

	if (unlikely(c->exit_int_info & SVM_EXITINTINFO_VALID))
		requeue_event(vcpu, c);
	exit->rip_next = boot_cpu_has(X86_FEATURE_NRIPS) ? c->next_rip : 0;
	if (code < ARRAY_SIZE(causes) && causes[code] != VMDRV_CAUSE_UNKNOWN)
		exit->cause = causes[code];
	else
		decode_rare(vcpu, c, exit);
	if (code == SVM_EXIT_MSR && c->exit_info_1)
		exit->cause = VMDRV_CAUSE_WRMSR;
	else if (code == SVM_EXIT_IRET)
		decode_iret(vcpu);
}

/*
 * The exit came before the interrupt was taken, or in the middle of that: it is
 * sent again. (In the latter case a CPU clears V_IRQ and requeue_event() is told;
 * QEMU leaves it set, and tells of an exception.)
 */
static noinline void take_back_irq(struct vmdrv_vcpu *vcpu, struct vmcb_control_area *c)
{
	c->int_ctl &= ~V_IRQ_MASK;
	c->exit_int_info = 0;
	vcpu->pending.irq = true;
	vcpu->pending.irq_vector = c->int_vector;
}

void svm_decode(struct vmdrv_vcpu *vcpu, struct vm_exit *exit)
{
	struct vmcb_control_area *c = &svm_vmcb(vcpu)->control;

	c->tlb_ctl = TLB_CONTROL_DO_NOTHING;
	if (unlikely(c->int_ctl & V_IRQ_MASK && !vcpu->window))
		take_back_irq(vcpu, c);
	/* A port access that was intercepted cannot have come while an event was delivered. */
	if (likely(c->exit_code == SVM_EXIT_IOIO)) {
		exit->cause = VMDRV_CAUSE_IO;
		decode_io(c, exit);
	} else {
		decode_other(vcpu, c, exit);
	}
}
