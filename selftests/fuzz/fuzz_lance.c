// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile guest of the Lance: the input is a program of port accesses, of
 * descriptors and other writes to memory, of frames from the wire, and of what
 * a shell may do in between. Whatever comes, no memory outside the guest's is
 * touched (ASan), work is bounded, and state can be taken out and put back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lance.h"
#include "input.h"

#define RAM_SIZE	0x10000u
#define INIT_BLOCK	0x0100u
#define RX_RING		0x1000u
#define TX_RING		0x2000u
#define LAST_RING	(RAM_SIZE - 20)	/* a descriptor and a part of one */
#define BUFFERS		0x4000u
#define OUTSTANDING	4

/* The most that one call may ask of the bus. */
#define CALLS_MAX	(6 * LANCE_RX_CHAIN + 3 * LANCE_TX_CHAIN)

struct guest {
	struct lance l;
	u8 *ram;
	u32 calls;		/* of the bus, since it was zeroed */
	u32 longest_write;
	struct lance_tx tx[OUTSTANDING];
	unsigned int fetched;
	bool lazy;		/* frames stay fetched for a while */
};

static const u8 mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

#define CHECK(cond) do {							\
		if (!(cond)) {							\
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
			abort();						\
		}								\
	} while (0)

/* ---- guest memory ---- */

static bool is_ram(u32 addr, u32 len)
{
	return addr < RAM_SIZE && len <= RAM_SIZE - addr;
}

static bool bus_read(void *dev, u32 addr, void *buf, u32 len)
{
	struct guest *g = dev;

	g->calls++;
	CHECK(len && len <= LANCE_TX_MAX);
	if (!is_ram(addr, len))
		return false;
	memcpy(buf, g->ram + addr, len);
	return true;
}

static bool bus_write(void *dev, u32 addr, const void *buf, u32 len)
{
	struct guest *g = dev;

	g->calls++;
	CHECK(len && len <= 4096);
	if (len > g->longest_write)
		g->longest_write = len;
	if (!is_ram(addr, len))
		return false;
	memcpy(g->ram + addr, buf, len);
	return true;
}

static bool bus_copy(void *dev, void *rest, u32 offset, u32 addr, u32 len)
{
	return bus_write(dev, addr, (u8 *)rest + offset, len);
}

static const struct lance_bus bus = { bus_read, bus_write, bus_copy };

/* ---- what always holds ---- */

/* Register accesses do not touch memory; all else touches little of it. */
static void check_calls(struct guest *g, u32 most)
{
	CHECK(g->calls <= most);
	g->calls = 0;
}

static void check_ring(const struct lance_ring *r)
{
	CHECK(r->len >= 1 && r->len <= 0xffff && r->pos < r->len && r->ahead <= r->len);
}

static u32 read_csr(struct lance *l, u32 reg)
{
	lance_set_rap(l, reg);
	return lance_read(l, LANCE_RDP, lance_rap_size(l));
}

/* A chip that is given this one's state cannot be told from it by the guest. */
static void check(struct guest *g)
{
	static struct lance one, other;
	struct lance_state s, t;

	check_ring(&g->l.rx);
	check_ring(&g->l.tx);
	CHECK(g->l.rx.ahead == 0 && g->l.tx.ahead == 0);
	lance_get(&g->l, &s);
	one = g->l;
	lance_init(&other, &bus, g, mac);
	lance_set_link(&other, one.link);
	CHECK(lance_set(&other, &s) == 0);
	lance_get(&other, &t);
	CHECK(!memcmp(&s, &t, sizeof(s)));
	CHECK(lance_irq(&other) == lance_irq(&one));
	for (unsigned int reg = 0; reg < 128; reg++) {
		u32 val = read_csr(&one, reg);

		CHECK(val == read_csr(&other, reg));
		if (!reg && val & LANCE_CSR0_INTR && val & LANCE_CSR0_IENA)
			CHECK(lance_irq(&one));
	}
	check_calls(g, 0);
}

/* ---- the shell ---- */

static void hand_back(struct guest *g, u32 choice)
{
	for (unsigned int i = 0; i < g->fetched; i++) {
		struct lance_tx *tx = &g->tx[i];

		g->longest_write = 0;
		lance_tx_done(&g->l, tx, choice & 1);
		if (tx->kind != LANCE_TX_LOOP)
			CHECK(g->longest_write <= 4);
		check_calls(g, CALLS_MAX);
	}
	g->fetched = 0;
}

static void check_frame(struct guest *g, const struct lance_tx *tx)
{
	static u8 buf[LANCE_TX_MAX];
	u32 sum = tx->pad;

	CHECK(tx->count >= 1 && tx->count <= LANCE_TX_CHAIN);
	for (unsigned int i = 0; i < tx->count; i++) {
		CHECK(tx->frag[i].len <= 4095);
		sum += tx->frag[i].len;
	}
	CHECK(sum == tx->len);
	if (tx->kind == LANCE_TX_SEND || tx->kind == LANCE_TX_LOOP) {
		CHECK(tx->len >= 1 && tx->len <= LANCE_TX_MAX);
		lance_tx_copy(&g->l, tx, buf);
		check_calls(g, LANCE_TX_CHAIN);
	}
}

static void transmit(struct guest *g)
{
	for (unsigned int budget = LANCE_TX_BUDGET; budget; budget--) {
		struct lance_tx *tx = &g->tx[g->fetched];
		enum lance_tx_kind kind = lance_tx_next(&g->l, tx);

		check_calls(g, 2 * LANCE_TX_CHAIN + 8);
		if (kind == LANCE_TX_NONE)
			return;
		if (kind == LANCE_TX_BUSY) {
			CHECK(g->fetched);
			hand_back(g, 1);
			continue;
		}
		CHECK(kind == tx->kind && kind < LANCE_TX_KINDS);
		check_frame(g, tx);
		/* Now and then the shell cannot take one. */
		if (kind == LANCE_TX_SEND && g->fetched && tx->len % 8 == 3) {
			lance_tx_unfetch(&g->l, tx);
			return;
		}
		g->fetched++;
		if (!g->lazy || kind != LANCE_TX_SEND || g->fetched == OUTSTANDING)
			hand_back(g, 1);
	}
}

static void settle(struct guest *g)
{
	for (unsigned int rounds = 0; g->l.events; rounds++) {
		u32 events = lance_take_events(&g->l);

		CHECK(rounds < 8);
		if (events & LANCE_EV_INIT)
			lance_load(&g->l);
		check_calls(g, 1);
		if (events & LANCE_EV_TX)
			transmit(g);
		if (events & LANCE_EV_RX)
			lance_can_receive(&g->l);
		check_calls(g, 2);
	}
}

static void receive(struct guest *g, struct input *in)
{
	static u8 data[8192];
	struct lance_frame frame = { .data = data, .rest = data };
	u32 how = take(in, 1), addr, len;

	frame.len = take(in, 2) % sizeof(data);
	frame.linear = how & 1 ? frame.len : frame.len < 14 ? frame.len : 14;
	frame.fcs = lance_fcs(data, frame.len);
	memcpy(data, how & 2 ? mac : (const u8 *)"\377\377\377\377\377\377", 6);
	data[0] ^= how >> 4;
	data[13] = how;
	if (lance_rx_buffer(&g->l, &addr, &len))
		CHECK(len && len <= 4096);
	CHECK(lance_receive(&g->l, &frame) < LANCE_RX_RESULTS);
	check_calls(g, CALLS_MAX + 2);
}

/* ---- the guest ---- */

static void write_csr(struct guest *g, u32 reg, u32 val)
{
	lance_set_rap(&g->l, reg);
	lance_write(&g->l, LANCE_RDP, lance_rap_size(&g->l), val);
}

static void write_bcr(struct guest *g, u32 reg, u32 val)
{
	lance_set_rap(&g->l, reg);
	lance_write(&g->l, lance_is_dwio(&g->l) ? LANCE_DWIO_BDP : LANCE_WIO_BDP,
		    lance_rap_size(&g->l), val);
}

static void poke(struct guest *g, u32 addr, unsigned int size, u32 val)
{
	if (is_ram(addr, size))
		memcpy(g->ram + addr, &val, size);
}

/* Mostly where there is RAM. */
static u32 some_address(struct input *in)
{
	u32 val = take(in, 2);

	return (val & 0xff) == 0xff ? take(in, 4) : BUFFERS + val % (RAM_SIZE - BUFFERS);
}

static void descriptor(struct guest *g, struct input *in, u32 ring)
{
	unsigned int style = g->l.bcr[20] & LANCE_BCR20_SWSTYLE;
	u32 at = ring + take(in, 1) % 64 * (style ? 16 : 8);
	u32 addr = some_address(in);
	u32 len = take(in, 2);
	u32 status = take(in, 1) << 8;

	if (!style) {
		poke(g, at, 4, (addr & 0xffffff) | status << 16);
		poke(g, at + 4, 2, -len);
		return;
	}
	poke(g, style == 3 ? at + 8 : at, 4, addr);
	poke(g, at + 4, 4, status << 16 | (-len & 0xffff));
}

/* A way in: a chip that runs, with rings of some lengths. */
static void bring_up(struct guest *g, struct input *in)
{
	u32 how = take(in, 1);
	u32 lens = take(in, 1);
	u32 mode = take(in, 2) & 0xfffc;
	u32 rx = how & 8 ? LAST_RING : RX_RING;
	u32 tx = how & 16 ? LAST_RING : TX_RING;

	write_csr(g, 0, LANCE_CSR0_STOP);
	write_bcr(g, 20, how & 3);
	write_csr(g, 1, INIT_BLOCK);
	write_csr(g, 2, 0);
	if (how & 4) {
		write_csr(g, 15, mode);
		write_csr(g, 24, rx);
		write_csr(g, 25, 0);
		write_csr(g, 30, tx);
		write_csr(g, 31, 0);
		write_csr(g, 76, -(lens & 15));
		write_csr(g, 78, -(lens >> 4));
		write_csr(g, 0, LANCE_CSR0_STRT | LANCE_CSR0_IENA);
		return;
	}
	if (how & 3) {
		poke(g, INIT_BLOCK, 4, mode | (lens & 15) << 20 | lens >> 4 << 28);
		memcpy(g->ram + INIT_BLOCK + 4, mac, 6);
		poke(g, INIT_BLOCK + 20, 4, rx);
		poke(g, INIT_BLOCK + 24, 4, tx);
	} else {
		poke(g, INIT_BLOCK, 2, mode);
		memcpy(g->ram + INIT_BLOCK + 2, mac, 6);
		poke(g, INIT_BLOCK + 16, 4, rx | (lens & 7) << 29);
		poke(g, INIT_BLOCK + 20, 4, tx | lens >> 5 << 29);
	}
	write_csr(g, 0, LANCE_CSR0_INIT | LANCE_CSR0_STRT | LANCE_CSR0_IENA);
}

static void access(struct guest *g, struct input *in, bool write)
{
	u32 where = take(in, 1);
	unsigned int size = 1u << (where >> 5) % 3;
	u32 offset = where & 31;

	if (offset + size > LANCE_IO_SIZE)
		return;
	if (write)
		lance_regions[0].write(&g->l, offset, size, take(in, size));
	else
		CHECK(!(lance_regions[0].read(&g->l, offset, size) & ~ws_all_ones(size)));
	check_calls(g, 0);
}

/* A frame that was fetched before a reset or STOP is not the chip's any more. */
static void forget_stale(struct guest *g)
{
	if (!g->l.tx.ahead)
		hand_back(g, 1);
}

/* A state from a file that somebody has had his hands on: taken or refused. */
static void mangle_state(struct guest *g, struct input *in)
{
	struct lance_state was, s;
	u32 at = take(in, 2) % sizeof(s);

	hand_back(g, 1);
	lance_get(&g->l, &was);
	s = was;
	((u8 *)&s)[at] = take(in, 1);
	if (!lance_set(&g->l, &s))
		return;
	lance_get(&g->l, &s);
	CHECK(!memcmp(&s, &was, sizeof(s)));
}

static void outside(struct guest *g, u32 how)
{
	switch (how & 7) {
	case 0:
		lance_hard_reset(&g->l);
		break;
	case 1:
		lance_set_dma(&g->l, how & 8);
		break;
	case 2:
		lance_set_link(&g->l, how & 8);
		break;
	case 3:
		g->lazy = how & 8;
		break;
	case 4:
		lance_missed(&g->l, how << 11);
		break;
	case 5:
		lance_tx_pending(&g->l);
		check_calls(g, 4);
		break;
	case 6:
		hand_back(g, how >> 3);
		break;
	default:
		lance_poll(&g->l);
	}
}

static void step(struct guest *g, struct input *in)
{
	u32 op = take(in, 1);

	switch (op & 15) {
	case 0:
		access(g, in, true);
		break;
	case 1:
		access(g, in, false);
		break;
	case 2:
		write_csr(g, 0, take(in, 2));
		break;
	case 3:
		write_csr(g, take(in, 1), take(in, 2));
		break;
	case 4:
		write_bcr(g, take(in, 1), take(in, 2));
		break;
	case 5:
		lance_set_rap(&g->l, 0);
		lance_read(&g->l, LANCE_RDP, lance_rap_size(&g->l));
		break;
	case 6:
		poke(g, take(in, 2), 4, take(in, 4));
		break;
	case 7:
	case 8:
	case 9:
		descriptor(g, in, TX_RING);
		break;
	case 10:
	case 11:
		descriptor(g, in, RX_RING);
		break;
	case 12:
		receive(g, in);
		break;
	case 13:
		mangle_state(g, in);
		break;
	case 14:
		outside(g, take(in, 1));
		break;
	default:
		bring_up(g, in);
	}
	forget_stale(g);
	/* Not always at once. */
	if (!(op & 0x80))
		settle(g);
	forget_stale(g);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct guest g;
	struct input in = { data, size };
	u8 *ram = calloc(1, RAM_SIZE);

	memset(&g, 0, sizeof(g));
	g.ram = ram;
	lance_init(&g.l, &bus, &g, mac);
	lance_set_link(&g.l, true);
	lance_set_dma(&g.l, true);
	while (in.left)
		step(&g, &in);
	settle(&g);
	hand_back(&g, 1);
	check(&g);
	free(ram);
	return 0;
}
