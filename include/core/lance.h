/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Lance: AMD's Am79C970A, the PCnet-PCI II. Names are those of its data
 * sheet. Where that is silent, what real drivers rely on is done.
 *
 * Pure C, without lock, clock or memory of its own: it is the same code in
 * vmdriver, in vmapp and in the tests. Whoever owns it (the shell) locks, and
 *
 * - passes on what the guest does to the registers. That never touches guest
 *   memory; it leaves LANCE_EV_* in @events, which the shell takes with
 *   lance_take_events() and acts on when it has dropped its lock;
 * - moves frames: lance_load(), lance_tx_next(), lance_tx_done() and
 *   lance_receive() are what reads and writes guest memory, through the bus
 *   callbacks. They leave events, too, and must not run at the same time as
 *   each other or as a register access;
 * - calls lance_poll() about every LANCE_POLL_MS as long as lance_needs_poll().
 *
 * A descriptor is read once, and every length in it bounded right there. One
 * call touches at most LANCE_TX_CHAIN + 1 or 2 * LANCE_RX_CHAIN descriptors,
 * whatever the rings contain; a shell handles at most LANCE_TX_BUDGET frames
 * before it lets somebody else run.
 *
 * The host is little-endian, as is all that the chip has in memory.
 */
#ifndef WS_CORE_LANCE_H
#define WS_CORE_LANCE_H

#include "region.h"

/* Sizes in bytes; frames are counted without their FCS. */
#define LANCE_IO_SIZE		32	/* of the I/O and of the memory window */
#define LANCE_APROM_SIZE	16
#define LANCE_FRAME_MIN		60
#define LANCE_FRAME_BABL	1519	/* as long as this is babble, but is sent */
#define LANCE_TX_MAX		4092	/* longer is not sent */
#define LANCE_RX_MAX		4091	/* the message count has 12 bits */
#define LANCE_FCS_SIZE		4

#define LANCE_TX_CHAIN		64	/* buffers that a frame to send may have */
#define LANCE_RX_CHAIN		256	/* buffers that a received one may fill */
#define LANCE_TX_BUDGET		32
#define LANCE_POLL_MS		2	/* 65,536 bus clocks */

/* Offsets of registers after a reset (WIO), and with 32-bit access (DWIO). */
#define LANCE_RDP		0x10
#define LANCE_WIO_RAP		0x12
#define LANCE_WIO_RESET		0x14
#define LANCE_WIO_BDP		0x16
#define LANCE_DWIO_RAP		0x14
#define LANCE_DWIO_RESET	0x18
#define LANCE_DWIO_BDP		0x1c
#define LANCE_RAP_MASK		0x7f

#define LANCE_CSR0_ERR		0x8000
#define LANCE_CSR0_BABL		0x4000
#define LANCE_CSR0_CERR		0x2000
#define LANCE_CSR0_MISS		0x1000
#define LANCE_CSR0_MERR		0x0800
#define LANCE_CSR0_RINT		0x0400
#define LANCE_CSR0_TINT		0x0200
#define LANCE_CSR0_IDON		0x0100
#define LANCE_CSR0_INTR		0x0080
#define LANCE_CSR0_IENA		0x0040
#define LANCE_CSR0_RXON		0x0020
#define LANCE_CSR0_TXON		0x0010
#define LANCE_CSR0_TDMD		0x0008
#define LANCE_CSR0_STOP		0x0004
#define LANCE_CSR0_STRT		0x0002
#define LANCE_CSR0_INIT		0x0001
/* What makes ERR, what is written to be cleared, and what may interrupt. */
#define LANCE_CSR0_ERRORS	0x7800
#define LANCE_CSR0_W1C		0x7f00
#define LANCE_CSR0_CAUSES	0x5f00

#define LANCE_CSR3_DXSUFLO	0x0040
#define LANCE_CSR3_LAPPEN	0x0020

#define LANCE_CSR4_TXDPOLL	0x1000
#define LANCE_CSR4_APAD_XMT	0x0800
#define LANCE_CSR4_ASTRP_RCV	0x0400
#define LANCE_CSR4_MFCO		0x0200
#define LANCE_CSR4_UINTCMD	0x0080
#define LANCE_CSR4_UINT		0x0040
#define LANCE_CSR4_TXSTRT	0x0008
#define LANCE_CSR4_W1C		0x026a
#define LANCE_CSR4_MASKS	0x0115	/* each one below what it masks */

#define LANCE_CSR5_TOKINTD	0x8000
#define LANCE_CSR5_LTINTEN	0x4000
#define LANCE_CSR5_W1C		0x0a90
#define LANCE_CSR5_ENABLES	0x0548	/* each one below what it enables */
#define LANCE_CSR5_URGENT	0x0500	/* those that do not ask for IENA */
#define LANCE_CSR5_SPND		0x0001

#define LANCE_CSR15_PROM	0x8000
#define LANCE_CSR15_DRCVBC	0x4000
#define LANCE_CSR15_DRCVPA	0x2000
#define LANCE_CSR15_INTL	0x0040
#define LANCE_CSR15_DRTY	0x0020
#define LANCE_CSR15_FCOLL	0x0010
#define LANCE_CSR15_DXMTFCS	0x0008
#define LANCE_CSR15_LOOP	0x0004
#define LANCE_CSR15_DTX		0x0002
#define LANCE_CSR15_DRX		0x0001

#define LANCE_CSR122_RCVALGN	0x0001

#define LANCE_BCR2_APROMWE	0x0100
#define LANCE_BCR_LEDOUT	0x8000
#define LANCE_BCR_LNKSTE	0x0040
#define LANCE_BCR18_DWIO	0x0080
#define LANCE_BCR20_APERREN	0x0400
#define LANCE_BCR20_CSRPCNET	0x0200
#define LANCE_BCR20_SSIZE32	0x0100
#define LANCE_BCR20_SWSTYLE	0x00ff

/* Bits 31:16 of TMD1 and RMD1; style 0 has no more than bits 31:24. */
#define LANCE_MD_OWN		0x8000
#define LANCE_MD_ERR		0x4000
#define LANCE_MD_STP		0x0200
#define LANCE_MD_ENP		0x0100
#define LANCE_MD_BPE		0x0080
#define LANCE_TMD_ADD_FCS	0x2000	/* in style 1: NO_FCS */
#define LANCE_TMD_LTINT		0x1000	/* MORE when it comes back */
#define LANCE_TMD_ONE		0x0800
#define LANCE_TMD_DEF		0x0400
#define LANCE_RMD_OFLO		0x1000
#define LANCE_RMD_CRC		0x0800
#define LANCE_RMD_BUFF		0x0400
#define LANCE_RMD_PAM		0x0040
#define LANCE_RMD_LAFM		0x0020
#define LANCE_RMD_BAM		0x0010

/* TMD2; style 0 has its upper half only. */
#define LANCE_TMD2_BUFF		0x80000000u
#define LANCE_TMD2_UFLO		0x40000000u
#define LANCE_TMD2_LCAR		0x08000000u
#define LANCE_TMD2_RTRY		0x04000000u
#define LANCE_TMD2_TRC		0x0000000fu

/* Configuration space, as far as it is not zero. */
#define LANCE_PCI_VENDOR	0x1022
#define LANCE_PCI_DEVICE	0x2000
#define LANCE_PCI_REVISION	0x10
#define LANCE_PCI_CLASS		0x020000
#define LANCE_PCI_COMMAND	0x0147	/* what can be written */
#define LANCE_PCI_STATUS	0x0280
#define LANCE_PCI_BAR_IO	0x10
#define LANCE_PCI_BAR_MEM	0x14
#define LANCE_PCI_PIN		1
#define LANCE_PCI_MIN_GNT	0x06
#define LANCE_PCI_MAX_LAT	0xff

/* What the shell is to do. */
#define LANCE_EV_IRQ		0x01	/* the line is what lance_irq() says now */
#define LANCE_EV_INIT		0x02	/* call lance_load(), before the others */
#define LANCE_EV_TX		0x04	/* there may be frames to send */
#define LANCE_EV_RX		0x08	/* frames that were held may be tried again */
#define LANCE_EV_FILTER		0x10	/* the station address or the filter changed */
#define LANCE_EV_LATCH		0x20	/* RAP, or the port it is at, changed by itself */

/**
 * struct lance_bus - the way to guest memory, and to frames
 * @read: copy @len bytes (at most 28) at guest address @addr to @buf; false if
 *	any of them is not RAM, and then @buf may have anything
 * @write: the other way, up to 4096 bytes. 2 bytes at an even address are one
 *	store. False if any is not RAM; the others may have been written.
 * @copy: write @len bytes that begin at @offset of the frame @rest; NULL if
 *	frames always come in one piece
 *
 * Addresses wrap at 4 GiB and may be anything. RAM only: a device's window is
 * not for these.
 */
struct lance_bus {
	bool (*read)(void *dev, u32 addr, void *buf, u32 len);
	bool (*write)(void *dev, u32 addr, const void *buf, u32 len);
	bool (*copy)(void *dev, void *rest, u32 offset, u32 addr, u32 len);
};

/**
 * struct lance_ring - a descriptor ring
 * @base: as written; what is not aligned is cut off at use
 * @len: 1 to 65535 descriptors
 * @pos: the one that comes next, below @len
 * @ahead: how many from @pos on are with the shell
 */
struct lance_ring {
	u32 base;
	u32 len;
	u32 pos;
	u32 ahead;
};

/**
 * struct lance - the chip
 * @bus, @dev: how to reach guest memory; @dev is handed to the callbacks
 * @mac: what the EEPROM has, loaded by a hard reset
 * @aprom: the address PROM as the guest sees it
 * @csr, @bcr: the registers as stored: without what is computed from others
 * @rx, @tx: the rings, CSR24 and on
 * @epoch: frames that were fetched in another one are not handed back
 * @seen: bits of CSR0 that the guest has read, or tried to clear
 * @batch: the shell's: so many frames that went well make one TINT, unless
 *	lance_tint() comes first; 0 is 1
 * @sent: frames for which TINT is still due
 * @rap: the register address, 7 bits
 * @events: LANCE_EV_*
 * @irq: level of INTA#, true is asserted
 * @dma: the bus master enable bit of PCI
 * @link: the cable is plugged
 * @init: INIT was written and the block is not loaded yet
 * @lag: an empty frame was handed back at @tx.pos, and it is not known whether
 *	the driver goes on there or behind it
 * @held: a frame waits because there was no buffer, or SPND
 * @frame: of loopback; has no contents between calls
 */
struct lance {
	const struct lance_bus *bus;
	void *dev;
	u8 mac[6];
	u8 aprom[LANCE_APROM_SIZE];
	u16 csr[128];
	u16 bcr[32];
	struct lance_ring rx;
	struct lance_ring tx;
	u32 epoch;
	u32 events;
	u32 batch;
	u32 sent;
	u16 seen;
	u8 rap;
	bool irq;
	bool dma;
	bool link;
	bool init;
	bool lag;
	bool held;
	u8 frame[LANCE_TX_MAX + LANCE_FCS_SIZE];
};

/* What lance_get() gives and lance_set() takes; the format of suspend files. */
struct lance_ring_state {
	u32 base, len, pos;
};

struct lance_state {
	u16 csr[128];
	u16 bcr[32];
	struct lance_ring_state rx, tx;
	u16 seen;
	u8 rap;
	u8 flags;		/* LANCE_STATE_* */
	u8 aprom[LANCE_APROM_SIZE];
	u8 pad[4];		/* 0 */
};

#define LANCE_STATE_INIT	0x01
#define LANCE_STATE_LAG		0x02
#define LANCE_STATE_HELD	0x04

/* What lance_tx_next() found. All behind LANCE_TX_SEND is not to be sent. */
enum lance_tx_kind {
	LANCE_TX_NONE,		/* no descriptor is ready: wait for LANCE_EV_TX */
	LANCE_TX_BUSY,		/* first hand back what is outstanding */
	LANCE_TX_SEND,
	LANCE_TX_LOOP,		/* goes back to the guest, by lance_tx_done() */
	LANCE_TX_EMPTY,		/* no byte in it */
	LANCE_TX_STRAY,		/* a buffer without the beginning of its frame */
	LANCE_TX_BROKEN,	/* its end is missing, or has too many buffers */
	LANCE_TX_BABBLE,	/* longer than LANCE_TX_MAX */
	LANCE_TX_NO_CARRIER,	/* no cable */
	LANCE_TX_COLLISION,	/* as the guest wanted it, with FCOLL */
	LANCE_TX_KINDS
};

/**
 * struct lance_frag - a buffer of a frame to send
 * @addr: in guest memory; whether there is RAM is not known yet
 * @len: may be 0
 * @status: the core's
 */
struct lance_frag {
	u32 addr;
	u16 len;
	u16 status;
};

/**
 * struct lance_tx - a frame that the guest wants to send
 * @kind: what lance_tx_next() returned
 * @len: of the frame with padding, up to LANCE_TX_MAX if @kind is SEND or LOOP
 * @pad: how many zeros end it, that are in no buffer
 * @count: buffers, 1 to LANCE_TX_CHAIN
 * @first, @epoch, @msg, @fcs: the core's
 *
 * Must be where nobody but the kernel, or the process, of the shell can write. A
 * copy that is kept until the frame is handed back may end behind @count buffers.
 */
struct lance_tx {
	enum lance_tx_kind kind;
	u32 len;
	u32 pad;
	u32 count;
	u32 first;
	u32 epoch;
	u32 msg;
	bool fcs;
	struct lance_frag frag[LANCE_TX_CHAIN];
};

/**
 * struct lance_frame - a frame for the guest
 * @data: its first @linear bytes; all, or 14 at least
 * @len: all of it, without FCS
 * @fcs: for the guest's buffer, where nobody is known to look at it: what
 *	lance_fcs() computes, or anything
 * @rest: for lance_bus.copy
 */
struct lance_frame {
	const u8 *data;
	u32 linear;
	u32 len;
	u32 fcs;
	void *rest;
};

/* What lance_receive() did. */
enum lance_rx_result {
	LANCE_RX_DELIVERED,
	LANCE_RX_HOLD,		/* keep it until LANCE_EV_RX, or call lance_missed() */
	LANCE_RX_OFF,		/* the receiver, or the way to memory */
	LANCE_RX_FILTERED,	/* not for this station, or in loopback mode */
	LANCE_RX_LENGTH,	/* no frame has this length: below 14 or too long */
	LANCE_RX_OVERFLOW,	/* lost: there were not enough buffers */
	LANCE_RX_MERR,		/* lost: a buffer was not RAM */
	LANCE_RX_RESULTS
};

/*
 * The one row of both windows; a handler's first argument is the struct lance.
 * It takes all sizes itself, because the wrong ones must not become bytes.
 */
#define LANCE_REGIONS	1
extern const struct ws_region lance_regions[LANCE_REGIONS];

/*
 * Power on: a hard reset, no link, no DMA. @bus and @dev must stay; @mac are 6
 * bytes, copied.
 */
void lance_init(struct lance *l, const struct lance_bus *bus, void *dev, const u8 *mac);

/* PCI's reset. The link, and DMA, keep their state: they belong to others. */
void lance_hard_reset(struct lance *l);

/* @offset is below LANCE_IO_SIZE; @size is 1, 2 or 4. */
u32 lance_read(struct lance *l, u32 offset, unsigned int size);
void lance_write(struct lance *l, u32 offset, unsigned int size, u32 val);

static inline u32 lance_take_events(struct lance *l)
{
	u32 events = l->events;

	l->events = 0;
	return events;
}

/* Level of INTA#. */
static inline bool lance_irq(const struct lance *l)
{
	return l->irq;
}

/*
 * RAP has no side effect: a VMM can keep it. It is at lance_rap_offset(), with
 * lance_rap_size() bytes; hand the value in before any other access, and fetch
 * it after LANCE_EV_LATCH.
 */
static inline bool lance_is_dwio(const struct lance *l)
{
	return l->bcr[18] & LANCE_BCR18_DWIO;
}

static inline u32 lance_rap_offset(const struct lance *l)
{
	return lance_is_dwio(l) ? LANCE_DWIO_RAP : LANCE_WIO_RAP;
}

static inline unsigned int lance_rap_size(const struct lance *l)
{
	return lance_is_dwio(l) ? 4 : 2;
}

static inline void lance_set_rap(struct lance *l, u32 val)
{
	l->rap = val & LANCE_RAP_MASK;
}

/* Bus master enable, and the cable. */
void lance_set_dma(struct lance *l, bool on);
void lance_set_link(struct lance *l, bool up);

/* Load the initialization block, after LANCE_EV_INIT; else nothing happens. */
void lance_load(struct lance *l);

/* Is the receiver on, and takes every frame? */
bool lance_promiscuous(const struct lance *l);

/* The station address in use: 6 bytes. */
void lance_get_padr(const struct lance *l, u8 *mac);

/* Is there a descriptor to send? Reads it, and changes nothing (but MERR). */
bool lance_tx_pending(struct lance *l);

/* How many frames there are to send, up to @max. A count, as the one above an answer. */
u32 lance_tx_waiting(struct lance *l, u32 max);

/**
 * lance_tx_next() - fetch one frame
 * @tx: all of it is set, unless NONE or BUSY is returned
 *
 * Whatever else is returned must be handed back with lance_tx_done(), in the
 * same order: at once, unless it is LANCE_TX_SEND, of which many may be
 * outstanding. Their descriptors stay the chip's for so long. After a reset or
 * STOP that comes between, lance_tx_done() does nothing.
 */
enum lance_tx_kind lance_tx_next(struct lance *l, struct lance_tx *tx);

/*
 * Copy a frame of @tx->len bytes, with its padding, to @buf. False if a buffer
 * is not RAM. Not needed by a shell that reads the buffers itself.
 */
bool lance_tx_copy(struct lance *l, const struct lance_tx *tx, u8 *buf);

/* The frame fetched last, if it is LANCE_TX_SEND, stays in the ring: it cannot be taken now. */
void lance_tx_unfetch(struct lance *l, const struct lance_tx *tx);

/* Hand back a frame; @readable: the buffers could be read (if it was to be sent). */
void lance_tx_done(struct lance *l, const struct lance_tx *tx, bool readable);

/*
 * TINT for what was sent, if it is due. The chip does so by itself when the
 * guest reads CSR0 or is interrupted for another reason.
 */
void lance_tint(struct lance *l);

/* A driver that cannot be told of sent frames: it is at work, and has masked TINT, or all. */
bool lance_tint_masked(const struct lance *l);

/*
 * Has the driver found by itself what was sent? Some clear the buffer's address in each
 * descriptor that they take back, as Linux's pcnet32 does, or use it anew. Reads the last
 * descriptor that was handed back. False of other drivers, and of descriptors of 8 bytes.
 */
bool lance_tx_taken(struct lance *l);

/*
 * Is the receiver ready? Reads a descriptor. False when a frame would not be
 * taken; if only a buffer is missing, LANCE_EV_RX will come.
 */
bool lance_can_receive(struct lance *l);

/*
 * Where the next frame is likely to go: a buffer that is the chip's to write into,
 * whatever becomes of the frame. So a shell can read a frame to where it belongs
 * before anybody has seen its address; lance_bus.copy finds it there. False when
 * lance_can_receive() would be.
 */
bool lance_rx_buffer(struct lance *l, u32 *addr, u32 *len);

/* Put a frame into the guest's buffers. The frame stays the caller's. */
enum lance_rx_result lance_receive(struct lance *l, const struct lance_frame *frame);

/* @n frames for which the receiver was on were dropped instead of held. */
void lance_missed(struct lance *l, u32 n);

/*
 * The chip looks at its rings from time to time, even if nobody tells it to.
 * Few drivers rely on that: where timers cost something, be slow.
 */
bool lance_needs_poll(const struct lance *l);
void lance_poll(struct lance *l);

/* What ends a frame of @len bytes, padded to LANCE_FRAME_MIN; first byte lowest. */
u32 lance_fcs(const u8 *data, u32 len);

/*
 * Frames must not be outstanding; those that are would be sent again. Nor must
 * a TINT be due: call lance_tint() before.
 */
void lance_get(const struct lance *l, struct lance_state *state);

/*
 * Go on with what @state was when it was taken; the bus, the link and DMA stay
 * as they are. All events are left. Returns 0, or -WS_EINVAL with nothing
 * changed if no chip can be in @state.
 */
int lance_set(struct lance *l, const struct lance_state *state);

#endif
