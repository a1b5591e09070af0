// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile guest of the rest of a PC: display, keyboard and mouse, clock, power
 * management, DMA controllers, serial and parallel line, firmware's questions, PCI. The input
 * is a program of accesses to the ports and the memory that the devices' tables
 * name, of time that passes, of keys, and of looks at the screen. What the guest is
 * given as memory must be the display's own, and pictures stay inside their size
 * (ASan sees the rest).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmapp/bus.h"
#include "vmapp/dev/fwcfg.h"
#include "vmapp/dev/i440fx.h"
#include "vmapp/dev/i8042.h"
#include "vmapp/dev/i8237.h"
#include "vmapp/dev/mc146818.h"
#include "vmapp/dev/ns16550.h"
#include "vmapp/dev/parport.h"
#include "vmapp/dev/piix4pm.h"
#include "vmapp/dev/port92.h"
#include "vmapp/screen.h"
#include "vmapp/svga.h"
#include "input.h"

#define RAM_SIZE	0x10000u
#define COM1		0x3f8
#define DRAWINGS	4		/* of an input: they take long */
#define LISTS		15

#define CHECK(cond) do {							\
		if (!(cond)) {							\
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
			abort();						\
		}								\
	} while (0)

/* The timers, each with the time that it was set to. */
struct alarm {
	struct dev_timer timer;
	u64 when;
};

static struct board {
	struct bus bus;
	struct map map;
	struct svga svga;
	struct mc146818 rtc;
	struct piix4pm pm;
	struct i8237 dma;
	struct i8042 i8042;
	struct port92 port92;
	struct i440fx i440fx;
	struct fwcfg fwcfg;
	struct ns16550 uart;
	struct parport parport;
	struct alarm rtc_alarm, pm_alarm, i8042_alarm;
	u64 now;
	bool level[16];
	unsigned int drawings;
	u8 ram[RAM_SIZE];
	/* What there is to be accessed. */
	struct {
		const struct ws_region *rows;
		unsigned int n;
		u32 base;
		bool memory;
	} list[LISTS];
	unsigned int lists;
} *b;

/* ---- surroundings ---- */

static bool is_displays(u64 hva, u64 size)
{
	const struct svga *s = &b->svga;
	u64 memory = (uintptr_t)s->memory, rom = (uintptr_t)s->rom.data;

	return (hva >= memory && size <= memory + VGA_MEM_MAX + VGA_TEXT_SIZE + SVGA2_FIFO_SIZE - hva) ||
	       (hva >= rom && size <= rom + s->rom.room - hva);
}

/* The VMM. It refuses what would lie on memory that is there. */
static int set_memory(const struct vmdrv_memory *m)
{
	CHECK(!((m->gpa | m->size | m->hva) & 0xfff));
	if (!m->size)
		return 0;
	CHECK(is_displays(m->hva, m->size));
	if (m->gpa < RAM_SIZE)
		return -1;
	for (unsigned int i = 0; i < MAP_SLOTS; i++) {
		const struct vmdrv_memory *o = &b->map.slot[i];

		if (i != m->slot && o->size && m->gpa < o->gpa + o->size &&
		    o->gpa < m->gpa + m->size)
			return -1;
	}
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	const struct vmdrv_dirty *d;
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request == VMDRV_SET_MEMORY)
		return set_memory(arg);
	CHECK(request == VMDRV_GET_DIRTY);
	d = arg;
	CHECK(d->pages == b->map.slot[d->slot].size / VGA_PAGE);
	memset((void *)(uintptr_t)d->bitmap, b->now & 1 ? 0xa5 : 0, (d->pages + 63) / 64 * 8);
	return 0;
}

static void set_irq(void *ctx, unsigned int irq, bool level)
{
	(void)ctx;
	CHECK(irq < 16);
	b->level[irq] = level;
}

static u64 now(void *ctx)
{
	(void)ctx;
	return b->now;
}

static void arm(struct dev_timer *t, u64 when)
{
	((struct alarm *)t)->when = when;
}

static void ignore(void *ctx)
{
	(void)ctx;
}

static void ram_read(void *ctx, u64 gpa, void *buf, u32 len)
{
	(void)ctx;
	memset(buf, 0xff, len);
	if (gpa < RAM_SIZE && len <= RAM_SIZE - gpa)
		memcpy(buf, b->ram + gpa, len);
}

static void ram_write(void *ctx, u64 gpa, const void *buf, u32 len)
{
	(void)ctx;
	if (gpa < RAM_SIZE && len <= RAM_SIZE - gpa)
		memcpy(b->ram + gpa, buf, len);
}

static bool line_send(void *ctx, u8 byte)
{
	(void)ctx;
	return byte & 1;
}

static unsigned int line_receive(void *ctx, u8 *buf, unsigned int len)
{
	(void)ctx;
	memset(buf, 0x55, len);
	return len;
}

/* ---- the board ---- */

static void list(const struct ws_region *rows, unsigned int n, u32 base, bool memory)
{
	CHECK(b->lists < LISTS);
	b->list[b->lists].rows = rows;
	b->list[b->lists].n = n;
	b->list[b->lists].base = base;
	b->list[b->lists++].memory = memory;
}

static void ports(const struct ws_region *rows, unsigned int n, u32 base, void *dev)
{
	CHECK(!ws_ports_add(&b->bus.ports, rows, n, base, dev));
	list(rows, n, base, false);
}

static void set_alarm(struct alarm *a, void (*expired)(void *dev), void *dev)
{
	*a = (struct alarm){ { arm, expired, dev }, DEV_NEVER };
}

static void add_all(void)
{
	ports(mc146818_regions, mc146818_n_regions, 0, &b->rtc);
	ports(piix4pm_regions, piix4pm_n_regions, 0, &b->pm);
	ports(i8237_regions, i8237_n_regions, 0, &b->dma);
	ports(i8042_regions, i8042_n_regions, 0, &b->i8042);
	ports(port92_regions, port92_n_regions, 0, &b->port92);
	ports(i440fx_regions, i440fx_n_regions, 0, &b->i440fx);
	ports(fwcfg_regions, fwcfg_n_regions, 0, &b->fwcfg);
	ports(ns16550_regions, ns16550_n_regions, COM1, &b->uart);
	ports(parport_regions, parport_n_regions, PARPORT_LPT1, &b->parport);
	list(vga_regions, vga_n_regions, 0, false);
	list(vbe_regions, vbe_n_regions, 0, false);
	list(vga_memory, vga_n_memory, VGA_WINDOW, true);
	list(vga_array, vga_n_array, SVGA_BASE, true);
	list(svga2_regions, svga2_n_regions, SVGA_IO_BASE, false);
	list(svga2_fifo, svga2_n_fifo, SVGA_FIFO_BASE, true);
}

static void reset(void)
{
	mc146818_reset(&b->rtc);
	piix4pm_reset(&b->pm);
	i8237_reset(&b->dma);
	i8042_reset(&b->i8042);
	port92_reset(&b->port92);
	i440fx_reset(&b->i440fx);
	fwcfg_reset(&b->fwcfg);
	ns16550_reset(&b->uart);
	parport_reset(&b->parport);
	svga_reset(&b->svga, b->now & 2);
}

static void set_up(void)
{
	static const char file[] = "what firmware wants to know";
	const struct dev_signal nobody = { ignore, NULL };
	struct vmx config;
	struct error err;

	b = calloc(1, sizeof(*b));
	set_alarm(&b->rtc_alarm, mc146818_expired, &b->rtc);
	set_alarm(&b->pm_alarm, piix4pm_expired, &b->pm);
	set_alarm(&b->i8042_alarm, i8042_expired, &b->i8042);
	b->rtc.timer = &b->rtc_alarm.timer;
	b->pm.timer = &b->pm_alarm.timer;
	b->i8042.timer = &b->i8042_alarm.timer;
	b->rtc.clock = b->pm.clock = b->i8042.clock = (struct dev_clock){ now, NULL };
	b->rtc.irq = (struct dev_irq){ set_irq, NULL, 8, false };
	b->pm.sci = (struct dev_irq){ set_irq, NULL, 9, false };
	b->i8042.kbd_irq = (struct dev_irq){ set_irq, NULL, 1, false };
	b->i8042.aux_irq = (struct dev_irq){ set_irq, NULL, 12, false };
	b->uart.irq = (struct dev_irq){ set_irq, NULL, 4, false };
	b->parport.irq = (struct dev_irq){ set_irq, NULL, 7, false };
	b->parport.print = line_send;
	b->pm.power_off = b->i8042.reset = b->port92.reset = nobody;
	b->i440fx.reset = b->i440fx.shadow = nobody;
	b->i440fx.irq = (struct dev_irq){ set_irq, NULL, 0, false };
	b->dma.memory = (struct dev_memory){ ram_read, ram_write, NULL };
	b->uart.line = (struct ns16550_line){ line_send, line_receive, NULL };
	i440fx_init(&b->i440fx);
	CHECK(fwcfg_add(&b->fwcfg, "etc/file", file, sizeof(file)));
	vmx_init(&config);
	if (svga_create(&b->svga, &config, false, &b->bus, &b->map, &b->i440fx, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(2);
	}
	vmx_free(&config);
	add_all();
}

/* As if it had just been made, but for what the clock chip keeps. */
static void power_on(void)
{
	b->now = 0;
	b->drawings = 0;
	b->rtc_alarm.when = b->pm_alarm.when = b->i8042_alarm.when = DEV_NEVER;
	mc146818_init(&b->rtc, 1 << 20, 0);
	memset(b->ram, 0, sizeof(b->ram));
	reset();
}

/* ---- what a guest and a person do ---- */

static void access(struct input *in, u8 what)
{
	unsigned int n = take(in, 1) % b->lists, size = 1u << (what >> 4 & 3);
	const struct ws_region *row = &b->list[n].rows[(what >> 6) % b->list[n].n];
	u32 place = b->list[n].memory ? take(in, 3) : take(in, 1);
	u64 at = (u64)b->list[n].base + row->offset + place % row->len;
	u32 val;

	if (b->list[n].memory) {
		if (what & 1)
			bus_mmio_read(&b->bus, at, size);
		else
			bus_mmio_write(&b->bus, at, size, take(in, 4) * 0x100000001ull);
		return;
	}
	size = size > 4 ? 4 : size;
	if (at + size > 0x10000)
		return;
	if (!(what & 1))
		ws_ports_out(&b->bus.ports, (u16)at, size, take(in, size));
	else if (ws_ports_in(&b->bus.ports, (u16)at, size, &val))
		CHECK(!(val & ~ws_all_ones(size)));
}

/* An index and what goes to it, as most of a VGA is reached. */
static void set_register(struct input *in)
{
	static const u16 pair[] = { 0x3c4, 0x3ce, 0x3d4, 0x1ce };
	u8 how = (u8)take(in, 1);
	u16 port = pair[how & 3], val = (u16)take(in, (how & 3) == 3 ? 2 : 1);

	if ((how & 3) == 3) {
		ws_ports_out(&b->bus.ports, port, 2, how >> 4);
		ws_ports_out(&b->bus.ports, port + 1, 2, val);
	} else {
		ws_ports_out(&b->bus.ports, port, 1, how >> 2 & 0x1f);
		ws_ports_out(&b->bus.ports, port + 1, 1, val);
	}
}

static void set_svga2(u16 reg, u32 val)
{
	ws_ports_out(&b->bus.ports, (u16)(b->svga.io.base + SVGA2_INDEX), 4, reg);
	ws_ports_out(&b->bus.ports, (u16)(b->svga.io.base + SVGA2_VALUE), 4, val);
}

/* A command, with its first words, in a FIFO that is as it should be but for its length. */
static void give_command(struct input *in)
{
	static const u8 known[] = {
		SVGA_CMD_UPDATE, SVGA_CMD_DEFINE_CURSOR, SVGA_CMD_DEFINE_ALPHA_CURSOR, SVGA_CMD_FENCE,
	};
	u32 *fifo = (u32 *)(void *)b->svga.svga2.fifo, what = take(in, 1), i;
	const u32 first = 0x1000, last = first + (0x40u << (what >> 4 & 7));

	set_svga2(SVGA_REG_ENABLE, SVGA_ENABLE | (what & SVGA_HIDE));
	set_svga2(SVGA_REG_CONFIG_DONE, 1);
	fifo[SVGA_FIFO_MIN] = fifo[SVGA_FIFO_STOP] = first;
	fifo[SVGA_FIFO_MAX] = last;
	fifo[SVGA_FIFO_NEXT_CMD] = last - 4 * (1 + take(in, 1) % ((last - first) / 4));
	fifo[first / 4] = known[what >> 2 & 3];
	for (i = 1; i < 8; i++)
		fifo[first / 4 + i] = take(in, 1);
	set_svga2(SVGA_REG_SYNC, 1);
}

/* A register of SVGA II's, a command, or words of its FIFO. */
static void use_svga2(struct input *in)
{
	u32 *fifo = (u32 *)(void *)b->svga.svga2.fifo;
	u8 how = (u8)take(in, 1);

	if (!b->svga.io.base) {
		ws_ports_out(&b->bus.ports, 0xcf8, 4, 0x80000000u | SVGA_SLOT << 11 | PCI_COMMAND);
		ws_ports_out(&b->bus.ports, 0xcfc, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	}
	if (how & 1)
		set_svga2((u16)take(in, 1), take(in, how >> 1 & 3));
	else if (how & 2)
		give_command(in);
	else
		fifo[how & 4 ? how >> 3 & 3 : take(in, 2) % (SVGA2_FIFO_SIZE / 4)] = take(in, 4);
}

static void configure(struct input *in)
{
	u32 where = take(in, 2);

	ws_ports_out(&b->bus.ports, 0xcf8, 4, 0x80000000u | (where & 0x1ffc));
	ws_ports_out(&b->bus.ports, 0xcfc, 4, take(in, 4));
}

static void pass(struct alarm *a)
{
	if (a->when > b->now)
		return;
	a->when = DEV_NEVER;
	a->timer.expired(a->timer.dev);
}

static void let_pass(u32 ns)
{
	b->now += (u64)ns << (ns & 15);
	pass(&b->rtc_alarm);
	pass(&b->pm_alarm);
	pass(&b->i8042_alarm);
}

static void on_changed(void *ctx, unsigned int x, unsigned int y, unsigned int w, unsigned int h)
{
	const struct vga_surface *s = ctx;

	CHECK(w && h && x + w <= s->width && y + h <= s->height);
}

/* A surface that is not a dot too large. */
static void draw(void)
{
	struct vga *v = &b->svga.vga;
	struct vga_surface s = { .drawn = false };
	struct vga_text t;

	if (b->drawings++ >= DRAWINGS)
		return;
	vga_size(v, &s.width, &s.height);
	CHECK(s.width && s.height && s.width <= VGA_WIDTH_MAX && s.height <= VGA_HEIGHT_MAX);
	s.pixels = malloc((size_t)s.width * s.height * sizeof(*s.pixels));
	s.cells = malloc((size_t)s.width / 8 * s.height * sizeof(*s.cells));
	svga_look(&b->svga);
	vga_draw(v, &s, true, on_changed, &s);
	if (vga_text(v, &t))
		for (unsigned int row = 0; row < t.rows; row++)
			free(screen_line(v, &t, row));
	free(s.pixels);
	free(s.cells);
}

static void act(struct input *in)
{
	u8 what = (u8)take(in, 1);

	switch (what >> 1 & 7) {
	case 0: case 1: case 2:
		access(in, what);
		break;
	case 3:
		if (what & 1)
			set_register(in);
		else
			use_svga2(in);
		break;
	case 4:
		configure(in);
		break;
	case 5:
		let_pass(take(in, 4));
		break;
	case 6:
		if (what & 1)
			i8042_key(&b->i8042, (u16)take(in, 2), what & 16);
		else
			i8042_mouse(&b->i8042, (s8)take(in, 1), (s8)take(in, 1) * 100,
				    (s8)take(in, 1), what >> 4 & 7);
		break;
	default:
		if (what == 0xff)
			reset();
		else if (what & 0x80)
			draw();
		else if (what & 0x40)
			ns16550_input(&b->uart);
		else
			piix4pm_power_button(&b->pm);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };

	if (!b)
		set_up();
	power_on();
	while (in.left)
		act(&in);
	return 0;
}
