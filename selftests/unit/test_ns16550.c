// SPDX-License-Identifier: GPL-2.0-only
/* The UART: interrupts and their priorities, FIFOs, loopback, a line that is full. */
#include "chips.h"

#include "vmapp/dev/ns16550.h"

#define IRQ 4

struct port {
	struct bench bench;
	struct ns16550 u;
	u8 sent[256];
	unsigned int n_sent;
	bool full;
	const char *typed;	/* what waits to be received */
};

static bool send_byte(void *ctx, u8 byte)
{
	struct port *p = ctx;

	p->sent[p->n_sent++ % sizeof(p->sent)] = byte;
	return !p->full;
}

static unsigned int receive(void *ctx, u8 *buf, unsigned int len)
{
	struct port *p = ctx;
	unsigned int n = 0;

	while (n < len && p->typed && *p->typed)
		buf[n++] = (u8)*p->typed++;
	return n;
}

static void setup(struct port *p)
{
	memset(p, 0, sizeof(*p));
	p->u.line = (struct ns16550_line){ send_byte, receive, p };
	p->u.irq = bench_line(&p->bench, IRQ);
	ns16550_reset(&p->u);
}

static u8 in(struct port *p, u32 reg)
{
	return (u8)bench_in(ns16550_regions, ns16550_n_regions, &p->u, reg, 1);
}

static void out(struct port *p, u32 reg, u8 val)
{
	bench_out(ns16550_regions, ns16550_n_regions, &p->u, reg, 1, val);
}

static void type(struct port *p, const char *s)
{
	p->typed = s;
	ns16550_input(&p->u);
}

/* 8n1, FIFOs with trigger level 8, RTS, DTR and OUT2. */
static void program(struct port *p, u8 ier)
{
	out(p, 3, 0x03);
	out(p, 2, 0x87);
	out(p, 4, 0x0b);
	out(p, 1, ier);
}

static void test_reset(void **state)
{
	struct port p;

	setup(&p);
	assert_int_equal(in(&p, 5), 0x60);
	assert_int_equal(in(&p, 2), 0x01);
	assert_int_equal(in(&p, 6), 0xb0);
	out(&p, 3, 0x80);
	out(&p, 0, 0x0c);
	out(&p, 1, 0x01);
	assert_int_equal(in(&p, 0), 0x0c);
	assert_int_equal(in(&p, 1), 0x01);
	out(&p, 3, 0x00);
	assert_int_equal(in(&p, 1), 0x00);
	out(&p, 7, 0x5a);
	assert_int_equal(in(&p, 7), 0x5a);
	out(&p, 5, 0x00);	/* not for us */
	assert_int_equal(in(&p, 5), 0x60);
}

static void test_transmit(void **state)
{
	struct port p;

	setup(&p);
	program(&p, 0);
	out(&p, 0, 'a');
	assert_int_equal(p.n_sent, 1);
	assert_int_equal(in(&p, 5) & 0x60, 0x60);
	assert_false(p.bench.level[IRQ]);
	/* Enabled while empty: due at once; reading IIR takes it back. */
	out(&p, 1, 2);
	assert_true(p.bench.level[IRQ]);
	assert_int_equal(in(&p, 2), 0xc2);
	assert_false(p.bench.level[IRQ]);
	assert_int_equal(in(&p, 2), 0xc1);
	/* Disabled and enabled once more, as a driver probes for it. */
	out(&p, 1, 0);
	out(&p, 1, 2);
	assert_int_equal(in(&p, 2), 0xc2);
	out(&p, 0, 'b');
	assert_true(p.bench.level[IRQ]);
	/* OUT2 is the gate. */
	out(&p, 4, 0x03);
	assert_false(p.bench.level[IRQ]);
	out(&p, 4, 0x0b);
	assert_true(p.bench.level[IRQ]);
}

static void test_back_pressure(void **state)
{
	struct port p;

	setup(&p);
	program(&p, 2);
	in(&p, 2);
	p.full = true;
	out(&p, 0, 'x');
	assert_int_equal(in(&p, 5) & 0x60, 0);
	assert_false(p.bench.level[IRQ]);
	p.full = false;
	ns16550_output_ready(&p.u);
	assert_int_equal(in(&p, 5) & 0x60, 0x60);
	assert_int_equal(in(&p, 2), 0xc2);
}

static void test_receive(void **state)
{
	struct port p;

	setup(&p);
	program(&p, 1);
	/* Below the trigger level: the time-out. */
	type(&p, "abc");
	assert_true(p.bench.level[IRQ]);
	assert_int_equal(in(&p, 2), 0xcc);
	assert_int_equal(in(&p, 5) & 1, 1);
	assert_int_equal(in(&p, 0), 'a');
	assert_int_equal(in(&p, 0), 'b');
	assert_int_equal(in(&p, 0), 'c');
	assert_int_equal(in(&p, 5) & 1, 0);
	assert_false(p.bench.level[IRQ]);
	/* More than fits: the rest waits on the line. */
	type(&p, "0123456789abcdefXYZ");
	assert_int_equal(in(&p, 2), 0xc4);
	for (unsigned int i = 0; i < 19; i++)
		assert_int_equal(in(&p, 0), "0123456789abcdefXYZ"[i]);
	assert_int_equal(in(&p, 5) & 0x03, 0);
	assert_int_equal(p.bench.edges[IRQ] > 0, 1);
}

static void test_handshake(void **state)
{
	struct port p;

	setup(&p);
	type(&p, "early");
	assert_int_equal(in(&p, 5) & 1, 0);
	out(&p, 2, 0x07);
	out(&p, 4, 0x02);	/* RTS: now */
	assert_int_equal(in(&p, 0), 'e');
	out(&p, 2, 0x00);	/* without FIFOs: one at a time, and these are lost */
	assert_int_equal(in(&p, 2), 0x01);
	type(&p, "12");
	assert_int_equal(in(&p, 0), '1');
	assert_int_equal(in(&p, 0), '2');
	assert_int_equal(in(&p, 5) & 3, 0);
}

static void test_loopback(void **state)
{
	struct port p;

	setup(&p);
	program(&p, 0);
	out(&p, 4, 0x10);
	assert_int_equal(in(&p, 6) & 0xf0, 0);
	in(&p, 6);
	out(&p, 4, 0x1f);
	assert_int_equal(in(&p, 6), 0xfb);	/* RI rose: that does not count */
	out(&p, 4, 0x1b);
	assert_int_equal(in(&p, 6), 0xb4);	/* it fell */
	for (unsigned int i = 0; i < 17; i++)
		out(&p, 0, (u8)('a' + i));
	assert_int_equal(p.n_sent, 0);
	assert_int_equal(in(&p, 5) & 0x03, 0x03);	/* overrun: once */
	assert_int_equal(in(&p, 5) & 0x03, 0x01);
	for (unsigned int i = 0; i < 16; i++)
		assert_int_equal(in(&p, 0), 'a' + i);
	out(&p, 3, 0x43);
	assert_int_equal(in(&p, 5) & 0x11, 0x11);	/* break */
}

static void test_priorities(void **state)
{
	struct port p;

	setup(&p);
	program(&p, 0);
	out(&p, 4, 0x1b);
	in(&p, 6);
	out(&p, 1, 0x0f);
	for (unsigned int i = 0; i < 17; i++)
		out(&p, 0, 'x');
	out(&p, 4, 0x1a);	/* DTR falls: DSR changes */
	assert_int_equal(in(&p, 2), 0xc6);
	in(&p, 5);
	assert_int_equal(in(&p, 2), 0xc4);
	out(&p, 2, 0x83);	/* clears the receiver */
	assert_int_equal(in(&p, 2), 0xc2);
	assert_int_equal(in(&p, 2), 0xc0);
	in(&p, 6);
	assert_int_equal(in(&p, 2), 0xc1);
	assert_false(p.bench.level[IRQ]);	/* loopback: the gate was closed */
}

static void test_fuzz(void **state)
{
	struct port p;

	setup(&p);
	p.typed = "some input that is there from the start";
	bench_fuzz(&p.bench, ns16550_regions, ns16550_n_regions, &p.u, 200000);
	ns16550_reset(&p.u);
	assert_false(p.bench.level[IRQ]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_transmit),
		cmocka_unit_test(test_back_pressure),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_priorities),
		cmocka_unit_test(test_fuzz),
	};

	return cmocka_run_group_tests_name("ns16550", tests, NULL, NULL);
}
