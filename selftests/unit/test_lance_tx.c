// SPDX-License-Identifier: GPL-2.0-only
/* The Lance sends: descriptors of all styles, good ones and others; loopback. */
#include "lance.h"

static struct nic nic;

#define DONE	(LANCE_MD_STP | LANCE_MD_ENP)	/* a frame in one buffer that is back */
#define STP	LANCE_MD_STP
#define ENP	LANCE_MD_ENP
#define OWN	LANCE_MD_OWN

static void demand(void)
{
	nic_set_csr(&nic, 0, LANCE_CSR0_IENA | LANCE_CSR0_TDMD);
}

static void assert_sent(unsigned int i, u32 addr, u32 len)
{
	assert_true(i < nic.frames);
	assert_int_equal(nic.sent[i].len, len);
	assert_memory_equal(nic.sent[i].data, nic.ram + addr, len);
}

static void test_one(void **state)
{
	for (unsigned int style = 0; style < 4; style++) {
		nic_start(&nic, style);
		nic_give_tx(&nic, 0, 114, OWN_FRAME);
		nic_play(&nic, "w0=48 r0=2f3 irq=1");
		assert_sent(0, TX_BUFFER(0), 114);
		assert_int_equal(nic_status(&nic, TX_RING, 0), DONE);
		assert_int_equal(nic.frames, 1);
		nic_play(&nic, "w0=200 irq=0 r0=33");
		/* What TMD2 says of another time goes. */
		nic_give_tx(&nic, 1, 60, 0);
		nic_poke(&nic, nic_desc(&nic, TX_RING, 1) + (style == 0 ? 6 : style == 3 ? 0 : 8),
			 2, 0x1234);
		nic_poke(&nic, nic_desc(&nic, TX_RING, 1) + (style ? 7 : 3), 1, OWN_FRAME >> 8);
		demand();
		assert_int_equal(nic_message(&nic, TX_RING, 1), 0);
		/* Around the ring, and over its end. */
		for (unsigned int i = 2; i < 10; i++) {
			nic_give_tx(&nic, i & 3, 60 + i, OWN_FRAME);
			demand();
			assert_sent(i, TX_BUFFER(i & 3), 60 + i);
		}
	}
}

static void test_batch(void **state)
{
	nic_start(&nic, 2);
	for (unsigned int i = 0; i < 3; i++)
		nic_give_tx(&nic, i, 100 + i, OWN_FRAME);
	nic_play(&nic, "w0=48 r0=2f3");
	assert_int_equal(nic.frames, 3);
	assert_int_equal(nic.pulses, 1);
	for (unsigned int i = 0; i < 3; i++)
		assert_sent(i, TX_BUFFER(i), 100 + i);
}

static void test_chain(void **state)
{
	static const struct {
		u32 len[4];
	} chains[] = {
		{ { 14, 60, 1, 1 } }, { { 1, 0, 0, 59 } },
		{ { 0, 1500, 14, 0 } }, { { 1, 1, 1, 1 } },
	};

	for (unsigned int style = 0; style < 4; style++)
		for (unsigned int c = 0; c < WS_ARRAY_SIZE(chains); c++) {
			u32 len = 0;

			nic_start(&nic, style);
			nic_fill(&nic, TX_BUFFER(0), 2000, c);
			for (unsigned int i = 0; i < 4; i++) {
				nic_set_desc(&nic, TX_RING, i, TX_BUFFER(0) + len, chains[c].len[i],
					     OWN | (i ? 0 : STP) | (i == 3 ? ENP : 0));
				len += chains[c].len[i];
			}
			demand();
			assert_sent(0, TX_BUFFER(0), len);
			assert_int_equal(nic_status(&nic, TX_RING, 0), STP);
			assert_int_equal(nic_status(&nic, TX_RING, 1), 0);
			assert_int_equal(nic_status(&nic, TX_RING, 3), ENP);
			nic_play(&nic, "r0=2f3");
		}
}

/* A driver that sets OWN of the first buffer last: nothing behind it is looked at. */
static void test_first_last(void **state)
{
	nic_start(&nic, 3);
	nic_give_tx(&nic, 0, 60, STP);
	nic_give_tx(&nic, 1, 60, OWN | ENP);
	nic_play(&nic, "w0=48 r0=73 tx=0");
	nic_give_tx(&nic, 0, 60, OWN | STP);
	nic_play(&nic, "w0=48 r0=2f3 tx=1");
	assert_int_equal(nic.sent[0].len, 120);
}

/* What the guest may get wrong. Up to four descriptors, and what becomes of them. */
struct bad {
	const char *rule;
	const char *script;
	struct {
		u32 addr;
		u32 len;
		u16 status;	/* 0: there is none */
		u16 after;
		u32 message;
	} desc[4];
};

#define BUF	TX_BUFFER(0)
#define BROKEN	(LANCE_TMD2_BUFF | LANCE_TMD2_UFLO)

static const struct bad bads[] = {
	{ "BCNT 0: no frame, and no interrupt", "w0=48 r0=73 tx=0",
	  { { BUF, 0, OWN_FRAME, DONE, 0 } } },
	{ "and then the same descriptor with a frame",
	  "w0=48 tx=0 p14000.4=60000 p14004.4=8300ffc4 w0=48 tx=1 "
	  "p14020.4=60000 p14024.4=8300ffc4 w0=48 tx=0",
	  { { BUF, 0, OWN_FRAME, DONE, 0 } } },
	{ "a frame behind one of BCNT 0", "w0=48 r0=2f3 tx=1",
	  { { BUF, 0, OWN_FRAME, DONE, 0 }, { BUF, 60, OWN_FRAME, DONE, 0 } } },
	{ "a chain of BCNT 0", "w0=48 r0=73 tx=0",
	  { { BUF, 0, OWN | STP, STP, 0 }, { BUF, 0, OWN | ENP, ENP, 0 } } },
	{ "ONES does not matter", "p14004.4=83000fc4 w0=48 r0=2f3 tx=1",
	  { { BUF, 60, OWN_FRAME, DONE, 0 } } },
	{ "1518 bytes", "w0=48 r0=2f3 tx=1", { { BUF, 1518, OWN_FRAME, DONE, 0 } } },
	{ "1519 are sent, but babble",
	  "w0=48 r0=c2f3 tx=1", { { BUF, 1519, OWN_FRAME, DONE, 0 } } },
	{ "4092 are", "w0=48 r0=c2f3 tx=1", { { BUF, 4092, OWN_FRAME, DONE, 0 } } },
	{ "4093 are not", "w0=48 r0=c2f3 tx=0", { { BUF, 4093, OWN_FRAME, DONE, 0 } } },
	{ "more than that in a chain", "w0=48 r0=c2f3 tx=0",
	  { { BUF, 4095, OWN | STP, STP, 0 }, { BUF, 4095, OWN, 0, 0 },
	    { BUF, 4095, OWN, 0, 0 }, { BUF, 4095, OWN | ENP, ENP, 0 } } },
	{ "4092 in a chain", "w0=48 r0=c2f3 tx=1",
	  { { BUF, 4000, OWN | STP, STP, 0 }, { BUF, 92, OWN | ENP, ENP, 0 } } },
	{ "no end and no more descriptors", "w0=48 r0=2e3 tx=0 w0=4 w0=42 r0=72",
	  { { BUF, 60, OWN | STP, STP, 0 },
	    { BUF, 60, OWN, LANCE_MD_ERR, BROKEN } } },
	{ "the same, and go on", "w3=40 w0=48 r0=2f3 tx=0",
	  { { BUF, 60, OWN | STP, STP | LANCE_MD_ERR, BROKEN } } },
	{ "no end in the whole ring", "w0=48 r0=2e3 tx=0",
	  { { BUF, 60, OWN | STP, STP, 0 }, { BUF, 60, OWN, 0, 0 },
	    { BUF, 60, OWN, 0, 0 }, { BUF, 60, OWN, LANCE_MD_ERR, BROKEN } } },
	{ "no beginning: the buffer is skipped", "w0=48 r0=2f3 tx=1",
	  { { BUF, 60, OWN | ENP, ENP, 0 }, { BUF, 60, OWN, 0, 0 },
	    { BUF, 60, OWN_FRAME, DONE, 0 } } },
	{ "a buffer outside RAM", "w0=48 r0=8ae3 tx=0",
	  { { RAM_SIZE - 4, 60, OWN_FRAME, DONE | LANCE_MD_ERR, LANCE_TMD2_UFLO } } },
	{ "the same with DXSUFLO, and the next", "w3=40 w0=48 r0=8af3 tx=1",
	  { { 0xf0000000, 60, OWN_FRAME, DONE | LANCE_MD_ERR, LANCE_TMD2_UFLO },
	    { BUF, 60, OWN_FRAME, DONE, 0 } } },
	{ "a buffer over the end of the address space", "w0=48 r0=8ae3 tx=0",
	  { { 0xfffffff0, 60, OWN_FRAME, DONE | LANCE_MD_ERR, LANCE_TMD2_UFLO } } },
	{ "no cable", "link=0 w0=48 r0=2f3 tx=0",
	  { { BUF, 60, OWN_FRAME, DONE | LANCE_MD_ERR, LANCE_TMD2_LCAR } } },
	{ "a second STP is not looked at", "w0=48 r0=2f3 tx=1",
	  { { BUF, 60, OWN | STP, STP, 0 }, { BUF, 60, OWN_FRAME, DONE, 0 } } },
	{ "stale status bits go", "w0=48 r0=2f3 tx=1", { { BUF, 60, 0xdf80, DONE, 0 } } },
};

static void test_bad(void **state)
{
	for (unsigned int k = 0; k < WS_ARRAY_SIZE(bads); k++) {
		const struct bad *b = &bads[k];

		nic_rule = b->rule;
		nic_start(&nic, 2);
		for (unsigned int i = 0; i < 4 && b->desc[i].status; i++)
			nic_set_desc(&nic, TX_RING, i, b->desc[i].addr, b->desc[i].len,
				     b->desc[i].status);
		nic_play(&nic, b->script);
		for (unsigned int i = 0; i < 4 && b->desc[i].status; i++) {
			nic_expect(b->script, "status", nic_status(&nic, TX_RING, i),
				   b->desc[i].after);
			nic_expect(b->script, "message", nic_message(&nic, TX_RING, i),
				   b->desc[i].message);
		}
	}
	nic_rule = "";
}

/* Style 0 has the upper half of TMD2 in its last word. */
static void test_bad_narrow(void **state)
{
	nic_start(&nic, 0);
	nic_give_tx(&nic, 0, 60, OWN | STP);
	nic_play(&nic, "w0=48 r0=2e3");
	assert_int_equal(nic_status(&nic, TX_RING, 0), STP | LANCE_MD_ERR);
	assert_int_equal(nic_message(&nic, TX_RING, 0), BROKEN);
	/* CSR2's upper byte is bits 31:24 of a buffer's address. */
	nic_power_on(&nic);
	memset(nic.top + 0x800, 0x5a, 60);
	nic_set_desc(&nic, TX_RING, 0, 0xfff800, 60, OWN_FRAME);
	nic_play(&nic, "w2=ff00 w30=4000 w31=1 w76=ffff w78=ffff w0=42 tx=1");
	assert_int_equal(nic.sent[0].data[59], 0x5a);
}

/* Rings where no RAM is, or only some, or around 4 GiB, or of odd lengths. */
static void test_rings(void **state)
{
	nic_start(&nic, 2);
	nic_play(&nic, "w0=4 w30=0 w31=7fff w0=42 r0=88f2 w0=848 r0=88f2");
	nic_play(&nic, "poll r0=88f2 w0=4 w31=1 w30=4000 w0=42 r0=72");
	/* The second descriptor is not RAM; the one after the end is. */
	nic_play(&nic, "w0=4 w30=fff0 w31=f w78=fff0 pffff0.4=60000 pffff4.4=8300ffc4 w0=42 "
		       "tx=1 r0=8af2 gffff4.4=300ffc4");
	/* From FFFFFFF0h the ring goes on at 0. */
	nic_poke(&nic, 0xfffffff0, 4, TX_BUFFER(0));
	nic_poke(&nic, 0xfffffff4, 4, 0x8300ffc4);
	nic_play(&nic, "w0=4 w30=fff0 w31=ffff w78=fffe p0.4=60000 p4.4=8300ffc4 w0=42 tx=2 "
		       "r0=2f2 g4.4=300ffc4");
	/* Three descriptors. */
	nic_play(&nic, "w0=4 w30=4000 w31=1 w78=fffd w0=42 r0=72");
	for (unsigned int i = 0; i < 20; i++) {
		nic_give_tx(&nic, i % 3, 60, OWN_FRAME);
		nic_play(&nic, "w0=48 tx=1");
	}
	/* A ring that is not aligned to its descriptors: a driver has such a one. */
	nic_play(&nic, "w0=4 w30=4004 p14004.4=60000 p14008.4=8300ffc4 w0=42 tx=1 "
		"g14008.4=300ffc4");
}

/* Work is bounded: a long ring of buffers without an end, or without a beginning. */
static void test_bounds(void **state)
{
	nic_start(&nic, 2);
	nic_play(&nic, "w0=4 w78=fe00 w3=40 w4=1115");
	for (unsigned int i = 0; i < 512; i++)
		nic_set_desc(&nic, TX_RING, i, BUF, 1, OWN | STP);
	nic.reads = 0;
	nic_play(&nic, "w0=42 tx=0");
	assert_int_equal(nic.kinds[LANCE_TX_BROKEN], 512 / LANCE_TX_CHAIN);
	assert_true(nic.reads < 4 * 512);
	nic_play(&nic, "w0=4");
	for (unsigned int i = 0; i < 512; i++)
		nic_set_desc(&nic, TX_RING, i, BUF, 1, OWN);
	nic.reads = 0;
	nic_play(&nic, "w0=42 tx=0");
	assert_int_equal(nic.kinds[LANCE_TX_STRAY], 2 * LANCE_TX_BUDGET);
	assert_true(nic.reads <= 6 * LANCE_TX_BUDGET);
	/* As many buffers as there may be. */
	nic_play(&nic, "w0=4");
	for (unsigned int i = 0; i < LANCE_TX_CHAIN; i++)
		nic_set_desc(&nic, TX_RING, i, BUF + i, 1,
			     OWN | (i ? 0 : STP) | (i == LANCE_TX_CHAIN - 1 ? ENP : 0));
	nic_set_desc(&nic, TX_RING, LANCE_TX_CHAIN, BUF, 1, 0);
	nic_play(&nic, "w0=42 tx=1");
	assert_int_equal(nic.sent[0].len, LANCE_TX_CHAIN);
}

static void test_padding(void **state)
{
	nic_start(&nic, 2);
	nic_play(&nic, "w4=915");
	memset(nic.sent, 0xff, sizeof(nic.sent));
	nic_give_tx(&nic, 0, 42, OWN_FRAME);
	nic_play(&nic, "w0=48");
	assert_int_equal(nic.sent[0].len, 60);
	assert_memory_equal(nic.sent[0].data, nic.ram + TX_BUFFER(0), 42);
	for (unsigned int i = 42; i < 60; i++)
		assert_int_equal(nic.sent[0].data[i], 0);
	nic_play(&nic, "w4=115");
	nic_give_tx(&nic, 1, 42, OWN_FRAME);
	nic_play(&nic, "w0=48");
	assert_int_equal(nic.sent[1].len, 42);
}

/* TINT and who wants it. TXSTRT is another bit. */
static void test_interrupt(void **state)
{
	static const struct {
		u16 csr5, status;
		bool tint;
	} rows[] = {
		{ 0, 0, true },
		{ LANCE_CSR5_LTINTEN, 0, false },
		{ LANCE_CSR5_LTINTEN, LANCE_TMD_LTINT, true },
		{ LANCE_CSR5_TOKINTD, LANCE_TMD_LTINT, false },
		{ LANCE_CSR5_TOKINTD | LANCE_CSR5_LTINTEN, LANCE_TMD_LTINT, false },
	};

	for (unsigned int i = 0; i < WS_ARRAY_SIZE(rows); i++) {
		nic_start(&nic, 3);
		nic_set_csr(&nic, 5, rows[i].csr5);
		nic_give_tx(&nic, 0, 60, OWN_FRAME | rows[i].status);
		nic_play(&nic, "w0=48 tx=1");
		assert_int_equal(nic_csr(&nic, 0), rows[i].tint ? 0x2f3 : 0x73);
		assert_int_equal(nic_status(&nic, TX_RING, 0), DONE);
		/* One that went wrong always interrupts. */
		nic_play(&nic, "w0=240");
		nic_give_tx(&nic, 1, 60, OWN | STP);
		nic_play(&nic, "w0=48 r0=2e3");
	}
	nic_start(&nic, 2);
	nic_give_tx(&nic, 0, 60, OWN_FRAME);
	nic_play(&nic, "w3=200 w0=48 tx=1 r0=273 irq=0 r4=11d w3=0 r0=2f3 irq=1 w0=240 irq=0 "
		       "w4=111 irq=1 r0=f3 w4=8 irq=0 r4=0");
}

/* The ring is looked at without TDMD, unless the guest does not want it. */
/* Frames that share an interrupt: it comes with the last of a batch, or is fetched. */
static void test_moderation(void **state)
{
	nic_start(&nic, 3);
	nic.l.batch = 3;
	for (unsigned int i = 0; i < 4; i++) {
		nic_give_tx(&nic, i, 60, OWN_FRAME);
		nic_play(&nic, "w0=48 tx=1");
		assert_int_equal(nic_status(&nic, TX_RING, i), DONE);
		assert_int_equal(nic.irq, i >= 2);
	}
	assert_int_equal(nic.pulses, 1);

	/* A driver that asks is told, and so is one that is asked to. */
	nic_play(&nic, "r0=2f3 w0=242 r0=73 irq=0");
	nic_give_tx(&nic, 0, 60, OWN_FRAME);
	nic_play(&nic, "w0=48 tx=1 irq=0");
	lance_tint(&nic.l);
	nic_settle(&nic);
	nic_play(&nic, "irq=1 r0=2f3 w0=242 irq=0");
	lance_tint(&nic.l);
	nic_settle(&nic);
	nic_play(&nic, "irq=0");

	/* An error does not wait. */
	nic_give_tx(&nic, 1, 60, LANCE_MD_OWN);
	nic_give_tx(&nic, 2, 60, LANCE_MD_OWN | LANCE_MD_STP);
	nic_play(&nic, "w0=48 irq=1");

	/* What is due does not outlive STOP. */
	nic_start(&nic, 3);
	nic.l.batch = 3;
	nic_give_tx(&nic, 0, 60, OWN_FRAME);
	nic_play(&nic, "w0=48 tx=1 irq=0 w0=4 r0=4");
	lance_tint(&nic.l);
	nic_settle(&nic);
	nic_play(&nic, "r0=4");
	nic.l.batch = 0;
}

/* A driver may be told later that has its frame back, and has cleared the address. */
static void test_taken(void **state)
{
	for (unsigned int style = 0; style < 4; style++) {
		bool wide = style;	/* in 8 bytes the address shares a word with OWN */

		nic_start(&nic, style);
		nic.l.batch = 3;
		nic_give_tx(&nic, 0, 60, OWN_FRAME);
		nic_play(&nic, "w0=48 tx=1");
		assert_false(lance_tx_taken(&nic.l));
		nic_set_desc(&nic, TX_RING, 0, 0, 60, 0);
		assert_int_equal(lance_tx_taken(&nic.l), wide);
		nic_give_tx(&nic, 0, 60, OWN_FRAME);
		assert_int_equal(lance_tx_taken(&nic.l), wide);
		nic_give_tx(&nic, 0, 60, 0);
		assert_false(lance_tx_taken(&nic.l));

		/* At address 0 it could not be told from one that was taken: it does not wait. */
		nic_set_desc(&nic, TX_RING, 1, 0, 60, OWN_FRAME);
		nic_play(&nic, "irq=0 w0=48 tx=1 irq=1");
	}
	nic.l.batch = 0;
}

/* And one that has masked its interrupts cannot be told. */
static void test_masked(void **state)
{
	nic_start(&nic, 2);
	nic_play(&nic, "w0=40");
	assert_false(lance_tint_masked(&nic.l));
	nic_play(&nic, "w3=200");
	assert_true(lance_tint_masked(&nic.l));
	nic_play(&nic, "w3=400");
	assert_false(lance_tint_masked(&nic.l));
	nic_play(&nic, "w0=0");
	assert_true(lance_tint_masked(&nic.l));
}

static void test_waiting(void **state)
{
	nic_start(&nic, 3);
	nic.lazy = true;
	assert_int_equal(lance_tx_waiting(&nic.l, 9), 0);
	nic_give_tx(&nic, 0, 60, OWN_FRAME);
	nic_give_tx(&nic, 1, 60, OWN | STP);
	assert_int_equal(lance_tx_waiting(&nic.l, 9), 1);
	nic_give_tx(&nic, 2, 60, OWN | ENP);
	nic_give_tx(&nic, 3, 60, OWN_FRAME);
	assert_int_equal(lance_tx_waiting(&nic.l, 9), 3);
	assert_int_equal(lance_tx_waiting(&nic.l, 2), 2);
	nic_play(&nic, "w0=4");
	assert_int_equal(lance_tx_waiting(&nic.l, 9), 0);
	nic.lazy = false;
}

static void test_poll(void **state)
{
	nic_start(&nic, 2);
	nic_give_tx(&nic, 0, 60, OWN_FRAME);
	nic_play(&nic, "r0=73 tx=0 poll tx=1 r0=2f3");
	nic_give_tx(&nic, 1, 60, OWN_FRAME);
	nic_play(&nic, "w4=1115 poll tx=0 w0=48 tx=1");
	/* STRT looks as well. */
	nic_play(&nic, "w0=4");
	nic_give_tx(&nic, 0, 60, OWN_FRAME);
	nic_play(&nic, "w0=2 tx=1");
}

/* STRT goes back to the ring's base. */
static void test_restart(void **state)
{
	nic_start(&nic, 2);
	nic_give_tx(&nic, 0, 60, OWN_FRAME);
	nic_play(&nic, "w0=48 tx=1 w0=4");
	nic_give_tx(&nic, 0, 61, OWN_FRAME);
	nic_play(&nic, "w0=42 tx=1 r74=fffd");
	/* And so does INIT. */
	nic_play(&nic, "w0=4 r74=fffd w0=1 r74=fffc w0=4");
	/* Not transmitting, without TXON. */
	nic_play(&nic, "w0=4 w15=2 w0=42 r0=62");
	nic_give_tx(&nic, 0, 60, OWN_FRAME);
	nic_play(&nic, "w0=48 r0=62 poll tx=0");
}

static void test_suspend(void **state)
{
	nic_start(&nic, 2);
	nic_give_tx(&nic, 0, 60, OWN_FRAME);
	nic_play(&nic, "w0=48 tx=1 w5=1 r5=1");
	nic_give_tx(&nic, 1, 60, OWN_FRAME);
	nic_play(&nic, "w0=48 tx=0 poll tx=0 w5=0 tx=1 r0=2f3 r74=fffe");
	/* The same without bus mastering. */
	nic_play(&nic, "dma=0");
	nic_give_tx(&nic, 2, 60, OWN_FRAME);
	nic_play(&nic, "w0=48 tx=0 dma=1 tx=1");
}

/* Frames that the shell keeps for a while: in order, and STOP takes them all back. */
static void test_outstanding(void **state)
{
	static struct lance_tx tx[4];
	struct lance_state saved;

	nic_start(&nic, 2);
	nic.lazy = true;
	for (unsigned int i = 0; i < 4; i++)
		nic_give_tx(&nic, i, 60 + i, OWN_FRAME);
	demand();
	nic_play(&nic, "r0=7b");
	assert_true(lance_tx_pending(&nic.l));
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(lance_tx_next(&nic.l, &tx[i]), LANCE_TX_SEND);
	/* All are with the shell; none is fetched twice. */
	assert_false(lance_tx_pending(&nic.l));
	assert_int_equal(lance_tx_next(&nic.l, &tx[0]), LANCE_TX_NONE);
	nic_play(&nic, "r0=73");
	assert_int_equal(nic_status(&nic, TX_RING, 0), OWN_FRAME);
	/* Out of order is not done. */
	lance_tx_done(&nic.l, &tx[1], true);
	assert_int_equal(nic_status(&nic, TX_RING, 1), OWN_FRAME);
	/* Not suspended before they are back. */
	nic_play(&nic, "w5=1 r5=0 W20=0 R20=302");
	for (unsigned int i = 0; i < 4; i++) {
		lance_tx_done(&nic.l, &tx[i], true);
		assert_int_equal(nic_status(&nic, TX_RING, i), DONE);
	}
	nic_settle(&nic);
	nic_play(&nic, "r5=1 w5=0");

	/* What is not sent waits until what is outstanding is back. */
	nic_give_tx(&nic, 0, 60, OWN_FRAME);
	nic_give_tx(&nic, 1, 0, OWN_FRAME);
	assert_int_equal(lance_tx_next(&nic.l, &tx[0]), LANCE_TX_SEND);
	assert_int_equal(lance_tx_next(&nic.l, &tx[1]), LANCE_TX_BUSY);
	lance_tx_done(&nic.l, &tx[0], true);
	assert_int_equal(lance_tx_next(&nic.l, &tx[1]), LANCE_TX_EMPTY);
	lance_tx_done(&nic.l, &tx[1], true);
	nic_settle(&nic);

	/* STOP: the descriptors are the guest's business again. */
	nic_play(&nic, "w0=4 w0=42");
	nic_give_tx(&nic, 0, 60, OWN_FRAME);
	assert_int_equal(lance_tx_next(&nic.l, &tx[0]), LANCE_TX_SEND);
	nic_play(&nic, "w0=4 w0=42");
	lance_tx_done(&nic.l, &tx[0], true);
	nic_settle(&nic);
	assert_int_equal(nic_status(&nic, TX_RING, 0), OWN_FRAME);
	nic_play(&nic, "r0=72");

	/* Another state is another chip, too. */
	assert_int_equal(lance_tx_next(&nic.l, &tx[0]), LANCE_TX_SEND);
	lance_get(&nic.l, &saved);
	assert_int_equal(lance_set(&nic.l, &saved), 0);
	lance_tx_done(&nic.l, &tx[0], true);
	assert_int_equal(nic_status(&nic, TX_RING, 0), OWN_FRAME);
	nic_settle(&nic);
}

/* What a shell remembers of a frame: no more than it has to, which ASan watches. */
static struct lance_tx *fetch(void)
{
	struct lance_tx tx, *kept;
	size_t size;

	assert_int_equal(lance_tx_next(&nic.l, &tx), LANCE_TX_SEND);
	size = offsetof(struct lance_tx, frag[tx.count]);
	kept = malloc(size);
	assert_non_null(kept);
	memcpy(kept, &tx, size);
	return kept;
}

static void hand_back(struct lance_tx *tx)
{
	lance_tx_done(&nic.l, tx, true);
	free(tx);
	nic_settle(&nic);
}

/* Up to three frames are out while the next ones come: around the ring, for long. */
static void test_in_flight(void **state)
{
	for (unsigned int style = 0; style < 4; style++) {
		struct lance_tx *out[3];

		nic_start(&nic, style);
		nic.lazy = true;
		for (unsigned int i = 0; i < 40; i++) {
			if (i >= 3) {
				/* The oldest one is still the chip's; then it is the guest's. */
				assert_int_equal(nic_status(&nic, TX_RING, (i - 3) % 4), OWN_FRAME);
				hand_back(out[i % 3]);
				assert_int_equal(nic_status(&nic, TX_RING, (i - 3) % 4), DONE);
			}
			nic_give_tx(&nic, i % 4, 60 + i, OWN_FRAME);
			out[i % 3] = fetch();
			assert_int_equal(out[i % 3]->len, 60 + i);
			assert_int_equal(out[i % 3]->frag[0].addr, TX_BUFFER(i % 4));
			assert_false(lance_tx_pending(&nic.l));
		}
		for (unsigned int i = 40; i < 43; i++)
			hand_back(out[i % 3]);
		nic_play(&nic, "r0=2f3");
	}
}

/* The same with frames in two buffers, in a ring that has room for no more than two. */
static void test_in_flight_chains(void **state)
{
	struct lance_tx *first, *second, tx;

	nic_start(&nic, 2);
	nic.lazy = true;
	for (unsigned int i = 0; i < 4; i++)
		nic_give_tx(&nic, i, 40 + i, OWN | (i & 1 ? ENP : STP));
	first = fetch();
	second = fetch();
	assert_int_equal(first->len, 81);
	assert_int_equal(second->len, 85);
	assert_int_equal(lance_tx_next(&nic.l, &tx), LANCE_TX_NONE);
	hand_back(first);
	assert_int_equal(nic_status(&nic, TX_RING, 1), ENP);
	assert_int_equal(nic_status(&nic, TX_RING, 2), OWN | STP);
	/* Behind the end of the ring goes on what its beginning has. */
	nic_give_tx(&nic, 0, 50, OWN_FRAME);
	first = fetch();
	assert_int_equal(first->len, 50);
	hand_back(second);
	hand_back(first);
	assert_int_equal(nic_status(&nic, TX_RING, 3), ENP);
	assert_int_equal(nic_status(&nic, TX_RING, 0), DONE);
}

/* A frame that cannot be taken now stays where it is, and is the next one. */
static void test_unfetch(void **state)
{
	struct lance_tx *first, *second;

	nic_start(&nic, 3);
	nic.lazy = true;
	nic_give_tx(&nic, 0, 60, OWN_FRAME);
	nic_give_tx(&nic, 1, 61, OWN_FRAME);
	first = fetch();
	second = fetch();
	lance_tx_unfetch(&nic.l, second);
	free(second);
	assert_true(lance_tx_pending(&nic.l));
	second = fetch();
	assert_int_equal(second->len, 61);
	lance_tx_unfetch(&nic.l, second);
	free(second);
	hand_back(first);
	assert_int_equal(nic_status(&nic, TX_RING, 1), OWN_FRAME);
	/* After STOP there is nothing to be left. */
	second = fetch();
	nic_play(&nic, "w0=4 w0=42");
	lance_tx_unfetch(&nic.l, second);
	free(second);
	nic_give_tx(&nic, 0, 70, OWN_FRAME);
	second = fetch();
	assert_int_equal(second->len, 70);
	hand_back(second);
	assert_int_equal(nic_status(&nic, TX_RING, 0), DONE);
}

/* STOP with frames out: what comes back of them later is not taken for new ones. */
static void test_stop_in_flight(void **state)
{
	static const char *const ends[] = { "w0=4", "w0=4 w0=1", "i14.2=0", "reset" };

	for (unsigned int k = 0; k < WS_ARRAY_SIZE(ends); k++) {
		struct lance_tx *old[2], *new;

		nic_start(&nic, 2);
		nic.lazy = true;
		for (unsigned int i = 0; i < 2; i++) {
			nic_give_tx(&nic, i, 60, OWN_FRAME);
			old[i] = fetch();
		}
		nic_play(&nic, ends[k]);
		nic_play(&nic, "w0=4 W20=2 w1=0 w2=1 w0=1 r0=181 w0=142 r0=73");
		nic_give_tx(&nic, 0, 80, OWN_FRAME);
		new = fetch();
		hand_back(old[0]);
		hand_back(old[1]);
		assert_int_equal(nic_status(&nic, TX_RING, 0), OWN_FRAME);
		assert_int_equal(nic_status(&nic, TX_RING, 1), OWN_FRAME);
		nic_play(&nic, "r0=73");
		hand_back(new);
		assert_int_equal(nic_status(&nic, TX_RING, 0), DONE);
	}
}

/* To the chip itself, with a real FCS, and past the address filter. */
static void test_loopback(void **state)
{
	for (unsigned int style = 0; style < 4; style++) {
		nic_init(&nic, style, LANCE_CSR15_LOOP | LANCE_CSR15_INTL);
		nic_give_rx(&nic, 4, BUFFER_SIZE);
		nic_play(&nic, "w0=42 r0=73");
		for (unsigned int i = 0; i < 2; i++) {
			nic_give_tx(&nic, i, 75, OWN_FRAME);
			memcpy(nic.ram + TX_BUFFER(i), nic_mac, 6);
		}
		nic.ram[TX_BUFFER(1)] = 2;	/* somebody else's */
		demand();
		nic_play(&nic, "r0=6f3 tx=0");
		assert_memory_equal(nic.ram + RX_BUFFER(0), nic.ram + TX_BUFFER(0), 75);
		assert_int_equal(nic_message(&nic, RX_RING, 0), 79);
		assert_int_equal(nic_peek(&nic, RX_BUFFER(0) + 75, 4),
				 lance_fcs(nic.ram + TX_BUFFER(0), 75));
		assert_int_equal(nic_status(&nic, RX_RING, 0),
				 DONE | (style ? LANCE_RMD_PAM : 0));
		assert_int_equal(nic_status(&nic, RX_RING, 1), OWN);
		assert_int_equal(nic_status(&nic, TX_RING, 1), DONE);
		/* The wire is not heard. */
		assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_FILTERED);
		assert_false(lance_can_receive(&nic.l));
	}
}

/* DXMTFCS, and how a descriptor says otherwise. */
static void test_loopback_fcs(void **state)
{
	static const struct {
		unsigned int style;
		u16 status, mode;
		bool appended;
	} rows[] = {
		{ 2, 0, 0, true }, { 2, LANCE_TMD_ADD_FCS, 0, true },
		{ 2, 0, LANCE_CSR15_DXMTFCS, false },
		{ 3, LANCE_TMD_ADD_FCS, LANCE_CSR15_DXMTFCS, true },
		{ 0, LANCE_TMD_ADD_FCS, LANCE_CSR15_DXMTFCS, true },
		{ 1, 0, 0, true }, { 1, LANCE_TMD_ADD_FCS, 0, false },
		{ 1, LANCE_TMD_ADD_FCS, LANCE_CSR15_DXMTFCS, false },
	};

	for (unsigned int i = 0; i < 2 * WS_ARRAY_SIZE(rows); i++) {
		bool good = i & 1;
		u16 status = DONE | (rows[i / 2].style ? LANCE_RMD_PAM : 0);
		u32 fcs;

		nic_init(&nic, rows[i / 2].style, LANCE_CSR15_LOOP | rows[i / 2].mode);
		nic_give_rx(&nic, 4, BUFFER_SIZE);
		nic_give_tx(&nic, 0, 64, OWN_FRAME | rows[i / 2].status);
		memcpy(nic.ram + TX_BUFFER(0), nic_mac, 6);
		fcs = lance_fcs(nic.ram + TX_BUFFER(0), 60);
		nic_poke(&nic, TX_BUFFER(0) + 60, 4, good ? fcs : fcs ^ 0x10000);
		nic_play(&nic, "w0=42");
		assert_int_equal(nic_message(&nic, RX_RING, 0), rows[i / 2].appended ? 68 : 64);
		if (!rows[i / 2].appended && !good)
			status |= LANCE_MD_ERR | LANCE_RMD_CRC;
		assert_int_equal(nic_status(&nic, RX_RING, 0), status);
	}
	/* With padding there is an FCS, whatever the guest says. */
	nic_init(&nic, 2, LANCE_CSR15_LOOP | LANCE_CSR15_DXMTFCS);
	nic_give_rx(&nic, 4, BUFFER_SIZE);
	nic_give_tx(&nic, 0, 20, OWN_FRAME);
	memcpy(nic.ram + TX_BUFFER(0), nic_mac, 6);
	nic_play(&nic, "w4=915 w0=42");
	assert_int_equal(nic_message(&nic, RX_RING, 0), 64);
}

static void test_loopback_bad(void **state)
{
	/* No buffer: missed. */
	nic_init(&nic, 2, LANCE_CSR15_LOOP);
	nic_give_tx(&nic, 0, 64, OWN_FRAME);
	memcpy(nic.ram + TX_BUFFER(0), nic_mac, 6);
	nic_play(&nic, "w0=42 r0=92f3 r112=1 w4=1115");
	assert_false(lance_needs_poll(&nic.l));
	/* No receiver; too short; too long; memory that is none. */
	nic_init(&nic, 2, LANCE_CSR15_LOOP | LANCE_CSR15_DRX);
	nic_give_tx(&nic, 0, 64, OWN_FRAME);
	nic_play(&nic, "w0=42 r0=2d3");
	nic_init(&nic, 2, LANCE_CSR15_LOOP | LANCE_CSR15_PROM);
	nic_give_rx(&nic, 4, 4000);
	nic_give_tx(&nic, 0, 13, OWN_FRAME);
	nic_give_tx(&nic, 1, 4092, OWN_FRAME);
	nic_give_tx(&nic, 2, 4091, OWN_FRAME);
	nic_set_desc(&nic, TX_RING, 3, 0xe0000000, 64, OWN_FRAME);
	nic_play(&nic, "w0=42 r0=cee3");
	/* 4095 bytes with the FCS fit into two buffers of 4000; 4092 do not count. */
	assert_int_equal(nic_message(&nic, RX_RING, 1), 4095);
	assert_int_equal(nic_status(&nic, RX_RING, 2), OWN);
}

/* Collisions as the guest orders them, to test its driver. */
static void test_collision(void **state)
{
	nic_init(&nic, 2, LANCE_CSR15_LOOP | LANCE_CSR15_INTL | LANCE_CSR15_FCOLL);
	nic_give_rx(&nic, 4, BUFFER_SIZE);
	nic_give_tx(&nic, 0, 64, OWN_FRAME);
	nic_play(&nic, "w0=42 r0=2f3");
	assert_int_equal(nic_message(&nic, TX_RING, 0), LANCE_TMD2_RTRY | 15);
	assert_int_equal(nic_status(&nic, TX_RING, 0), DONE | LANCE_MD_ERR);
	nic_init(&nic, 2, LANCE_CSR15_LOOP | LANCE_CSR15_FCOLL | LANCE_CSR15_DRTY);
	nic_give_tx(&nic, 0, 64, OWN_FRAME);
	nic_play(&nic, "w0=42 r0=2f3");
	assert_int_equal(nic_message(&nic, TX_RING, 0), LANCE_TMD2_RTRY);
}

/*
 * A frame goes out in an address space that is not the chip's any more when it
 * is handed back: what is fetched is what counts.
 */
static void test_double_fetch(void **state)
{
	struct lance_tx tx;
	u8 buf[LANCE_TX_MAX];

	nic_start(&nic, 2);
	nic.lazy = true;
	nic_give_tx(&nic, 0, 100, OWN_FRAME);
	demand();
	assert_int_equal(lance_tx_next(&nic.l, &tx), LANCE_TX_SEND);
	nic_set_desc(&nic, TX_RING, 0, 0xffffffff, 4095, 0);
	assert_int_equal(tx.len, 100);
	assert_int_equal(tx.frag[0].addr, TX_BUFFER(0));
	assert_true(lance_tx_copy(&nic.l, &tx, buf));
	assert_memory_equal(buf, nic.ram + TX_BUFFER(0), 100);
	lance_tx_done(&nic.l, &tx, true);
	assert_int_equal(nic_status(&nic, TX_RING, 0), DONE);
	nic_settle(&nic);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_first_last),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bad_narrow),
		cmocka_unit_test(test_rings),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_moderation),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_masked),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_poll),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_suspend),
		cmocka_unit_test(test_outstanding),
		cmocka_unit_test(test_in_flight),
		cmocka_unit_test(test_in_flight_chains),
		cmocka_unit_test(test_unfetch),
		cmocka_unit_test(test_stop_in_flight),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_loopback_fcs),
		cmocka_unit_test(test_loopback_bad),
		cmocka_unit_test(test_collision),
		cmocka_unit_test(test_double_fetch),
	};

	return cmocka_run_group_tests_name("lance_tx", tests, NULL, NULL);
}
