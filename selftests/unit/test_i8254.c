// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PIT: against a model that counts clock pulses one by one as the data
 * sheet tells it, and its arithmetic over years of uptime.
 */
#include "unit.h"

#include "core/i8254.h"

#define NS	1000000000ull

static struct i8254 pit;

/* The first nanosecond of a tick, by other arithmetic than the core's. */
static u64 ns_of(u64 tick)
{
	return ((unsigned __int128)tick * NS + I8254_HZ - 1) / I8254_HZ;
}

static u64 tick_of(u64 ns)
{
	return (unsigned __int128)ns * I8254_HZ / NS;
}

static void out(unsigned int reg, u8 val, u64 tick)
{
	i8254_write(&pit, reg, val, ns_of(tick));
}

static u8 in(unsigned int reg, u64 tick)
{
	return i8254_read(&pit, reg, ns_of(tick));
}

static void set_count(unsigned int n, unsigned int mode, u16 count, u64 tick)
{
	out(I8254_CONTROL, n << 6 | I8254_CW_RW_WORD | mode << 1, tick);
	out(n, count & 0xff, tick);
	out(n, count >> 8, tick);
}

static u16 read_word(unsigned int n, u64 tick)
{
	u16 low = in(n, tick);

	return low | in(n, tick) << 8;
}

/* ---- the slow model ---- */

struct slow {
	u32 cr;			/* count register, 1 to 65536 */
	u32 ce;			/* counting element */
	u32 modulus;
	u8 control, mode, low, latch_status;
	u16 latch;
	bool gate, out, armed, load, counting, expired, odd, null;
	bool latched, status_latched, write_high, read_high;
};

static void slow_program(struct slow *s, u8 control)
{
	bool gate = s->gate;

	memset(s, 0, sizeof(*s));
	s->gate = gate;
	s->control = control;
	s->mode = control >> 1 & 7;
	if (s->mode > 5)
		s->mode &= 3;
	s->modulus = control & 1 ? 10000 : 65536;
	s->out = s->mode != 0;
	s->null = true;
}

/* CR into CE; in mode 3 a counter by two starts from the even count. */
static void slow_load(struct slow *s)
{
	s->ce = s->mode == 3 ? s->cr & ~1u : s->cr;
	s->load = false;
	s->counting = true;
	s->odd = s->cr & 1;
	s->expired = false;
	s->null = false;
}

static void slow_decrement(struct slow *s)
{
	s->ce = (s->ce + s->modulus - 1) % s->modulus;
}

/* Mode 3: an odd count stays at zero for one pulse more while OUT is high. */
static void slow_square(struct slow *s)
{
	if (!s->expired) {
		s->ce -= 2;
		s->expired = !s->ce && s->out && s->odd;
		if (s->ce || s->expired)
			return;
	}
	s->out = !s->out;
	slow_load(s);
}

static void slow_clock(struct slow *s)
{
	if (s->load) {
		slow_load(s);
		if (s->mode == 1)
			s->out = false;
		if (s->mode >= 2)
			s->out = true;
		return;
	}
	if (!s->counting || (!s->gate && s->mode != 1 && s->mode != 5))
		return;
	switch (s->mode) {
	case 0:
	case 1:
		slow_decrement(s);
		if (!s->ce)
			s->out = true;
		break;
	case 2:
		s->ce--;
		s->out = s->ce != 1;
		if (!s->ce)
			slow_load(s);
		break;
	case 3:
		slow_square(s);
		break;
	default:
		slow_decrement(s);
		s->out = s->ce || s->expired;
		s->expired |= !s->ce;
	}
}

static void slow_gate(struct slow *s, bool gate)
{
	bool rise = gate && !s->gate;

	s->gate = gate;
	if (!gate && (s->mode == 2 || s->mode == 3))
		s->out = true;
	if (rise && s->armed && s->mode != 0 && s->mode != 4) {
		s->load = true;
		s->null = true;		/* for the one pulse that it takes */
	}
}

static void slow_write_count(struct slow *s, u16 val)
{
	if (s->control & 1)
		s->cr = (val >> 12) * 1000 + (val >> 8 & 15) * 100 + (val >> 4 & 15) * 10 +
			(val & 15);
	else
		s->cr = val;
	if (!s->cr)
		s->cr = s->modulus;
	s->armed = true;
	s->null = true;
	if (s->mode == 0)
		s->out = false;
	if (s->mode == 0 || s->mode == 4 || ((s->mode == 2 || s->mode == 3) && !s->counting))
		s->load = true;
}

static void slow_write(struct slow *s, u8 val)
{
	switch (s->control >> 4 & 3) {
	case 1:
		slow_write_count(s, val);
		break;
	case 2:
		slow_write_count(s, val << 8);
		break;
	default:
		s->write_high = !s->write_high;
		if (!s->write_high) {
			slow_write_count(s, val << 8 | s->low);
			break;
		}
		s->low = val;
		if (s->mode == 0)
			s->out = s->counting = s->load = false;
	}
}

static u16 slow_count(const struct slow *s)
{
	u32 v = s->ce;

	if (!s->counting && !s->load)
		return 0;
	if (s->load)
		v = s->mode == 3 ? s->cr & ~1u : s->cr;
	v %= s->modulus;
	if (s->control & 1)
		v = v / 1000 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10;
	return v;
}

static void slow_latch(struct slow *s)
{
	if (!s->latched)
		s->latch = slow_count(s);
	s->latched = true;
}

static void slow_control(struct slow *all, u8 val)
{
	unsigned int n;

	if (val >> 6 == 3) {
		for (n = 0; n < 3; n++) {
			struct slow *s = &all[n];

			if (!(val >> (n + 1) & 1))
				continue;
			if (!(val & 0x20))
				slow_latch(s);
			if (!(val & 0x10) && !s->status_latched) {
				s->latch_status = s->control | s->out << 7 | s->null << 6;
				s->status_latched = true;
			}
		}
	} else if (!(val & 0x30)) {
		slow_latch(&all[val >> 6]);
	} else {
		slow_program(&all[val >> 6], val & 0x3f);
	}
}

static u8 slow_read(struct slow *s)
{
	u16 v = s->latched ? s->latch : slow_count(s);

	if (s->status_latched) {
		s->status_latched = false;
		return s->latch_status;
	}
	switch (s->control >> 4 & 3) {
	case 1:
		s->latched = false;
		return v;
	case 2:
		s->latched = false;
		return v >> 8;
	default:
		s->read_high = !s->read_high;
		if (s->read_high)
			return v;
		s->latched = false;
		return v >> 8;
	}
}

/* ---- the core against the model, by chance ---- */

struct run {
	struct slow slow[3];
	u64 tick, edges, seed;
	unsigned int rises;
};

static void run_clock(struct run *r)
{
	unsigned int n;
	bool before = r->slow[0].out;

	for (n = 0; n < 3; n++)
		slow_clock(&r->slow[n]);
	r->edges += r->slow[0].out && !before;
	r->tick++;
}

/* The next rise of OUT0, by counting on a copy. */
static void check_next_edge(struct run *r, u64 now)
{
	u64 next = i8254_next_edge(&pit, now);
	struct run copy = *r;
	unsigned int i;

	for (i = 0; i < 140000 && copy.edges == r->edges; i++)
		run_clock(&copy);
	if (copy.edges == r->edges)
		assert_true(next == I8254_NEVER);
	else
		assert_int_equal(next, ns_of(copy.tick));
}

/* A count: mostly a small one, so that much happens; 1 is illegal in modes 2 and 3. */
static u8 random_count(struct run *r, const struct slow *s)
{
	u32 v = unit_random(&r->seed);
	bool high = (s->control & 0x30) == 0x20 ||
		    ((s->control & 0x30) == 0x30 && s->write_high);
	u8 val = v & 0x700 ? v & 15 : v;

	if (high)
		return v & 0x3800 ? 0 : val & 1;
	if (s->control & 1 && (val & 15) > 9)
		val &= 0xf7;
	if (s->control & 1 && val >> 4 > 9)
		val &= 0x7f;
	if (val == 1 && (s->mode == 2 || s->mode == 3))
		val = 2;
	return val;
}

static void random_step(struct run *r)
{
	u32 v = unit_random(&r->seed);
	unsigned int n = (v >> 8) % 3;
	u64 now = ns_of(r->tick);
	u64 room = ns_of(r->tick + 1) - now;
	u8 val = v >> 24;

	now += (v >> 4) % room;		/* anywhere within the tick */
	switch (v & 15) {
	case 0:
		/* Not the latch command or the read-back one in disguise. */
		val = (val & 0x3f) | n << 6;
		if (!(val & 0x30))
			val |= 0x10;
		if (!n && !r->slow[0].out && (val & 0xe))
			r->edges++;
		slow_control(r->slow, val);
		i8254_write(&pit, I8254_CONTROL, val, now);
		break;
	case 1:
		val = v & 0x1000 ? 0xc0 | (val & 0x3e) : n << 6;
		slow_control(r->slow, val);
		i8254_write(&pit, I8254_CONTROL, val, now);
		break;
	case 2 ... 4:
		val = random_count(r, &r->slow[n]);
		slow_write(&r->slow[n], val);
		i8254_write(&pit, n, val, now);
		break;
	case 5 ... 6:
		slow_gate(&r->slow[2], val & 1);
		i8254_write_61(&pit, val, now);
		break;
	case 7:
		if (v >> 16 & 3)
			break;
		check_next_edge(r, now);
		break;
	default:
		assert_int_equal(i8254_read(&pit, n, now), slow_read(&r->slow[n]));
	}

	for (n = 0; n < 3; n++)
		assert_int_equal(i8254_out(&pit, n, now), r->slow[n].out);
	assert_int_equal(i8254_edges(&pit, now), r->edges);
	r->rises += r->edges;
	r->edges = 0;
}

/* Suspend and resume at another time: nobody can tell. */
static void move_in_time(struct run *r)
{
	u64 now = ns_of(r->tick), then = ns_of(r->tick + (unit_random(&r->seed) & 0xffffff));
	struct i8254_state state, again;

	i8254_get(&pit, &state, now);
	memset(&pit, 0x55, sizeof(pit));
	assert_int_equal(i8254_set(&pit, &state, then), 0);
	i8254_get(&pit, &again, then);
	assert_memory_equal(&state, &again, sizeof(state));
	r->tick = tick_of(then);
}

static void test_random(void **state)
{
	struct run r = { .seed = 0x2545f4914f6cdd1dull };
	unsigned int step, i;
	u32 v;

	for (i = 0; i < 3; i++) {
		r.slow[i].gate = i < 2;
		slow_program(&r.slow[i], 0x36);
	}
	i8254_reset(&pit, 0);
	for (step = 0; step < 100000; step++) {
		v = unit_random(&r.seed);
		for (i = v & 0x700 ? v % 6 : v % 300; i; i--)
			run_clock(&r);
		random_step(&r);
		if (!(step % 97))
			move_in_time(&r);
	}
	assert_true(r.rises > 2000);
}

/* ---- by hand ---- */

static int start(void **state)
{
	i8254_reset(&pit, 0);
	return 0;
}

static void test_reset(void **state)
{
	unsigned int n;

	for (n = 0; n < I8254_COUNTERS; n++)
		assert_true(i8254_out(&pit, n, 0));
	assert_true(i8254_next_edge(&pit, 0) == I8254_NEVER);
	assert_int_equal(i8254_edges(&pit, 1000 * NS), 0);
	assert_int_equal(i8254_period(&pit), 0);
	assert_int_equal(i8254_read_61(&pit, 1000 * NS) & I8254_61_WRITABLE, 0);
	assert_int_equal(in(I8254_CONTROL, 5), 0xff);
}

/* OUT of each mode, tick by tick after a count of 5 was written at tick 10. */
static void test_modes(void **state)
{
	static const struct {
		unsigned int mode;
		const char *out;	/* from the tick of the write on */
	} cases[] = {
		{ 0, "000000111111111" },
		{ 2, "111110111101111011110" },
		{ 6, "111110111101111011110" },
		{ 3, "11110011100111001" },
		{ 7, "11110011100111001" },
		{ 4, "111111011111111" },
		{ 1, "111111111111111" },	/* never triggered */
		{ 5, "111111111111111" },
	};
	unsigned int i, t;

	for (i = 0; i < WS_ARRAY_SIZE(cases); i++) {
		i8254_reset(&pit, 0);
		set_count(0, cases[i].mode, 5, 10);
		for (t = 0; cases[i].out[t]; t++)
			assert_int_equal(i8254_out(&pit, 0, ns_of(10 + t)), cases[i].out[t] - '0');
	}
	/* The hardware-triggered ones, at tick 20 and again at 23. */
	set_count(2, 1, 5, 10);
	i8254_write_61(&pit, I8254_61_GATE2, ns_of(100));
	assert_true(i8254_out(&pit, 2, ns_of(100)));
	assert_false(i8254_out(&pit, 2, ns_of(101)));
	i8254_write_61(&pit, 0, ns_of(102));
	i8254_write_61(&pit, I8254_61_GATE2, ns_of(103));
	assert_false(i8254_out(&pit, 2, ns_of(108)));
	assert_true(i8254_out(&pit, 2, ns_of(109)));
}

static void test_access(void **state)
{
	/* Low byte, high byte, and both, of a count of 1234h one tick after its load. */
	out(I8254_CONTROL, I8254_CW_RW_LSB, 0);
	out(0, 0x34, 0);
	assert_int_equal(in(0, 2), 0x33);
	assert_int_equal(in(0, 3), 0x32);
	out(I8254_CONTROL, I8254_CW_RW_MSB, 10);
	out(0, 0x12, 10);
	assert_int_equal(in(0, 11), 0x12);
	assert_int_equal(in(0, 12), 0x11);
	set_count(0, 0, 0x1234, 20);
	assert_int_equal(read_word(0, 22), 0x1233);
	/* A count of 0 is the greatest. */
	set_count(0, 2, 0, 100);
	assert_int_equal(i8254_period(&pit), 65536);
	assert_int_equal(read_word(0, 101), 0);
	assert_int_equal(read_word(0, 102), 0xffff);
}

static void test_bcd(void **state)
{
	out(I8254_CONTROL, I8254_CW_RW_WORD | 2 << 1 | I8254_CW_BCD, 0);
	out(0, 0, 0);
	out(0, 0, 0);
	assert_int_equal(i8254_period(&pit), 10000);
	assert_int_equal(read_word(0, 1), 0);
	assert_int_equal(read_word(0, 2), 0x9999);
	assert_int_equal(read_word(0, 2 + 1111), 0x8888);
	/* Digits that are none count down like others; nothing overflows. */
	out(I8254_CONTROL, I8254_CW_RW_WORD | I8254_CW_BCD, 20000);
	out(0, 0xff, 20000);
	out(0, 0xff, 20000);
	assert_false(i8254_out(&pit, 0, ns_of(20000 + 16665)));
	assert_true(i8254_out(&pit, 0, ns_of(20001 + 16665)));
}

static void test_latch(void **state)
{
	set_count(0, 2, 1000, 0);
	set_count(2, 0, 5000, 0);
	out(I8254_CONTROL, I8254_CW_RW_LATCH, 11);
	out(I8254_CONTROL, I8254_CW_RW_LATCH, 50);	/* while latched: ignored */
	assert_int_equal(read_word(0, 99), 990);
	assert_int_equal(read_word(0, 101), 900);
	/* A latched count survives reads of the other counters; a control word unlatches. */
	out(I8254_CONTROL, I8254_CW_RW_LATCH, 101);
	assert_int_equal(in(0, 300), 900 & 0xff);
	assert_int_equal(read_word(2, 300), 5000);
	assert_int_equal(in(0, 400), 900 >> 8);
	out(I8254_CONTROL, I8254_CW_RW_LATCH, 400);
	set_count(0, 2, 500, 400);
	assert_int_equal(read_word(0, 402), 499);
}

static void test_read_back(void **state)
{
	set_count(0, 3, 1000, 0);
	/* Not loaded yet; then loaded, OUT high; then low. */
	out(I8254_CONTROL, I8254_CW_READ_BACK | I8254_RB_NO_COUNT | I8254_RB_COUNTER(0), 0);
	assert_int_equal(in(0, 0), I8254_STATUS_OUT | I8254_STATUS_NULL | 0x36);
	out(I8254_CONTROL, I8254_CW_READ_BACK | I8254_RB_NO_COUNT | I8254_RB_COUNTER(0), 1);
	assert_int_equal(in(0, 700), I8254_STATUS_OUT | 0x36);
	out(I8254_CONTROL, I8254_CW_READ_BACK | I8254_RB_NO_COUNT | I8254_RB_COUNTER(0), 501);
	assert_int_equal(in(0, 700), 0x36);
	/* Both: the status comes first. All counters at once. */
	out(I8254_CONTROL, I8254_CW_READ_BACK | I8254_RB_COUNTER(0) | I8254_RB_COUNTER(1) |
	    I8254_RB_COUNTER(2), 1001);
	assert_int_equal(in(0, 1500), I8254_STATUS_OUT | 0x36);
	assert_int_equal(read_word(0, 1500), 1000);
	assert_int_equal(in(2, 1500), I8254_STATUS_OUT | I8254_STATUS_NULL | 0x36);
	assert_int_equal(read_word(2, 1500), 0);
	/* A new count waits for the end of the half period: null until then. */
	out(0, 100, 1002);
	out(0, 0, 1002);
	out(I8254_CONTROL, I8254_CW_READ_BACK | I8254_RB_NO_COUNT | I8254_RB_COUNTER(0), 1500);
	assert_int_equal(in(0, 1500), I8254_STATUS_OUT | I8254_STATUS_NULL | 0x36);
	out(I8254_CONTROL, I8254_CW_READ_BACK | I8254_RB_NO_COUNT | I8254_RB_COUNTER(0), 1501);
	assert_int_equal(in(0, 1501), 0x36);
	assert_false(i8254_out(&pit, 0, ns_of(1550)));
	assert_true(i8254_out(&pit, 0, ns_of(1551)));
}

/* The way in which operating systems and firmware measure the TSC. */
static void test_port_61(void **state)
{
	u64 toggles = 0, t;
	u8 val, last;

	i8254_write_61(&pit, 0xff, 0);
	assert_int_equal(i8254_read_61(&pit, 0) & 0x0f, 0x0f);
	i8254_write_61(&pit, I8254_61_GATE2, 0);
	set_count(2, 0, 11932, 0);
	assert_false(i8254_read_61(&pit, ns_of(11932)) & I8254_61_OUT2);
	assert_true(i8254_read_61(&pit, ns_of(11933)) & I8254_61_OUT2);

	/* A low gate holds the count. */
	set_count(2, 0, 100, 20000);
	i8254_write_61(&pit, 0, ns_of(20041));
	assert_int_equal(read_word(2, 20100), 60);
	assert_false(i8254_read_61(&pit, ns_of(90000)) & I8254_61_OUT2);
	i8254_write_61(&pit, I8254_61_GATE2, ns_of(90000));
	assert_false(i8254_read_61(&pit, ns_of(90059)) & I8254_61_OUT2);
	assert_true(i8254_read_61(&pit, ns_of(90060)) & I8254_61_OUT2);

	/* Memory refresh, every 15 us: what old delay loops count. */
	last = i8254_read_61(&pit, ns_of(100000)) & I8254_61_REFRESH;
	for (t = 100000; t < 200000; t++) {
		val = i8254_read_61(&pit, ns_of(t)) & I8254_61_REFRESH;
		toggles += val != last;
		last = val;
	}
	assert_in_range(toggles, 100000 / 18 - 1, 100000 / 18 + 1);
}

static void test_clock_stands_still(void **state)
{
	unsigned int i;

	set_count(0, 2, 100, 1000);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(read_word(0, 1000), 100);
		assert_int_equal(i8254_edges(&pit, ns_of(1000)), 0);
		assert_int_equal(i8254_next_edge(&pit, ns_of(1000)), ns_of(1101));
	}
	/* Backwards is standing still. */
	assert_int_equal(read_word(0, 1051), 50);
	assert_int_equal(read_word(0, 0), 50);
	assert_int_equal(i8254_next_edge(&pit, 0), ns_of(1101));
}

/* A month of 18.2 Hz, edge by edge, and 1 kHz over 400 years in a few leaps. */
static void test_no_drift(void **state)
{
	u64 begin = 123456789012345ull, now = begin, first, k;
	u64 begin_tick = tick_of(begin);

	i8254_reset(&pit, now);
	i8254_write(&pit, I8254_CONTROL, 0x36, now);
	i8254_write(&pit, 0, 0, now);
	i8254_write(&pit, 0, 0, now);
	first = begin_tick + 1;
	for (k = 1; k < 30ull * 86400 * I8254_HZ / 65536; k++) {
		now = i8254_next_edge(&pit, now);
		if (now != ns_of(first + k * 65536))
			fail_msg("edge %llu at %llu", (unsigned long long)k,
				 (unsigned long long)now);
		if (k % 1000 == 0 && i8254_edges(&pit, now) != 1000)
			fail_msg("edges lost before %llu", (unsigned long long)k);
	}

	for (k = 1; k <= 400; k++) {
		now = k * 365 * 86400 * NS;
		i8254_reset(&pit, now);
		i8254_write(&pit, I8254_CONTROL, 0x34, now);
		i8254_write(&pit, 0, 1193 & 0xff, now);
		i8254_write(&pit, 0, 1193 >> 8, now);
		first = tick_of(now) + 1;
		now += 86400 * NS * 365;
		assert_int_equal(i8254_edges(&pit, now), (tick_of(now) - first) / 1193);
		assert_int_equal(i8254_next_edge(&pit, now),
				 ns_of(first + ((tick_of(now) - first) / 1193 + 1) * 1193));
	}
}

/* Every nanosecond belongs to one tick, and a tick begins at its first nanosecond. */
static void test_conversion(void **state)
{
	u64 seed = 42, i;

	for (i = 0; i < 100000; i++) {
		u64 now = ((u64)unit_random(&seed) << 32 | unit_random(&seed)) >> (1 + i % 40);
		u64 tick = tick_of(now);

		i8254_reset(&pit, now);
		assert_int_equal(pit.tick, tick);
		i8254_write(&pit, I8254_CONTROL, 0x10, now);	/* mode 0, low byte */
		i8254_write(&pit, 0, 1, now);
		assert_int_equal(i8254_next_edge(&pit, now), ns_of(tick + 2));
		assert_false(i8254_out(&pit, 0, ns_of(tick + 2) - 1));
		assert_true(i8254_out(&pit, 0, ns_of(tick + 2)));
	}
}

/* Counts that are illegal in modes 2 and 3 do no harm. */
static void test_count_of_one(void **state)
{
	unsigned int mode;
	u64 t;

	for (mode = 2; mode <= 3; mode++) {
		t = mode * 10000;
		set_count(0, mode, 1, t);
		assert_true(i8254_next_edge(&pit, ns_of(t + 10)) == I8254_NEVER);
		assert_int_equal(i8254_edges(&pit, ns_of(t + 999)), 0);
		assert_true(i8254_out(&pit, 0, ns_of(t + 999)));
		assert_int_equal(i8254_period(&pit), 0);
		/* A real count afterwards, and back. */
		out(0, 10, t + 1000);
		out(0, 0, t + 1000);
		assert_int_equal(i8254_next_edge(&pit, ns_of(t + 1000)), ns_of(t + 1011));
		assert_int_equal(i8254_edges(&pit, ns_of(t + 1021)), 2);
		out(0, 1, t + 1021);
		out(0, 0, t + 1021);
		/* Mode 2 ends its period; mode 3 is high, and stays so. */
		assert_int_equal(i8254_edges(&pit, ns_of(t + 9999)), mode == 2);
		assert_true(i8254_next_edge(&pit, ns_of(t + 9999)) == I8254_NEVER);
	}
}

/* A mode that raises OUT from low is an edge, as operating systems that switch modes see. */
static void test_edge_of_control(void **state)
{
	set_count(0, 0, 0, 10);
	assert_int_equal(i8254_edges(&pit, ns_of(100)), 0);
	out(I8254_CONTROL, I8254_CW_RW_WORD | 2 << 1, 100);
	assert_int_equal(i8254_edges(&pit, ns_of(100)), 1);
	out(I8254_CONTROL, I8254_CW_RW_WORD | 4 << 1, 100);
	assert_int_equal(i8254_edges(&pit, ns_of(100)), 0);
}

/* Mode 4: a count that comes during the strobe ends it with its load. */
static void test_strobe_cut_short(void **state)
{
	set_count(0, 4, 5, 10);
	assert_false(i8254_out(&pit, 0, ns_of(16)));
	out(0, 100, 16);
	out(0, 0, 16);
	assert_false(i8254_out(&pit, 0, ns_of(16)));
	assert_int_equal(i8254_next_edge(&pit, ns_of(16)), ns_of(17));
	assert_int_equal(i8254_edges(&pit, ns_of(17)), 1);
	assert_int_equal(i8254_next_edge(&pit, ns_of(17)), ns_of(118));
	assert_int_equal(i8254_edges(&pit, ns_of(1000)), 1);
}

static void test_state_malformed(void **state)
{
	struct i8254_state good, bad;
	struct i8254 before;

	set_count(0, 2, 1000, 10);
	set_count(1, 0, 5, 10);
	set_count(2, 5, 77, 10);
	i8254_get(&pit, &good, ns_of(20));
	assert_int_equal(i8254_set(&pit, &good, ns_of(20)), 0);
	before = pit;

#define REFUSE(n, field, val) do {						\
	bad = good;								\
	bad.counter[n].field = val;						\
	assert_int_equal(i8254_set(&pit, &bad, ns_of(30)), -WS_EINVAL);	\
	assert_memory_equal(&before, &pit, sizeof(pit));			\
} while (0)
	REFUSE(0, reload, 0);
	REFUSE(0, reload, 65537);
	REFUSE(0, count, 0);
	REFUSE(0, count, 0xffffffff);
	REFUSE(0, elapsed, -2);
	REFUSE(0, elapsed, INT64_MIN);
	REFUSE(0, elapsed, INT64_MAX);
	REFUSE(2, held, 1ull << 62);
	REFUSE(0, control, 0x04);		/* a latch command is no control word */
	REFUSE(0, control, 0x74);
	REFUSE(0, pad, 1);
	REFUSE(0, flags, 0x100);
	REFUSE(0, flags, good.counter[0].flags & ~I8254_STATE_OUT);
	REFUSE(0, flags, good.counter[0].flags & ~I8254_STATE_ARMED);
	REFUSE(1, flags, good.counter[1].flags | I8254_STATE_OUT);
	REFUSE(1, flags, good.counter[1].flags | I8254_STATE_PENDING);
	good.counter[0].control = 0x14;		/* low bytes only: no second one can be due */
	assert_int_equal(i8254_set(&pit, &good, ns_of(20)), 0);
	before = pit;
	REFUSE(0, flags, good.counter[0].flags | I8254_STATE_WRITE_HIGH);
	REFUSE(0, flags, good.counter[0].flags | I8254_STATE_READ_HIGH);
#undef REFUSE
	bad = good;
	bad.port61 = 0x10;
	assert_int_equal(i8254_set(&pit, &bad, 0), -WS_EINVAL);
	bad = good;
	bad.pad[3] = 1;
	assert_int_equal(i8254_set(&pit, &bad, 0), -WS_EINVAL);
}

#define PIT_TEST(f)	cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PIT_TEST(test_reset),
		PIT_TEST(test_modes),
		PIT_TEST(test_access),
		PIT_TEST(test_bcd),
		PIT_TEST(test_latch),
		PIT_TEST(test_read_back),
		PIT_TEST(test_port_61),
		PIT_TEST(test_clock_stands_still),
		PIT_TEST(test_no_drift),
		PIT_TEST(test_conversion),
		PIT_TEST(test_count_of_one),
		PIT_TEST(test_edge_of_control),
		PIT_TEST(test_strobe_cut_short),
		PIT_TEST(test_state_malformed),
		PIT_TEST(test_random),
	};

	return cmocka_run_group_tests_name("i8254", tests, NULL, NULL);
}
