/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of vmdriver share: a VM, its vCPU, a neutral exit, and the
 * table of operations behind which SVM and VMX stand.
 *
 * Locks, outermost first:
 *   vcpu->mutex	held by every vCPU ioctl; VMDRV_RUN is one of them
 *   vm->lock		slots, vCPU creation, port table (mutex)
 *   vm->mmu.lock	the nested page tables (spinlock)
 *   vm->irq_lock	PIC pair, PIT and port 61h (raw spinlock, irqs off)
 */
#ifndef VMDRV_VMDRIVER_H
#define VMDRV_VMDRIVER_H

#include <linux/device.h>
#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "core/i8254.h"
#include "core/i8259.h"
#include "core/region.h"
#include "uapi/vmdriver.h"

#include "compat.h"
#include "mem.h"
#include "port.h"
#include "stats.h"

struct vmdrv_vcpu;

/* Why the guest was left, the same on SVM and VMX. */
enum vmdrv_exit_cause {
	VMDRV_CAUSE_INTR,	/* a host interrupt */
	VMDRV_CAUSE_NMI,	/* a host NMI */
	VMDRV_CAUSE_MCE,	/* a host machine check */
	VMDRV_CAUSE_WINDOW,	/* the guest can take an interrupt now */
	VMDRV_CAUSE_IO,
	VMDRV_CAUSE_LATCH,	/* counted on the exit path, never decoded */
	VMDRV_CAUSE_NPF,	/* nested page fault */
	VMDRV_CAUSE_HLT,
	VMDRV_CAUSE_CPUID,
	VMDRV_CAUSE_RDMSR,
	VMDRV_CAUSE_WRMSR,
	VMDRV_CAUSE_CR,
	VMDRV_CAUSE_DR,
	VMDRV_CAUSE_XSETBV,
	VMDRV_CAUSE_EXCEPTION,	/* one that the VMM intercepts: #DB, #AC */
	VMDRV_CAUSE_IRET,	/* an NMI handler ends */
	VMDRV_CAUSE_WBINVD,	/* and INVD */
	VMDRV_CAUSE_RDPMC,
	VMDRV_CAUSE_HYPERCALL,	/* VMMCALL, VMCALL */
	VMDRV_CAUSE_UNDEFINED,	/* an instruction that we hide: #UD */
	VMDRV_CAUSE_SHUTDOWN,	/* triple fault */
	VMDRV_CAUSE_INVALID,	/* the CPU refused the guest's state */
	VMDRV_CAUSE_UNKNOWN,
	VMDRV_CAUSE_NR
};

/**
 * struct vm_exit - an exit, decoded by the backend
 * @cause: which of the members below is meant
 * @rip_next: address of the following instruction where the backend knows it,
 *	else 0 (vmdrv_skip() then has the instruction's length looked up)
 */
struct vm_exit {
	enum vmdrv_exit_cause cause;
	u64 rip_next;
	union {
		struct {
			u16 port;
			u8 size;	/* 1, 2, 4 */
			u8 addr_size;	/* of a string instruction: 2, 4, 8 */
			bool in;
			bool string;
			bool rep;
		} io;
		struct {
			u64 gpa;
			u32 access;	/* VMDRV_ACCESS_* */
		} npf;
		struct {
			u8 cr;		/* 0, 3, 4, 8 */
		} cr;
		struct {
			u8 vector;
			bool has_error;
			u32 error;
		} exception;
		u64 hw_code;		/* UNKNOWN, INVALID: the vendor's number */
	};
};

/*
 * How the second-level tables of this CPU vendor are written. Levels count
 * from 1 (4 KiB leaves) to 4.
 */
struct vmdrv_pt_format {
	/* A leaf for @pa at level 1 or 2. */
	u64 (*leaf)(u64 pa, int level, bool writable);
	/* A pointer to a table. */
	u64 (*table)(u64 pa);
	u64 present_mask;	/* any of these bits: the entry is in use */
	u64 writable_mask;
	u64 large_mask;		/* level 2: the entry is a leaf */
};

/**
 * struct vmdrv_ops - a backend: everything that knows SVM from VMX
 *
 * load, put, enter and decode run with interrupts off.
 */
struct vmdrv_ops {
	const char *name;
	u32 arch;			/* VMDRV_ARCH_* */
	const struct vmdrv_pt_format *pt;

	int (*hardware_setup)(void);	/* says why not by pr_err() */
	void (*hardware_unsetup)(void);
	int (*cpu_enable)(void);	/* on this CPU: -EBUSY if it is taken */
	void (*cpu_disable)(void);

	int (*vcpu_create)(struct vmdrv_vcpu *vcpu);
	void (*vcpu_destroy)(struct vmdrv_vcpu *vcpu);
	void (*vcpu_reset)(struct vmdrv_vcpu *vcpu);

	void (*load)(struct vmdrv_vcpu *vcpu);
	void (*put)(struct vmdrv_vcpu *vcpu);
	void (*enter)(struct vmdrv_vcpu *vcpu);
	void (*decode)(struct vmdrv_vcpu *vcpu, struct vm_exit *exit);
	void (*flush_tlb)(struct vmdrv_vcpu *vcpu);

	bool (*irq_allowed)(struct vmdrv_vcpu *vcpu);	/* IF, shadow, no event under way */
	void (*inject)(struct vmdrv_vcpu *vcpu);	/* vcpu->event into the next entry */
	void (*set_window)(struct vmdrv_vcpu *vcpu, bool on);

	u64 (*get_rip)(struct vmdrv_vcpu *vcpu);
	void (*set_rip)(struct vmdrv_vcpu *vcpu, u64 rip);	/* ends a shadow too */
	u64 (*get_rflags)(struct vmdrv_vcpu *vcpu);
	int (*get_cpl)(struct vmdrv_vcpu *vcpu);
	int (*get_mode)(struct vmdrv_vcpu *vcpu);	/* code size: 2, 4, 8 bytes */
	u64 (*get_cr)(struct vmdrv_vcpu *vcpu, int cr);	/* 0, 2, 3, 4 */
	u64 (*get_efer)(struct vmdrv_vcpu *vcpu);
	void (*get_segment)(struct vmdrv_vcpu *vcpu, int seg, struct vmdrv_segment *s);
};

#endif
