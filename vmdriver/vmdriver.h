/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of vmdriver share: a VM, its vCPU, a neutral exit, and the
 * table of operations behind which SVM and VMX stand.
 *
 * Locks, outermost first:
 *   vcpu->mutex	every vCPU ioctl but VMDRV_NMI; VMDRV_RUN is one of them
 *   vm->lock		vCPU and NIC creation, latches
 *   nic->lock		a NIC's registers and rings; by trylock on the exit path
 *   vm->mem.sem	memory slots
 *   vm->mem.lock	the nested page tables (spinlock)
 *   vm->dev.lock	PIC pair, PIT and port 61h (raw spinlock, irqs off)
 *   lender->lock	what a NIC has lent: dev/loan.c (spinlock, irqs off); taken by
 *		those who free its frames, whatever they hold
 * Nothing is locked on the way from an exit to a latch or to re-entry.
 */
#ifndef VMDRV_VMDRIVER_H
#define VMDRV_VMDRIVER_H

#include <linux/device.h>
#include <linux/kref.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/rcuwait.h>
#include <linux/spinlock.h>
#include <linux/static_call.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/msr.h>

#include "core/io_pair.h"
#include "core/port_table.h"
#include "core/region.h"
#include "uapi/vmdriver.h"

#include "dev/dev.h"
#include "dev/nic.h"
#include "mem.h"

struct vmdrv_vcpu;
struct vmdrv_vm;

/* Like __rdmsr(): an instruction, where wrmsrl() asks paravirtualization and tracing first. */
static __always_inline void vmdrv_wrmsr(u32 index, u64 value)
{
	__wrmsr(index, lower_32_bits(value), upper_32_bits(value));
}

/* Why the guest was left, the same on SVM and VMX. */
enum vmdrv_exit_cause {
	VMDRV_CAUSE_UNKNOWN,	/* no handler: stops the guest */
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
	VMDRV_CAUSE_TASK,	/* a task switch that the CPU leaves to us (VMX) */
	VMDRV_CAUSE_WBINVD,	/* and INVD */
	VMDRV_CAUSE_RDPMC,
	VMDRV_CAUSE_HYPERCALL,	/* VMMCALL, VMCALL */
	VMDRV_CAUSE_UNDEFINED,	/* an instruction that we hide: #UD */
	VMDRV_CAUSE_SHUTDOWN,	/* triple fault */
	VMDRV_CAUSE_INVALID,	/* the CPU refused the guest's state */
	VMDRV_CAUSE_NR
};

/* Things that happened on the way, counted beside the exits. */
enum vmdrv_event_count {
	VMDRV_EVENT_IRQ,	/* interrupts injected */
	VMDRV_EVENT_NMI,
	VMDRV_EVENT_EXCEPTION,
	VMDRV_EVENT_HALT,	/* times the vCPU blocked in the kernel */
	VMDRV_EVENT_HALT_NS,	/* and how long, in all */
	VMDRV_EVENT_MIGRATION,	/* entered on another host CPU than before */
	VMDRV_EVENT_TLB_FLUSH,
	VMDRV_EVENT_SHARED,	/* stays on a CPU that another hypervisor holds */
	VMDRV_EVENT_RUN,	/* VMDRV_RUN calls */
	VMDRV_EVENT_PAIR,	/* second accesses that made no exit of their own */
	VMDRV_EVENT_NR
};

/* What made the guest switch tasks; the numbers are VMX's. */
enum vmdrv_task_source {
	VMDRV_TASK_CALL,
	VMDRV_TASK_IRET,
	VMDRV_TASK_JMP,
	VMDRV_TASK_GATE,	/* in the IDT: an interrupt or exception */
};

/**
 * struct vm_exit - an exit, decoded by the backend
 * @cause: which of the members below is meant
 * @rip_next: address of the following instruction where the CPU told it, else
 *	0: vmdrv_skip() then finds the instruction's length itself
 */
struct vm_exit {
	enum vmdrv_exit_cause cause;
	u64 rip_next;
	union {
		struct {
			u16 port;
			u8 size;	/* 1, 2, 4 */
			bool in;
			bool string;
			bool rep;
		} io;
		struct {
			u64 gpa;
			u32 access;	/* VMDRV_ACCESS_* */
		} npf;
		struct {
			u8 vector;
			bool has_error;
			u32 error;
		} exception;
		struct {
			u16 selector;	/* of the new task's TSS */
			u8 source;	/* enum vmdrv_task_source */
			bool has_error;	/* an exception's, for the new task's stack */
			u32 error;
		} task;
		u64 hw_code;		/* UNKNOWN, INVALID: the vendor's number */
	};
};

/* How a CPU vendor writes second-level tables; levels count from 1 (4 KiB leaves). */
struct vmdrv_pt_format {
	u64 (*leaf)(u64 pa, int level, bool writable);
	u64 (*table)(u64 pa);
	u64 present_mask;	/* any of these bits: the entry is in use */
	u64 writable_mask;
	u64 dirty_mask;		/* set by the CPU with a write; 0: it does not do that */
	u64 large_mask;		/* level 2: the entry is a leaf */
};

enum vmdrv_segment_index {
	VMDRV_SEG_ES,
	VMDRV_SEG_CS,
	VMDRV_SEG_SS,
	VMDRV_SEG_DS,
	VMDRV_SEG_FS,
	VMDRV_SEG_GS,
	VMDRV_SEG_LDTR,
	VMDRV_SEG_TR,
};

extern const char * const vmdrv_segment_names[];	/* by VMDRV_SEG_* */

/* What the meaning of an address depends on. */
struct vmdrv_paging {
	u64 cr0, cr3, cr4, efer;
	int cpl;
	int mode;	/* as by get_mode() */
};

/**
 * struct vmdrv_ops - a backend: everything that knows SVM from VMX
 *
 * load, put, enter, decode, those that inject and those that open a window run
 * with interrupts off, and between load and put only. Everything else runs on
 * the thread that holds vcpu->mutex, between attach and detach, and but for
 * create and destroy wherever that thread is just then.
 */
struct vmdrv_ops {
	const char *name;
	u32 arch;			/* VMDRV_ARCH_* */
	const struct vmdrv_pt_format *pt;
	/* For sysfs, see mitigations.c: X86_FEATURE_* by which enter.S does it. */
	u16 clears_buffers;
	u16 clears_history;
	const char *(*l1d_state)(void);

	int (*setup)(void);		/* says why not by pr_err() */
	void (*unsetup)(void);
	int (*cpu_enable)(void);	/* on this CPU: -EBUSY if it is taken */
	void (*cpu_disable)(void);

	int (*create)(struct vmdrv_vcpu *vcpu);
	void (*destroy)(struct vmdrv_vcpu *vcpu);
	void (*reset)(struct vmdrv_vcpu *vcpu);
	/* Around everything that a thread does with the vCPU; NULL: nothing to do. */
	void (*attach)(struct vmdrv_vcpu *vcpu);
	void (*detach)(struct vmdrv_vcpu *vcpu);

	void (*load)(struct vmdrv_vcpu *vcpu, bool flush_tlb);
	void (*put)(struct vmdrv_vcpu *vcpu);
	void (*enter)(struct vmdrv_vcpu *vcpu);
	void (*decode)(struct vmdrv_vcpu *vcpu, struct vm_exit *exit);
	bool (*irq_allowed)(struct vmdrv_vcpu *vcpu);
	void (*inject_irq)(struct vmdrv_vcpu *vcpu, u8 vector);
	/* Was the last exit for an NMI of the host's? In its handler. */
	bool (*left_by_nmi)(struct vmdrv_vcpu *vcpu);
	/* No NMI handler runs in the guest, and nothing else holds NMIs back. */
	bool (*nmi_allowed)(struct vmdrv_vcpu *vcpu);
	/* Holds further ones back until the guest's IRET. */
	void (*inject_nmi)(struct vmdrv_vcpu *vcpu);
	void (*inject_exception)(struct vmdrv_vcpu *vcpu, u8 vector, bool has_error, u32 error);
	void (*set_window)(struct vmdrv_vcpu *vcpu, bool on);
	/* An exit as soon as a waiting NMI can be injected, once. */
	void (*open_nmi_window)(struct vmdrv_vcpu *vcpu);

	u64 (*get_rip)(struct vmdrv_vcpu *vcpu);
	/* The instruction is done: RIP moves to @next, a shadow ends; true if EFLAGS.TF is set. */
	bool (*advance)(struct vmdrv_vcpu *vcpu, u64 next);
	u64 (*get_rflags)(struct vmdrv_vcpu *vcpu);
	int (*get_cpl)(struct vmdrv_vcpu *vcpu);
	int (*get_mode)(struct vmdrv_vcpu *vcpu);	/* code size: 2, 4, 8 bytes */
	u64 (*get_cr)(struct vmdrv_vcpu *vcpu, int cr);	/* 0, 2, 3, 4 */
	void (*set_cr2)(struct vmdrv_vcpu *vcpu, u64 cr2);
	u64 (*get_efer)(struct vmdrv_vcpu *vcpu);
	void (*get_paging)(struct vmdrv_vcpu *vcpu, struct vmdrv_paging *paging);
	void (*set_efer)(struct vmdrv_vcpu *vcpu, u64 efer);
	void (*get_segment)(struct vmdrv_vcpu *vcpu, int seg, struct vmdrv_segment *s);
	bool (*get_shadow)(struct vmdrv_vcpu *vcpu);
	void (*set_shadow)(struct vmdrv_vcpu *vcpu, bool on);
	void (*get_regs)(struct vmdrv_vcpu *vcpu, struct vmdrv_regs *regs);
	void (*set_regs)(struct vmdrv_vcpu *vcpu, const struct vmdrv_regs *regs);
	void (*get_sregs)(struct vmdrv_vcpu *vcpu, struct vmdrv_sregs *sregs);
	void (*set_sregs)(struct vmdrv_vcpu *vcpu, const struct vmdrv_sregs *sregs);
	/* What this vendor's CPUs refuse besides what none takes: its name, or NULL. */
	const char *(*sregs_fault)(const struct vmdrv_sregs *sregs);
	/*
	 * The state was put in from outside: name what in it the CPU would refuse
	 * to enter with, or NULL. May sleep and read guest memory. NULL: no need.
	 */
	const char *(*check)(struct vmdrv_vcpu *vcpu);
	bool (*get_nmi_mask)(struct vmdrv_vcpu *vcpu);	/* an NMI handler runs */
	void (*set_nmi_mask)(struct vmdrv_vcpu *vcpu, bool on);
	u64 (*get_dr)(struct vmdrv_vcpu *vcpu, int dr);		/* 6, 7 */
	void (*set_dr)(struct vmdrv_vcpu *vcpu, int dr, u64 value);
	/* MSRs that live in the control block: -ENOENT if it is not one. */
	int (*get_msr)(struct vmdrv_vcpu *vcpu, u32 index, u64 *value);
	int (*set_msr)(struct vmdrv_vcpu *vcpu, u32 index, u64 value);
	void (*set_tsc_offset)(struct vmdrv_vcpu *vcpu, u64 offset);
};

#define VMDRV_FEATURE_NEVER	U16_MAX	/* instead of an X86_FEATURE_*: never on */

extern const struct vmdrv_ops svm_ops, vmx_ops;
extern const struct vmdrv_ops *vmdrv_ops;	/* the backend of this machine */

/* Those of its operations that nearly every exit or call needs, without a detour. */
typedef void (vmdrv_vcpu_fn)(struct vmdrv_vcpu *vcpu);
typedef void (vmdrv_load_fn)(struct vmdrv_vcpu *vcpu, bool flush_tlb);
typedef void (vmdrv_decode_fn)(struct vmdrv_vcpu *vcpu, struct vm_exit *exit);
typedef bool (vmdrv_advance_fn)(struct vmdrv_vcpu *vcpu, u64 next);
DECLARE_STATIC_CALL(vmdrv_attach, vmdrv_vcpu_fn);
DECLARE_STATIC_CALL(vmdrv_detach, vmdrv_vcpu_fn);
DECLARE_STATIC_CALL(vmdrv_load, vmdrv_load_fn);
DECLARE_STATIC_CALL(vmdrv_put, vmdrv_vcpu_fn);
DECLARE_STATIC_CALL(vmdrv_enter, vmdrv_vcpu_fn);
DECLARE_STATIC_CALL(vmdrv_decode, vmdrv_decode_fn);
DECLARE_STATIC_CALL(vmdrv_advance, vmdrv_advance_fn);

/* An event that is to reach the guest before it goes on. */
struct vmdrv_pending {
	bool exception;
	bool has_error;
	bool irq;		/* acknowledged at the PIC, its delivery was cut short */
	bool nmi;
	u8 vector;
	u8 irq_vector;
	u32 error;
};

/* What the next VMDRV_RUN has to finish: the answer to an IN. */
struct vmdrv_completion {
	bool active;
	bool string;
	u8 size;
	u32 count;
};

/* MSRs that the guest may write and read back, and that mean nothing to us. */
struct vmdrv_msr_store {
	u64 apic_base;
	u64 misc_enable;
	u64 hwcr;
};

/* Indices into vmdrv_context.gpr: the order of the instruction encoding. */
enum vmdrv_gpr {
	VMDRV_RAX, VMDRV_RCX, VMDRV_RDX, VMDRV_RBX,
	VMDRV_RSP, VMDRV_RBP, VMDRV_RSI, VMDRV_RDI,
};

/**
 * struct vmdrv_context - what the entry code of a backend works on
 * @gpr: the guest's general registers while it is not running; RSP is not here
 *	but in the control block
 * @block: the VMCB and @block_pa its physical address; VMX's struct vmx_vcpu
 * @host_pa: physical address of this CPU's page for host state (SVM)
 * @port_map: the VM's 65,536 row numbers, see struct ws_port_table
 * @rows: the rows that they name
 * @latch_exits: accesses to latches, served without leaving the entry code
 * @pairs: not 0: an OUT to a latch leaves it, for pair.c
 */
struct vmdrv_context {
	u64 gpr[16];
	void *block;
	u64 block_pa;
	u64 host_pa;
	const u8 *port_map;
	void *rows;
	u64 latch_exits;
	u64 pairs;
};

/**
 * struct vmdrv_rate - how often something happens, of late
 * @sum: events times 2^16; in each jiffy it loses an eighth
 * @tick: the jiffy up to which it has
 *
 * The vCPU's thread counts and asks.
 */
struct vmdrv_rate {
	u64 sum;
	unsigned long tick;
};

enum vmdrv_vcpu_mode { VMDRV_OUTSIDE, VMDRV_IN_GUEST };

/* Bits of vcpu->requests. */
#define VMDRV_REQ_FLUSH		0	/* the guest's TLB entries are stale */
#define VMDRV_REQ_NMI		1	/* an NMI for the guest */
#define VMDRV_REQ_NIC		2	/* a NIC of the VMM's wants vmdrv_nics_service() */
#define VMDRV_REQ_PATH		3	/* VMApp is to take a NIC to another path */
#define VMDRV_REQ_PAIR		4	/* vmdrv_pair_learn() */
#define VMDRV_REQ_CHECK		5	/* the state was put in by an ioctl: vmdrv_ops->check */
/* Those that are seen to outside of the guest, halted or not. */
#define VMDRV_REQS_OUTSIDE	(BIT(VMDRV_REQ_NIC) | BIT(VMDRV_REQ_PATH) |	\
				 BIT(VMDRV_REQ_PAIR) | BIT(VMDRV_REQ_CHECK))

#define VMDRV_PAIR_SITES	16

/**
 * struct vmdrv_pair_site - where a latch was written, and what follows there: pair.c
 * @rip: behind the OUT; 0: empty
 * @paging: with these registers
 * @generation: of the memory slots
 * @size: of a page table's entry
 * @entries: how many were read
 * @entry: they were so, without VMDRV_TRACE_IGNORE
 * @entry_ptr: and are there
 * @code: where the code is; NULL: it cannot be read
 * @len: bytes of it up to the end of the page, at most IO_PAIR_BYTES
 * @bytes: what they were when they were a pair the last time; zeroes: never
 * @pair: which one
 */
struct vmdrv_pair_site {
	u64 rip;
	struct vmdrv_paging paging;
	unsigned long generation;
	unsigned int size;
	unsigned int entries;
	u64 entry[4];
	void __user *entry_ptr[4];
	void __user *code;
	unsigned int len;
	u8 bytes[IO_PAIR_BYTES] __aligned(8);
	struct io_pair pair;
};

struct vmdrv_vcpu {
	struct vmdrv_context ctx;	/* first: enter.S knows its layout */
	struct vmdrv_vm *vm;
	void *arch;			/* the backend's own */
	struct mutex mutex;		/* serializes the ioctls */
	struct vmdrv_run *run;		/* VMDRV_RUN_PAGES pages, shared with VMApp */

	struct vm_exit exit;
	struct vmdrv_pending pending;
	struct vmdrv_completion completion;
	struct vmdrv_pair_site pair_sites[VMDRV_PAIR_SITES];
	u32 nics;			/* bit n: NIC n has something for VMApp to move */
	bool nics_again;		/* a NIC's turn is over, but not its work */
	bool gathering;			/* path direct: frames wait until the stay is over */
	u32 io_latch;			/* goes to VMApp with a port access: run->io.latch */
	bool window;			/* the interrupt-window exit is on */
	bool halted;
	u64 dr[4];			/* the guest's, while they are not in the CPU */
	bool dr_loaded;
	u64 xcr0;
	struct vmdrv_msr_store msr;
	struct fpu_guest fpu;
	u64 tsc_offset;			/* guest TSC = host TSC + this */

	/* Shared with those who kick; mode and requests pair by full barriers. */
	int mode;			/* enum vmdrv_vcpu_mode */
	int cpu;			/* where it runs, or ran last; -1 at first */
	unsigned long requests;
	struct rcuwait wait;		/* a halted vCPU sleeps here */

	struct vmdrv_rate switch_rate;
	u64 exits[VMDRV_CAUSE_NR];
	u64 switches[VMDRV_EXIT_MAX];	/* returns to VMApp, by VMDRV_EXIT_* */
	u64 events[VMDRV_EVENT_NR];
};

struct vmdrv_vm {
	struct kref kref;
	struct mm_struct *mm;		/* the only one it runs in; mmgrab()bed */
	struct mutex lock;
	struct device device;		/* /sys/class/vmdriver/vm<id> */
	int id;
	pid_t pid;
	kuid_t uid;			/* who made it */
	kgid_t gid;
	char name[VMDRV_NAME_MAX];

	struct vmdrv_vcpu *vcpu;	/* set once, under lock */
	struct vmdrv_mem mem;
	struct ws_port_table *ports;
	struct vmdrv_devices dev;
	struct vmdrv_nic *nics[VMDRV_NIC_MAX];	/* each set once, under lock */
	unsigned int latches;
	u32 knobs[VMDRV_KNOB_NR];	/* those of a VM */
	wait_queue_head_t path_wait;	/* for VMApp to take a NIC to another path */
	bool dying;			/* nobody waits any more */
	u64 tsc_base;			/* host TSC at which the guest's is 0 */
};

/* main.c */
extern struct vmdrv_caps vmdrv_caps;
extern u64 vmdrv_host_xcr0;
int vmdrv_hardware_get(void);
void vmdrv_hardware_put(void);
bool vmdrv_hardware_enabled(void);

/* vm.c */
int vmdrv_vm_create(struct vmdrv_create_vm __user *argp);

void vmdrv_vm_get(struct vmdrv_vm *vm);
void vmdrv_vm_put(struct vmdrv_vm *vm);
void vmdrv_kick(struct vmdrv_vm *vm);
void vmdrv_flush_guest_tlb(struct vmdrv_vm *vm);

/* vcpu.c */
int vmdrv_vcpu_create(struct vmdrv_vm *vm);
void vmdrv_vcpu_free(struct vmdrv_vcpu *vcpu);
u32 vmdrv_xsave_size(void);
u64 vmdrv_cr4_valid(void);

/* run.c */
int vmdrv_vcpu_run(struct vmdrv_vcpu *vcpu);
u64 vmdrv_switch_rate(struct vmdrv_vcpu *vcpu);	/* world switches per second */

/* pair.c */
bool vmdrv_pair_begin(struct vmdrv_vcpu *vcpu);
void vmdrv_pair_learn(struct vmdrv_vcpu *vcpu);

/* knobs.c */
extern const struct attribute_group vmdrv_knobs_group;
extern const struct attribute *const vmdrv_nic_knob_attrs[];
void vmdrv_knobs_init(u32 knobs[VMDRV_KNOB_NR]);
int vmdrv_knob(struct vmdrv_vm *vm, struct vmdrv_knob_value *args, bool set);
ssize_t vmdrv_nic_knob_show(struct vmdrv_nic *nic, const struct attribute *attr, char *buf);
ssize_t vmdrv_nic_knob_store(struct vmdrv_nic *nic, const struct attribute *attr, const char *buf,
			     size_t len);

/* exit.c */
struct vmdrv_prefixes {
	int len;		/* bytes before the opcode; -1: they cannot be read */
	int segment;		/* that an override names, or -1 */
	u8 addr_size;		/* 2, 4 or 8 bytes */
};

bool vmdrv_exit_fast(struct vmdrv_vcpu *vcpu);
int vmdrv_exit_slow(struct vmdrv_vcpu *vcpu);
int vmdrv_skip(struct vmdrv_vcpu *vcpu);
void vmdrv_single_step(struct vmdrv_vcpu *vcpu);
void vmdrv_queue_exception(struct vmdrv_vcpu *vcpu, u8 vector, bool has_error, u32 error);
void vmdrv_queue_page_fault(struct vmdrv_vcpu *vcpu, u64 address, u32 error);
int vmdrv_fetch(struct vmdrv_vcpu *vcpu, u8 insn[15]);
void vmdrv_host_machine_check(void);
void vmdrv_prefixes(struct vmdrv_vcpu *vcpu, struct vmdrv_prefixes *p);
__printf(3, 4) int vmdrv_stop(struct vmdrv_vcpu *vcpu, int code, const char *fmt, ...);

/* task.c */
int vmdrv_task_switch(struct vmdrv_vcpu *vcpu);

/* pio.c */
bool vmdrv_pio_fast(struct vmdrv_vcpu *vcpu);
int vmdrv_pio(struct vmdrv_vcpu *vcpu);
int vmdrv_pio_complete(struct vmdrv_vcpu *vcpu);

/* cpuid.c */
void vmdrv_cpuid(struct vmdrv_vcpu *vcpu, u32 leaf, u32 subleaf, u32 out[4]);
u64 vmdrv_supported_xcr0(void);
#define VMDRV_BACKDOOR_PORT	0x5658
bool vmdrv_backdoor(struct vmdrv_vcpu *vcpu);

/* msr.c */
int vmdrv_get_msr(struct vmdrv_vcpu *vcpu, u32 index, u64 *value);
int vmdrv_set_msr(struct vmdrv_vcpu *vcpu, u32 index, u64 value);
int vmdrv_set_efer(struct vmdrv_vcpu *vcpu, u64 efer);
void vmdrv_msr_reset(struct vmdrv_vcpu *vcpu);
unsigned int vmdrv_msr_list(u32 *list, unsigned int room);
bool vmdrv_xcr0_valid(u64 xcr0);

/* perf.c */
extern const struct attribute_group vmdrv_perf_group;

/* mitigations.c */
extern const struct attribute_group *vmdrv_misc_groups[];

/* stats.c */
extern struct class vmdrv_class;
int vmdrv_class_register(void);
void vmdrv_class_unregister(void);

#endif
