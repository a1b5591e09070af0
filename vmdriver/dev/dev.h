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
	VMDRV_PIT_ARMED,	/* the timer will go off at its next rise */
	VMDRV_PIT_STOPPED,	/* not before the PIC could pass IRQ 0 on */
};

/* A row of the PIC's table, as it is called: with the lock around it. */
struct vmdrv_pic_row {
	struct ws_region region;
	struct vmdrv_vm *vm;
	unsigned int index;	/* in i8259_regions */
};

/**
 * struct vmdrv_devices - embedded in struct vmdrv_vm as dev
 * @lock: everything below; taken with interrupts off, nests in nothing here
 * @owed: ticks that came while IRQ 0 was not taken yet: made good as the
 *	guest takes the ones before
 * @fired: when the timer last went off, in ns
 * @pit_ticks: rises of OUT0 that reached the PIC as they came
 * @pit_ticks_redelivered: those that had been owed
 * @pit_ticks_lost: those beyond what is remembered (one second's worth)
 * @pit_clamped: times the timer was put off because the guest wants it to go
 *	off more often than every 100 us
 */
struct vmdrv_devices {
	raw_spinlock_t lock;
	struct i8259_pair pic;
	struct i8254 pit;
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

/* Level of the PIC pair's input @irq (not 0 or 2). Any context; kicks the vCPU. */
void vmdrv_irq_set(struct vmdrv_vm *vm, unsigned int irq, bool level);

/* The same for the vCPU's own thread, which looks for itself: no kick. */
void vmdrv_irq_set_from_vcpu(struct vmdrv_vm *vm, unsigned int irq, bool level);

/* Does the PIC pair have an interrupt for the CPU? Without the lock. */
#define vmdrv_irq_pending(vm)	READ_ONCE((vm)->dev.pic.intr)

/* Acknowledge it: the vector, 0 to 255. On the vCPU's thread. */
int vmdrv_irq_ack(struct vmdrv_vm *vm);

/* ---- between pic.c and pit.c ---- */

int vmdrv_pic_init(struct vmdrv_vm *vm);
int vmdrv_pit_init(struct vmdrv_vm *vm);
void vmdrv_pit_destroy(struct vmdrv_vm *vm);

/* The PIC may have become ready for IRQ 0; @imr is its mask before. Locked. */
void vmdrv_pit_resume_locked(struct vmdrv_vm *vm, u8 imr);

/* OUT0's rises up to now reach the PIC, as far as it can take them. Locked. */
void vmdrv_pit_sync_locked(struct vmdrv_vm *vm);

/* The PIT's state was replaced: forget what is owed, begin anew. Locked. */
void vmdrv_pit_restart_locked(struct vmdrv_vm *vm);

#endif
