// SPDX-License-Identifier: GPL-2.0-only
/* The clock: formats, setting it, update cycle, the three interrupts, memory size bytes. */
#include "chips.h"

#include "vmapp/dev/mc146818.h"

#define IRQ	8
#define SEC	1000000000ull
/* 2001-02-03 04:05:06 UTC, a Saturday */
#define EPOCH	981173106ull

struct rtc {
	struct bench bench;
	struct mc146818 chip;
};

static void setup(struct rtc *r)
{
	memset(r, 0, sizeof(*r));
	r->bench.armed = DEV_NEVER;
	r->bench.now = EPOCH * SEC;
	r->bench.timer = (struct dev_timer){ bench_arm, mc146818_expired, &r->chip };
	r->chip.irq = bench_line(&r->bench, IRQ);
	r->chip.clock = (struct dev_clock){ bench_now, &r->bench };
	r->chip.timer = &r->bench.timer;
	mc146818_init(&r->chip, 256ull << 20, 0);
}

static u8 in(struct rtc *r, u8 index)
{
	bench_out(mc146818_regions, mc146818_n_regions, &r->chip, 0x70, 1, index);
	return (u8)bench_in(mc146818_regions, mc146818_n_regions, &r->chip, 0x71, 1);
}

static void out(struct rtc *r, u8 index, u8 val)
{
	bench_out(mc146818_regions, mc146818_n_regions, &r->chip, 0x70, 1, index);
	bench_out(mc146818_regions, mc146818_n_regions, &r->chip, 0x71, 1, val);
}

static void assert_time(struct rtc *r, u8 century, u8 year, u8 month, u8 date, u8 hour, u8 min,
			u8 sec)
{
	assert_int_equal(in(r, 0x32), century);
	assert_int_equal(in(r, 9), year);
	assert_int_equal(in(r, 8), month);
	assert_int_equal(in(r, 7), date);
	assert_int_equal(in(r, 4), hour);
	assert_int_equal(in(r, 2), min);
	assert_int_equal(in(r, 0), sec);
}

static void test_formats(void **state)
{
	struct rtc r;

	setup(&r);
	assert_time(&r, 0x20, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06);
	assert_int_equal(in(&r, 6), 7);
	bench_advance(&r.bench, (EPOCH + 12 * 3600) * SEC);
	assert_time(&r, 0x20, 0x01, 0x02, 0x03, 0x16, 0x05, 0x06);
	out(&r, 0x0b, 0x00);	/* 12 hours, BCD */
	assert_int_equal(in(&r, 4), 0x84);
	out(&r, 0x0b, 0x04);	/* binary */
	assert_time(&r, 20, 1, 2, 3, 0x84, 5, 6);
	out(&r, 0x0b, 0x06);
	assert_int_equal(in(&r, 4), 16);
}

static void test_setting(void **state)
{
	struct rtc r;

	setup(&r);
	out(&r, 0x0b, 0x82);	/* SET */
	out(&r, 0x32, 0x19);
	out(&r, 9, 0x99);
	out(&r, 8, 0x12);
	out(&r, 7, 0x31);
	out(&r, 4, 0x23);
	out(&r, 2, 0x59);
	out(&r, 0, 0x58);
	bench_advance(&r.bench, r.bench.now + 10 * SEC);	/* it stands still */
	assert_time(&r, 0x19, 0x99, 0x12, 0x31, 0x23, 0x59, 0x58);
	out(&r, 0x0b, 0x02);
	bench_advance(&r.bench, r.bench.now + 2 * SEC);
	assert_time(&r, 0x20, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00);
	/* A byte set while it runs. */
	out(&r, 4, 0x12);
	assert_time(&r, 0x20, 0x00, 0x01, 0x01, 0x12, 0x00, 0x00);
	/* A released divider: half a second to the next one. */
	out(&r, 0x0a, 0x76);
	bench_advance(&r.bench, r.bench.now + 5 * SEC);
	out(&r, 0x0a, 0x26);
	assert_int_equal(in(&r, 0), 0x00);
	bench_advance(&r.bench, r.bench.now + SEC / 2);
	assert_int_equal(in(&r, 0), 0x01);
	/* Nonsense is carried over and does no harm. */
	out(&r, 0, 0xff);
	out(&r, 8, 0x00);
	out(&r, 0x32, 0xff);
	in(&r, 9);
	mc146818_reset(&r.chip);
}

static void test_update_in_progress(void **state)
{
	struct rtc r;

	setup(&r);
	assert_int_equal(in(&r, 0x0a), 0x26);
	r.bench.now += SEC - 2228000 - 1;
	assert_int_equal(in(&r, 0x0a) & 0x80, 0);
	r.bench.now += 1;
	assert_int_equal(in(&r, 0x0a) & 0x80, 0x80);
	r.bench.now += 2228000;
	assert_int_equal(in(&r, 0x0a) & 0x80, 0);
	assert_int_equal(in(&r, 0x0d), 0x80);
	out(&r, 0x0d, 0);
	assert_int_equal(in(&r, 0x0d), 0x80);
}

static void test_flags_without_interrupts(void **state)
{
	struct rtc r;

	setup(&r);
	assert_int_equal(r.bench.armed, DEV_NEVER);
	assert_int_equal(in(&r, 0x0c), 0);
	r.bench.now += SEC;
	assert_int_equal(in(&r, 0x0c), 0x50);
	assert_int_equal(in(&r, 0x0c), 0);
	r.bench.now += SEC / 1000;
	assert_int_equal(in(&r, 0x0c) & 0x40, 0x40);
	assert_int_equal(r.bench.edges[IRQ], 0);
	assert_int_equal(r.bench.armed, DEV_NEVER);
}

static void test_periodic(void **state)
{
	struct rtc r;
	unsigned int n = 0;
	u64 end;

	setup(&r);
	out(&r, 0x0b, 0x42);
	end = r.bench.now + SEC;
	while (r.bench.armed <= end) {
		bench_advance(&r.bench, r.bench.armed);
		assert_true(r.bench.level[IRQ]);
		assert_int_equal(r.bench.armed, DEV_NEVER);	/* until C is read */
		assert_int_equal(in(&r, 0x0c) & 0xc0, 0xc0);
		assert_false(r.bench.level[IRQ]);
		n++;
	}
	assert_int_equal(n, 1024);
	out(&r, 0x0a, 0x20);	/* rate 0: none */
	assert_int_equal(r.bench.armed, DEV_NEVER);
}

static void test_update_and_alarm(void **state)
{
	struct rtc r;

	setup(&r);
	out(&r, 0x0b, 0x12);
	assert_int_equal(r.bench.armed, (EPOCH + 1) * SEC);
	bench_advance(&r.bench, (EPOCH + 1) * SEC);
	assert_int_equal(in(&r, 0x0c) & 0x90, 0x90);
	/* 04:10:00, then every hour at :10:00 */
	out(&r, 0x0b, 0x22);
	out(&r, 5, 0x04);
	out(&r, 3, 0x10);
	out(&r, 1, 0x00);
	assert_int_equal(r.bench.armed, (EPOCH + 294) * SEC);
	bench_advance(&r.bench, (EPOCH + 293) * SEC);
	assert_int_equal(in(&r, 0x0c) & 0x20, 0);
	bench_advance(&r.bench, (EPOCH + 294) * SEC);
	assert_true(r.bench.level[IRQ]);
	assert_int_equal(in(&r, 0x0c) & 0xa0, 0xa0);
	assert_int_equal(r.bench.armed, (EPOCH + 294 + 86400) * SEC);
	out(&r, 5, 0xff);
	assert_int_equal(r.bench.armed, (EPOCH + 294 + 3600) * SEC);
	out(&r, 3, 0x99);	/* no such minute */
	assert_int_equal(r.bench.armed, DEV_NEVER);
	out(&r, 0x0b, 0xb2);	/* SET takes UIE away, and nothing updates */
	assert_int_equal(in(&r, 0x0b), 0xa2);
	assert_int_equal(r.bench.armed, DEV_NEVER);
	mc146818_reset(&r.chip);
	assert_int_equal(in(&r, 0x0b) & 0x70, 0);
}

static void test_memory_size(void **state)
{
	struct rtc r;
	unsigned int sum = 0;

	setup(&r);
	assert_int_equal(in(&r, 0x15) | in(&r, 0x16) << 8, 640);
	assert_int_equal(in(&r, 0x30) | in(&r, 0x31) << 8, 0xffff);
	assert_int_equal(in(&r, 0x34) | in(&r, 0x35) << 8, 240 * 16);
	for (u8 i = 0x10; i <= 0x2d; i++)
		sum += in(&r, i);
	assert_int_equal(in(&r, 0x2e) << 8 | in(&r, 0x2f), sum);
	mc146818_init(&r.chip, 4ull << 20, 0);
	assert_int_equal(in(&r, 0x17) | in(&r, 0x18) << 8, 3072);
	assert_int_equal(in(&r, 0x34), 0);
	mc146818_init(&r.chip, 3ull << 30, 6ull << 30);
	assert_int_equal(in(&r, 0x34) | in(&r, 0x35) << 8, 0xbf00);
	assert_int_equal(in(&r, 0x5b) | in(&r, 0x5c) << 8 | in(&r, 0x5d) << 16, 6 << 14);
	out(&r, 0x7f, 0x99);
	assert_int_equal(in(&r, 0xff), 0x99);	/* the index has 7 bits */
}

static void test_clock_set_back(void **state)
{
	struct rtc r;

	setup(&r);
	out(&r, 0x0b, 0x72);
	r.bench.now -= 100 * SEC;
	mc146818_expired(&r.chip);
	assert_int_equal(in(&r, 0x0c), 0);
	assert_true(r.bench.armed > r.bench.now && r.bench.armed < r.bench.now + SEC);
}

static void test_fuzz(void **state)
{
	struct rtc r;

	setup(&r);
	bench_fuzz(&r.bench, mc146818_regions, mc146818_n_regions, &r.chip, 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_setting),
		cmocka_unit_test(test_update_in_progress),
		cmocka_unit_test(test_flags_without_interrupts),
		cmocka_unit_test(test_periodic),
		cmocka_unit_test(test_update_and_alarm),
		cmocka_unit_test(test_memory_size),
		cmocka_unit_test(test_clock_set_back),
		cmocka_unit_test(test_fuzz),
	};

	return cmocka_run_group_tests_name("mc146818", tests, NULL, NULL);
}
