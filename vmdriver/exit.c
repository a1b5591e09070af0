// SPDX-License-Identifier: GPL-2.0-only
/*
 * What to do about an exit. The fast half runs right after it, interrupts off;
 * what it cannot finish goes to the slow half, which may sleep and which
 * decides whether VMApp is needed.
 */
#include <linux/kernel.h>
#include <linux/sched.h>
#include <asm/cpu.h>
#include <asm/mce.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/ptrace.h>
#include <asm/trapnr.h>
#include <asm/fpu/types.h>

#include "trace.h"
#include "vmdriver.h"

#define MAX_INSN	15
#define DR6_BS		BIT(14)
#define DR7_GD		BIT(13)

/* Results of a slow handler. */
#define TO_VMAPP	0
#define TO_GUEST	1

void vmdrv_queue_exception(struct vmdrv_vcpu *vcpu, u8 vector, bool has_error, u32 error)
{
	struct vmdrv_pending *p = &vcpu->pending;

	p->exception = true;
	p->vector = vector;
	p->has_error = has_error;
	p->error = error;
}

void vmdrv_queue_page_fault(struct vmdrv_vcpu *vcpu, u64 address, u32 error)
{
	vmdrv_ops->set_cr2(vcpu, address);
	vmdrv_queue_exception(vcpu, X86_TRAP_PF, true, error);
}

static int inject_gp(struct vmdrv_vcpu *vcpu)
{
	vmdrv_queue_exception(vcpu, X86_TRAP_GP, true, 0);
	return TO_GUEST;
}

static int inject_ud(struct vmdrv_vcpu *vcpu)
{
	vmdrv_queue_exception(vcpu, X86_TRAP_UD, false, 0);
	return TO_GUEST;
}

/* This guest cannot go on: VMApp and its user get the reason. */
int vmdrv_stop(struct vmdrv_vcpu *vcpu, int code, const char *fmt, ...)
{
	struct vmdrv_run *run = vcpu->run;
	va_list args;

	run->exit_reason = VMDRV_EXIT_STOP;
	run->stop.code = -code;
	run->stop.pad = 0;
	va_start(args, fmt);
	vscnprintf(run->stop.reason, sizeof(run->stop.reason), fmt, args);
	va_end(args);
	return TO_VMAPP;
}

/*
 * It is the host's: let its handler run. As for an error that user code ran
 * into, so that this thread dies of a lost page of guest memory and not the host.
 */
void vmdrv_host_machine_check(void)
{
#ifdef CONFIG_X86_MCE
	struct pt_regs regs = { .cs = 3, .flags = X86_EFLAGS_IF };

	do_machine_check(&regs);
#endif
}

/* ---- instruction bytes ---- */

int vmdrv_fetch(struct vmdrv_vcpu *vcpu, u8 insn[MAX_INSN])
{
	struct vmdrv_fault fault;
	struct vmdrv_segment cs;
	u64 address;
	int ret;

	vmdrv_ops->get_segment(vcpu, VMDRV_SEG_CS, &cs);
	address = vmdrv_ops->get_rip(vcpu);
	if (vmdrv_ops->get_mode(vcpu) != 8)
		address = (u32)(address + cs.base);
	ret = vmdrv_gva_read(vcpu, address, insn, MAX_INSN,
			     VMDRV_ACCESS_FETCH | (vmdrv_ops->get_cpl(vcpu) == 3 ?
						   VMDRV_ACCESS_USER : 0), &fault);
	return ret ? fault.done : MAX_INSN;
}

/* Segment overrides; of several the last one counts, as on the CPU. */
static int segment_override(u8 prefix)
{
	switch (prefix) {
	case 0x26:
		return VMDRV_SEG_ES;
	case 0x2e:
		return VMDRV_SEG_CS;
	case 0x36:
		return VMDRV_SEG_SS;
	case 0x3e:
		return VMDRV_SEG_DS;
	case 0x64:
		return VMDRV_SEG_FS;
	case 0x65:
		return VMDRV_SEG_GS;
	default:
		return -1;
	}
}

/* The prefixes of the instruction at RIP: not every CPU tells what they say. */
void vmdrv_prefixes(struct vmdrv_vcpu *vcpu, struct vmdrv_prefixes *p)
{
	int mode = vmdrv_ops->get_mode(vcpu);
	u8 insn[MAX_INSN];
	int len = vmdrv_fetch(vcpu, insn);
	int segment, i;

	p->len = -1;
	p->segment = -1;
	p->addr_size = mode;
	for (i = 0; i < len; i++) {
		segment = segment_override(insn[i]);
		if (segment >= 0) {
			p->segment = segment;
		} else if (insn[i] == 0x67) {
			p->addr_size = mode == 4 ? 2 : 4;
		} else if (insn[i] != 0x66 && insn[i] != 0xf0 && insn[i] != 0xf2 &&
			   insn[i] != 0xf3 && !(mode == 8 && (insn[i] & 0xf0) == 0x40)) {
			p->len = i;
			return;
		}
	}
}

/* Bytes after the prefixes, for instructions whose length the CPU does not tell. */
static int opcode_length(enum vmdrv_exit_cause cause)
{
	switch (cause) {
	case VMDRV_CAUSE_HLT:
		return 1;
	case VMDRV_CAUSE_CPUID:
	case VMDRV_CAUSE_RDMSR:
	case VMDRV_CAUSE_WRMSR:
	case VMDRV_CAUSE_WBINVD:
		return 2;
	case VMDRV_CAUSE_XSETBV:
		return 3;
	default:
		return 0;	/* none of the others is ever skipped */
	}
}

/*
 * The handler of debug exceptions may use the debug registers. Not every CPU has
 * cleared DR7.GD when the exception exits.
 */
static void queue_debug(struct vmdrv_vcpu *vcpu)
{
	vmdrv_ops->set_dr(vcpu, 7, vmdrv_ops->get_dr(vcpu, 7) & ~(u64)DR7_GD);
	vmdrv_queue_exception(vcpu, X86_TRAP_DB, false, 0);
}

/* A single-stepping guest gets its trap after an emulated instruction as well. */
void vmdrv_single_step(struct vmdrv_vcpu *vcpu)
{
	vmdrv_ops->set_dr(vcpu, 6, vmdrv_ops->get_dr(vcpu, 6) | DR6_BS);
	queue_debug(vcpu);
}

/* The instruction at RIP is done. Returns TO_GUEST, or what a stop returns. */
int vmdrv_skip(struct vmdrv_vcpu *vcpu)
{
	struct vmdrv_prefixes prefixes;
	u64 next = vcpu->exit.rip_next;

	if (unlikely(!next)) {
		vmdrv_prefixes(vcpu, &prefixes);
		if (prefixes.len < 0)
			return vmdrv_stop(vcpu, -EFAULT, "cannot read the instruction at RIP %llx",
					  vmdrv_ops->get_rip(vcpu));
		next = vmdrv_ops->get_rip(vcpu) + prefixes.len + opcode_length(vcpu->exit.cause);
	}
	if (unlikely(static_call(vmdrv_advance)(vcpu, next)))
		vmdrv_single_step(vcpu);
	return TO_GUEST;
}

/* ---- the slow half ---- */

static int exit_cpuid(struct vmdrv_vcpu *vcpu)
{
	u64 *gpr = vcpu->ctx.gpr;
	u32 out[4];

	vmdrv_cpuid(vcpu, gpr[VMDRV_RAX], gpr[VMDRV_RCX], out);
	gpr[VMDRV_RAX] = out[0];
	gpr[VMDRV_RBX] = out[1];
	gpr[VMDRV_RCX] = out[2];
	gpr[VMDRV_RDX] = out[3];
	return vmdrv_skip(vcpu);
}

static int exit_rdmsr(struct vmdrv_vcpu *vcpu)
{
	u64 *gpr = vcpu->ctx.gpr;
	u32 index = gpr[VMDRV_RCX];
	u64 value;

	if (vmdrv_get_msr(vcpu, index, &value)) {
		trace_vmdrv_unknown_msr(vcpu->vm->id, index, false, 0);
		return inject_gp(vcpu);
	}
	gpr[VMDRV_RAX] = lower_32_bits(value);
	gpr[VMDRV_RDX] = upper_32_bits(value);
	return vmdrv_skip(vcpu);
}

static int exit_wrmsr(struct vmdrv_vcpu *vcpu)
{
	u64 *gpr = vcpu->ctx.gpr;
	u32 index = gpr[VMDRV_RCX];
	u64 value = (u32)gpr[VMDRV_RAX] | gpr[VMDRV_RDX] << 32;

	if (vmdrv_set_msr(vcpu, index, value)) {
		trace_vmdrv_unknown_msr(vcpu->vm->id, index, true, value);
		return inject_gp(vcpu);
	}
	return vmdrv_skip(vcpu);
}

static int exit_xsetbv(struct vmdrv_vcpu *vcpu)
{
	u64 *gpr = vcpu->ctx.gpr;
	u64 value = (u32)gpr[VMDRV_RAX] | gpr[VMDRV_RDX] << 32;

	if (vmdrv_ops->get_cpl(vcpu) || (u32)gpr[VMDRV_RCX] || !vmdrv_xcr0_valid(value))
		return inject_gp(vcpu);
	vcpu->xcr0 = value;
	return vmdrv_skip(vcpu);
}

static int exit_hlt(struct vmdrv_vcpu *vcpu)
{
	int ret = vmdrv_skip(vcpu);

	vcpu->halted = ret == TO_GUEST;
	return ret;
}

/* Memory that is in no slot, or only readable: VMApp does what the instruction says. */
static int exit_mmio(struct vmdrv_vcpu *vcpu)
{
	struct vmdrv_run *run = vcpu->run;
	const struct vm_exit *exit = &vcpu->exit;

	/* All ones came from the bus, and FF FF is no instruction. */
	if (exit->npf.access & VMDRV_ACCESS_FETCH)
		return inject_ud(vcpu);
	if (vcpu->pending.exception || vcpu->pending.irq)
		return vmdrv_stop(vcpu, -EFAULT, "an event goes through %llx, which is not memory",
				  exit->npf.gpa);
	run->exit_reason = VMDRV_EXIT_MMIO;
	memset(&run->mmio, 0, sizeof(run->mmio));
	run->mmio.gpa = exit->npf.gpa;
	run->mmio.write = !!(exit->npf.access & VMDRV_ACCESS_WRITE);
	run->mmio.insn_len = vmdrv_fetch(vcpu, run->mmio.insn);
	run->mmio.mode = vmdrv_ops->get_mode(vcpu);
	return TO_VMAPP;
}

static int exit_npf(struct vmdrv_vcpu *vcpu)
{
	u64 gpa = vcpu->exit.npf.gpa;
	int ret = vmdrv_mem_fault(vcpu, gpa, vcpu->exit.npf.access);

	switch (ret) {
	case 0:
	case -EINTR:
		return TO_GUEST;
	case 1:
		return exit_mmio(vcpu);
	case -EFAULT:
		return vmdrv_stop(vcpu, ret, "the memory behind guest address %llx is gone", gpa);
	default:
		return ret;
	}
}

/*
 * Does the guest itself want #AC where it is? Else the host's split lock
 * detection has made it, which works in guests as well.
 */
static bool wants_alignment_check(struct vmdrv_vcpu *vcpu)
{
	return vmdrv_ops->get_cpl(vcpu) == 3 && vmdrv_ops->get_cr(vcpu, 0) & X86_CR0_AM &&
	       vmdrv_ops->get_rflags(vcpu) & X86_EFLAGS_AC;
}

static int exit_exception(struct vmdrv_vcpu *vcpu)
{
	const struct vm_exit *exit = &vcpu->exit;

	if (exit->exception.vector == X86_TRAP_DB) {
		queue_debug(vcpu);
		return TO_GUEST;
	}
	/* The host warns and lets go on, or it has sent this thread SIGBUS. */
	if (exit->exception.vector == X86_TRAP_AC && !wants_alignment_check(vcpu)) {
		handle_guest_split_lock(vmdrv_ops->get_rip(vcpu));
		return TO_GUEST;
	}
	vmdrv_queue_exception(vcpu, exit->exception.vector, exit->exception.has_error,
			      exit->exception.error);
	return TO_GUEST;
}

static int exit_shutdown(struct vmdrv_vcpu *vcpu)
{
	vcpu->run->exit_reason = VMDRV_EXIT_SHUTDOWN;
	return TO_VMAPP;
}

/* Returns 0: VMApp is needed, 1: back to the guest, or a negative error. */
int vmdrv_exit_slow(struct vmdrv_vcpu *vcpu)
{
	const struct vm_exit *exit = &vcpu->exit;

	switch (exit->cause) {
	case VMDRV_CAUSE_INTR:
		if (!READ_ONCE(vcpu->vm->knobs[VMDRV_KNOB_HOST_IRQ_TO_VMAPP]))
			return TO_GUEST;
		vcpu->run->exit_reason = VMDRV_EXIT_HOST_IRQ;
		return TO_VMAPP;
	case VMDRV_CAUSE_NMI:
	case VMDRV_CAUSE_WINDOW:
	case VMDRV_CAUSE_IRET:
	case VMDRV_CAUSE_CR:
	case VMDRV_CAUSE_DR:	/* the next load brings them in: see the backend */
		return TO_GUEST;
	case VMDRV_CAUSE_MCE:	/* the host acts as this thread returns to user mode */
		vcpu->run->exit_reason = VMDRV_EXIT_INTR;
		return -EINTR;
	case VMDRV_CAUSE_IO:
		return vmdrv_pio(vcpu);
	case VMDRV_CAUSE_NPF:
		return exit_npf(vcpu);
	case VMDRV_CAUSE_HLT:
		return exit_hlt(vcpu);
	case VMDRV_CAUSE_CPUID:
		return exit_cpuid(vcpu);
	case VMDRV_CAUSE_RDMSR:
		return exit_rdmsr(vcpu);
	case VMDRV_CAUSE_WRMSR:
		return exit_wrmsr(vcpu);
	case VMDRV_CAUSE_XSETBV:
		return exit_xsetbv(vcpu);
	case VMDRV_CAUSE_EXCEPTION:
		return exit_exception(vcpu);
	case VMDRV_CAUSE_TASK:
		return vmdrv_task_switch(vcpu);
	case VMDRV_CAUSE_WBINVD:	/* no device of ours reads around the caches */
		return vmdrv_skip(vcpu);
	case VMDRV_CAUSE_RDPMC:
		return inject_gp(vcpu);
	case VMDRV_CAUSE_HYPERCALL:
	case VMDRV_CAUSE_UNDEFINED:
		return inject_ud(vcpu);
	case VMDRV_CAUSE_SHUTDOWN:
		return exit_shutdown(vcpu);
	case VMDRV_CAUSE_INVALID:
		return vmdrv_stop(vcpu, -EINVAL, "the CPU refused the guest's state (code %llx)",
				  exit->hw_code);
	default:
		return vmdrv_stop(vcpu, -EIO, "exit %llx has no meaning here, RIP %llx",
				  exit->hw_code, vmdrv_ops->get_rip(vcpu));
	}
}

/* ---- the fast half ---- */

/* Interrupts are off. Returns true when the exit is dealt with. */
bool vmdrv_exit_fast(struct vmdrv_vcpu *vcpu)
{
	struct vm_exit *exit = &vcpu->exit;

	static_call(vmdrv_decode)(vcpu, exit);
	vcpu->exits[exit->cause]++;
	trace_vmdrv_exit(vcpu);
	switch (exit->cause) {
	case VMDRV_CAUSE_IO:
		return vmdrv_pio_fast(vcpu);
	case VMDRV_CAUSE_WINDOW:	/* inject() closes it, or has more to deliver */
	case VMDRV_CAUSE_IRET:		/* these two were the backend's business */
	case VMDRV_CAUSE_CR:
		return true;
	default:
		return false;
	}
}
