// SPDX-License-Identifier: GPL-2.0-only
/* The Lance's registers: sizes, resets, what can be written, interrupts, state. */
#include "lance.h"

static struct nic nic;

struct row {
	const char *rule;
	const char *script;
};

static void play_rows(const struct row *rows, unsigned int n, void (*before)(struct nic *))
{
	for (unsigned int i = 0; i < n; i++) {
		nic_rule = rows[i].rule;
		before(&nic);
		nic_play(&nic, rows[i].script);
	}
	nic_rule = "";
}

#define PLAY(rows, before)	play_rows(rows, WS_ARRAY_SIZE(rows), before)

static const struct row sizes[] = {
	{ "address PROM by bytes",
	  "i0.1=52 i1.1=54 i5.1=56 i6.1=0 i9.1=11 ic.1=1 id.1=2 ie.1=57 if.1=57" },
	{ "address PROM by words", "i0.2=5452 i8.2=1100 ic.2=201 ie.2=5757" },
	{ "wrong sizes read all ones",
	  "i0.4=ffffffff i10.4=ffffffff i14.4=ffffffff i10.1=ff i14.1=ff i1f.1=ff" },
	{ "other offsets read all ones", "i1.2=ffff i11.2=ffff i18.2=ffff i1e.2=ffff" },
	{ "a byte written to the registers is lost", "o12.1=3 i12.2=0 o10.1=1 r0=4" },
	{ "RAP has seven bits", "o12.2=ffff i12.2=7f o12.2=58 i12.2=58" },
	{ "the address PROM is not written", "o0.1=1 i0.1=52 o2.2=1 i2.2=1200" },
	{ "but with APROMWE", "W2=102 o0.1=1 i0.1=1 o2.2=708 i2.1=8 i3.1=7 W2=2 o0.1=2 i0.1=1" },
	{ "a soft reset loads PADR from it", "W2=102 o0.2=5566 i14.2=0 r12=5566 r13=1200" },
	{ "a write to RESET does nothing", "w8=1 o14.2=0 r8=1" },
	{ "a read of it with the wrong size, too", "w8=1 i14.1=ff i14.4=ffffffff r8=1" },
	{ "a read of it clears RAP", "w8=1 i14.2=0 i12.2=0 r8=0" },
	{ "32 bits to RDP switch the size, and are lost", "o10.4=4 o10.4=1 i10.4=181" },
	{ "DWIO: registers have other offsets",
	  "o10.4=0 o14.4=58 i14.4=58 i10.4=2621003 o14.4=14 i1c.4=200" },
	{ "DWIO: the address PROM by dwords",
	  "o10.4=0 i0.4=12005452 i4.4=5634 i8.4=1100 ic.4=57570201" },
	{ "DWIO: wrong sizes",
	  "o10.4=0 i0.1=ff i0.2=ffff i10.2=ffff i14.2=ffff i18.1=ff i11.4=ffffffff" },
	{ "DWIO: writes of the wrong size are lost", "o10.4=0 o14.4=3 o14.2=5 o14.1=5 i14.4=3" },
	{ "DWIO shows in BCR18, and cannot be written there",
	  "R18=9001 W18=9081 R18=9001 o10.4=0 R18=9081 W18=9061 R18=90e1" },
	{ "DWIO is kept by a soft reset", "o10.4=0 w8=1 i18.4=0 i14.4=0 r8=0" },
	{ "DWIO is left by a hard one", "o10.4=0 reset i12.2=0 r0=4" },
	{ "DWIO: APROMWE", "o10.4=0 W2=102 o0.4=4030201 i0.4=4030201" },
	{ "32 bits elsewhere do not switch", "o14.4=0 o0.4=0 o1c.4=0 i10.2=4" },
};

static void test_sizes(void **state)
{
	PLAY(sizes, nic_power_on);
}

/* After a soft reset, and after a hard one. */
static const char reset_values[] =
	"i12.2=0 r0=4 r3=0 r4=115 r5=0 r8=0 r9=0 r10=0 r11=0 r12=5452 r13=1200 r14=5634 r15=0 "
	"r58=200 r80=d410 r88=1003 r89=262 r100=200 r103=105 r112=0 r114=0 r122=0 r124=0 "
	"R0=5 R1=5 R2=2 R4=80c0 R5=84 R6=88 R7=90 R9=0 R16=0 R17=0 R18=9001 R19=2 R20=200 "
	"R22=ff06 R3=0 R8=0 R21=0 R31=0 R32=0 R33=0 R34=0 R100=0 R127=0";

static const struct row resets[] = {
	{ "hard reset", reset_values },
	{ "hard reset, after all was written",
	  "w1=1 w3=5f00 w4=ffff w5=ffff w8=1 w15=ffff w80=0 w82=1 w100=1 w122=1 w124=18 W2=1002 "
	  "W4=0 W9=1 W18=0 W20=2 w24=1 w76=1 w78=1 reset irq=0 r1=0 r76=ffff r78=ffff r24=0" },
	{ "a soft one keeps the BCRs",
	  "W2=1002 W4=40c0 W9=1 W18=9061 W20=2 i14.2=0 R2=1002 R4=c0c0 R9=1 R18=9061 R20=302" },
	{ "and some CSRs",
	  "w1=12 w2=34 w24=1000 w25=1 w30=2000 w31=2 w47=7 w76=fff0 w78=fff8 i14.2=0 "
	  "r1=12 r2=34 r24=1000 r25=1 r30=2000 r31=2 r47=7 r76=fff0 r78=fff8" },
	{ "but not the others",
	  "w3=5f00 w4=ffff w5=8000 w8=ffff w11=ffff w12=1 w15=ffff w80=0 w82=1 w100=0 w122=1 "
	  "w124=8 i14.2=0 r3=0 r4=115 r5=0 r8=0 r11=0 r12=5452 r15=21c4 r80=d410 r82=0 r100=200 "
	  "r122=0 r124=0" },
	{ "STOP keeps masks, filter and mode",
	  "w1=10 w3=5f00 w4=915 w5=c000 w8=1 w15=80 w0=4 r1=10 r3=5f00 r4=915 r5=c000 r8=1 "
	  "r15=80" },
	{ "STOP clears SPND and what CSR4 reports",
	  "w5=1 r5=1 w4=995 r4=955 w0=4 r5=0 r4=915" },
};

static void test_resets(void **state)
{
	PLAY(resets, nic_power_on);
	nic_power_on(&nic);
	nic_play(&nic, "w0=4 i14.2=0");
	nic_play(&nic, reset_values);
	/* A cause that needs no IENA goes with it (SLPINT and its mask). */
	nic.l.csr[5] = 0x0300;
	nic_play(&nic, "w3=0 irq=1 i14.2=0 irq=0");
}

static const struct row latches[] = {
	{ "CSR1, 2 and their other numbers",
	  "w1=1234 w2=5678 r16=1234 r17=5678 w16=1 w17=2 r1=1 r2=2" },
	{ "CSR3: reserved bits are 0", "w3=ffff r3=5f7f" },
	{ "CSR4: commands and status are not stored", "w4=fd15 r4=fd15 w4=0 r4=0" },
	{ "CSR5", "w5=ffff r5=c56f w5=0 r5=0" },
	{ "CSR8 to CSR15",
	  "w8=1 w9=2 w10=3 w11=4 w12=5 w13=6 w14=7 w15=8 r8=1 r11=4 r12=5 r14=7 r15=8" },
	{ "ring bases", "w24=10 w25=20 w30=30 w31=40 r24=10 r25=20 r30=30 r31=40" },
	{ "ring lengths, in two's complement",
	  "w76=fff0 w78=8000 r76=fff0 r78=8000 r72=fff0 r74=8000" },
	{ "ring length of 0 is not 65536", "w76=0 w78=0 r76=fe00 r78=fe00" },
	{ "ring length 65535", "w76=1 r76=1" },
	{ "positions stay in the ring",
	  "w76=fffc w72=5 r72=fffd w72=ffff r72=ffff w72=fff0 r72=fffc" },
	{ "a shorter ring takes its position along", "w78=fff0 w74=ffff w78=fffe r74=ffff" },
	{ "where the descriptors are",
	  "W20=2 w24=1000 w25=1 w76=fffc w72=ffff r28=1030 r29=1 r26=1000 r27=1" },
	{ "where those to send are", "w30=2000 w31=1 w78=fffe r34=2000 r35=1 r32=2008 r33=1" },
	{ "CSR47, 82, 92, 100", "w47=1 w82=2 w92=3 w100=4 r47=1 r82=2 r92=3 r100=4" },
	{ "CSR80: two bits are 1", "w80=0 r80=c000 w80=ffff r80=ffff" },
	{ "the scratchpad", "w18=1 w23=2 w36=3 w46=4 w60=5 w67=6 w84=7 w86=8 "
	  "r18=1 r23=2 r36=3 r46=4 r60=5 r67=6 r84=7 r86=8" },
	{ "constants", "w6=1 w7=1 w88=1 w89=1 w103=1 w112=1 w114=1 w116=1 w125=1 w127=1 "
	  "r6=0 r7=0 r88=1003 r89=262 r103=105 r112=0 r114=0 r116=0 r125=0 r127=0" },
	{ "CSR122 and 124", "w122=ffff w124=ffff r122=1 r124=18" },
	{ "BCR0, 1, 16, 17, 22 are constants",
	  "W0=1 W1=1 W16=1 W17=1 W22=1 R0=5 R1=5 R16=0 R17=0 R22=ff06" },
	{ "BCR2 and 9", "W2=1002 R2=1002 W9=3 R9=3" },
	{ "BCR4: LEDOUT is the link", "R4=80c0 link=0 R4=c0 link=1 W4=40c0 R4=c0c0 W4=80 R4=80" },
	{ "BCR5 to BCR7 have a bit for it, too", "W5=40 R5=8040 link=0 R5=40" },
	{ "BCR19: no EEPROM answers", "W19=17 R19=16 W19=0 R19=0" },
	{ "styles", "W20=0 R20=200 W20=1 R20=101 W20=2 R20=302 W20=3 R20=303" },
	{ "unknown styles act as style 0", "W20=2 W20=4 R20=200 W20=2 W20=ff R20=200" },
	{ "BCR20 is CSR58", "W20=2 r58=302 w58=403 R20=703" },
	{ "MII does not exist", "W32=2 W33=1 W34=1 R32=0 R33=0 R34=0" },
	{ "nor does BCR124", "W124=1 R124=0 W127=ffff R127=0" },
};

static void test_latches(void **state)
{
	PLAY(latches, nic_power_on);
}

/* While the chip runs, and unless it is suspended, its set-up is not written. */
static const struct row running[] = {
	{ "set-up", "w8=1 w12=1 w15=8000 w24=0 w30=0 w72=0 w76=0 w80=0 w82=1 w100=0 w47=1 "
	  "r8=0 r12=5452 r15=0 r24=1000 r30=4000 r72=fffc r76=fffc r80=d410 r82=0 r100=200 "
	  "r47=0" },
	{ "set-up, when suspended",
	  "w5=1 r5=1 w8=1 w15=8000 r8=1 r15=8000 w24=0 r24=0 w5=0 w8=2 r8=1" },
	{ "style", "W20=3 R20=302 w5=1 W20=3 R20=303" },
	{ "masks are", "w3=5f00 r3=5f00 w4=915 r4=915 w5=4000 r5=4000" },
	{ "INIT and STRT written again do nothing", "w0=43 r0=73 w0=43 r0=73 r112=0" },
	{ "CSR0 written as it was read", "w0=73 r0=73" },
	{ "TDMD goes away by itself", "w0=48 r0=73" },
	{ "STOP clears all", "w0=4 r0=4 irq=0" },
	{ "STOP wins", "w0=47 r0=4" },
	{ "IENA is as it is written", "w0=0 r0=33 w0=40 r0=73" },
	{ "what is not on is not demanded", "w0=4 w0=8 r0=4" },
};

static void start_style_2(struct nic *n)
{
	nic_start(n, 2);
}

static void test_running(void **state)
{
	PLAY(running, start_style_2);
}

static const struct row interrupts[] = {
	{ "IDON, INTR does not ask for IENA", "w0=1 r0=181 irq=0 w0=40 irq=1 w0=0 irq=0" },
	{ "a mask takes INTR away, not the status", "w0=41 irq=1 w3=100 irq=0 r0=141 w3=0 irq=1" },
	{ "what the guest has not seen is not cleared",
	  "w0=41 irq=1 w0=140 irq=1 r0=1c1 w0=140 irq=0" },
	{ "but at the second time", "w0=41 irq=1 w0=140 irq=1 w0=140 irq=0 r0=41" },
	{ "a bit that was cleared has to be seen anew",
	  "w0=1 r0=181 w0=100 r0=1 w0=4 w0=1 w0=100 r0=181" },
	{ "UINTCMD", "w0=40 irq=0 w4=995 r4=955 irq=1 r0=c4 w4=955 r4=915 irq=0" },
	{ "UINT has no mask, but IENA", "w4=95 irq=0 r0=84" },
	{ "INIT and STRT at once: the new mode counts",
	  "w0=3 r0=1b3 w0=4 p10000.4=20200003 w0=3 r0=183" },
	{ "DRX, DTX", "p10000.4=20200001 w0=3 r0=193 w0=4 p10000.4=20200002 w0=3 r0=1a3" },
	{ "an initialization block outside RAM",
	  "w2=7fff w0=41 r0=88c1 irq=1 w0=840 r0=41 irq=0" },
	{ "it may be tried again", "w2=7fff w0=1 r0=8881 w2=1 w0=4 w0=1 r0=181" },
	{ "INIT and STRT with such a block", "w2=7fff w0=3 r0=8883" },
	{ "no DMA, no initialization", "dma=0 w0=1 r0=1 dma=1 r0=181" },
	{ "no DMA, no start either", "dma=0 w0=3 r0=3 dma=1 r0=1b3" },
	{ "STOP forgets INIT", "dma=0 w0=1 w0=4 dma=1 r0=4" },
	{ "reset forgets INIT", "dma=0 w0=1 i14.2=0 dma=1 r0=4" },
	{ "STRT alone is enough", "w24=1000 w25=1 w30=4000 w31=1 w76=fffc w78=fffc w0=42 r0=72" },
};

static void ready_style_2(struct nic *n)
{
	nic_power_on(n);
	nic_play(n, "W20=2 w1=0 w2=1 w4=115");
	nic_init_block(n, 0, 2, 2);
}

static void test_interrupts(void **state)
{
	PLAY(interrupts, ready_style_2);
}

/* Each cause of CSR0 interrupts unless masked; CERR and ERR never do. */
static void test_causes(void **state)
{
	for (unsigned int bit = 8; bit < 15; bit++) {
		bool expected = 1u << bit & LANCE_CSR0_CAUSES;

		nic_start(&nic, 2);
		nic.l.csr[0] |= 1u << bit;
		nic_play(&nic, "w3=5f00 irq=0");
		nic_set_csr(&nic, 3, 0x5f00 & ~(1u << bit));
		assert_int_equal(nic.irq, expected);
		assert_int_equal(!(nic_csr(&nic, 0) & LANCE_CSR0_INTR), !expected);
		nic_set_csr(&nic, 0, 1u << bit | LANCE_CSR0_IENA);
		nic_play(&nic, "irq=0 r0=73");
	}
	/* Status and mask of CSR4, one bit apart; written ones clear the status. */
	for (unsigned int bit = 1; bit <= 9; bit += bit == 3 ? 2 : bit == 5 ? 4 : 2) {
		nic_start(&nic, 2);
		nic.l.csr[4] |= 1u << bit;
		nic_play(&nic, "w4=115 irq=0");
		nic_set_csr(&nic, 4, 0x115 & ~(1u << (bit - 1)));
		assert_int_equal(nic.irq, 1);
		nic_set_csr(&nic, 4, 1u << bit);
		assert_int_equal(nic_csr(&nic, 4), 0);
		assert_int_equal(nic.irq, 0);
	}
	/* Enables of CSR5; two of them do not ask for IENA. */
	for (unsigned int bit = 4; bit <= 11; bit++) {
		if (!(1u << bit & LANCE_CSR5_W1C))
			continue;
		nic_start(&nic, 2);
		nic.l.csr[5] |= 1u << bit;
		nic_play(&nic, "w5=0 irq=0");
		nic_set_csr(&nic, 5, 1u << (bit - 1));
		assert_int_equal(nic.irq, 1);
		nic_set_csr(&nic, 0, 0);
		assert_int_equal(nic.irq, bit == 9 || bit == 11);
		nic_set_csr(&nic, 5, 1u << bit);
		assert_int_equal(nic.irq, 0);
	}
}

/* What both kinds of initialization block make of the registers. */
static void test_init_block(void **state)
{
	static const u16 lens[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 512, 512, 512,
				      512, 512 };

	for (unsigned int log = 0; log < 16; log++) {
		nic_power_on(&nic);
		nic_play(&nic, "W20=2 w2=1");
		nic_init_block(&nic, 0x8180, log, 15 - log);
		nic_poke(&nic, INIT_BLOCK + 4, 1, 0x66);
		for (unsigned int i = 0; i < 8; i++)
			nic_poke(&nic, INIT_BLOCK + 12 + i, 1, i + 1);
		nic_play(&nic, "w0=1 r15=8180 r8=201 r9=403 r10=605 r11=807 r12=5466 r14=5634 "
			       "r24=1000 r25=1 r30=4000 r31=1");
		assert_int_equal(nic_csr(&nic, 76), (u16)-lens[log]);
		assert_int_equal(nic_csr(&nic, 78), (u16)-lens[15 - log]);
		assert_int_equal(nic_csr(&nic, 6), (15 - log) << 12 | log << 8);
		if (log > 7)
			continue;
		nic_power_on(&nic);
		/* CSR2's upper byte is in every address. */
		nic_play(&nic, "w1=0 w2=1");
		nic_init_block(&nic, 0x8180, log, 7 - log);
		nic_poke(&nic, INIT_BLOCK + 2, 1, 0x66);
		nic_poke(&nic, INIT_BLOCK + 8, 4, 0x04030201);
		nic_play(&nic, "w0=1 r15=8180 r8=201 r9=403 r10=0 r12=5466 r14=5634 "
			       "r24=1000 r25=1 r30=4000 r31=1");
		assert_int_equal(nic_csr(&nic, 76), (u16)-lens[log]);
		assert_int_equal(nic_csr(&nic, 78), (u16)-lens[7 - log]);
		assert_int_equal(nic_csr(&nic, 6), (7 - log) << 12 | log << 8);
	}
	/* The lowest bits of an address are not there. */
	nic_play(&nic, "reset w1=1 w2=1 w0=1 r0=181");
	nic_play(&nic, "reset W20=2 w1=3 w2=1 w0=1 r0=181");
	/* The upper byte: a block at the end of the address space. */
	nic_power_on(&nic);
	nic.top[18] = 0x80;
	nic_play(&nic, "w1=f000 w2=ffff w0=1 r0=181 r25=ff80");
}

/* What is kept for a shell: events for the filter, RAP's place. */
static void test_shell(void **state)
{
	u8 mac[6];
	u32 seen;

	lance_init(&nic.l, &nic_bus, &nic, nic_mac);
	assert_int_equal(nic.l.events, 0);
	nic_power_on(&nic);
	assert_int_equal(lance_rap_offset(&nic.l), 0x12);
	assert_int_equal(lance_rap_size(&nic.l), 2);
	lance_set_rap(&nic.l, 0xffff);
	assert_int_equal(nic_in(&nic, 0x12, 2), 0x7f);
	lance_regions[0].write(&nic.l, 0x10, 4, 0);
	assert_int_equal(lance_take_events(&nic.l), LANCE_EV_LATCH);
	assert_int_equal(lance_rap_offset(&nic.l), 0x14);
	assert_int_equal(lance_rap_size(&nic.l), 4);
	/* Reading and writing RAP leaves nothing to do. */
	lance_regions[0].write(&nic.l, 0x14, 4, 3);
	assert_int_equal(lance_regions[0].read(&nic.l, 0x14, 4), 3);
	assert_int_equal(nic.l.events, 0);
	/* A reset changes RAP. */
	lance_read(&nic.l, LANCE_DWIO_RESET, 4);
	assert_int_equal(lance_take_events(&nic.l), LANCE_EV_LATCH | LANCE_EV_FILTER);
	nic_rap(&nic, 0);
	lance_write(&nic.l, LANCE_RDP, 4, LANCE_CSR0_STOP);
	assert_int_equal(lance_take_events(&nic.l), LANCE_EV_FILTER);

	nic_init(&nic, 2, LANCE_CSR15_PROM);
	assert_false(lance_promiscuous(&nic.l));
	seen = nic.filter_events;
	nic_play(&nic, "w0=2");
	assert_true(lance_promiscuous(&nic.l));
	assert_true(nic.filter_events > seen);
	seen = nic.filter_events;
	nic_play(&nic, "w5=1 w12=201 w15=0");
	assert_false(lance_promiscuous(&nic.l));
	assert_true(nic.filter_events > seen);
	lance_get_padr(&nic.l, mac);
	assert_memory_equal(mac, "\x01\x02\x00\x12\x34\x56", 6);
	assert_false(lance_needs_poll(&nic.l));
	nic_play(&nic, "w5=0");
	assert_true(lance_needs_poll(&nic.l));
	nic_play(&nic, "w4=1115");
	assert_false(lance_needs_poll(&nic.l));
}

static void assert_same_state(const struct lance_state *a, const struct lance_state *b)
{
	assert_memory_equal(a, b, sizeof(*a));
}

/* State goes out and in without a change, at every step of random accesses. */
static void test_state(void **state)
{
	static struct nic other;
	struct lance_state s, t;
	uint64_t seed = 1;

	nic_start(&nic, 2);
	for (unsigned int i = 0; i < 20000; i++) {
		u32 reg = unit_random(&seed) & 0x7f;
		u32 val = unit_random(&seed);

		if (i % 1000 == 999)
			nic_start(&nic, i / 1000 & 3);
		nic_set_csr(&nic, reg, val & 0xffff);
		if (!(val & 0x30000)) {
			nic_rap(&nic, reg & 31);
			nic_out(&nic, nic_bdp(&nic), lance_rap_size(&nic.l), val >> 16);
		}
		lance_get(&nic.l, &s);
		nic_power_on(&other);
		assert_int_equal(lance_set(&other.l, &s), 0);
		assert_int_equal(lance_irq(&other.l), lance_irq(&nic.l));
		lance_get(&other.l, &t);
		assert_same_state(&s, &t);
	}
}

/* A state with a wrong byte is refused, or is a state: nothing in between. */
static void test_bad_state(void **state)
{
	struct lance_state good, s, t;
	unsigned int refused = 0;
	uint64_t seed = 7;

	nic_start(&nic, 2);
	lance_get(&nic.l, &good);
	for (unsigned int i = 0; i < sizeof(good) * 16; i++) {
		s = good;
		((u8 *)&s)[i / 16] ^= 1u << (i & 7);
		if (i & 8)
			((u8 *)&s)[i / 16] = unit_random(&seed);
		if (lance_set(&nic.l, &s)) {
			refused++;
			lance_get(&nic.l, &t);
			assert_same_state(&good, &t);
			continue;
		}
		lance_get(&nic.l, &t);
		assert_same_state(&s, &t);
		nic.l.events = 0;
		assert_int_equal(lance_set(&nic.l, &good), 0);
	}
	assert_true(refused > 1000);

#define BAD(change) do {					\
		s = good;					\
		change;						\
		assert_int_equal(lance_set(&nic.l, &s), -WS_EINVAL);	\
	} while (0)
	BAD(s.rx.len = 0);
	BAD(s.tx.len = 65536);
	BAD(s.tx.pos = s.tx.len);
	BAD(s.csr[0] = 0);
	BAD(s.csr[0] = 6);
	BAD(s.csr[0] = 0x31);
	BAD(s.csr[0] = 0xa);
	BAD(s.csr[0] |= LANCE_CSR0_INTR);
	BAD(s.csr[88] = 3);
	BAD(s.bcr[20] = 2);
	BAD(s.bcr[20] = 0x304);
	BAD(s.bcr[32 - 1] = 1);
	BAD(s.rap = 0x80);
	BAD(s.flags = 0x80);
	BAD(s.csr[0] = 0x72; s.flags = LANCE_STATE_INIT);
	BAD(s.seen = 0x200);
	BAD(s.pad[3] = 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_resets),
		cmocka_unit_test(test_latches),
		cmocka_unit_test(test_running),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_init_block),
		cmocka_unit_test(test_shell),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_bad_state),
	};

	return cmocka_run_group_tests_name("lance_regs", tests, NULL, NULL);
}
