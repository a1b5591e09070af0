// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Lance: see core/lance.h. First the registers, which never touch guest
 * memory; then the descriptors, and what goes through them.
 */
#include "core/barrier.h"
#include "core/lance.h"

#define HEADER_SIZE	14		/* two addresses and a length or type */
#define ADDRESS_SIZE	6
#define RING_LEN_MAX	512		/* of the initialization block */
#define CSR0_STORED	(LANCE_CSR0_W1C | 0x7f)
#define CSR4_STORED	0xff7f
#define CSR15_KEPT	0x21c4		/* over a soft reset */

/* A register that is more or less a latch. */
#define HELD	0x1	/* written only while the chip stands still */
#define KEPT	0x2	/* has its value after a soft reset */

struct rule {
	u16 reset;
	u16 writable;
	u8 flags;
};

/*
 * 0, 4, 5, 15 have code of their own, too. 24-35, 58 and 72-78 are not stored
 * here, and 88, 89, 103 are constant. 18-23, 36-46, 60-67, 84-86 are the
 * chip's scratchpad: read back, and used for nothing.
 */
static const struct rule csr_rules[128] = {
	[0] = { LANCE_CSR0_STOP, 0, 0 },
	[1 ... 2] = { 0, 0xffff, KEPT },
	[3] = { 0, 0x5f7f, 0 },
	[4] = { 0x0115, 0xfd15, 0 },
	[5] = { 0, 0xc56f, 0 },
	[6] = { 0, 0, KEPT },
	[8 ... 15] = { 0, 0xffff, HELD },
	[18 ... 23] = { 0, 0xffff, HELD | KEPT },
	[36 ... 47] = { 0, 0xffff, HELD | KEPT },
	[60 ... 67] = { 0, 0xffff, HELD | KEPT },
	[80] = { 0xd410, 0x3fff, HELD },
	[82] = { 0, 0xffff, HELD },
	[84 ... 86] = { 0, 0xffff, HELD | KEPT },
	[88] = { 0x1003, 0, 0 },
	[89] = { 0x0262, 0, 0 },
	[92] = { 0, 0xffff, HELD },
	[100] = { 0x0200, 0xffff, HELD },
	[103] = { 0x0105, 0, 0 },
	[122] = { 0, LANCE_CSR122_RCVALGN, 0 },
	[124] = { 0, 0x0018, 0 },
};

/* In 4-7 the highest bit is computed; 18 and 20 have code of their own. */
static const struct rule bcr_rules[32] = {
	[0 ... 1] = { 0x0005, 0, 0 },
	[2] = { 0x0002, 0xffff, 0 },
	[4] = { 0x00c0, 0x7fff, 0 },
	[5] = { 0x0084, 0x7fff, 0 },
	[6] = { 0x0088, 0x7fff, 0 },
	[7] = { 0x0090, 0x7fff, 0 },
	[9] = { 0, 0x0007, 0 },
	[18] = { 0x9001, 0xff7f, 0 },
	[19] = { 0x0002, 0x0016, 0 },	/* an EEPROM that does not answer */
	[20] = { LANCE_BCR20_CSRPCNET, LANCE_BCR20_APERREN | LANCE_BCR20_SWSTYLE, HELD },
	[22] = { 0xff06, 0, 0 },
};

static u32 get_le16(const u8 *p)
{
	return p[0] | p[1] << 8;
}

static void put_le16(u8 *p, u16 val)
{
	p[0] = val & 0xff;
	p[1] = val >> 8;
}

/* ---- what follows from the registers ---- */

static bool suspended(const struct lance *l)
{
	return l->csr[5] & LANCE_CSR5_SPND && !l->tx.ahead;
}

static bool stands_still(const struct lance *l)
{
	return l->csr[0] & LANCE_CSR0_STOP || suspended(l);
}

static bool can_transmit(const struct lance *l)
{
	return l->dma && l->csr[0] & LANCE_CSR0_TXON && !(l->csr[5] & LANCE_CSR5_SPND);
}

static bool wide(const struct lance *l)
{
	return l->bcr[20] & LANCE_BCR20_SSIZE32;
}

static unsigned int style(const struct lance *l)
{
	return l->bcr[20] & LANCE_BCR20_SWSTYLE;
}

static bool interrupt(const struct lance *l)
{
	return l->csr[0] & ~l->csr[3] & LANCE_CSR0_CAUSES ||
	       l->csr[4] & LANCE_CSR4_UINT ||
	       l->csr[4] >> 1 & ~l->csr[4] & LANCE_CSR4_MASKS ||
	       l->csr[5] >> 1 & l->csr[5] & LANCE_CSR5_ENABLES;
}

static void update_irq(struct lance *l)
{
	bool irq = (l->csr[0] & LANCE_CSR0_IENA && interrupt(l)) ||
		   l->csr[5] >> 1 & l->csr[5] & LANCE_CSR5_URGENT;

	if (l->irq == irq)
		return;
	l->irq = irq;
	l->events |= LANCE_EV_IRQ;
}

/* Frames that wait may be worth a try again. */
static void retry_held(struct lance *l)
{
	if (l->held)
		l->events |= LANCE_EV_RX;
}

static void merr(struct lance *l)
{
	l->csr[0] |= LANCE_CSR0_MERR;
	update_irq(l);
}

/* Completions that were to share an interrupt: here it is. */
static void settle_tint(struct lance *l)
{
	if (l->sent)
		l->csr[0] |= LANCE_CSR0_TINT;
	l->sent = 0;
}

void lance_tint(struct lance *l)
{
	settle_tint(l);
	update_irq(l);
}

/* ---- reset, start, stop ---- */

/* What the shell has of the transmit ring is not the ring's any more. */
static void forget_frames(struct lance *l)
{
	l->epoch++;
	l->tx.ahead = 0;
	l->lag = false;
}

static void rewind_rings(struct lance *l)
{
	forget_frames(l);
	l->rx.pos = 0;
	l->tx.pos = 0;
}

static void stop(struct lance *l)
{
	forget_frames(l);
	retry_held(l);
	l->held = false;
	l->init = false;
	l->csr[0] = LANCE_CSR0_STOP;
	l->csr[4] &= ~LANCE_CSR4_W1C;
	l->csr[5] &= ~LANCE_CSR5_SPND;
	l->sent = 0;
	l->seen = 0;
	l->events |= LANCE_EV_FILTER;
	update_irq(l);
}

/* STRT is set and, if INIT was, so is the rest. */
static void start(struct lance *l)
{
	rewind_rings(l);
	if (!(l->csr[15] & LANCE_CSR15_DRX)) {
		l->csr[0] |= LANCE_CSR0_RXON;
		l->events |= LANCE_EV_RX;
	}
	if (!(l->csr[15] & LANCE_CSR15_DTX)) {
		l->csr[0] |= LANCE_CSR0_TXON;
		l->events |= LANCE_EV_TX;
	}
	l->events |= LANCE_EV_FILTER;
}

static void load_padr(struct lance *l)
{
	unsigned int i;

	for (i = 0; i < ADDRESS_SIZE / 2; i++)
		l->csr[12 + i] = get_le16(&l->aprom[2 * i]);
}

static void soft_reset(struct lance *l)
{
	unsigned int i;

	stop(l);
	for (i = 0; i < WS_ARRAY_SIZE(csr_rules); i++) {
		if (csr_rules[i].flags & KEPT)
			continue;
		l->csr[i] = i == 15 ? l->csr[i] & CSR15_KEPT : csr_rules[i].reset;
	}
	load_padr(l);
	l->rap = 0;
	l->events |= LANCE_EV_LATCH;
	update_irq(l);		/* stop() has left CSR5's causes, which need no IENA */
}

static void load_aprom(struct lance *l)
{
	u8 *p = l->aprom;
	u16 sum = 0;
	unsigned int i;

	for (i = 0; i < LANCE_APROM_SIZE; i++)
		p[i] = i < ADDRESS_SIZE ? l->mac[i] : 0;
	p[9] = 0x11;		/* the hardware ID of PCI */
	p[14] = 'W';
	p[15] = 'W';
	for (i = 0; i < LANCE_APROM_SIZE; i++)
		sum += p[i];
	put_le16(&p[12], sum);
}

void lance_hard_reset(struct lance *l)
{
	unsigned int i;

	load_aprom(l);
	for (i = 0; i < WS_ARRAY_SIZE(csr_rules); i++)
		l->csr[i] = 0;
	for (i = 0; i < WS_ARRAY_SIZE(bcr_rules); i++)
		l->bcr[i] = bcr_rules[i].reset;
	l->rx = (struct lance_ring){ .len = 1 };
	l->tx = (struct lance_ring){ .len = 1 };
	soft_reset(l);
}

void lance_init(struct lance *l, const struct lance_bus *bus, void *dev, const u8 *mac)
{
	unsigned int i;

	*l = (struct lance){ .bus = bus, .dev = dev };
	for (i = 0; i < ADDRESS_SIZE; i++)
		l->mac[i] = mac[i];
	lance_hard_reset(l);
	l->events = 0;
}

/* ---- control and status registers ---- */

static u32 desc_addr(const struct lance *l, const struct lance_ring *ring, u32 ahead)
{
	u32 base = ring->base & (wide(l) ? ~3u : ~7u);

	return base + (ring->pos + ahead) % ring->len * (wide(l) ? 16 : 8);
}

static u16 read_csr0(struct lance *l)
{
	u16 val;

	if (l->sent)
		lance_tint(l);
	val = l->csr[0];
	l->seen |= val & LANCE_CSR0_W1C;
	if (val & LANCE_CSR0_ERRORS)
		val |= LANCE_CSR0_ERR;
	if (interrupt(l))
		val |= LANCE_CSR0_INTR;
	retry_held(l);
	return val;
}

/* Both halves of the address of a descriptor, of which @n tells. */
static u16 read_desc_addr(const struct lance *l, unsigned int n)
{
	const struct lance_ring *ring = n < 30 ? &l->rx : &l->tx;
	bool next = n < 28 || n == 32 || n == 33;
	u32 addr = desc_addr(l, ring, next);

	return n & 1 ? addr >> 16 : addr & 0xffff;
}

static u16 read_csr(struct lance *l, unsigned int n)
{
	switch (n) {
	case 0:
		return read_csr0(l);
	case 5:
		return l->tx.ahead ? l->csr[5] & ~LANCE_CSR5_SPND : l->csr[5];
	case 16:
	case 17:
		return l->csr[n - 15];
	case 24:
		return l->rx.base & 0xffff;
	case 25:
		return l->rx.base >> 16;
	case 26 ... 29:
	case 32 ... 35:
		return read_desc_addr(l, n);
	case 30:
		return l->tx.base & 0xffff;
	case 31:
		return l->tx.base >> 16;
	case 58:
		return l->bcr[20];
	case 72:
		return l->rx.pos - l->rx.len;
	case 74:
		return l->tx.pos - l->tx.len;
	case 76:
		return -l->rx.len;
	case 78:
		return -l->tx.len;
	default:
		return l->csr[n];
	}
}

/* The bits that were cleared; those that the guest cannot know of stay once. */
static void acknowledge(struct lance *l, u16 val)
{
	u16 clear = val & LANCE_CSR0_W1C;

	l->csr[0] &= ~(clear & l->seen);
	/* A driver that never looks must get rid of them, too: the second time. */
	l->seen = (l->seen | clear) & l->csr[0];
}

static void write_csr0(struct lance *l, u16 val)
{
	u16 set;

	acknowledge(l, val);
	l->csr[0] = (l->csr[0] & ~LANCE_CSR0_IENA) | (val & LANCE_CSR0_IENA);
	retry_held(l);
	if (val & LANCE_CSR0_STOP) {
		stop(l);
		return;
	}

	set = val & ~l->csr[0] & (LANCE_CSR0_INIT | LANCE_CSR0_STRT);
	if (set)
		l->csr[0] = (l->csr[0] & ~LANCE_CSR0_STOP) | set;
	if (set & LANCE_CSR0_INIT) {
		l->init = true;
		l->events |= LANCE_EV_INIT;
	}
	if (set & LANCE_CSR0_STRT && !l->init)
		start(l);
	if (val & LANCE_CSR0_TDMD && l->csr[0] & LANCE_CSR0_TXON) {
		l->csr[0] |= LANCE_CSR0_TDMD;
		l->events |= LANCE_EV_TX;
	}
	update_irq(l);
}

static void write_csr4(struct lance *l, u16 val)
{
	u16 kept = l->csr[4] & LANCE_CSR4_W1C & ~val;

	l->csr[4] = kept | (val & csr_rules[4].writable);
	if (val & LANCE_CSR4_UINTCMD)
		l->csr[4] |= LANCE_CSR4_UINT;
	update_irq(l);
}

static void write_csr5(struct lance *l, u16 val)
{
	u16 kept = l->csr[5] & LANCE_CSR5_W1C & ~val;
	bool resume = l->csr[5] & ~val & LANCE_CSR5_SPND;

	l->csr[5] = kept | (val & csr_rules[5].writable);
	if (resume) {
		l->events |= LANCE_EV_TX;
		retry_held(l);
	}
	update_irq(l);
}

static void set_ring_len(struct lance_ring *ring, u16 val)
{
	ring->len = val ? (u16)-val : RING_LEN_MAX;
	ring->pos %= ring->len;
}

static void set_low(u32 *val, u16 low)
{
	*val = (*val & 0xffff0000) | low;
}

static void set_high(u32 *val, u16 high)
{
	*val = (*val & 0xffff) | (u32)high << 16;
}

static void write_ring(struct lance *l, unsigned int n, u16 val)
{
	if (!stands_still(l))
		return;
	switch (n) {
	case 24:
		set_low(&l->rx.base, val);
		break;
	case 25:
		set_high(&l->rx.base, val);
		break;
	case 30:
		set_low(&l->tx.base, val);
		break;
	case 31:
		set_high(&l->tx.base, val);
		break;
	case 72:
		l->rx.pos = (u16)(val + l->rx.len) % l->rx.len;
		break;
	case 74:
		l->tx.pos = (u16)(val + l->tx.len) % l->tx.len;
		break;
	case 76:
		set_ring_len(&l->rx, val);
		break;
	case 78:
		set_ring_len(&l->tx, val);
		break;
	}
	l->lag = false;
}

/* The style brings two other bits with it; one that does not exist acts as 0. */
static u16 style_register(u16 val)
{
	u16 keep = val & LANCE_BCR20_APERREN;

	switch (val & LANCE_BCR20_SWSTYLE) {
	case 1:
		return keep | LANCE_BCR20_SSIZE32 | 1;
	case 2:
	case 3:
		return keep | LANCE_BCR20_CSRPCNET | LANCE_BCR20_SSIZE32 |
		       (val & LANCE_BCR20_SWSTYLE);
	default:
		return keep | LANCE_BCR20_CSRPCNET;
	}
}

static void write_bcr(struct lance *l, unsigned int n, u16 val)
{
	const struct rule *rule;

	if (n >= WS_ARRAY_SIZE(bcr_rules))
		return;
	rule = &bcr_rules[n];
	if (rule->flags & HELD && !stands_still(l))
		return;
	l->bcr[n] = (l->bcr[n] & ~rule->writable) | (val & rule->writable);
	if (n == 20)
		l->bcr[n] = style_register(val);
}

static u16 read_bcr(const struct lance *l, unsigned int n)
{
	u16 val;

	if (n >= WS_ARRAY_SIZE(bcr_rules))
		return 0;
	val = l->bcr[n];
	if (n >= 4 && n <= 7 && val & LANCE_BCR_LNKSTE && l->link)
		val |= LANCE_BCR_LEDOUT;
	return val;
}

static void write_latch(struct lance *l, unsigned int n, u16 val)
{
	const struct rule *rule = &csr_rules[n];

	if (rule->flags & HELD && !stands_still(l))
		return;
	l->csr[n] = (l->csr[n] & ~rule->writable) | (val & rule->writable);
	if (n >= 8 && n <= 15)
		l->events |= LANCE_EV_FILTER;
	if (n == 3)
		update_irq(l);
}

static void write_csr(struct lance *l, unsigned int n, u16 val)
{
	switch (n) {
	case 0:
		write_csr0(l, val);
		break;
	case 4:
		write_csr4(l, val);
		break;
	case 5:
		write_csr5(l, val);
		break;
	case 16:
	case 17:
		write_latch(l, n - 15, val);
		break;
	case 24:
	case 25:
	case 30:
	case 31:
	case 72:
	case 74:
	case 76:
	case 78:
		write_ring(l, n, val);
		break;
	case 58:
		write_bcr(l, 20, val);
		break;
	default:
		write_latch(l, n, val);
	}
}

/* ---- ports ---- */

static u32 read_wio(struct lance *l, u32 offset, unsigned int size)
{
	if (offset < LANCE_RDP && size == 1)
		return l->aprom[offset];
	if (size != 2)
		return ws_all_ones(size);
	if (offset < LANCE_RDP && !(offset & 1))
		return get_le16(&l->aprom[offset]);
	switch (offset) {
	case LANCE_RDP:
		return read_csr(l, l->rap);
	case LANCE_WIO_RAP:
		return l->rap;
	case LANCE_WIO_RESET:
		soft_reset(l);
		return 0;
	case LANCE_WIO_BDP:
		return read_bcr(l, l->rap);
	default:
		return ws_all_ones(size);
	}
}

static u32 read_dwio(struct lance *l, u32 offset, unsigned int size)
{
	u32 val;

	if (size != 4 || offset & 3)
		return ws_all_ones(size);
	if (offset < LANCE_RDP)
		return get_le16(&l->aprom[offset]) | get_le16(&l->aprom[offset + 2]) << 16;
	switch (offset) {
	case LANCE_RDP:
		val = read_csr(l, l->rap);
		/* The chip's ID in one piece. */
		return l->rap == 88 ? val | (u32)l->csr[89] << 16 : val;
	case LANCE_DWIO_RAP:
		return l->rap;
	case LANCE_DWIO_RESET:
		soft_reset(l);
		return 0;
	default:
		return read_bcr(l, l->rap);
	}
}

u32 lance_read(struct lance *l, u32 offset, unsigned int size)
{
	return lance_is_dwio(l) ? read_dwio(l, offset, size) : read_wio(l, offset, size);
}

static void write_aprom(struct lance *l, u32 offset, unsigned int size, u32 val)
{
	if (!(l->bcr[2] & LANCE_BCR2_APROMWE))
		return;
	for (; size--; val >>= 8)
		l->aprom[offset++] = val & 0xff;
}

static void write_wio(struct lance *l, u32 offset, unsigned int size, u32 val)
{
	if (offset < LANCE_RDP) {
		if (size == 1 || (size == 2 && !(offset & 1)))
			write_aprom(l, offset, size, val);
		return;
	}
	/* The first access of this size is for the size alone. */
	if (size == 4 && offset == LANCE_RDP) {
		l->bcr[18] |= LANCE_BCR18_DWIO;
		l->events |= LANCE_EV_LATCH;
		return;
	}
	if (size != 2)
		return;
	switch (offset) {
	case LANCE_RDP:
		write_csr(l, l->rap, val);
		break;
	case LANCE_WIO_RAP:
		lance_set_rap(l, val);
		break;
	case LANCE_WIO_BDP:
		write_bcr(l, l->rap, val);
		break;
	}
}

static void write_dwio(struct lance *l, u32 offset, unsigned int size, u32 val)
{
	if (size != 4 || offset & 3)
		return;
	if (offset < LANCE_RDP) {
		write_aprom(l, offset, size, val);
		return;
	}
	switch (offset) {
	case LANCE_RDP:
		write_csr(l, l->rap, val);
		break;
	case LANCE_DWIO_RAP:
		lance_set_rap(l, val);
		break;
	case LANCE_DWIO_BDP:
		write_bcr(l, l->rap, val);
		break;
	}
}

void lance_write(struct lance *l, u32 offset, unsigned int size, u32 val)
{
	if (lance_is_dwio(l))
		write_dwio(l, offset, size, val);
	else
		write_wio(l, offset, size, val);
}

static u32 region_read(void *dev, u32 offset, unsigned int size)
{
	return lance_read(dev, offset, size);
}

static void region_write(void *dev, u32 offset, unsigned int size, u32 val)
{
	lance_write(dev, offset, size, val);
}

const struct ws_region lance_regions[LANCE_REGIONS] = {
	{ "lance", 0, LANCE_IO_SIZE, WS_SIZE_1 | WS_SIZE_2 | WS_SIZE_4, 0,
	  region_read, region_write },
};

/* ---- what comes from outside ---- */

void lance_set_dma(struct lance *l, bool on)
{
	if (on && !l->dma)
		l->events |= LANCE_EV_TX | LANCE_EV_RX | (l->init ? LANCE_EV_INIT : 0);
	l->dma = on;
}

void lance_set_link(struct lance *l, bool up)
{
	l->link = up;
}

bool lance_promiscuous(const struct lance *l)
{
	return l->csr[0] & LANCE_CSR0_RXON && l->csr[15] & LANCE_CSR15_PROM;
}

void lance_get_padr(const struct lance *l, u8 *mac)
{
	unsigned int i;

	for (i = 0; i < ADDRESS_SIZE / 2; i++)
		put_le16(&mac[2 * i], l->csr[12 + i]);
}

bool lance_needs_poll(const struct lance *l)
{
	return l->held || (can_transmit(l) && !(l->csr[4] & LANCE_CSR4_TXDPOLL));
}

void lance_poll(struct lance *l)
{
	if (can_transmit(l) && !(l->csr[4] & LANCE_CSR4_TXDPOLL))
		l->events |= LANCE_EV_TX;
	retry_held(l);
}

/* ---- the initialization block ---- */

/* Ring lengths come as logarithms. */
static u32 ring_len(unsigned int log)
{
	return log > 9 ? RING_LEN_MAX : 1u << log;
}

static void set_ring(struct lance_ring *ring, u32 base, unsigned int log)
{
	ring->base = base;
	ring->len = ring_len(log);
}

/* Six words from @p: the station address, then the filter. */
static void load_filter(struct lance *l, const u8 *padr, const u8 *ladrf)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		l->csr[8 + i] = get_le16(&ladrf[2 * i]);
	for (i = 0; i < ADDRESS_SIZE / 2; i++)
		l->csr[12 + i] = get_le16(&padr[2 * i]);
}

static void load_wide(struct lance *l, const u8 *block)
{
	l->csr[15] = get_le16(block);
	load_filter(l, block + 4, block + 12);
	set_ring(&l->rx, get_le16(block + 20) | get_le16(block + 22) << 16, block[2] >> 4);
	set_ring(&l->tx, get_le16(block + 24) | get_le16(block + 26) << 16, block[3] >> 4);
	l->csr[6] = (block[3] & 0xf0) << 8 | (block[2] & 0xf0) << 4;
}

static void load_narrow(struct lance *l, const u8 *block)
{
	u32 high = (u32)(l->csr[2] & 0xff00) << 16;

	l->csr[15] = get_le16(block);
	load_filter(l, block + 2, block + 8);
	set_ring(&l->rx, high | get_le16(block + 16) | block[18] << 16, block[19] >> 5);
	set_ring(&l->tx, high | get_le16(block + 20) | block[22] << 16, block[23] >> 5);
	l->csr[6] = (block[23] & 0xe0) << 7 | (block[19] & 0xe0) << 3;
}

void lance_load(struct lance *l)
{
	u32 addr = (l->csr[1] | (u32)l->csr[2] << 16) & (wide(l) ? ~3u : ~1u);
	u8 block[28];

	if (!l->init || !l->dma)
		return;
	l->init = false;
	if (!l->bus->read(l->dev, addr, block, wide(l) ? 28 : 24)) {
		merr(l);
		return;
	}
	if (wide(l))
		load_wide(l, block);
	else
		load_narrow(l, block);
	rewind_rings(l);
	l->csr[0] |= LANCE_CSR0_IDON;
	l->events |= LANCE_EV_FILTER;
	if (l->csr[0] & LANCE_CSR0_STRT)
		start(l);
	update_irq(l);
}

/* ---- descriptors ---- */

/*
 * A descriptor as it was when it was read. @msg is TMD2 (in style 0 as if it
 * were one), and not used of receive descriptors.
 */
struct desc {
	u32 addr;
	u32 len;
	u32 msg;
	u16 status;
};

/* The length is in two's complement; its upper four bits do not matter. */
static u32 buffer_len(u16 bcnt)
{
	return -bcnt & 0xfff;
}

static bool read_narrow(struct lance *l, u32 at, struct desc *d)
{
	u16 w[4], status;

	if (!l->bus->read(l->dev, at + 2, &status, sizeof(status)))
		return false;
	d->status = status & 0xff00;
	if (!(status & LANCE_MD_OWN))
		return true;
	ws_rmb();
	if (!l->bus->read(l->dev, at, w, sizeof(w)))
		return false;
	d->addr = (u32)(l->csr[2] & 0xff00) << 16 | (status & 0xff) << 16 | w[0];
	d->len = buffer_len(w[2]);
	d->msg = (u32)w[3] << 16;
	return true;
}

static bool read_wide(struct lance *l, u32 at, struct desc *d)
{
	bool swapped = style(l) == 3;
	u32 w[3], status;

	if (!l->bus->read(l->dev, at + 4, &status, sizeof(status)))
		return false;
	d->status = status >> 16;
	if (!(d->status & LANCE_MD_OWN))
		return true;
	d->len = buffer_len(status & 0xffff);
	ws_rmb();
	if (!l->bus->read(l->dev, at, w, sizeof(w)))
		return false;
	d->addr = w[swapped ? 2 : 0];
	d->msg = w[swapped ? 0 : 2];
	return true;
}

/*
 * Look at a descriptor, OWN first: the guest sets it when all else is there.
 * Returns false if it is not the chip's, or cannot be read.
 */
static bool get_desc(struct lance *l, const struct lance_ring *ring, u32 ahead, struct desc *d)
{
	u32 at = desc_addr(l, ring, ahead);

	if (ahead >= ring->len)
		return false;
	if (!(wide(l) ? read_wide(l, at, d) : read_narrow(l, at, d))) {
		merr(l);
		return false;
	}
	return d->status & LANCE_MD_OWN;
}

static void put(struct lance *l, u32 addr, const void *data, u32 len)
{
	if (!l->bus->write(l->dev, addr, data, len))
		merr(l);
}

/* The message words: what is stored as 16 bits in style 0 is @narrow. */
static void put_message(struct lance *l, const struct lance_ring *ring, u32 ahead, u32 msg,
			u16 narrow)
{
	u32 at = desc_addr(l, ring, ahead);

	if (!wide(l))
		put(l, at + 6, &narrow, sizeof(narrow));
	else
		put(l, style(l) == 3 ? at : at + 8, &msg, sizeof(msg));
}

/* Hand back: address and length stay as they are, and OWN goes last of all. */
static void put_status(struct lance *l, const struct lance_ring *ring, u32 ahead, u16 status)
{
	u32 at = desc_addr(l, ring, ahead);
	u8 high = status >> 8;

	ws_wmb();
	if (wide(l))
		put(l, at + 6, &status, sizeof(status));
	else
		put(l, at + 3, &high, sizeof(high));
}

static void advance(struct lance_ring *ring, u32 n)
{
	ring->pos = (ring->pos + n) % ring->len;
}

/* ---- CRC-32, as it is on the wire ---- */

static u32 crc32_bytes(u32 crc, const u8 *data, u32 len)
{
	/* Of four bits at a time: the polynomial EDB88320h. */
	static const u32 table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};

	for (; len; len--, data++) {
		crc = crc >> 4 ^ table[(crc ^ *data) & 15];
		crc = crc >> 4 ^ table[(crc ^ *data >> 4) & 15];
	}
	return crc;
}

u32 lance_fcs(const u8 *data, u32 len)
{
	u32 crc = crc32_bytes(0xffffffff, data, len);
	static const u8 zero;

	for (; len < LANCE_FRAME_MIN; len++)
		crc = crc32_bytes(crc, &zero, 1);
	return ~crc;
}

/* ---- receive ---- */

static bool hash_hit(const struct lance *l, const u8 *addr)
{
	u32 index = crc32_bytes(0xffffffff, addr, ADDRESS_SIZE) >> 26;

	return l->csr[8 + (index >> 4)] >> (index & 15) & 1;
}

/* Is the frame for this station? @match is what goes into the descriptor. */
static bool accepts(const struct lance *l, const u8 *addr, u16 *match)
{
	u16 mode = l->csr[15];
	bool broadcast = true, own = true;
	u8 padr[ADDRESS_SIZE];
	unsigned int i;

	*match = 0;
	if (mode & LANCE_CSR15_PROM)
		return true;
	lance_get_padr(l, padr);
	for (i = 0; i < ADDRESS_SIZE; i++) {
		broadcast = broadcast && addr[i] == 0xff;
		own = own && addr[i] == padr[i];
	}
	if (broadcast && !(mode & LANCE_CSR15_DRCVBC))
		*match = LANCE_RMD_BAM;
	else if (addr[0] & 1)
		*match = hash_hit(l, addr) ? LANCE_RMD_LAFM : 0;
	else if (own && !(mode & LANCE_CSR15_DRCVPA))
		*match = LANCE_RMD_PAM;
	return *match;
}

/* What goes into buffers: the frame, zeros up to @padded, and the FCS behind it. */
struct payload {
	const struct lance_frame *frame;
	u32 padded;
	u32 total;
};

static bool put_payload(struct lance *l, const struct payload *p, u32 offset, u32 addr, u32 len)
{
	static const u8 zeros[LANCE_FRAME_MIN];
	const struct lance_frame *f = p->frame;
	u32 part, end;
	bool ok;

	for (; len; offset += part, addr += part, len -= part) {
		end = offset < f->linear ? f->linear : offset < f->len ? f->len :
		      offset < p->padded ? p->padded : p->total;
		part = end - offset < len ? end - offset : len;
		if (offset < f->linear)
			ok = l->bus->write(l->dev, addr, f->data + offset, part);
		else if (offset < f->len)
			ok = l->bus->copy(l->dev, f->rest, offset, addr, part);
		else if (offset < p->padded)
			ok = l->bus->write(l->dev, addr, zeros, part);
		else
			ok = l->bus->write(l->dev, addr,
					   (const u8 *)&f->fcs + (offset - p->padded), part);
		if (!ok)
			return false;
	}
	return true;
}

/* Where a frame begins. With LAPPEN set, and only then, the guest says where. */
static bool first_buffer(struct lance *l, struct desc *d)
{
	unsigned int skipped;

	for (skipped = 0; skipped < LANCE_RX_CHAIN; skipped++) {
		if (!get_desc(l, &l->rx, 0, d))
			return false;
		if (!(l->csr[3] & LANCE_CSR3_LAPPEN) || d->status & LANCE_MD_STP)
			return true;
		put_status(l, &l->rx, 0, d->status & ~LANCE_MD_OWN);
		advance(&l->rx, 1);
	}
	return false;
}

/* Two bytes in front of a frame align what follows its header. */
static u32 skew_of(const struct lance *l)
{
	return l->csr[122] & LANCE_CSR122_RCVALGN ? 2 : 0;
}

/* Fill buffers from @d on. @flags are for the descriptor that has the end. */
static enum lance_rx_result fill(struct lance *l, const struct payload *p, struct desc *d,
				 u16 flags)
{
	u32 skew = skew_of(l);
	enum lance_rx_result result = LANCE_RX_DELIVERED;
	u16 status = LANCE_MD_STP;
	u32 offset = 0, n = 0;
	u32 part, room;
	bool more;

	do {
		room = d->len > skew ? d->len - skew : 0;
		part = p->total - offset < room ? p->total - offset : room;
		if (!put_payload(l, p, offset, d->addr + skew, part)) {
			merr(l);
			result = LANCE_RX_MERR;
		}
		offset += part;
		more = result == LANCE_RX_DELIVERED && offset < p->total;
		if (more && (n + 1 == LANCE_RX_CHAIN || !get_desc(l, &l->rx, n + 1, d))) {
			result = LANCE_RX_OVERFLOW;
			more = false;
		}
		if (result != LANCE_RX_DELIVERED) {
			status |= LANCE_MD_ERR | LANCE_RMD_BUFF | LANCE_RMD_OFLO;
		} else if (!more) {
			put_message(l, &l->rx, n, p->total, p->total);
			status |= LANCE_MD_ENP | flags;
		}
		put_status(l, &l->rx, n++, status);
		status = 0;
		skew = 0;
	} while (more);
	advance(&l->rx, n);
	return result;
}

/* ASTRP_RCV: a frame with a length that needed padding, without what is no data. */
static void strip(const struct lance *l, struct payload *p)
{
	const u8 *data = p->frame->data;
	u32 len = data[12] << 8 | data[13];

	if (!(l->csr[4] & LANCE_CSR4_ASTRP_RCV) || len >= LANCE_FRAME_MIN - HEADER_SIZE ||
	    HEADER_SIZE + len > p->padded)
		return;
	p->padded = HEADER_SIZE + len;
	p->total = p->padded;
}

static enum lance_rx_result deliver(struct lance *l, struct payload *p, u16 flags)
{
	enum lance_rx_result result;
	struct desc d;
	u16 match;

	if (l->csr[5] & LANCE_CSR5_SPND) {
		l->held = true;
		return LANCE_RX_HOLD;
	}
	if (!accepts(l, p->frame->data, &match))
		return LANCE_RX_FILTERED;
	if (!first_buffer(l, &d)) {
		l->held = true;
		return LANCE_RX_HOLD;
	}
	strip(l, p);
	result = fill(l, p, &d, flags | match);
	l->held = false;
	l->csr[0] |= LANCE_CSR0_RINT;
	lance_tint(l);
	return result;
}

bool lance_can_receive(struct lance *l)
{
	struct desc d;

	if (!l->dma || !(l->csr[0] & LANCE_CSR0_RXON) || l->csr[15] & LANCE_CSR15_LOOP)
		return false;
	l->held = l->csr[5] & LANCE_CSR5_SPND || !get_desc(l, &l->rx, 0, &d);
	return !l->held;
}

bool lance_rx_buffer(struct lance *l, u32 *addr, u32 *len)
{
	u32 skew = skew_of(l);
	struct desc d;

	if (!lance_can_receive(l) || !get_desc(l, &l->rx, 0, &d) || d.len <= skew)
		return false;
	*addr = d.addr + skew;
	*len = d.len - skew;
	return true;
}

enum lance_rx_result lance_receive(struct lance *l, const struct lance_frame *frame)
{
	struct payload p = { .frame = frame };

	if (!l->dma || !(l->csr[0] & LANCE_CSR0_RXON))
		return LANCE_RX_OFF;
	if (l->csr[15] & LANCE_CSR15_LOOP)
		return LANCE_RX_FILTERED;
	if (frame->len < HEADER_SIZE || frame->len > LANCE_RX_MAX)
		return LANCE_RX_LENGTH;
	p.padded = frame->len < LANCE_FRAME_MIN ? LANCE_FRAME_MIN : frame->len;
	p.total = p.padded + LANCE_FCS_SIZE;
	return deliver(l, &p, 0);
}

void lance_missed(struct lance *l, u32 n)
{
	if (!n || !(l->csr[0] & LANCE_CSR0_RXON))
		return;
	if (l->csr[112] + n > 0xffff || l->csr[112] + n < n)
		l->csr[4] |= LANCE_CSR4_MFCO;
	l->csr[112] += n;
	l->csr[0] |= LANCE_CSR0_MISS;
	update_irq(l);
}

/* The frame in l->frame to the chip itself; what the guest calls its FCS is judged. */
static void loop_back(struct lance *l, const struct lance_tx *tx)
{
	struct lance_frame frame = {
		.data = l->frame,
		.linear = tx->len,
		.len = tx->len,
	};
	struct payload p = { &frame, tx->len, tx->len };
	u16 flags = 0;
	u32 body = tx->len - LANCE_FCS_SIZE;

	if (!l->dma || !(l->csr[0] & LANCE_CSR0_RXON) || tx->len < HEADER_SIZE ||
	    tx->len > LANCE_RX_MAX)
		return;
	if (tx->fcs) {
		frame.fcs = ~crc32_bytes(0xffffffff, l->frame, tx->len);
		p.total += LANCE_FCS_SIZE;
	} else {
		u32 crc = ~crc32_bytes(0xffffffff, l->frame, body);

		if ((crc & 0xffff) != get_le16(l->frame + body) ||
		    crc >> 16 != get_le16(l->frame + body + 2))
			flags = LANCE_MD_ERR | LANCE_RMD_CRC;
	}
	if (deliver(l, &p, flags) != LANCE_RX_HOLD)
		return;
	/* There is no queue for it to wait in. */
	l->held = false;
	lance_missed(l, 1);
}

/* ---- transmit ---- */

bool lance_tx_pending(struct lance *l)
{
	struct desc d;

	return can_transmit(l) &&
	       (get_desc(l, &l->tx, l->tx.ahead, &d) || (l->lag && get_desc(l, &l->tx, 1, &d)));
}

u32 lance_tx_waiting(struct lance *l, u32 max)
{
	u32 ahead = l->tx.ahead, limit = ahead + LANCE_TX_CHAIN;
	struct desc d;
	u32 n = 0;

	if (!can_transmit(l))
		return 0;
	if (l->lag && !get_desc(l, &l->tx, ahead, &d))
		ahead++;
	for (; n < max && ahead < limit && get_desc(l, &l->tx, ahead, &d); ahead++)
		if (d.status & LANCE_MD_ENP)
			n++;
	return n;
}

static bool first_to_send(struct lance *l, struct desc *d)
{
	if (get_desc(l, &l->tx, l->tx.ahead, d)) {
		l->lag = false;
		return true;
	}
	if (!l->lag || !get_desc(l, &l->tx, 1, d))
		return false;
	l->lag = false;
	advance(&l->tx, 1);
	return true;
}

/* The buffers of a frame, whose first descriptor is @d; no other is looked at. */
static enum lance_tx_kind gather(struct lance *l, struct lance_tx *tx, struct desc *d)
{
	tx->count = 0;
	tx->len = 0;
	tx->pad = 0;
	for (;;) {
		tx->frag[tx->count++] = (struct lance_frag){ d->addr, d->len, d->status };
		tx->len += d->len;
		tx->msg = d->msg;
		if (tx->count == 1 && !(d->status & LANCE_MD_STP))
			return LANCE_TX_STRAY;
		if (d->status & LANCE_MD_ENP)
			return tx->len ? LANCE_TX_SEND : LANCE_TX_EMPTY;
		if (tx->count == LANCE_TX_CHAIN ||
		    !get_desc(l, &l->tx, l->tx.ahead + tx->count, d))
			return LANCE_TX_BROKEN;
	}
}

/* Style 1 has a bit to leave the FCS out, the others one to put it there. */
static bool wants_fcs(const struct lance *l, const struct lance_tx *tx)
{
	bool off = l->csr[15] & LANCE_CSR15_DXMTFCS;

	if (style(l) == 1)
		return !off && !(tx->frag[tx->count - 1].status & LANCE_TMD_ADD_FCS);
	return !off || tx->frag[0].status & LANCE_TMD_ADD_FCS;
}

/* A frame that is complete: what becomes of it? */
static enum lance_tx_kind judge(const struct lance *l, struct lance_tx *tx)
{
	if (tx->len > LANCE_TX_MAX)
		return LANCE_TX_BABBLE;
	tx->fcs = wants_fcs(l, tx);
	if (l->csr[4] & LANCE_CSR4_APAD_XMT && tx->len < LANCE_FRAME_MIN) {
		tx->pad = LANCE_FRAME_MIN - tx->len;
		tx->len = LANCE_FRAME_MIN;
		tx->fcs = true;
	}
	if (l->csr[15] & LANCE_CSR15_LOOP)
		return l->csr[15] & LANCE_CSR15_FCOLL ? LANCE_TX_COLLISION : LANCE_TX_LOOP;
	return l->link ? LANCE_TX_SEND : LANCE_TX_NO_CARRIER;
}

enum lance_tx_kind lance_tx_next(struct lance *l, struct lance_tx *tx)
{
	struct desc d;

	if (!can_transmit(l))
		return LANCE_TX_NONE;
	if (!first_to_send(l, &d)) {
		l->csr[0] &= ~LANCE_CSR0_TDMD;
		return LANCE_TX_NONE;
	}
	tx->kind = gather(l, tx, &d);
	if (tx->kind == LANCE_TX_SEND)
		tx->kind = judge(l, tx);
	if (tx->kind != LANCE_TX_SEND && l->tx.ahead)
		return LANCE_TX_BUSY;
	tx->epoch = l->epoch;
	tx->first = (l->tx.pos + l->tx.ahead) % l->tx.len;
	l->tx.ahead += tx->count;
	return tx->kind;
}

void lance_tx_unfetch(struct lance *l, const struct lance_tx *tx)
{
	if (tx->epoch == l->epoch)
		l->tx.ahead -= tx->count;
}

bool lance_tx_copy(struct lance *l, const struct lance_tx *tx, u8 *buf)
{
	u32 i;

	for (i = 0; i < tx->count; i++) {
		u32 len = tx->frag[i].len;

		if (len && !l->bus->read(l->dev, tx->frag[i].addr, buf, len))
			return false;
		buf += len;
	}
	for (i = 0; i < tx->pad; i++)
		*buf++ = 0;
	return true;
}

static u32 tx_errors(const struct lance *l, const struct lance_tx *tx, bool readable)
{
	switch (tx->kind) {
	case LANCE_TX_BROKEN:
		return LANCE_TMD2_BUFF | LANCE_TMD2_UFLO;
	case LANCE_TX_NO_CARRIER:
		return LANCE_TMD2_LCAR;
	case LANCE_TX_COLLISION:
		/* After one attempt, or after sixteen of them. */
		return LANCE_TMD2_RTRY |
		       (l->csr[15] & LANCE_CSR15_DRTY ? 0 : LANCE_TMD2_TRC);
	case LANCE_TX_SEND:
	case LANCE_TX_LOOP:
		return readable ? 0 : LANCE_TMD2_UFLO;
	default:
		return 0;
	}
}

static void hand_back(struct lance *l, const struct lance_tx *tx, u32 errors)
{
	const u16 clear = LANCE_MD_OWN | LANCE_MD_ERR | LANCE_TMD_LTINT | LANCE_TMD_ONE |
			  LANCE_TMD_DEF | LANCE_MD_BPE;
	u32 last = tx->count - 1;
	u32 i;

	for (i = 0; i < last; i++)
		put_status(l, &l->tx, i, tx->frag[i].status & ~clear);
	if (tx->msg != errors)
		put_message(l, &l->tx, last, errors, errors >> 16);
	put_status(l, &l->tx, last,
		   (tx->frag[last].status & ~clear) | (errors ? LANCE_MD_ERR : 0));
	l->tx.ahead -= tx->count;
	/* NT's driver marks its next, still empty descriptor as the chip's. */
	if (tx->kind == LANCE_TX_EMPTY && tx->count == 1)
		l->lag = true;
	else
		advance(&l->tx, tx->count);
}

/* Does a frame that went well interrupt? One that did not always does. */
static bool wants_tint(const struct lance *l, const struct lance_tx *tx)
{
	if (tx->kind == LANCE_TX_EMPTY || tx->kind == LANCE_TX_STRAY ||
	    l->csr[5] & LANCE_CSR5_TOKINTD)
		return false;
	return !(l->csr[5] & LANCE_CSR5_LTINTEN) ||
	       tx->frag[tx->count - 1].status & LANCE_TMD_LTINT;
}

bool lance_tint_masked(const struct lance *l)
{
	return !(l->csr[0] & LANCE_CSR0_IENA) || l->csr[3] & LANCE_CSR0_TINT;
}

bool lance_tx_taken(struct lance *l)
{
	u32 at = desc_addr(l, &l->tx, l->tx.len - 1);
	u32 w[4];

	if (!wide(l) || !l->bus->read(l->dev, at, w, sizeof(w)))
		return false;
	return !w[style(l) == 3 ? 2 : 0] || w[1] >> 16 & LANCE_MD_OWN;
}

void lance_tx_done(struct lance *l, const struct lance_tx *tx, bool readable)
{
	u32 errors;

	if (tx->epoch != l->epoch || tx->first != l->tx.pos)
		return;
	if (tx->kind == LANCE_TX_LOOP) {
		readable = lance_tx_copy(l, tx, l->frame);
		if (readable)
			loop_back(l, tx);
	}
	errors = tx_errors(l, tx, readable);
	if (errors == LANCE_TMD2_UFLO)
		merr(l);
	hand_back(l, tx, errors);
	if (errors & LANCE_TMD2_UFLO && !(l->csr[3] & LANCE_CSR3_DXSUFLO))
		l->csr[0] &= ~(LANCE_CSR0_TXON | LANCE_CSR0_TDMD);
	if (tx->kind != LANCE_TX_EMPTY && tx->kind != LANCE_TX_STRAY)
		l->csr[4] |= LANCE_CSR4_TXSTRT;
	if (tx->len >= LANCE_FRAME_BABL && tx->kind != LANCE_TX_STRAY)
		l->csr[0] |= LANCE_CSR0_BABL;
	if (errors || wants_tint(l, tx))
		l->sent++;
	/* See lance_tx_taken(): of a buffer at address 0 it would not know. */
	if (errors || l->sent >= l->batch || !tx->frag[tx->count - 1].addr)
		settle_tint(l);
	update_irq(l);
}

/* ---- state ---- */

static u16 csr_state_bits(unsigned int n)
{
	switch (n) {
	case 0:
		return CSR0_STORED;
	case 4:
		return CSR4_STORED;
	case 5:
		return csr_rules[5].writable | LANCE_CSR5_W1C;
	case 6:
		return 0xff00;
	case 112:
		return 0xffff;
	default:
		return csr_rules[n].writable;
	}
}

static bool regs_valid(const struct lance_state *s)
{
	unsigned int i;

	for (i = 0; i < WS_ARRAY_SIZE(csr_rules); i++) {
		u16 bits = csr_state_bits(i);

		if ((s->csr[i] ^ csr_rules[i].reset) & ~bits)
			return false;
	}
	for (i = 0; i < WS_ARRAY_SIZE(bcr_rules); i++) {
		u16 bits = bcr_rules[i].writable;

		if (i == 18)
			bits |= LANCE_BCR18_DWIO;
		if (i == 20 ? s->bcr[i] != style_register(s->bcr[i]) :
			      (s->bcr[i] ^ bcr_rules[i].reset) & ~bits)
			return false;
	}
	return true;
}

static bool csr0_valid(const struct lance_state *s)
{
	const u16 on = LANCE_CSR0_RXON | LANCE_CSR0_TXON;
	u16 csr0 = s->csr[0];
	bool init = s->flags & LANCE_STATE_INIT;

	if (csr0 & LANCE_CSR0_STOP &&
	    csr0 & (on | LANCE_CSR0_TDMD | LANCE_CSR0_STRT | LANCE_CSR0_INIT))
		return false;
	if (!(csr0 & (LANCE_CSR0_STOP | LANCE_CSR0_INIT | LANCE_CSR0_STRT)))
		return false;
	if (csr0 & on && !(csr0 & LANCE_CSR0_STRT))
		return false;
	if (csr0 & LANCE_CSR0_TDMD && !(csr0 & LANCE_CSR0_TXON))
		return false;
	return !init || csr0 & LANCE_CSR0_INIT;
}

static bool ring_valid(const struct lance_ring_state *r)
{
	return r->len >= 1 && r->len <= 0xffff && r->pos < r->len;
}

static bool state_valid(const struct lance_state *s)
{
	unsigned int i;

	for (i = 0; i < sizeof(s->pad); i++)
		if (s->pad[i])
			return false;
	return regs_valid(s) && csr0_valid(s) && ring_valid(&s->rx) && ring_valid(&s->tx) &&
	       !(s->seen & ~(s->csr[0] & LANCE_CSR0_W1C)) && s->rap <= LANCE_RAP_MASK &&
	       s->flags < LANCE_STATE_HELD << 1;
}

void lance_get(const struct lance *l, struct lance_state *s)
{
	unsigned int i;

	*s = (struct lance_state){
		.rx = { l->rx.base, l->rx.len, l->rx.pos },
		.tx = { l->tx.base, l->tx.len, l->tx.pos },
		.seen = l->seen,
		.rap = l->rap,
		.flags = (l->init ? LANCE_STATE_INIT : 0) | (l->lag ? LANCE_STATE_LAG : 0) |
			 (l->held ? LANCE_STATE_HELD : 0),
	};
	for (i = 0; i < WS_ARRAY_SIZE(l->csr); i++)
		s->csr[i] = l->csr[i];
	for (i = 0; i < WS_ARRAY_SIZE(l->bcr); i++)
		s->bcr[i] = l->bcr[i];
	for (i = 0; i < LANCE_APROM_SIZE; i++)
		s->aprom[i] = l->aprom[i];
}

int lance_set(struct lance *l, const struct lance_state *s)
{
	unsigned int i;

	if (!state_valid(s))
		return -WS_EINVAL;
	l->rx = (struct lance_ring){ s->rx.base, s->rx.len, s->rx.pos, 0 };
	l->tx = (struct lance_ring){ s->tx.base, s->tx.len, s->tx.pos, 0 };
	l->epoch++;
	l->sent = 0;
	l->seen = s->seen;
	l->rap = s->rap;
	l->init = s->flags & LANCE_STATE_INIT;
	l->lag = s->flags & LANCE_STATE_LAG;
	l->held = s->flags & LANCE_STATE_HELD;
	for (i = 0; i < WS_ARRAY_SIZE(l->csr); i++)
		l->csr[i] = s->csr[i];
	for (i = 0; i < WS_ARRAY_SIZE(l->bcr); i++)
		l->bcr[i] = s->bcr[i];
	for (i = 0; i < LANCE_APROM_SIZE; i++)
		l->aprom[i] = s->aprom[i];
	update_irq(l);
	l->events = LANCE_EV_IRQ | LANCE_EV_TX | LANCE_EV_RX | LANCE_EV_FILTER |
		    LANCE_EV_LATCH | (l->init ? LANCE_EV_INIT : 0);
	return 0;
}
