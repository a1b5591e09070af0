// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMX backend: switching the extension on, the control block's life and
 * where it is, and what is exchanged with the host around a stay in the guest.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/hw_breakpoint.h>
#include <linux/io.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/xcr.h>
#include <asm/fsgsbase.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/perf_event.h>
#include <asm/segment.h>
#include <asm/special_insns.h>
#include <asm/spec-ctrl.h>
#include <asm/tlbflush.h>
#include <asm/trapnr.h>

#include "enter.h"
#include "vmx.h"

#define DR7_ENABLES	0xff	/* L0 to G3 */
/* As enter.S has it; what this kernel does not know is never on. */
#ifdef X86_FEATURE_CLEAR_CPU_BUF
#define CLEARS_BUFFERS	X86_FEATURE_CLEAR_CPU_BUF
#else
#define CLEARS_BUFFERS	VMDRV_FEATURE_NEVER
#endif
#if defined(X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT)
#define CLEARS_HISTORY	X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT
#elif defined(X86_FEATURE_CLEAR_BHB_VMEXIT)
#define CLEARS_HISTORY	X86_FEATURE_CLEAR_BHB_VMEXIT
#else
#define CLEARS_HISTORY	VMDRV_FEATURE_NEVER
#endif
#define VPID		1		/* of a VM's first vCPU; 0 is the host's */

/* Per CPU: VMX's own page, and whose VMCSs are there. */
struct vmx_cpu {
	struct page *vmxon;
	struct vmx_vcpu *current_vmcs;
	struct list_head active;
	u64 last;		/* the vCPU that ran here last: its vmx_vcpu.id */
	u64 msr[VMX_MSR_NR];	/* the host's: the same at any time */
	u64 msr_now[VMX_MSR_NR];
};

#define ASSERT_OFFSET(_offset, _type, _member)	\
	static_assert((_offset) == offsetof(_type, _member))

ASSERT_OFFSET(0, struct vmdrv_vcpu, ctx);
ASSERT_OFFSET(0, struct vmdrv_context, gpr);
ASSERT_OFFSET(CTX_BLOCK, struct vmdrv_context, block);
ASSERT_OFFSET(CTX_PORT_MAP, struct vmdrv_context, port_map);
ASSERT_OFFSET(CTX_ROWS, struct vmdrv_context, rows);
ASSERT_OFFSET(CTX_LATCH_EXITS, struct vmdrv_context, latch_exits);
ASSERT_OFFSET(CTX_PAIRS, struct vmdrv_context, pairs);
ASSERT_OFFSET(VMX_HOST_RSP, struct vmx_vcpu, host_rsp);
ASSERT_OFFSET(VMX_SPEC_CTRL, struct vmx_vcpu, host_spec_ctrl);
ASSERT_OFFSET(VMX_CR2, struct vmx_vcpu, cr2);
ASSERT_OFFSET(VMX_EXIT_REASON, struct vmx_vcpu, exit_reason);
ASSERT_OFFSET(VMX_LAUNCHED, struct vmx_vcpu, launched);
static_assert(FIELD_INTERRUPTIBILITY == GUEST_INTERRUPTIBILITY_INFO);
static_assert(FIELD_EXIT_REASON == VM_EXIT_REASON);
static_assert(FIELD_EXIT_INTR_INFO == VM_EXIT_INTR_INFO);
static_assert(FIELD_INSTRUCTION_LEN == VM_EXIT_INSTRUCTION_LEN);
static_assert(FIELD_QUALIFICATION == EXIT_QUALIFICATION);
static_assert(FIELD_RIP == GUEST_RIP);
static_assert(FIELD_RFLAGS == GUEST_RFLAGS);
static_assert(FIELD_HOST_RSP == HOST_RSP);

static DEFINE_PER_CPU(struct vmx_cpu, vmx_cpus);
static struct page *msr_bitmap;
static atomic64_t last_id;	/* of a vCPU; 0 is none's */
u64 vmx_cr4_ours;

static const u32 msr_index[VMX_MSR_NR] = {
	[VMX_STAR] = MSR_STAR,
	[VMX_LSTAR] = MSR_LSTAR,
	[VMX_SYSCALL_MASK] = MSR_SYSCALL_MASK,
};

/* MSRs that the guest reaches without an exit, and those that it reads without one. */
static const u32 direct_msrs[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
};

static const u32 readable_msrs[] = { MSR_STAR, MSR_LSTAR, MSR_SYSCALL_MASK };

/* ---- extended page tables: Intel SDM 3, "The Extended Page Table Mechanism" ---- */

static u64 ept_leaf(u64 pa, int level, bool writable)
{
	/* Whatever the guest says, its memory is cached: no device reads around that. */
	return pa | VMX_EPT_READABLE_MASK | VMX_EPT_EXECUTABLE_MASK | VMX_EPT_ACCESS_BIT |
	       VMX_EPTP_MT_WB << VMX_EPT_MT_EPTE_SHIFT | VMX_EPT_IPAT_BIT |
	       (writable ? VMX_EPT_WRITABLE_MASK | VMX_EPT_DIRTY_BIT : 0) |
	       (level > 1 ? BIT_ULL(7) : 0);
}

static u64 ept_table(u64 pa)
{
	return pa | VMX_EPT_RWX_MASK | VMX_EPT_ACCESS_BIT;
}

/* Where the CPU marks pages that were written, that is said in vmx_setup(). */
static struct vmdrv_pt_format ept_format = {
	.leaf = ept_leaf,
	.table = ept_table,
	.present_mask = VMX_EPT_RWX_MASK,
	.writable_mask = VMX_EPT_WRITABLE_MASK,
	.large_mask = BIT_ULL(7),
};

/*
 * What the CPU has cached of a guest's translations is tagged with the root of
 * its EPT, so this takes all of it, and vCPUs of different VMs may have the
 * same VPID.
 */
static void flush_ept(u64 eptp)
{
	struct {
		u64 eptp, zero;
	} operand = { eptp, 0 };
	unsigned long extent = eptp && vmx_config.invept_single ? VMX_EPT_EXTENT_CONTEXT :
							      VMX_EPT_EXTENT_GLOBAL;

	asm volatile("invept %0, %1" : : "m" (operand), "r" (extent) : "cc", "memory");
}

/* ---- the machine ---- */

/* Its quarters: reads of low and of high MSRs, and writes of these. */
static void msr_allow(u8 *map, u32 index, bool write)
{
	u32 bit = index & 0x1fff;

	map += (index < 0x2000 ? 0 : 1024) + (write ? 2048 : 0);
	map[bit / 8] &= ~BIT(bit % 8);
}

static int alloc_msr_bitmap(void)
{
	u8 *map;
	int i;

	msr_bitmap = alloc_page(GFP_KERNEL);
	if (!msr_bitmap)
		return -ENOMEM;
	map = page_address(msr_bitmap);
	memset(map, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(direct_msrs); i++) {
		msr_allow(map, direct_msrs[i], false);
		msr_allow(map, direct_msrs[i], true);
	}
	for (i = 0; i < ARRAY_SIZE(readable_msrs); i++)
		msr_allow(map, readable_msrs[i], false);
	return 0;
}

static void free_cpus(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmx_cpu *vc = per_cpu_ptr(&vmx_cpus, cpu);

		if (vc->vmxon)
			__free_page(vc->vmxon);
		vc->vmxon = NULL;
	}
}

static int alloc_cpus(void)
{
	struct vmcs_hdr *header;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmx_cpu *vc = per_cpu_ptr(&vmx_cpus, cpu);

		INIT_LIST_HEAD(&vc->active);
		vc->vmxon = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!vc->vmxon) {
			free_cpus();
			return -ENOMEM;
		}
		header = page_address(vc->vmxon);
		header->revision = vmx_config.revision;
	}
	return 0;
}

static void vmx_unsetup(void)
{
	vmx_crash_unsetup();
	preempt_notifier_dec();
	vmx_l1d_unsetup();
	__free_page(msr_bitmap);
	free_cpus();
}

static int vmx_setup(void)
{
	int err = vmx_supported();

	if (err)
		return err;
	vmx_cr4_ours = ~vmdrv_cr4_valid() | VMX_CR4_SET;
	if (vmx_config.eptp_flags & VMX_EPTP_AD_ENABLE_BIT)
		ept_format.dirty_mask = VMX_EPT_DIRTY_BIT;
	err = alloc_cpus();
	if (err)
		return err;
	err = alloc_msr_bitmap();
	if (err)
		goto free_cpus;
	err = vmx_l1d_setup();
	if (err)
		goto free_bitmap;
	vmx_crash_setup();
	preempt_notifier_inc();
	return 0;

free_bitmap:
	__free_page(msr_bitmap);
free_cpus:
	free_cpus();
	return err;
}

/* ---- the instructions ---- */

static bool enter_vmx(u64 pa)
{
	bool failed = true;	/* also if it faults */

	asm volatile("1: vmxon %1\n"
		     "   setna %0\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+q" (failed) : "m" (pa) : "memory", "cc");
	return !failed;
}

/* These fault, and do nothing, when VMX is off: see vmx_read(). */
static void leave_vmx(void)
{
	asm volatile("1: vmxoff\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : : : "cc", "memory");
}

static void clear_vmcs(u64 pa)
{
	asm goto("1: vmclear %0\n"
		 "   jna %l[failed]\n"
		 "2:\n"
		 _ASM_EXTABLE(1b, 2b)
		 : : "m" (pa) : "memory", "cc" : failed);
	return;
failed:
	pr_err_ratelimited("VMCLEAR of %llx failed\n", pa);
}

static void load_vmcs(u64 pa)
{
	asm goto("1: vmptrld %0\n"
		 "   jna %l[failed]\n"
		 "2:\n"
		 _ASM_EXTABLE(1b, 2b)
		 : : "m" (pa) : "memory", "cc" : failed);
	return;
failed:
	pr_err_ratelimited("VMPTRLD of %llx failed\n", pa);
}

noinline void vmx_write_failed(unsigned long field, u64 value)
{
	pr_err_ratelimited("writing %llx to VMCS field %lx failed (%llu)\n", value, field,
			   vmx_read(VM_INSTRUCTION_ERROR));
}

static int vmx_cpu_enable(void)
{
	struct vmx_cpu *vc = this_cpu_ptr(&vmx_cpus);
	int err, i;

	/* Somebody's VMX is on, or may be: VMXON would fail, and his VMCSs be lost by ours. */
	if (__read_cr4() & X86_CR4_VMXE)
		return -EBUSY;
	err = vmx_feature_control();
	if (err)
		return err;
	intel_pt_handle_vmx(1);
	cr4_set_bits(X86_CR4_VMXE);
	if (!enter_vmx(page_to_phys(vc->vmxon))) {
		cr4_clear_bits(X86_CR4_VMXE);
		intel_pt_handle_vmx(0);
		pr_err("CPU %u: VMXON failed\n", smp_processor_id());
		return -EIO;
	}
	/* What was cached before, by us or by others, may have our tags. */
	flush_ept(0);
	vc->last = 0;
	for (i = 0; i < VMX_MSR_NR; i++) {
		rdmsrl(msr_index[i], vc->msr[i]);
		vc->msr_now[i] = vc->msr[i];
	}
	return 0;
}

/* The VMCS is complete in memory after this, and nobody's. Interrupts are off. */
static void deactivate(struct vmx_cpu *vc, struct vmx_vcpu *vmx)
{
	clear_vmcs(vmx->vmcs_pa);
	if (vc->current_vmcs == vmx)
		vc->current_vmcs = NULL;
	list_del(&vmx->active);
	/* Pairs with fetch(): who sees this may put it into another CPU's list. */
	smp_store_release(&vmx->cpu, -1);
}

static void vmx_cpu_disable(void)
{
	struct vmx_cpu *vc = this_cpu_ptr(&vmx_cpus);
	struct vmx_vcpu *vmx, *next;

	list_for_each_entry_safe(vmx, next, &vc->active, active)
		deactivate(vc, vmx);
	leave_vmx();
	cr4_clear_bits(X86_CR4_VMXE);
	intel_pt_handle_vmx(0);
}

/*
 * The host has crashed, and nothing of it goes on: lists may be half changed, and a
 * VMCS need not be complete. In any context; this CPU stays here.
 */
void vmx_emergency_off(void)
{
	if (!vmdrv_hardware_enabled())
		return;
	leave_vmx();
	cr4_clear_bits(X86_CR4_VMXE);
}

/* ---- where a vCPU's VMCS is ---- */

static void deactivate_here(void *arg)
{
	struct vmx_vcpu *vmx = arg;

	if (vmx->cpu == smp_processor_id())
		deactivate(this_cpu_ptr(&vmx_cpus), vmx);
}

/* Out of whatever CPU it is in. May wait for that one: interrupts are on. */
static void fetch(struct vmx_vcpu *vmx)
{
	/* Pairs with deactivate(): what is nowhere is in no list. */
	int cpu = smp_load_acquire(&vmx->cpu);

	/* A CPU that went offline has let go of it before. */
	if (cpu >= 0)
		smp_call_function_single(cpu, deactivate_here, vmx, 1);
}

/* The part of the host's state that belongs to the CPU. */
static void write_cpu_state(void)
{
	unsigned int cpu = smp_processor_id();
	struct desc_ptr idt;
	u64 value;

	store_idt(&idt);
	vmx_write(HOST_IDTR_BASE, idt.address);
	vmx_write(HOST_GDTR_BASE, (unsigned long)get_current_gdt_ro());
	vmx_write(HOST_TR_BASE, (unsigned long)&get_cpu_entry_area(cpu)->tss.x86_tss);
	rdmsrl(MSR_GS_BASE, value);
	vmx_write(HOST_GS_BASE, value);
	rdmsrl(MSR_IA32_SYSENTER_ESP, value);
	vmx_write(HOST_IA32_SYSENTER_ESP, value);
}

/* Makes it the current one of this CPU. It is in no other CPU; interrupts are off. */
static void activate(struct vmx_vcpu *vmx)
{
	struct vmx_cpu *vc = this_cpu_ptr(&vmx_cpus);
	bool moved = vmx->cpu < 0;

	if (unlikely(!vmdrv_hardware_enabled()))
		return;
	if (moved) {
		/* For a new one this makes a VMCS of its page. */
		clear_vmcs(vmx->vmcs_pa);
		vmx->launched = 0;
		vmx->flush = true;
		list_add(&vmx->active, &vc->active);
		vmx->cpu = smp_processor_id();
	}
	if (vc->current_vmcs != vmx) {
		vc->current_vmcs = vmx;
		load_vmcs(vmx->vmcs_pa);
	}
	if (moved)
		write_cpu_state();
}

/* Preemption is off, interrupts are on. */
static void attach_here(struct vmx_vcpu *vmx)
{
	unsigned long flags;

	if (unlikely(READ_ONCE(vmx->cpu) != smp_processor_id()))
		fetch(vmx);
	local_irq_save(flags);
	activate(vmx);
	local_irq_restore(flags);
}

/* ---- state that only user mode needs ---- */

/* Brings in what @msr has; this CPU may have the guest's or the host's. */
static void load_syscall_msrs(struct vmx_cpu *vc, const u64 msr[VMX_MSR_NR])
{
	int i;

	for (i = 0; i < VMX_MSR_NR; i++) {
		if (vc->msr_now[i] != msr[i]) {
			vmdrv_wrmsr(msr_index[i], msr[i]);
			vc->msr_now[i] = msr[i];
		}
	}
}

void vmx_load_syscall_msrs(struct vmx_vcpu *vmx)
{
	load_syscall_msrs(this_cpu_ptr(&vmx_cpus), vmx->msr);
}

static u64 read_fs_base(void)
{
	return boot_cpu_has(X86_FEATURE_FSGSBASE) ? rdfsbase() : __rdmsr(MSR_FS_BASE);
}

/*
 * An exit leaves null selectors and the FS base that the VMCS has, and it does
 * not touch the others: they are exchanged when a thread begins to run the
 * guest, and put back when it goes to user mode or gives up the CPU.
 */
static void load_user_state(struct vmx_vcpu *vmx)
{
	struct vmx_host *host = &vmx->host;

	savesegment(ds, host->ds);
	savesegment(es, host->es);
	savesegment(fs, host->fs);
	savesegment(gs, host->gs);
	asm volatile("sldt %0" : "=m" (host->ldt));
	host->fs_base = read_fs_base();
	if (vmx->host_fs_base != host->fs_base) {
		vmx->host_fs_base = host->fs_base;
		vmx_write(HOST_FS_BASE, host->fs_base);
	}
	host->kernel_gs_base = __rdmsr(MSR_KERNEL_GS_BASE);
	vmdrv_wrmsr(MSR_KERNEL_GS_BASE, vmx->kernel_gs_base);
	vmx_load_syscall_msrs(vmx);
	vmx->user_loaded = true;
}

/* Preemption is off. */
static void put_user_state(struct vmx_vcpu *vmx)
{
	struct vmx_cpu *vc = this_cpu_ptr(&vmx_cpus);
	const struct vmx_host *host = &vmx->host;

	if (!vmx->user_loaded)
		return;
	vmx->user_loaded = false;
	vmx->kernel_gs_base = __rdmsr(MSR_KERNEL_GS_BASE);
	load_syscall_msrs(vc, vc->msr);
	if (unlikely(host->ds | host->es)) {
		loadsegment(ds, host->ds);
		loadsegment(es, host->es);
	}
	if (unlikely(host->ldt))
		asm volatile("lldt %0" : : "m" (host->ldt));
	if (unlikely(host->fs)) {
		loadsegment(fs, host->fs);
		vmdrv_wrmsr(MSR_FS_BASE, host->fs_base);
	}
	if (unlikely(host->gs))
		load_gs_index(host->gs);
	vmdrv_wrmsr(MSR_KERNEL_GS_BASE, host->kernel_gs_base);
	/* An exit makes these limits what user mode must not have. */
	invalidate_tss_limit();
	load_fixmap_gdt(smp_processor_id());
}

static void sched_in(struct preempt_notifier *notifier, int cpu)
{
	attach_here(container_of(notifier, struct vmx_vcpu, notifier));
}

static void sched_out(struct preempt_notifier *notifier, struct task_struct *next)
{
	put_user_state(container_of(notifier, struct vmx_vcpu, notifier));
}

static struct preempt_ops preempt_ops = {
	.sched_in = sched_in,
	.sched_out = sched_out,
};

static void vmx_attach(struct vmdrv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	preempt_disable();
	attach_here(vmx);
	preempt_notifier_register(&vmx->notifier);
	preempt_enable();
}

static void vmx_detach(struct vmdrv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	preempt_disable();
	put_user_state(vmx);
	preempt_notifier_unregister(&vmx->notifier);
	preempt_enable();
}

/* ---- a vCPU ---- */

static int vmx_create(struct vmdrv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = kzalloc(sizeof(*vmx), GFP_KERNEL_ACCOUNT);

	if (!vmx)
		return -ENOMEM;
	vmx->vmcs = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vmx->vmcs)
		goto free_vmx;
	vmx->virtual_apic = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vmx->virtual_apic)
		goto free_vmcs;
	vmx->vmcs->revision = vmx_config.revision;
	vmx->vmcs_pa = __pa(vmx->vmcs);
	vmx->id = atomic64_inc_return(&last_id);
	vmx->cpu = -1;
	preempt_notifier_init(&vmx->notifier, &preempt_ops);
	vcpu->arch = vmx;
	vcpu->ctx.block = vmx;
	return 0;

free_vmcs:
	free_page((unsigned long)vmx->vmcs);
free_vmx:
	kfree(vmx);
	return -ENOMEM;
}

static void vmx_destroy(struct vmdrv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	fetch(vmx);
	free_page((unsigned long)vmx->virtual_apic);
	free_page((unsigned long)vmx->vmcs);
	kfree(vmx);
}

static void write_controls(struct vmdrv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx->controls = vmx_config.primary;
	vmx_write(PIN_BASED_VM_EXEC_CONTROL, vmx_config.pin);
	vmx_write(CPU_BASED_VM_EXEC_CONTROL, vmx_config.primary);
	vmx_write(SECONDARY_VM_EXEC_CONTROL, vmx_config.secondary);
	vmx_write(VM_EXIT_CONTROLS, vmx_config.exit);
	vmx_write(VM_ENTRY_CONTROLS, vmx_config.entry);
	vmx_write(VM_EXIT_MSR_STORE_COUNT, 0);
	vmx_write(VM_EXIT_MSR_LOAD_COUNT, 0);
	vmx_write(VM_ENTRY_MSR_LOAD_COUNT, 0);
	vmx_write(VM_ENTRY_INTR_INFO_FIELD, 0);
	/* Delivering the first two can go on for ever. */
	vmx_write(EXCEPTION_BITMAP, BIT(X86_TRAP_DB) | BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC));
	vmx_write(CR3_TARGET_COUNT, 0);
	vmx_write(CR0_GUEST_HOST_MASK, VMX_CR0_OURS);
	vmx_write(CR4_GUEST_HOST_MASK, vmx_cr4_ours);
	vmx_write(MSR_BITMAP, page_to_phys(msr_bitmap));
	vmx_write(VIRTUAL_APIC_PAGE_ADDR, __pa(vmx->virtual_apic));
	vmx_write(TPR_THRESHOLD, 0);
	vmx_write(EPT_POINTER, vmdrv_mem_root(vcpu->vm) | vmx_config.eptp_flags);
	if (vmx_config.secondary & SECONDARY_EXEC_ENABLE_VPID)
		vmx_write(VIRTUAL_PROCESSOR_ID, VPID);
	vmx_write(VMCS_LINK_POINTER, ~0ull);
	vmx_write(TSC_OFFSET, vcpu->tsc_offset);
}

/* The part of the host's state that is the same everywhere and at any time. */
static void write_host_state(struct vmx_vcpu *vmx)
{
	u64 value;

	vmx_write(HOST_CR0, read_cr0());
	vmx_write(HOST_CS_SELECTOR, __KERNEL_CS);
	vmx_write(HOST_SS_SELECTOR, __KERNEL_DS);
	vmx_write(HOST_DS_SELECTOR, 0);
	vmx_write(HOST_ES_SELECTOR, 0);
	vmx_write(HOST_FS_SELECTOR, 0);
	vmx_write(HOST_GS_SELECTOR, 0);
	vmx_write(HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	rdmsrl(MSR_IA32_SYSENTER_CS, value);
	vmx_write(HOST_IA32_SYSENTER_CS, value);
	rdmsrl(MSR_IA32_SYSENTER_EIP, value);
	vmx_write(HOST_IA32_SYSENTER_EIP, value);
	rdmsrl(MSR_IA32_CR_PAT, value);
	vmx_write(HOST_IA32_PAT, value);
	rdmsrl(MSR_EFER, value);
	vmx_write(HOST_IA32_EFER, value);
	vmx_write(HOST_RIP, (unsigned long)vmx_exit_point);
	/* These are kept up by whoever changes them: 0 is none's. */
	vmx->host_rsp = 0;
	vmx->host_cr3 = 0;
	vmx->host_cr4 = 0;
	vmx->host_fs_base = 0;
	vmx_write(HOST_FS_BASE, 0);
}

static void vmx_reset_all(struct vmdrv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	write_controls(vcpu);
	write_host_state(vmx);
	vmx_reset(vcpu);
	vmx->dr_wanted = false;
	vmx->flush = true;
}

/* XCR0 is the guest's for the whole stay. What it writes to it is an exit. */
static void load_xcr0(struct vmdrv_vcpu *vcpu)
{
	if (boot_cpu_has(X86_FEATURE_OSXSAVE) && vcpu->xcr0 != vmdrv_host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vcpu->xcr0);
}

static void put_xcr0(struct vmdrv_vcpu *vcpu)
{
	if (boot_cpu_has(X86_FEATURE_OSXSAVE) && vcpu->xcr0 != vmdrv_host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vmdrv_host_xcr0);
}

static void load_dr(struct vmdrv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	/* The host's own breakpoints must not be on meanwhile. */
	if (hw_breakpoint_active())
		set_debugreg(0, 7);
	set_debugreg(vcpu->dr[0], 0);
	set_debugreg(vcpu->dr[1], 1);
	set_debugreg(vcpu->dr[2], 2);
	set_debugreg(vcpu->dr[3], 3);
	set_debugreg(vmx->dr6, 6);
	vcpu->dr_loaded = true;
	vmx_control(vmx, CPU_BASED_MOV_DR_EXITING, false);
}

/* An exit has cleared the host's DR7; its breakpoints come back with their registers. */
static void put_dr(struct vmdrv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	unsigned long dr6;

	get_debugreg(vcpu->dr[0], 0);
	get_debugreg(vcpu->dr[1], 1);
	get_debugreg(vcpu->dr[2], 2);
	get_debugreg(vcpu->dr[3], 3);
	get_debugreg(dr6, 6);
	set_debugreg(DR6_RESERVED, 6);
	vmx->dr6 = dr6;
	vmx->dr7 = vmx_read(GUEST_DR7);
	vmx->dr_wanted = false;
	vcpu->dr_loaded = false;
	vmx_control(vmx, CPU_BASED_MOV_DR_EXITING, true);
}

/*
 * What perf counts and how, in the guest or in the host. With PEBS the CPU writes
 * records to linear addresses of the host: in a guest they would be the guest's.
 */
static void switch_perf(bool to_guest)
{
	struct perf_guest_switch_msr *msrs;
	int nr, i;

	msrs = perf_guest_get_msrs(&nr, NULL);
	for (i = 0; msrs && i < nr; i++) {
		if (msrs[i].host != msrs[i].guest)
			vmdrv_wrmsr(msrs[i].msr, to_guest ? msrs[i].guest : msrs[i].host);
	}
}

/* perf's handler of NMIs has switched its counters on again. */
void vmx_after_nmi(void)
{
	switch_perf(true);
}

static void vmx_load(struct vmdrv_vcpu *vcpu, bool flush_tlb)
{
	struct vmx_cpu *vc = this_cpu_ptr(&vmx_cpus);
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u64 cr3 = __read_cr3(), cr4 = __read_cr4();

	/* The machine has slept since this thread attached it. */
	if (unlikely(vc->current_vmcs != vmx))
		activate(vmx);
	if (unlikely(cr3 != vmx->host_cr3)) {
		vmx->host_cr3 = cr3;
		vmx_write(HOST_CR3, cr3);
	}
	if (unlikely(cr4 != vmx->host_cr4)) {
		vmx->host_cr4 = cr4;
		vmx_write(HOST_CR4, cr4);
	}
	if (unlikely(flush_tlb || vmx->flush)) {
		vmx->flush = false;
		flush_ept(vmdrv_mem_root(vcpu->vm) | vmx_config.eptp_flags);
	}
	/* What one guest taught the branch predictors is nothing for the next. */
	if (unlikely(vc->last != vmx->id)) {
		vc->last = vmx->id;
		indirect_branch_prediction_barrier();
	}
	if (vmx_config.turn)
		vmx_write(VMX_PREEMPTION_TIMER_VALUE, vmx_config.turn);
	if (!vmx->user_loaded)
		load_user_state(vmx);
	load_xcr0(vcpu);
	if (cpu_feature_enabled(X86_FEATURE_KERNEL_IBRS))
		vmx->host_spec_ctrl = spec_ctrl_current();
	vmx->debugctl = __rdmsr(MSR_IA32_DEBUGCTLMSR);
	if (unlikely(vmx->dr_wanted || vmx->dr7 & DR7_ENABLES))
		load_dr(vcpu);
	switch_perf(true);
	vmx_l1d_flush();
}

static void vmx_put(struct vmdrv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	/* Nor is it for VMApp: the kernel has a barrier for this on the way to user mode. */
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
	if (unlikely(vcpu->dr_loaded))
		put_dr(vcpu);
	if (hw_breakpoint_active())
		hw_breakpoint_restore();
	if (vmx->debugctl)
		vmdrv_wrmsr(MSR_IA32_DEBUGCTLMSR, vmx->debugctl);
	switch_perf(false);
	put_xcr0(vcpu);
}

/* ---- events: Intel SDM 3, "Event Injection" ---- */

static bool vmx_irq_allowed(struct vmdrv_vcpu *vcpu)
{
	return vmx_read(GUEST_RFLAGS) & X86_EFLAGS_IF && !vmx_get_shadow(vcpu);
}

static void vmx_inject_irq(struct vmdrv_vcpu *vcpu, u8 vector)
{
	vmx_write(VM_ENTRY_INTR_INFO_FIELD, vector | INTR_TYPE_EXT_INTR | INTR_INFO_VALID_MASK);
}

static bool vmx_left_by_nmi(struct vmdrv_vcpu *vcpu)
{
	return (u16)vmx_read(VM_EXIT_REASON) == EXIT_REASON_EXCEPTION_NMI &&
	       (vmx_read(VM_EXIT_INTR_INFO) & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR;
}

static bool vmx_nmi_allowed(struct vmdrv_vcpu *vcpu)
{
	return !(vmx_read(GUEST_INTERRUPTIBILITY_INFO) & (VMX_SHADOW | GUEST_INTR_STATE_NMI));
}

/* With virtual NMIs the CPU holds the next one back by itself. */
static void vmx_inject_nmi(struct vmdrv_vcpu *vcpu)
{
	vmx_write(VM_ENTRY_INTR_INFO_FIELD,
		  X86_TRAP_NMI | INTR_TYPE_NMI_INTR | INTR_INFO_VALID_MASK);
}

/* Exceptions that come with an error code. */
#define ERROR_CODES	(BIT(X86_TRAP_DF) | BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) |	\
			 BIT(X86_TRAP_SS) | BIT(X86_TRAP_GP) | BIT(X86_TRAP_PF) |	\
			 BIT(X86_TRAP_AC))

/* The CPU insists on an error code where one belongs. In real mode that is nowhere. */
static void vmx_inject_exception(struct vmdrv_vcpu *vcpu, u8 vector, bool has_error, u32 error)
{
	u32 info = vector | INTR_TYPE_HARD_EXCEPTION | INTR_INFO_VALID_MASK;

	if (BIT(vector) & ERROR_CODES && vmx_read(GUEST_CR0) & X86_CR0_PE) {
		info |= INTR_INFO_DELIVER_CODE_MASK;
		vmx_write(VM_ENTRY_EXCEPTION_ERROR_CODE, has_error ? error & 0x7fff : 0);
	}
	vmx_write(VM_ENTRY_INTR_INFO_FIELD, info);
}

static void vmx_set_window(struct vmdrv_vcpu *vcpu, bool on)
{
	vmx_control(to_vmx(vcpu), CPU_BASED_INTR_WINDOW_EXITING, on);
}

/* Some CPUs do not wait for the end of STI's shadow; but RFLAGS.IF is set with it. */
static void vmx_open_nmi_window(struct vmdrv_vcpu *vcpu)
{
	u32 info = vmx_read(GUEST_INTERRUPTIBILITY_INFO);

	vmx_control(to_vmx(vcpu), info & GUEST_INTR_STATE_STI ? CPU_BASED_INTR_WINDOW_EXITING :
								CPU_BASED_NMI_WINDOW_EXITING, true);
}

const struct vmdrv_ops vmx_ops = {
	.name = "Intel VMX with EPT",
	.arch = VMDRV_ARCH_VMX,
	.pt = &ept_format,
	.clears_buffers = CLEARS_BUFFERS,
	.clears_history = CLEARS_HISTORY,
	.l1d_state = vmx_l1d_state,
	.setup = vmx_setup,
	.unsetup = vmx_unsetup,
	.cpu_enable = vmx_cpu_enable,
	.cpu_disable = vmx_cpu_disable,
	.create = vmx_create,
	.destroy = vmx_destroy,
	.reset = vmx_reset_all,
	.attach = vmx_attach,
	.detach = vmx_detach,
	.load = vmx_load,
	.put = vmx_put,
	.enter = vmx_enter,
	.decode = vmx_decode,
	.irq_allowed = vmx_irq_allowed,
	.inject_irq = vmx_inject_irq,
	.left_by_nmi = vmx_left_by_nmi,
	.nmi_allowed = vmx_nmi_allowed,
	.inject_nmi = vmx_inject_nmi,
	.inject_exception = vmx_inject_exception,
	.set_window = vmx_set_window,
	.open_nmi_window = vmx_open_nmi_window,
	.get_rip = vmx_get_rip,
	.advance = vmx_advance,
	.get_rflags = vmx_get_rflags,
	.get_cpl = vmx_get_cpl,
	.get_mode = vmx_get_mode,
	.get_cr = vmx_get_cr,
	.set_cr2 = vmx_set_cr2,
	.get_efer = vmx_get_efer,
	.get_paging = vmx_get_paging,
	.set_efer = vmx_set_efer,
	.get_segment = vmx_get_segment,
	.get_shadow = vmx_get_shadow,
	.set_shadow = vmx_set_shadow,
	.get_regs = vmx_get_regs,
	.set_regs = vmx_set_regs,
	.get_sregs = vmx_get_sregs,
	.set_sregs = vmx_set_sregs,
	.sregs_fault = vmx_sregs_fault,
	.check = vmx_check,
	.get_nmi_mask = vmx_get_nmi_mask,
	.set_nmi_mask = vmx_set_nmi_mask,
	.get_dr = vmx_get_dr,
	.set_dr = vmx_set_dr,
	.get_msr = vmx_get_msr,
	.set_msr = vmx_set_msr,
	.set_tsc_offset = vmx_set_tsc_offset,
};
