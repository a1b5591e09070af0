/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NS16550A UART, as on a PC: its interrupt passes a gate that OUT2 opens.
 *
 * The line has no speed. A byte written to the transmitter leaves at once as
 * long as the other end takes it; while it does not, the transmitter stays
 * full (THRE clear) as it would at a low speed, and so a guest never loses
 * output. Bytes are received only while the guest holds RTS: the cable has
 * hardware handshake, so nothing is lost before a driver is there.
 */
#ifndef VMAPP_DEV_NS16550_H
#define VMAPP_DEV_NS16550_H

#include "dev.h"

#define NS16550_LEN	8
#define NS16550_FIFO	16	/* bytes of either FIFO */

#define NS16550_COM1	0x3f8
#define NS16550_COM1_IRQ 4
#define NS16550_COM2	0x2f8
#define NS16550_COM2_IRQ 3

/* The other end of the line. */
struct ns16550_line {
	/* Takes one byte; false: no room for a FIFO's worth after this one. */
	bool (*send)(void *ctx, u8 byte);
	/* Gives up to @len bytes that wait to be received; returns how many. */
	unsigned int (*receive)(void *ctx, u8 *buf, unsigned int len);
	void *ctx;
};

struct ns16550 {
	u8 ier, fcr, lcr, mcr, lsr, msr, scr;
	u8 dll, dlm;
	bool thre_pending;	/* the transmitter's interrupt is due */
	bool timeout;		/* bytes below the trigger level, and the line is idle */
	u8 rx[NS16550_FIFO];
	u8 rx_head, rx_len;
	struct ns16550_line line;
	struct dev_irq irq;
};

/* As after power-on; line and irq are the caller's to set before. */
void ns16550_reset(struct ns16550 *u);

/* The line has bytes: takes as many as fit. The caller calls it when some arrive. */
void ns16550_input(struct ns16550 *u);

/* The line has room again after send() returned false. */
void ns16550_output_ready(struct ns16550 *u);

/* Offsets count from the port's base address. */
extern const struct ws_region ns16550_regions[];
extern const unsigned int ns16550_n_regions;

#endif
