/* SPDX-License-Identifier: GPL-2.0-only */
/* What a chip's model is given in a test: a line, a clock and a timer to look at. */
#ifndef SELFTESTS_CHIPS_H
#define SELFTESTS_CHIPS_H

#include "unit.h"

#include "vmapp/dev/dev.h"

struct bench {
	bool level[16];
	unsigned int edges[16];		/* rising */
	u64 now;
	u64 armed;
	unsigned int raised;		/* of a dev_signal */
	struct dev_timer timer;
};

static inline void bench_irq(void *ctx, unsigned int irq, bool level)
{
	struct bench *b = ctx;

	assert_true(irq < 16);
	assert_true(b->level[irq] != level);
	b->level[irq] = level;
	b->edges[irq] += level;
}

static inline u64 bench_now(void *ctx)
{
	return ((struct bench *)ctx)->now;
}

static inline void bench_raise(void *ctx)
{
	((struct bench *)ctx)->raised++;
}

static inline void bench_arm(struct dev_timer *t, u64 when)
{
	((struct bench *)((char *)t - offsetof(struct bench, timer)))->armed = when;
}

static inline struct dev_irq bench_line(struct bench *b, unsigned int irq)
{
	return (struct dev_irq){ bench_irq, b, irq, false };
}

/* Go to @when, and let the timer expire on the way as often as it is due. */
static inline void bench_advance(struct bench *b, u64 when)
{
	while (b->armed <= when) {
		u64 due = b->armed;

		b->now = due > b->now ? due : b->now;
		b->armed = DEV_NEVER;
		b->timer.expired(b->timer.dev);
		assert_true(b->armed > due);
	}
	b->now = when;
}

/* Through a device's own table, as the bus does; the row must be there. */
static inline const struct ws_region *bench_row(const struct ws_region *rows, unsigned int n,
						u32 port, unsigned int size)
{
	for (unsigned int i = 0; i < n; i++)
		if (port >= rows[i].offset && port - rows[i].offset < rows[i].len) {
			assert_true(rows[i].sizes & size);
			assert_true(port - rows[i].offset + size <= rows[i].len);
			return &rows[i];
		}
	fail_msg("no row for port %xh", port);
	return NULL;
}

static inline u32 bench_in(const struct ws_region *rows, unsigned int n, void *dev, u32 port,
			   unsigned int size)
{
	const struct ws_region *row = bench_row(rows, n, port, size);
	u32 val = row->read ? row->read(dev, port - row->offset, size) : ws_all_ones(size);

	assert_int_equal(val & ~ws_all_ones(size), 0);
	return val;
}

static inline void bench_out(const struct ws_region *rows, unsigned int n, void *dev, u32 port,
			     unsigned int size, u32 val)
{
	const struct ws_region *row = bench_row(rows, n, port, size);

	if (row->write)
		row->write(dev, port - row->offset, size, val & ws_all_ones(size));
}

/* Random accesses of the sizes that the rows take, with time going by. */
static inline void bench_fuzz(struct bench *b, const struct ws_region *rows, unsigned int n,
			      void *dev, unsigned int steps)
{
	uint64_t seed = 42;

	while (steps--) {
		const struct ws_region *row = &rows[unit_random(&seed) % n];
		unsigned int size = 1u << unit_random(&seed) % 3;
		u32 at = row->offset + unit_random(&seed) % row->len;

		if (!(row->sizes & size) || at - row->offset + size > row->len)
			continue;
		if (unit_random(&seed) & 1)
			bench_in(rows, n, dev, at, size);
		else
			bench_out(rows, n, dev, at, size, unit_random(&seed));
		b->now += unit_random(&seed) % 1000000;
	}
}

#endif
