// SPDX-License-Identifier: GPL-2.0-only
/*
 * What SVM has once per CPU, to be shared with other hypervisors: the switch
 * that turns it on, the page for the host's state, and the ASIDs.
 *
 * SVM is on from svm_cpu_take() to svm_cpu_give(), with interrupts off, and no
 * longer: whoever comes between two stays in our guests finds the CPU as if we
 * did not exist, so KVM can turn SVM on whenever it wants to. Where it is on
 * already, the one who did that gets EFER, VM_HSAVE_PA and the rest back.
 *
 * ASIDs are the same few numbers for everybody. One who holds the CPU gets it
 * back with none of our translations in its TLB, and we begin with none of its.
 * Who held it and is gone has left VM_HSAVE_PA changed: between two stays it has
 * the address of our page if nobody was there.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>

#include "svm.h"

#define FIRST_ASID	1	/* 0 is the host's */

DEFINE_PER_CPU(struct svm_cpu, svm_cpus);
static struct page *no_memory;	/* a root of nested page tables that map nothing */

/* A guest that cannot even fetch its first instruction. All it does is flush. */
static void init_flusher(struct vmcb *vmcb)
{
	static const u8 bits[] = {
		INTERCEPT_INTR, INTERCEPT_NMI, INTERCEPT_SMI, INTERCEPT_INIT,
		INTERCEPT_SHUTDOWN, INTERCEPT_VMRUN,
	};
	struct vmcb_control_area *c = &vmcb->control;
	int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		c->intercepts[bits[i] / 32] |= BIT(bits[i] % 32);
	svm_set_bitmaps(c);
	c->asid = FIRST_ASID;
	c->tlb_ctl = TLB_CONTROL_FLUSH_ALL_ASID;
	c->nested_ctl = SVM_NESTED_CTL_NP_ENABLE;
	c->nested_cr3 = svm_page_pa(no_memory);
	svm_reset_save(&vmcb->save);
}

/* Forgets the translations of every guest on this CPU. */
static void flush_guests(struct svm_cpu *sc)
{
	asm volatile("clgi; vmrun %%rax; stgi" : : "a" (svm_page_pa(sc->flusher)) : "memory", "cc");
}

void svm_cpus_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct svm_cpu *sc = per_cpu_ptr(&svm_cpus, cpu);

		if (sc->hsave)
			__free_page(sc->hsave);
		if (sc->host)
			__free_page(sc->host);
		if (sc->flusher)
			__free_page(sc->flusher);
		memset(sc, 0, sizeof(*sc));
	}
	if (no_memory)
		__free_page(no_memory);
	no_memory = NULL;
}

int svm_cpus_alloc(void)
{
	int cpu;

	no_memory = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!no_memory)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct svm_cpu *sc = per_cpu_ptr(&svm_cpus, cpu);

		sc->hsave = alloc_page(GFP_KERNEL | __GFP_ZERO);
		sc->host = alloc_page(GFP_KERNEL | __GFP_ZERO);
		sc->flusher = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!sc->hsave || !sc->host || !sc->flusher) {
			svm_cpus_free();
			return -ENOMEM;
		}
		sc->hsave_pa = svm_page_pa(sc->hsave);
		sc->host_pa = svm_page_pa(sc->host);
		sc->max_asid = cpuid_ebx(0x8000000a) - 1;
		init_flusher(page_address(sc->flusher));
	}
	return 0;
}

/* All are flushed with the next entry, when a new generation begins. */
static void retire_asids(struct svm_cpu *sc)
{
	sc->asid_generation++;
	sc->next_asid = sc->max_asid + 1;
	/* Nor is it known who trained the branch predictors. */
	sc->last = 0;
}

/*
 * ASIDs are handed out upwards on each CPU; when they run out, all are flushed
 * and a new generation begins. A new ASID has no entries: taking one is how a
 * single guest's translations are flushed.
 */
void svm_cpu_new_asid(struct svm_cpu *sc, struct svm_vcpu *svm, struct vmcb_control_area *c)
{
	if (sc->next_asid > sc->max_asid) {
		sc->asid_generation++;
		sc->next_asid = FIRST_ASID;
		c->tlb_ctl = TLB_CONTROL_FLUSH_ALL_ASID;
	}
	c->asid = sc->next_asid++;
	svm->asid_generation = sc->asid_generation;
	svm->cpu = smp_processor_id();
}

/* The CPU was away, or is new: what it caches under our ASIDs is not ours. */
int svm_cpu_enable(void)
{
	retire_asids(this_cpu_ptr(&svm_cpus));
	return 0;
}

/* The page that VM_HSAVE_PA may have the address of is going to be freed. */
void svm_cpu_disable(void)
{
	if (__rdmsr(MSR_VM_HSAVE_PA) == this_cpu_ptr(&svm_cpus)->hsave_pa)
		vmdrv_wrmsr(MSR_VM_HSAVE_PA, 0);
}

static noinline void take_from_owner(struct svm_cpu *sc, u64 hsave)
{
	sc->owner_hsave = hsave;
	vmdrv_wrmsr(MSR_VM_HSAVE_PA, sc->hsave_pa);
	retire_asids(sc);
	/* KVM leaves its last guest's here; ours run at the CPU's own pace. */
	if (sc->shared && boot_cpu_has(X86_FEATURE_TSCRATEMSR)) {
		sc->owner_tsc_ratio = __rdmsr(MSR_AMD64_TSC_RATIO);
		if (sc->owner_tsc_ratio != SVM_TSC_RATIO_DEFAULT)
			vmdrv_wrmsr(MSR_AMD64_TSC_RATIO, SVM_TSC_RATIO_DEFAULT);
	}
}

static noinline void give_to_owner(struct svm_cpu *sc)
{
	flush_guests(sc);
	/* Its guests must not meet what ours taught the branch predictors. */
	indirect_branch_prediction_barrier();
	if (boot_cpu_has(X86_FEATURE_TSCRATEMSR) && sc->owner_tsc_ratio != SVM_TSC_RATIO_DEFAULT)
		vmdrv_wrmsr(MSR_AMD64_TSC_RATIO, sc->owner_tsc_ratio);
	vmdrv_wrmsr(MSR_VM_HSAVE_PA, sc->owner_hsave);
}

/* Interrupts are off until svm_cpu_give(). Returns whether another hypervisor holds this CPU. */
bool svm_cpu_take(struct svm_cpu *sc)
{
	u64 hsave;

	lockdep_assert_irqs_disabled();
	hsave = __rdmsr(MSR_VM_HSAVE_PA);
	sc->efer = __rdmsr(MSR_EFER);
	sc->shared = sc->efer & EFER_SVME;
	if (likely(!sc->shared))
		vmdrv_wrmsr(MSR_EFER, sc->efer | EFER_SVME);
	if (unlikely(sc->shared || hsave != sc->hsave_pa))
		take_from_owner(sc, hsave);
	return sc->shared;
}

/* Ends what svm_cpu_take() began; changes DR6 and DR7. */
void svm_cpu_give(struct svm_cpu *sc)
{
	if (unlikely(sc->shared))
		give_to_owner(sc);
	else
		vmdrv_wrmsr(MSR_EFER, sc->efer);
}
