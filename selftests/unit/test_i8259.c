// SPDX-License-Identifier: GPL-2.0-only
/* The PIC pair: each rule of the data sheet, malformed states, and chance against a slow model. */
#include "unit.h"

#include "core/i8259.h"

#define MASTER	0x20
#define SLAVE	0xa0
#define ELCR	0x4d0

static struct i8259_pair pic;

static const struct ws_region *row_of(unsigned int port)
{
	unsigned int i;

	for (i = 0; i < I8259_REGIONS; i++)
		if (port - i8259_regions[i].offset < i8259_regions[i].len)
			return &i8259_regions[i];
	fail_msg("nobody at port %x", port);
	return NULL;
}

static void out_to(struct i8259_pair *pair, unsigned int port, u8 val)
{
	const struct ws_region *row = row_of(port);

	row->write(pair, port - row->offset, 1, val);
}

static u8 in_from(struct i8259_pair *pair, unsigned int port)
{
	const struct ws_region *row = row_of(port);

	return row->read(pair, port - row->offset, 1);
}

static void out(unsigned int port, u8 val)
{
	out_to(&pic, port, val);
}

static u8 in(unsigned int port)
{
	return in_from(&pic, port);
}

static void line(unsigned int irq, bool level)
{
	i8259_set_irq(&pic, irq, level);
}

static void pulse(unsigned int irq)
{
	line(irq, 0);
	line(irq, 1);
}

static u8 irr(unsigned int port)
{
	out(port, I8259_OCW3 | I8259_OCW3_RR);
	return in(port);
}

static u8 isr(unsigned int port)
{
	out(port, I8259_OCW3 | I8259_OCW3_RR | I8259_OCW3_RIS);
	return in(port);
}

static void init_chip(unsigned int port, u8 base, u8 icw4)
{
	out(port, I8259_ICW1 | I8259_ICW1_IC4);
	out(port + 1, base);
	out(port + 1, port == MASTER ? 0x04 : 0x02);
	out(port + 1, I8259_ICW4_UPM | icw4);
}

/* As an operating system does it: vectors 30h and 38h, nothing masked. */
static void start(u8 icw4)
{
	memset(&pic, 0, sizeof(pic));
	i8259_reset(&pic);
	init_chip(MASTER, 0x30, icw4);
	init_chip(SLAVE, 0x38, icw4);
}

static void expect(unsigned int vector)
{
	assert_true(pic.intr);
	assert_int_equal(i8259_ack(&pic), vector);
}

static void test_reset(void **state)
{
	memset(&pic, 0, sizeof(pic));
	i8259_reset(&pic);
	assert_false(pic.intr);
	assert_int_equal(in(MASTER + 1), 0xff);
	assert_int_equal(in(SLAVE + 1), 0xff);
	pulse(1);
	pulse(9);
	assert_false(pic.intr);
	assert_int_equal(in(MASTER), 0x02);
	assert_int_equal(in(SLAVE), 0x02);
	/* The devices still hold their lines: no edge after the reset. */
	i8259_reset(&pic);
	assert_int_equal(in(MASTER), 0);
	out(MASTER + 1, 0);
	line(1, 1);
	assert_false(pic.intr);
	pulse(1);
	assert_true(pic.intr);
}

/* Which words follow ICW1, and that the chip is silent until the last of them. */
static void test_icw(void **state)
{
	static const struct {
		u8 icw1;
		u8 words;	/* after ICW1 */
		bool aeoi;
	} cases[] = {
		{ I8259_ICW1, 2, false },
		{ I8259_ICW1 | I8259_ICW1_IC4, 3, true },
		{ I8259_ICW1 | I8259_ICW1_SNGL, 1, false },
		{ I8259_ICW1 | I8259_ICW1_SNGL | I8259_ICW1_IC4, 2, true },
		{ I8259_ICW1 | I8259_ICW1_LTIM | I8259_ICW1_IC4, 3, true },
	};
	unsigned int i, w;

	for (i = 0; i < WS_ARRAY_SIZE(cases); i++) {
		start(I8259_ICW4_SFNM);
		out(MASTER + 1, 0xff);
		pulse(3);
		out(MASTER, I8259_OCW2_R);
		out(MASTER, I8259_OCW3 | I8259_OCW3_ESMM | I8259_OCW3_SMM);
		out(MASTER, cases[i].icw1);
		assert_int_equal(in(MASTER + 1), 0);	/* the mask is cleared */
		assert_int_equal(in(MASTER), 0);	/* the edge forgotten */
		for (w = 0; w < cases[i].words; w++) {
			pulse(4);
			assert_false(pic.intr);
			out(MASTER + 1, w == 0 ? 0x57 : 0x03 | I8259_ICW4_AEOI);
		}
		assert_true(pic.intr);
		out(MASTER + 1, 0xaa);			/* OCW1 again */
		assert_int_equal(in(MASTER + 1), 0xaa);
		out(MASTER + 1, 0);
		expect(0x54);
		assert_int_equal(isr(MASTER), cases[i].aeoi ? 0 : 0x10);
		assert_false(pic.chip[0].smm || pic.chip[0].sfnm || pic.chip[0].rotate_aeoi);
	}
}

static void test_vectors(void **state)
{
	unsigned int i;

	for (i = 0; i < I8259_LINES; i++) {
		start(0);
		line(i, 1);
		if (i == I8259_CASCADE) {
			assert_false(pic.intr);
			continue;
		}
		expect(0x30 + i);
		assert_false(pic.intr);
		assert_int_equal(isr(MASTER), i < 8 ? 1 << i : 1 << I8259_CASCADE);
		assert_int_equal(isr(SLAVE), i < 8 ? 0 : 1 << (i - 8));
		assert_int_equal(irr(MASTER) | irr(SLAVE), 0);
		out(SLAVE, I8259_OCW2_EOI);
		out(MASTER, I8259_OCW2_EOI);
		assert_int_equal(isr(MASTER) | isr(SLAVE), 0);
		/* Still high, but no new edge. */
		assert_false(pic.intr);
	}
	/* Vectors end at FFh. */
	init_chip(SLAVE, 0xff, 0);
	pulse(15);
	expect(0xff);
}

/* Fixed priorities: lines 0, 1, 8 to 15 (by the cascade), 3 to 7. */
static void test_priorities(void **state)
{
	static const u8 order[] = { 0, 1, 8, 9, 10, 11, 12, 13, 14, 15, 3, 4, 5, 6, 7 };
	unsigned int i, j;

	for (i = 0; i < sizeof(order); i++) {
		for (j = 0; j < sizeof(order); j++) {
			if (i == j)
				continue;
			start(0);
			line(order[i], 1);
			expect(0x30 + order[i]);
			line(order[j], 1);
			/* Within the slave nothing nests: its master input is in service. */
			assert_int_equal(pic.intr, j < i && !(order[i] >= 8 && order[j] >= 8));
			out(SLAVE, I8259_OCW2_EOI);
			out(MASTER, I8259_OCW2_EOI);
			assert_true(pic.intr);
			expect(0x30 + order[j]);
		}
	}
	start(0);
	for (i = 0; i < sizeof(order); i++)
		line(order[sizeof(order) - 1 - i], 1);
	for (i = 0; i < sizeof(order); i++) {
		expect(0x30 + order[i]);
		out(SLAVE, I8259_OCW2_EOI);
		out(MASTER, I8259_OCW2_EOI);
	}
	assert_false(pic.intr);
}

static void test_mask(void **state)
{
	start(0);
	out(MASTER + 1, 0x08);
	pulse(3);
	assert_false(pic.intr);
	assert_int_equal(irr(MASTER), 0x08);
	out(MASTER + 1, 0);
	assert_true(pic.intr);
	out(MASTER + 1, 0xf7);
	assert_true(pic.intr);
	out(MASTER + 1, 0x08);
	assert_false(pic.intr);
	/* Another request decides when this one is masked. */
	pulse(5);
	assert_true(pic.intr);
	out(MASTER + 1, 0x28);
	assert_false(pic.intr);

	/* The slave's requests pass two masks. */
	start(0);
	out(MASTER + 1, 0x04);
	pulse(12);
	assert_false(pic.intr);
	out(SLAVE + 1, 0x10);
	out(MASTER + 1, 0);
	assert_false(pic.intr);
	out(SLAVE + 1, 0);
	expect(0x3c);
}

/* A request that is gone when it is acknowledged: input 7 of the chip that was asked. */
static void test_spurious(void **state)
{
	start(0);
	line(4, 1);
	line(4, 0);
	assert_false(pic.intr);
	assert_int_equal(i8259_ack(&pic), 0x37);
	assert_int_equal(isr(MASTER), 0);

	/* Gone between the two acknowledge cycles: the second chip gives its own 7. */
	start(0);
	pulse(10);
	pic.chip[1].irr = 0;
	assert_int_equal(i8259_ack(&pic), 0x3f);
	assert_int_equal(isr(MASTER), 1 << I8259_CASCADE);
	assert_int_equal(isr(SLAVE), 0);
	out(MASTER, I8259_OCW2_EOI);
	assert_false(pic.intr);
}

static void test_edge(void **state)
{
	start(0);
	line(3, 1);
	expect(0x33);
	out(MASTER, I8259_OCW2_EOI);
	assert_false(pic.intr);
	line(3, 1);
	assert_false(pic.intr);
	/* An edge while in service waits for the end of interrupt. */
	pulse(4);
	expect(0x34);
	pulse(4);
	assert_false(pic.intr);
	assert_int_equal(irr(MASTER), 0x10);
	out(MASTER, I8259_OCW2_EOI);
	expect(0x34);
}

static void test_level(void **state)
{
	unsigned int irq;

	start(0);
	out(ELCR, 0xff);
	out(ELCR + 1, 0xff);
	assert_int_equal(in(ELCR), 0xf8);
	assert_int_equal(in(ELCR + 1), 0xde);

	for (irq = 3; irq < I8259_LINES; irq++) {
		if (irq == 8 || irq == 13)
			continue;
		line(irq, 1);
		expect(0x30 + irq);
		assert_int_equal(irr(irq < 8 ? MASTER : SLAVE), 1 << (irq & 7));
		assert_false(pic.intr);
		out(SLAVE, I8259_OCW2_EOI);
		out(MASTER, I8259_OCW2_EOI);
		/* Still asserted: again, until the device lets go. */
		expect(0x30 + irq);
		line(irq, 0);
		out(SLAVE, I8259_OCW2_EOI);
		out(MASTER, I8259_OCW2_EOI);
		assert_false(pic.intr);
	}
	/* A level is there when the ELCR begins to look, and ICW1 does not forget it. */
	out(ELCR, 0);
	line(5, 1);
	expect(0x35);
	out(MASTER, I8259_OCW2_EOI);
	assert_false(pic.intr);
	out(ELCR, 0x20);
	assert_true(pic.intr);
	init_chip(MASTER, 0x40, 0);
	expect(0x45);
}

static void test_eoi(void **state)
{
	start(0);
	pulse(5);
	expect(0x35);
	pulse(1);
	expect(0x31);
	assert_int_equal(isr(MASTER), 0x22);
	out(MASTER, I8259_OCW2_EOI | I8259_OCW2_SL | 3);	/* not in service */
	assert_int_equal(isr(MASTER), 0x22);
	out(MASTER, I8259_OCW2_EOI | I8259_OCW2_SL | 5);
	assert_int_equal(isr(MASTER), 0x02);
	out(MASTER, I8259_OCW2_SL);				/* no operation */
	assert_int_equal(isr(MASTER), 0x02);
	out(MASTER, I8259_OCW2_EOI);
	assert_int_equal(isr(MASTER), 0);
	out(MASTER, I8259_OCW2_EOI);
	assert_int_equal(isr(MASTER), 0);
	assert_int_equal(pic.chip[0].lowest, 7);
}

static void test_rotation(void **state)
{
	/* Rotate on non-specific EOI: the one served becomes the lowest. */
	start(0);
	pulse(4);
	expect(0x34);
	out(MASTER, I8259_OCW2_R | I8259_OCW2_EOI);
	assert_int_equal(pic.chip[0].lowest, 4);
	line(4, 0);
	line(4, 1);
	line(0, 1);
	line(5, 1);
	expect(0x35);
	out(MASTER, I8259_OCW2_EOI);
	expect(0x30);
	out(MASTER, I8259_OCW2_EOI);
	expect(0x34);

	/* Nothing in service: nothing rotates. */
	start(0);
	out(MASTER, I8259_OCW2_R | I8259_OCW2_EOI);
	assert_int_equal(pic.chip[0].lowest, 7);

	/* Rotate on specific EOI. */
	pulse(6);
	expect(0x36);
	out(MASTER, I8259_OCW2_R | I8259_OCW2_SL | I8259_OCW2_EOI | 6);
	assert_int_equal(isr(MASTER), 0);
	assert_int_equal(pic.chip[0].lowest, 6);

	/* Set priority: a request that waits can pass the one in service. */
	start(0);
	pulse(1);
	expect(0x31);
	pulse(5);
	assert_false(pic.intr);
	out(MASTER, I8259_OCW2_R | I8259_OCW2_SL | 4);
	assert_int_equal(isr(MASTER), 0x02);
	expect(0x35);

	/* Rotation in automatic EOI mode, on and off. */
	start(I8259_ICW4_AEOI);
	out(MASTER, I8259_OCW2_R);
	pulse(3);
	expect(0x33);
	assert_int_equal(pic.chip[0].lowest, 3);
	out(MASTER, 0);
	pulse(5);
	expect(0x35);
	assert_int_equal(pic.chip[0].lowest, 3);
}

static void test_aeoi(void **state)
{
	start(I8259_ICW4_AEOI);
	line(3, 1);
	line(10, 1);
	line(12, 1);
	expect(0x3a);
	assert_int_equal(isr(MASTER) | isr(SLAVE), 0);
	expect(0x3c);
	expect(0x33);
	assert_false(pic.intr);
	/* A level-triggered input requests again at once. */
	out(ELCR, 0x20);
	line(5, 1);
	expect(0x35);
	expect(0x35);
	line(5, 0);
	assert_false(pic.intr);
}

static void test_special_mask(void **state)
{
	start(0);
	pulse(3);
	expect(0x33);
	pulse(6);
	assert_false(pic.intr);
	/* Masked and in service: with special mask mode lower ones come through. */
	out(MASTER + 1, 0x08);
	assert_false(pic.intr);
	out(MASTER, I8259_OCW3 | I8259_OCW3_ESMM | I8259_OCW3_SMM);
	assert_true(pic.intr);
	out(MASTER + 1, 0);
	assert_false(pic.intr);
	out(MASTER + 1, 0x08);
	expect(0x36);
	pulse(3);
	assert_false(pic.intr);
	/* A non-specific EOI passes over the masked one; a specific one does not. */
	out(MASTER, I8259_OCW2_EOI);
	assert_int_equal(isr(MASTER), 0x08);
	out(MASTER, I8259_OCW2_EOI);
	assert_int_equal(isr(MASTER), 0x08);
	out(MASTER, I8259_OCW2_EOI | I8259_OCW2_SL | 3);
	assert_int_equal(isr(MASTER), 0);
	/* Without ESMM the bit SMM says nothing. */
	out(MASTER, I8259_OCW3);
	assert_true(pic.chip[0].smm);
	out(MASTER, I8259_OCW3 | I8259_OCW3_ESMM);
	assert_false(pic.chip[0].smm);
}

static void test_special_fully_nested(void **state)
{
	start(0);
	init_chip(MASTER, 0x30, I8259_ICW4_SFNM);
	pulse(12);
	expect(0x3c);
	/* A higher one of the same slave gets through, a lower or the same does not. */
	pulse(14);
	assert_false(pic.intr);
	pulse(12);
	assert_false(pic.intr);
	pulse(9);
	expect(0x39);
	assert_int_equal(isr(SLAVE), 0x12);
	assert_int_equal(isr(MASTER), 0x04);
	/* Lower ones of the master are still locked out, higher ones are not. */
	pulse(3);
	assert_false(pic.intr);
	pulse(1);
	expect(0x31);
}

static void test_poll(void **state)
{
	start(0);
	out(MASTER, I8259_OCW3 | I8259_OCW3_P);
	assert_int_equal(in(MASTER), 0);
	assert_int_equal(in(MASTER + 1), 0);		/* the mask: polled once */
	pulse(4);
	pulse(3);
	out(MASTER, I8259_OCW3 | I8259_OCW3_P);
	assert_int_equal(in(MASTER + 1), I8259_POLL_INT | 3);
	assert_int_equal(isr(MASTER), 0x08);
	assert_false(pic.intr);
	out(MASTER, I8259_OCW2_EOI);
	assert_true(pic.intr);

	/* The slave is polled by itself, and requests until it is. */
	start(0);
	pulse(11);
	out(MASTER, I8259_OCW3 | I8259_OCW3_P);
	assert_int_equal(in(MASTER), I8259_POLL_INT | I8259_CASCADE);
	assert_int_equal(irr(MASTER), 0x04);
	out(SLAVE, I8259_OCW3 | I8259_OCW3_P);
	assert_int_equal(in(SLAVE), I8259_POLL_INT | 3);
	assert_int_equal(isr(SLAVE), 0x08);
	assert_int_equal(irr(MASTER), 0);
}

static void test_read_registers(void **state)
{
	start(0);
	pulse(1);
	pulse(6);
	expect(0x31);
	assert_int_equal(in(MASTER), 0x40);
	out(MASTER, I8259_OCW3 | I8259_OCW3_RIS);	/* without RR: no change */
	assert_int_equal(in(MASTER), 0x40);
	out(MASTER, I8259_OCW3 | I8259_OCW3_RR | I8259_OCW3_RIS);
	assert_int_equal(in(MASTER), 0x02);
	assert_int_equal(in(MASTER), 0x02);
	out(MASTER, I8259_OCW3 | I8259_OCW3_RR);
	assert_int_equal(in(MASTER), 0x40);
	init_chip(MASTER, 0x30, 0);
	pulse(5);
	assert_int_equal(in(MASTER), 0x20);
}

static void test_state_malformed(void **state)
{
	static const struct {
		size_t offset;
		u8 value;
	} cases[] = {
#define CHIP(n, field, value) \
	{ offsetof(struct i8259_pair_state, chip[n].field), value }
		CHIP(0, irr, 0x10),		/* a request of an input that is low */
		CHIP(1, irr, 0x04),
		CHIP(0, elcr, 0x01),
		CHIP(0, elcr, 0x04),
		CHIP(1, elcr, 0x20),
		CHIP(0, elcr, 0x08),		/* input 3 is high without a request */
		CHIP(0, base, 0x31),
		CHIP(1, lowest, 8),
		CHIP(0, icw, 1),
		CHIP(0, icw, 5),
		CHIP(0, icw, 2),		/* without an ICW1 that says so */
		CHIP(1, modes, 0x40),
		CHIP(0, pad[0], 1),
		CHIP(1, pad[5], 0x80),
	};
	struct i8259_pair_state good, bad;
	struct i8259_pair before;
	size_t i;

	start(0);
	pulse(3);
	expect(0x33);
	i8259_get(&pic, &good);
	good.chip[0].icw1 = good.chip[1].icw1 = 0;
	assert_int_equal(i8259_set(&pic, &good), 0);
	before = pic;
	for (i = 0; i < WS_ARRAY_SIZE(cases); i++) {
		bad = good;
		((u8 *)&bad)[cases[i].offset] = cases[i].value;
		assert_int_equal(i8259_set(&pic, &bad), -WS_EINVAL);
		assert_memory_equal(&before, &pic, sizeof(pic));
	}
	/* Words that this ICW1 did not announce. */
	bad = good;
	bad.chip[0].icw1 = I8259_ICW1 | I8259_ICW1_SNGL;
	bad.chip[0].icw = 3;
	assert_int_equal(i8259_set(&pic, &bad), -WS_EINVAL);
	bad.chip[0].icw = 4;
	assert_int_equal(i8259_set(&pic, &bad), -WS_EINVAL);
	bad.chip[0].icw1 |= I8259_ICW1_IC4;
	assert_int_equal(i8259_set(&pic, &bad), 0);
}

/* ---- chance, against a model that walks the priorities one by one ---- */

static int slow_resolve(const struct i8259_chip *c, bool master)
{
	unsigned int i;

	if (c->icw)
		return -1;
	for (i = 0; i < 8; i++) {
		unsigned int n = (c->lowest + 1 + i) % 8;
		bool requests = (c->irr & ~c->imr) >> n & 1;
		bool serves = (c->smm ? c->isr & ~c->imr : c->isr) >> n & 1;

		if (serves)
			return requests && master && c->sfnm && n == I8259_CASCADE ? (int)n : -1;
		if (requests)
			return n;
	}
	return -1;
}

static void check_invariants(const struct i8259_pair *p)
{
	const struct i8259_chip *m = &p->chip[0], *s = &p->chip[1];
	bool slave = slow_resolve(s, false) >= 0;

	assert_int_equal(p->intr, slow_resolve(m, true) >= 0);
	assert_int_equal(m->lines >> I8259_CASCADE & 1, slave);
	assert_int_equal(m->irr >> I8259_CASCADE & 1, slave);
	assert_int_equal(m->irr & ~m->lines, 0);
	assert_int_equal(s->irr & ~s->lines, 0);
	assert_int_equal(m->lines & m->elcr & ~m->irr, 0);
	assert_int_equal(s->lines & s->elcr & ~s->irr, 0);
	assert_true(m->lowest < 8 && s->lowest < 8);
	assert_int_equal((m->base | s->base) & 7, 0);
}

static unsigned int slow_vector(const struct i8259_pair *p)
{
	int n = slow_resolve(&p->chip[0], true);

	if (n != I8259_CASCADE)
		return p->chip[0].base + (n < 0 ? 7 : n);
	n = slow_resolve(&p->chip[1], false);
	return p->chip[1].base + (n < 0 ? 7 : n);
}

static void random_step(struct i8259_pair *p, unsigned int r, unsigned int *result)
{
	static const unsigned int ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };
	unsigned int port = ports[(r >> 8) % 6];
	u8 val = r >> 24;

	*result = 0;
	switch (r & 7) {
	case 0 ... 2:
		i8259_set_irq(p, r >> 4 & 15, r >> 3 & 1);
		break;
	case 3:
		*result = i8259_ack(p);
		break;
	case 4:
		*result = in_from(p, port);
		break;
	default:
		/* ICW1 now and then only, or little else would ever happen. */
		if (!(port & 1) && r >> 12 & 7)
			val &= ~I8259_ICW1;
		out_to(p, port, val);
	}
}

static void test_random(void **state)
{
	u64 seed = 0x9e3779b97f4a7c15ull;
	unsigned int step, got, again, taken = 0;
	struct i8259_pair_state saved;
	struct i8259_pair twin;

	start(0);
	for (step = 0; step < 100000; step++) {
		unsigned int r = unit_random(&seed);
		unsigned int vector = slow_vector(&pic);

		/* What a saved pair does next is what this one does. */
		i8259_get(&pic, &saved);
		memset(&twin, 0x55, sizeof(twin));
		assert_int_equal(i8259_set(&twin, &saved), 0);
		random_step(&twin, r, &again);

		taken += (r & 7) == 3 && pic.intr;
		random_step(&pic, r, &got);
		if ((r & 7) == 3)
			assert_int_equal(got, vector);
		assert_int_equal(got, again);
		check_invariants(&pic);
		assert_memory_equal(&pic, &twin, sizeof(pic));
	}
	assert_true(taken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_icw),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_priorities),
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_spurious),
		cmocka_unit_test(test_edge),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_eoi),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_aeoi),
		cmocka_unit_test(test_special_mask),
		cmocka_unit_test(test_special_fully_nested),
		cmocka_unit_test(test_poll),
		cmocka_unit_test(test_read_registers),
		cmocka_unit_test(test_state_malformed),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("i8259", tests, NULL, NULL);
}
