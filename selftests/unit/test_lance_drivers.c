// SPDX-License-Identifier: GPL-2.0-only
/*
 * What drivers do, access by access, as it was traced or read in their source,
 * and what they expect to see. The scripts are written as in lance.h.
 */
#include "lance.h"

static struct nic nic;

#define OWN	LANCE_MD_OWN
#define DONE	(LANCE_MD_STP | LANCE_MD_ENP)

static void play_count(const char *script, unsigned int accesses)
{
	unsigned int before = nic.accesses;

	nic_play(&nic, script);
	assert_int_equal(nic.accesses - before, accesses);
}

/* A block in style 2 or 3, with rings of these lengths (logarithms). */
static void rings(u16 mode, unsigned int rlen, unsigned int tlen)
{
	nic_init_block(&nic, mode, rlen, tlen);
	for (unsigned int i = 0; i < 1u << rlen; i++)
		nic_set_desc(&nic, RX_RING, i, RX_BUFFER(i & 15), BUFFER_SIZE, OWN);
	for (unsigned int i = 0; i < 1u << tlen; i++)
		nic_set_desc(&nic, TX_RING, i, 0, 0, 0);
}

/* ---- Linux 6.1, pcnet32: 16-bit accesses, style 2 ---- */

static void linux_open(void)
{
	nic_power_on(&nic);
	play_count("i14.2=0 r0=4 o12.2=58 i12.2=58 r88=1003 r89=262 r12=5452 r13=1200 r14=5634 "
		   "i0.1=52 i1.1=54 i2.1=0 i3.1=12 i4.1=34 i5.1=56 W20=2 w1=0 w2=1 R2=2 W2=1002",
		   31);
	rings(0, 5, 4);
	play_count("i14.2=0 W20=2 R2=1002 W2=1002 R9=0 W9=0 r124=0 w124=0 w8=0 w9=0 w10=0 w11=0 "
		   "w1=0 w2=1 w4=915 w0=1 R4=80c0 r0=181 w0=42", 37);
	/* IDON was left set on purpose. */
	nic_play(&nic, "irq=1");
}

/* The eight accesses of an interrupt, and the six of the end of polling. */
static void linux_interrupt(const char *status, const char *ack)
{
	char script[128];

	snprintf(script, sizeof(script), "r0=%s w0=%s r3=0 w3=5f00 irq=0", status, ack);
	play_count(script, 8);
}

static void linux_napi_done(void)
{
	play_count("r3=5f00 w3=0 w0=40", 6);
}

static void test_linux(void **state)
{
	linux_open();
	linux_interrupt("1f3", "1b0");
	linux_napi_done();
	nic_play(&nic, "irq=0");
	for (unsigned int i = 0; i < 40; i++) {
		unsigned int pulses = nic.pulses;

		nic_give_tx(&nic, i & 15, 60 + i, OWN_FRAME);
		play_count("o12.2=0 o10.2=48 irq=1", 2);
		nic_play(&nic, "tx=1");
		assert_int_equal(nic_status(&nic, TX_RING, i & 15), DONE);
		linux_interrupt("2f3", "2b0");
		linux_napi_done();
		nic_play(&nic, "irq=0");
		assert_int_equal(nic.pulses, pulses + 1);
	}
	/* Received: no access but the interrupt's. */
	for (unsigned int i = 0; i < 40; i++) {
		assert_int_equal(nic_receive(&nic, nic_mac, 60 + i), LANCE_RX_DELIVERED);
		nic_play(&nic, "irq=1");
		linux_interrupt("4f3", "4b0");
		assert_int_equal(nic_message(&nic, RX_RING, i & 31), 64 + i);
		nic_set_desc(&nic, RX_RING, i & 31, RX_BUFFER(i & 15), BUFFER_SIZE, OWN);
		linux_napi_done();
	}
	/* While it polls, sending sets IENA: the masks are what keeps the line low. */
	nic_give_tx(&nic, 40 & 15, 60, OWN_FRAME);
	nic_play(&nic, "w3=5f00 o12.2=0 o10.2=48 irq=0 r0=273 w3=0 irq=1 w0=240 irq=0");
	/* New filters, suspended: 22 accesses. */
	play_count("r5=0 w5=1 r5=1 r15=0 w15=0 w8=ffff w9=ffff w10=ffff w11=ffff r5=1 w5=0", 22);
	/* The watchdog, and the statistics. */
	play_count("R4=80c0", 2);
	play_count("r112=0", 2);
	nic_play(&nic, "link=0");
	play_count("R4=c0", 2);
	play_count("r112=0 w0=4 W20=4", 6);
	nic_play(&nic, "R20=200 r0=4");
}

/* Three frames, then one kick: one interrupt. */
static void test_linux_batch(void **state)
{
	linux_open();
	linux_interrupt("1f3", "1b0");
	linux_napi_done();
	for (unsigned int i = 0; i < 3; i++)
		nic_give_tx(&nic, i, 114, OWN_FRAME);
	nic.pulses = 0;
	nic_play(&nic, "o12.2=0 o10.2=48 tx=3");
	assert_int_equal(nic.pulses, 1);
	linux_interrupt("2f3", "2b0");
}

/* ethtool -t: loopback with STRT only, neither INIT nor TDMD. */
static void test_linux_selftest(void **state)
{
	nic_power_on(&nic);
	nic_play(&nic, "w0=4 i14.2=0 w4=915 W20=2");
	rings(0, 5, 4);
	nic_play(&nic, "w1=0 w2=1 w0=1 r0=181 w0=4");
	for (unsigned int i = 0; i < 4; i++) {
		nic_give_tx(&nic, i, 75, OWN_FRAME);
		memcpy(nic.ram + TX_BUFFER(i), nic_mac, 6);
		memcpy(nic.ram + TX_BUFFER(i) + 6, nic_mac, 6);
	}
	nic_play(&nic, "R32=0 W32=2 r15=0 w15=44 w0=2");
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(nic_status(&nic, RX_RING, i), DONE | LANCE_RMD_PAM);
		assert_memory_equal(nic.ram + RX_BUFFER(i), nic.ram + TX_BUFFER(i), 75);
	}
	nic_play(&nic, "tx=0 r15=44 w0=4 w15=0");
}

/* ---- Linux 2.4: twelve accesses for a frame ---- */

static void test_linux_2_4(void **state)
{
	linux_open();
	nic_play(&nic, "r0=1f3 w0=140");
	for (unsigned int i = 0; i < 20; i++) {
		nic_give_tx(&nic, i & 15, 60, OWN_FRAME);
		play_count("o12.2=0 o10.2=48", 2);
		/* RAP is saved, and what was not read is not acknowledged. */
		play_count("i12.2=0 r0=2f3 w0=270 r0=73 w0=7940 o12.2=0", 10);
		nic_play(&nic, "irq=0 tx=1");
	}
}

/* ---- iPXE: polls, and writes CSR0 back as it was read ---- */

static void test_ipxe(void **state)
{
	nic_power_on(&nic);
	play_count("i14.2=0 r0=4 o12.2=58 i12.2=58 r88=1003 r89=262 r12=5452 r13=1200 r14=5634 "
		   "i0.1=52 i1.1=54 i2.1=0 i3.1=12 i4.1=34 i5.1=56", 21);
	play_count("i14.2=0 W20=2 R2=2 W2=2 R9=0 W9=0 r124=0 W124=0 R32=0 W32=0 r3=0 w3=5700", 23);
	rings(0, 5, 4);
	play_count("w1=0 w2=1 w4=915 w0=1 r0=101 w0=2", 12);
	for (unsigned int i = 0; i < 100; i++) {
		u32 csr0;

		if (i % 10 == 5) {
			nic_give_tx(&nic, i / 10 & 15, 60, OWN_FRAME);
			play_count("w0=8", 2);
			nic_play(&nic, "tx=1");
		}
		/* A poll: four accesses, none of which starts anything again. */
		nic.reads = 0;
		csr0 = nic_csr(&nic, 0);
		assert_int_equal(csr0 & (LANCE_CSR0_TDMD | LANCE_CSR0_STOP), 0);
		nic_set_csr(&nic, 0, csr0);
		assert_int_equal(nic.reads, 0);
		assert_int_equal(nic_csr(&nic, 0), 0x33);
	}
}

/* ---- NetBSD pcn: 32-bit accesses, style 3, chains, LTINT ---- */

static void test_netbsd(void **state)
{
	nic_power_on(&nic);
	/* RESET as a word, then as a dword, which at this time is no register. */
	nic_play(&nic, "w0=4 i14.2=0 i18.4=ffffffff o10.4=0 W20=3 R20=303 w3=1140 w4=4914 w5=4400 "
		       "R18=9081 W18=90e1 R18=90e1 r80=d410 w80=1000 w1=0 w2=1");
	rings(0, 5, 5);
	nic_play(&nic, "w0=1 r0=101 w0=142 r0=73 irq=0");
	for (unsigned int i = 0; i < 32; i += 2) {
		bool marked = i % 8 == 6;
		u16 status = OWN | LANCE_MD_ENP | (marked ? LANCE_TMD_LTINT : 0);

		nic_fill(&nic, TX_BUFFER(0), 400, i);
		nic_set_desc(&nic, TX_RING, i + 1, TX_BUFFER(0) + 14, 200, status);
		nic_set_desc(&nic, TX_RING, i, TX_BUFFER(0), 14, OWN | LANCE_MD_STP);
		nic_play(&nic, "o14.4=0 o10.4=48 tx=1");
		assert_int_equal(nic.sent[0].len, 214);
		nic_play(&nic, marked ? "r0=2f3 irq=1 w0=240 irq=0" : "r0=73 irq=0");
	}
	/* MISS is masked: it shows in the counter only. */
	lance_missed(&nic.l, 3);
	nic_play(&nic, "r0=9073 irq=0 r112=3");
	/* The next attach: both resets, and DWIO is still there. */
	nic_play(&nic, "w0=4 i14.2=ffff i18.4=0 o10.4=0 i14.4=0 r0=4");
}

/* ---- FreeBSD pcn, illumos: registers instead of an initialization block ---- */

static void test_freebsd(void **state)
{
	nic_power_on(&nic);
	nic_play(&nic, "i14.2=0 i18.4=ffffffff o10.4=0 W20=3 r88=2621003");
	rings(0, 6, 6);
	nic_play(&nic, "w3=0 w12=5452 w13=1200 w14=5634 w8=0 w9=0 w10=0 w11=0 w15=0 "
		       "w24=1000 w25=1 w30=4000 w31=1 w76=ffc0 w78=ffc0 w7=1 r7=0 w4=915 w5=0");
	/* Read, or, write: STOP is in what was read, and must not stay. */
	nic_play(&nic, "r0=4 w0=42 r0=72 r76=ffc0 r78=ffc0");
	for (unsigned int i = 0; i < 130; i++) {
		nic_give_tx(&nic, i & 63, 60, OWN_FRAME);
		nic_play(&nic, "w0=48 tx=1 r0=2f2 w0=2f2 r0=72");
		assert_int_equal(nic_receive(&nic, nic_mac, 100), LANCE_RX_DELIVERED);
		nic_play(&nic, "r0=4f2 w0=4f2 r0=72 irq=0");
		assert_int_equal(nic_message(&nic, RX_RING, i & 63), 104);
		nic_set_desc(&nic, RX_RING, i & 63, RX_BUFFER(0), BUFFER_SIZE, OWN);
	}
}

/* ---- Plan 9: RAP is 0 for ever, promiscuous by STRT without INIT ---- */

static void test_plan9(void **state)
{
	nic_power_on(&nic);
	nic_play(&nic, "i14.2=0 W20=2 i0.2=5452 i2.2=1200 i4.2=5634 w3=0 w4=915 w1=0 w2=1");
	rings(0, 5, 4);
	nic_play(&nic, "w0=1 r0=181 o12.2=0 o10.2=142");
	for (unsigned int i = 0; i < 5; i++) {
		nic_give_tx(&nic, i & 15, 60, OWN_FRAME);
		play_count("o10.2=48", 1);
		nic_play(&nic, "tx=1 i10.2=2f3 o10.2=270 i10.2=73 irq=0");
	}
	/* The rings are built anew, and the chip must begin at their base. */
	nic_play(&nic, "o10.2=4 w15=8000 o12.2=0");
	rings(0, 5, 4);
	nic_play(&nic, "o10.2=42 i10.2=72");
	nic_give_tx(&nic, 0, 60, OWN_FRAME);
	nic_play(&nic, "o10.2=48 tx=1");
	assert_int_equal(nic_receive(&nic, (const u8 *)"\2\3\4\5\6\7", 60), LANCE_RX_DELIVERED);
	assert_int_equal(nic_status(&nic, RX_RING, 0), DONE);
	/* A write of IDON and STOP, and on again. */
	nic_play(&nic, "o10.2=104 i10.2=4 o10.2=42 i10.2=72");
}

/* ---- NT 4: the first unused descriptor is the chip's, and empty ---- */

static void test_nt4(void **state)
{
	for (unsigned int style = 0; style <= 2; style += 2) {
		nic_power_on(&nic);
		nic_play(&nic, style ? "W20=2 w1=0 w2=1" : "w1=0 w2=1");
		rings(0, 3, 3);
		nic_play(&nic, "w0=1 r0=181 w0=142");
		for (unsigned int i = 0; i < 20; i++) {
			nic_set_desc(&nic, TX_RING, i & 7, 0, 0, OWN_FRAME);
			nic_play(&nic, "w0=48 tx=0 irq=0 poll tx=0");
			assert_int_equal(nic_status(&nic, TX_RING, i & 7) & OWN, 0);
			nic_give_tx(&nic, i & 7, 60 + i, OWN_FRAME);
			nic_play(&nic, i & 1 ? "w0=48 tx=1" : "poll tx=1");
			assert_int_equal(nic.sent[0].len, 60 + i);
			nic_play(&nic, "r0=2f3 w0=240 irq=0");
		}
	}
}

/* ---- ReactOS: acknowledges until nothing is left, with what it read ---- */

static void test_reactos(void **state)
{
	nic_power_on(&nic);
	nic_play(&nic, "i14.2=0 W20=2 w1=0 w2=1 w4=915");
	rings(0, 3, 3);
	/* Its rings are behind its block of 28 bytes: at a dword, and no better. */
	nic_poke(&nic, INIT_BLOCK + 20, 4, RX_RING + 12);
	for (unsigned int i = 0; i < 8; i++) {
		nic_poke(&nic, RX_RING + 12 + i * 16, 4, RX_BUFFER(i));
		nic_poke(&nic, RX_RING + 16 + i * 16, 4, 0x8000fa00);
	}
	nic_play(&nic, "w0=1 r0=181 w0=142");
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_DELIVERED);
	assert_int_equal(nic_peek(&nic, RX_RING + 12 + 4, 4), 0x0340fa00);
	assert_int_equal(nic_peek(&nic, RX_RING + 12 + 8, 4), 64);
	nic_play(&nic, "o12.2=0 i10.2=4f3 o10.2=4f3 i10.2=73 o10.2=40 i10.2=73 irq=0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linux),
		cmocka_unit_test(test_linux_batch),
		cmocka_unit_test(test_linux_selftest),
		cmocka_unit_test(test_linux_2_4),
		cmocka_unit_test(test_ipxe),
		cmocka_unit_test(test_netbsd),
		cmocka_unit_test(test_freebsd),
		cmocka_unit_test(test_plan9),
		cmocka_unit_test(test_nt4),
		cmocka_unit_test(test_reactos),
	};

	return cmocka_run_group_tests_name("lance_drivers", tests, NULL, NULL);
}
