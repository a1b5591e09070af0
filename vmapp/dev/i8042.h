/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 8042 keyboard controller of an AT (ports 60h and 64h) with an AT keyboard
 * that nobody types on, and a PS/2 port with no mouse in it. Guests use it for
 * more than keys: the output port resets the CPU and gates A20 (always open).
 */
#ifndef VMAPP_DEV_I8042_H
#define VMAPP_DEV_I8042_H

#include "dev.h"

#define I8042_KBD_IRQ	1
#define I8042_AUX_IRQ	12
#define I8042_QUEUE	16	/* bytes that an AT keyboard remembers */

struct i8042_queue {
	u8 buf[I8042_QUEUE];
	u8 head, len;
};

struct i8042 {
	u8 status;		/* OBF, SYS, A2, AUX, TO */
	u8 command;		/* a command that waits for its byte at port 60h, or 0 */
	u8 data;		/* the output buffer */
	u8 outport;
	u8 ram[32];		/* [0] is the command byte */
	struct i8042_queue reply;	/* the controller's, then the keyboard's */
	struct i8042_queue kbd;
	u8 kbd_command;		/* a keyboard command that waits for its byte, or 0 */
	u8 kbd_last;		/* for FEh, "resend" */
	struct dev_irq kbd_irq, aux_irq;
	struct dev_signal reset;
};

/* As after power-on; kbd_irq, aux_irq and reset are the caller's to set before. */
void i8042_reset(struct i8042 *k);

extern const struct ws_region i8042_regions[];
extern const unsigned int i8042_n_regions;

#endif
