// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PIC pair in the VMM, and what concerns all devices in it.
 *
 * Whoever raises the interrupt output kicks the vCPU after dropping the lock,
 * except port handlers: they run on the vCPU's thread, which looks for itself.
 */
#include <linux/errno.h>
#include <linux/ktime.h>

#include "vmdriver.h"

#define POST_PORT	0x80

/* The cores' error numbers are returned as they are. */
static_assert(WS_EEXIST == EEXIST && WS_EINVAL == EINVAL && WS_ENOSPC == ENOSPC);

static inline void pit_follow(struct vmdrv_vm *vm, u8 imr)
{
	if (unlikely(vm->dev.timer_state == VMDRV_PIT_STOPPED))
		vmdrv_pit_resume_locked(vm, imr);
}

static u32 pic_read(void *row_, u32 offset, unsigned int size)
{
	const struct vmdrv_pic_row *row = row_;
	struct vmdrv_devices *dev = &row->vm->dev;
	const struct i8259_chip *chip = &dev->pic.chip[0];
	unsigned long flags;
	u32 val;
	u8 imr;

	raw_spin_lock_irqsave(&dev->lock, flags);
	imr = chip->imr;
	/* All but the mask: the request register, or a poll of it. */
	if (unlikely(dev->timer_state == VMDRV_PIT_STOPPED && (!offset || chip->poll)))
		vmdrv_pit_sync_locked(row->vm);
	val = row->core->read(&dev->pic, offset, size);
	pit_follow(row->vm, imr);
	raw_spin_unlock_irqrestore(&dev->lock, flags);
	return val;
}

static void pic_write(void *row_, u32 offset, unsigned int size, u32 val)
{
	const struct vmdrv_pic_row *row = row_;
	struct vmdrv_devices *dev = &row->vm->dev;
	unsigned long flags;
	u8 imr;

	raw_spin_lock_irqsave(&dev->lock, flags);
	imr = dev->pic.chip[0].imr;
	row->core->write(&dev->pic, offset, size, val);
	pit_follow(row->vm, imr);
	raw_spin_unlock_irqrestore(&dev->lock, flags);
}

static int pic_init(struct vmdrv_vm *vm)
{
	unsigned int i;
	int err;

	i8259_reset(&vm->dev.pic);
	for (i = 0; i < I8259_REGIONS; i++) {
		struct vmdrv_pic_row *row = &vm->dev.pic_rows[i];

		row->vm = vm;
		row->core = &i8259_regions[i];
		row->region = i8259_regions[i];
		row->region.read = pic_read;
		row->region.write = pic_write;
		err = ws_ports_add(vm->ports, &row->region, 1, 0, row);
		if (err)
			return err;
	}
	return 0;
}

/*
 * A line that several share is up as long as one of them holds it. Returns
 * whether the output to the CPU has risen.
 */
static bool set_line(struct vmdrv_vm *vm, enum vmdrv_irq_source source, unsigned int irq,
		     bool level)
{
	struct vmdrv_devices *dev = &vm->dev;
	unsigned long flags;
	bool raised;

	if (irq == 0 || irq >= I8259_LINES)
		return false;
	raw_spin_lock_irqsave(&dev->lock, flags);
	raised = !dev->pic.intr;
	__assign_bit(source, &dev->held[irq], level);
	i8259_set_irq(&dev->pic, irq, dev->held[irq]);
	raised &= dev->pic.intr;
	raw_spin_unlock_irqrestore(&dev->lock, flags);
	return raised;
}

void vmdrv_irq_set(struct vmdrv_vm *vm, enum vmdrv_irq_source source, unsigned int irq, bool level)
{
	if (set_line(vm, source, irq, level))
		vmdrv_kick(vm);
}

void vmdrv_irq_set_from_vcpu(struct vmdrv_vm *vm, enum vmdrv_irq_source source, unsigned int irq,
			     bool level)
{
	set_line(vm, source, irq, level);
}

int vmdrv_irq_ack(struct vmdrv_vm *vm)
{
	struct vmdrv_devices *dev = &vm->dev;
	unsigned long flags;
	u8 vector;

	raw_spin_lock_irqsave(&dev->lock, flags);
	vector = i8259_ack(&dev->pic);
	pit_follow(vm, dev->pic.chip[0].imr);
	raw_spin_unlock_irqrestore(&dev->lock, flags);
	return vector;
}

int vmdrv_devices_init(struct vmdrv_vm *vm)
{
	int err;

	raw_spin_lock_init(&vm->dev.lock);
	err = pic_init(vm);
	if (!err)
		err = vmdrv_pit_init(vm);
	if (!err)
		err = ws_ports_add_latch(vm->ports, POST_PORT, 1);
	return err;
}

void vmdrv_devices_destroy(struct vmdrv_vm *vm)
{
	vmdrv_pit_destroy(vm);
}

void vmdrv_devices_reset(struct vmdrv_vm *vm)
{
	struct vmdrv_devices *dev = &vm->dev;
	unsigned long flags;

	raw_spin_lock_irqsave(&dev->lock, flags);
	i8259_set_irq(&dev->pic, 0, false);
	i8259_reset(&dev->pic);
	i8254_reset(&dev->pit, ktime_get_ns());
	vmdrv_pit_restart_locked(vm);
	raw_spin_unlock_irqrestore(&dev->lock, flags);
}

int vmdrv_devices_get(struct vmdrv_vm *vm, u32 device, void *buf, u32 size)
{
	struct vmdrv_devices *dev = &vm->dev;
	unsigned long flags;
	int err = 0;

	raw_spin_lock_irqsave(&dev->lock, flags);
	if (device == VMDRV_DEV_PIC && size == sizeof(struct i8259_pair_state)) {
		if (dev->timer_state == VMDRV_PIT_STOPPED)
			vmdrv_pit_sync_locked(vm);
		i8259_get(&dev->pic, buf);
	} else if (device == VMDRV_DEV_PIT && size == sizeof(struct i8254_state)) {
		i8254_get(&dev->pit, buf, ktime_get_ns());
	} else {
		err = -EINVAL;
	}
	raw_spin_unlock_irqrestore(&dev->lock, flags);
	return err;
}

int vmdrv_devices_set(struct vmdrv_vm *vm, u32 device, const void *buf, u32 size)
{
	struct vmdrv_devices *dev = &vm->dev;
	unsigned long flags;
	bool intr;
	int err;

	raw_spin_lock_irqsave(&dev->lock, flags);
	if (device == VMDRV_DEV_PIC && size == sizeof(struct i8259_pair_state))
		err = i8259_set(&dev->pic, buf);
	else if (device == VMDRV_DEV_PIT && size == sizeof(struct i8254_state))
		err = i8254_set(&dev->pit, buf, ktime_get_ns());
	else
		err = -EINVAL;
	if (!err)
		vmdrv_pit_restart_locked(vm);
	intr = dev->pic.intr;
	raw_spin_unlock_irqrestore(&dev->lock, flags);
	if (intr)
		vmdrv_kick(vm);
	return err;
}
