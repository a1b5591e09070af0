/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * vmdriver's interface to VMApp: what a process can ask of /dev/vmdriver.
 *
 * Three kinds of file descriptor: /dev/vmdriver itself, a VM made by
 * VMDRV_CREATE_VM, and a vCPU made by VMDRV_CREATE_VCPU. Closing the last
 * reference to a VM and its vCPU gives everything back, whatever state the
 * guest was in. A VM belongs to the process (the mm) that made it: every call
 * on it from another one fails with EIO.
 *
 * Every structure is fixed-width with explicit padding; padding and unknown
 * flags must be zero (EINVAL), so that they can get a meaning later.
 *
 * Errors that every call shares: EFAULT (a pointer of the caller's), EINVAL
 * (an argument out of range), ENOTTY (no such call on this descriptor),
 * EIO (another process's VM), ENOMEM. On a vCPU also EBUSY: another thread is in
 * a call on it.
 */
#ifndef _UAPI_VMDRIVER_H
#define _UAPI_VMDRIVER_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define VMDRV_API_VERSION	1
#define VMDRV_DEVICE		"/dev/vmdriver"
#define VMDRV_IOC		0xB8

#define VMDRV_NAME_MAX		64	/* bytes, with the terminating NUL */
#define VMDRV_SLOT_MAX		32	/* memory slots of a VM */
#define VMDRV_LATCH_MAX		32	/* latch ports of a VM */

/* ---- /dev/vmdriver ---------------------------------------------------- */

#define VMDRV_ARCH_SVM		1
#define VMDRV_ARCH_VMX		2

struct vmdrv_caps {
	__u32 version;		/* VMDRV_API_VERSION */
	__u32 arch;		/* VMDRV_ARCH_* */
	__u32 max_vcpus;	/* vCPUs of one VM: 1 */
	__u32 max_slots;	/* memory slots of one VM */
	__u32 phys_bits;	/* width of a guest physical address */
	__u32 run_size;		/* bytes to mmap() on a vCPU descriptor */
	__u32 xsave_size;	/* bytes of VMDRV_GET_XSAVE */
	__u32 pad;
	__u64 xcr0;		/* XCR0 bits that a guest may set */
	__u64 tsc_khz;		/* frequency of the guest's TSC */
};

struct vmdrv_create_vm {
	char name[VMDRV_NAME_MAX];	/* shown in sysfs; printable, NUL-terminated */
	__u32 flags;			/* 0 */
	__u32 id;			/* out: /sys/class/vmdriver/vm<id> */
};

#define VMDRV_GET_CAPS		_IOR(VMDRV_IOC, 0x00, struct vmdrv_caps)
/* Returns the VM's file descriptor. */
#define VMDRV_CREATE_VM		_IOWR(VMDRV_IOC, 0x01, struct vmdrv_create_vm)

/* ---- a VM --------------------------------------------------------------- */

#define VMDRV_MEM_READONLY	(1u << 0)	/* guest writes exit as MMIO */
#define VMDRV_MEM_LOG_DIRTY	(1u << 1)	/* for VMDRV_GET_DIRTY */

/*
 * Guest memory is a window onto the caller's own mapping: nested page tables
 * are filled from it on fault, and the host may take pages back at any time.
 * All three of gpa, size and hva are multiples of 4096. size 0 removes a slot.
 * EEXIST: it overlaps another slot. A used slot must be removed before it is
 * set again (EBUSY).
 */
struct vmdrv_memory {
	__u32 slot;		/* below VMDRV_SLOT_MAX */
	__u32 flags;		/* VMDRV_MEM_* */
	__u64 gpa;
	__u64 size;
	__u64 hva;
};

/*
 * Which pages of a slot with VMDRV_MEM_LOG_DIRTY the guest has written since the
 * last call; the first call counts from when the slot was set. It costs the
 * guest no exit where the CPU keeps dirty bits in its second-level tables, else
 * one, which stays in the VMM, for each page and call. Pages may be reported
 * that were not written (the host took them back meanwhile), never the other
 * way round. Returns how many there are. ENOENT: no such slot with that flag.
 */
#define VMDRV_DIRTY_MAX		16384		/* pages of such a slot (EINVAL) */
struct vmdrv_dirty {
	__u32 slot;
	__u32 pages;		/* exactly the slot's (EINVAL) */
	__u64 bitmap;		/* pointer to __u64[(pages + 63) / 64]; bit 0 first */
};

/* The level of one of the PIC pair's inputs, 1 to 15 but 2 (0 is the PIT's, 2 the cascade). */
struct vmdrv_irq {
	__u32 irq;
	__u32 level;		/* 0 or 1 */
};

/*
 * A latch: ports with memory semantics, read and written without leaving the
 * exit path. One access size; others see all ones and are ignored.
 * EEXIST: the port is taken. Port 80h is a one-byte latch from the start.
 */
struct vmdrv_latch {
	__u16 port;
	__u16 size;		/* 1, 2 or 4 bytes, naturally aligned */
	__u32 value;		/* in for ADD and SET, out for GET */
};

/* State of the devices in the VMM, for suspend and for tests. */
#define VMDRV_DEV_PIC		1	/* struct i8259_pair_state, core/i8259.h */
#define VMDRV_DEV_PIT		2	/* struct i8254_state, core/i8254.h */

struct vmdrv_device_state {
	__u32 device;		/* VMDRV_DEV_* */
	__u32 size;		/* bytes at data: exactly the device's (EINVAL) */
	__u64 data;		/* pointer */
};

#define VMDRV_SET_MEMORY	_IOW(VMDRV_IOC, 0x10, struct vmdrv_memory)
/* arg: 0, the vCPU's number. Returns its file descriptor. EEXIST: made before. */
#define VMDRV_CREATE_VCPU	_IO(VMDRV_IOC, 0x11)
#define VMDRV_SET_IRQ		_IOW(VMDRV_IOC, 0x12, struct vmdrv_irq)
#define VMDRV_ADD_LATCH		_IOW(VMDRV_IOC, 0x13, struct vmdrv_latch)
#define VMDRV_GET_LATCH		_IOWR(VMDRV_IOC, 0x14, struct vmdrv_latch)
#define VMDRV_SET_LATCH		_IOW(VMDRV_IOC, 0x15, struct vmdrv_latch)
#define VMDRV_GET_DEVICE	_IOW(VMDRV_IOC, 0x16, struct vmdrv_device_state)
#define VMDRV_SET_DEVICE	_IOW(VMDRV_IOC, 0x17, struct vmdrv_device_state)
#define VMDRV_GET_DIRTY		_IOW(VMDRV_IOC, 0x19, struct vmdrv_dirty)
/* The PIC pair, the PIT and port 61h as after power-on. The vCPU is not touched. */
#define VMDRV_RESET_DEVICES	_IO(VMDRV_IOC, 0x18)

/* ---- NICs in the VMM ---- */

#define VMDRV_NIC_MAX		8

/*
 * Where a NIC's registers and rings are worked on, the paper's section 3.3:
 *
 * VMDRV_PATH_VMAPP: in VMApp, which serves every access to the data port. The
 *	address port is a latch of the VMM's: run->io.latch has its value, and
 *	VMDRV_GET_LATCH and VMDRV_SET_LATCH reach it as any other.
 * VMDRV_PATH_VMM: in the VMM. VMApp comes in when frames have to go out
 *	(VMDRV_EXIT_NIC, then VMDRV_NIC_TRANSMIT) or have come (VMDRV_NIC_RECEIVE).
 * VMDRV_PATH_DIRECT: in the VMM, which also moves the frames: VMApp has nothing
 *	to do with them, and poll() on the /dev/vmnet tells of the link only.
 *
 * Between the last two nothing but the path changes. Switching to or from path
 * vmapp takes the Lance's state along: VMDRV_NIC_GET_STATE on the way to VMApp,
 * VMDRV_NIC_SET_STATE on the way back. On path vmapp, SET_STATE also tells the VMM
 * where RAP is and what it has when that changed by itself.
 *
 * All but TRANSMIT, RECEIVE and SET_LINK need the vCPU outside of VMDRV_RUN
 * (EBUSY).
 */
#define VMDRV_PATH_VMAPP	0
#define VMDRV_PATH_VMM		1
#define VMDRV_PATH_DIRECT	2

/* EEXIST: made before. EBADF: not an attached /dev/vmnet. The file is kept open. */
struct vmdrv_nic_create {
	__u32 nic;		/* below VMDRV_NIC_MAX */
	__s32 vmnet_fd;
	__u8 mac[6];		/* in the address PROM */
	__u8 pad[2];
};

/*
 * What the PCI function's command register and BAR 0 say now, and where its interrupt
 * is routed. EEXIST: ports are taken.
 */
struct vmdrv_nic_decode {
	__u32 nic;
	__u16 port;		/* first of 32; a multiple of 32 */
	__u8 io;		/* 1: the ports answer */
	__u8 master;		/* 1: the NIC may use memory */
	__u8 dwio;		/* path vmapp: RAP is 4 bytes at 14h, not 2 bytes at 12h */
	__u8 irq;		/* of the PIC pair: 3 to 15; 0: nowhere */
	__u8 pad[2];
};

struct vmdrv_nic_path {
	__u32 nic;
	__u32 path;		/* VMDRV_PATH_* */
};

/* An access through BAR 1, which VMApp has decoded. Path vmm only (EINVAL). */
struct vmdrv_nic_access {
	__u32 nic;
	__u32 offset;		/* below 32 */
	__u32 size;		/* 1, 2 or 4 */
	__u32 write;		/* 0 or 1 */
	__u32 value;		/* in or out */
	__u32 pad;
};

/*
 * Move frames between the guest's rings and the network; returns how many. A
 * frame for which the guest has no buffer stays in the network's queue.
 * EAGAIN for VMDRV_NIC_TRANSMIT: the network has no room now; some may have
 * been sent. Try again when poll() says POLLOUT of the /dev/vmnet.
 */
struct vmdrv_nic_move {
	__u32 nic;
	__u32 budget;		/* at most this many frames; 1 to 256 */
};

struct vmdrv_nic_state {
	__u32 nic;
	__u32 size;		/* exactly sizeof(struct lance_state), core/lance.h */
	__u64 data;		/* pointer */
};

/*
 * The knobs, which are also files in sysfs: a NIC's in vm<id>/nic<n>, a VM's in
 * vm<id>/knobs. A value out of range is EINVAL and changes nothing. What they
 * are when a VM or NIC is made, the module's parameters of the same names say.
 */
#define VMDRV_KNOB_DATAPATH		0	/* of a NIC: VMDRV_PATH_*; get only */
#define VMDRV_KNOB_SEND_COMBINING	1	/* of a NIC: frames to send may wait */
#define VMDRV_KNOB_COMBINE_MAX		2	/* of a NIC: so many make a switch; 1 to 64 */
#define VMDRV_KNOB_COMBINE_RATE		3	/* of a NIC: at as many switches a second */
#define VMDRV_KNOB_IRQ_NOTIFICATION	4	/* VMApp trusts the IRQ page, else select()s */
#define VMDRV_KNOB_HOST_IRQ_TO_VMAPP	5	/* a host interrupt is VMDRV_EXIT_HOST_IRQ */
#define VMDRV_KNOB_PAIRS		6	/* two port accesses in one exit, see pair.c */
#define VMDRV_KNOB_ZEROCOPY_MIN		7	/* of a NIC: frames as long are lent; 0: none */
#define VMDRV_KNOB_NR			8

struct vmdrv_knob_value {
	__u32 knob;		/* VMDRV_KNOB_* */
	__u32 nic;		/* its number; 0 for a knob of the VM's */
	__u32 value;		/* in or out */
	__u32 pad;
};

/* The cable of the NIC: 1 in, 0 out. */
struct vmdrv_nic_link {
	__u32 nic;
	__u32 up;
};

#define VMDRV_NIC_CREATE	_IOW(VMDRV_IOC, 0x40, struct vmdrv_nic_create)
#define VMDRV_NIC_DECODE	_IOW(VMDRV_IOC, 0x41, struct vmdrv_nic_decode)
#define VMDRV_NIC_SET_PATH	_IOW(VMDRV_IOC, 0x42, struct vmdrv_nic_path)
#define VMDRV_NIC_ACCESS	_IOWR(VMDRV_IOC, 0x43, struct vmdrv_nic_access)
#define VMDRV_NIC_TRANSMIT	_IOW(VMDRV_IOC, 0x44, struct vmdrv_nic_move)
#define VMDRV_NIC_RECEIVE	_IOW(VMDRV_IOC, 0x45, struct vmdrv_nic_move)
#define VMDRV_NIC_GET_STATE	_IOW(VMDRV_IOC, 0x46, struct vmdrv_nic_state)
#define VMDRV_NIC_SET_STATE	_IOW(VMDRV_IOC, 0x47, struct vmdrv_nic_state)
#define VMDRV_NIC_SET_LINK	_IOW(VMDRV_IOC, 0x48, struct vmdrv_nic_link)
/* As after PCI reset: registers, not what VMDRV_NIC_DECODE said. */
#define VMDRV_NIC_RESET		_IO(VMDRV_IOC, 0x49)	/* arg: the NIC's number */
#define VMDRV_SET_KNOB		_IOW(VMDRV_IOC, 0x4a, struct vmdrv_knob_value)
#define VMDRV_GET_KNOB		_IOWR(VMDRV_IOC, 0x4b, struct vmdrv_knob_value)

/* ---- a vCPU ---------------------------------------------------------------- */

struct vmdrv_regs {
	__u64 rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;	/* in encoding order */
	__u64 r8, r9, r10, r11, r12, r13, r14, r15;
	__u64 rip, rflags;
};

/*
 * attrib: bits 7:0 are byte 5 of the descriptor (P, DPL, S, type), bits 11:8
 * its G, D/B, L and AVL flags with AVL lowest, as the AMD manual has it
 * ("VMCB state save area"). A null segment has P = 0.
 */
struct vmdrv_segment {
	__u64 base;
	__u32 limit;		/* in bytes: G is already applied */
	__u16 selector;
	__u16 attrib;
};

struct vmdrv_dtable {
	__u64 base;
	__u16 limit;
	__u16 pad[3];
};

struct vmdrv_sregs {
	struct vmdrv_segment es, cs, ss, ds, fs, gs, ldtr, tr;
	struct vmdrv_dtable gdtr, idtr;
	__u64 cr0, cr2, cr3, cr4, cr8;
	__u64 efer;		/* as the guest sees it: without SVME */
	__u64 xcr0;
};

struct vmdrv_dregs {
	__u64 dr[4];
	__u64 dr6, dr7;
};

/* An event that is on its way into the guest. */
struct vmdrv_events {
	__u8 exception;		/* 1: vector and error are to be delivered next */
	__u8 vector;		/* 0 to 31, not 2 */
	__u8 has_error;
	__u8 interrupt;		/* 1: irq_vector was acknowledged, not yet delivered */
	__u8 irq_vector;
	__u8 nmi_pending;
	__u8 nmi_masked;	/* an NMI handler runs: until IRET */
	__u8 shadow;		/* 1: interrupts held for one instruction (STI, MOV SS) */
	__u8 halted;		/* 1: HLT was executed, nothing has woken it */
	__u8 pad[3];
	__u32 error;
};

struct vmdrv_msr {
	__u32 index;
	__u32 pad;
	__u64 value;
};

/*
 * GET fills value for each index; both stop at the first MSR that the VMM does
 * not have (or value that it does not take) and return how many were done.
 */
#define VMDRV_MSR_MAX		256
struct vmdrv_msrs {
	__u32 n;		/* entries at data, at most VMDRV_MSR_MAX */
	__u32 pad;
	__u64 data;		/* pointer to struct vmdrv_msr[n] */
};

/* GET_MSR_LIST: fills n (in: room, out: how many there are; E2BIG: no room). */
struct vmdrv_msr_list {
	__u32 n;
	__u32 pad;
	__u64 data;		/* pointer to __u32[n] */
};

/* The XSAVE image in the standard (not compacted) format, header included. */
struct vmdrv_xsave {
	__u32 size;		/* exactly vmdrv_caps.xsave_size */
	__u32 pad;
	__u64 data;		/* pointer */
};

/* One leaf as the guest would get it, for `vmctl info` and for tests. */
struct vmdrv_cpuid {
	__u32 leaf, subleaf;		/* in */
	__u32 eax, ebx, ecx, edx;	/* out */
};

/*
 * Walk the guest's page tables for a linear address, as the CPU would at the
 * guest's present privilege level. No access or dirty bit is set.
 */
#define VMDRV_ACCESS_READ	0
#define VMDRV_ACCESS_WRITE	(1u << 1)	/* as in a page fault's error code */
#define VMDRV_ACCESS_USER	(1u << 2)
#define VMDRV_ACCESS_FETCH	(1u << 4)
struct vmdrv_translate {
	__u64 gva;
	__u32 access;		/* VMDRV_ACCESS_* */
	__u32 fault;		/* out: 0, or 1 and error is the #PF error code */
	__u64 gpa;		/* out */
	__u32 error;		/* out */
	__u32 pad;
};

#define VMDRV_RUN		_IO(VMDRV_IOC, 0x20)
#define VMDRV_GET_REGS		_IOR(VMDRV_IOC, 0x21, struct vmdrv_regs)
#define VMDRV_SET_REGS		_IOW(VMDRV_IOC, 0x22, struct vmdrv_regs)
#define VMDRV_GET_SREGS		_IOR(VMDRV_IOC, 0x23, struct vmdrv_sregs)
/* EINVAL: a state that the CPU would refuse to enter; the log names the field. */
#define VMDRV_SET_SREGS		_IOW(VMDRV_IOC, 0x24, struct vmdrv_sregs)
#define VMDRV_GET_DREGS		_IOR(VMDRV_IOC, 0x25, struct vmdrv_dregs)
#define VMDRV_SET_DREGS		_IOW(VMDRV_IOC, 0x26, struct vmdrv_dregs)
#define VMDRV_GET_EVENTS	_IOR(VMDRV_IOC, 0x27, struct vmdrv_events)
#define VMDRV_SET_EVENTS	_IOW(VMDRV_IOC, 0x28, struct vmdrv_events)
#define VMDRV_GET_MSRS		_IOW(VMDRV_IOC, 0x29, struct vmdrv_msrs)
#define VMDRV_SET_MSRS		_IOW(VMDRV_IOC, 0x2a, struct vmdrv_msrs)
#define VMDRV_GET_MSR_LIST	_IOWR(VMDRV_IOC, 0x2b, struct vmdrv_msr_list)
#define VMDRV_GET_XSAVE		_IOW(VMDRV_IOC, 0x2c, struct vmdrv_xsave)
#define VMDRV_SET_XSAVE		_IOW(VMDRV_IOC, 0x2d, struct vmdrv_xsave)
#define VMDRV_GET_CPUID		_IOWR(VMDRV_IOC, 0x2e, struct vmdrv_cpuid)
#define VMDRV_TRANSLATE		_IOWR(VMDRV_IOC, 0x2f, struct vmdrv_translate)
/* The vCPU as after INIT/power-on: real mode at FFFF:FFF0, FPU and MSRs reset. */
#define VMDRV_RESET_VCPU	_IO(VMDRV_IOC, 0x30)
/* Make an NMI pending. May be called from any thread of the process. */
#define VMDRV_NMI		_IO(VMDRV_IOC, 0x31)

/*
 * VMDRV_RUN runs the guest until it needs VMApp; one thread at a time (EBUSY).
 * Returns 0 with exit_reason set, or -1 with EINTR when a signal is pending,
 * immediate_exit was set, or the kernel has something to do for the thread
 * outside (exit_reason is then VMDRV_EXIT_INTR). The answer to an IN is put into
 * the run page before the next VMDRV_RUN.
 */
#define VMDRV_EXIT_INTR		0	/* a signal, or immediate_exit */
#define VMDRV_EXIT_IO		1	/* a port that the VMM does not serve */
#define VMDRV_EXIT_MMIO		2	/* memory that is in no slot, or read-only */
#define VMDRV_EXIT_SHUTDOWN	3	/* triple fault */
#define VMDRV_EXIT_STOP		4	/* the guest cannot go on: stop.reason says why */
#define VMDRV_EXIT_NIC		5	/* a NIC of the VMM's has frames to send */
#define VMDRV_EXIT_HOST_IRQ	6	/* a host interrupt; whose, nobody says */
#define VMDRV_EXIT_PATH		7	/* NIC path.nic is to go to path.path: VMDRV_NIC_SET_PATH */
#define VMDRV_EXIT_MAX		8

#define VMDRV_IO_IN		0
#define VMDRV_IO_OUT		1

#define VMDRV_RUN_PAGES		2
#define VMDRV_DATA_OFFSET	4096	/* the second page: data of port I/O */
#define VMDRV_DATA_SIZE		4096

struct vmdrv_run {
	/* in */
	__u8 immediate_exit;	/* leave at once, without entering the guest */
	__u8 pad0[3];
	/* out */
	__u32 exit_reason;	/* VMDRV_EXIT_* */
	__u64 rip;		/* of the guest at the exit */
	__u32 nics;		/* bit n: NIC n has frames to send (also with other reasons) */
	__u32 irq_notification;	/* the knob: does the IRQ page tell, or select()? */
	union {
		struct {
			__u16 port;
			__u8 size;	/* 1, 2 or 4 */
			__u8 direction;	/* VMDRV_IO_IN or _OUT */
			__u32 count;	/* elements at VMDRV_DATA_OFFSET; above 1 for REP */
			__u32 latch;	/* of the NIC on path vmapp whose port this is: RAP */
		} io;
		struct {
			__u32 nic;
			__u32 path;	/* VMDRV_PATH_* */
		} path;
		/*
		 * The instruction is not executed: VMApp decodes it, does what
		 * it says, and sets the registers (RIP too). Nothing is
		 * completed by the next VMDRV_RUN.
		 */
		struct {
			__u64 gpa;
			__u8 write;
			__u8 insn_len;	/* bytes that could be fetched, at most 15 */
			__u8 insn[15];
			__u8 mode;	/* default operand/address size: 2, 4 or 8 bytes */
			__u8 pad[6];
		} mmio;
		struct {
			__u32 code;	/* errno-like class, for scripts */
			__u32 pad;
			char reason[120];	/* one line, NUL-terminated */
		} stop;
		__u8 pad1[256];
	};
};

#endif
