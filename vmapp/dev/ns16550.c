// SPDX-License-Identifier: GPL-2.0-only
#include "ns16550.h"

#include <string.h>

/* Registers; names as in the data sheet, "Registers" */
#define RBR_THR		0	/* and DLL while LCR_DLAB is set */
#define IER		1	/* and DLM */
#define IIR_FCR		2
#define LCR		3
#define MCR		4
#define LSR		5
#define MSR		6
#define SCR		7

#define IER_ERBFI	0x01	/* received data */
#define IER_ETBEI	0x02	/* transmitter empty */
#define IER_ELSI	0x04	/* line status */
#define IER_EDSSI	0x08	/* modem status */

#define IIR_NONE	0x01
#define IIR_MSI		0x00
#define IIR_THRE	0x02
#define IIR_RDA		0x04
#define IIR_RLS		0x06
#define IIR_TIMEOUT	0x0c
#define IIR_FIFOS	0xc0

#define FCR_ENABLE	0x01
#define FCR_CLEAR_RX	0x02
#define FCR_KEEP	0xc9	/* enable, DMA mode, trigger level */

#define LCR_8BITS	0x03
#define LCR_BREAK	0x40
#define LCR_DLAB	0x80

#define MCR_DTR		0x01
#define MCR_RTS		0x02
#define MCR_OUT1	0x04
#define MCR_OUT2	0x08
#define MCR_LOOP	0x10
#define MCR_ALL		0x1f

#define LSR_DR		0x01
#define LSR_OE		0x02
#define LSR_BI		0x10
#define LSR_THRE	0x20
#define LSR_TEMT	0x40
#define LSR_ERRORS	0x1e

#define MSR_TERI	0x04
#define MSR_DELTAS	0x0f
#define MSR_CTS		0x10
#define MSR_DSR		0x20
#define MSR_RI		0x40
#define MSR_DCD		0x80

static bool fifos_on(const struct ns16550 *u)
{
	return u->fcr & FCR_ENABLE;
}

static unsigned int rx_room(const struct ns16550 *u)
{
	return (fifos_on(u) ? NS16550_FIFO : 1u) - u->rx_len;
}

static unsigned int trigger_level(const struct ns16550 *u)
{
	static const u8 level[] = { 1, 4, 8, 14 };

	return fifos_on(u) ? level[u->fcr >> 6] : 1;
}

/* The interrupt of highest priority that is due and enabled. */
static u8 interrupt_id(const struct ns16550 *u)
{
	if ((u->ier & IER_ELSI) && (u->lsr & LSR_ERRORS))
		return IIR_RLS;
	if ((u->ier & IER_ERBFI) && u->rx_len >= trigger_level(u))
		return IIR_RDA;
	if ((u->ier & IER_ERBFI) && u->timeout)
		return IIR_TIMEOUT;
	if ((u->ier & IER_ETBEI) && u->thre_pending)
		return IIR_THRE;
	if ((u->ier & IER_EDSSI) && (u->msr & MSR_DELTAS))
		return IIR_MSI;
	return IIR_NONE;
}

/* In loopback OUT2's pin is inactive, which closes the PC's gate. */
static void update_irq(struct ns16550 *u)
{
	bool gate = (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

	dev_irq_set(&u->irq, gate && interrupt_id(u) != IIR_NONE);
}

static void rx_put(struct ns16550 *u, u8 byte)
{
	if (!rx_room(u)) {
		u->lsr |= LSR_OE;	/* a full FIFO keeps what it has */
		if (!fifos_on(u))
			u->rx[u->rx_head] = byte;
		return;
	}
	u->rx[(u->rx_head + u->rx_len++) % NS16550_FIFO] = byte;
	u->lsr |= LSR_DR;
}

static void rx_clear(struct ns16550 *u)
{
	u->rx_head = 0;
	u->rx_len = 0;
	u->timeout = false;
	u->lsr &= (u8)~(LSR_DR | LSR_BI);
}

/* What the line has, as far as it fits; then the line is idle. */
static void rx_fill(struct ns16550 *u)
{
	u8 buf[NS16550_FIFO];
	unsigned int n;

	if ((u->mcr & (MCR_RTS | MCR_LOOP)) != MCR_RTS || !rx_room(u))
		return;
	n = u->line.receive(u->line.ctx, buf, rx_room(u));
	for (unsigned int i = 0; i < n; i++)
		rx_put(u, buf[i]);
	if (fifos_on(u) && u->rx_len)
		u->timeout = true;
}

void ns16550_input(struct ns16550 *u)
{
	rx_fill(u);
	update_irq(u);
}

static void tx_empty(struct ns16550 *u)
{
	u->lsr |= LSR_THRE | LSR_TEMT;
	u->thre_pending = true;
}

void ns16550_output_ready(struct ns16550 *u)
{
	if (!(u->lsr & LSR_THRE))
		tx_empty(u);
	update_irq(u);
}

static u8 read_rbr(struct ns16550 *u)
{
	u8 byte = u->rx[u->rx_head];

	if (!u->rx_len)
		return byte;
	u->rx_head = (u8)((u->rx_head + 1) % NS16550_FIFO);
	u->timeout = false;
	if (!--u->rx_len)
		rx_fill(u);
	else if (fifos_on(u))
		u->timeout = true;	/* nothing else comes */
	if (!u->rx_len)
		u->lsr &= (u8)~LSR_DR;
	return byte;
}

static void write_thr(struct ns16550 *u, u8 byte)
{
	/* Unused high bits of short words do not exist on the line. */
	byte &= (u8)(0xff >> (3 - (u->lcr & 3)));
	if (u->mcr & MCR_LOOP) {
		rx_put(u, byte);
		u->timeout = fifos_on(u);
		tx_empty(u);
	} else if (u->line.send(u->line.ctx, byte)) {
		tx_empty(u);
	} else {
		u->lsr &= (u8)~(LSR_THRE | LSR_TEMT);
		u->thre_pending = false;
	}
}

/* Enabling the transmitter's interrupt while it is empty makes it due. */
static void write_ier(struct ns16550 *u, u8 val)
{
	if ((val & ~u->ier & IER_ETBEI) && (u->lsr & LSR_THRE))
		u->thre_pending = true;
	u->ier = val & 0x0f;
}

static void write_fcr(struct ns16550 *u, u8 val)
{
	bool toggled = (val ^ u->fcr) & FCR_ENABLE;

	/* The other bits count only when the FIFOs are or become enabled. */
	u->fcr = val & FCR_ENABLE ? val & FCR_KEEP : 0;
	if (toggled || ((val & FCR_ENABLE) && (val & FCR_CLEAR_RX)))
		rx_clear(u);
	rx_fill(u);
}

/* The modem's four lines: all there, or in loopback our own outputs. */
static u8 modem_lines(const struct ns16550 *u)
{
	if (!(u->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (u8)((u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
		    (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static void write_mcr(struct ns16550 *u, u8 val)
{
	u8 lines, changed;

	u->mcr = val & MCR_ALL;
	lines = modem_lines(u);
	changed = (lines ^ u->msr) & 0xf0;
	if (changed & lines & MSR_RI)
		changed &= (u8)~MSR_RI;		/* only its trailing edge counts */
	u->msr = (u8)(lines | (u->msr & MSR_DELTAS) | changed >> 4);
	if ((u->mcr & MCR_LOOP) && (u->lcr & LCR_BREAK))
		u->lsr |= LSR_BI;
	rx_fill(u);
}

static void write_lcr(struct ns16550 *u, u8 val)
{
	if ((val & ~u->lcr & LCR_BREAK) && (u->mcr & MCR_LOOP)) {
		rx_put(u, 0);
		u->lsr |= LSR_BI;
	}
	u->lcr = val;
}

static u32 ns16550_read(void *dev, u32 offset, unsigned int size)
{
	struct ns16550 *u = dev;
	bool dlab = u->lcr & LCR_DLAB;
	u8 val;

	(void)size;
	switch (offset) {
	case RBR_THR:
		val = dlab ? u->dll : read_rbr(u);
		break;
	case IER:
		val = dlab ? u->dlm : u->ier;
		break;
	case IIR_FCR:
		val = interrupt_id(u);
		if (val == IIR_THRE)
			u->thre_pending = false;
		val |= fifos_on(u) ? IIR_FIFOS : 0;
		break;
	case LCR:
		return u->lcr;
	case MCR:
		return u->mcr;
	case LSR:
		val = u->lsr;
		u->lsr &= (u8)~LSR_ERRORS;
		break;
	case MSR:
		val = u->msr;
		u->msr &= (u8)~MSR_DELTAS;
		break;
	default:
		return u->scr;
	}
	update_irq(u);
	return val;
}

static void ns16550_write(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct ns16550 *u = dev;
	bool dlab = u->lcr & LCR_DLAB;
	u8 byte = (u8)val;

	(void)size;
	switch (offset) {
	case RBR_THR:
		if (dlab)
			u->dll = byte;
		else
			write_thr(u, byte);
		break;
	case IER:
		if (dlab)
			u->dlm = byte;
		else
			write_ier(u, byte);
		break;
	case IIR_FCR:
		write_fcr(u, byte);
		break;
	case LCR:
		write_lcr(u, byte);
		break;
	case MCR:
		write_mcr(u, byte);
		break;
	case SCR:
		u->scr = byte;
		return;
	default:		/* LSR and MSR: for the factory's tests only */
		return;
	}
	update_irq(u);
}

void ns16550_reset(struct ns16550 *u)
{
	struct ns16550_line line = u->line;
	struct dev_irq irq = u->irq;

	memset(u, 0, sizeof(*u));
	u->line = line;
	u->irq = irq;
	u->lcr = LCR_8BITS;	/* as firmware leaves it */
	u->lsr = LSR_THRE | LSR_TEMT;
	u->msr = modem_lines(u);
	update_irq(u);
}

const struct ws_region ns16550_regions[] = {
	{ "ns16550", 0, NS16550_LEN, WS_SIZE_1, 0, ns16550_read, ns16550_write },
};

const unsigned int ns16550_n_regions = WS_ARRAY_SIZE(ns16550_regions);
