/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MC146818 real-time clock with 128 bytes of CMOS RAM, at ports 70h and 71h.
 *
 * The guest's time is the host's plus an offset that changes when the guest
 * sets the clock. No timer runs unless the guest has enabled an interrupt: the
 * flags of register C are worked out from the time when they are looked at.
 */
#ifndef VMAPP_DEV_MC146818_H
#define VMAPP_DEV_MC146818_H

#include "dev.h"

#define MC146818_BASE	0x70
#define MC146818_IRQ	8
#define MC146818_RAM	128

struct mc146818 {
	u8 index;
	u8 ram[MC146818_RAM];	/* the time's bytes are current only while it stands still */
	s64 offset;		/* guest's time = clock + offset, ns since 1970 */
	u64 seen;		/* guest's time up to which the flags are worked out */
	struct dev_irq irq;
	struct dev_clock clock;	/* UTC, ns since 1970 */
	struct dev_timer *timer;	/* on the same clock */
};

/**
 * mc146818_init() - as after power-on with a good battery: time and RAM are kept
 * @low: bytes of RAM below 4 GiB, for the BIOS's memory size bytes
 * @high: bytes of RAM from 4 GiB on
 *
 * irq, clock and timer are the caller's to set before.
 */
void mc146818_init(struct mc146818 *rtc, u64 low, u64 high);

/* What a BIOS boots, a nibble each, the first lowest: 1 floppy, 2 disk, 3 CD, 4 network. */
void mc146818_set_boot_order(struct mc146818 *rtc, u16 order);

/* The types of the two floppy drives (0: none, 4: 1.44 MB), after mc146818_init(). */
void mc146818_set_floppies(struct mc146818 *rtc, u8 first, u8 second);

/* A reset of the machine: interrupts are disabled, time and RAM stay. */
void mc146818_reset(struct mc146818 *rtc);

/* For dev_timer.expired. */
void mc146818_expired(void *dev);

extern const struct ws_region mc146818_regions[];
extern const unsigned int mc146818_n_regions;

#endif
