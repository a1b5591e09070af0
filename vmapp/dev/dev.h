/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a chip's model has of its surroundings: an interrupt line, a clock, a
 * timer. The models know no thread and no lock: whoever calls one holds the
 * device lock, and a model calls out with it held.
 */
#ifndef VMAPP_DEV_DEV_H
#define VMAPP_DEV_DEV_H

#include "core/region.h"
#include "core/types.h"

struct dev_irq {
	void (*set)(void *ctx, unsigned int irq, bool level);
	void *ctx;
	unsigned int irq;
	bool level;	/* as last set */
};

static inline void dev_irq_set(struct dev_irq *line, bool level)
{
	if (line->level == level)
		return;
	line->level = level;
	line->set(line->ctx, line->irq, level);
}

struct dev_clock {
	u64 (*now)(void *ctx);	/* ns; its epoch is the clock's own affair */
	void *ctx;
};

#define DEV_NEVER	(~0ull)

/* One shot, on the clock that the device was given with it. */
struct dev_timer {
	/* Call expired(dev) once, not before @when; DEV_NEVER disarms. */
	void (*arm)(struct dev_timer *t, u64 when);
	void (*expired)(void *dev);
	void *dev;
};

/*
 * Guest memory, for devices that are bus masters: what is not there reads as
 * all ones, and writes to it are lost.
 */
struct dev_memory {
	void (*read)(void *ctx, u64 gpa, void *buf, u32 len);
	void (*write)(void *ctx, u64 gpa, const void *buf, u32 len);
	void *ctx;
};

/* A request that a device passes on to the machine: reset, power off. */
struct dev_signal {
	void (*raise)(void *ctx);
	void *ctx;
};

static inline void dev_signal_raise(const struct dev_signal *s)
{
	s->raise(s->ctx);
}

#endif
