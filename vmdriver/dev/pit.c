// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PIT and port 61h in the VMM, and its counter 0 as IRQ 0.
 *
 * Counters follow from the host's clock, so a timer is only needed for the next
 * rise of OUT0, and only while the PIC could pass it on. While IRQ 0 is masked,
 * or the last one was not acknowledged yet, nothing goes off: what came in the
 * meantime is counted when the guest gets there. A guest that is halted, masked
 * or stopped therefore costs the host nothing, whatever it programmed.
 *
 * A legacy guest tells the time by counting ticks. Those that came before it
 * took the last one are owed to it and follow one by one as it acknowledges. In
 * masked time there is at most one request, as on a PC.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>

#include "vmdriver.h"

#define MIN_INTERVAL	(100 * NSEC_PER_USEC)

/* Is another IRQ 0 of no use to the PIC now? */
static bool blocked(const struct vmdrv_devices *dev)
{
	const struct i8259_chip *chip = &dev->pic.chip[0];

	return ((chip->irr | chip->imr) & 1) || chip->icw;
}

static bool requested(const struct vmdrv_devices *dev)
{
	return dev->pic.chip[0].irr & 1;
}

/* One rising edge; how long OUT0 stays high makes no difference to the PIC. */
static void tick(struct vmdrv_devices *dev)
{
	i8259_set_irq(&dev->pic, 0, false);
	i8259_set_irq(&dev->pic, 0, true);
	dev->pit_ticks++;
}

/* @edges have come: one is a request, the rest is owed to guests that count ticks. */
static void deliver(struct vmdrv_devices *dev, u64 edges)
{
	u32 period = i8254_period(&dev->pit);
	u32 limit;

	if (edges && !requested(dev)) {
		tick(dev);
		edges--;
	}
	if (!edges || !period || dev->pic.chip[0].imr & 1)
		return;
	limit = I8254_HZ / period;
	edges += dev->owed;
	dev->owed = min_t(u64, edges, limit);
	dev->pit_ticks_lost += edges - dev->owed;
}

static void arm(struct vmdrv_devices *dev, u64 now)
{
	u64 next = I8254_NEVER;

	if (!blocked(dev)) {
		next = i8254_next_edge(&dev->pit, now);
		if (next == I8254_NEVER && dev->timer_state != VMDRV_PIT_ARMED)
			dev->timer_state = VMDRV_PIT_IDLE;
	} else if (dev->timer_state != VMDRV_PIT_ARMED) {
		dev->timer_state = VMDRV_PIT_STOPPED;
	}
	/* One that is queued for nothing goes off once, and that is it. */
	if (next == I8254_NEVER || dev->dead)
		return;

	if (next < dev->fired + MIN_INTERVAL) {
		next = dev->fired + MIN_INTERVAL;
		dev->pit_clamped++;
	}
	dev->timer_state = VMDRV_PIT_ARMED;
	hrtimer_start(&dev->timer, ns_to_ktime(next), HRTIMER_MODE_ABS_PINNED_HARD);
}

void vmdrv_pit_sync_locked(struct vmdrv_vm *vm)
{
	struct vmdrv_devices *dev = &vm->dev;

	lockdep_assert_held(&dev->lock);
	deliver(dev, i8254_edges(&dev->pit, ktime_get_ns()));
}

void vmdrv_pit_resume_locked(struct vmdrv_vm *vm, u8 imr)
{
	struct vmdrv_devices *dev = &vm->dev;
	u64 now, edges;

	lockdep_assert_held(&dev->lock);
	if (dev->pic.chip[0].icw) {	/* being initialized: it forgets all edges */
		i8254_edges(&dev->pit, ktime_get_ns());
		dev->owed = 0;
		return;
	}
	/* Still of no use, and not because a mask that hid ticks was just taken away? */
	if (blocked(dev) && !(imr & ~dev->pic.chip[0].imr & 1))
		return;
	now = ktime_get_ns();
	edges = i8254_edges(&dev->pit, now);
	/* Of masked time there is one request, which may be there already. */
	if (imr & 1)
		edges = edges && !requested(dev);
	deliver(dev, edges);
	if (dev->owed && !blocked(dev)) {
		dev->owed--;
		dev->pit_ticks_redelivered++;
		tick(dev);
	}
	arm(dev, now);
}

void vmdrv_pit_restart_locked(struct vmdrv_vm *vm)
{
	lockdep_assert_held(&vm->dev.lock);
	vm->dev.owed = 0;
	arm(&vm->dev, ktime_get_ns());
}

static enum hrtimer_restart timer_fired(struct hrtimer *timer)
{
	struct vmdrv_vm *vm = container_of(timer, struct vmdrv_vm, dev.timer);
	struct vmdrv_devices *dev = &vm->dev;
	unsigned long flags;
	bool raised;
	u64 now;

	raw_spin_lock_irqsave(&dev->lock, flags);
	now = ktime_get_ns();
	raised = !dev->pic.intr;
	dev->fired = now;
	dev->timer_state = VMDRV_PIT_STOPPED;
	deliver(dev, i8254_edges(&dev->pit, now));
	arm(dev, now);
	raised &= dev->pic.intr;
	raw_spin_unlock_irqrestore(&dev->lock, flags);
	if (raised)
		vmdrv_kick(vm);
	return HRTIMER_NORESTART;
}

static u32 pit_read(void *vm_, u32 offset, unsigned int size)
{
	struct vmdrv_vm *vm = vm_;
	unsigned long flags;
	u32 val;

	raw_spin_lock_irqsave(&vm->dev.lock, flags);
	val = i8254_read(&vm->dev.pit, offset, ktime_get_ns());
	raw_spin_unlock_irqrestore(&vm->dev.lock, flags);
	return val;
}

static void pit_write(void *vm_, u32 offset, unsigned int size, u32 val)
{
	struct vmdrv_vm *vm = vm_;
	struct vmdrv_devices *dev = &vm->dev;
	unsigned long flags;
	u64 now;

	raw_spin_lock_irqsave(&dev->lock, flags);
	now = ktime_get_ns();
	i8254_write(&dev->pit, offset, val, now);
	if (offset == I8254_COUNTER(0) ||
	    (offset == I8254_CONTROL && i8254_programs_counter(val, 0))) {
		deliver(dev, i8254_edges(&dev->pit, now));
		if (offset == I8254_CONTROL)
			dev->owed = 0;
		arm(dev, now);
	}
	raw_spin_unlock_irqrestore(&dev->lock, flags);
}

static u32 port61_read(void *vm_, u32 offset, unsigned int size)
{
	struct vmdrv_vm *vm = vm_;
	unsigned long flags;
	u32 val;

	raw_spin_lock_irqsave(&vm->dev.lock, flags);
	val = i8254_read_61(&vm->dev.pit, ktime_get_ns());
	raw_spin_unlock_irqrestore(&vm->dev.lock, flags);
	return val;
}

static void port61_write(void *vm_, u32 offset, unsigned int size, u32 val)
{
	struct vmdrv_vm *vm = vm_;
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->dev.lock, flags);
	i8254_write_61(&vm->dev.pit, val, ktime_get_ns());
	raw_spin_unlock_irqrestore(&vm->dev.lock, flags);
}

static const struct ws_region pit_regions[] = {
	{ "pit", 0x40, 4, WS_SIZE_1, 0, pit_read, pit_write },
	{ "port61", 0x61, 1, WS_SIZE_1, 0, port61_read, port61_write },
};

int vmdrv_pit_init(struct vmdrv_vm *vm)
{
	i8254_reset(&vm->dev.pit, ktime_get_ns());
	hrtimer_init(&vm->dev.timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_HARD);
	vm->dev.timer.function = timer_fired;
	return ws_ports_add(vm->ports, pit_regions, ARRAY_SIZE(pit_regions), 0, vm);
}

void vmdrv_pit_destroy(struct vmdrv_vm *vm)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->dev.lock, flags);
	vm->dev.dead = true;
	raw_spin_unlock_irqrestore(&vm->dev.lock, flags);
	hrtimer_cancel(&vm->dev.timer);
}
