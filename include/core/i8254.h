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
 * @reload: the count register, 1 to 65536 (16665 if BCD): what is loaded next
 * @count: the count that is being counted
 * @start: when @count was or will be loaded; OUT is @out before
 * @switch_at: modes 2 and 3: when a @pending count is loaded
 * @held: ticks counted when the gate stopped the counter
 * @latch: what the latch command kept, if @latched
 * @mode: 0 to 5
 * @control: bits 5:0 of the last control word
 * @low: the first byte of a count of two, if @write_high
 * @status: what the read-back command kept, if @status_latched
 * @out: OUT while no count is loaded
 * @gate: the level of the GATE input
 * @armed: a count was written since the control word
 * @loaded: there is a @start since the control word
 * @pending: @reload waits for a trigger, for the end of a period, or in mode 0
 *	for the rest of the next count
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
	bool pending;
	bool latched;
	bool status_latched;
	bool write_high;
	bool read_high;
};

/**
 * struct i8254 - the chip and port 61h
 * @tick: the latest time seen, in ticks
 * @edges: rises of OUT0 that i8254_edges() has not given out yet
 * @port61: the bits of port 61h that can be written
 */
struct i8254 {
	struct i8254_counter counter[I8254_COUNTERS];
	u64 tick;
	u64 edges;
	u8 port61;
};

/*
 * What i8254_get() gives and i8254_set() takes; the format of suspend files.
 * The rest follows from it: the gates from port 61h, the mode from the control
 * word, the end of a period from its beginning.
 */
struct i8254_counter_state {
	u32 reload, count;
	s64 elapsed;		/* ticks since start: at least -1 */
	u64 held;
	u16 latch;
	u16 flags;		/* I8254_STATE_* */
	u8 control, low, status;
	u8 pad;			/* 0 */
};

struct i8254_state {
	struct i8254_counter_state counter[I8254_COUNTERS];
	u8 port61;
	u8 pad[7];		/* 0 */
};

#define I8254_STATE_OUT			0x01
#define I8254_STATE_ARMED		0x02
#define I8254_STATE_LOADED		0x04
#define I8254_STATE_PENDING		0x08
#define I8254_STATE_LATCHED		0x10
#define I8254_STATE_STATUS_LATCHED	0x20
#define I8254_STATE_WRITE_HIGH		0x40
#define I8254_STATE_READ_HIGH		0x80

/* As after power-on: no counter runs before it is programmed; gate 2 is low. */
void i8254_reset(struct i8254 *pit, u64 now);

/* @reg: I8254_COUNTER(0 to 2) or I8254_CONTROL (reads FFh). */
u8 i8254_read(struct i8254 *pit, unsigned int reg, u64 now);
void i8254_write(struct i8254 *pit, unsigned int reg, u8 val, u64 now);

/* Is @control, written to the control register, a control word for counter @n? */
static inline bool i8254_programs_counter(u8 control, unsigned int n)
{
	return control >> I8254_CW_SC_SHIFT == n &&
	       (control & I8254_CW_RW) != I8254_CW_RW_LATCH;
}

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
