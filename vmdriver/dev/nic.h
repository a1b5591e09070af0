/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NICs in the VMM: the Lance's core (core/lance.h), its ports, and a port of a
 * virtual network. VMApp decides when frames are moved, or on path direct the
 * vCPU's thread does, between two entries; the copying is here, once each way,
 * between the guest's buffers and the network's, if it is not saved: loan.h.
 */
#ifndef VMDRV_NIC_H
#define VMDRV_NIC_H

#include <linux/hrtimer.h>
#include <linux/kobject.h>
#include <linux/mutex.h>
#include <linux/skbuff.h>
#include <linux/timer.h>
#include <linux/wait.h>

#include "core/lance.h"
#include "core/region.h"
#include "uapi/vmdriver.h"
#include "vmnet_port.h"
#include "loan.h"

struct file;
struct vmdrv_vcpu;
struct vmdrv_vm;

#define VMDRV_NIC_ROWS	3	/* before RAP, RAP, behind RAP */
#define VMDRV_NIC_NOWHERE	(~0u)

enum nic_count {
	NIC_COUNT_TX,		/* frames sent */
	NIC_COUNT_TX_LOST,	/* no memory, or not the guest's */
	NIC_COUNT_RX,		/* frames delivered */
	NIC_COUNT_RX_HELD,	/* times a frame had to wait for a buffer */
	NIC_COUNT_RX_LOST,	/* filtered, receiver off, or bad buffers */
	NIC_COUNT_ACCESS,	/* register accesses, latched ones not included */
	NIC_COUNT_ACCESS_SLOW,	/* those that had to wait for a frame being moved */
	NIC_COUNT_ACCESS_VMAPP,	/* path vmapp: those that were a world switch */
	NIC_COUNT_TX_BATCH,	/* times that frames were sent, one or several */
	NIC_COUNT_TX_FULL,	/* times that the network had no room for the next one */
	NIC_COUNT_COMBINE_HELD,	/* times that frames were left to wait, for a switch or more */
	NIC_COUNT_COMBINE_FULL,	/* batches that combine_max sent on their way */
	NIC_COUNT_COMBINE_HALTED,	/* batches that the guest's HLT sent on their way */
	NIC_COUNT_COMBINE_EXPIRED,	/* batches that had waited for a whole tick */
	NIC_COUNT_COMBINE_LONGEST_NS,	/* the longest that a frame has waited on this path */
	NIC_COUNT_TINT_SPARED,	/* interrupts for sent frames that the driver had found before */
	NIC_COUNT_LENT,		/* frames sent without a copy */
	NIC_COUNT_LENT_COPIED,	/* ... that somebody has copied after all */
	NIC_COUNT_LENT_LATE,	/* ... that came back late */
	NIC_COUNT_LENT_LONGEST_NS,	/* the longest that a frame was lent */
	NIC_COUNTS
};

/**
 * struct vmdrv_nic - one NIC
 * @kobj: its folder in sysfs, vm<id>/nic<n>
 * @lock, @busy: all below but @events; see nic_lock() and nic_trylock()
 * @index, @irq: its number, and its input of the PIC pair; 0: none
 * @path: VMDRV_PATH_*
 * @file, @port: the port of a virtual network, and what keeps it
 * @base: first I/O port; 0 while the ports do not answer
 * @regions: what it has in the VM's port table, when it has
 * @latch: RAP's value there; NULL if it is not
 * @dwio: where RAP is on path vmapp: the core there knows, not this one
 * @tx: scratch
 * @leaving: frames out of the ring, copied or lent, that this turn is going to send
 * @events: LANCE_EV_*, for the vCPU's thread to see to
 * @poll: sets LANCE_EV_TX now and then for drivers that never say when
 * @tint: a TINT that waits for more frames waits no longer
 * @tint_tick: in jiffies, when one was set last
 * @tint_last: in jiffies, when it comes at the latest, if the driver does not need it
 * @taken: so many of the frames for which it is due the driver has found by itself
 * @borrower: on path direct, what vmnet notifies
 * @knobs: VMDRV_KNOB_*, those of a NIC
 * @held_since: when frames began to wait for a switch, or to gather, in ns; 0: none does
 * @deadline: when they have waited long enough
 * @sent_last, @gathered: on path direct, when the guest sent last, and how many gather
 * @loans, @loans_nr: frames that are sent but not handed back, in the ring's order
 * @lender: what the network tells that it is done with one
 * @lend_after: in jiffies, when lending may be worth a try again; written by the lender
 * @wanted: the path that VMApp is to take it to; VMDRV_NIC_NOWHERE: none
 */
struct vmdrv_nic {
	struct kobject kobj;
	struct vmdrv_vm *vm;
	struct mutex lock;		/* for those who may sleep */
	unsigned long busy;
	unsigned int index;
	unsigned int irq;
	u32 path;
	struct file *file;
	struct vmnet_port *port;
	u32 overflows;			/* of the port's queue that the chip knows of */
	u16 base;
	bool dwio;
	struct ws_region regions[VMDRV_NIC_ROWS];
	u32 *latch;
	struct lance lance;
	struct lance_tx tx;
	struct sk_buff_head leaving;
	atomic_t events;
	struct timer_list poll;
	struct timer_list tint;
	unsigned long tint_tick;
	unsigned long tint_last;
	u32 taken;
	struct vmnet_port_borrower borrower;
	u32 knobs[VMDRV_KNOB_NR];
	u64 held_since;
	struct hrtimer deadline;
	u64 sent_last;
	u32 gathered;
	struct list_head loans;
	unsigned int loans_nr;
	struct vmdrv_lender *lender;
	unsigned long lend_after;
	u32 wanted;
	u64 counts[NIC_COUNTS];
};

/* The VM ioctls of the same names. */
int vmdrv_nic_create(struct vmdrv_vm *vm, const struct vmdrv_nic_create *args);
int vmdrv_nic_decode(struct vmdrv_vm *vm, const struct vmdrv_nic_decode *args);
int vmdrv_nic_set_path(struct vmdrv_vm *vm, const struct vmdrv_nic_path *args);
int vmdrv_nic_access(struct vmdrv_vm *vm, struct vmdrv_nic_access *args);
int vmdrv_nic_transmit(struct vmdrv_vm *vm, const struct vmdrv_nic_move *args);
int vmdrv_nic_receive(struct vmdrv_vm *vm, const struct vmdrv_nic_move *args);
int vmdrv_nic_state(struct vmdrv_vm *vm, const struct vmdrv_nic_state *args, bool set);
int vmdrv_nic_set_link(struct vmdrv_vm *vm, const struct vmdrv_nic_link *args);
int vmdrv_nic_reset(struct vmdrv_vm *vm, unsigned long index);

/* All NICs of a VM whose vCPU will not run again. */
void vmdrv_nics_destroy(struct vmdrv_vm *vm);

/*
 * The port access of vcpu->exit, whose row has WS_REGION_WHOLE, on the vCPU's
 * thread; @value goes out or comes in. With @may_wait false interrupts are off,
 * and false means: again, with @may_wait. Then false means that VMApp serves
 * it, and vcpu->io_latch is RAP.
 */
bool vmdrv_nic_pio(struct vmdrv_vcpu *vcpu, struct vmdrv_nic *nic, u32 *value, bool may_wait);

/*
 * What accesses have asked for and the exit path could not do; on path direct
 * also to move frames, a bounded number. Returns whether VMApp is to send frames,
 * or to receive again; vcpu->run->nics says which NICs'.
 */
bool vmdrv_nics_service(struct vmdrv_vcpu *vcpu);

/* The stay is over for which frames gathered. */
void vmdrv_nics_gathered(struct vmdrv_vcpu *vcpu);

/*
 * The guest has nothing to do: interrupts that were to be saved come now. Returns whether
 * VMApp is to send frames, which combining has left to wait.
 */
bool vmdrv_nics_idle(struct vmdrv_vcpu *vcpu);

/* VMDRV_RUN is about to return: the frames of vcpu->nics that wait for a switch have theirs. */
void vmdrv_nics_leave(struct vmdrv_vcpu *vcpu);

/* A NIC that VMApp is asked to take to another path, or NULL. */
struct vmdrv_nic *vmdrv_nics_wanted(struct vmdrv_vcpu *vcpu);

/*
 * The knob datapath, from outside: returns when it has taken effect. -EAGAIN:
 * VMApp, which has to help, did not come; -EIO: it could not; -EINTR.
 */
int vmdrv_nic_want_path(struct vmdrv_nic *nic, u32 path);

/* The NIC with this number, or NULL. */
struct vmdrv_nic *vmdrv_nic_find(struct vmdrv_vm *vm, u32 index);

/*
 * A knob has changed, or a loan has come back: the vCPU's thread looks at the ring
 * anew. From any context.
 */
void vmdrv_nic_recheck(struct vmdrv_nic *nic);

#endif
