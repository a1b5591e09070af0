/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Lance with some guest memory, a wire that keeps what is sent, and the
 * least shell that does what the core asks for. Registers are played from
 * scripts, in which words are separated by blanks and numbers of registers are
 * decimal, all others hexadecimal:
 *
 *	w0=42	CSR 0 is written		r0=73	is read, and must be 73h
 *	W20=2	BCR 20 is written		R20=302	the same
 *	o12.2=0	2 bytes to offset 12h		i12.2=0
 *	p100.4=0 4 bytes of guest memory	g100.4=0
 *	irq=1	level of INTA# now		tx=3	frames sent since the last one
 *	reset	PCI's		poll	2 ms go by	link=0	dma=0
 */
#ifndef SELFTESTS_LANCE_H
#define SELFTESTS_LANCE_H

#include "unit.h"

#include "core/lance.h"

#define RAM_SIZE	0x100000u
#define TOP_PAGE	0xfffff000u	/* RAM as well, to wrap around */
#define INIT_BLOCK	0x10000u
#define RX_RING		0x11000u
#define TX_RING		0x14000u
#define RX_BUFFER(i)	(0x20000u + (i) * 0x1000)
#define TX_BUFFER(i)	(0x60000u + (i) * 0x1000)
#define BUFFER_SIZE	1536u

/* Bits 31:16 of a descriptor. */
#define OWN_FRAME	(LANCE_MD_OWN | LANCE_MD_STP | LANCE_MD_ENP)

struct nic {
	struct lance l;
	u8 ram[RAM_SIZE];
	u8 top[0x1000];
	struct {
		u8 data[LANCE_TX_MAX];
		u32 len;
	} sent[64];
	unsigned int frames;	/* in sent[], since the last look */
	unsigned int kinds[LANCE_TX_KINDS];
	unsigned int accesses;	/* of ports, by scripts */
	unsigned int reads, writes;
	u32 filter_events;
	bool irq;
	unsigned int pulses;	/* rises of irq */
	bool lazy;		/* leave frames in the ring */
};

/* What the scripts that are played are about. */
static const char *nic_rule = "";

static const u8 nic_mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

static inline u8 *nic_ram(struct nic *n, u32 addr, u32 len)
{
	if (addr < RAM_SIZE && len <= RAM_SIZE - addr)
		return n->ram + addr;
	if (addr >= TOP_PAGE && len <= sizeof(n->top) - (addr - TOP_PAGE))
		return n->top + (addr - TOP_PAGE);
	return NULL;
}

static inline bool nic_read(void *dev, u32 addr, void *buf, u32 len)
{
	struct nic *n = dev;
	u8 *ram = nic_ram(n, addr, len);

	n->reads++;
	assert_true(len > 0 && len <= LANCE_TX_MAX);
	if (ram)
		memcpy(buf, ram, len);
	return ram;
}

static inline bool nic_write(void *dev, u32 addr, const void *buf, u32 len)
{
	struct nic *n = dev;
	u8 *ram = nic_ram(n, addr, len);

	n->writes++;
	assert_true(len > 0 && len <= 4096);
	if (ram)
		memcpy(ram, buf, len);
	return ram;
}

/* A frame whose rest is elsewhere: @rest is all of it. */
static inline bool nic_copy(void *dev, void *rest, u32 offset, u32 addr, u32 len)
{
	return nic_write(dev, addr, (const u8 *)rest + offset, len);
}

static const struct lance_bus nic_bus = { nic_read, nic_write, nic_copy };

static inline void nic_transmit(struct nic *n)
{
	struct lance_tx tx;
	unsigned int budget = 2 * LANCE_TX_BUDGET;

	while (budget-- && lance_tx_next(&n->l, &tx) != LANCE_TX_NONE) {
		bool ok = true;

		assert_true(tx.kind > LANCE_TX_BUSY && tx.kind < LANCE_TX_KINDS);
		n->kinds[tx.kind]++;
		if (tx.kind == LANCE_TX_SEND) {
			assert_true(tx.len <= LANCE_TX_MAX && n->frames < 64);
			ok = lance_tx_copy(&n->l, &tx, n->sent[n->frames].data);
			if (ok)
				n->sent[n->frames++].len = tx.len;
		}
		lance_tx_done(&n->l, &tx, ok);
	}
}

static inline void nic_settle(struct nic *n)
{
	u32 events;

	while ((events = lance_take_events(&n->l))) {
		if (events & LANCE_EV_INIT)
			lance_load(&n->l);
		if (events & LANCE_EV_TX && !n->lazy)
			nic_transmit(n);
		if (events & LANCE_EV_FILTER)
			n->filter_events++;
		if (events & LANCE_EV_IRQ) {
			n->pulses += !n->irq && lance_irq(&n->l);
			n->irq = lance_irq(&n->l);
		}
	}
	assert_true(n->irq == lance_irq(&n->l));
}

static inline u32 nic_in(struct nic *n, u32 offset, unsigned int size)
{
	u32 val;

	n->accesses++;
	val = lance_regions[0].read(&n->l, offset, size);
	assert_int_equal(val & ~ws_all_ones(size), 0);
	nic_settle(n);
	return val;
}

static inline void nic_out(struct nic *n, u32 offset, unsigned int size, u32 val)
{
	n->accesses++;
	lance_regions[0].write(&n->l, offset, size, val);
	nic_settle(n);
}

static inline void nic_rap(struct nic *n, u32 reg)
{
	nic_out(n, lance_rap_offset(&n->l), lance_rap_size(&n->l), reg);
}

static inline u32 nic_csr(struct nic *n, u32 reg)
{
	nic_rap(n, reg);
	return nic_in(n, LANCE_RDP, lance_rap_size(&n->l));
}

static inline void nic_set_csr(struct nic *n, u32 reg, u32 val)
{
	nic_rap(n, reg);
	nic_out(n, LANCE_RDP, lance_rap_size(&n->l), val);
}

static inline u32 nic_bdp(const struct nic *n)
{
	return lance_is_dwio(&n->l) ? LANCE_DWIO_BDP : LANCE_WIO_BDP;
}

static inline void nic_poke(struct nic *n, u32 addr, unsigned int size, u32 val)
{
	memcpy(nic_ram(n, addr, size), &val, size);
}

static inline u32 nic_peek(struct nic *n, u32 addr, unsigned int size)
{
	u32 val = 0;

	memcpy(&val, nic_ram(n, addr, size), size);
	return val;
}

static inline void nic_expect(const char *script, const char *word, u32 is, u32 val)
{
	if (is != val)
		fail_msg("%s: %s\n  at %s: is %x", nic_rule, script, word, is);
}

/* One word; @reg and @size are the numbers before the equals sign. */
static inline void nic_play_word(struct nic *n, const char *script, const char *word)
{
	const char *eq = strchr(word, '='), *dot = strchr(word, '.');
	u32 val = eq ? strtoul(eq + 1, NULL, 16) : 0;
	u32 reg = strtoul(word + 1, NULL, dot ? 16 : 10);
	unsigned int size = dot ? strtoul(dot + 1, NULL, 10) : lance_rap_size(&n->l);

	if (!strcmp(word, "reset")) {
		lance_hard_reset(&n->l);
	} else if (!strcmp(word, "poll")) {
		lance_poll(&n->l);
	} else if (!strncmp(word, "link=", 5)) {
		lance_set_link(&n->l, val);
	} else if (!strncmp(word, "dma=", 4)) {
		lance_set_dma(&n->l, val);
	} else if (!strncmp(word, "irq=", 4)) {
		nic_expect(script, word, n->irq, val);
	} else if (!strncmp(word, "tx=", 3)) {
		nic_expect(script, word, n->frames, val);
		n->frames = 0;
	} else if (word[0] == 'w') {
		nic_set_csr(n, reg, val);
	} else if (word[0] == 'r') {
		nic_expect(script, word, nic_csr(n, reg), val);
	} else if (word[0] == 'W') {
		nic_rap(n, reg);
		nic_out(n, nic_bdp(n), size, val);
	} else if (word[0] == 'R') {
		nic_rap(n, reg);
		nic_expect(script, word, nic_in(n, nic_bdp(n), size), val);
	} else if (word[0] == 'o') {
		nic_out(n, reg, size, val);
	} else if (word[0] == 'i') {
		nic_expect(script, word, nic_in(n, reg, size), val);
	} else if (word[0] == 'p') {
		nic_poke(n, reg, size, val);
	} else if (word[0] == 'g') {
		nic_expect(script, word, nic_peek(n, reg, size), val);
	} else {
		fail_msg("%s: no word %s", script, word);
	}
	nic_settle(n);
}

static inline void nic_play(struct nic *n, const char *script)
{
	char copy[1024], *at, *word;

	assert_true(strlen(script) < sizeof(copy));
	strcpy(copy, script);
	for (word = strtok_r(copy, " ", &at); word; word = strtok_r(NULL, " ", &at))
		nic_play_word(n, script, word);
}

/* A fresh chip, with everything that it has from outside. */
static inline void nic_power_on(struct nic *n)
{
	memset(n, 0, sizeof(*n));
	lance_init(&n->l, &nic_bus, n, nic_mac);
	nic_play(n, "link=1 dma=1");
}

static inline unsigned int nic_style(const struct nic *n)
{
	return n->l.bcr[20] & LANCE_BCR20_SWSTYLE;
}

/* The initialization block of the style that is set; lengths are logarithms. */
static inline void nic_init_block(struct nic *n, u16 mode, unsigned int rlen, unsigned int tlen)
{
	u8 *b = n->ram + INIT_BLOCK;

	memset(b, 0, 28);
	if (nic_style(n) == 0) {
		nic_poke(n, INIT_BLOCK, 2, mode);
		memcpy(b + 2, nic_mac, 6);
		nic_poke(n, INIT_BLOCK + 16, 4, RX_RING | rlen << 29);
		nic_poke(n, INIT_BLOCK + 20, 4, TX_RING | tlen << 29);
	} else {
		nic_poke(n, INIT_BLOCK, 4, mode | rlen << 20 | tlen << 28);
		memcpy(b + 4, nic_mac, 6);
		nic_poke(n, INIT_BLOCK + 20, 4, RX_RING);
		nic_poke(n, INIT_BLOCK + 24, 4, TX_RING);
	}
}

/* Power on, and initialize as drivers do: 4 descriptors each way. */
static inline void nic_init(struct nic *n, unsigned int style, u16 mode)
{
	char script[64];

	nic_power_on(n);
	snprintf(script, sizeof(script), "W20=%x w1=%x w2=%x w3=0 w4=115", style,
		 INIT_BLOCK & 0xffff, INIT_BLOCK >> 16);
	nic_play(n, script);
	nic_init_block(n, mode, 2, 2);
	nic_play(n, "w0=1 r0=181 w0=100 r0=1");
}

static inline void nic_start(struct nic *n, unsigned int style)
{
	nic_init(n, style, 0);
	nic_play(n, "w0=42 r0=73");
}

static inline u32 nic_desc(const struct nic *n, u32 ring, unsigned int i)
{
	return ring + i * (nic_style(n) ? 16 : 8);
}

/* A descriptor of either ring, with junk in what the chip has no business with. */
static inline void nic_set_desc(struct nic *n, u32 ring, unsigned int i, u32 addr, u32 len,
				u16 status)
{
	u32 at = nic_desc(n, ring, i);
	u16 bcnt = -len & 0xffff;

	switch (nic_style(n)) {
	case 0:
		nic_poke(n, at, 2, addr & 0xffff);
		nic_poke(n, at + 4, 2, bcnt);
		nic_poke(n, at + 6, 2, 0);
		nic_poke(n, at + 2, 2, (addr >> 16 & 0xff) | (status & 0xff00));
		break;
	case 3:
		nic_poke(n, at, 4, 0);
		nic_poke(n, at + 8, 4, addr);
		nic_poke(n, at + 12, 4, 0x600df00d);
		nic_poke(n, at + 4, 4, (u32)status << 16 | bcnt);
		break;
	default:
		nic_poke(n, at, 4, addr);
		nic_poke(n, at + 8, 4, 0);
		nic_poke(n, at + 12, 4, 0x600df00d);
		nic_poke(n, at + 4, 4, (u32)status << 16 | bcnt);
	}
}

/* Bits 31:16 of word 1, after a look at what must be as it was. */
static inline u16 nic_status(struct nic *n, u32 ring, unsigned int i)
{
	u32 at = nic_desc(n, ring, i);

	if (nic_style(n) == 0)
		return nic_peek(n, at + 2, 2) & 0xff00;
	assert_int_equal(nic_peek(n, at + 12, 4), 0x600df00d);
	return nic_peek(n, at + 6, 2);
}

/* TMD2 or the message count; TMD2 of style 0 as if it had a lower half. */
static inline u32 nic_message(struct nic *n, u32 ring, unsigned int i)
{
	u32 at = nic_desc(n, ring, i);

	if (nic_style(n) == 0)
		return ring == RX_RING ? nic_peek(n, at + 6, 2) : nic_peek(n, at + 6, 2) << 16;
	return nic_peek(n, nic_style(n) == 3 ? at : at + 8, 4);
}

static inline void nic_fill(struct nic *n, u32 addr, u32 len, u32 salt)
{
	for (u32 i = 0; i < len; i++)
		n->ram[addr + i] = (i * 7 + salt) & 0xff;
}

static inline void nic_give_rx(struct nic *n, unsigned int count, u32 size)
{
	for (unsigned int i = 0; i < count; i++)
		nic_set_desc(n, RX_RING, i, RX_BUFFER(i), size, LANCE_MD_OWN);
}

/* A frame of @len bytes in one buffer, for TDMD. */
static inline void nic_give_tx(struct nic *n, unsigned int i, u32 len, u16 status)
{
	nic_fill(n, TX_BUFFER(i), len, i);
	nic_set_desc(n, TX_RING, i, TX_BUFFER(i), len, status);
}

/* A frame from the wire to @to. */
static inline enum lance_rx_result nic_receive(struct nic *n, const u8 *to, u32 len)
{
	static u8 data[8192];
	struct lance_frame frame = { .data = data, .linear = len, .len = len };
	enum lance_rx_result result;

	for (u32 i = 0; i < len; i++)
		data[i] = i & 0xff;
	memcpy(data, to, len < 6 ? len : 6);
	if (len >= 14) {	/* a type, not a length */
		data[12] = 0x08;
		data[13] = 0x00;
	}
	frame.fcs = lance_fcs(data, len);
	result = lance_receive(&n->l, &frame);
	nic_settle(n);
	return result;
}

#endif
