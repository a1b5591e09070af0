/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who serves a port: 65,536 bytes that name a row each, so that finding the
 * handler of a port costs one access to one table. vmdriver has such a table
 * for what it emulates itself, vmapp one for the rest.
 *
 * No locking. Rows may be added while others do accesses (they see all of a
 * row or nothing of it), one adder at a time; rows are removed only while
 * nobody else uses the table.
 */
#ifndef WS_CORE_PORT_TABLE_H
#define WS_CORE_PORT_TABLE_H

/* Layout of struct ws_port_row, for entry code in assembly language. */
#define WS_PORT_ROW_SHIFT	5	/* log2 of its size */
#define WS_PORT_ROW_KEY		0
#define WS_PORT_ROW_VALUE	4
#define WS_PORT_ROW_MASK	8

/*
 * latch_key is the port in bits 31:16 and the access size in bytes in bits 6:4:
 * the places where SVM's EXITINFO1 has them. Its remaining bits tell IN, string
 * and REP accesses; masked with WS_PORT_KEY_MASK, an OUT to a latch is equal to
 * the latch's key, an IN has WS_PORT_KEY_IN set as well, and nothing else fits.
 */
#define WS_PORT_KEY_IN		0x1
#define WS_PORT_KEY_MASK	0xffff007d

#ifndef __ASSEMBLER__

#include "region.h"

/**
 * struct ws_port_row - a row of a device's table, put at its place
 * @latch_key: see above; 0, which no access has, if this is not a latch
 * @latch_value: what the guest last wrote, no bits above the latch's size
 * @latch_mask: all ones in the latch's size
 * @base: absolute number of the row's first port
 * @region: the row; NULL if this entry is free
 * @dev: first argument of its handlers
 */
struct ws_port_row {
	u32 latch_key;
	u32 latch_value;
	u32 latch_mask;
	u32 base;
	const struct ws_region *region;
	void *dev;
};

/**
 * struct ws_port_table - all ports; all zero is an empty table
 * @map: for each port its row's number, 0 if nobody serves it
 * @rows: @rows[0] stays empty
 */
struct ws_port_table {
	u8 map[65536];
	struct ws_port_row rows[256];
};

/**
 * ws_ports_add() - put a device's rows at its base
 * @regions: @n rows, which must stay as long as they are in the table. A
 *	WS_REGION_LATCH row has neither read nor write, and its length is its
 *	one size.
 * @base: added to the rows' offsets
 * @dev: given to their handlers, and names the rows in ws_ports_remove()
 *
 * Returns 0, or with nothing added -WS_EEXIST (a port is taken already, or by
 * two of these rows), -WS_ENOSPC (255 rows are in use), -WS_EINVAL (an empty
 * row, one that goes beyond port FFFFh, or a malformed or misaligned latch).
 */
int ws_ports_add(struct ws_port_table *t, const struct ws_region *regions,
		 unsigned int n, u32 base, void *dev);

/**
 * ws_ports_add_latch() - one latch that belongs to no device, reading 0 at first
 * @size: 1, 2 or 4; @port is a multiple of it
 *
 * Errors are those of ws_ports_add().
 */
int ws_ports_add_latch(struct ws_port_table *t, u16 port, unsigned int size);

/* Take out every row that was added with @dev. */
void ws_ports_remove(struct ws_port_table *t, const void *dev);

/**
 * ws_ports_in() - IN of 1, 2 or 4 bytes
 * @value: set to the value (upper bits zero) if the access was handled
 *
 * An access that its row does not take as it is becomes single bytes, low
 * first, each at its own port; bytes that nobody serves read FFh. Returns
 * false if none of its bytes is served.
 */
bool ws_ports_in(struct ws_port_table *t, u16 port, unsigned int size, u32 *value);

/* OUT of 1, 2 or 4 bytes, in the same way; bytes that nobody serves are lost. */
bool ws_ports_out(struct ws_port_table *t, u16 port, unsigned int size, u32 value);

/* The row that serves @port; its region is NULL if none does. */
static inline struct ws_port_row *ws_port_row(struct ws_port_table *t, u16 port)
{
	return &t->rows[t->map[port]];
}

static inline u32 ws_port_latch_key(u16 port, unsigned int size)
{
	return (u32)port << 16 | size << 4;
}

/**
 * ws_port_latch() - the value behind a latch port
 *
 * Returns NULL unless @port and @size (1, 2, 4) are exactly those of a latch.
 * What is stored there must have no bits above @size bytes.
 */
static inline u32 *ws_port_latch(struct ws_port_table *t, u16 port, unsigned int size)
{
	struct ws_port_row *row = ws_port_row(t, port);

	return row->latch_key == ws_port_latch_key(port, size) ? &row->latch_value : NULL;
}

#endif /* !__ASSEMBLER__ */
#endif
