// SPDX-License-Identifier: GPL-2.0-only
/*
 * The run loop: VMDRV_RUN enters the guest, serves its exits, and returns when
 * VMApp is needed. That return is the world switch of the paper (section 2).
 */
#include <linux/ktime.h>
#include <linux/rcuwait.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/task_work.h>

#include "perf.h"
#include "trace.h"
#include "vmdriver.h"

/* Would a halted guest go on? With IF clear only an NMI or VMApp wakes it. */
static bool wakes(struct vmdrv_vcpu *vcpu)
{
	if (vcpu->pending.exception || vcpu->pending.irq)
		return true;
	if ((vcpu->pending.nmi || test_bit(VMDRV_REQ_NMI, &vcpu->requests)) &&
	    !vmdrv_ops->get_nmi_mask(vcpu))
		return true;
	return vmdrv_irq_pending(vcpu->vm) &&
		vmdrv_ops->get_rflags(vcpu) & X86_EFLAGS_IF;
}

/*
 * A halted guest costs nothing: its thread sleeps until an interrupt or a signal comes.
 * Who reads the time of all halts, meanwhile, has that of this one so far with it: see
 * halt_ns_show().
 */
static void sleep_halted(struct vmdrv_vcpu *vcpu)
{
	u64 *halt_ns = &vcpu->events[VMDRV_EVENT_HALT_NS];

	vcpu->events[VMDRV_EVENT_HALT]++;
	WRITE_ONCE(*halt_ns, *halt_ns - ktime_get_ns());
	rcuwait_wait_event(&vcpu->wait,
			   wakes(vcpu) || READ_ONCE(vcpu->requests) & VMDRV_REQS_OUTSIDE,
			   TASK_INTERRUPTIBLE);
	WRITE_ONCE(*halt_ns, *halt_ns + ktime_get_ns());
	if (wakes(vcpu))
		vcpu->halted = false;
}

/* True if the guest takes the waiting NMI with the next entry. */
static bool inject_nmi(struct vmdrv_vcpu *vcpu)
{
	if (!vmdrv_ops->nmi_allowed(vcpu)) {
		vmdrv_ops->open_nmi_window(vcpu);
		return false;
	}
	vmdrv_ops->inject_nmi(vcpu);
	vcpu->pending.nmi = false;
	vcpu->events[VMDRV_EVENT_NMI]++;
	return true;
}

/*
 * The event that the guest takes with the next entry: an exception before an
 * NMI before an interrupt. One that cannot be taken now opens the window: an
 * exit as soon as it can.
 */
static void inject(struct vmdrv_vcpu *vcpu)
{
	struct vmdrv_pending *p = &vcpu->pending;
	bool window = vmdrv_irq_pending(vcpu->vm);
	int vector = -1;

	if (unlikely(p->exception)) {
		vmdrv_ops->inject_exception(vcpu, p->vector, p->has_error, p->error);
		p->exception = false;
		vcpu->events[VMDRV_EVENT_EXCEPTION]++;
	} else if (unlikely(p->irq)) {
		vector = p->irq_vector;
		p->irq = false;
	} else if (unlikely(p->nmi) && inject_nmi(vcpu)) {
		;
	} else if (window && vmdrv_ops->irq_allowed(vcpu)) {
		vector = vmdrv_irq_ack(vcpu->vm);
		trace_vmdrv_inject(vcpu->vm->id, vector);
		vcpu->events[VMDRV_EVENT_IRQ]++;
		window = vmdrv_irq_pending(vcpu->vm);
	}
	if (window != vcpu->window) {
		vmdrv_ops->set_window(vcpu, window);
		vcpu->window = window;
	}
	if (vector >= 0)
		vmdrv_ops->inject_irq(vcpu, vector);
}

/* From here on whoever changes something for the guest sends an interrupt to this CPU. */
static void set_in_guest(struct vmdrv_vcpu *vcpu)
{
	int cpu = smp_processor_id();

	if (unlikely(vcpu->cpu != cpu)) {
		WRITE_ONCE(vcpu->cpu, cpu);
		vcpu->events[VMDRV_EVENT_MIGRATION]++;
	}
	WRITE_ONCE(vcpu->mode, VMDRV_IN_GUEST);
	smp_mb();	/* pairs with those in vmdrv_kick() and vmdrv_flush_guest_tlb() */
}

/* Takes the requests; true if the guest's TLB entries have to go. */
static bool take_requests(struct vmdrv_vcpu *vcpu)
{
	bool flush = false;

	if (likely(!READ_ONCE(vcpu->requests)))
		return false;
	if (test_and_clear_bit(VMDRV_REQ_FLUSH, &vcpu->requests)) {
		vcpu->events[VMDRV_EVENT_TLB_FLUSH]++;
		flush = true;
	}
	if (test_and_clear_bit(VMDRV_REQ_NMI, &vcpu->requests))
		vcpu->pending.nmi = true;
	return flush;
}

/*
 * One stay with interrupts off: guest and exits that can be served without
 * sleeping alternate until one cannot, or the host wants the CPU. A host
 * interrupt ends the guest's turn by itself and is taken at local_irq_enable().
 * Returns 1 when the last exit needs nothing more, 0 when vmdrv_exit_slow() has
 * to see it, -EIO when the host is going down.
 */
static int enter_guest(struct vmdrv_vcpu *vcpu)
{
	int handled = 1;

	local_irq_disable();
	set_in_guest(vcpu);
	if (unlikely(signal_pending(current) || need_resched() ||
		     READ_ONCE(vcpu->requests) & VMDRV_REQS_OUTSIDE))
		goto out;
	handled = -EIO;
	if (unlikely(!vmdrv_hardware_enabled()))
		goto out;

	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
	/* The tick that finds this flag accounts its time to the guest. */
	current->flags |= PF_VCPU;
	static_call(vmdrv_load)(vcpu, take_requests(vcpu));
	vmdrv_perf_enter(vcpu);
	do {
		inject(vcpu);
		trace_vmdrv_entry(vcpu);
		static_call(vmdrv_enter)(vcpu);
		handled = vmdrv_exit_fast(vcpu);
	} while (handled && !READ_ONCE(vcpu->requests) && !need_resched());
	static_call(vmdrv_put)(vcpu);
out:
	WRITE_ONCE(vcpu->mode, VMDRV_OUTSIDE);
	vmdrv_perf_irq_enable();
	current->flags &= ~PF_VCPU;
	return handled;
}

/* Has this thread to go to user mode, for a signal or for work that is done on the way? */
static bool must_leave(struct vmdrv_vcpu *vcpu)
{
	return signal_pending(current) || task_work_pending(current) ||
		READ_ONCE(vcpu->run->immediate_exit);
}

/* What is seen to between two stays. True: VMApp is needed, the run page says for what. */
static bool see_to_requests(struct vmdrv_vcpu *vcpu)
{
	struct vmdrv_run *run = vcpu->run;
	const char *fault = NULL;
	struct vmdrv_nic *nic;

	if (test_and_clear_bit(VMDRV_REQ_CHECK, &vcpu->requests) && vmdrv_ops->check)
		fault = vmdrv_ops->check(vcpu);
	if (fault) {
		/* It stays so until other state is put in. */
		set_bit(VMDRV_REQ_CHECK, &vcpu->requests);
		vmdrv_stop(vcpu, -EINVAL, "invalid guest state: %s", fault);
		return true;
	}
	if (test_and_clear_bit(VMDRV_REQ_PAIR, &vcpu->requests))
		vmdrv_pair_learn(vcpu);
	if (test_and_clear_bit(VMDRV_REQ_PATH, &vcpu->requests)) {
		nic = vmdrv_nics_wanted(vcpu);
		if (nic) {
			run->exit_reason = VMDRV_EXIT_PATH;
			run->path.nic = nic->index;
			run->path.path = READ_ONCE(nic->wanted);
			return true;
		}
	}
	if (!test_bit(VMDRV_REQ_NIC, &vcpu->requests) || !vmdrv_nics_service(vcpu))
		return false;
	run->exit_reason = VMDRV_EXIT_NIC;
	return true;
}

/* Until VMApp is needed: 0 with the exit in the run page, or an error. */
static int run_loop(struct vmdrv_vcpu *vcpu)
{
	int ret;

	for (;;) {
		if (must_leave(vcpu)) {
			vcpu->run->exit_reason = VMDRV_EXIT_INTR;
			return -EINTR;
		}
		if (need_resched())	/* cheaper than the call */
			cond_resched();
		if (READ_ONCE(vcpu->requests) & VMDRV_REQS_OUTSIDE && see_to_requests(vcpu))
			return 0;
		if (vcpu->halted) {
			if (vmdrv_nics_idle(vcpu)) {
				vcpu->run->exit_reason = VMDRV_EXIT_NIC;
				return 0;
			}
			sleep_halted(vcpu);
			continue;
		}
		ret = enter_guest(vcpu);
		if (vcpu->gathering)
			vmdrv_nics_gathered(vcpu);
		if (!ret)
			ret = vmdrv_exit_slow(vcpu);
		/* The guest has had its turn: the NICs that have more to do get another. */
		if (unlikely(vcpu->nics_again)) {
			vcpu->nics_again = false;
			set_bit(VMDRV_REQ_NIC, &vcpu->requests);
		}
		if (ret <= 0)
			return ret;
	}
}

/* ---- how often VMApp is needed ---- */

#define RATE_ONE	BIT_ULL(16)
#define RATE_SHIFT	3	/* what a jiffy takes off: an eighth */

static void rate_decay(struct vmdrv_rate *rate)
{
	unsigned long ticks = jiffies - rate->tick;

	if (likely(!ticks))
		return;
	rate->tick += ticks;
	if (ticks > 16 << RATE_SHIFT)
		rate->sum = 0;
	for (; ticks && rate->sum; ticks--)
		rate->sum -= (rate->sum + (1 << RATE_SHIFT) - 1) >> RATE_SHIFT;
}

u64 vmdrv_switch_rate(struct vmdrv_vcpu *vcpu)
{
	rate_decay(&vcpu->switch_rate);
	return (vcpu->switch_rate.sum * HZ / RATE_ONE) >> RATE_SHIFT;
}

static void count_switch(struct vmdrv_vcpu *vcpu, u32 reason)
{
	vcpu->switches[reason % VMDRV_EXIT_MAX]++;
	rate_decay(&vcpu->switch_rate);
	vcpu->switch_rate.sum += RATE_ONE;
}

/*
 * VMDRV_RUN. The guest's FPU state is this task's while we are here: the
 * scheduler saves and restores it like any other.
 */
int vmdrv_vcpu_run(struct vmdrv_vcpu *vcpu)
{
	struct vmdrv_run *run = vcpu->run;
	int ret;

	lockdep_assert_held(&vcpu->mutex);
	vcpu->events[VMDRV_EVENT_RUN]++;
	ret = vmdrv_pio_complete(vcpu);
	if (likely(ret)) {
		fpu_swap_kvm_fpstate(&vcpu->fpu, true);
		ret = run_loop(vcpu);
		fpu_swap_kvm_fpstate(&vcpu->fpu, false);
	}

	run->rip = vmdrv_ops->get_rip(vcpu);
	run->nics = vcpu->nics;
	if (unlikely(vcpu->nics))
		vmdrv_nics_leave(vcpu);
	if (!ret)
		count_switch(vcpu, READ_ONCE(run->exit_reason));
	else if (ret == -EINTR)
		count_switch(vcpu, VMDRV_EXIT_INTR);
	return ret;
}
