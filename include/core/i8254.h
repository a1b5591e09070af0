/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PC's 8254 programmable interval timer and port 61h, through which the
 * CPU reaches the gate and the output of its counter 2. Names are those of
 * Intel's "8254 Programmable Interval Timer" data sheet.
 *
 * Pure C without a clock: time comes as an argument, in nanoseconds since any
 * fixed point, and is turned into ticks of 1,193,182 Hz by integer arithmetic
 * that neither drifts nor overflows within 500 years. A @now that is before
 * one seen earlier counts as that one. The caller locks.
 *
 * A count takes effect one tick after it was written, as on the chip; the
 * count that is read in between is the new one.
 */
#ifndef WS_CORE_I8254_H
#define WS_CORE_I8254_H

#include "types.h"

#define I8254_HZ		1193182u
#define I8254_COUNTERS		3
#define I8254_NEVER		(~0ull)

/* Registers, as offsets from port 40h. */
#define I8254_COUNTER(n)	(n)
#define I8254_CONTROL		3

/* The control word; bits 5:0 are read back in the status byte. */
#define I8254_CW_BCD		0x01
#define I8254_CW_MODE		0x0e	/* bit 3 does not count in modes 2 and 3 */
#define I8254_CW_MODE_SHIFT	1
#define I8254_CW_RW		0x30
#define I8254_CW_RW_LATCH	0x00	/* counter latch command */
#define I8254_CW_RW_LSB		0x10
#define I8254_CW_RW_MSB		0x20
#define I8254_CW_RW_WORD	0x30
#define I8254_CW_SC_SHIFT	6
#define I8254_CW_READ_BACK	0xc0
#define I8254_RB_NO_COUNT	0x20
#define I8254_RB_NO_STATUS	0x10
#define I8254_RB_COUNTER(n)	(2 << (n))
#define I8254_STATUS_OUT	0x80
#define I8254_STATUS_NULL	0x40

/* Port 61h. */
#define I8254_61_GATE2		0x01
#define I8254_61_SPEAKER	0x02
#define I8254_61_WRITABLE	0x0f	/* bits 3:2 enable NMI sources that we lack */
#define I8254_61_REFRESH	0x10	/* toggles with each memory refresh: 18 ticks */
#define I8254_61_OUT2		0x20

/**
 * struct i8254_counter - one counter; times are ticks
 * @reload: the count register, 1 to 65536 (10000 if BCD): what is loaded next
 * @count: the count that is being counted
 * @start: when @count was or will be loaded; OUT is @out before. While the gate
 *	holds the counter, what it has counted is in @held.
 * @switch_at: when @reload replaces @count in modes 2 and 3, if @switching
 * @held: ticks counted when the gate stopped the counter
 * @latch: what the latch command kept, if @latched
 * @mode: 0 to 5
 * @control: bits 5:0 of the last control word
 * @low: the first byte of a count of two, if @write_high
 * @status: what the read-back command kept, if @status_latched
 * @loaded: a count was given (and, in modes 1 and 5, triggered) since the
 *	control word; if not, OUT is @out
 * @armed: a count was written since the control word
 * @gate: the level of the GATE input
 * @write_high, @read_high: the second byte of two comes next
 */
struct i8254_counter {
	u32 reload;
	u32 count;
	u64 start;
	u64 switch_at;
	u64 held;
	u16 latch;
	u8 mode;
	u8 control;
	u8 low;
	u8 status;
	bool out;
	bool gate;
	bool armed;
	bool loaded;
	bool switching;
	bool latched;
	bool status_latched;
	bool write_high;
	bool read_high;
};

/**
 * struct i8254 - the chip and port 61h
 * @tick: the latest time seen, in ticks
 * @seen: how far the rises of OUT0 are counted, in ticks
 * @edges: rises of OUT0 that i8254_edges() has not given out yet
 * @port61: the bits of port 61h that can be written
 */
struct i8254 {
	struct i8254_counter counter[I8254_COUNTERS];
	u64 tick;
	u64 seen;
	u64 edges;
	u8 port61;
};

/* What i8254_get() gives and i8254_set() takes; the format of suspend files. */
struct i8254_counter_state {
	u32 reload, count;
	u64 elapsed;		/* ticks since start, two's complement */
	u64 switch_in;		/* ticks until switch_at, 0 if none */
	u64 held;
	u16 latch;
	u8 control, mode, low, status;
	u16 flags;		/* I8254_STATE_* */
};

struct i8254_state {
	struct i8254_counter_state counter[I8254_COUNTERS];
	u8 port61;
	u8 pad[7];		/* 0 */
};

#define I8254_STATE_OUT			0x001
#define I8254_STATE_GATE		0x002
#define I8254_STATE_ARMED		0x004
#define I8254_STATE_LOADED		0x008
#define I8254_STATE_LATCHED		0x010
#define I8254_STATE_STATUS_LATCHED	0x020
#define I8254_STATE_WRITE_HIGH		0x040
#define I8254_STATE_READ_HIGH		0x080

/* As after power-on: no counter runs before it is programmed; gate 2 is low. */
void i8254_reset(struct i8254 *pit, u64 now);

/* @reg: I8254_COUNTER(0 to 2) or I8254_CONTROL (reads FFh). */
u8 i8254_read(struct i8254 *pit, unsigned int reg, u64 now);
void i8254_write(struct i8254 *pit, unsigned int reg, u8 val, u64 now);

u8 i8254_read_61(struct i8254 *pit, u64 now);
void i8254_write_61(struct i8254 *pit, u8 val, u64 now);

/* Level of OUT of counter @n. */
bool i8254_out(struct i8254 *pit, unsigned int n, u64 now);

/* How often OUT0 has risen up to @now, since the last call or the reset. */
u64 i8254_edges(struct i8254 *pit, u64 now);

/* When OUT0 rises next after @now, in ns; I8254_NEVER: not before a write. */
u64 i8254_next_edge(struct i8254 *pit, u64 now);

/* Ticks between two rises of OUT0 if it rises periodically, else 0. */
u32 i8254_period(const struct i8254 *pit);

void i8254_get(struct i8254 *pit, struct i8254_state *state, u64 now);

/*
 * Go on at @now with what @state was when it was taken. Returns 0, or -WS_EINVAL
 * with nothing changed if no chip can be in @state.
 */
int i8254_set(struct i8254 *pit, const struct i8254_state *state, u64 now);

#endif
