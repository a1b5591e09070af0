// SPDX-License-Identifier: GPL-2.0-only
/*
 * Port dispatch, for vmdriver and for vmapp: see core/port_table.h.
 */
#include "core/port_table.h"

#define PORTS		65536u
#define FREE_ROWS	255u

/* Entry code in assembly language relies on these. */
static_assert(sizeof(struct ws_port_row) == 1u << WS_PORT_ROW_SHIFT, "row size");
static_assert(offsetof(struct ws_port_row, latch_key) == WS_PORT_ROW_KEY, "row key");
static_assert(offsetof(struct ws_port_row, latch_value) == WS_PORT_ROW_VALUE, "row value");
static_assert(offsetof(struct ws_port_row, latch_mask) == WS_PORT_ROW_MASK, "row mask");

static const struct ws_region latches[] = {
	{ .name = "latch8", .len = 1, .sizes = WS_SIZE_1, .flags = WS_REGION_LATCH },
	{ .name = "latch16", .len = 2, .sizes = WS_SIZE_2, .flags = WS_REGION_LATCH },
	{ .name = "latch32", .len = 4, .sizes = WS_SIZE_4, .flags = WS_REGION_LATCH },
};

static bool latch_valid(const struct ws_region *region, u32 base)
{
	return (region->len == 1 || region->len == 2 || region->len == 4) &&
	       region->sizes == region->len && !(base & (region->len - 1)) &&
	       !region->read && !region->write;
}

static int check_row(const struct ws_port_table *t, const struct ws_region *region, u32 base)
{
	u32 i;

	if (base >= PORTS || region->offset >= PORTS - base)
		return -WS_EINVAL;
	base += region->offset;
	if (!region->len || region->len > PORTS - base)
		return -WS_EINVAL;
	if (region->flags & WS_REGION_LATCH && !latch_valid(region, base))
		return -WS_EINVAL;
	for (i = 0; i < region->len; i++)
		if (t->map[base + i])
			return -WS_EEXIST;
	return 0;
}

/* The row is complete before its first port names it. */
static void put_row(struct ws_port_table *t, unsigned int index,
		    const struct ws_region *region, u32 base, void *dev)
{
	struct ws_port_row *row = &t->rows[index];
	u32 i;

	row->base = base + region->offset;
	row->dev = dev;
	row->latch_value = 0;
	row->latch_mask = 0;
	row->latch_key = 0;
	if (region->flags & WS_REGION_LATCH) {
		row->latch_mask = ws_all_ones(region->len);
		row->latch_key = ws_port_latch_key(row->base, region->len);
	}
	row->region = region;
	for (i = 0; i < region->len; i++)
		__atomic_store_n(&t->map[row->base + i], index, __ATOMIC_RELEASE);
}

static void drop_row(struct ws_port_table *t, unsigned int index)
{
	struct ws_port_row *row = &t->rows[index];
	u32 i;

	for (i = 0; i < row->region->len; i++)
		t->map[row->base + i] = 0;
	*row = (struct ws_port_row){ 0 };
}

static unsigned int free_row(const struct ws_port_table *t)
{
	unsigned int i;

	for (i = 1; i <= FREE_ROWS; i++)
		if (!t->rows[i].region)
			return i;
	return 0;
}

int ws_ports_add(struct ws_port_table *t, const struct ws_region *regions,
		 unsigned int n, u32 base, void *dev)
{
	u8 added[FREE_ROWS];
	unsigned int i;
	int err = 0;

	/* Putting each row before the next one is looked at finds overlap among them. */
	for (i = 0; i < n; i++) {
		err = check_row(t, &regions[i], base);
		if (!err && (i == FREE_ROWS || !free_row(t)))
			err = -WS_ENOSPC;
		if (err)
			break;
		added[i] = free_row(t);
		put_row(t, added[i], &regions[i], base, dev);
	}
	while (err && i)
		drop_row(t, added[--i]);
	return err;
}

int ws_ports_add_latch(struct ws_port_table *t, u16 port, unsigned int size)
{
	unsigned int i;

	for (i = 0; i < WS_ARRAY_SIZE(latches); i++)
		if (latches[i].len == size)
			return ws_ports_add(t, &latches[i], 1, port, NULL);
	return -WS_EINVAL;
}

void ws_ports_remove(struct ws_port_table *t, const void *dev)
{
	unsigned int i;

	for (i = 1; i <= FREE_ROWS; i++)
		if (t->rows[i].region && t->rows[i].dev == dev)
			drop_row(t, i);
}

/* Does the row take this access as one? */
static inline bool whole(const struct ws_port_row *row, u16 port, unsigned int size)
{
	return row->region->sizes & size && port - row->base + size <= row->region->len;
}

static inline u32 row_in(const struct ws_port_row *row, u16 port, unsigned int size)
{
	if (row->region->read)
		return row->region->read(row->dev, port - row->base, size) & ws_all_ones(size);
	if (row->latch_key == ws_port_latch_key(port, size))
		return row->latch_value;
	return ws_all_ones(size);
}

static inline void row_out(struct ws_port_row *row, u16 port, unsigned int size, u32 value)
{
	value &= ws_all_ones(size);
	if (row->region->write)
		row->region->write(row->dev, port - row->base, size, value);
	else if (row->latch_key == ws_port_latch_key(port, size))
		row->latch_value = value;
}

/* Is any byte of the access somebody's? */
static bool served(const struct ws_port_table *t, u32 port, unsigned int size)
{
	u32 i;

	for (i = port; i < port + size && i < PORTS; i++)
		if (t->map[i])
			return true;
	return false;
}

static bool split_in(struct ws_port_table *t, u32 port, unsigned int size, u32 *value)
{
	const struct ws_port_row *row;
	unsigned int i;
	u32 byte;

	if (!served(t, port, size))
		return false;
	*value = 0;
	for (i = 0; i < size; i++) {
		byte = 0xff;
		if (port + i < PORTS && t->map[port + i]) {
			row = &t->rows[t->map[port + i]];
			if (whole(row, port + i, 1))
				byte = row_in(row, port + i, 1);
		}
		*value |= byte << (i * 8);
	}
	return true;
}

static bool split_out(struct ws_port_table *t, u32 port, unsigned int size, u32 value)
{
	struct ws_port_row *row;
	unsigned int i;

	if (!served(t, port, size))
		return false;
	for (i = 0; i < size; i++, value >>= 8) {
		if (port + i >= PORTS || !t->map[port + i])
			continue;
		row = &t->rows[t->map[port + i]];
		if (whole(row, port + i, 1))
			row_out(row, port + i, 1, value);
	}
	return true;
}

bool ws_ports_in(struct ws_port_table *t, u16 port, unsigned int size, u32 *value)
{
	const struct ws_port_row *row = &t->rows[t->map[port]];

	if (row->region && whole(row, port, size)) {
		*value = row_in(row, port, size);
		return true;
	}
	return split_in(t, port, size, value);
}

bool ws_ports_out(struct ws_port_table *t, u16 port, unsigned int size, u32 value)
{
	struct ws_port_row *row = &t->rows[t->map[port]];

	if (row->region && whole(row, port, size)) {
		row_out(row, port, size, value);
		return true;
	}
	return split_out(t, port, size, value);
}
