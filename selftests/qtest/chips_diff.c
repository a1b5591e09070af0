// SPDX-License-Identifier: GPL-2.0-only
/*
 * The chips that every PC has, ours and QEMU's, told the same: timer, clock,
 * keyboard controller, interrupt controllers, PCI configuration. Time stands still:
 * what they are when it goes on is for the unit tests to say. Where QEMU is known to
 * differ from what data sheets say, the step is left out or the bit masked, and the
 * place says why.
 */
#include "chips.h"

#include "core/i8254.h"
#include "core/i8259.h"
#include "core/port_table.h"
#include "qemu.h"
#include "vmapp/dev/i440fx.h"
#include "vmapp/dev/i8042.h"
#include "vmapp/dev/mc146818.h"

#define STEPS		3000
#define RTC_BASE	1582934390u	/* QEMU_RTC_BASE: ten seconds before a leap day */
#define SECOND		1000000000u

static struct qemu q;
static struct ws_port_table ports;
static struct i8254 pit;
static struct i8259_pair pic;
static struct mc146818 rtc;
static struct i8042 kbd;
static struct i440fx bridge;
static struct dev_timer timer;
static u64 now;				/* ns */
static const char *bios;
static uint64_t seed = 4711;
static bool muted;			/* while ours is brought to where QEMU's is */

static u32 below(u32 n)
{
	return unit_random(&seed) % n;
}

/* ---- ours ---- */

static u64 utc_now(void *ctx)
{
	return now + (u64)RTC_BASE * SECOND;
}

static u64 uptime(void *ctx)
{
	return now;
}

static void arm(struct dev_timer *t, u64 when)
{
}

static void set_irq(void *ctx, unsigned int irq, bool level)
{
	i8259_set_irq(&pic, irq, level);
}

static void nothing(void *ctx)
{
}

static u32 pit_read(void *dev, u32 offset, unsigned int size)
{
	return i8254_read(&pit, offset, now);
}

static void pit_write(void *dev, u32 offset, unsigned int size, u32 val)
{
	i8254_write(&pit, offset, (u8)val, now);
}

static u32 port61_read(void *dev, u32 offset, unsigned int size)
{
	return i8254_read_61(&pit, now);
}

static void port61_write(void *dev, u32 offset, unsigned int size, u32 val)
{
	i8254_write_61(&pit, (u8)val, now);
}

static const struct ws_region pit_regions[] = {
	{ "pit", 0x40, 4, WS_SIZE_1, 0, pit_read, pit_write },
	{ "port61", 0x61, 1, WS_SIZE_1, 0, port61_read, port61_write },
};

/* ---- both ---- */

static void put(u16 port, unsigned int size, u32 val)
{
	qemu_out(&q, port, size, val);
	ws_ports_out(&ports, port, size, val);
}

static void out(u16 port, u8 val)
{
	put(port, 1, val);
}

static u32 compare(const char *what, u16 port, unsigned int size, u32 mask)
{
	u32 theirs = qemu_in(&q, port, size), mine = ~0u;

	ws_ports_in(&ports, port, size, &mine);
	if (!muted && (theirs & mask) != (mine & mask))
		fail_msg("%s: port %xh: QEMU has %xh, ours %xh", what, port, theirs, mine);
	return mine;
}

static u8 in(const char *what, u16 port)
{
	return (u8)compare(what, port, 1, 0xff);
}

static int set_up(void **state)
{
	const struct dev_signal nobody = { nothing, NULL };

	timer.arm = arm;
	rtc.irq = (struct dev_irq){ set_irq, NULL, MC146818_IRQ, false };
	rtc.clock = (struct dev_clock){ utc_now, NULL };
	rtc.timer = &timer;
	kbd.kbd_irq = (struct dev_irq){ set_irq, NULL, I8042_KBD_IRQ, false };
	kbd.aux_irq = (struct dev_irq){ set_irq, NULL, I8042_AUX_IRQ, false };
	kbd.reset = bridge.reset = bridge.shadow = nobody;
	kbd.clock = (struct dev_clock){ uptime, NULL };
	kbd.timer = &timer;
	bridge.cold = true;
	i8254_reset(&pit, 0);
	i8259_reset(&pic);
	mc146818_init(&rtc, 64 << 20, 0);
	i8042_reset(&kbd);
	i440fx_init(&bridge);
	if (ws_ports_add(&ports, pit_regions, WS_ARRAY_SIZE(pit_regions), 0, NULL) ||
	    ws_ports_add(&ports, i8259_regions, I8259_REGIONS, 0, &pic) ||
	    ws_ports_add(&ports, mc146818_regions, mc146818_n_regions, 0, &rtc) ||
	    ws_ports_add(&ports, i8042_regions, i8042_n_regions, 0, &kbd) ||
	    ws_ports_add(&ports, i440fx_regions, i440fx_n_regions, 0, &bridge))
		return -1;
	q.frozen = true;
	qemu_start(&q, bios, NULL);
	return 0;
}

static int tear_down(void **state)
{
	qemu_stop(&q);
	return 0;
}

/* ---- the timer ---- */

/* A counter's value as it is read: latched, or as it runs. */
static u32 read_count(unsigned int n, bool word, u32 *theirs)
{
	u32 mine = 0, byte;

	*theirs = 0;
	for (unsigned int i = 0; i < (word ? 2 : 1); i++) {
		*theirs |= qemu_in(&q, (u16)(0x40 + n), 1) << (8 * i);
		ws_ports_in(&ports, (u16)(0x40 + n), 1, &byte);
		mine |= byte << (8 * i);
	}
	return mine;
}

/*
 * QEMU loads a new count at once, the chip with the next tick of its own clock: ours
 * gets one. In modes 1 and 5 the chip waits for its gate, QEMU does not: what they
 * count is not compared. BCD is left out, since QEMU reads in binary what it counts;
 * so is OUT in modes 2, 4 and 5, which QEMU has upside down, and an odd count in mode 3,
 * from which the chip takes one first.
 */
static void test_pit(void **state)
{
	static const u8 status[6] = { 0xff, 0xbf, 0x7f, 0xff, 0x7f, 0x3f };

	for (unsigned int i = 0; i < STEPS; i++) {
		unsigned int n = below(3), rw = 1 + below(3), mode = below(6), how = below(4);
		u32 count = (2 + below(0xfffe)) & (mode == 3 ? ~1u : ~0u), theirs, mine;
		u16 port = (u16)(0x40 + n);

		out(0x61, (u8)below(2));	/* counter 2's gate */
		compare("port 61h", 0x61, 1, 0x03);
		out(0x43, (u8)(n << 6 | rw << 4 | mode << 1));
		if (rw & 1)
			out(port, (u8)count);
		if (rw & 2)
			out(port, (u8)(count >> 8));
		now = ((now * I8254_HZ / SECOND + 1) * SECOND + I8254_HZ - 1) / I8254_HZ;
		if (how == 0)		/* the counter latch command */
			out(0x43, (u8)(n << 6));
		else if (how == 1)	/* read back: count, then status */
			out(0x43, (u8)(0xc0 | 2 << n));
		else if (how == 2)	/* status alone; twice is once */
			out(0x43, (u8)(0xe0 | 2 << n));
		if (how == 2)
			out(0x43, (u8)(0xe0 | 2 << n));
		if (how == 1 || how == 2)
			compare("pit status", port, 1, status[mode]);
		mine = read_count(n, rw == 3, &theirs);
		if (mode % 4 != 1 && mine != theirs)
			fail_msg("pit: counter %u, mode %u, access %u, count %u: QEMU has %x, ours %x",
				 n, mode, rw, count, theirs, mine);
	}
}

/* ---- the clock ---- */

static u8 cmos(u8 reg)
{
	char what[32];

	snprintf(what, sizeof(what), "rtc register %02xh", reg);
	out(0x70, reg);
	return in(what, 0x71);
}

static void set_cmos(u8 reg, u8 val)
{
	out(0x70, reg);
	out(0x71, val);
}

static u8 digits(u32 val, bool binary)
{
	return (u8)(binary ? val : val / 10 << 4 | val % 10);
}

/* Ours begins with 1970. */
static void set_time(u8 b)
{
	bool binary = b & 4;
	u32 hour = below(24), century = 19 + below(2);

	set_cmos(0xb, 0x80 | b);
	set_cmos(0, digits(50 + below(10), binary));
	set_cmos(2, digits(58 + below(2), binary));
	if (b & 2)
		set_cmos(4, digits(hour, binary));
	else
		set_cmos(4, digits(hour % 12 ? hour % 12 : 12, binary) | (hour >= 12 ? 0x80 : 0));
	/* The day of the week follows from the date in both; a guest's own is lost. */
	set_cmos(7, digits(1 + below(28), binary));
	set_cmos(8, digits(1 + below(12), binary));
	set_cmos(9, digits(century == 19 ? 70 + below(30) : below(100), binary));
	set_cmos(0x32, digits(century, binary));
	set_cmos(0xb, b);
}

static void test_rtc(void **state)
{
	static const u8 time[] = { 0, 2, 4, 6, 7, 8, 9, 0x32 };
	u8 b = 2;

	set_cmos(0xa, 0x26);
	set_cmos(0xb, b);
	muted = true;
	cmos(0xc);
	muted = false;
	for (unsigned int i = 0; i < STEPS / 2; i++) {
		switch (below(6)) {
		case 0:
			b = (u8)(below(8) << 4 | below(4) << 1) & 0x76;
			set_time(b);
			break;
		case 1:
			for (unsigned int reg = 1; reg < 6; reg += 2)
				set_cmos((u8)reg, below(2) ? 0xc0 : digits(below(12), b & 4));
			break;
		case 2:
			for (unsigned int n = 0; n < WS_ARRAY_SIZE(time); n++)
				cmos(time[n]);
			break;
		case 3:
			cmos(0xb);
			cmos(0xd);
			set_cmos((u8)(0x40 + (i & 15)), (u8)below(256));
			cmos((u8)(0x40 + (i & 15)));
			break;
		default:
			out(0x70, 0xc);
			compare("rtc flags", 0x71, 1, 0xff);
		}
	}
}

/* ---- the keyboard controller ---- */

/* All that comes, of both. In between they must agree on what it is. */
static void drain(const char *what)
{
	for (unsigned int i = 0; i < 40; i++) {
		u8 status = (u8)compare(what, 0x64, 1, 0x21);

		if (!(status & 1))
			return;
		in(what, 0x60);
	}
	fail_msg("%s: there is no end of it", what);
}

/* The test inputs (E0h) are left out: QEMU does not know that command. */
static void controller(void)
{
	static const u8 commands[] = {
		0x20, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xad, 0xae, 0xd0,
	};
	u8 c = commands[below(WS_ARRAY_SIZE(commands))];
	char what[32];

	snprintf(what, sizeof(what), "8042 command %02xh", c);
	out(0x64, c);
	drain(what);
}

static void command_byte(void)
{
	out(0x64, 0x60);
	out(0x60, (u8)(0x44 | below(4)));	/* both devices on */
	out(0x64, 0x20);
	drain("8042 command byte");
}

static void loop_back(void)
{
	out(0x64, below(2) ? 0xd2 : 0xd3);
	out(0x60, (u8)below(256));
	drain("8042 loop");
}

static void keyboard(void)
{
	static const u8 commands[][2] = {
		{ 0xed, 2 }, { 0xed, 0 }, { 0xee, 0xff }, { 0xf0, 0 }, { 0xf0, 2 }, { 0xf2, 0xff },
		{ 0xf3, 0x20 }, { 0xf4, 0xff }, { 0xf5, 0xff }, { 0xf6, 0xff }, { 0xff, 0xff },
	};
	const u8 *c = commands[below(WS_ARRAY_SIZE(commands))];
	char what[32];

	snprintf(what, sizeof(what), "keyboard command %02xh", c[0]);
	out(0x60, c[0]);
	drain(what);
	if (c[1] == 0xff)
		return;
	out(0x60, c[1]);
	drain(what);
}

static void tell_mouse(u8 byte)
{
	char what[32];

	snprintf(what, sizeof(what), "mouse command %02xh", byte);
	out(0x64, 0xd4);
	out(0x60, byte);
	drain(what);
}

static void mouse(void)
{
	static const u8 commands[] = {
		0xe6, 0xe7, 0xe9, 0xea, 0xf0, 0xf2, 0xf4, 0xf5, 0xf6, 0xff,
	};

	tell_mouse(commands[below(WS_ARRAY_SIZE(commands))]);
}

static void set_resolution(void)
{
	tell_mouse(0xe8);
	tell_mouse((u8)below(4));
}

/*
 * Sample rates, three of which may make it another mouse. The first one is none of
 * those: QEMU gives up at the first that does not fit, ours looks at the last three.
 */
static void knock(void)
{
	static const u8 rates[][4] = {
		{ 10, 200, 100, 80 }, { 40, 200, 200, 80 }, { 60, 200, 100, 60 },
		{ 20, 100, 200, 80 }, { 20, 200, 80, 100 },
	};
	const u8 *r = rates[below(WS_ARRAY_SIZE(rates))];

	for (unsigned int i = 0; i < 4; i++) {
		tell_mouse(0xf3);
		tell_mouse(r[i]);
	}
	tell_mouse(0xf2);
}

static void test_8042(void **state)
{
	static void (*const actions[])(void) = {
		controller, command_byte, loop_back, keyboard, mouse, set_resolution, knock,
	};

	out(0x64, 0xaa);
	muted = true;
	drain("8042");
	muted = false;
	command_byte();
	tell_mouse(0xff);
	for (unsigned int i = 0; i < STEPS; i++)
		actions[below(WS_ARRAY_SIZE(actions))]();
}

/* ---- the interrupt controllers ---- */

/*
 * The second chip's request at the first stays masked and is not compared: it falls
 * when that one is polled alone or masked, which see at pull().
 */
static void look_at_pics(const char *what)
{
	for (unsigned int n = 0; n < 2; n++) {
		u16 port = n ? 0xa0 : 0x20;

		out(port, 0x0a);
		compare(what, port, 1, n ? 0xff : 0xfb);	/* IRR */
		out(port, 0x0b);
		in(what, port);			/* ISR */
		in(what, port + 1);
		in(what, (u16)(0x4d0 + n));
	}
}

static void init_pics(u8 icw4)
{
	for (unsigned int n = 0; n < 2; n++) {
		u16 port = n ? 0xa0 : 0x20;

		out(port, 0x11);
		out(port + 1, (u8)(0x20 + 8 * n));
		out(port + 1, n ? 2 : 4);
		out(port + 1, icw4);
		out(port + 1, n ? 0 : 4);
	}
}

/*
 * The lines that can be pulled: 1 and 12, by the keyboard controller's loops. A line
 * falls only when its request is taken: one that falls before is none any more for
 * the chip, and still one for QEMU.
 */
static void pull(void)
{
	u8 status = (u8)compare("8042", 0x64, 1, 0x21);

	if (!(status & 1)) {
		out(0x64, below(2) ? 0xd2 : 0xd3);
		out(0x60, 0x55);
	} else if (!(status & 0x20 ? pic.chip[1].irr & 0x10 : pic.chip[0].irr & 0x02)) {
		in("8042", 0x60);
	}
}

/* In special mask mode what is masked is not ended by an EOI that names nothing: not in QEMU. */
static void command_pic(void)
{
	static const u8 ocw2[] = { 0x20, 0x20, 0xa0, 0x00, 0x80, 0x60, 0xc0, 0xe0, 0x40 };
	unsigned int n = below(2);
	u8 c = ocw2[pic.chip[n].smm ? 3 + below(6) : below(9)];

	out(n ? 0xa0 : 0x20, c & 0x40 ? (u8)(c | below(8)) : c);
}

static void poll_pic(void)
{
	u16 port = below(2) ? 0xa0 : 0x20;

	out(port, 0x0c);
	compare("poll", port, 1, 0x87);
}

static void test_pic(void **state)
{
	out(0x43, 0x30);		/* counter 0 is silent, and the clock */
	set_cmos(0xb, 2);
	out(0x64, 0x60);
	out(0x60, 0x47);
	init_pics(1);
	out(0x4d0, 0);
	out(0x4d1, 0);
	look_at_pics("pic, to begin with");
	for (unsigned int i = 0; i < STEPS; i++) {
		char what[32];
		unsigned int action = below(8);

		snprintf(what, sizeof(what), "pic, action %u, step %u", action, i);
		switch (action) {
		case 0:
			if (!below(20))
				init_pics(below(4) ? 1 : 3);
			break;
		case 1:
			if (below(2))
				out(0xa1, (u8)below(256));
			else
				out(0x21, (u8)below(256) | 4);
			break;
		case 2:		/* special mask mode, on and off */
			out(below(2) ? 0xa0 : 0x20, below(2) ? 0x68 : 0x48);
			break;
		case 3:		/* QEMU looks at it only when a line moves: not while one is up */
			if (!kbd.kbd_irq.level && !kbd.aux_irq.level)
				out(below(2) ? 0x4d1 : 0x4d0, (u8)below(256));
			break;
		case 4:
			command_pic();
			break;
		case 5:
			poll_pic();
			break;
		default:
			pull();
		}
		look_at_pics(what);
	}
}

/* ---- PCI configuration ---- */

static void select_config(unsigned int slot, unsigned int fn, u32 offset)
{
	put(0xcf8, 4, 0x80000000 | slot << 11 | fn << 8 | (offset & ~3u));
	compare("CONFADD", 0xcf8, 4, ~0u);
}

/*
 * The bridges' headers, up to their subsystems. QEMU has nothing in the command
 * registers and the host bridge's status, of which the chips have some bits wired.
 */
static void test_pci_headers(void **state)
{
	for (unsigned int slot = 0; slot < 2; slot++)
		for (u32 offset = 0; offset < 0x2c; offset += 4) {
			select_config(slot, 0, offset);
			compare("PCI header", 0xcfc, 4, offset != 4 ? ~0u : slot ? 0xffff0000 : 0);
		}
	/* Nobody there, another bus, no enable bit. */
	select_config(31, 0, 0);
	compare("PCI, nobody", 0xcfc, 4, ~0u);
	put(0xcf8, 4, 0x80010000);
	compare("PCI, another bus", 0xcfc, 4, ~0u);
	put(0xcf8, 4, 0x00000000);
	compare("PCI, not enabled", 0xcfc, 4, ~0u);
}

/* The PIIX3's routes, and PAM, by accesses of any size. QEMU keeps reserved bits, too. */
static void test_pci_registers(void **state)
{
	static const struct {
		u8 isa, offset;
		u32 mask;
	} registers[] = {
		{ 1, 0x60, 0x8f8f8f8f }, { 0, 0x58, 0x33333000 }, { 0, 0x5c, 0x33333333 },
	};

	for (unsigned int n = 0; n < WS_ARRAY_SIZE(registers); n++) {
		select_config(registers[n].isa, 0, registers[n].offset);
		put(0xcfc, 4, 0);
	}
	for (unsigned int i = 0; i < STEPS; i++) {
		unsigned int n = below(WS_ARRAY_SIZE(registers)), size = 1u << below(3);
		unsigned int at = below(4) & ~(size - 1);
		u32 mask = registers[n].mask >> (8 * at) & ws_all_ones(size);

		select_config(registers[n].isa, 0, registers[n].offset);
		if (below(2))
			put((u16)(0xcfc + at), size, unit_random(&seed));
		compare(n ? "PAM" : "PIRQ", (u16)(0xcfc + at), size, mask);
		if (!below(4))		/* other sizes do not reach the address */
			put(0xcf8, 1 + below(2), 0);
		compare("CONFADD", 0xcf8, 4, ~0u);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pci_headers),
		cmocka_unit_test(test_pci_registers),
		cmocka_unit_test(test_8042),
		cmocka_unit_test(test_pit),
		cmocka_unit_test(test_rtc),
		cmocka_unit_test(test_pic),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: chips_diff FILE (for QEMU's firmware, overwritten)\n");
		return 2;
	}
	bios = argv[1];
	return cmocka_run_group_tests_name("chips_diff", tests, set_up, tear_down);
}
