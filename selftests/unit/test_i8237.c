// SPDX-License-Identifier: GPL-2.0-only
/* The DMA controllers: registers, and transfers as devices make them. */
#include "chips.h"

#include "vmapp/dev/i8237.h"

static u8 ram[0x100000];

static void ram_read(void *ctx, u64 gpa, void *buf, u32 len)
{
	assert_true(gpa + len <= 0x1000000);
	memset(buf, 0xff, len);
	if (gpa + len <= sizeof(ram))
		memcpy(buf, ram + gpa, len);
}

static void ram_write(void *ctx, u64 gpa, const void *buf, u32 len)
{
	assert_true(gpa + len <= 0x1000000);
	if (gpa + len <= sizeof(ram))
		memcpy(ram + gpa, buf, len);
}

static unsigned int told;

static void on_ready(void *ctx)
{
	told++;
}

static struct i8237 d;

static void out(u32 port, u8 val)
{
	bench_out(i8237_regions, i8237_n_regions, &d, port, 1, val);
}

static u8 in(u32 port)
{
	return (u8)bench_in(i8237_regions, i8237_n_regions, &d, port, 1);
}

static int setup(void **state)
{
	memset(&d, 0, sizeof(d));
	d.memory = (struct dev_memory){ ram_read, ram_write, NULL };
	d.ready[2] = (struct dev_signal){ on_ready, NULL };
	told = 0;
	i8237_reset(&d);
	for (unsigned int i = 0; i < sizeof(ram); i++)
		ram[i] = (u8)(i ^ i >> 8);
	return 0;
}

/* As a floppy driver does it: mask, flip-flop, mode, address, page, count, unmask. */
static void program2(u8 mode, u32 addr, u32 count)
{
	out(0x0a, 6);
	out(0x0c, 0);
	out(0x0b, mode | 2);
	out(0x04, (u8)addr);
	out(0x04, (u8)(addr >> 8));
	out(0x81, (u8)(addr >> 16));
	out(0x05, (u8)(count - 1));
	out(0x05, (u8)((count - 1) >> 8));
	out(0x0a, 2);
}

static void program5(u8 mode, u32 addr, u32 words)
{
	out(0xd4, 5);
	out(0xd8, 0);
	out(0xd6, mode | 1);
	out(0xc4, (u8)(addr >> 1));
	out(0xc4, (u8)(addr >> 9));
	out(0x8b, (u8)(addr >> 16));
	out(0xc6, (u8)(words - 1));
	out(0xc6, (u8)((words - 1) >> 8));
	out(0xd4, 1);
}

static void test_registers(void **state)
{
	static const struct {
		u32 addr, count, page;
	} port[8] = {
		{ 0x00, 0x01, 0x87 }, { 0x02, 0x03, 0x83 }, { 0x04, 0x05, 0x81 },
		{ 0x06, 0x07, 0x82 }, { 0xc0, 0xc2, 0x8f }, { 0xc4, 0xc6, 0x8b },
		{ 0xc8, 0xca, 0x89 }, { 0xcc, 0xce, 0x8a },
	};

	for (unsigned int i = 0; i < 8; i++) {
		out(i < 4 ? 0x0c : 0xd8, 0);
		out(port[i].addr, 0x10 + i);
		out(port[i].addr, 0x20 + i);
		out(port[i].count, 0x30 + i);
		out(port[i].count, 0x40 + i);
		out(port[i].page, 0x50 + i);
		assert_int_equal(d.channel[i].addr, 0x2010 + 0x101 * i);
		assert_int_equal(d.channel[i].base_count, 0x4030 + 0x101 * i);
		assert_int_equal(d.channel[i].page, 0x50 + i);
		assert_int_equal(in(port[i].page), 0x50 + i);
		assert_int_equal(in(port[i].count), 0x30 + i);
		assert_int_equal(in(port[i].count), 0x40 + i);
		assert_int_equal(in(port[i].addr), 0x10 + i);
		/* In the middle of a word: the flip-flop is the chip's, not the channel's. */
		out(i < 4 ? 0x0c : 0xd8, 0);
		assert_int_equal(in(port[i].addr), 0x10 + i);
		assert_int_equal(in(port[i].addr), 0x20 + i);
	}
	out(0x84, 0xa5);
	assert_int_equal(in(0x84), 0xa5);
	assert_int_equal(in(0x0f), 0xff);
	assert_int_equal(in(0xde), 0xfe);
	out(0x0f, 0x05);
	assert_int_equal(in(0x0f), 0xf5);
	out(0x0a, 5);
	out(0x0a, 0);
	assert_int_equal(in(0x0f), 0xf6);
	out(0x0e, 0);
	assert_int_equal(in(0x0f), 0xf0);
	out(0x0d, 0);
	assert_int_equal(in(0x0f), 0xff);
	assert_int_equal(in(0x0d), 0);
}

static void test_transfer(void **state)
{
	u8 buf[1024];
	bool tc;

	/* From memory, in two parts. */
	program2(0x48, 0x12345, 600);
	assert_int_equal(i8237_transfer(&d, 2, I8237_FROM_MEMORY, buf, 500, &tc), 500);
	assert_false(tc);
	assert_memory_equal(buf, ram + 0x12345, 500);
	assert_int_equal(in(0x08), 0);
	assert_int_equal(i8237_transfer(&d, 2, I8237_FROM_MEMORY, buf, 500, &tc), 100);
	assert_true(tc);
	assert_memory_equal(buf, ram + 0x12345 + 500, 100);
	assert_int_equal(in(0x08), 0x04);
	assert_int_equal(in(0x08), 0x00);
	assert_int_equal(in(0x0f), 0xff);	/* masked itself */
	assert_int_equal(i8237_transfer(&d, 2, I8237_FROM_MEMORY, buf, 1, &tc), 0);

	/* To memory, over the end of the page: it wraps. */
	program2(0x44, 0x3fffe, 4);
	assert_int_equal(i8237_transfer(&d, 2, I8237_TO_MEMORY, "wxyz", 4, &tc), 4);
	assert_true(tc);
	assert_memory_equal(ram + 0x3fffe, "wx", 2);
	assert_memory_equal(ram + 0x30000, "yz", 2);

	/* Downwards. */
	program2(0x64, 0x20003, 4);
	assert_int_equal(i8237_transfer(&d, 2, I8237_TO_MEMORY, "abcd", 4, &tc), 4);
	assert_memory_equal(ram + 0x20000, "dcba", 4);

	/* All 64 KiB. */
	program2(0x44, 0x50000, 0x10000);
	assert_int_equal(i8237_transfer(&d, 2, I8237_TO_MEMORY, ram, 0x10000, &tc), 0x10000);
	assert_true(tc);
	assert_memory_equal(ram + 0x50000, ram, 0x10000);

	/* Where no memory is. */
	program2(0x48, 0xfe0000, 4);
	assert_int_equal(i8237_transfer(&d, 2, I8237_FROM_MEMORY, buf, 4, &tc), 4);
	assert_memory_equal(buf, "\xff\xff\xff\xff", 4);
}

static void test_modes(void **state)
{
	u8 buf[16] = { 0 };
	bool tc;

	/* Auto-initialization goes round, one count at a time. */
	program2(0x58, 0x1000, 6);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(i8237_transfer(&d, 2, I8237_FROM_MEMORY, buf, 16, &tc), 6);
		assert_true(tc);
		assert_memory_equal(buf, ram + 0x1000, 6);
	}
	/* Verify, and the other way than programmed: only the count moves. */
	program2(0x40, 0x1000, 6);
	assert_int_equal(i8237_transfer(&d, 2, I8237_TO_MEMORY, "......", 6, &tc), 6);
	assert_true(tc);
	assert_memory_not_equal(ram + 0x1000, "......", 6);
	program2(0x44, 0x1000, 6);
	assert_int_equal(i8237_transfer(&d, 2, I8237_FROM_MEMORY, buf, 2, &tc), 2);
	assert_int_equal(buf[0], 0xff);
	assert_int_equal(in(0x05), 3);
	/* Words: bit 0 of the page does not count, nor does an odd byte. */
	program5(0x49, 0x31000, 4);
	out(0x8b, 0x03);
	assert_int_equal(i8237_transfer(&d, 5, I8237_FROM_MEMORY, buf, 7, &tc), 6);
	assert_memory_equal(buf, ram + 0x21000, 6);
	assert_int_equal(i8237_transfer(&d, 5, I8237_FROM_MEMORY, buf, 7, &tc), 2);
	assert_true(tc);
	assert_int_equal(in(0xd0), 0x02);
	/* The cascade itself moves nothing. */
	assert_int_equal(i8237_transfer(&d, 4, I8237_FROM_MEMORY, buf, 4, &tc), 0);
}

static void test_requests(void **state)
{
	u8 buf[4];
	bool tc;

	assert_false(i8237_ask(&d, 2, true));
	assert_int_equal(in(0x08), 0x40);
	program2(0x48, 0x1000, 4);
	assert_int_equal(told, 1);
	assert_true(i8237_ask(&d, 2, true));
	/* The cascade is masked: nothing below it is served. */
	out(0xd4, 4);
	assert_int_equal(i8237_transfer(&d, 2, I8237_FROM_MEMORY, buf, 4, &tc), 0);
	out(0xd4, 0);
	assert_int_equal(told, 2);
	/* So with the controller disabled. */
	out(0x08, 4);
	assert_int_equal(i8237_transfer(&d, 2, I8237_FROM_MEMORY, buf, 4, &tc), 0);
	i8237_ask(&d, 2, false);
	out(0x08, 0);
	assert_int_equal(told, 2);
	assert_int_equal(i8237_transfer(&d, 2, I8237_FROM_MEMORY, buf, 4, &tc), 4);
	out(0x09, 7);
	assert_int_equal(in(0x08) & 0xf0, 0x80);
	out(0x09, 3);
	assert_int_equal(in(0x08) & 0xf0, 0);
}

/* Whatever the guest programs, no transfer leaves the 16 MiB. */
static void test_noise(void **state)
{
	struct bench b = { .now = 0 };
	u8 buf[64];
	bool tc;

	for (unsigned int i = 0; i < 20000; i++) {
		unsigned int channel = i % I8237_CHANNELS;

		bench_fuzz(&b, i8237_regions, i8237_n_regions, &d, 10);
		i8237_ask(&d, channel, i & 8);
		assert_true(i8237_transfer(&d, channel, i & 16 ? I8237_TO_MEMORY :
					   I8237_FROM_MEMORY, buf, i % 65, &tc) <= i % 65);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_registers, setup),
		cmocka_unit_test_setup(test_transfer, setup),
		cmocka_unit_test_setup(test_modes, setup),
		cmocka_unit_test_setup(test_requests, setup),
		cmocka_unit_test_setup(test_noise, setup),
	};

	return cmocka_run_group_tests_name("i8237", tests, NULL, NULL);
}
