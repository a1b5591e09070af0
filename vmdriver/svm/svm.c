// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SVM backend: switching the extension on, the control block's life, and
 * what is exchanged with the host around a stay in the guest.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/hw_breakpoint.h>
#include <linux/io.h>
#include <linux/mem_encrypt.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/special_insns.h>
#include <asm/trapnr.h>

#include "enter.h"
#include "svm.h"

#define IOPM_ORDER	2	/* 12 KiB, of 16 */
#define MSRPM_ORDER	1	/* 8 KiB */
#define DR7_ENABLES	0xff	/* L0 to G3 */
#define VM_CR_SVMDIS	BIT(4)

/* As enter.S has it; what this kernel does not know is never on. */
#ifdef X86_FEATURE_CLEAR_CPU_BUF_VM
#define CLEARS_BUFFERS	X86_FEATURE_CLEAR_CPU_BUF_VM
#else
#define CLEARS_BUFFERS	VMDRV_FEATURE_NEVER
#endif

#define ASSERT_OFFSET(_offset, _type, _member)	\
	static_assert((_offset) == offsetof(_type, _member))

ASSERT_OFFSET(0, struct vmdrv_vcpu, ctx);
ASSERT_OFFSET(0, struct vmdrv_context, gpr);
ASSERT_OFFSET(CTX_BLOCK, struct vmdrv_context, block);
ASSERT_OFFSET(CTX_BLOCK_PA, struct vmdrv_context, block_pa);
ASSERT_OFFSET(CTX_HOST_PA, struct vmdrv_context, host_pa);
ASSERT_OFFSET(CTX_PORT_MAP, struct vmdrv_context, port_map);
ASSERT_OFFSET(CTX_ROWS, struct vmdrv_context, rows);
ASSERT_OFFSET(CTX_LATCH_EXITS, struct vmdrv_context, latch_exits);
ASSERT_OFFSET(CTX_PAIRS, struct vmdrv_context, pairs);
ASSERT_OFFSET(VMCB_INT_STATE, struct vmcb, control.int_state);
ASSERT_OFFSET(VMCB_EXITCODE, struct vmcb, control.exit_code);
ASSERT_OFFSET(VMCB_EXITINFO1, struct vmcb, control.exit_info_1);
ASSERT_OFFSET(VMCB_EXITINFO2, struct vmcb, control.exit_info_2);
ASSERT_OFFSET(VMCB_RFLAGS, struct vmcb, save.rflags);
ASSERT_OFFSET(VMCB_RIP, struct vmcb, save.rip);
ASSERT_OFFSET(VMCB_RAX, struct vmcb, save.rax);

static struct page *iopm;	/* every port exits */
static struct page *msrpm;
static atomic64_t last_id;	/* of a vCPU; 0 is none's */
static bool injects_twice;	/* see svm_inject_irq() */

/* MSRs that VMLOAD and VMSAVE exchange: the guest reaches them without an exit. */
static const u32 direct_msrs[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_STAR, MSR_LSTAR, MSR_CSTAR,
	MSR_SYSCALL_MASK, MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
};

/* ---- nested page tables: AMD manual 2, 15.25.5 "Nested Table Walk" ---- */

#define NPT_PRESENT	BIT_ULL(0)
#define NPT_WRITE	BIT_ULL(1)
#define NPT_USER	BIT_ULL(2)	/* nested walks are user accesses, at every level */
#define NPT_ACCESSED	BIT_ULL(5)
#define NPT_DIRTY	BIT_ULL(6)
#define NPT_LARGE	BIT_ULL(7)

static u64 npt_leaf(u64 pa, int level, bool writable)
{
	return pa | NPT_PRESENT | NPT_USER | NPT_ACCESSED |
	       (writable ? NPT_WRITE | NPT_DIRTY : 0) | (level > 1 ? NPT_LARGE : 0);
}

static u64 npt_table(u64 pa)
{
	return pa | NPT_PRESENT | NPT_WRITE | NPT_USER | NPT_ACCESSED;
}

static const struct vmdrv_pt_format npt_format = {
	.leaf = npt_leaf,
	.table = npt_table,
	.present_mask = NPT_PRESENT,
	.writable_mask = NPT_WRITE,
	.dirty_mask = NPT_DIRTY,
	.large_mask = NPT_LARGE,
};

/* ---- the machine ---- */

/* As the CPU wants it: with the encryption bit where the host's memory has it. */
u64 svm_page_pa(struct page *page)
{
	return __sme_set(page_to_phys(page));
}

void svm_set_bitmaps(struct vmcb_control_area *c)
{
	c->iopm_base_pa = svm_page_pa(iopm);
	c->msrpm_base_pa = svm_page_pa(msrpm);
}

static int supported(void)
{
	u64 vm_cr;

	if (!boot_cpu_has(X86_FEATURE_SVM)) {
		pr_err("this CPU has no SVM%s\n", boot_cpu_has(X86_FEATURE_HYPERVISOR) ?
		       ": it is virtual itself; its hypervisor must allow nesting" : "");
		return -EOPNOTSUPP;
	}
	rdmsrl(MSR_VM_CR, vm_cr);
	if (vm_cr & VM_CR_SVMDIS) {
		pr_err("SVM is locked by the firmware: enable it there\n");
		return -EOPNOTSUPP;
	}
	if (!boot_cpu_has(X86_FEATURE_NPT)) {
		pr_err("this CPU has SVM without nested paging, which is needed\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

/* Is this CPU emulated by QEMU? */
static bool is_tcg(void)
{
	u32 eax, sign[3];

	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		return false;
	cpuid(0x40000000, &eax, &sign[0], &sign[1], &sign[2]);
	return !memcmp(sign, "TCGTCGTCGTCG", sizeof(sign));
}

static void msrpm_allow(u8 *map, u32 index)
{
	u32 bit;

	if (index < 0x2000)
		bit = index * 2;
	else
		bit = 0x800 * 8 + (index - 0xc0000000) * 2;
	map[bit / 8] &= ~(3 << (bit % 8));
}

static void svm_unsetup(void)
{
	svm_cpus_free();
	__free_pages(iopm, IOPM_ORDER);
	__free_pages(msrpm, MSRPM_ORDER);
}

static int svm_setup(void)
{
	int err = supported();
	int i;

	if (err)
		return err;
	injects_twice = is_tcg();
	err = -ENOMEM;
	iopm = alloc_pages(GFP_KERNEL, IOPM_ORDER);
	if (!iopm)
		return err;
	msrpm = alloc_pages(GFP_KERNEL, MSRPM_ORDER);
	if (!msrpm)
		goto free_iopm;
	err = svm_cpus_alloc();
	if (err)
		goto free_msrpm;
	memset(page_address(iopm), 0xff, PAGE_SIZE << IOPM_ORDER);
	memset(page_address(msrpm), 0xff, PAGE_SIZE << MSRPM_ORDER);
	for (i = 0; i < ARRAY_SIZE(direct_msrs); i++)
		msrpm_allow(page_address(msrpm), direct_msrs[i]);
	return 0;

free_msrpm:
	__free_pages(msrpm, MSRPM_ORDER);
free_iopm:
	__free_pages(iopm, IOPM_ORDER);
	return err;
}

/* ---- a vCPU ---- */

static int svm_create(struct vmdrv_vcpu *vcpu)
{
	struct svm_vcpu *svm = kzalloc(sizeof(*svm), GFP_KERNEL_ACCOUNT);
	struct page *vmcb;

	if (!svm)
		return -ENOMEM;
	vmcb = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!vmcb) {
		kfree(svm);
		return -ENOMEM;
	}
	svm->id = atomic64_inc_return(&last_id);
	svm->cpu = -1;
	vcpu->arch = svm;
	vcpu->ctx.block = page_address(vmcb);
	vcpu->ctx.block_pa = svm_page_pa(vmcb);
	return 0;
}

static void svm_destroy(struct vmdrv_vcpu *vcpu)
{
	free_page((unsigned long)vcpu->ctx.block);
	kfree(vcpu->arch);
}

static void init_control(struct vmdrv_vcpu *vcpu)
{
	static const u8 always[] = {
		INTERCEPT_EXCEPTION_OFFSET + X86_TRAP_DB,	/* delivering these two can */
		INTERCEPT_EXCEPTION_OFFSET + X86_TRAP_AC,	/* go on for ever */
		INTERCEPT_EXCEPTION_OFFSET + X86_TRAP_MC,
		INTERCEPT_INTR, INTERCEPT_NMI, INTERCEPT_SMI, INTERCEPT_INIT,
		INTERCEPT_RDPMC, INTERCEPT_CPUID, INTERCEPT_INVD, INTERCEPT_HLT,
		INTERCEPT_INVLPGA, INTERCEPT_IOIO_PROT, INTERCEPT_MSR_PROT, INTERCEPT_SHUTDOWN,
		INTERCEPT_VMRUN, INTERCEPT_VMMCALL, INTERCEPT_VMLOAD, INTERCEPT_VMSAVE,
		INTERCEPT_STGI, INTERCEPT_CLGI, INTERCEPT_SKINIT, INTERCEPT_RDTSCP,
		INTERCEPT_WBINVD, INTERCEPT_MONITOR, INTERCEPT_MWAIT, INTERCEPT_XSETBV,
		INTERCEPT_RDPRU,
	};
	struct vmcb_control_area *c = &svm_vmcb(vcpu)->control;
	int i;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < ARRAY_SIZE(always); i++)
		svm_intercept(vcpu, always[i], true);
	c->intercepts[INTERCEPT_DR] = SVM_DR_INTERCEPTS;
	svm_set_bitmaps(c);
	c->int_ctl = V_INTR_MASKING_MASK;
	c->nested_ctl = SVM_NESTED_CTL_NP_ENABLE;
	c->nested_cr3 = vmdrv_mem_root(vcpu->vm);
	c->tsc_offset = vcpu->tsc_offset;
}

static void svm_reset_all(struct vmdrv_vcpu *vcpu)
{
	struct svm_vcpu *svm = vcpu->arch;

	init_control(vcpu);
	svm_reset(vcpu);
	svm->cpu = -1;		/* a new ASID */
	svm->dr_wanted = false;
	svm->iret_step = false;
	svm_set_nmi_mask(vcpu, false);
}

/*
 * XCR0 is the guest's for the whole stay, whatever its CR4.OSXSAVE says: the
 * guest changes that bit without an exit.
 */
static void load_xcr0(struct vmdrv_vcpu *vcpu)
{
	if (boot_cpu_has(X86_FEATURE_OSXSAVE) && vcpu->xcr0 != vmdrv_host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vcpu->xcr0);
}

/* Read back, since not every CPU makes XSETBV exit: QEMU's 7.2 does not. */
static void put_xcr0(struct vmdrv_vcpu *vcpu)
{
	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return;
	vcpu->xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	if (vcpu->xcr0 != vmdrv_host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vmdrv_host_xcr0);
}

static void load_dr(struct vmdrv_vcpu *vcpu)
{
	set_debugreg(vcpu->dr[0], 0);
	set_debugreg(vcpu->dr[1], 1);
	set_debugreg(vcpu->dr[2], 2);
	set_debugreg(vcpu->dr[3], 3);
	vcpu->dr_loaded = true;
	svm_vmcb(vcpu)->control.intercepts[INTERCEPT_DR] = 0;
}

/* #VMEXIT has cleared the host's DR7; its breakpoints come back with their registers. */
static void put_dr(struct vmdrv_vcpu *vcpu)
{
	struct svm_vcpu *svm = vcpu->arch;

	get_debugreg(vcpu->dr[0], 0);
	get_debugreg(vcpu->dr[1], 1);
	get_debugreg(vcpu->dr[2], 2);
	get_debugreg(vcpu->dr[3], 3);
	vcpu->dr_loaded = false;
	svm->dr_wanted = false;
	svm_vmcb(vcpu)->control.intercepts[INTERCEPT_DR] = SVM_DR_INTERCEPTS;
}

static void svm_load(struct vmdrv_vcpu *vcpu, bool flush_tlb)
{
	struct svm_cpu *sc = this_cpu_ptr(&svm_cpus);
	struct vmcb *vmcb = svm_vmcb(vcpu);
	struct svm_vcpu *svm = vcpu->arch;

	if (unlikely(svm_cpu_take(sc)))
		vcpu->events[VMDRV_EVENT_SHARED]++;
	vcpu->ctx.host_pa = sc->host_pa;
	asm volatile("vmsave %%rax" : : "a" (vcpu->ctx.host_pa) : "memory");
	if (unlikely(flush_tlb || svm->cpu != smp_processor_id() ||
		     svm->asid_generation != sc->asid_generation))
		svm_cpu_new_asid(sc, svm, &vmcb->control);
	/* What one guest taught the branch predictors is nothing for the next. */
	if (unlikely(sc->last != svm->id)) {
		sc->last = svm->id;
		indirect_branch_prediction_barrier();
	}
	load_xcr0(vcpu);
	if (cpu_feature_enabled(X86_FEATURE_OSPKE))
		svm->host_pkru = rdpkru();
	/* The host's own breakpoints, if it has any, must not watch the guest's addresses. */
	if (hw_breakpoint_active())
		set_debugreg(0, 7);
	/* Nor is its branch tracing for the guest, whose #DB would switch that off. */
	svm->debugctl = __rdmsr(MSR_IA32_DEBUGCTLMSR);
	if (unlikely(svm->debugctl))
		vmdrv_wrmsr(MSR_IA32_DEBUGCTLMSR, 0);
	if (unlikely(svm->dr_wanted || vmcb->save.dr7 & DR7_ENABLES))
		load_dr(vcpu);
}

static void svm_put(struct vmdrv_vcpu *vcpu)
{
	struct svm_vcpu *svm = vcpu->arch;

	/* Nor is it for VMApp: the kernel has a barrier for this on the way to user mode. */
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
	if (unlikely(vcpu->dr_loaded))
		put_dr(vcpu);
	svm_cpu_give(this_cpu_ptr(&svm_cpus));
	/* #VMEXIT leaves the guest's DR6: the host would see causes in it for its next #DB. */
	if (unlikely(svm_vmcb(vcpu)->save.dr6 != DR6_RESERVED))
		set_debugreg(DR6_RESERVED, 6);
	if (hw_breakpoint_active())
		hw_breakpoint_restore();
	if (unlikely(svm->debugctl))
		vmdrv_wrmsr(MSR_IA32_DEBUGCTLMSR, svm->debugctl);
	/* CR4.PKE is the guest's to set, whatever CPUID says. */
	if (cpu_feature_enabled(X86_FEATURE_OSPKE) && rdpkru() != svm->host_pkru)
		wrpkru(svm->host_pkru);
	put_xcr0(vcpu);
}

/* ---- events: AMD manual 2, 15.20 "Event Injection" ---- */

static bool svm_irq_allowed(struct vmdrv_vcpu *vcpu)
{
	const struct vmcb *vmcb = svm_vmcb(vcpu);

	return vmcb->save.rflags & X86_EFLAGS_IF &&
	       !(vmcb->control.int_state & SVM_INTERRUPT_SHADOW_MASK);
}

/* A virtual interrupt that exits instead of being taken: as soon as one could be. */
static void svm_set_window(struct vmdrv_vcpu *vcpu, bool on)
{
	struct vmcb_control_area *c = &svm_vmcb(vcpu)->control;

	svm_intercept(vcpu, INTERCEPT_VINTR, on);
	c->int_vector = 0;
	if (on)
		c->int_ctl |= V_IRQ_MASK | V_IGN_TPR_MASK;
	else
		c->int_ctl &= ~(V_IRQ_MASK | V_IGN_TPR_MASK);
}

/*
 * On QEMU's CPU as a virtual interrupt, which the guest takes at once since it may:
 * an injected one is delivered a second time if somebody asks the emulator to pause
 * before the next exit. The guest's handlers nest where they must not, and it hangs
 * in a lock of its own. The window, which is a virtual interrupt as well, opens after
 * that exit. Bochs' CPU, on the other hand, does not deliver virtual interrupts.
 */
static void svm_inject_irq(struct vmdrv_vcpu *vcpu, u8 vector)
{
	struct vmcb_control_area *c = &svm_vmcb(vcpu)->control;

	if (!injects_twice) {
		c->event_inj = vector | SVM_EVTINJ_TYPE_INTR | SVM_EVTINJ_VALID;
		return;
	}
	if (unlikely(vcpu->window)) {
		svm_set_window(vcpu, false);
		vcpu->window = false;
	}
	c->int_vector = vector;
	c->int_ctl |= V_IRQ_MASK | V_IGN_TPR_MASK;
}

static bool svm_left_by_nmi(struct vmdrv_vcpu *vcpu)
{
	return svm_vmcb(vcpu)->control.exit_code == SVM_EXIT_NMI;
}

static bool svm_nmi_allowed(struct vmdrv_vcpu *vcpu)
{
	return !svm_get_nmi_mask(vcpu) && !svm_get_shadow(vcpu);
}

static void svm_inject_nmi(struct vmdrv_vcpu *vcpu)
{
	svm_vmcb(vcpu)->control.event_inj = X86_TRAP_NMI | SVM_EVTINJ_TYPE_NMI | SVM_EVTINJ_VALID;
	svm_set_nmi_mask(vcpu, true);
}

/* The exit by the handler's IRET is one; a shadow ends with the next exit, whatever it is. */
static void svm_open_nmi_window(struct vmdrv_vcpu *vcpu)
{
}

static void svm_inject_exception(struct vmdrv_vcpu *vcpu, u8 vector, bool has_error, u32 error)
{
	struct vmcb_control_area *c = &svm_vmcb(vcpu)->control;

	c->event_inj = vector | SVM_EVTINJ_TYPE_EXEPT | SVM_EVTINJ_VALID |
		       (has_error ? SVM_EVTINJ_VALID_ERR : 0);
	c->event_inj_err = error;
}

const struct vmdrv_ops svm_ops = {
	.name = "AMD SVM with nested paging",
	.arch = VMDRV_ARCH_SVM,
	.pt = &npt_format,
	.clears_buffers = CLEARS_BUFFERS,
	.clears_history = VMDRV_FEATURE_NEVER,
	.setup = svm_setup,
	.unsetup = svm_unsetup,
	.cpu_enable = svm_cpu_enable,
	.cpu_disable = svm_cpu_disable,
	.create = svm_create,
	.destroy = svm_destroy,
	.reset = svm_reset_all,
	.load = svm_load,
	.put = svm_put,
	.enter = svm_enter,
	.decode = svm_decode,
	.irq_allowed = svm_irq_allowed,
	.inject_irq = svm_inject_irq,
	.left_by_nmi = svm_left_by_nmi,
	.nmi_allowed = svm_nmi_allowed,
	.inject_nmi = svm_inject_nmi,
	.inject_exception = svm_inject_exception,
	.set_window = svm_set_window,
	.open_nmi_window = svm_open_nmi_window,
	.get_rip = svm_get_rip,
	.advance = svm_advance,
	.get_rflags = svm_get_rflags,
	.get_cpl = svm_get_cpl,
	.get_mode = svm_get_mode,
	.get_cr = svm_get_cr,
	.set_cr2 = svm_set_cr2,
	.get_efer = svm_get_efer,
	.get_paging = svm_get_paging,
	.set_efer = svm_set_efer,
	.get_segment = svm_get_segment,
	.get_shadow = svm_get_shadow,
	.set_shadow = svm_set_shadow,
	.get_regs = svm_get_regs,
	.set_regs = svm_set_regs,
	.get_sregs = svm_get_sregs,
	.set_sregs = svm_set_sregs,
	.get_nmi_mask = svm_get_nmi_mask,
	.set_nmi_mask = svm_set_nmi_mask,
	.get_dr = svm_get_dr,
	.set_dr = svm_set_dr,
	.get_msr = svm_get_msr,
	.set_msr = svm_set_msr,
	.set_tsc_offset = svm_set_tsc_offset,
};
