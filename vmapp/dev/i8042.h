/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 8042 keyboard controller of a PS/2 (ports 60h and 64h), a keyboard and a
 * mouse at its two ports. Guests use it for more than keys: the output port
 * resets the CPU and gates A20 (always open).
 */
#ifndef VMAPP_DEV_I8042_H
#define VMAPP_DEV_I8042_H

#include "dev.h"
#include "ps2.h"

#define I8042_KBD_IRQ	1
#define I8042_AUX_IRQ	12
/*
 * Between two bytes of a key or of motion, as the wire is no faster. Programs
 * that chain interrupt handlers read the same byte several times and rely on it.
 */
#define I8042_BYTE_NS	800000u

struct i8042 {
	u8 status;		/* OBF, SYS, A2, AUX, TO */
	u8 command;		/* a command that waits for its byte at port 60h, or 0 */
	u8 data;		/* the output buffer */
	u8 outport;
	u8 ram[32];		/* [0] is the command byte */
	bool broken;		/* translation: F0h came, the next byte is a key's release */
	bool paced;		/* the byte in the output buffer is a key's or motion's */
	u64 not_before;		/* the next one of those, on @clock */
	struct ps2_queue reply;	/* the controller's own */
	struct ps2_keyboard kbd;
	struct ps2_mouse mouse;
	struct dev_irq kbd_irq, aux_irq;
	struct dev_signal reset;
	struct dev_clock clock;
	struct dev_timer *timer;	/* on the same clock */
};

/* As after power-on and firmware; the last five members are the caller's to set before. */
void i8042_reset(struct i8042 *k);

/* As ps2_keyboard_key() and ps2_mouse_move(): what a person does. */
void i8042_key(struct i8042 *k, u16 code, bool down);
void i8042_mouse(struct i8042 *k, int dx, int dy, int dz, u8 buttons);

/* For dev_timer.expired. */
void i8042_expired(void *dev);

extern const struct ws_region i8042_regions[];
extern const unsigned int i8042_n_regions;

#endif
