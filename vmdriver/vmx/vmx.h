/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMX backend: Intel SDM volume 3, chapters "Introduction to Virtual-Machine
 * Extensions" to "VM Exits". The numbers of VMCS fields, controls and exit
 * reasons are the kernel's own <asm/vmx.h>.
 *
 * A VMCS lives in the CPU that used it last until it is cleared there, and
 * reads and writes go to the one that is current on this CPU. So a thread that
 * works on a vCPU attaches it: the VMCS is current wherever the thread runs, a
 * preemption notifier takes care of that, until it detaches. It stays in the
 * CPU after that, and is fetched from there when the next thread attaches it
 * elsewhere.
 */
#ifndef VMDRV_VMX_H
#define VMDRV_VMX_H

#include <linux/list.h>
#include <linux/preempt.h>
#include <asm/asm.h>
#include <asm/vmx.h>

#include "../vmdriver.h"

/* What enter.S says when the CPU refused before it had looked at the guest's state. */
#define VMX_REASON_VMFAIL	0xffffffff

/* The system call MSRs, which are the guest's or the host's: no VMCS has them. */
enum vmx_msr { VMX_STAR, VMX_LSTAR, VMX_SYSCALL_MASK, VMX_MSR_NR };

/**
 * struct vmx_config - what the CPUs' controls are set to, and what they can do
 * @revision: of VMCSs and VMXON regions
 * @pin: pin-based controls; the next two are processor-based
 * @primary: as they are when nothing waits
 * @secondary: as above
 * @exit: VM-exit controls
 * @entry: VM-entry controls, outside of long mode
 * @turn: the longest stay in the guest, in the preemption timer's ticks; 0: it has none
 * @eptp_flags: the EPT pointer without the address
 * @invept_single: INVEPT can take one EPT's translations
 */
struct vmx_config {
	u32 revision;
	u32 pin;
	u32 primary;
	u32 secondary;
	u32 exit;
	u32 entry;
	u32 turn;
	u64 eptp_flags;
	bool invept_single;
};

extern struct vmx_config vmx_config;

/* What the host's thread had in segment registers, while they are the guest's. */
struct vmx_host {
	u64 fs_base;
	u64 kernel_gs_base;
	u16 ds, es, fs, gs, ldt;
};

/**
 * struct vmx_vcpu - what VMX needs beside the VMCS
 * @host_rsp: the VMCS's HOST_RSP; the first five are enter.S's
 * @host_spec_ctrl: IA32_SPEC_CTRL as the host wants it
 * @cr2: the guest's while it does not run
 * @exit_reason: of the last exit, or VMX_REASON_VMFAIL
 * @launched: 1: since VMCLEAR it has been entered once
 * @vmcs: its page, and @vmcs_pa the physical address
 * @virtual_apic: page of which the CPU uses the TPR
 * @cpu: where it is active, or -1
 * @active: in that CPU's list
 * @notifier: of the thread that has it attached
 * @id: no other vCPU had or will have it
 * @pdptes_stale: the VMCS's PDPTEs are to be read from memory
 * @flush: translations that this CPU has are from an earlier stay
 * @user_loaded: the state that only user mode needs is the guest's: @host has
 *	the host's
 * @controls: the VMCS's primary processor-based controls
 * @host_cr3: the VMCS's HOST_CR3, and so on
 * @debugctl: the host's IA32_DEBUGCTL; an exit clears it
 * @dr_wanted: the guest touched a debug register: load them until the next put
 * @dr6: the guest's while it is not in the CPU (vcpu->dr_loaded), and @dr7
 * @msr: the guest's
 * @kernel_gs_base: the guest's while not @user_loaded
 * @cstar: the guest's: no Intel CPU uses it
 */
struct vmx_vcpu {
	u64 host_rsp;
	u64 host_spec_ctrl;
	u64 cr2;
	u32 exit_reason;
	u32 launched;

	struct vmcs_hdr *vmcs;
	u64 vmcs_pa;
	u8 *virtual_apic;
	int cpu;
	struct list_head active;
	struct preempt_notifier notifier;
	u64 id;
	bool pdptes_stale;
	bool flush;
	bool user_loaded;
	bool dr_wanted;
	u32 controls;
	u64 host_cr3;
	u64 host_cr4;
	u64 host_fs_base;
	u64 debugctl;
	struct vmx_host host;
	u64 dr6;
	u64 dr7;
	u64 msr[VMX_MSR_NR];
	u64 kernel_gs_base;
	u64 cstar;
};

struct vmcs_hdr {
	u32 revision;
	u32 abort;
};

static inline struct vmx_vcpu *to_vmx(struct vmdrv_vcpu *vcpu)
{
	return vcpu->arch;
}

/*
 * A field of the current VMCS. Once the machine goes down VMX is off, and these
 * read 0 and write nothing.
 */
static __always_inline u64 vmx_read(unsigned long field)
{
	u64 value = 0;

	asm volatile("1: vmread %1, %0\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+r" (value) : "r" (field) : "cc");
	return value;
}

void vmx_write_failed(unsigned long field, u64 value);

static __always_inline void vmx_write(unsigned long field, u64 value)
{
	asm goto("1: vmwrite %1, %0\n"
		 "   jna %l[failed]\n"
		 "2:\n"
		 _ASM_EXTABLE(1b, 2b)
		 : : "r" (field), "rm" (value) : "cc" : failed);
	return;
failed:
	vmx_write_failed(field, value);
}

static inline void vmx_control(struct vmx_vcpu *vmx, u32 bits, bool on)
{
	u32 controls = on ? vmx->controls | bits : vmx->controls & ~bits;

	if (controls != vmx->controls) {
		vmx->controls = controls;
		vmx_write(CPU_BASED_VM_EXEC_CONTROL, controls);
	}
}

/*
 * Bits of CR0 and CR4 that stay ours. The guest sees the read shadows instead,
 * and its attempt to make them differ is an exit. CD and NW would act on the
 * host's CPU; NE and VMXE have to be set; the host wants to hear of machine
 * checks; and of CR4 the guest gets what CPUID shows it.
 */
#define VMX_CR0_OURS	((u64)(X86_CR0_NE | X86_CR0_NW | X86_CR0_CD))
#define VMX_CR4_SET	((u64)(X86_CR4_VMXE | X86_CR4_MCE))
extern u64 vmx_cr4_ours;

#define VMX_SHADOW	(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)

/* enter.S */
asmlinkage void vmx_enter(struct vmdrv_vcpu *vcpu);
void vmx_exit_point(void);	/* not a function: HOST_RIP */

/* decode.c */
void vmx_decode(struct vmdrv_vcpu *vcpu, struct vm_exit *exit);

/* check.c */
const char *vmx_sregs_fault(const struct vmdrv_sregs *s);
const char *vmx_check(struct vmdrv_vcpu *vcpu);

/* state.c */
void vmx_reset(struct vmdrv_vcpu *vcpu);
u64 vmx_get_rip(struct vmdrv_vcpu *vcpu);
bool vmx_advance(struct vmdrv_vcpu *vcpu, u64 next);
u64 vmx_get_rflags(struct vmdrv_vcpu *vcpu);
int vmx_get_cpl(struct vmdrv_vcpu *vcpu);
int vmx_get_mode(struct vmdrv_vcpu *vcpu);
u64 vmx_get_cr(struct vmdrv_vcpu *vcpu, int cr);
void vmx_set_cr2(struct vmdrv_vcpu *vcpu, u64 cr2);
u64 vmx_get_efer(struct vmdrv_vcpu *vcpu);
void vmx_get_paging(struct vmdrv_vcpu *vcpu, struct vmdrv_paging *paging);
void vmx_set_efer(struct vmdrv_vcpu *vcpu, u64 efer);
void vmx_get_segment(struct vmdrv_vcpu *vcpu, int seg, struct vmdrv_segment *s);
bool vmx_get_shadow(struct vmdrv_vcpu *vcpu);
void vmx_set_shadow(struct vmdrv_vcpu *vcpu, bool on);
bool vmx_get_nmi_mask(struct vmdrv_vcpu *vcpu);
void vmx_set_nmi_mask(struct vmdrv_vcpu *vcpu, bool on);
void vmx_get_regs(struct vmdrv_vcpu *vcpu, struct vmdrv_regs *regs);
void vmx_set_regs(struct vmdrv_vcpu *vcpu, const struct vmdrv_regs *regs);
void vmx_get_sregs(struct vmdrv_vcpu *vcpu, struct vmdrv_sregs *sregs);
void vmx_set_sregs(struct vmdrv_vcpu *vcpu, const struct vmdrv_sregs *sregs);
u64 vmx_get_dr(struct vmdrv_vcpu *vcpu, int dr);
void vmx_set_dr(struct vmdrv_vcpu *vcpu, int dr, u64 value);
int vmx_get_msr(struct vmdrv_vcpu *vcpu, u32 index, u64 *value);
int vmx_set_msr(struct vmdrv_vcpu *vcpu, u32 index, u64 value);
void vmx_set_tsc_offset(struct vmdrv_vcpu *vcpu, u64 offset);

/* caps.c */
int vmx_feature_control(void);
int vmx_supported(void);

/* l1d.c */
int vmx_l1d_setup(void);
void vmx_l1d_unsetup(void);
void vmx_l1d_flush(void);
const char *vmx_l1d_state(void);

/* crash.c */
void vmx_crash_setup(void);
void vmx_crash_unsetup(void);

/* vmx.c */
void vmx_load_syscall_msrs(struct vmx_vcpu *vmx);
void vmx_emergency_off(void);
void vmx_after_nmi(void);

#endif
