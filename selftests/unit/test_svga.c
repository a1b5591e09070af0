// SPDX-License-Identifier: GPL-2.0-only
/* The display adapter in the machine: its slots, dirty pages, pictures, text; typing. */
#include "chips.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmapp/keys.h"
#include "vmapp/screen.h"
#include "vmapp/svga.h"

#define VM_FD	1000

static struct svga *svga;
static struct bus bus;
static struct map map;
static struct i440fx bridge;
static struct vmx config;
static struct error err;
static struct vmdrv_memory slots[VMDRV_SLOT_MAX];
static struct bench irq_bench;
static u32 dirty_page;			/* that the VMM tells of; ~0: it fails */
static bool refuse;
static char rom[] = "/tmp/ws-rom-XXXXXX";

int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	const struct vmdrv_memory *s = arg;

	assert_int_equal(fd, VM_FD);
	if (request == VMDRV_GET_DIRTY) {
		const struct vmdrv_dirty *d = arg;
		u64 *bitmap = (u64 *)(uintptr_t)d->bitmap;

		assert_true(slots[d->slot].flags & VMDRV_MEM_LOG_DIRTY);
		assert_int_equal(d->pages, slots[d->slot].size / 4096);
		if (dirty_page == ~0u)
			return -1;
		memset(bitmap, 0, (d->pages + 63) / 64 * 8);
		if (dirty_page < d->pages)
			bitmap[dirty_page / 64] = 1ull << dirty_page % 64;
		return 1;
	}
	assert_int_equal(request, VMDRV_SET_MEMORY);
	assert_int_equal((s->gpa | s->size | s->hva) & 4095, 0);
	if (s->size)
		assert_int_equal(slots[s->slot].size, 0);
	if (s->size && refuse) {
		errno = EEXIST;
		return -1;
	}
	slots[s->slot] = *s;
	return 0;
}

static void on_shadow(void *ctx)
{
	(void)ctx;
}

static int setup(void **state)
{
	char assignment[64];

	(void)state;
	memset(slots, 0, sizeof(slots));
	memset(&map, 0, sizeof(map));
	memset(&bus, 0, sizeof(bus));
	map.vm_fd = VM_FD;
	dirty_page = 1u << 30;
	refuse = false;
	svga = calloc(1, sizeof(*svga));
	bridge = (struct i440fx){ .cold = true, .shadow = { on_shadow, NULL } };
	bridge.irq = bench_line(&irq_bench, 0);
	i440fx_init(&bridge);
	assert_int_equal(ws_ports_add(&bus.ports, i440fx_regions, i440fx_n_regions, 0, &bridge), 0);
	vmx_init(&config);
	snprintf(assignment, sizeof(assignment), "vbios.filename=%s", rom);
	vmx_override(&config, assignment, &err);
	assert_int_equal(svga_create(svga, &config, false, &bus, &map, &bridge, &err), 0);
	svga_reset(svga, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	svga_destroy(svga);
	free(svga);
	vmx_free(&config);
	return 0;
}

static void out(u32 port, unsigned int size, u32 val)
{
	assert_true(ws_ports_out(&bus.ports, port, size, val));
}

static void vbe(u16 index, u16 val)
{
	out(VBE_INDEX, 2, index);
	out(VBE_DATA, 2, val);
}

static void config_write(u32 offset, u32 val)
{
	out(0xcf8, 4, 0x80000000 | SVGA_SLOT << 11 | offset);
	out(0xcfc, 4, val);
}

static void test_text_is_memory(void **state)
{
	assert_int_equal(map.slot[MAP_VGA_WINDOW].size, 0);
	vga_set_text_mode(&svga->vga, NULL);
	assert_int_equal(map.slot[MAP_VGA_WINDOW].size, 0);
	/* The first access goes through the bus and opens the window, the next need no exit. */
	bus_mmio_write(&bus, 0xb8000, 2, 0x0741);
	assert_int_equal(slots[MAP_VGA_WINDOW].gpa, 0xb8000);
	assert_int_equal(slots[MAP_VGA_WINDOW].size, 0x8000);
	assert_int_equal(slots[MAP_VGA_WINDOW].flags, 0);
	assert_int_equal(*(u16 *)(uintptr_t)slots[MAP_VGA_WINDOW].hva, 0x0741);
	((u16 *)(uintptr_t)slots[MAP_VGA_WINDOW].hva)[1] = 0x0742;
	/* The cursor does not close it; another mode does, and takes the text along. */
	out(0x3d4, 1, 0x0f);
	out(0x3d5, 1, 5);
	assert_int_equal(slots[MAP_VGA_WINDOW].size, 0x8000);
	out(0x3ce, 1, 5);
	out(0x3cf, 1, 0);
	assert_int_equal(slots[MAP_VGA_WINDOW].size, 0);
	assert_int_equal(svga->vga.mem[4], 'B');
	/* A reset as well. */
	out(0x3cf, 1, 0x10);
	bus_mmio_read(&bus, 0xb8000, 1);
	assert_int_equal(slots[MAP_VGA_WINDOW].size, 0x8000);
	svga_reset(svga, false);
	assert_int_equal(slots[MAP_VGA_WINDOW].size, 0);
	assert_int_equal(svga->vga.mem[4], 0);
}

/* What the VMM does not take goes on through the bus. */
static void test_refused(void **state)
{
	refuse = true;
	vga_set_text_mode(&svga->vga, NULL);
	bus_mmio_write(&bus, 0xb8000, 2, 0x0741);
	assert_int_equal(slots[MAP_VGA_WINDOW].size, 0);
	assert_int_equal(bus_mmio_read(&bus, 0xb8000, 2), 0x0741);
	config_write(PCI_COMMAND, 2);
	assert_int_equal(slots[MAP_VGA_ARRAY].size, 0);
	bus_mmio_write(&bus, SVGA_BASE + 0x100000, 4, 0x11223344);
	assert_int_equal(svga->vga.mem[0x100001], 0x33);
}

static bool is_dirty(u32 page)
{
	return svga->vga.dirty[page / 64] >> (page % 64) & 1;
}

static void test_array(void **state)
{
	assert_int_equal(slots[MAP_VGA_ARRAY].size, 0);
	config_write(PCI_BAR(SVGA2_BAR_ARRAY), 0xe0000000);
	config_write(PCI_COMMAND, 2);
	assert_int_equal(slots[MAP_VGA_ARRAY].gpa, 0xe0000000);
	assert_int_equal(slots[MAP_VGA_ARRAY].size, VGA_MEM_MAX);
	assert_int_equal(slots[MAP_VGA_ARRAY].flags, VMDRV_MEM_LOG_DIRTY);
	vbe(VBE_XRES, 640);
	vbe(VBE_YRES, 480);
	vbe(VBE_BPP, 32);
	vbe(VBE_ENABLE, VBE_ENABLED | VBE_LFB);
	memset(svga->vga.dirty, 0, sizeof(svga->vga.dirty));
	dirty_page = 77;
	svga_look(svga);
	assert_true(is_dirty(77));
	assert_false(is_dirty(76) || is_dirty(78));
	svga->vga.changed = false;
	dirty_page = ~0u;
	svga_look(svga);
	assert_true(svga->vga.changed);
	/* The same memory 64 KiB at a time, where its own pages are told of. */
	dirty_page = 1u << 30;
	vbe(VBE_BANK, 3);
	out(0x3c2, 1, VGA_MISC_RAM | VGA_MISC_COLOR);
	out(0x3ce, 1, VGA_GFX_MISC);
	out(0x3cf, 1, 0x05);
	bus_mmio_write(&bus, 0xa0000, 4, 0x11223344);
	assert_int_equal(slots[MAP_VGA_WINDOW].gpa, 0xa0000);
	assert_int_equal(slots[MAP_VGA_WINDOW].size, 0x10000);
	assert_int_equal(slots[MAP_VGA_WINDOW].flags, VMDRV_MEM_LOG_DIRTY);
	assert_ptr_equal((u8 *)(uintptr_t)slots[MAP_VGA_WINDOW].hva, svga->vga.mem + 0x30000);
	assert_int_equal(svga->vga.mem[0x30000], 0x44);
	memset(svga->vga.dirty, 0, sizeof(svga->vga.dirty));
	dirty_page = 5;
	vbe(VBE_BANK, 4);			/* before it goes it is looked at */
	assert_int_equal(slots[MAP_VGA_WINDOW].size, 0);
	assert_true(is_dirty(0x30 + 5));
	config_write(PCI_COMMAND, 0);
	assert_int_equal(slots[MAP_VGA_ARRAY].size, 0);
}

static u32 svga2(u32 base, u32 reg)
{
	u32 val;

	out(base + SVGA2_INDEX, 4, reg);
	assert_true(ws_ports_in(&bus.ports, (u16)(base + SVGA2_VALUE), 4, &val));
	return val;
}

/* Registers and FIFO are where the BARs say; the VGA's window goes while SVGA II shows. */
static void test_svga2(void **state)
{
	u32 *fifo;

	config_write(PCI_BAR(SVGA2_BAR_IO), 0x1070);
	config_write(PCI_BAR(SVGA2_BAR_ARRAY), 0xe0000000);
	config_write(PCI_BAR(SVGA2_BAR_FIFO), 0xe8000000);
	config_write(PCI_COMMAND, 3);
	assert_int_equal(svga2(0x1070, SVGA_REG_ID), SVGA_ID_2);
	assert_int_equal(svga2(0x1070, SVGA_REG_FB_START), 0xe0000000);
	assert_int_equal(svga2(0x1070, SVGA_REG_MEM_START), 0xe8000000);
	assert_int_equal(slots[MAP_SVGA_FIFO].gpa, 0xe8000000);
	assert_int_equal(slots[MAP_SVGA_FIFO].size, SVGA2_FIFO_SIZE);
	assert_int_equal(slots[MAP_SVGA_FIFO].flags, 0);
	fifo = (u32 *)(uintptr_t)slots[MAP_SVGA_FIFO].hva;
	assert_ptr_equal(fifo, svga->svga2.fifo);
	/* The same through the bus. */
	bus_mmio_write(&bus, 0xe8000000 + SVGA2_FIFO_SIZE - 8, 8, 0x1122334455667788);
	assert_int_equal(fifo[SVGA2_FIFO_SIZE / 4 - 1], 0x11223344);
	assert_int_equal(bus_mmio_read(&bus, 0xe8000000 + SVGA2_FIFO_SIZE - 4, 4), 0x11223344);

	vga_set_text_mode(&svga->vga, NULL);
	bus_mmio_write(&bus, 0xb8000, 2, 0x0741);
	assert_int_equal(slots[MAP_VGA_WINDOW].size, 0x8000);
	out(0x1070 + SVGA2_INDEX, 4, SVGA_REG_ENABLE);
	out(0x1070 + SVGA2_VALUE, 4, SVGA_ENABLE);
	assert_int_equal(slots[MAP_VGA_WINDOW].size, 0);
	assert_int_equal(svga->vga.mem[0], 'A');
	out(0x1070 + SVGA2_VALUE, 4, 0);
	assert_int_equal(bus_mmio_read(&bus, 0xb8000, 2), 0x0741);
	assert_int_equal(slots[MAP_VGA_WINDOW].size, 0x8000);
	/* A look does what is in the FIFO. */
	out(0x1070 + SVGA2_VALUE, 4, SVGA_ENABLE | SVGA_HIDE);
	out(0x1070 + SVGA2_INDEX, 4, SVGA_REG_CONFIG_DONE);
	out(0x1070 + SVGA2_VALUE, 4, 1);
	fifo[SVGA_FIFO_MIN] = fifo[SVGA_FIFO_STOP] = 4096;
	fifo[SVGA_FIFO_MAX] = 8192;
	fifo[1024] = SVGA_CMD_FENCE;
	fifo[1025] = 6;
	fifo[SVGA_FIFO_NEXT_CMD] = 4104;
	svga_look(svga);
	assert_int_equal(fifo[SVGA_FIFO_FENCE], 6);
	/* A reset leaves nothing of it. */
	svga_reset(svga, false);
	assert_int_equal(slots[MAP_SVGA_FIFO].size, 0);
	assert_int_equal(svga->svga2.fifo[4096], 0);
	assert_false(ws_ports_out(&bus.ports, 0x1070, 4, 0));
}

static void test_rom(void **state)
{
	config_write(PCI_ROM, 0xfe000001);
	assert_int_equal(slots[MAP_VGA_ROM].size, 0);
	config_write(PCI_COMMAND, 2);
	assert_int_equal(slots[MAP_VGA_ROM].gpa, 0xfe000000);
	assert_int_equal(slots[MAP_VGA_ROM].size, 0x4000);	/* a power of two */
	assert_int_equal(slots[MAP_VGA_ROM].flags, VMDRV_MEM_READONLY);
	assert_int_equal(*(u16 *)(uintptr_t)slots[MAP_VGA_ROM].hva, 0xaa55);
	config_write(PCI_ROM, 0xfe000000);
	assert_int_equal(slots[MAP_VGA_ROM].size, 0);
}

static void test_absent(void **state)
{
	struct svga none = { .present = false };

	vmx_override(&config, "svga.present=FALSE", &err);
	assert_int_equal(svga_create(&none, &config, false, &bus, &map, &bridge, &err), 0);
	assert_false(none.present);
	svga_reset(&none, true);
	vmx_override(&config, "svga.present=", &err);
	assert_int_equal(svga_create(&none, &config, true, &bus, &map, &bridge, &err), 0);
	assert_false(none.present);
	svga_destroy(&none);
	vmx_override(&config, "svga.present=TRUE", &err);
	vmx_override(&config, "vbios.filename=/none", &err);
	assert_int_equal(svga_create(&none, &config, true, &bus, &map, &bridge, &err), -1);
	assert_non_null(strstr(err.text, "vbios.filename"));
	svga_destroy(&none);
	/* A second adapter finds its place taken. */
	none = (struct svga){ .present = false };
	vmx_override(&config, "vbios.filename=/bin/true", &err);
	assert_int_equal(svga_create(&none, &config, true, &bus, &map, &bridge, &err), -1);
	svga_destroy(&none);
}

/* ---- the screen, for people ---- */

static void test_screen(void **state)
{
	unsigned int w, h;
	struct vga_text t;
	u32 dots[9];
	char *line;
	int fd;

	svga_reset(svga, true);
	assert_true(vga_text(&svga->vga, &t));
	for (unsigned int i = 0; i < 4; i++)
		bus_mmio_write(&bus, 0xb8000 + 160 + 2 * i, 1, (u8)"\xc9\xcd \xe3"[i]);
	line = screen_line(&svga->vga, &t, 1);
	assert_string_equal(line, "\u2554\u2550 \u03c0");
	free(line);
	line = screen_line(&svga->vga, &t, 2);
	assert_string_equal(line, "");
	free(line);
	/* Every character has one, and the longest line fits. */
	for (unsigned int i = 0; i < 80; i++)
		bus_mmio_write(&bus, 0xb8000 + 320 + 2 * i, 1, 0xdb);
	line = screen_line(&svga->vga, &t, 2);
	assert_int_equal(strlen(line), 240);
	free(line);
	for (unsigned int c = 0; c < 256; c++) {
		bus_mmio_write(&bus, 0xb8000 + 480, 1, c);
		line = screen_line(&svga->vga, &t, 3);
		assert_true(c && c != ' ' ? strlen(line) >= 1 && strlen(line) <= 3 : !*line);
		free(line);
	}

	fd = screen_picture(svga, &w, &h, &err);
	assert_true(fd >= 0);
	assert_int_equal(w, 720);
	assert_int_equal(h, 400);
	assert_int_equal(lseek(fd, 0, SEEK_END), 720 * 400 * 4);
	/* Full blocks: what the face's font has for them is its own affair, their colour not. */
	assert_int_equal(pread(fd, dots, sizeof(dots), 720 * 32 * 4), sizeof(dots));
	for (unsigned int i = 0; i < 9; i++)
		assert_true(dots[i] == 0 || dots[i] == 0xaaaaaa);
	close(fd);
	svga->present = false;
	assert_int_equal(screen_picture(svga, &w, &h, &err), -1);
	assert_non_null(strstr(err.text, "svga.present"));
	svga->present = true;
}

/* ---- typing ---- */

static struct i8042 i8042;
static struct keys keys;
static struct bench kbd_bench;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void on_wake(void *arg)
{
}

static void kbd_arm(struct dev_timer *t, u64 when)
{
	(void)t;
	(void)when;
}

/* What the keyboard has sent in the end, in set 1. */
static unsigned int typed(u8 *codes, unsigned int max)
{
	unsigned int n = 0;

	for (unsigned int idle = 0; idle < 60; idle++) {
		struct timeval tv = { .tv_usec = 2000 };

		event_base_loopexit(keys.timer.watch.loop->base, &tv);
		event_base_dispatch(keys.timer.watch.loop->base);
		kbd_bench.now += I8042_BYTE_NS;
		i8042_expired(&i8042);
		while (bench_in(i8042_regions, i8042_n_regions, &i8042, 0x64, 1) & 1) {
			assert_true(n < max);
			codes[n++] = (u8)bench_in(i8042_regions, i8042_n_regions, &i8042, 0x60, 1);
			idle = 0;
		}
	}
	return n;
}

static void test_keys(void **state)
{
	static struct dev_timer timer = { .arm = kbd_arm };
	struct loop loop;
	u8 codes[64];

	i8042 = (struct i8042){
		.kbd_irq = bench_line(&kbd_bench, 1), .aux_irq = bench_line(&kbd_bench, 12),
		.reset = { bench_raise, &kbd_bench }, .clock = { bench_now, &kbd_bench },
		.timer = &timer,
	};
	i8042_reset(&i8042);
	assert_int_equal(loop_init(&loop, &lock, on_wake, NULL, &err), 0);
	assert_int_equal(keys_init(&keys, &i8042, &loop, &err), 0);

	assert_int_equal(keys_press(&keys, "ctrl-alt-delete", &err), 0);
	assert_int_equal(typed(codes, sizeof(codes)), 8);
	assert_memory_equal(codes, "\x1d\x38\xe0\x53\xe0\xd3\xb8\x9d", 8);
	assert_int_equal(keys_press(&keys, "-", &err), 0);
	assert_int_equal(keys_press(&keys, "CTRL--", &err), 0);
	assert_int_equal(typed(codes, sizeof(codes)), 6);
	assert_memory_equal(codes, "\x0c\x8c\x1d\x0c\x8c\x9d", 6);
	assert_int_equal(keys_type(&keys, "aB\n", &err), 0);
	assert_int_equal(typed(codes, sizeof(codes)), 8);
	assert_memory_equal(codes, "\x1e\x9e\x2a\x30\xb0\xaa\x1c\x9c", 8);

	assert_int_equal(keys_press(&keys, "", &err), -1);
	assert_int_equal(keys_press(&keys, "a-", &err), -1);
	assert_int_equal(keys_press(&keys, "ctrl-frob", &err), -1);
	assert_non_null(strstr(err.text, "\"frob\""));
	assert_int_equal(keys_press(&keys, "A", &err), -1);
	assert_non_null(strstr(err.text, "shift"));
	assert_int_equal(keys_press(&keys, "a-b-c-d-e-f-g", &err), -1);
	assert_int_equal(keys_type(&keys, "ab\x7f", &err), -1);
	assert_int_equal(keys_type(&keys, "\xc3\xa4", &err), -1);
	assert_int_equal(typed(codes, sizeof(codes)), 0);
	/* More than fits is refused whole. */
	for (unsigned int i = 0; i < KEYS_MAX / 2; i++)
		assert_int_equal(keys_press(&keys, "a", &err), 0);
	assert_int_equal(keys_press(&keys, "a", &err), -1);
	assert_int_equal(keys_type(&keys, "a", &err), -1);
	keys_reset(&keys);
	keys_free(&keys);
	loop_destroy(&loop);
}

static void test_keysyms(void **state)
{
	static const struct {
		u32 keysym;
		u16 code;
		bool shift;
	} cases[] = {
		{ 'a', 0x1e, false }, { 'A', 0x1e, true }, { '~', 0x29, true }, { ' ', 0x39, false },
		{ '\\', 0x2b, false }, { '|', 0x2b, true }, { 0xff0d, 0x1c, false },
		{ 0xffbe, 0x3b, false }, { 0xffc9, 0x58, false }, { 0xff52, 0xe048, false },
		{ 0xffff, 0xe053, false }, { 0xffe1, 0x2a, false }, { 0, 0, false },
		{ 0xe4, 0, false }, { 0x1000000, 0, false }, { 0xffffffff, 0, false },
	};

	for (size_t i = 0; i < WS_ARRAY_SIZE(cases); i++) {
		bool shift;

		assert_int_equal(keys_of_keysym(cases[i].keysym, &shift), cases[i].code);
		assert_true(!cases[i].code || shift == cases[i].shift);
	}
}

int main(void)
{
	static u8 image[9000] = { 0x55, 0xaa };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text_is_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_array, setup, teardown),
		cmocka_unit_test_setup_teardown(test_svga2, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rom, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_screen, setup, teardown),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_keysyms),
	};
	int fd = mkstemp(rom), failed;

	if (fd < 0 || write(fd, image, sizeof(image)) < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests_name("svga", tests, NULL, NULL);
	unlink(rom);
	return failed;
}
