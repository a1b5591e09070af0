/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The devices inside the VMM: the PIC pair, the PIT with port 61h, and the
 * latch at port 80h. What they do is in the cores (include/core); here is how
 * they meet the host's clock, locks and the vCPU.
 *
 * A port handler runs on the vCPU's thread, which looks at the interrupt output
 * before it enters the guest again: only others have to kick the vCPU.
 */
#ifndef VMDRV_DEV_H
#define VMDRV_DEV_H

#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "core/i8254.h"
#include "core/i8259.h"
#include "core/region.h"

struct vmdrv_vm;

/* What the PIT's timer in the host is doing. */
enum vmdrv_pit_timer {
	VMDRV_PIT_IDLE,		/* OUT0 does not rise before a write to the PIT */
	VMDRV_PIT_ARMED,	/* it is queued */
	VMDRV_PIT_STOPPED,	/* until the PIC can take another IRQ 0 */
};

/* Who can hold an interrupt line: PCI devices share them. */
enum vmdrv_irq_source {
	VMDRV_IRQ_VMAPP,
	VMDRV_IRQ_NIC0,		/* and one for each NIC after it */
};

/* A row of the PIC's table as the port table has it: with the lock around it. */
struct vmdrv_pic_row {
	struct ws_region region;
	const struct ws_region *core;
	struct vmdrv_vm *vm;
};

/**
 * struct vmdrv_devices - embedded in struct vmdrv_vm as dev
 * @lock: everything below; innermost, taken with interrupts off
 * @dead: the timer must not be started any more
 * @held: for each input of the PIC pair, who holds it: bits of vmdrv_irq_source
 * @owed: ticks that came while the one before was not acknowledged: made good
 *	as the guest acknowledges
 * @fired: when the timer last went off, in ns
 * @pit_ticks: requests of IRQ 0 by the PIT
 * @pit_ticks_redelivered: those of them that had been owed
 * @pit_ticks_lost: those beyond what is remembered (one second's worth)
 * @pit_clamped: times that the timer was put off, because the guest wants ticks
 *	more often than the host lets its timer go off (every 100 us)
 */
struct vmdrv_devices {
	raw_spinlock_t lock;
	struct i8259_pair pic;
	struct i8254 pit;
	unsigned long held[I8259_LINES];
	struct hrtimer timer;
	enum vmdrv_pit_timer timer_state;
	bool dead;
	u32 owed;
	u64 fired;
	struct vmdrv_pic_row pic_rows[I8259_REGIONS];

	u64 pit_ticks;
	u64 pit_ticks_redelivered;
	u64 pit_ticks_lost;
	u64 pit_clamped;
};

/*
 * Puts the devices' ports into vm->ports. Errors are those of ws_ports_add().
 * vm->ports is freed by the caller, after vmdrv_devices_destroy().
 */
int vmdrv_devices_init(struct vmdrv_vm *vm);

/* No timer goes off and nobody is kicked when this has returned. Sleeps. */
void vmdrv_devices_destroy(struct vmdrv_vm *vm);

/* As after power-on; the inputs of the PIC keep their levels but for IRQ 0. */
void vmdrv_devices_reset(struct vmdrv_vm *vm);

/*
 * VMDRV_GET_DEVICE and VMDRV_SET_DEVICE: @buf is the device's state structure.
 * -EINVAL: no such @device, not its @size, or a state that it cannot have.
 */
int vmdrv_devices_get(struct vmdrv_vm *vm, u32 device, void *buf, u32 size);
int vmdrv_devices_set(struct vmdrv_vm *vm, u32 device, const void *buf, u32 size);

/*
 * Level of the PIC pair's input @irq, 1 to 15 (0, the PIT's, and 2, the cascade,
 * are ignored). Any context; kicks the vCPU if there is an interrupt for it now.
 */
void vmdrv_irq_set(struct vmdrv_vm *vm, enum vmdrv_irq_source source, unsigned int irq, bool level);

/* The same for the vCPU's own thread, which looks for itself: no kick. */
void vmdrv_irq_set_from_vcpu(struct vmdrv_vm *vm, enum vmdrv_irq_source source, unsigned int irq,
			     bool level);

/* Does the PIC pair have an interrupt for the CPU? Without the lock. */
#define vmdrv_irq_pending(vm)	READ_ONCE((vm)->dev.pic.intr)

/* Acknowledge it: the vector, 0 to 255. On the vCPU's thread. */
int vmdrv_irq_ack(struct vmdrv_vm *vm);

/* ---- pit.c, for pic.c ---- */

int vmdrv_pit_init(struct vmdrv_vm *vm);
void vmdrv_pit_destroy(struct vmdrv_vm *vm);

/* The PIT's state is new: nothing is owed, the timer begins anew. */
void vmdrv_pit_restart_locked(struct vmdrv_vm *vm);

/* While the timer is stopped: let the PIC's request register show the present. */
void vmdrv_pit_sync_locked(struct vmdrv_vm *vm);

/* While the timer is stopped: the PIC has changed; @imr was its mask before. */
void vmdrv_pit_resume_locked(struct vmdrv_vm *vm, u8 imr);

#endif
