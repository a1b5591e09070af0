/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device's registers as rows of one table. The same table feeds dispatch
 * (in vmdriver and in vmapp), tracing, the fuzzers and overlap checks: there
 * is no second list of ports anywhere.
 */
#ifndef WS_CORE_REGION_H
#define WS_CORE_REGION_H

#include "types.h"

/* The access sizes a row handles natively, or'ed together. */
#define WS_SIZE_1	1u
#define WS_SIZE_2	2u
#define WS_SIZE_4	4u

/* Memory semantics: a read or a write has no side effect (the paper, 3.3). */
#define WS_REGION_LATCH	(1u << 0)
/* The device takes accesses of any size itself, through its shell: no splitting. */
#define WS_REGION_WHOLE	(1u << 1)

/**
 * struct ws_region - one row: a run of ports (or MMIO bytes) with one handler
 * @name: what traces and errors call it
 * @offset: first port; absolute for fixed ports, else relative to a base (BAR)
 * @len: number of ports, at least 1
 * @sizes: WS_SIZE_* handled natively; others are split into bytes, low first
 * @flags: WS_REGION_*
 * @read: returns the value in the low @size bytes; @offset counts from the
 *	row's start and is below @len; NULL reads as all ones
 * @write: the value is in the low @size bytes of @val; NULL ignores writes
 *
 * An access of @size that is in @sizes never crosses the end of its row: one
 * that would is split into bytes like one of an unlisted size.
 */
struct ws_region {
	const char *name;
	u32 offset;
	u32 len;
	u8 sizes;
	u8 flags;
	u32 (*read)(void *dev, u32 offset, unsigned int size);
	void (*write)(void *dev, u32 offset, unsigned int size, u32 val);
};

/* All ones in the low @size bytes: what a bus floats to when nobody answers. */
static inline u32 ws_all_ones(unsigned int size)
{
	return size >= 4 ? 0xffffffffu : (1u << (size * 8)) - 1;
}

#endif
