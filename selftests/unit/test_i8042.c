// SPDX-License-Identifier: GPL-2.0-only
/*
 * The keyboard controller with its keyboard and mouse. Most of it is a table of
 * dialogues, in the notation of struct step.
 */
#include "chips.h"

#include "vmapp/dev/i8042.h"

static struct bench bench;
static struct i8042 k;

static int setup(void **state)
{
	memset(&bench, 0, sizeof(bench));
	memset(&k, 0, sizeof(k));
	bench.armed = DEV_NEVER;
	bench.timer = (struct dev_timer){ bench_arm, i8042_expired, &k };
	k.kbd_irq = bench_line(&bench, I8042_KBD_IRQ);
	k.aux_irq = bench_line(&bench, I8042_AUX_IRQ);
	k.reset = (struct dev_signal){ bench_raise, &bench };
	k.clock = (struct dev_clock){ bench_now, &bench };
	k.timer = &bench.timer;
	i8042_reset(&k);
	return 0;
}

static u8 in(u32 port)
{
	return (u8)bench_in(i8042_regions, i8042_n_regions, &k, port, 1);
}

static void out(u32 port, u8 val)
{
	bench_out(i8042_regions, i8042_n_regions, &k, port, 1, val);
}

/* Wait out the wire. */
static void pass(void)
{
	bench_advance(&bench, bench.now + I8042_BYTE_NS);
}

enum what {
	END,
	CMD,	/* write to port 64h */
	DATA,	/* write to port 60h */
	AUX,	/* D4h to port 64h, then the byte to port 60h */
	KBD,	/* the next byte: the keyboard's or the controller's, @val */
	MOUSE,	/* the next byte: the mouse's, @val */
	QUIET,	/* no byte is there */
	DOWN, UP,	/* a key, by its code in set 1 */
	MOVE,	/* @val: dx, dy, dz as signed bytes from the top, then buttons */
};

struct step {
	enum what what;
	u32 val;
};

struct dialogue {
	const char *name;
	struct step step[48];
};

#define XLAT_ON		{ CMD, 0x60 }, { DATA, 0x47 }
#define XLAT_OFF	{ CMD, 0x60 }, { DATA, 0x07 }

static const struct dialogue dialogues[] = {
	/* ---- the controller ---- */
	{ "self test", { { CMD, 0xaa }, { KBD, 0x55 }, { CMD, 0xab }, { KBD, 0x00 },
			 { CMD, 0xa9 }, { KBD, 0x00 }, { QUIET, 0 } } },
	{ "command byte", { { CMD, 0x60 }, { DATA, 0x47 }, { CMD, 0x20 }, { KBD, 0x47 },
			    { CMD, 0xad }, { CMD, 0x20 }, { KBD, 0x57 },
			    { CMD, 0xa7 }, { CMD, 0x20 }, { KBD, 0x77 },
			    { CMD, 0xae }, { CMD, 0xa8 }, { CMD, 0x20 }, { KBD, 0x47 } } },
	{ "RAM", { { CMD, 0x7f }, { DATA, 0x12 }, { CMD, 0x3f }, { KBD, 0x12 },
		   { CMD, 0x61 }, { DATA, 0x34 }, { CMD, 0x21 }, { KBD, 0x34 } } },
	{ "output port", { { CMD, 0xd0 }, { KBD, 0xcf }, { CMD, 0xd1 }, { DATA, 0xdd },
			   { CMD, 0xd0 }, { KBD, 0xdd } } },
	{ "output port, full", { XLAT_ON, { CMD, 0xd2 }, { DATA, 0x1c }, { CMD, 0xd0 },
				 { KBD, 0x1c }, { KBD, 0xdf },
				 { CMD, 0xd3 }, { DATA, 0x1c }, { CMD, 0xd0 },
				 { MOUSE, 0x1c }, { KBD, 0xef } } },
	{ "loops", { XLAT_ON, { CMD, 0xd2 }, { DATA, 0x76 }, { KBD, 0x76 },
		     { CMD, 0xd3 }, { DATA, 0x5a }, { MOUSE, 0x5a }, { QUIET, 0 } } },
	{ "questions", { { CMD, 0xa4 }, { KBD, 0xf1 }, { CMD, 0xc0 }, { KBD, 0x80 },
			 { CMD, 0xe0 }, { KBD, 0x00 }, { CMD, 0x99 }, { QUIET, 0 } } },
	{ "keyboard off", { { CMD, 0xad }, { DOWN, 0x1e }, { QUIET, 0 }, { CMD, 0xae },
			    { KBD, 0x1e } } },
	{ "mouse off", { { AUX, 0xf4 }, { MOUSE, 0xfa }, { CMD, 0xa7 }, { MOVE, 0x01000000 },
			 { QUIET, 0 }, { CMD, 0xa8 }, { MOUSE, 0x08 }, { MOUSE, 1 },
			 { MOUSE, 0 }, { QUIET, 0 } } },

	/* ---- the keyboard's commands ---- */
	{ "reset", { XLAT_ON, { DATA, 0xff }, { KBD, 0xfa }, { KBD, 0xaa }, { QUIET, 0 } } },
	{ "ID", { XLAT_OFF, { DATA, 0xf2 }, { KBD, 0xfa }, { KBD, 0xab }, { KBD, 0x83 } } },
	{ "ID, translated", { XLAT_ON, { DATA, 0xf2 }, { KBD, 0xfa }, { KBD, 0xab },
			      { KBD, 0x41 } } },
	{ "LEDs", { { DATA, 0xed }, { KBD, 0xfa }, { DATA, 0x07 }, { KBD, 0xfa } } },
	{ "a command for an argument", { { DATA, 0xed }, { DATA, 0xee }, { KBD, 0xfa },
					 { KBD, 0xee }, { DATA, 0x01 }, { KBD, 0xfe } } },
	{ "rate", { { DATA, 0xf3 }, { KBD, 0xfa }, { DATA, 0x20 }, { KBD, 0xfa } } },
	{ "unknown", { { DATA, 0x55 }, { KBD, 0xfe } } },
	{ "resend", { XLAT_OFF, { DOWN, 0x1e }, { KBD, 0x1c }, { DATA, 0xfe }, { KBD, 0x1c },
		      { DATA, 0xee }, { KBD, 0xee }, { DATA, 0xfe }, { KBD, 0xee } } },
	{ "set 3 keys", { { DATA, 0xf8 }, { KBD, 0xfa }, { DATA, 0xfc }, { KBD, 0xfe } } },
	{ "scanning", { XLAT_OFF, { DATA, 0xf5 }, { KBD, 0xfa }, { DOWN, 0x1e }, { QUIET, 0 },
			{ DATA, 0xf4 }, { KBD, 0xfa }, { UP, 0x1e }, { KBD, 0xf0 },
			{ KBD, 0x1c } } },
	{ "answers come first", { XLAT_OFF, { DOWN, 0x01 }, { DOWN, 0x02 }, { KBD, 0x76 },
				  { DATA, 0xee }, { KBD, 0xee }, { KBD, 0x16 } } },

	/* ---- scan codes ---- */
	{ "set 2", { XLAT_OFF, { DOWN, 0x1e }, { UP, 0x1e }, { KBD, 0x1c }, { KBD, 0xf0 },
		     { KBD, 0x1c }, { DOWN, 0xe048 }, { UP, 0xe048 }, { KBD, 0xe0 },
		     { KBD, 0x75 }, { KBD, 0xe0 }, { KBD, 0xf0 }, { KBD, 0x75 },
		     { DOWN, 0x41 }, { KBD, 0x83 }, { QUIET, 0 } } },
	{ "set 1, translated", { XLAT_ON, { DOWN, 0x1e }, { UP, 0x1e }, { KBD, 0x1e },
				 { KBD, 0x9e }, { DOWN, 0xe048 }, { UP, 0xe048 },
				 { KBD, 0xe0 }, { KBD, 0x48 }, { KBD, 0xe0 }, { KBD, 0xc8 },
				 { DOWN, 0x41 }, { UP, 0x41 }, { KBD, 0x41 },
				 { KBD, 0xc1 }, { QUIET, 0 } } },
	{ "set 1, the keyboard's", { XLAT_OFF, { DATA, 0xf0 }, { KBD, 0xfa }, { DATA, 0x01 },
				     { KBD, 0xfa }, { DOWN, 0x1e }, { UP, 0x1e },
				     { KBD, 0x1e }, { KBD, 0x9e }, { DOWN, 0xe053 },
				     { UP, 0xe053 }, { KBD, 0xe0 }, { KBD, 0x53 },
				     { KBD, 0xe0 }, { KBD, 0xd3 },
				     { DATA, 0xf0 }, { DATA, 0x00 }, { KBD, 0xfa },
				     { KBD, 0xfa }, { KBD, 0x01 }, { DATA, 0xf6 },
				     { KBD, 0xfa }, { DOWN, 0x1e }, { KBD, 0x1c } } },
	{ "set 3 is refused", { XLAT_OFF, { DATA, 0xf0 }, { KBD, 0xfa }, { DATA, 0x03 },
				{ KBD, 0xfe }, { DATA, 0xf0 }, { KBD, 0xfa },
				{ DATA, 0x00 }, { KBD, 0xfa }, { KBD, 0x02 } } },
	{ "Pause", { XLAT_OFF, { DOWN, 0xe11d }, { UP, 0xe11d }, { KBD, 0xe1 }, { KBD, 0x14 },
		     { KBD, 0x77 }, { KBD, 0xe1 }, { KBD, 0xf0 }, { KBD, 0x14 },
		     { KBD, 0xf0 }, { KBD, 0x77 }, { QUIET, 0 } } },
	{ "Pause, translated", { XLAT_ON, { DOWN, 0xe11d }, { KBD, 0xe1 }, { KBD, 0x1d },
				 { KBD, 0x45 }, { KBD, 0xe1 }, { KBD, 0x9d },
				 { KBD, 0xc5 }, { QUIET, 0 } } },
	{ "Break", { XLAT_ON, { DOWN, 0x1d }, { KBD, 0x1d }, { DOWN, 0xe11d }, { KBD, 0xe0 },
		     { KBD, 0x46 }, { KBD, 0xe0 }, { KBD, 0xc6 }, { UP, 0x1d },
		     { KBD, 0x9d }, { QUIET, 0 } } },
	{ "Print Screen", { XLAT_ON, { DOWN, 0xe037 }, { UP, 0xe037 }, { KBD, 0xe0 },
			    { KBD, 0x2a }, { KBD, 0xe0 }, { KBD, 0x37 }, { KBD, 0xe0 },
			    { KBD, 0xb7 }, { KBD, 0xe0 }, { KBD, 0xaa }, { QUIET, 0 } } },
	{ "SysRq", { XLAT_ON, { DOWN, 0x38 }, { DOWN, 0xe037 }, { UP, 0x38 }, { UP, 0xe037 },
		     { KBD, 0x38 }, { KBD, 0x54 }, { KBD, 0xb8 }, { KBD, 0xd4 },
		     { QUIET, 0 } } },
	{ "no such keys", { { DOWN, 0x00 }, { DOWN, 0x80 }, { DOWN, 0xe0ff }, { DOWN, 0xe21e },
			    { DOWN, 0xffff }, { QUIET, 0 } } },

	/* ---- the mouse ---- */
	{ "mouse reset", { { AUX, 0xff }, { MOUSE, 0xfa }, { MOUSE, 0xaa }, { MOUSE, 0x00 },
			   { QUIET, 0 } } },
	{ "mouse status", { { AUX, 0xe9 }, { MOUSE, 0xfa }, { MOUSE, 0x00 }, { MOUSE, 2 },
			    { MOUSE, 100 },
			    { AUX, 0xe7 }, { MOUSE, 0xfa }, { AUX, 0xf4 }, { MOUSE, 0xfa },
			    { AUX, 0xe8 }, { MOUSE, 0xfa }, { AUX, 3 }, { MOUSE, 0xfa },
			    { AUX, 0xf3 }, { MOUSE, 0xfa }, { AUX, 200 }, { MOUSE, 0xfa },
			    { MOVE, 0x00000005 }, { MOUSE, 0x0d }, { MOUSE, 0 }, { MOUSE, 0 },
			    { AUX, 0xe9 }, { MOUSE, 0xfa }, { MOUSE, 0x36 }, { MOUSE, 3 },
			    { MOUSE, 200 }, { AUX, 0xf6 }, { MOUSE, 0xfa },
			    { AUX, 0xe9 }, { MOUSE, 0xfa }, { MOUSE, 0x06 }, { MOUSE, 2 },
			    { MOUSE, 100 } } },
	{ "motion", { { AUX, 0xf4 }, { MOUSE, 0xfa }, { MOVE, 0x05fd0000 }, { MOUSE, 0x08 },
		      { MOUSE, 5 }, { MOUSE, 3 }, { MOVE, 0xfb030001 }, { MOUSE, 0x39 },
		      { MOUSE, 0xfb }, { MOUSE, 0xfd }, { QUIET, 0 } } },
	{ "motion adds up", { { AUX, 0xf4 }, { MOUSE, 0xfa }, { MOVE, 0x01000000 },
			      { MOUSE, 0x08 },
			      { MOVE, 0x7f000000 }, { MOVE, 0x7f000000 }, { MOVE, 0x7f010000 },
			      { MOUSE, 1 }, { MOUSE, 0 },
			      { MOUSE, 0x28 }, { MOUSE, 0xff }, { MOUSE, 0xff },
			      { MOUSE, 0x08 }, { MOUSE, 126 }, { MOUSE, 0 }, { QUIET, 0 } } },
	{ "a click is not lost", { { AUX, 0xf4 }, { MOUSE, 0xfa }, { CMD, 0xa7 },
				   { MOVE, 0x00000001 }, { MOVE, 0x00000000 }, { CMD, 0xa8 },
				   { MOUSE, 0x09 }, { MOUSE, 0 }, { MOUSE, 0 }, { MOUSE, 0x08 },
				   { MOUSE, 0 }, { MOUSE, 0 }, { QUIET, 0 } } },
	{ "wheel", { { AUX, 0xf3 }, { AUX, 200 }, { AUX, 0xf3 }, { AUX, 100 }, { AUX, 0xf3 },
		     { AUX, 80 }, { MOUSE, 0xfa }, { MOUSE, 0xfa }, { AUX, 0xf2 },
		     { MOUSE, 0xfa }, { MOUSE, 3 }, { AUX, 0xf4 }, { MOUSE, 0xfa }, { MOVE, 0x00000100 },
		     { MOUSE, 0x08 }, { MOUSE, 0 }, { MOUSE, 0 }, { MOUSE, 1 },
		     { MOVE, 0x0000ff00 }, { MOUSE, 0x08 }, { MOUSE, 0 }, { MOUSE, 0 },
		     { MOUSE, 0xff }, { QUIET, 0 } } },
	{ "five buttons", { { AUX, 0xf3 }, { AUX, 200 }, { AUX, 0xf3 }, { AUX, 200 },
			    { AUX, 0xf3 }, { AUX, 80 }, { MOUSE, 0xfa }, { MOUSE, 0xfa },
			    { AUX, 0xf2 }, { MOUSE, 0xfa }, { MOUSE, 4 }, { AUX, 0xf4 }, { MOUSE, 0xfa },
			    { MOVE, 0x0000ff1a }, { MOUSE, 0x0a }, { MOUSE, 0 }, { MOUSE, 0 },
			    { MOUSE, 0x3f }, { AUX, 0xff }, { MOUSE, 0xfa }, { MOUSE, 0xaa },
			    { MOUSE, 0 } } },
	{ "remote", { { AUX, 0xf0 }, { MOUSE, 0xfa }, { MOVE, 0x02000000 }, { QUIET, 0 },
		      { AUX, 0xeb }, { MOUSE, 0xfa }, { MOUSE, 0x08 }, { MOUSE, 2 },
		      { MOUSE, 0 }, { AUX, 0xeb }, { MOUSE, 0xfa }, { MOUSE, 0x08 },
		      { MOUSE, 0 }, { MOUSE, 0 }, { QUIET, 0 } } },
	{ "wrap", { { AUX, 0xee }, { MOUSE, 0xfa }, { AUX, 0xf2 }, { MOUSE, 0xf2 },
		    { AUX, 0xec }, { MOUSE, 0xfa }, { AUX, 0xf2 }, { MOUSE, 0xfa },
		    { MOUSE, 0 } } },
	{ "scaling", { { AUX, 0xe7 }, { MOUSE, 0xfa }, { AUX, 0xf4 }, { MOUSE, 0xfa }, { MOVE, 0x05fc0000 },
		       { MOUSE, 0x08 }, { MOUSE, 9 }, { MOUSE, 6 }, { AUX, 0xe6 },
		       { MOUSE, 0xfa }, { MOVE, 0x05fc0000 }, { MOUSE, 0x08 }, { MOUSE, 5 },
		       { MOUSE, 4 } } },
	{ "wrong bytes", { { AUX, 0x55 }, { MOUSE, 0xfe }, { AUX, 0x55 }, { MOUSE, 0xfc },
			   { AUX, 0xe8 }, { MOUSE, 0xfa }, { AUX, 9 }, { MOUSE, 0xfe },
			   { AUX, 0xfe }, { MOUSE, 0xfe } } },
	{ "silent until enabled", { { MOVE, 0x01000000 }, { QUIET, 0 }, { AUX, 0xf4 },
				    { MOUSE, 0xfa }, { QUIET, 0 } } },
	{ "both", { XLAT_ON, { AUX, 0xf4 }, { MOUSE, 0xfa }, { MOVE, 0x01000000 },
		    { DOWN, 0x1e }, { MOUSE, 0x08 }, { KBD, 0x1e }, { MOUSE, 1 },
		    { MOUSE, 0 }, { QUIET, 0 } } },
};

static void do_step(const struct dialogue *d, unsigned int at)
{
	const struct step *s = &d->step[at];
	u8 status, byte;

	switch (s->what) {
	case CMD:
		out(0x64, (u8)s->val);
		break;
	case AUX:
		out(0x64, 0xd4);
		/* fall through */
	case DATA:
		out(0x60, (u8)s->val);
		break;
	case KBD:
	case MOUSE:
		pass();
		status = in(0x64);
		byte = in(0x60);
		if ((status & 0x21) != (s->what == MOUSE ? 0x21 : 0x01) || byte != s->val)
			fail_msg("%s, step %u: %02xh, status %02xh; not %02xh of %s", d->name, at,
				 byte, status, s->val, s->what == MOUSE ? "aux" : "kbd");
		break;
	case QUIET:
		pass();
		if (in(0x64) & 1)
			fail_msg("%s, step %u: %02xh waits", d->name, at, in(0x60));
		break;
	case DOWN:
	case UP:
		i8042_key(&k, (u16)s->val, s->what == DOWN);
		break;
	case MOVE:
		i8042_mouse(&k, (s8)(s->val >> 24), (s8)(s->val >> 16), (s8)(s->val >> 8),
			    (u8)s->val);
		break;
	default:
		break;
	}
}

static void test_dialogues(void **state)
{
	for (unsigned int i = 0; i < WS_ARRAY_SIZE(dialogues); i++) {
		setup(NULL);
		for (unsigned int at = 0; dialogues[i].step[at].what; at++)
			do_step(&dialogues[i], at);
		assert_false(bench.raised);
	}
}

/* One edge for each byte, on the line of whom it comes from, if its bit is set. */
static void test_interrupts(void **state)
{
	out(0x64, 0x60);
	out(0x60, 0x43);
	out(0x60, 0xf2);
	for (unsigned int i = 1; i <= 3; i++) {
		assert_true(bench.level[1]);
		assert_int_equal(bench.edges[1], i);
		in(0x60);
	}
	assert_false(bench.level[1]);
	out(0x64, 0xd4);
	out(0x60, 0xf4);
	assert_true(bench.level[12] && !bench.level[1]);
	in(0x60);
	assert_false(bench.level[12]);
	i8042_mouse(&k, 1, 0, 0, 0);
	assert_int_equal(bench.edges[12], 2);
	out(0x64, 0x60);
	out(0x60, 0x40);
	assert_false(bench.level[12] || bench.level[1]);
	i8042_key(&k, 0x1e, true);
	assert_int_equal(bench.edges[1], 3);
}

/* A program that reads twice gets the same byte; the next comes a while later. */
static void test_pace(void **state)
{
	i8042_key(&k, 0x1e, true);
	i8042_key(&k, 0x1e, false);
	assert_int_equal(in(0x60), 0x1e);
	assert_int_equal(in(0x60), 0x1e);
	assert_int_equal(in(0x64) & 1, 0);
	assert_int_equal(bench.armed, I8042_BYTE_NS);
	bench_advance(&bench, I8042_BYTE_NS - 1);
	assert_int_equal(in(0x64) & 1, 0);
	/* An answer does not wait. */
	out(0x60, 0xee);
	assert_int_equal(in(0x60), 0xee);
	bench_advance(&bench, I8042_BYTE_NS);
	assert_int_equal(bench.edges[1], 3);
	assert_int_equal(in(0x60), 0x9e);
	assert_int_equal(bench.armed, DEV_NEVER);	/* nothing to wait for */
}

/* More keys than it remembers: whole ones, then the overrun code. */
static void test_overrun(void **state)
{
	unsigned int n = 0, last = 0;

	out(0x64, 0x60);
	out(0x60, 0x15);	/* off, no translation */
	for (unsigned int i = 0; i < 40; i++)
		i8042_key(&k, 0xe048, i & 1);
	out(0x64, 0xae);
	for (pass(); in(0x64) & 1; pass()) {
		last = in(0x60);
		n++;
	}
	assert_int_equal(last, 0x00);
	assert_true(n > 10 && n <= PS2_QUEUE);
	i8042_key(&k, 0x1e, true);
	assert_int_equal(in(0x60), 0x1c);
	/* Answers: the last ones are lost. */
	for (unsigned int i = 0; i < 100; i++)
		out(0x60, 0xf2);
	for (n = 0; in(0x64) & 1; n++)
		in(0x60);
	assert_int_equal(n, PS2_QUEUE + 1);
	/* Buttons: the last state is told whatever came before. */
	out(0x64, 0xd4);
	out(0x60, 0xf4);
	in(0x60);
	for (unsigned int i = 0; i < 100; i++)
		i8042_mouse(&k, 1000000, -1000000, 100, i & 1 ? 0 : PS2_LEFT);
	i8042_mouse(&k, 0, 0, 0, PS2_RIGHT);
	for (pass(), n = 0; in(0x64) & 1; pass(), n++)
		if (n % 3 == 0)
			last = in(0x60);
		else
			in(0x60);
	assert_int_equal(n % 3, 0);
	assert_int_equal(last & 7, PS2_RIGHT);
}

/* All keys: what set 2 says, translated, is set 1 again. */
static void test_all_keys(void **state)
{
	out(0x64, 0x60);
	out(0x60, 0x45);
	for (u16 code = 1; code < 0x80; code++) {
		i8042_key(&k, code, true);
		i8042_key(&k, code, false);
		pass();
		assert_int_equal(in(0x60), code);
		pass();
		assert_int_equal(in(0x60), code | 0x80);
		pass();
		assert_int_equal(in(0x64) & 1, 0);
	}
}

static void test_reset_line(void **state)
{
	out(0x64, 0xff);
	assert_int_equal(bench.raised, 0);
	out(0x64, 0xfe);
	assert_int_equal(bench.raised, 1);
	out(0x64, 0xd1);
	out(0x60, 0xdf);
	assert_int_equal(bench.raised, 1);
	out(0x64, 0xd1);
	out(0x60, 0xfe);
	assert_int_equal(bench.raised, 2);
	assert_int_equal(in(0x64) & 8, 0);
	out(0x64, 0x60);
	assert_int_equal(in(0x64) & 8, 8);
}

static void test_noise(void **state)
{
	uint64_t seed = 7;

	for (unsigned int i = 0; i < 20000; i++) {
		bench_fuzz(&bench, i8042_regions, i8042_n_regions, &k, 20);
		i8042_key(&k, (u16)unit_random(&seed), i & 1);
		i8042_mouse(&k, (int)unit_random(&seed), (int)unit_random(&seed),
			    (int)unit_random(&seed), (u8)unit_random(&seed));
		if (!(i % 64))
			i8042_reset(&k);
	}
	i8042_reset(&k);
	assert_int_equal(in(0x64) & 1, 0);
	assert_false(bench.level[1] || bench.level[12]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_dialogues, setup),
		cmocka_unit_test_setup(test_interrupts, setup),
		cmocka_unit_test_setup(test_pace, setup),
		cmocka_unit_test_setup(test_overrun, setup),
		cmocka_unit_test_setup(test_all_keys, setup),
		cmocka_unit_test_setup(test_reset_line, setup),
		cmocka_unit_test_setup(test_noise, setup),
	};

	return cmocka_run_group_tests_name("i8042", tests, NULL, NULL);
}
