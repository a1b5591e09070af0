// SPDX-License-Identifier: GPL-2.0-only
/* The small chips of the board: port 92h, host bridge, power management; the MMIO bus. */
#include "chips.h"

#include "vmapp/bus.h"
#include "vmapp/dev/i440fx.h"
#include "vmapp/dev/piix4pm.h"
#include "vmapp/dev/port92.h"

/* ---- port 92h ---- */

static void test_port92(void **state)
{
	struct bench b = { .now = 0 };
	struct port92 p = { .reset = { bench_raise, &b } };

	port92_reset(&p);
	assert_int_equal(bench_in(port92_regions, port92_n_regions, &p, 0x92, 1), 2);
	bench_out(port92_regions, port92_n_regions, &p, 0x92, 1, 0xfe);
	assert_int_equal(bench_in(port92_regions, port92_n_regions, &p, 0x92, 1), 2);
	assert_int_equal(b.raised, 0);
	bench_out(port92_regions, port92_n_regions, &p, 0x92, 1, 3);
	bench_out(port92_regions, port92_n_regions, &p, 0x92, 1, 3);
	assert_int_equal(b.raised, 1);
}

/* ---- host bridge ---- */

static u32 config(struct i440fx *f, u32 address, u32 port, unsigned int size)
{
	bench_out(i440fx_regions, i440fx_n_regions, f, 0xcf8, 4, address);
	return bench_in(i440fx_regions, i440fx_n_regions, f, port, size);
}

static void test_i440fx(void **state)
{
	static struct i440fx f;
	struct pci_function other;
	struct bench b = { .now = 0 }, shadow = { .now = 0 };

	f.reset = (struct dev_signal){ bench_raise, &b };
	f.shadow = (struct dev_signal){ bench_raise, &shadow };
	i440fx_init(&f);
	/* How Linux recognises mechanism 1. */
	bench_out(i440fx_regions, i440fx_n_regions, &f, 0xcf8, 4, 0x80000000);
	assert_int_equal(bench_in(i440fx_regions, i440fx_n_regions, &f, 0xcf8, 4), 0x80000000);
	assert_int_equal(config(&f, 0x80000000, 0xcfc, 4), 0x12378086);
	assert_int_equal(config(&f, 0x80000008, 0xcfe, 2), 0x0600);
	assert_int_equal(config(&f, 0x80000800, 0xcfc, 4), 0x70008086);
	assert_int_equal(config(&f, 0x80000860, 0xcfc, 4), 0x0b0b0a0a);
	assert_int_equal(config(&f, 0x80001000, 0xcfc, 4), 0xffffffff);	/* nobody */
	assert_int_equal(config(&f, 0x80010000, 0xcfc, 4), 0xffffffff);	/* bus 1 */
	assert_int_equal(config(&f, 0x00000000, 0xcfc, 2), 0xffff);		/* not enabled */
	/* Only writable bits change. */
	config(&f, 0x80000000, 0xcfc, 4);
	bench_out(i440fx_regions, i440fx_n_regions, &f, 0xcfc, 4, 0);
	assert_int_equal(config(&f, 0x80000000, 0xcfc, 4), 0x12378086);
	config(&f, 0x80000058, 0xcfc, 4);
	bench_out(i440fx_regions, i440fx_n_regions, &f, 0xcfd, 1, 0xff);
	assert_int_equal(config(&f, 0x80000058, 0xcfd, 1), 0x30);
	/* The reset control register lies inside the address. */
	assert_int_equal(bench_in(i440fx_regions, i440fx_n_regions, &f, 0xcf9, 1), 0);
	bench_out(i440fx_regions, i440fx_n_regions, &f, 0xcf9, 1, 0x02);
	assert_int_equal(b.raised, 0);
	bench_out(i440fx_regions, i440fx_n_regions, &f, 0xcf9, 1, 0x06);
	assert_int_equal(b.raised, 1);
	assert_int_equal(i440fx_add(&f, PCI_DEVFN(1, 0), &other), -1);
	assert_int_equal(i440fx_add(&f, PCI_DEVFN(31, 7), &other), 0);
	f.bus[PCI_DEVFN(31, 7)] = NULL;
	bench_fuzz(&b, i440fx_regions, i440fx_n_regions, &f, 200000);
}

static void put_config(struct i440fx *f, u32 address, unsigned int size, u32 val)
{
	bench_out(i440fx_regions, i440fx_n_regions, f, 0xcf8, 4, 0x80000000 | (address & ~3u));
	bench_out(i440fx_regions, i440fx_n_regions, f, 0xcfc + (address & 3), size, val);
}

static void test_shadow(void **state)
{
	static struct i440fx f;
	struct bench b = { .now = 0 };
	u32 size;

	f.reset = (struct dev_signal){ bench_raise, &b };
	f.shadow = (struct dev_signal){ bench_raise, &b };
	i440fx_init(&f);		/* firmware is not needed any more */
	for (unsigned int i = 0; i < I440FX_PAM_AREAS; i++)
		assert_int_equal(i440fx_pam(&f, i), 3);
	f.cold = true;
	i440fx_reset(&f);
	assert_int_equal(config(&f, 0x80000860, 0xcfc, 4), 0x80808080);
	for (unsigned int i = 0; i < I440FX_PAM_AREAS; i++)
		assert_int_equal(i440fx_pam(&f, i), 0);
	assert_int_equal(i440fx_pam_area(0, &size), 0xc0000);
	assert_int_equal(size, 0x4000);
	assert_int_equal(i440fx_pam_area(11, &size), 0xec000);
	assert_int_equal(i440fx_pam_area(12, &size), 0xf0000);
	assert_int_equal(size, 0x10000);
	/* Each write counts, also one that begins before the registers; none beside them. */
	b.raised = 0;
	put_config(&f, 0x58, 4, 0x00211f00);
	assert_int_equal(b.raised, 1);
	assert_int_equal(i440fx_pam(&f, 12), 1);
	assert_int_equal(i440fx_pam(&f, 0), 1);
	assert_int_equal(i440fx_pam(&f, 1), 2);
	put_config(&f, 0x5f, 1, 0x31);
	assert_int_equal(b.raised, 2);
	assert_int_equal(i440fx_pam(&f, 10), 1);
	assert_int_equal(i440fx_pam(&f, 11), 3);
	put_config(&f, 0x58, 1, 0xff);
	put_config(&f, 0x60, 4, 0xff);
	assert_int_equal(b.raised, 2);
}

/* PIRQ C of slot 3 and 7, and D of 4: where they go, and what is on them goes along. */
static void test_routes(void **state)
{
	static struct i440fx f;
	struct bench b = { .now = 0 }, moved = { .now = 0 };
	struct dev_irq one, two, other;

	f.shadow = (struct dev_signal){ bench_raise, &b };
	f.irq = bench_line(&b, 0);
	f.routed = (struct dev_signal){ bench_raise, &moved };
	i440fx_init(&f);
	one = i440fx_line(&f, 3);
	two = i440fx_line(&f, 7);
	other = i440fx_line(&f, 4);
	assert_int_equal(i440fx_irq(&f, 3), 11);
	assert_int_equal(i440fx_irq(&f, 1), 10);
	/* Two hold it up: it falls with the last of them. */
	dev_irq_set(&one, true);
	dev_irq_set(&two, true);
	assert_true(b.level[11]);
	dev_irq_set(&one, false);
	assert_true(b.level[11]);
	moved.raised = 0;
	put_config(&f, 0x862, 1, 5);
	assert_int_equal(moved.raised, 1);
	assert_int_equal(i440fx_irq(&f, 7), 5);
	assert_false(b.level[11]);
	assert_true(b.level[5]);
	/* The same again is no move; neither is a write beside them. */
	put_config(&f, 0x862, 1, 5);
	put_config(&f, 0x864, 4, 0xffffffff);
	assert_int_equal(moved.raised, 1);
	assert_int_equal(b.edges[5], 1);
	/* Off, and what there is not; then all four at once. */
	put_config(&f, 0x862, 1, 0x85);
	assert_false(b.level[5]);
	assert_int_equal(i440fx_irq(&f, 3), 0);
	for (u8 irq = 0; irq < 16; irq++) {
		bool there = 0xdef8 >> irq & 1;

		put_config(&f, 0x862, 1, irq);
		assert_int_equal(i440fx_irq(&f, 3), there ? irq : 0);
		assert_int_equal(b.level[irq], there);
		assert_true(!irq || !b.level[irq - 1]);
	}
	put_config(&f, 0x860, 4, 0x030c0909);
	dev_irq_set(&other, true);
	assert_true(b.level[12] && b.level[3]);
	dev_irq_set(&two, false);
	assert_false(b.level[12]);
	dev_irq_set(&other, false);
	assert_false(b.level[3]);
	/* A line that is up while it goes nowhere is up when it goes somewhere again. */
	f.cold = true;
	i440fx_reset(&f);
	dev_irq_set(&other, true);
	put_config(&f, 0x863, 1, 3);
	assert_true(b.level[3]);
}

static void test_rom_bar(void **state)
{
	struct pci_function fn;

	pci_function_init(&fn, 1, 2, 0x030000, 0);
	pci_config_set(&fn, PCI_COMMAND, 2, 0, PCI_COMMAND_MEMORY);
	pci_set_rom(&fn, 0x10000);
	pci_config_write(&fn, PCI_ROM, 4, 0xfffffffe);
	assert_int_equal(pci_config_read(&fn, PCI_ROM, 4), 0xffff0000);
	pci_config_write(&fn, PCI_ROM, 4, 0xfe123457);
	assert_int_equal(pci_config_read(&fn, PCI_ROM, 4), 0xfe120001);
	assert_int_equal(pci_rom_base(&fn), 0);
	pci_config_write(&fn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(pci_rom_base(&fn), 0xfe120000);
	pci_config_write(&fn, PCI_ROM, 4, 0xfe120000);
	assert_int_equal(pci_rom_base(&fn), 0);
}

/* ---- power management ---- */

struct power {
	struct bench bench;
	struct piix4pm pm;
};

static u32 pin(struct power *p, u32 off, unsigned int size)
{
	return bench_in(piix4pm_regions, piix4pm_n_regions, &p->pm, PIIX4PM_BASE + off, size);
}

static void pout(struct power *p, u32 off, unsigned int size, u32 val)
{
	bench_out(piix4pm_regions, piix4pm_n_regions, &p->pm, PIIX4PM_BASE + off, size, val);
}

static void setup_pm(struct power *p)
{
	memset(p, 0, sizeof(*p));
	p->bench.armed = DEV_NEVER;
	p->bench.timer = (struct dev_timer){ bench_arm, piix4pm_expired, &p->pm };
	p->pm.sci = bench_line(&p->bench, 9);
	p->pm.clock = (struct dev_clock){ bench_now, &p->bench };
	p->pm.timer = &p->bench.timer;
	p->pm.power_off = (struct dev_signal){ bench_raise, &p->bench };
	piix4pm_reset(&p->pm);
}

static void test_piix4pm(void **state)
{
	struct power p;

	setup_pm(&p);
	assert_int_equal(pin(&p, 4, 2), 1);
	piix4pm_power_button(&p.pm);
	assert_false(p.bench.level[9]);
	pout(&p, 2, 2, 0x0100);
	assert_true(p.bench.level[9]);
	assert_int_equal(pin(&p, 0, 2), 0x0100);
	assert_int_equal(pin(&p, 1, 1), 0x01);
	pout(&p, 0, 2, 0x00ff);
	assert_true(p.bench.level[9]);
	pout(&p, 1, 1, 0x01);
	assert_false(p.bench.level[9]);
	/* Off: the type first, as some write it, then with the enable bit. */
	pout(&p, 4, 2, 0x1400);
	pout(&p, 4, 2, 0x3400);	/* another type: nothing here */
	assert_int_equal(p.bench.raised, 0);
	assert_int_equal(pin(&p, 4, 2), 0x1401);
	pout(&p, 4, 2, 0x2000);
	assert_int_equal(p.bench.raised, 1);
	pout(&p, 5, 1, 0x20);
	assert_int_equal(p.bench.raised, 2);
}

static void test_piix4pm_timer(void **state)
{
	struct power p;

	setup_pm(&p);
	assert_int_equal(pin(&p, 8, 4), 0);
	bench_advance(&p.bench, 1000000000);
	assert_int_equal(pin(&p, 8, 4), 3579545);
	assert_int_equal(pin(&p, 9, 1), 3579545 >> 8 & 0xff);
	/* A year later: no overflow, 24 bits. */
	bench_advance(&p.bench, 31536000ull * 1000000000);
	assert_int_equal(pin(&p, 8, 4), 31536000ull * 3579545 & 0xffffff);
	/* The top bit changes every 2^23 ticks, and only an enabled one runs a timer. */
	setup_pm(&p);
	assert_int_equal(p.bench.armed, DEV_NEVER);
	pout(&p, 2, 2, 1);
	assert_int_equal(p.bench.armed / 1000000, (1ull << 23) * 1000 / 3579545);
	bench_advance(&p.bench, p.bench.armed);
	assert_true(p.bench.level[9]);
	assert_int_equal(pin(&p, 8, 4), 1 << 23);
	assert_int_equal(p.bench.armed, DEV_NEVER);
	pout(&p, 0, 2, 1);
	assert_false(p.bench.level[9]);
	assert_true(p.bench.armed != DEV_NEVER);
	bench_fuzz(&p.bench, piix4pm_regions, piix4pm_n_regions, &p.pm, 200000);
}

/* ---- the memory side of the bus ---- */

static u8 cells[16];

static u32 cell_read(void *dev, u32 offset, unsigned int size)
{
	u32 val = 0;

	assert_true(offset + size <= sizeof(cells));
	memcpy(&val, cells + offset, size);
	return val;
}

static void cell_write(void *dev, u32 offset, unsigned int size, u32 val)
{
	assert_true(offset + size <= sizeof(cells));
	memcpy(cells + offset, &val, size);
}

static void test_bus_mmio(void **state)
{
	static const struct ws_region rows[] = {
		{ "wide", 0x10, 12, WS_SIZE_1 | WS_SIZE_4, 0, cell_read, cell_write },
		{ "none", 0x20, 4, WS_SIZE_4, 0, NULL, NULL },
	};
	static struct bus bus;

	assert_int_equal(bus_add_mmio(&bus, rows, 2, 0xfed00000, NULL), 0);
	assert_int_equal(bus_add_mmio(&bus, rows, 2, 0xfed00000, NULL), -WS_EEXIST);
	assert_int_equal(bus_add_mmio(&bus, rows, 2, 0xfed00004, NULL), -WS_EEXIST);
	bus_mmio_write(&bus, 0xfed00010, 8, 0x1122334455667788);
	bus_mmio_write(&bus, 0xfed00019, 2, 0xabcd);
	assert_int_equal(bus_mmio_read(&bus, 0xfed00010, 8), 0x1122334455667788);
	assert_int_equal(bus_mmio_read(&bus, 0xfed00012, 4), 0x33445566);
	/* Over the end: what is there, then nobody. */
	assert_int_equal(bus_mmio_read(&bus, 0xfed00018, 8), 0xffffffff00abcd00);
	assert_int_equal(bus_mmio_read(&bus, 0xfed00020, 4), 0xffffffff);
	assert_int_equal(bus.nobody_mmio, 0);
	assert_true(bus_mmio_read(&bus, 0xc0000000, 8) == ~0ull);
	bus_mmio_write(&bus, 0xc0000000, 8, 0);
	assert_int_equal(bus.nobody_mmio, 2);
}

/* A function with a window of ports and one of memory, as a guest moves them. */
static void test_bus_window(void **state)
{
	static const struct ws_region rows[] = {
		{ "cells", 0, 16, WS_SIZE_1 | WS_SIZE_4, 0, cell_read, cell_write },
	};
	static struct bus bus;
	static struct pci_function fn;
	u8 io_dev, mem_dev, other;
	struct bus_window io = { &fn, 4, rows, 1, &io_dev, 0 };
	struct bus_window mem = { &fn, 0, rows, 1, &mem_dev, 0 };
	u32 val;

	pci_function_init(&fn, 0x8086, 0x7010, 0x010180, 0);
	pci_config_set(&fn, PCI_COMMAND, 2, 0, 7);
	pci_set_bar(&fn, 4, 0, 16, true);
	pci_set_bar(&fn, 0, 0, 4096, false);
	pci_config_write(&fn, PCI_BAR(4), 4, 0xffffffff);
	assert_int_equal(pci_config_read(&fn, PCI_BAR(4), 4), 0xfffffff1);
	pci_config_write(&fn, PCI_BAR(0), 4, 0xffffffff);
	assert_int_equal(pci_config_read(&fn, PCI_BAR(0), 4), 0xfffff000);
	pci_config_write(&fn, PCI_BAR(4), 4, 0xc040);
	pci_config_write(&fn, PCI_BAR(0), 4, 0xfebf0000);
	bus_window_update(&bus, &io);
	bus_window_update(&bus, &mem);
	assert_false(io.base || mem.base);	/* not enabled */
	pci_config_write(&fn, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	bus_window_update(&bus, &io);
	bus_window_update(&bus, &mem);
	cells[5] = 0x77;
	assert_true(ws_ports_in(&bus.ports, 0xc045, 1, &val));
	assert_int_equal(val, 0x77);
	assert_int_equal(bus_mmio_read(&bus, 0xfebf0005, 1), 0x77);
	/* Elsewhere; onto another device's ports; beyond all ports. */
	pci_config_write(&fn, PCI_BAR(4), 4, 0xc050);
	bus_window_update(&bus, &io);
	assert_false(ws_ports_in(&bus.ports, 0xc045, 1, &val));
	assert_true(ws_ports_in(&bus.ports, 0xc055, 1, &val));
	assert_int_equal(ws_ports_add(&bus.ports, rows, 1, 0xc060, &other), 0);
	pci_config_write(&fn, PCI_BAR(4), 4, 0xc060);
	bus_window_update(&bus, &io);
	assert_int_equal(io.base, 0);
	pci_config_write(&fn, PCI_BAR(4), 4, 0xfffffff1);
	bus_window_update(&bus, &io);
	assert_int_equal(io.base, 0);
	pci_config_write(&fn, PCI_COMMAND, 2, 0);
	bus_window_update(&bus, &mem);
	assert_int_equal(bus_mmio_read(&bus, 0xfebf0005, 1), 0xff);
}

static void test_bus_io(void **state)
{
	static struct bus bus;
	static struct port92 p92;
	struct vmdrv_run run = { .io = { .port = 0x92, .size = 1, .direction = VMDRV_IO_IN,
					 .count = 3 } };
	u8 data[VMDRV_DATA_SIZE] = { 0 };

	port92_reset(&p92);
	assert_int_equal(ws_ports_add(&bus.ports, port92_regions, port92_n_regions, 0, &p92), 0);
	bus_io(&bus, &run, data);
	assert_memory_equal(data, "\2\2\2\0", 4);
	run.io.port = 0x93;
	run.io.size = 4;
	run.io.count = 2;
	bus_io(&bus, &run, data);
	assert_memory_equal(data, "\377\377\377\377\377\377\377\377\0", 9);
	assert_int_equal(bus.nobody_in, 2);
	run.io.direction = VMDRV_IO_OUT;
	run.io.count = ~0u;		/* never beyond the page */
	bus_io(&bus, &run, data);
	assert_int_equal(bus.nobody_out, VMDRV_DATA_SIZE / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_port92),
		cmocka_unit_test(test_i440fx),
		cmocka_unit_test(test_shadow),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_rom_bar),
		cmocka_unit_test(test_piix4pm),
		cmocka_unit_test(test_piix4pm_timer),
		cmocka_unit_test(test_bus_mmio),
		cmocka_unit_test(test_bus_window),
		cmocka_unit_test(test_bus_io),
	};

	return cmocka_run_group_tests_name("platform", tests, NULL, NULL);
}
