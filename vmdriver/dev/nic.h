/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NICs in the VMM: the Lance's core (core/lance.h), its ports, and a port of a
 * virtual network. VMApp decides when frames are moved; the copying is here,
 * once each way, between the guest's buffers and the network's.
 */
#ifndef VMDRV_NIC_H
#define VMDRV_NIC_H

#include <linux/kobject.h>
#include <linux/mutex.h>
#include <linux/skbuff.h>
#include <linux/timer.h>

#include "core/lance.h"
#include "core/region.h"
#include "uapi/vmdriver.h"

struct file;
struct vmdrv_vcpu;
struct vmdrv_vm;
struct vmnet_port;

#define VMDRV_NIC_ROWS	3	/* before RAP, RAP, behind RAP */

enum nic_count {
	NIC_COUNT_TX,		/* frames sent */
	NIC_COUNT_TX_LOST,	/* no memory, or not the guest's */
	NIC_COUNT_RX,		/* frames delivered */
	NIC_COUNT_RX_HELD,	/* times a frame had to wait for a buffer */
	NIC_COUNT_RX_LOST,	/* filtered, receiver off, or bad buffers */
	NIC_COUNT_ACCESS,	/* register accesses, latched ones not included */
	NIC_COUNT_ACCESS_SLOW,	/* those that had to wait for a frame being moved */
	NIC_COUNT_ACCESS_VMAPP,	/* path vmapp: those that were a world switch */
	NIC_COUNTS
};

/**
 * struct vmdrv_nic - one NIC
 * @kobj: its folder in sysfs, vm<id>/nic<n>
 * @lock, @busy: all below but @events; see nic_lock() and nic_trylock()
 * @index, @irq: its number, and its input of the PIC pair
 * @path: VMDRV_PATH_*
 * @file, @port: the port of a virtual network, and what keeps it
 * @base: first I/O port; 0 while the ports do not answer
 * @regions: what it has in the VM's port table, when it has
 * @latch: RAP's value there; NULL if it is not
 * @dwio: where RAP is on path vmapp: the core there knows, not this one
 * @tx: scratch
 * @events: LANCE_EV_*, for the vCPU's thread to see to
 * @poll: sets LANCE_EV_TX now and then for drivers that never say when
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
	atomic_t events;
	struct timer_list poll;
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
 * What accesses have asked for and the exit path could not do. Returns the
 * NICs that have frames for VMApp to send, or to receive again: a mask.
 */
u32 vmdrv_nics_service(struct vmdrv_vcpu *vcpu);

#endif
