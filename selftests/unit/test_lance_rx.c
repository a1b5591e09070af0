// SPDX-License-Identifier: GPL-2.0-only
/* The Lance receives: filters, buffers and chains of them, what is lost and why. */
#include "lance.h"

static struct nic nic;

#define STP	LANCE_MD_STP
#define ENP	LANCE_MD_ENP
#define OWN	LANCE_MD_OWN
#define DONE	(STP | ENP)
#define LOST	(LANCE_MD_ERR | LANCE_RMD_BUFF | LANCE_RMD_OFLO)

static const u8 broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const u8 mdns[6] = { 0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb };	/* hash 33 */
static const u8 other[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x57 };

static void test_one(void **state)
{
	for (unsigned int style = 0; style < 4; style++) {
		nic_start(&nic, style);
		nic_give_rx(&nic, 4, BUFFER_SIZE);
		memset(nic.ram + RX_BUFFER(0), 0xee, 0x1000);
		assert_true(lance_can_receive(&nic.l));
		assert_int_equal(nic_receive(&nic, nic_mac, 114), LANCE_RX_DELIVERED);
		assert_memory_equal(nic.ram + RX_BUFFER(0), nic_mac, 6);
		assert_int_equal(nic_peek(&nic, RX_BUFFER(0) + 113, 1), 113);
		assert_int_equal(nic_peek(&nic, RX_BUFFER(0) + 114, 4),
				 lance_fcs(nic.ram + RX_BUFFER(0), 114));
		assert_int_equal(nic_peek(&nic, RX_BUFFER(0) + 118, 4), 0xeeeeeeee);
		assert_int_equal(nic_message(&nic, RX_RING, 0), 0x76);
		assert_int_equal(nic_status(&nic, RX_RING, 0),
				 DONE | (style ? LANCE_RMD_PAM : 0));
		nic_play(&nic, "r0=4f3 irq=1 w0=440 r0=73 irq=0");
	}
}

/* Where the next frame will begin, for a shell that reads it right to there. */
static void test_buffer(void **state)
{
	u32 addr, len;

	nic_start(&nic, 2);
	assert_false(lance_rx_buffer(&nic.l, &addr, &len));
	nic_give_rx(&nic, 4, BUFFER_SIZE);
	for (unsigned int i = 0; i < 2; i++) {
		assert_true(lance_rx_buffer(&nic.l, &addr, &len));
		assert_int_equal(addr, RX_BUFFER(i));
		assert_int_equal(len, BUFFER_SIZE);
		assert_int_equal(nic_receive(&nic, nic_mac, 114), LANCE_RX_DELIVERED);
	}
	nic_play(&nic, "w122=1");
	assert_true(lance_rx_buffer(&nic.l, &addr, &len));
	assert_int_equal(addr, RX_BUFFER(2) + 2);
	assert_int_equal(len, BUFFER_SIZE - 2);
	nic_set_desc(&nic, RX_RING, 2, RX_BUFFER(2), 2, OWN);
	assert_false(lance_rx_buffer(&nic.l, &addr, &len));
	nic_play(&nic, "w0=4");
	assert_false(lance_rx_buffer(&nic.l, &addr, &len));
}

/* The reference values of the FCS and of the filter's hash. */
static void test_crc(void **state)
{
	u8 data[60] = "123456789";

	/* The zeros that a short frame is padded with count. */
	assert_int_equal(lance_fcs(data, 60), 0x285969db);
	assert_int_equal(lance_fcs(data, 9), 0x285969db);
	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = i;
	assert_int_equal(lance_fcs(data, 60), 0xb0ec7fee);
}

static void test_lengths(void **state)
{
	static const struct {
		u32 len;
		enum lance_rx_result result;
		u32 count;
	} rows[] = {
		{ 0, LANCE_RX_LENGTH, 0 }, { 13, LANCE_RX_LENGTH, 0 },
		{ 14, LANCE_RX_DELIVERED, 64 }, { 59, LANCE_RX_DELIVERED, 64 },
		{ 60, LANCE_RX_DELIVERED, 64 }, { 61, LANCE_RX_DELIVERED, 65 },
		{ 1514, LANCE_RX_DELIVERED, 1518 }, { 1518, LANCE_RX_DELIVERED, 1522 },
		{ 4091, LANCE_RX_DELIVERED, 4095 }, { 4092, LANCE_RX_LENGTH, 0 },
		{ 8000, LANCE_RX_LENGTH, 0 },
	};

	for (unsigned int i = 0; i < WS_ARRAY_SIZE(rows); i++) {
		nic_start(&nic, 2);
		nic_set_desc(&nic, RX_RING, 0, RX_BUFFER(0), 4095, OWN);
		memset(nic.ram + RX_BUFFER(0), 0xee, 0x1000);
		assert_int_equal(nic_receive(&nic, nic_mac, rows[i].len), rows[i].result);
		assert_int_equal(nic_message(&nic, RX_RING, 0), rows[i].count);
		for (u32 at = rows[i].len; rows[i].count && at < 60; at++)
			assert_int_equal(nic_peek(&nic, RX_BUFFER(0) + at, 1), 0);
		for (u32 at = rows[i].count; at < 4095; at++)
			assert_int_equal(nic_peek(&nic, RX_BUFFER(0) + at, 1), 0xee);
	}
}

static void test_filter(void **state)
{
	static const struct {
		const char *set;
		const u8 *to;
		u16 match;	/* 0: not accepted */
	} rows[] = {
		{ "w15=0", nic_mac, LANCE_RMD_PAM }, { "w15=0", other, 0 },
		{ "w15=2000", nic_mac, 0 }, { "w15=0", broadcast, LANCE_RMD_BAM },
		{ "w15=4000", broadcast, 0 },
		{ "w8=ffff w9=ffff w10=ffff w11=ffff", broadcast, LANCE_RMD_BAM },
		{ "w15=4000 w8=ffff w9=ffff w10=ffff w11=ffff", broadcast, LANCE_RMD_LAFM },
		{ "w15=0", mdns, 0 }, { "w10=2", mdns, LANCE_RMD_LAFM },
		{ "w8=ffff w9=ffff w10=fffd w11=ffff", mdns, 0 },
		{ "w8=ffff w9=ffff w10=ffff w11=ffff", other, 0 },
		{ "w12=5452 w13=1200 w14=5734", other, LANCE_RMD_PAM },
		{ "w12=1 w13=5e w14=fb00 w8=0", mdns, 0 },
	};
	static const u8 *const all[] = { nic_mac, other, broadcast, mdns };

	for (unsigned int i = 0; i < WS_ARRAY_SIZE(rows); i++) {
		nic_start(&nic, 2);
		nic_give_rx(&nic, 4, BUFFER_SIZE);
		nic_play(&nic, "w5=1");
		nic_play(&nic, rows[i].set);
		nic_play(&nic, "w5=0");
		assert_int_equal(nic_receive(&nic, rows[i].to, 60),
				 rows[i].match ? LANCE_RX_DELIVERED : LANCE_RX_FILTERED);
		assert_int_equal(nic_status(&nic, RX_RING, 0),
				 rows[i].match ? DONE | rows[i].match : OWN);
		assert_int_equal(nic_message(&nic, RX_RING, 0), rows[i].match ? 64 : 0);
		nic_play(&nic, rows[i].match ? "r0=4f3" : "r0=73");
	}
	/* Promiscuous: everything, and nothing is said about it. */
	for (unsigned int i = 0; i < WS_ARRAY_SIZE(all); i++) {
		nic_init(&nic, 2, LANCE_CSR15_PROM | LANCE_CSR15_DRCVBC | LANCE_CSR15_DRCVPA);
		nic_give_rx(&nic, 4, BUFFER_SIZE);
		nic_play(&nic, "w0=42");
		assert_int_equal(nic_receive(&nic, all[i], 60), LANCE_RX_DELIVERED);
		assert_int_equal(nic_status(&nic, RX_RING, 0), DONE);
	}
}

/* 300 bytes and their FCS into buffers of these sizes. */
static void test_chain(void **state)
{
	static const struct {
		const char *rule;
		u32 size[4];
		u16 after[4];
	} rows[] = {
		{ "one is enough", { 304, 64, 64, 64 }, { DONE, OWN, OWN, OWN } },
		{ "the FCS in a buffer of its own", { 300, 4, 64, 64 }, { STP, ENP, OWN, OWN } },
		{ "the FCS in two", { 302, 64, 64, 64 }, { STP, ENP, OWN, OWN } },
		{ "four", { 76, 76, 76, 76 }, { STP, 0, 0, ENP } },
		{ "some are empty", { 0, 200, 0, 104 }, { STP, 0, 0, ENP } },
		{ "too small together", { 64, 64, 64, 64 }, { STP, 0, 0, LOST } },
		{ "all empty", { 0, 0, 0, 0 }, { STP, 0, 0, LOST } },
	};

	for (unsigned int k = 0; k < WS_ARRAY_SIZE(rows); k++) {
		bool lost = rows[k].after[3] == LOST;
		u32 addr = RX_BUFFER(0);

		nic_rule = rows[k].rule;
		nic_start(&nic, 3);
		for (unsigned int i = 0; i < 4; i++) {
			nic_set_desc(&nic, RX_RING, i, addr, rows[k].size[i], OWN);
			addr += rows[k].size[i];
		}
		assert_int_equal(nic_receive(&nic, nic_mac, 300),
				 lost ? LANCE_RX_OVERFLOW : LANCE_RX_DELIVERED);
		for (unsigned int i = 0; i < 4; i++) {
			u16 after = rows[k].after[i];

			if (after & ENP)
				after |= LANCE_RMD_PAM;
			nic_expect("chain", "status", nic_status(&nic, RX_RING, i), after);
			assert_int_equal(nic_message(&nic, RX_RING, i), after & ENP ? 304 : 0);
		}
		if (!lost)
			assert_int_equal(nic_peek(&nic, RX_BUFFER(0) + 300, 4),
					 lance_fcs(nic.ram + RX_BUFFER(0), 300));
		nic_play(&nic, "r0=4f3");
	}
	nic_rule = "";
}

/* The next descriptor is the guest's: the frame is lost in the one before. */
static void test_overflow(void **state)
{
	nic_start(&nic, 2);
	nic_give_rx(&nic, 2, 64);
	assert_int_equal(nic_receive(&nic, nic_mac, 300), LANCE_RX_OVERFLOW);
	assert_int_equal(nic_status(&nic, RX_RING, 0), STP);
	assert_int_equal(nic_status(&nic, RX_RING, 1), LOST);
	nic_play(&nic, "r0=4f3 r72=fffe");
	/* Bounded: a long ring of buffers without room. */
	nic_start(&nic, 2);
	nic_play(&nic, "w0=4 w76=1 w0=42");
	for (unsigned int i = 0; i < 600; i++)
		nic_set_desc(&nic, RX_RING, i, RX_BUFFER(0), 0, OWN);
	nic.reads = 0;
	assert_int_equal(nic_receive(&nic, nic_mac, 300), LANCE_RX_OVERFLOW);
	assert_true(nic.reads <= 2 * LANCE_RX_CHAIN);
	assert_int_equal(nic_status(&nic, RX_RING, LANCE_RX_CHAIN - 1), LOST);
	assert_int_equal(nic_status(&nic, RX_RING, LANCE_RX_CHAIN), OWN);
}

static void test_no_ram(void **state)
{
	static const u32 bad[] = { 0xe0000000, RAM_SIZE - 60, 0xffffffe0 };

	for (unsigned int i = 0; i < WS_ARRAY_SIZE(bad); i++) {
		nic_start(&nic, 2);
		nic_give_rx(&nic, 2, BUFFER_SIZE);
		nic_set_desc(&nic, RX_RING, 0, bad[i], BUFFER_SIZE, OWN);
		assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_MERR);
		assert_int_equal(nic_status(&nic, RX_RING, 0), STP | LOST);
		nic_play(&nic, "r0=8cf3 irq=1");
		assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_DELIVERED);
	}
	/* The ring itself: as if nothing were there. */
	nic_play(&nic, "w0=4 w24=0 w25=e000 w0=42");
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_HOLD);
	nic_play(&nic, "r0=88f2");
}

/* No buffer: the frame is held, and tried again when the guest was here. */
static void test_hold(void **state)
{
	nic_start(&nic, 2);
	assert_false(lance_can_receive(&nic.l));
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_HOLD);
	nic_play(&nic, "r112=0");
	assert_int_equal(nic.l.csr[0] & LANCE_CSR0_MISS, 0);
	lance_poll(&nic.l);
	assert_true(lance_take_events(&nic.l) & LANCE_EV_RX);
	assert_true(lance_needs_poll(&nic.l));
	/* An access to CSR0, of either kind, is a reason to look; another is not. */
	nic_rap(&nic, 0);
	lance_read(&nic.l, LANCE_RDP, 2);
	assert_int_equal(lance_take_events(&nic.l), LANCE_EV_RX);
	lance_write(&nic.l, LANCE_RDP, 2, 0x40);
	assert_int_equal(lance_take_events(&nic.l), LANCE_EV_RX);
	nic_give_rx(&nic, 1, BUFFER_SIZE);
	assert_true(lance_can_receive(&nic.l));
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_DELIVERED);
	lance_read(&nic.l, LANCE_RDP, 2);
	assert_int_equal(lance_take_events(&nic.l) & LANCE_EV_RX, 0);
	/* One that was held goes without another question. */
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_HOLD);
	nic_set_desc(&nic, RX_RING, 1, RX_BUFFER(1), BUFFER_SIZE, OWN);
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_DELIVERED);
	lance_read(&nic.l, LANCE_RDP, 2);
	assert_int_equal(lance_take_events(&nic.l) & LANCE_EV_RX, 0);
	/* Another's frame is not held. */
	nic_start(&nic, 2);
	assert_int_equal(nic_receive(&nic, other, 60), LANCE_RX_FILTERED);
}

static void test_missed(void **state)
{
	nic_start(&nic, 2);
	lance_missed(&nic.l, 1);
	nic_settle(&nic);
	nic_play(&nic, "r0=90f3 irq=1 r112=1 w0=1040 r0=73");
	lance_missed(&nic.l, 0);
	lance_missed(&nic.l, 0xfffe);
	nic_settle(&nic);
	nic_play(&nic, "r112=ffff r4=115 w3=1000 irq=0");
	/* Over its end it says so. */
	lance_missed(&nic.l, 2);
	nic_settle(&nic);
	nic_play(&nic, "r112=1 r4=315 w4=15 irq=1 w4=215 r4=15 irq=0 w0=4 r112=1 i14.2=0 r112=0");
	/* Nobody listens, nothing is missed. */
	lance_missed(&nic.l, 5);
	nic_play(&nic, "r0=4 r112=0");
}

static void test_off(void **state)
{
	nic_power_on(&nic);
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_OFF);
	nic_init(&nic, 2, LANCE_CSR15_DRX);
	nic_give_rx(&nic, 4, BUFFER_SIZE);
	nic_play(&nic, "w0=42 r0=53");
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_OFF);
	assert_false(lance_can_receive(&nic.l));
	nic_start(&nic, 2);
	nic_give_rx(&nic, 4, BUFFER_SIZE);
	nic_play(&nic, "dma=0");
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_OFF);
	/* Suspended: not now. */
	nic_play(&nic, "dma=1 w5=1");
	assert_false(lance_can_receive(&nic.l));
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_HOLD);
	nic_set_csr(&nic, 5, 1);
	lance_write(&nic.l, LANCE_RDP, 2, 0);
	assert_true(lance_take_events(&nic.l) & LANCE_EV_RX);
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_DELIVERED);
	/* STOP: those that are held may go. */
	nic_play(&nic, "w5=1");
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_HOLD);
	nic_rap(&nic, 0);
	lance_write(&nic.l, LANCE_RDP, 2, LANCE_CSR0_STOP);
	assert_true(lance_take_events(&nic.l) & LANCE_EV_RX);
	assert_false(lance_needs_poll(&nic.l));
}

/* A frame in two pieces, into buffers that end elsewhere. */
static void test_pieces(void **state)
{
	static u8 data[1514];

	for (u32 linear = 14; linear <= 200; linear += 31) {
		struct lance_frame frame = {
			.data = data, .linear = linear, .len = 200, .fcs = 0x04030201, .rest = data,
		};

		for (u32 i = 0; i < sizeof(data); i++)
			data[i] = i * 3;
		memcpy(data, nic_mac, 6);
		nic_start(&nic, 2);
		for (unsigned int i = 0; i < 4; i++)
			nic_set_desc(&nic, RX_RING, i, RX_BUFFER(0) + i * 70, 70, OWN);
		assert_int_equal(lance_receive(&nic.l, &frame), LANCE_RX_DELIVERED);
		assert_memory_equal(nic.ram + RX_BUFFER(0), data, 200);
		assert_int_equal(nic_peek(&nic, RX_BUFFER(0) + 200, 4), 0x04030201);
		nic_settle(&nic);
	}
}

static void test_options(void **state)
{
	static u8 data[60] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 2, 0, 0, 0, 0, 1, 0, 20 };
	struct lance_frame frame = { .data = data, .linear = 60, .len = 60, .fcs = 1 };

	/* Two bytes in front, so that what follows the header is aligned. */
	nic_start(&nic, 2);
	nic_give_rx(&nic, 4, BUFFER_SIZE);
	nic_play(&nic, "w122=1");
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_DELIVERED);
	assert_memory_equal(nic.ram + RX_BUFFER(0) + 2, nic_mac, 6);
	assert_int_equal(nic_message(&nic, RX_RING, 0), 64);
	nic_set_desc(&nic, RX_RING, 1, RX_BUFFER(1), 32, OWN);
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_DELIVERED);
	assert_int_equal(nic_peek(&nic, RX_BUFFER(2), 1), 30);
	nic_start(&nic, 2);
	nic_give_rx(&nic, 4, BUFFER_SIZE);
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_DELIVERED);

	/* Padding is taken off where a length says that it is there. */
	nic_play(&nic, "w122=0 w4=515");
	memset(nic.ram + RX_BUFFER(1), 0xee, 64);
	assert_int_equal(lance_receive(&nic.l, &frame), LANCE_RX_DELIVERED);
	assert_int_equal(nic_message(&nic, RX_RING, 1), 34);
	assert_int_equal(nic_peek(&nic, RX_BUFFER(1) + 34, 4), 0xeeeeeeee);
	data[13] = 46;
	assert_int_equal(lance_receive(&nic.l, &frame), LANCE_RX_DELIVERED);
	assert_int_equal(nic_message(&nic, RX_RING, 2), 64);

	/* LAPPEN: a frame begins where the guest says so, and only there. */
	nic_start(&nic, 2);
	nic_give_rx(&nic, 4, BUFFER_SIZE);
	nic_set_desc(&nic, RX_RING, 2, RX_BUFFER(2), BUFFER_SIZE, OWN | STP);
	nic_play(&nic, "w3=20");
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_DELIVERED);
	assert_int_equal(nic_status(&nic, RX_RING, 0), 0);
	assert_int_equal(nic_status(&nic, RX_RING, 1), 0);
	assert_int_equal(nic_status(&nic, RX_RING, 2), DONE | LANCE_RMD_PAM);
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_HOLD);
	nic_settle(&nic);
}

/* In style 0 an address has 24 bits, and CSR2 the rest. */
static void test_narrow(void **state)
{
	nic_power_on(&nic);
	nic_set_desc(&nic, RX_RING, 0, 0xfff800, 1000, OWN);
	nic_play(&nic, "w2=ff00 w24=1000 w25=1 w76=ffff w78=ffff w0=42");
	assert_int_equal(nic_receive(&nic, nic_mac, 60), LANCE_RX_DELIVERED);
	assert_memory_equal(nic.top + 0x800, nic_mac, 6);
	assert_int_equal(nic_message(&nic, RX_RING, 0), 64);
	/* The byte of the address beside the status is as it was. */
	assert_int_equal(nic_peek(&nic, RX_RING + 2, 1), 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_buffer),
		cmocka_unit_test(test_crc),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_no_ram),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_missed),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_narrow),
	};

	return cmocka_run_group_tests_name("lance_rx", tests, NULL, NULL);
}
