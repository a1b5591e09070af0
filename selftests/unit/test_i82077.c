// SPDX-License-Identifier: GPL-2.0-only
/* The floppy controller with the DMA controller that it has on the board. */
#include "chips.h"

#include <errno.h>

#include "vmapp/dev/i82077.h"

#define SIZE	1474560u

static struct bench b;
static struct i82077 f;
static struct i8237 dma;
static u8 ram[0x10000], image[SIZE];
static unsigned int seen;

static struct {
	struct blk blk;
	bool busy;
	enum blk_op op;
	u64 offset;
	struct iovec iov;
	int fail;
} medium;

static void start(struct blk *blk, enum blk_op op, u64 offset, const struct iovec *iov,
		  unsigned int n)
{
	assert_false(medium.busy);
	assert_int_equal(n, 1);
	assert_true(iov->iov_len && iov->iov_len % 512 == 0 && iov->iov_len <= I82077_BUFFER);
	assert_true(offset + iov->iov_len <= SIZE);
	assert_false(op == BLK_WRITE && blk->read_only);
	medium.busy = true;
	medium.op = op;
	medium.offset = offset;
	medium.iov = *iov;
}

static bool step(void)
{
	if (!medium.busy)
		return false;
	medium.busy = false;
	if (!medium.fail && medium.op == BLK_READ)
		memcpy(medium.iov.iov_base, image + medium.offset, medium.iov.iov_len);
	else if (!medium.fail)
		memcpy(image + medium.offset, medium.iov.iov_base, medium.iov.iov_len);
	medium.blk.done(medium.blk.dev, medium.fail);
	return true;
}

static void ram_read(void *ctx, u64 gpa, void *buf, u32 len)
{
	memset(buf, 0xff, len);
	if (gpa + len <= sizeof(ram))
		memcpy(buf, ram + gpa, len);
}

static void ram_write(void *ctx, u64 gpa, const void *buf, u32 len)
{
	if (gpa + len <= sizeof(ram))
		memcpy(ram + gpa, buf, len);
}

static void out(u32 port, u8 val)
{
	bench_out(i82077_regions, i82077_n_regions, &f, port, 1, val);
}

static u8 in(u32 port)
{
	return (u8)bench_in(i82077_regions, i82077_n_regions, &f, port, 1);
}

static void dma_out(u32 port, u8 val)
{
	bench_out(i8237_regions, i8237_n_regions, &dma, port, 1, val);
}

static unsigned int interrupts(void)
{
	unsigned int n = b.edges[6] - seen;

	seen = b.edges[6];
	return n;
}

static void command(const u8 *bytes, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(in(0x3f4) & 0xc0, 0x80);
		out(0x3f5, bytes[i]);
	}
}

#define COMMAND(...) command((const u8 []){ __VA_ARGS__ }, sizeof((const u8 []){ __VA_ARGS__ }))

static void result(const u8 *bytes, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		u8 got;

		assert_int_equal(in(0x3f4), 0xd0);
		got = in(0x3f5);
		if (got != bytes[i])
			fail_msg("result %u is %02x, not %02x", i, got, bytes[i]);
	}
	assert_int_equal(in(0x3f4) & 0xd0, 0x80);
}

#define RESULT(...) result((const u8 []){ __VA_ARGS__ }, sizeof((const u8 []){ __VA_ARGS__ }))

/* Channel 2, as a driver programs it. */
static void program_dma(u8 mode, u32 addr, u32 count)
{
	dma_out(0x0a, 6);
	dma_out(0x0c, 0);
	dma_out(0x0b, mode | 2);
	dma_out(0x04, (u8)addr);
	dma_out(0x04, (u8)(addr >> 8));
	dma_out(0x81, (u8)(addr >> 16));
	dma_out(0x05, (u8)(count - 1));
	dma_out(0x05, (u8)((count - 1) >> 8));
	dma_out(0x0a, 2);
}

static int setup(void **state)
{
	memset(&b, 0, sizeof(b));
	memset(&f, 0, sizeof(f));
	memset(&dma, 0, sizeof(dma));
	memset(&medium, 0, sizeof(medium));
	memset(ram, 0, sizeof(ram));
	for (u32 i = 0; i < SIZE; i++)
		image[i] = (u8)(i / 512 * 3 + i);
	dma.memory = (struct dev_memory){ ram_read, ram_write, NULL };
	dma.ready[2] = (struct dev_signal){ i82077_dma_ready, &f };
	i8237_reset(&dma);
	medium.blk = (struct blk){ .start = start, .size = SIZE };
	f.irq = bench_line(&b, 6);
	f.dma = &dma;
	f.drive[0].present = true;
	i82077_insert(&f, 0, &medium.blk);
	i82077_reset(&f);
	out(0x3f2, 0x1c);		/* motor 0 on */
	out(0x3f7, 0);			/* 500 kbit/s */
	COMMAND(0x03, 0xaf, 0x02);
	seen = b.edges[6];
	return 0;
}

static void seek(u8 cylinder)
{
	interrupts();
	COMMAND(0x0f, 0x00, cylinder);
	assert_int_equal(interrupts(), 1);
	COMMAND(0x08);
	RESULT(0x20, cylinder);
}

static void test_reset(void **state)
{
	assert_int_equal(in(0x3f7) & 0x80, 0x80);	/* nobody has stepped yet */
	out(0x3f2, 0x00);
	assert_int_equal(in(0x3f4), 0);
	out(0x3f2, 0x1c);
	assert_int_equal(interrupts(), 1);
	for (u8 i = 0; i < 4; i++) {
		COMMAND(0x08);
		RESULT(0xc0 | i, 0);
	}
	assert_false(b.level[6]);
	COMMAND(0x08);
	RESULT(0x80);
	COMMAND(0x10);
	RESULT(0x90);
	COMMAND(0x18);				/* the 82078's PART ID */
	RESULT(0x80);
	COMMAND(0x07, 0x00);
	assert_int_equal(interrupts(), 1);
	COMMAND(0x08);
	RESULT(0x20, 0);
	assert_int_equal(in(0x3f7) & 0x80, 0);
	COMMAND(0x07, 0x01);			/* a drive that is not there */
	COMMAND(0x08);
	RESULT(0x71, 0);
	COMMAND(0x04, 0x04);
	RESULT(0x3c);
	/* The lines are not driven: no interrupt until they are. */
	interrupts();
	out(0x3f2, 0x14);
	COMMAND(0x0f, 0x00, 3);
	assert_int_equal(interrupts(), 0);
	out(0x3f2, 0x1c);
	assert_int_equal(interrupts(), 1);
	COMMAND(0x08);
	RESULT(0x20, 3);
	COMMAND(0x94);
	RESULT(0x10);
	COMMAND(0x13, 0x00, 0x57, 0x00);
	COMMAND(0x0e);
	RESULT(3, 0, 0, 0, 0xaf, 0x02, 0, 0x80, 0x57, 0);
}

static void test_read(void **state)
{
	seek(5);
	program_dma(0x44, 0x8000, 1024);
	COMMAND(0xe6, 0x04, 5, 1, 17, 2, 18, 0x1b, 0xff);
	assert_int_equal(in(0x3f4), 0x10);
	assert_int_equal(interrupts(), 0);
	assert_true(step());
	assert_int_equal(interrupts(), 1);
	/* The next sector is the first one of the next cylinder. */
	RESULT(0x04, 0, 0, 6, 0, 1, 2);
	assert_false(b.level[6]);
	assert_memory_equal(ram + 0x8000, image + ((5 * 2 + 1) * 18 + 16) * 512, 1024);
	/* Both heads. */
	program_dma(0x44, 0x4000, 4 * 512);
	COMMAND(0xe6, 0x00, 5, 0, 17, 2, 18, 0x1b, 0xff);
	assert_true(step());
	assert_true(step());
	RESULT(0x04, 0, 0, 5, 1, 3, 2);
	assert_memory_equal(ram + 0x4000, image + (5 * 2 * 18 + 16) * 512, 4 * 512);
	/* The guest wants more than there is. */
	program_dma(0x44, 0x4000, 4 * 512);
	COMMAND(0x46, 0x00, 5, 0, 17, 2, 18, 0x1b, 0xff);
	assert_true(step());
	assert_false(medium.busy);
	RESULT(0x40, 0x80, 0, 6, 0, 1, 2);
	/* The channel opens later. */
	dma_out(0x0a, 6);
	COMMAND(0x46, 0x00, 5, 0, 1, 2, 18, 0x1b, 0xff);
	assert_true(step());
	assert_int_equal(in(0x3f4), 0x10);
	program_dma(0x44, 0x4000, 512);
	RESULT(0x00, 0, 0, 5, 0, 2, 2);
	assert_memory_equal(ram + 0x4000, image + 5 * 2 * 18 * 512, 512);
	COMMAND(0x4a, 0x00);
	RESULT(0x00, 0, 0, 5, 0, 1, 2);
	COMMAND(0x4a, 0x04);
	RESULT(0x04, 0, 0, 5, 1, 2, 2);
}

static void test_write(void **state)
{
	memset(ram + 0x1000, 0xa5, 1024);
	seek(79);
	program_dma(0x48, 0x1000, 700);
	COMMAND(0xc5, 0x04, 79, 1, 17, 2, 18, 0x1b, 0xff);
	assert_true(step());
	RESULT(0x04, 0, 0, 80, 0, 1, 2);
	assert_memory_equal(image + SIZE - 1024, ram + 0x1000, 700);
	assert_int_equal(image[SIZE - 1024 + 700], 0);	/* to the sector's end */
	assert_int_equal(image[SIZE - 1], 0);
	/* Format: one track of F6h. */
	seek(1);
	program_dma(0x48, 0x1000, 18 * 4);
	COMMAND(0x4d, 0x00, 2, 18, 0x50, 0xf6);
	assert_true(step());
	assert_int_equal(in(0x3f5), 0);
	for (unsigned int i = 0; i < 6; i++)
		in(0x3f5);
	for (u32 i = 0; i < 18 * 512; i++)
		assert_int_equal(image[36 * 512 + i], 0xf6);
	assert_int_not_equal(image[(36 + 18) * 512 + 1], 0xf6);
	/* Write-protected. */
	medium.blk.read_only = true;
	COMMAND(0x45, 0x00, 1, 0, 1, 2, 18, 0x1b, 0xff);
	RESULT(0x40, 0x02, 0, 1, 0, 1, 2);
	COMMAND(0x04, 0x00);
	RESULT(0x68);
}

/* Without DMA the guest moves each byte. */
static void test_programmed(void **state)
{
	COMMAND(0x03, 0xaf, 0x03);
	COMMAND(0x46, 0x00, 0, 0, 18, 2, 18, 0x1b, 0xff);
	interrupts();
	assert_true(step());
	assert_int_equal(interrupts(), 1);
	for (u32 i = 0; i < 512; i++) {
		assert_int_equal(in(0x3f4), 0xf0);
		assert_int_equal(in(0x3f5), image[17 * 512 + i]);
	}
	assert_int_equal(interrupts(), 1);
	RESULT(0x40, 0x80, 0, 1, 0, 1, 2);
	COMMAND(0x45, 0x00, 0, 0, 18, 2, 18, 0x1b, 0xff);
	for (u32 i = 0; i < 512; i++) {
		assert_int_equal(in(0x3f4), 0xb0);
		out(0x3f5, (u8)~i);
	}
	assert_true(step());
	RESULT(0x40, 0x80, 0, 1, 0, 1, 2);
	assert_int_equal(image[17 * 512 + 5], 0xfa);
}

static void test_errors(void **state)
{
	static const struct {
		u8 command[9];
		u8 st0, st1, st2;
	} bad[] = {
		{ { 0x46, 0, 1, 0, 1, 2, 18, 0, 0 }, 0x40, 0x04, 0x10 },	/* another cylinder */
		{ { 0x46, 0, 0, 1, 1, 2, 18, 0, 0 }, 0x40, 0x04, 0 },		/* another head */
		{ { 0x46, 0, 0, 0, 1, 3, 18, 0, 0 }, 0x40, 0x04, 0 },		/* 1024 bytes */
		{ { 0x46, 0, 0, 0, 0, 2, 18, 0, 0 }, 0x40, 0x04, 0 },
		{ { 0x46, 0, 0, 0, 19, 2, 255, 0, 0 }, 0x40, 0x04, 0 },
		{ { 0x46, 1, 0, 0, 1, 2, 18, 0, 0 }, 0x41, 0x01, 0 },		/* no such drive */
		{ { 0x46, 3, 0, 0, 1, 2, 18, 0, 0 }, 0x43, 0x01, 0 },
	};
	u8 got[7];

	for (unsigned int i = 0; i < WS_ARRAY_SIZE(bad); i++) {
		command(bad[i].command, 9);
		assert_false(medium.busy);
		for (unsigned int j = 0; j < 7; j++)
			got[j] = in(0x3f5);
		assert_int_equal(got[0], bad[i].st0);
		assert_int_equal(got[1], bad[i].st1);
		assert_int_equal(got[2], bad[i].st2);
	}
	medium.fail = EIO;
	program_dma(0x44, 0x4000, 512);
	COMMAND(0x46, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff);
	assert_true(step());
	RESULT(0x40, 0x20, 0x20, 0, 0, 1, 2);
	/* Another data rate than the medium's, and no medium. */
	out(0x3f7, 2);
	COMMAND(0x4a, 0x00);
	RESULT(0x40, 0x01, 0, 0, 0, 1, 2);
	out(0x3f7, 0);
	i82077_insert(&f, 0, NULL);
	COMMAND(0x4a, 0x00);
	RESULT(0x40, 0x01, 0, 0, 0, 1, 2);
	assert_int_equal(in(0x3f7) & 0x80, 0x80);
	/* A reset in the middle of a request: no data, and then it is over. */
	i82077_insert(&f, 0, &medium.blk);
	COMMAND(0x46, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff);
	out(0x3f2, 0x18);
	out(0x3f2, 0x1c);
	interrupts();
	assert_int_equal(in(0x3f4) & 0x80, 0);
	assert_true(step());
	assert_int_equal(interrupts(), 1);
	COMMAND(0x08);
	RESULT(0xc0, 0);
}

static void test_noise(void **state)
{
	static const u8 commands[] = {
		0x46, 0xe6, 0x45, 0xc5, 0x4d, 0x4a, 0x08, 0x07, 0x0f, 0x03, 0x16, 0x13, 0x8f, 0xcf,
	};
	uint64_t seed = 7;
	unsigned int requests = 0;

	for (unsigned int i = 0; i < 200000; i++) {
		unsigned int r = unit_random(&seed) % 16;

		if (r == 15) {
			for (unsigned int n = 0; n < 10; n++)	/* whatever is left of a command */
				in(0x3f4) & 0x40 ? in(0x3f5) : (out(0x3f5, 0), 0);
			out(0x3f5, commands[unit_random(&seed) % 5]);
			for (unsigned int n = 0; n < 8; n++)
				out(0x3f5, (const u8 []){ 0, 0, 0, 1, 2, 18, 1, 1 }[n]);
		} else if (r < 6)
			out(0x3f5, unit_random(&seed) % 4 ? unit_random(&seed) % 4 : 18);
		else if (r < 8)
			out(0x3f5, commands[unit_random(&seed) % sizeof(commands)]);
		else if (r < 11)
			in(0x3f5);
		else if (r == 11)
			out(0x3f2, unit_random(&seed) % 8 ? 0x1c : unit_random(&seed));
		else if (r == 12)
			program_dma(unit_random(&seed) & 1 ? 0x44 : 0x48, 0x1000,
				    1 + unit_random(&seed) % 3000);
		else if (r == 13)
			bench_fuzz(&b, i82077_regions, i82077_n_regions, &f, 1);
		else if (r == 14)
			out(0x3f7, 0);
		medium.fail = unit_random(&seed) % 20 ? 0 : EIO;
		if (unit_random(&seed) & 1)
			requests += step();
	}
	assert_true(requests > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_read, setup),
		cmocka_unit_test_setup(test_write, setup),
		cmocka_unit_test_setup(test_programmed, setup),
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_noise, setup),
	};

	return cmocka_run_group_tests_name("i82077", tests, NULL, NULL);
}
