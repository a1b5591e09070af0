/* SPDX-License-Identifier: GPL-2.0-only */
/* perf.c: whose turn an interrupt has ended, for perf's samples. */
#ifndef VMDRV_PERF_H
#define VMDRV_PERF_H

#include <linux/irqflags.h>
#include <linux/jump_label.h>
#include <linux/percpu.h>
#include <linux/preempt.h>

struct vmdrv_vcpu;

#ifdef CONFIG_GUEST_PERF_EVENTS
DECLARE_STATIC_KEY_FALSE(vmdrv_perf_on);
DECLARE_PER_CPU(struct vmdrv_vcpu *, vmdrv_perf_vcpu);

void vmdrv_perf_init(void);
void vmdrv_perf_exit(void);

/* Interrupts are off, and @vcpu is about to be entered on this CPU. */
static inline void vmdrv_perf_enter(struct vmdrv_vcpu *vcpu)
{
	if (static_branch_unlikely(&vmdrv_perf_on))
		__this_cpu_write(vmdrv_perf_vcpu, vcpu);
}

/* After its turn: interrupts on, of which the one that has ended it comes first. */
static inline void vmdrv_perf_irq_enable(void)
{
	if (!static_branch_unlikely(&vmdrv_perf_on)) {
		local_irq_enable();
		return;
	}
	preempt_disable();
	local_irq_enable();
	asm volatile("nop" ::: "memory");	/* STI's shadow is one instruction */
	__this_cpu_write(vmdrv_perf_vcpu, NULL);
	preempt_enable();
}
#else
static inline void vmdrv_perf_init(void) { }
static inline void vmdrv_perf_exit(void) { }
static inline void vmdrv_perf_enter(struct vmdrv_vcpu *vcpu) { }
static inline void vmdrv_perf_irq_enable(void) { local_irq_enable(); }
#endif

#endif
