// SPDX-License-Identifier: GPL-2.0-only
/*
 * From VMX's exit reasons to a neutral struct vm_exit: Intel SDM 3, "VM Exits"
 * and appendix "VMX Basic Exit Reasons". Nothing outside of this folder knows
 * these numbers.
 */
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "vmx.h"

#define REASON_ENTRY_FAILED	BIT(31)
#define REASON_BASIC		0xffff

/* Of the qualification of an exit for I/O */
#define IO_SIZE		0x7	/* less one */
#define IO_IN		BIT(3)
#define IO_STRING	BIT(4)
#define IO_REP		BIT(5)

/* Of an IRET that faulted: NMIs were to be let through again by it */
#define IRET_UNBLOCKED_NMI	BIT(12)

#define TASK_SOURCE_SHIFT	30

#define CR_NUMBER	0xf
#define CR_GPR(_q)	(((_q) >> 8) & 0xf)

#define DR6_CAUSES	(DR_TRAP_BITS | DR_STEP | BIT(13))	/* BIT(13): BD */
#define DR7_GD		BIT(13)

/* Reasons that mean one thing; those not here are decode_rare()'s, or nobody's. */
static const u8 causes[] = {
	[EXIT_REASON_EXTERNAL_INTERRUPT] = VMDRV_CAUSE_INTR,
	[EXIT_REASON_TRIPLE_FAULT] = VMDRV_CAUSE_SHUTDOWN,
	[EXIT_REASON_INIT_SIGNAL] = VMDRV_CAUSE_INTR,
	[EXIT_REASON_SIPI_SIGNAL] = VMDRV_CAUSE_INTR,
	[EXIT_REASON_INTERRUPT_WINDOW] = VMDRV_CAUSE_WINDOW,
	[EXIT_REASON_NMI_WINDOW] = VMDRV_CAUSE_WINDOW,
	[EXIT_REASON_CPUID] = VMDRV_CAUSE_CPUID,
	[11 /* GETSEC */] = VMDRV_CAUSE_UNDEFINED,
	[EXIT_REASON_HLT] = VMDRV_CAUSE_HLT,
	[EXIT_REASON_INVD] = VMDRV_CAUSE_WBINVD,
	[EXIT_REASON_RDPMC] = VMDRV_CAUSE_RDPMC,
	[EXIT_REASON_VMCALL] = VMDRV_CAUSE_HYPERCALL,
	[EXIT_REASON_VMCLEAR] = VMDRV_CAUSE_UNDEFINED,
	[EXIT_REASON_VMLAUNCH] = VMDRV_CAUSE_UNDEFINED,
	[EXIT_REASON_VMPTRLD] = VMDRV_CAUSE_UNDEFINED,
	[EXIT_REASON_VMPTRST] = VMDRV_CAUSE_UNDEFINED,
	[EXIT_REASON_VMREAD] = VMDRV_CAUSE_UNDEFINED,
	[EXIT_REASON_VMRESUME] = VMDRV_CAUSE_UNDEFINED,
	[EXIT_REASON_VMWRITE] = VMDRV_CAUSE_UNDEFINED,
	[EXIT_REASON_VMOFF] = VMDRV_CAUSE_UNDEFINED,
	[EXIT_REASON_VMON] = VMDRV_CAUSE_UNDEFINED,
	[EXIT_REASON_IO_INSTRUCTION] = VMDRV_CAUSE_IO,
	[EXIT_REASON_MSR_READ] = VMDRV_CAUSE_RDMSR,
	[EXIT_REASON_MSR_WRITE] = VMDRV_CAUSE_WRMSR,
	[EXIT_REASON_MWAIT_INSTRUCTION] = VMDRV_CAUSE_UNDEFINED,
	[EXIT_REASON_MONITOR_INSTRUCTION] = VMDRV_CAUSE_UNDEFINED,
	[EXIT_REASON_INVEPT] = VMDRV_CAUSE_UNDEFINED,
	[EXIT_REASON_PREEMPTION_TIMER] = VMDRV_CAUSE_INTR,
	[EXIT_REASON_INVVPID] = VMDRV_CAUSE_UNDEFINED,
	[EXIT_REASON_WBINVD] = VMDRV_CAUSE_WBINVD,
	[EXIT_REASON_XSETBV] = VMDRV_CAUSE_XSETBV,
	[EXIT_REASON_VMFUNC] = VMDRV_CAUSE_UNDEFINED,
};

/* ---- events ---- */

/*
 * The exit cut the delivery of an event short: it is delivered again. INT n, INT3,
 * INTO and INT1 are executed again instead: RIP is still at them.
 */
static void requeue_event(struct vmdrv_vcpu *vcpu, u32 info)
{
	struct vmdrv_pending *p = &vcpu->pending;
	u8 vector = info & VECTORING_INFO_VECTOR_MASK;
	bool has_error = info & VECTORING_INFO_DELIVER_CODE_MASK;

	switch (info & VECTORING_INFO_TYPE_MASK) {
	case INTR_TYPE_EXT_INTR:
		p->irq = true;
		p->irq_vector = vector;
		break;
	case INTR_TYPE_NMI_INTR:
		p->nmi = true;
		vmx_set_nmi_mask(vcpu, false);
		break;
	case INTR_TYPE_HARD_EXCEPTION:
		vmdrv_queue_exception(vcpu, vector, has_error,
				      has_error ? vmx_read(IDT_VECTORING_ERROR_CODE) : 0);
		break;
	}
}

/* An exit for #DB leaves DR6 and DR7 to whoever delivers it. */
static void decode_debug(struct vmdrv_vcpu *vcpu, u32 info, struct vm_exit *exit)
{
	u64 causes = vmx_read(EXIT_QUALIFICATION) & DR6_CAUSES;
	u64 dr6 = vmx_get_dr(vcpu, 6);

	/* INT1 is a trap that reports no cause: what follows is where it goes on. */
	if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_PRIV_SW_EXCEPTION) {
		vmx_advance(vcpu, exit->rip_next);
		return;
	}
	vmx_set_dr(vcpu, 6, (dr6 & ~(u64)DR_TRAP_BITS) | causes);
	vmx_set_dr(vcpu, 7, vmx_get_dr(vcpu, 7) & ~DR7_GD);
	/* A step over STI: delivery ends the shadow, in which VM entry wants another trap. */
	if (vmx_get_shadow(vcpu))
		vmx_set_shadow(vcpu, false);
}

static void decode_exception(struct vmdrv_vcpu *vcpu, bool vectoring, struct vm_exit *exit)
{
	u32 info = vmx_read(VM_EXIT_INTR_INFO);
	u8 vector = info & INTR_INFO_VECTOR_MASK;

	if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR) {
		exit->cause = VMDRV_CAUSE_NMI;	/* enter.S has seen to it */
		vmx_after_nmi();
		return;
	}
	if (vector == X86_TRAP_MC) {
		vmdrv_host_machine_check();
		exit->cause = VMDRV_CAUSE_MCE;
		return;
	}
	if (!vectoring && info & IRET_UNBLOCKED_NMI)
		vmx_set_nmi_mask(vcpu, true);
	if (vector == X86_TRAP_DB)
		decode_debug(vcpu, info, exit);
	exit->cause = VMDRV_CAUSE_EXCEPTION;
	exit->exception.vector = vector;
	exit->exception.has_error = info & INTR_INFO_DELIVER_CODE_MASK;
	exit->exception.error = exit->exception.has_error ? vmx_read(VM_EXIT_INTR_ERROR_CODE) : 0;
}

/* ---- single reasons ---- */

static void decode_io(struct vm_exit *exit)
{
	u32 q = vmx_read(EXIT_QUALIFICATION);

	exit->io.port = q >> 16;
	exit->io.size = (q & IO_SIZE) + 1;
	exit->io.in = q & IO_IN;
	exit->io.string = q & IO_STRING;
	exit->io.rep = q & IO_REP;
}

static void decode_violation(struct vmdrv_vcpu *vcpu, bool vectoring, struct vm_exit *exit)
{
	u32 q = vmx_read(EXIT_QUALIFICATION);

	if (!vectoring && q & IRET_UNBLOCKED_NMI)
		vmx_set_nmi_mask(vcpu, true);
	exit->cause = VMDRV_CAUSE_NPF;
	exit->npf.gpa = vmx_read(GUEST_PHYSICAL_ADDRESS);
	exit->npf.access = 0;
	if (q & EPT_VIOLATION_ACC_WRITE)
		exit->npf.access |= VMDRV_ACCESS_WRITE;
	if (q & EPT_VIOLATION_ACC_INSTR)
		exit->npf.access |= VMDRV_ACCESS_FETCH;
}

static bool cr0_takes(u64 cr0)
{
	return !upper_32_bits(cr0) && (cr0 & (X86_CR0_NW | X86_CR0_CD)) != X86_CR0_NW &&
	       (cr0 & (X86_CR0_PG | X86_CR0_PE)) != X86_CR0_PG;
}

/*
 * MOV to CR0 or CR4 that wants a bit of ours to change: it gets the look of
 * that, and the instruction is executed again. Nothing of ours differs then, so
 * there is no exit, and all that a change of mode means is up to the CPU.
 */
static void decode_cr(struct vmdrv_vcpu *vcpu, struct vm_exit *exit)
{
	u32 q = vmx_read(EXIT_QUALIFICATION);
	int gpr = CR_GPR(q);
	u64 value = gpr == VMDRV_RSP ? vmx_read(GUEST_RSP) : vcpu->ctx.gpr[gpr];
	bool taken = false;

	exit->cause = VMDRV_CAUSE_CR;
	if (vmx_get_mode(vcpu) != 8)
		value = (u32)value;
	if ((q & CR_NUMBER) == 0) {
		taken = cr0_takes(value);
		if (taken)
			vmx_write(CR0_READ_SHADOW, value);
	} else if ((q & CR_NUMBER) == 4) {
		taken = !(value & ~vmdrv_cr4_valid());
		if (taken)
			vmx_write(CR4_READ_SHADOW, value);
	}
	if (!taken)
		vmdrv_queue_exception(vcpu, X86_TRAP_GP, true, 0);
}

/* An event that goes through a task gate is part of the switch. */
static void decode_task(struct vm_exit *exit, u32 vectoring)
{
	u32 q = vmx_read(EXIT_QUALIFICATION);

	exit->cause = VMDRV_CAUSE_TASK;
	exit->task.selector = q;
	exit->task.source = q >> TASK_SOURCE_SHIFT;
	exit->task.has_error = false;
	exit->task.error = 0;
	if (exit->task.source != VMDRV_TASK_GATE)
		return;
	switch (vectoring & VECTORING_INFO_TYPE_MASK) {
	case INTR_TYPE_SOFT_INTR:
	case INTR_TYPE_SOFT_EXCEPTION:
	case INTR_TYPE_PRIV_SW_EXCEPTION:
		return;		/* the old task goes on after the instruction */
	case INTR_TYPE_HARD_EXCEPTION:
		exit->task.has_error = vectoring & VECTORING_INFO_DELIVER_CODE_MASK;
		if (exit->task.has_error)
			exit->task.error = vmx_read(IDT_VECTORING_ERROR_CODE);
		break;
	}
	exit->rip_next = vmx_read(GUEST_RIP);
}

static void decode_window(struct vmdrv_vcpu *vcpu, u32 reason)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (reason == EXIT_REASON_NMI_WINDOW)
		vmx_control(vmx, CPU_BASED_NMI_WINDOW_EXITING, false);
	else if (!vcpu->window)		/* opened for an NMI */
		vmx_control(vmx, CPU_BASED_INTR_WINDOW_EXITING, false);
}

/* The guest was not entered. */
static void decode_refusal(u32 reason, struct vm_exit *exit)
{
	if (reason != VMX_REASON_VMFAIL &&
	    (reason & REASON_BASIC) == EXIT_REASON_MCE_DURING_VMENTRY) {
		vmdrv_host_machine_check();
		exit->cause = VMDRV_CAUSE_MCE;
		return;
	}
	exit->cause = VMDRV_CAUSE_INVALID;
	exit->hw_code = reason;
	if (reason == VMX_REASON_VMFAIL)
		exit->hw_code = vmx_read(VM_INSTRUCTION_ERROR);
}

static void decode_rare(struct vmdrv_vcpu *vcpu, u32 reason, u32 vectoring, struct vm_exit *exit)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	bool valid = vectoring & VECTORING_INFO_VALID_MASK;

	switch (reason) {
	case EXIT_REASON_EXCEPTION_NMI:
		decode_exception(vcpu, valid, exit);
		break;
	case EXIT_REASON_EPT_VIOLATION:
		decode_violation(vcpu, valid, exit);
		break;
	case EXIT_REASON_TASK_SWITCH:
		decode_task(exit, vectoring);
		break;
	case EXIT_REASON_CR_ACCESS:
		decode_cr(vcpu, exit);
		break;
	case EXIT_REASON_DR_ACCESS:
		exit->cause = VMDRV_CAUSE_DR;
		vmx->dr_wanted = true;
		break;
	default:
		exit->cause = VMDRV_CAUSE_UNKNOWN;
		exit->hw_code = reason;
	}
}

static noinline void decode_other(struct vmdrv_vcpu *vcpu, u32 reason, struct vm_exit *exit)
{
	u32 vectoring = vmx_read(IDT_VECTORING_INFO_FIELD);

	if (unlikely(vectoring & VECTORING_INFO_VALID_MASK) && reason != EXIT_REASON_TASK_SWITCH)
		requeue_event(vcpu, vectoring);
	if (reason < ARRAY_SIZE(causes) && causes[reason] != VMDRV_CAUSE_UNKNOWN)
		exit->cause = causes[reason];
	else
		decode_rare(vcpu, reason, vectoring, exit);
	if (exit->cause == VMDRV_CAUSE_WINDOW)
		decode_window(vcpu, reason);
}

void vmx_decode(struct vmdrv_vcpu *vcpu, struct vm_exit *exit)
{
	u32 reason = to_vmx(vcpu)->exit_reason;

	if (unlikely(reason & REASON_ENTRY_FAILED)) {
		decode_refusal(reason, exit);
		return;
	}
	/* Not every exit is by an instruction; then nobody asks for the next one. */
	exit->rip_next = vmx_read(GUEST_RIP) + vmx_read(VM_EXIT_INSTRUCTION_LEN);
	/* A port access that was intercepted cannot have come while an event was delivered. */
	if (likely(reason == EXIT_REASON_IO_INSTRUCTION)) {
		exit->cause = VMDRV_CAUSE_IO;
		decode_io(exit);
	} else {
		decode_other(vcpu, reason & REASON_BASIC, exit);
	}
}
