// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PIT's counters: see core/i8254.h. Nothing counts here: what a counter
 * shows follows from its count and the ticks since that was loaded.
 */
#include "core/i8254.h"

#define NS_PER_SECOND	1000000000ull
#define REFRESH_TICKS	18		/* what counter 1 is programmed to, 15 us */
#define COUNT_MAX	65536u
#define COUNT_MAX_BCD	16665u		/* FFFFh read as decimal digits */
#define TICKS_MAX	0x4000000000000000ll	/* of a state: far beyond any uptime */

/* Whole seconds apart from the rest: no product needs more than 64 bits. */
static u64 ns_to_ticks(u64 ns)
{
	return ns / NS_PER_SECOND * I8254_HZ + ns % NS_PER_SECOND * I8254_HZ / NS_PER_SECOND;
}

/* The first nanosecond of a tick. */
static u64 ticks_to_ns(u64 ticks)
{
	u64 rest = ticks % I8254_HZ * NS_PER_SECOND;

	return ticks / I8254_HZ * NS_PER_SECOND + (rest + I8254_HZ - 1) / I8254_HZ;
}

static bool periodic(const struct i8254_counter *c)
{
	return c->mode == 2 || c->mode == 3;
}

/* In modes 1 and 5 a rising gate starts the counter, and nothing else matters. */
static bool triggered(const struct i8254_counter *c)
{
	return c->mode == 1 || c->mode == 5;
}

/* Is the count still on its way into the counter? Start may be before tick 0. */
static bool loading(const struct i8254_counter *c, u64 tick)
{
	return (s64)(tick - c->start) < 0;
}

static bool stopped(const struct i8254_counter *c)
{
	return !c->gate && !triggered(c);
}

/* Ticks counted since the count was loaded; that has happened. */
static u64 elapsed(const struct i8254_counter *c, u64 tick)
{
	return stopped(c) ? c->held : tick - c->start;
}

/* Mode 3: ticks with OUT high; an odd count has its extra tick there. */
static u32 high_ticks(u32 count)
{
	return (count + 1) / 2;
}

static bool out_at(const struct i8254_counter *c, u64 tick)
{
	u64 e;

	if (!c->loaded || loading(c, tick))
		return c->out;
	e = elapsed(c, tick);
	switch (c->mode) {
	case 0:
	case 1:
		return e >= c->count;
	case 2:
		return stopped(c) || c->count == 1 || e % c->count != c->count - 1;
	case 3:
		return stopped(c) || e % c->count < high_ticks(c->count);
	default:
		return e != c->count;
	}
}

static u16 to_bcd(u32 v)
{
	return v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 | v / 1000 % 10 << 12;
}

static u32 from_bcd(u16 v)
{
	return (v & 0xf) + (v >> 4 & 0xf) * 10 + (v >> 8 & 0xf) * 100 + (v >> 12) * 1000;
}

static u16 count_at(const struct i8254_counter *c, u64 tick)
{
	u32 modulus = c->control & I8254_CW_BCD ? 10000 : 65536;
	u32 v, r;
	u64 e;

	if (!c->loaded)
		return 0;
	e = loading(c, tick) ? 0 : elapsed(c, tick);
	switch (c->mode) {
	case 2:
		v = c->count - e % c->count;
		break;
	case 3:
		/* By two, once while OUT is high and once while it is low. */
		r = e % c->count;
		if (r >= high_ticks(c->count))
			r -= high_ticks(c->count);
		v = (c->count & ~1u) - 2 * r;
		break;
	default:
		v = c->count + modulus - e % modulus;
	}
	v %= modulus;
	return c->control & I8254_CW_BCD ? to_bcd(v) : v;
}

/* How often OUT has risen since the count was written; the gate is high. */
static u64 rises(const struct i8254_counter *c, u64 tick)
{
	u64 e;

	if (!c->loaded || loading(c, tick))
		return 0;
	e = tick - c->start;
	switch (c->mode) {
	case 0:
	case 1:
		return e >= c->count;
	case 2:
	case 3:
		return c->count > 1 ? e / c->count : 0;
	default:
		/* A strobe that a new count cut short ends as that is loaded. */
		return (e > c->count) + !c->out;
	}
}

/* Where a pending count is loaded: the end of the period, in mode 3 of its half. */
static u64 switch_time(const struct i8254_counter *c, u64 tick)
{
	u32 r = (tick - c->start) % c->count;
	u64 begin = tick - r;

	if (c->mode == 3 && r < high_ticks(c->count))
		return begin + high_ticks(c->count);
	return begin + c->count;
}

static bool switch_is_fall(const struct i8254_counter *c)
{
	return c->mode == 3 && (c->switch_at - c->start) % c->count;
}

static bool switches_by(const struct i8254_counter *c, u64 tick)
{
	return c->pending && c->loaded && periodic(c) && c->gate &&
	       (s64)(tick - c->switch_at) >= 0;
}

static void do_switch(struct i8254_counter *c)
{
	u64 start = c->switch_at;

	/* The new count begins with its low half: as if it had been high before. */
	if (switch_is_fall(c))
		start -= high_ticks(c->reload);
	c->start = start;
	c->count = c->reload;
	c->pending = false;
}

/* Let time pass up to @now; everything else works on the tick that this returns. */
static u64 advance(struct i8254 *pit, u64 now)
{
	struct i8254_counter *c = &pit->counter[0];
	u64 tick = ns_to_ticks(now);
	unsigned int n;

	if (tick <= pit->tick)
		return pit->tick;
	if (switches_by(c, tick)) {
		pit->edges += rises(c, c->switch_at) - rises(c, pit->tick);
		pit->tick = c->switch_at;
		do_switch(c);
	}
	pit->edges += rises(c, tick) - rises(c, pit->tick);
	pit->tick = tick;
	for (n = 1; n < I8254_COUNTERS; n++)
		if (switches_by(&pit->counter[n], tick))
			do_switch(&pit->counter[n]);
	return tick;
}

/* The count register goes into the counter with the next tick. */
static void load(struct i8254_counter *c, u64 tick, bool out)
{
	c->out = out;
	c->count = c->reload;
	c->start = tick + 1;
	c->held = 0;
	c->loaded = true;
	c->pending = false;
}

static void write_count(struct i8254_counter *c, u16 val, u64 tick)
{
	if (c->control & I8254_CW_BCD)
		c->reload = val ? from_bcd(val) : 10000;
	else
		c->reload = val ? val : COUNT_MAX;
	c->armed = true;

	if (c->loaded && loading(c, tick)) {
		c->count = c->reload;	/* in time for the load that is due */
	} else if (triggered(c)) {
		c->pending = true;
	} else if (periodic(c) && c->loaded) {
		c->pending = true;
		if (c->gate)
			c->switch_at = switch_time(c, tick);
	} else {
		load(c, tick, c->mode && out_at(c, tick));
	}
}

/* Has the count register something that did not reach the counter yet? */
static bool null_count(const struct i8254_counter *c, u64 tick)
{
	return !c->armed || c->pending || (c->loaded && loading(c, tick));
}

static void write_counter(struct i8254_counter *c, u8 val, u64 tick)
{
	switch (c->control & I8254_CW_RW) {
	case I8254_CW_RW_LSB:
		write_count(c, val, tick);
		return;
	case I8254_CW_RW_MSB:
		write_count(c, val << 8, tick);
		return;
	}
	c->write_high = !c->write_high;
	if (!c->write_high) {
		write_count(c, val << 8 | c->low, tick);
		return;
	}
	c->low = val;
	if (c->mode == 0) {	/* the first byte stops the counter */
		c->pending = c->armed && null_count(c, tick);
		c->out = false;
		c->loaded = false;
	}
}

static void latch_count(struct i8254_counter *c, u64 tick)
{
	if (c->latched)
		return;
	c->latch = count_at(c, tick);
	c->latched = true;
}

static void latch_status(struct i8254_counter *c, u64 tick)
{
	if (c->status_latched)
		return;
	c->status = c->control | (out_at(c, tick) ? I8254_STATUS_OUT : 0) |
		    (null_count(c, tick) ? I8254_STATUS_NULL : 0);
	c->status_latched = true;
}

static void read_back(struct i8254 *pit, u8 val, u64 tick)
{
	unsigned int n;

	for (n = 0; n < I8254_COUNTERS; n++) {
		if (!(val & I8254_RB_COUNTER(n)))
			continue;
		if (!(val & I8254_RB_NO_COUNT))
			latch_count(&pit->counter[n], tick);
		if (!(val & I8254_RB_NO_STATUS))
			latch_status(&pit->counter[n], tick);
	}
}

static u8 control_mode(u8 control)
{
	u8 mode = (control & I8254_CW_MODE) >> I8254_CW_MODE_SHIFT;

	return mode > 5 ? mode - 4 : mode;
}

static void program(struct i8254_counter *c, u8 control)
{
	*c = (struct i8254_counter){
		.reload = COUNT_MAX,
		.count = COUNT_MAX,
		.mode = control_mode(control),
		.control = control,
		.out = control_mode(control) != 0,
		.gate = c->gate,
	};
}

static void write_control(struct i8254 *pit, u8 val, u64 tick)
{
	unsigned int n = val >> I8254_CW_SC_SHIFT;
	struct i8254_counter *c;
	bool out;

	if (n == I8254_CW_READ_BACK >> I8254_CW_SC_SHIFT) {
		read_back(pit, val, tick);
		return;
	}
	c = &pit->counter[n];
	val &= ~(3u << I8254_CW_SC_SHIFT);
	if ((val & I8254_CW_RW) == I8254_CW_RW_LATCH) {
		latch_count(c, tick);
		return;
	}
	out = out_at(c, tick);
	program(c, val);
	if (n == 0 && !out && c->out)
		pit->edges++;
}

void i8254_write(struct i8254 *pit, unsigned int reg, u8 val, u64 now)
{
	u64 tick = advance(pit, now);

	if (reg < I8254_COUNTERS)
		write_counter(&pit->counter[reg], val, tick);
	else
		write_control(pit, val, tick);
}

u8 i8254_read(struct i8254 *pit, unsigned int reg, u64 now)
{
	u64 tick = advance(pit, now);
	struct i8254_counter *c;
	u8 rw;
	u16 val;

	if (reg >= I8254_COUNTERS)
		return 0xff;
	c = &pit->counter[reg];
	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	val = c->latched ? c->latch : count_at(c, tick);
	rw = c->control & I8254_CW_RW;
	if (rw == I8254_CW_RW_WORD) {
		c->read_high = !c->read_high;
		rw = c->read_high ? I8254_CW_RW_LSB : I8254_CW_RW_MSB;
	}
	if (!c->read_high)
		c->latched = false;
	return rw == I8254_CW_RW_MSB ? val >> 8 : val;
}

static void set_gate(struct i8254_counter *c, bool gate, u64 tick)
{
	if (c->gate == gate)
		return;
	if (!gate) {
		c->held = c->loaded && !loading(c, tick) ? tick - c->start : 0;
		c->gate = false;
		return;
	}
	if (triggered(c) || periodic(c)) {
		if (c->armed)
			load(c, tick, periodic(c) || out_at(c, tick));
	} else if (c->loaded && !loading(c, tick)) {
		c->start = tick - c->held;
	}
	c->gate = true;
}

u8 i8254_read_61(struct i8254 *pit, u64 now)
{
	u64 tick = advance(pit, now);

	return pit->port61 | (tick / REFRESH_TICKS & 1 ? I8254_61_REFRESH : 0) |
	       (out_at(&pit->counter[2], tick) ? I8254_61_OUT2 : 0);
}

void i8254_write_61(struct i8254 *pit, u8 val, u64 now)
{
	u64 tick = advance(pit, now);

	pit->port61 = val & I8254_61_WRITABLE;
	set_gate(&pit->counter[2], val & I8254_61_GATE2, tick);
}

bool i8254_out(struct i8254 *pit, unsigned int n, u64 now)
{
	u64 tick = advance(pit, now);

	return out_at(&pit->counter[n], tick);
}

u64 i8254_edges(struct i8254 *pit, u64 now)
{
	u64 edges;

	advance(pit, now);
	edges = pit->edges;
	pit->edges = 0;
	return edges;
}

/* Modes 2 and 3: the tick of the next rise; OUT stays high with a count of 1. */
static u64 next_periodic(const struct i8254_counter *c, u64 tick)
{
	u64 e = loading(c, tick) ? 0 : tick - c->start;

	if (c->pending && switch_is_fall(c))
		return c->reload > 1 ? c->switch_at + c->reload / 2 : I8254_NEVER;
	if (c->count > 1)
		return c->start + (e / c->count + 1) * c->count;
	return c->pending && c->reload > 1 ? c->switch_at + c->reload : I8254_NEVER;
}

u64 i8254_next_edge(struct i8254 *pit, u64 now)
{
	u64 tick = advance(pit, now);
	const struct i8254_counter *c = &pit->counter[0];
	u64 next = I8254_NEVER;
	u64 end = c->start + c->count;

	if (!c->loaded)
		return I8254_NEVER;
	switch (c->mode) {
	case 0:
	case 1:
		if ((s64)(tick - end) < 0)
			next = end;
		break;
	case 2:
	case 3:
		next = next_periodic(c, tick);
		break;
	default:
		if (loading(c, tick) && !c->out)
			next = c->start;
		else if ((s64)(tick - end) <= 0)
			next = end + 1;
	}
	return next == I8254_NEVER ? I8254_NEVER : ticks_to_ns(next);
}

u32 i8254_period(const struct i8254 *pit)
{
	const struct i8254_counter *c = &pit->counter[0];

	return c->loaded && periodic(c) && c->count > 1 ? c->count : 0;
}

void i8254_reset(struct i8254 *pit, u64 now)
{
	unsigned int n;

	*pit = (struct i8254){ .tick = ns_to_ticks(now) };
	for (n = 0; n < I8254_COUNTERS; n++) {
		pit->counter[n].gate = n < 2;
		program(&pit->counter[n], I8254_CW_RW_WORD | 3 << I8254_CW_MODE_SHIFT);
	}
}

static u16 state_flags(const struct i8254_counter *c)
{
	return (c->out ? I8254_STATE_OUT : 0) |
	       (c->armed ? I8254_STATE_ARMED : 0) |
	       (c->loaded ? I8254_STATE_LOADED : 0) |
	       (c->pending ? I8254_STATE_PENDING : 0) |
	       (c->latched ? I8254_STATE_LATCHED : 0) |
	       (c->status_latched ? I8254_STATE_STATUS_LATCHED : 0) |
	       (c->write_high ? I8254_STATE_WRITE_HIGH : 0) |
	       (c->read_high ? I8254_STATE_READ_HIGH : 0);
}

void i8254_get(struct i8254 *pit, struct i8254_state *state, u64 now)
{
	u64 tick = advance(pit, now);
	unsigned int n;

	*state = (struct i8254_state){ .port61 = pit->port61 };
	for (n = 0; n < I8254_COUNTERS; n++) {
		const struct i8254_counter *c = &pit->counter[n];

		state->counter[n] = (struct i8254_counter_state){
			.reload = c->reload,
			.count = c->count,
			.elapsed = c->loaded ? (s64)(tick - c->start) : 0,
			.held = stopped(c) ? c->held : 0,
			.latch = c->latch,
			.flags = state_flags(c),
			.control = c->control,
			.low = c->low,
			.status = c->status,
		};
	}
}

static bool counter_state_valid(const struct i8254_counter_state *s)
{
	u32 max = s->control & I8254_CW_BCD ? COUNT_MAX_BCD : COUNT_MAX;
	u8 mode = control_mode(s->control);
	bool out = s->flags & I8254_STATE_OUT;
	bool armed = s->flags & I8254_STATE_ARMED;
	bool loaded = s->flags & I8254_STATE_LOADED;
	bool pending = s->flags & I8254_STATE_PENDING;
	bool word = (s->control & I8254_CW_RW) == I8254_CW_RW_WORD;

	if (s->pad || s->flags > 0xff || s->control > 0x3f || !(s->control & I8254_CW_RW))
		return false;
	/* A counter that was only programmed has 65536 there, BCD or not. */
	if (!armed)
		max = COUNT_MAX;
	if (!s->reload || s->reload > max || !s->count || s->count > COUNT_MAX)
		return false;
	if (s->elapsed < -1 || s->elapsed >= TICKS_MAX || s->held >= (u64)TICKS_MAX)
		return false;
	if (!word && s->flags & (I8254_STATE_WRITE_HIGH | I8254_STATE_READ_HIGH))
		return false;
	if ((loaded || pending) && !armed)
		return false;
	/* A count waits for a trigger, or in a period that has begun for its end. */
	if (pending && mode != 1 && mode != 5 &&
	    (mode == 0 ? loaded : mode == 4 || !loaded || s->elapsed < 0))
		return false;
	/* OUT without a count is what the control word made it. */
	return mode == 0 ? !out : out || (loaded && mode != 2 && mode != 3);
}

static void set_counter(struct i8254_counter *c, const struct i8254_counter_state *s,
			bool gate, u64 tick)
{
	*c = (struct i8254_counter){
		.reload = s->reload,
		.count = s->count,
		.start = tick - s->elapsed,
		.held = s->held,
		.latch = s->latch,
		.mode = control_mode(s->control),
		.control = s->control,
		.low = s->low,
		.status = s->status,
		.out = s->flags & I8254_STATE_OUT,
		.gate = gate,
		.armed = s->flags & I8254_STATE_ARMED,
		.loaded = s->flags & I8254_STATE_LOADED,
		.pending = s->flags & I8254_STATE_PENDING,
		.latched = s->flags & I8254_STATE_LATCHED,
		.status_latched = s->flags & I8254_STATE_STATUS_LATCHED,
		.write_high = s->flags & I8254_STATE_WRITE_HIGH,
		.read_high = s->flags & I8254_STATE_READ_HIGH,
	};
	if (c->pending && periodic(c) && gate)
		c->switch_at = switch_time(c, tick);
}

int i8254_set(struct i8254 *pit, const struct i8254_state *state, u64 now)
{
	unsigned int n;

	for (n = 0; n < sizeof(state->pad); n++)
		if (state->pad[n])
			return -WS_EINVAL;
	if (state->port61 & ~I8254_61_WRITABLE)
		return -WS_EINVAL;
	for (n = 0; n < I8254_COUNTERS; n++)
		if (!counter_state_valid(&state->counter[n]))
			return -WS_EINVAL;

	*pit = (struct i8254){ .tick = ns_to_ticks(now), .port61 = state->port61 };
	for (n = 0; n < I8254_COUNTERS; n++)
		set_counter(&pit->counter[n], &state->counter[n],
			    n < 2 || state->port61 & I8254_61_GATE2, pit->tick);
	return 0;
}
