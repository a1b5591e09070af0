/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PC's parallel port, the standard one: 8 bits out, with a printer that takes a
 * byte at the strobe and acknowledges it. No EPP, no ECP, nothing comes back.
 */
#ifndef VMAPP_DEV_PARPORT_H
#define VMAPP_DEV_PARPORT_H

#include "dev.h"

#define PARPORT_LPT1		0x378
#define PARPORT_LPT1_IRQ	7

/* The status register. Of the lines' names, those with N are active when low. */
#define PARPORT_NBUSY		0x80
#define PARPORT_NACK		0x40
#define PARPORT_PAPER_OUT	0x20
#define PARPORT_SELECTED	0x10
#define PARPORT_NERROR		0x08
#define PARPORT_UNUSED		0x07
/* The control register. */
#define PARPORT_STROBE		0x01
#define PARPORT_NINIT		0x04
#define PARPORT_IRQ_ENABLE	0x10
#define PARPORT_CONTROL		0x1f	/* what is there to be written */

struct parport {
	u8 data, control;
	u8 held;		/* a byte that the printer could not take yet, */
	bool out_of_paper;	/* ... if so: then it asks for paper */
	bool acked;		/* a byte was taken since the status was read */
	/* The printer. False: it cannot take the byte now, perhaps later. */
	bool (*print)(void *ctx, u8 byte);
	void *ctx;
	struct dev_irq irq;
};

/* As after power-on; print, ctx and irq are the caller's to set before. */
void parport_reset(struct parport *p);

/* Offsets count from the port's base address. */
extern const struct ws_region parport_regions[];
extern const unsigned int parport_n_regions;

#endif
