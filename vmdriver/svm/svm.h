/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SVM backend: AMD manual 2 (24593), chapter 15. The VMCB's layout is the
 * kernel's own <asm/svm.h>.
 */
#ifndef VMDRV_SVM_H
#define VMDRV_SVM_H

#include <asm/svm.h>

#include "../vmdriver.h"

/**
 * struct svm_vcpu - what SVM needs beside the VMCB
 * @id: no other vCPU had or will have it
 * @asid_generation: of the CPU it last ran on, when it got its ASID there
 * @cpu: that CPU; -1 at first
 * @dr_wanted: the guest touched a debug register: load them until the next put
 * @nmi_masked: an NMI handler runs in the guest: its IRET is intercepted
 * @iret_step: stepping over that IRET
 * @guest_steps: ... and the guest single-steps as well
 * @host_pkru: the host's PKRU while the guest's may be in the CPU
 * @debugctl: the host's DebugCtl while the guest runs, which has none of its own
 */
struct svm_vcpu {
	u64 id;
	u64 asid_generation;
	int cpu;
	bool dr_wanted;
	bool nmi_masked;
	bool iret_step;
	bool guest_steps;
	u32 host_pkru;
	u32 debugctl;
};

/**
 * struct svm_cpu - what SVM needs on each CPU
 * @hsave: VMRUN's own page, and @hsave_pa what VM_HSAVE_PA has of it
 * @host: VMSAVE's, at @host_pa: FS, GS, TR, LDTR and the system call MSRs
 * @flusher: a VMCB that does nothing but flush the TLB
 * @last: the vCPU that ran here last: its svm_vcpu.id; 0 if that is not known
 * @efer: as svm_cpu_take() found it
 * @shared: ... with SVM on: another hypervisor holds the CPU
 * @owner_hsave: VM_HSAVE_PA and
 * @owner_tsc_ratio: the TSC's rate, as it has them
 */
struct svm_cpu {
	struct page *hsave;
	u64 hsave_pa;
	struct page *host;
	u64 host_pa;
	struct page *flusher;
	u64 last;
	u64 asid_generation;
	u32 next_asid;
	u32 max_asid;
	u64 efer;
	bool shared;
	u64 owner_hsave;
	u64 owner_tsc_ratio;
};

DECLARE_PER_CPU(struct svm_cpu, svm_cpus);

static inline struct vmcb *svm_vmcb(struct vmdrv_vcpu *vcpu)
{
	return vcpu->ctx.block;
}

static inline void svm_intercept(struct vmdrv_vcpu *vcpu, unsigned int bit, bool on)
{
	u32 *word = &svm_vmcb(vcpu)->control.intercepts[bit / 32];

	if (on)
		*word |= BIT(bit % 32);
	else
		*word &= ~BIT(bit % 32);
}

/* Debug registers whose access means that the guest uses them (DR6 is the VMCB's). */
#define SVM_DR_INTERCEPTS	(0x000f | (0x000f | BIT(5) | BIT(7)) << 16)

/* svm.c */
u64 svm_page_pa(struct page *page);
void svm_set_bitmaps(struct vmcb_control_area *c);

/* cpu.c */
int svm_cpus_alloc(void);
void svm_cpus_free(void);
int svm_cpu_enable(void);
void svm_cpu_disable(void);
bool svm_cpu_take(struct svm_cpu *sc);
void svm_cpu_give(struct svm_cpu *sc);
void svm_cpu_new_asid(struct svm_cpu *sc, struct svm_vcpu *svm, struct vmcb_control_area *c);

/* enter.S */
asmlinkage void svm_enter(struct vmdrv_vcpu *vcpu);

/* decode.c */
void svm_decode(struct vmdrv_vcpu *vcpu, struct vm_exit *exit);
bool svm_get_nmi_mask(struct vmdrv_vcpu *vcpu);
void svm_set_nmi_mask(struct vmdrv_vcpu *vcpu, bool on);

/* state.c */
void svm_reset_save(struct vmcb_save_area *s);
void svm_reset(struct vmdrv_vcpu *vcpu);
u64 svm_get_rip(struct vmdrv_vcpu *vcpu);
bool svm_advance(struct vmdrv_vcpu *vcpu, u64 next);
u64 svm_get_rflags(struct vmdrv_vcpu *vcpu);
int svm_get_cpl(struct vmdrv_vcpu *vcpu);
int svm_get_mode(struct vmdrv_vcpu *vcpu);
u64 svm_get_cr(struct vmdrv_vcpu *vcpu, int cr);
void svm_set_cr2(struct vmdrv_vcpu *vcpu, u64 cr2);
u64 svm_get_efer(struct vmdrv_vcpu *vcpu);
void svm_get_paging(struct vmdrv_vcpu *vcpu, struct vmdrv_paging *paging);
void svm_set_efer(struct vmdrv_vcpu *vcpu, u64 efer);
void svm_get_segment(struct vmdrv_vcpu *vcpu, int seg, struct vmdrv_segment *s);
bool svm_get_shadow(struct vmdrv_vcpu *vcpu);
void svm_set_shadow(struct vmdrv_vcpu *vcpu, bool on);
void svm_get_regs(struct vmdrv_vcpu *vcpu, struct vmdrv_regs *regs);
void svm_set_regs(struct vmdrv_vcpu *vcpu, const struct vmdrv_regs *regs);
void svm_get_sregs(struct vmdrv_vcpu *vcpu, struct vmdrv_sregs *sregs);
void svm_set_sregs(struct vmdrv_vcpu *vcpu, const struct vmdrv_sregs *sregs);
u64 svm_get_dr(struct vmdrv_vcpu *vcpu, int dr);
void svm_set_dr(struct vmdrv_vcpu *vcpu, int dr, u64 value);
int svm_get_msr(struct vmdrv_vcpu *vcpu, u32 index, u64 *value);
int svm_set_msr(struct vmdrv_vcpu *vcpu, u32 index, u64 value);
void svm_set_tsc_offset(struct vmdrv_vcpu *vcpu, u64 offset);

#endif
