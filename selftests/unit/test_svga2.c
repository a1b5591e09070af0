// SPDX-License-Identifier: GPL-2.0-only
/* VMware's SVGA II: its registers, what a FIFO can and cannot say, the pointer. */
#include "chips.h"

#include "vmapp/dev/svga2.h"

#define IRQ	10
#define FIRST	4096u			/* where commands begin, as vmwgfx has it */

static struct vga vga;
static struct svga2 svga;
static struct pci_function pci;
static struct bench bench;
static struct vga_surface surface;
static u32 *pixels;
static unsigned int drawn;		/* lines, by the last draw() */

static u32 in(u32 port)
{
	return bench_in(svga2_regions, svga2_n_regions, &svga, port, 4);
}

static void out(u32 port, u32 val)
{
	bench_out(svga2_regions, svga2_n_regions, &svga, port, 4, val);
}

static u32 get(u32 reg)
{
	out(SVGA2_INDEX, reg);
	return in(SVGA2_VALUE);
}

static void set(u32 reg, u32 val)
{
	out(SVGA2_INDEX, reg);
	out(SVGA2_VALUE, val);
}

static u32 *word(u32 n)
{
	return (u32 *)(void *)svga.fifo + n;
}

static void fifo_on(u32 min, u32 max)
{
	*word(SVGA_FIFO_MIN) = *word(SVGA_FIFO_NEXT_CMD) = *word(SVGA_FIFO_STOP) = min;
	*word(SVGA_FIFO_MAX) = max;
	set(SVGA_REG_ENABLE, SVGA_ENABLE);
	set(SVGA_REG_CONFIG_DONE, 1);
}

/* Words behind each other, as a driver puts them: they wrap at the end. */
static void put(const u32 *words, u32 n)
{
	while (n--) {
		u32 *next = word(SVGA_FIFO_NEXT_CMD);

		*word(*next / 4) = *words++;
		*next += 4;
		if (*next == *word(SVGA_FIFO_MAX))
			*next = *word(SVGA_FIFO_MIN);
	}
}

#define PUT(...) put((const u32[]){ __VA_ARGS__ },				\
		     sizeof((const u32[]){ __VA_ARGS__ }) / sizeof(u32))

static bool is_empty(void)
{
	return *word(SVGA_FIFO_STOP) == *word(SVGA_FIFO_NEXT_CMD);
}

static int setup(void **state)
{
	memset(&bench, 0, sizeof(bench));
	memset(&vga, 0, sizeof(vga));
	memset(&svga, 0, sizeof(svga));
	vga.mem_size = VGA_MEM_MAX;
	vga.mem = calloc(1, VGA_MEM_MAX);
	vga.text = calloc(1, VGA_TEXT_SIZE);
	vga.clock = (struct dev_clock){ bench_now, &bench };
	vga.modified = vga.touched = (struct dev_signal){ bench_raise, &bench };
	pixels = calloc(VBE_MAX_WIDTH * VBE_MAX_HEIGHT, sizeof(*pixels));
	svga.vga = &vga;
	svga.fifo = aligned_alloc(4096, SVGA2_FIFO_SIZE);	/* ASan watches its end */
	memset(svga.fifo, 0, SVGA2_FIFO_SIZE);
	svga.pci = &pci;
	svga.irq = bench_line(&bench, IRQ);
	pci_function_init(&pci, SVGA2_VENDOR, SVGA2_DEVICE, SVGA2_CLASS, 0);
	pci_set_bar(&pci, SVGA2_BAR_ARRAY, 0xe0000000, VGA_MEM_MAX, false);
	pci_set_bar(&pci, SVGA2_BAR_FIFO, 0xe8000000, SVGA2_FIFO_SIZE, false);
	pci_config_set(&pci, PCI_COMMAND, 2, PCI_COMMAND_MEMORY, 0);
	vga_reset(&vga);
	vga_set_text_mode(&vga, NULL);
	svga2_reset(&svga);
	return 0;
}

static int teardown(void **state)
{
	free(vga.mem);
	free(vga.text);
	free(svga.fifo);
	free(pixels);
	return 0;
}

static void count(void *ctx, unsigned int x, unsigned int y, unsigned int w, unsigned int h)
{
	assert_true(w && h && x + w <= surface.width && y + h <= surface.height);
	drawn += h;
}

static void draw(void)
{
	unsigned int w, h;

	vga_size(&vga, &w, &h);
	if (w != surface.width || h != surface.height || surface.pixels != pixels)
		surface = (struct vga_surface){ .pixels = pixels, .width = w, .height = h };
	drawn = 0;
	vga_draw(&vga, &surface, true, count, NULL);
}

static u32 dot(u32 x, u32 y)
{
	return pixels[y * surface.width + x];
}

/* ---- registers ---- */

static void test_identity(void **state)
{
	static const struct {
		u32 reg, val;
	} fixed[] = {
		{ SVGA_REG_ID, SVGA_ID_2 }, { SVGA_REG_ENABLE, 0 }, { SVGA_REG_MAX_WIDTH, 2560 },
		{ SVGA_REG_MAX_HEIGHT, 1600 }, { SVGA_REG_DEPTH, 24 },
		{ SVGA_REG_BITS_PER_PIXEL, 32 }, { SVGA_REG_PSEUDOCOLOR, 0 },
		{ SVGA_REG_RED_MASK, 0xff0000 }, { SVGA_REG_GREEN_MASK, 0xff00 },
		{ SVGA_REG_BLUE_MASK, 0xff }, { SVGA_REG_FB_START, 0xe0000000 },
		{ SVGA_REG_FB_OFFSET, 0 }, { SVGA_REG_VRAM_SIZE, VGA_MEM_MAX },
		{ SVGA_REG_MEM_START, 0xe8000000 }, { SVGA_REG_MEM_SIZE, SVGA2_FIFO_SIZE },
		{ SVGA_REG_CONFIG_DONE, 0 }, { SVGA_REG_BUSY, 0 }, { SVGA_REG_NUM_DISPLAYS, 1 },
		{ SVGA_REG_SCRATCH_SIZE, SVGA2_SCRATCH }, { SVGA_REG_MEM_REGS, 291 },
		{ SVGA_REG_HOST_BITS_PER_PIXEL, 32 }, { SVGA_REG_TRACES, 1 }, { 44, 0 },
		{ 1023, 0 }, { SVGA_SCRATCH_BASE + SVGA2_SCRATCH, 0 }, { 0xffffffff, 0 },
	};

	for (size_t i = 0; i < WS_ARRAY_SIZE(fixed); i++) {
		assert_int_equal(get(fixed[i].reg), fixed[i].val);
		if (fixed[i].reg > SVGA_REG_BITS_PER_PIXEL && fixed[i].reg != SVGA_REG_TRACES &&
		    fixed[i].reg != SVGA_REG_CONFIG_DONE) {
			out(SVGA2_VALUE, 0x55);		/* read-only, or none */
			assert_int_equal(in(SVGA2_VALUE), fixed[i].val);
		}
	}
	/* What was asked for is said again if it is possible. */
	set(SVGA_REG_ID, SVGA_ID_0);
	assert_int_equal(get(SVGA_REG_ID), SVGA_ID_0);
	set(SVGA_REG_ID, SVGA_ID_2 + 1);
	assert_int_equal(get(SVGA_REG_ID), SVGA_ID_0);
	/* Nothing is promised that is not done: no 3D, no copies, no regions of memory. */
	assert_int_equal(get(SVGA_REG_CAPABILITIES), 0x2683e0);
	assert_int_equal(*word(SVGA_FIFO_CAPABILITIES), 0x51);
	set(SVGA_SCRATCH_BASE, 0x12345678);
	set(SVGA_SCRATCH_BASE + SVGA2_SCRATCH - 1, 9);
	assert_int_equal(get(SVGA_SCRATCH_BASE), 0x12345678);
	svga2_reset(&svga);
	assert_int_equal(get(SVGA_SCRATCH_BASE + SVGA2_SCRATCH - 1), 0);
	assert_int_equal(in(2), 0);
	assert_int_equal(in(12), 0);
}

static void test_mode(void **state)
{
	u32 *array = (u32 *)(void *)vga.mem;
	struct vga_text t;

	draw();
	assert_int_equal(surface.width, 720);
	/* Set, but hidden behind the VGA: as vmwgfx begins. */
	set(SVGA_REG_WIDTH, 800);
	set(SVGA_REG_HEIGHT, 600);
	set(SVGA_REG_ENABLE, SVGA_ENABLE | SVGA_HIDE);
	assert_true(vga_text(&vga, &t));
	assert_int_equal(bench.raised, 2);	/* by the VGA's own reset and mode */
	set(SVGA_REG_ENABLE, SVGA_ENABLE);
	assert_int_equal(bench.raised, 3);
	assert_false(vga_text(&vga, &t));
	assert_int_equal(get(SVGA_REG_BYTES_PER_LINE), 3200);
	assert_int_equal(get(SVGA_REG_FB_SIZE), 3200 * 600);
	array[799] = 0xff123456;
	draw();
	assert_int_equal(surface.width, 800);
	assert_int_equal(surface.height, 600);
	assert_int_equal(dot(799, 0), 0x123456);
	/* Only what was written is drawn. */
	draw();
	assert_int_equal(drawn, 0);
	array[800 * 599] = 0x42;
	vga_mark(&vga, 800 * 599 * 4);
	draw();
	assert_in_range(drawn, 1, 3);
	assert_int_equal(dot(0, 599), 0x42);
	/* Lines may be longer than they are wide. */
	set(SVGA_REG_PITCHLOCK, 4096);
	assert_int_equal(get(SVGA_REG_BYTES_PER_LINE), 4096);
	array[1024] = 0x77;
	draw();
	assert_int_equal(dot(0, 1), 0x77);
	/* Whatever it is, memory is not left. */
	set(SVGA_REG_PITCHLOCK, 0xfffffffd);
	set(SVGA_REG_WIDTH, 2560);
	set(SVGA_REG_HEIGHT, 1600);
	draw();
	set(SVGA_REG_WIDTH, 2561);
	set(SVGA_REG_WIDTH, 0);
	set(SVGA_REG_HEIGHT, 0xffffffff);
	set(SVGA_REG_BITS_PER_PIXEL, 33);
	assert_int_equal(get(SVGA_REG_WIDTH), 2560);
	assert_int_equal(get(SVGA_REG_HEIGHT), 1600);
	assert_int_equal(get(SVGA_REG_BITS_PER_PIXEL), 32);
	set(SVGA_REG_ENABLE, 0);
	assert_true(vga_text(&vga, &t));
}

static void test_depths(void **state)
{
	set(SVGA_REG_WIDTH, 64);
	set(SVGA_REG_HEIGHT, 2);
	set(SVGA_REG_ENABLE, SVGA_ENABLE);
	set(SVGA_REG_BITS_PER_PIXEL, 16);
	assert_int_equal(get(SVGA_REG_DEPTH), 16);
	assert_int_equal(get(SVGA_REG_GREEN_MASK), 0x7e0);
	memcpy(vga.mem, "\x00\xf8", 2);
	draw();
	assert_int_equal(dot(0, 0), 0xff0000);
	/* The palette has 8 bits, and is not the VGA's. */
	set(SVGA_REG_BITS_PER_PIXEL, 8);
	assert_int_equal(get(SVGA_REG_PSEUDOCOLOR), 1);
	assert_int_equal(get(SVGA_REG_RED_MASK), 0);
	set(SVGA_PALETTE_BASE + 3 * 0xf8, 0xab);
	set(SVGA_PALETTE_BASE + 3 * 0xf8 + 2, 0x1cd);
	assert_int_equal(get(SVGA_PALETTE_BASE + 3 * 0xf8 + 2), 0xcd);
	draw();
	assert_int_equal(dot(1, 0), 0xab00cd);
	set(SVGA_PALETTE_BASE + 3 * 0xf8, 1);
	draw();
	assert_int_equal(dot(1, 0), 0x0100cd);
	assert_int_equal(get(1023), 0);
	set(SVGA_REG_BITS_PER_PIXEL, 24);
	memcpy(vga.mem + 3, "\x33\x22\x11", 3);
	draw();
	assert_int_equal(dot(1, 0), 0x112233);
}

/* ---- the FIFO ---- */

static void test_fences(void **state)
{
	fifo_on(FIRST, SVGA2_FIFO_SIZE);
	*word(SVGA_FIFO_BUSY) = 1;
	*word(SVGA_FIFO_FENCE_GOAL) = 8;
	PUT(SVGA_CMD_UPDATE, 0, 0, 640, 480, SVGA_CMD_FENCE, 7);
	set(SVGA_REG_SYNC, 1);
	assert_true(is_empty());
	assert_int_equal(*word(SVGA_FIFO_FENCE), 7);
	assert_int_equal(*word(SVGA_FIFO_BUSY), 0);
	assert_false(bench.level[IRQ]);		/* nobody has asked */
	assert_int_equal(in(SVGA2_IRQSTATUS), SVGA_IRQ_ANY_FENCE | SVGA_IRQ_FIFO_PROGRESS);
	out(SVGA2_IRQSTATUS, 0xffffffff);
	set(SVGA_REG_IRQMASK, SVGA_IRQ_FENCE_GOAL);
	PUT(SVGA_CMD_FENCE, 8, SVGA_CMD_UPDATE_VERBOSE, 0, 0, 1, 1, 0, SVGA_CMD_NOP);
	assert_int_equal(get(SVGA_REG_BUSY), 0);	/* asking is a way to ring */
	assert_true(is_empty());
	assert_true(bench.level[IRQ]);
	out(SVGA2_IRQSTATUS, SVGA_IRQ_ANY_FENCE);
	assert_true(bench.level[IRQ]);
	out(SVGA2_IRQSTATUS, SVGA_IRQ_FENCE_GOAL);
	assert_false(bench.level[IRQ]);
	/* A reset takes the line back. */
	set(SVGA_REG_IRQMASK, SVGA_IRQ_FIFO_PROGRESS);
	assert_true(bench.level[IRQ]);
	svga2_reset(&svga);
	assert_false(bench.level[IRQ]);
}

/* One that is not all there waits for the rest; they wrap anywhere. */
static void test_parts(void **state)
{
	static const u32 commands[] = { SVGA_CMD_FENCE, 0, SVGA_CMD_UPDATE, 1, 2, 3, 4 };
	u32 fence = 0;

	fifo_on(FIRST, FIRST + 40);
	for (u32 round = 0; round < 100; round++)
		for (u32 i = 0; i < WS_ARRAY_SIZE(commands); i++) {
			u32 val = i == 1 ? round : commands[i];

			put(&val, 1);
			set(SVGA_REG_SYNC, 1);
			fence = i >= 1 ? round : fence;
			assert_int_equal(*word(SVGA_FIFO_FENCE), fence);
			assert_int_equal(is_empty(), i == 1 || i == 6);
			assert_int_equal(get(SVGA_REG_BUSY), 0);	/* nobody hangs on it */
		}
}

/* What it says of itself cannot be: it is left alone, and nothing outside it is read. */
static void test_limits(void **state)
{
	static const u32 bad[][4] = {	/* min, max, next, stop */
		{ 0, 0, 0, 0 }, { 12, 8192, 4096, 4096 }, { 4096, 4096, 4096, 4096 },
		{ 4096, 8192, 8192, 4096 }, { 4096, 8192, 4096, 8192 }, { 4096, 8192, 0, 4096 },
		{ 4096, 8192, 4100, 16 }, { 4096, SVGA2_FIFO_SIZE + 4, 4100, 4096 },
		{ 4098, 8192, 4100, 4098 }, { 4096, 8190, 4100, 4096 }, { 4096, 8192, 4101, 4096 },
		{ 8192, 4096, 8192, 8192 }, { 0xfffffffc, 0xfffffffc, 0xfffffffc, 0xfffffffc },
		{ 4096, 0xfffffffc, 0xfffffff8, 4096 },
	};

	fifo_on(FIRST, SVGA2_FIFO_SIZE);
	*word(FIRST / 4) = SVGA_CMD_FENCE;
	*word(FIRST / 4 + 1) = 5;
	for (size_t i = 0; i < WS_ARRAY_SIZE(bad); i++) {
		memcpy(svga.fifo, bad[i], sizeof(bad[i]));
		set(SVGA_REG_SYNC, 1);
		assert_memory_equal(svga.fifo, bad[i], sizeof(bad[i]));
		assert_int_equal(get(SVGA_REG_BUSY), 0);
	}
	assert_int_equal(in(SVGA2_IRQSTATUS), 0);
	/* Neither if it is not configured, or the adapter off. */
	fifo_on(FIRST, SVGA2_FIFO_SIZE);
	PUT(SVGA_CMD_FENCE, 5);
	set(SVGA_REG_CONFIG_DONE, 0);
	set(SVGA_REG_SYNC, 1);
	set(SVGA_REG_CONFIG_DONE, 1);
	set(SVGA_REG_ENABLE, 0);
	set(SVGA_REG_SYNC, 1);
	assert_int_equal(*word(SVGA_FIFO_FENCE), 0);
	set(SVGA_REG_ENABLE, SVGA_ENABLE | SVGA_HIDE);
	set(SVGA_REG_SYNC, 1);
	assert_int_equal(*word(SVGA_FIFO_FENCE), 5);
}

/* A FIFO without registers: commands begin where the registers would be. */
static void test_small(void **state)
{
	fifo_on(16, 16 + 64);
	PUT(SVGA_CMD_NOP, SVGA_CMD_NOP, SVGA_CMD_FENCE, 77, SVGA_CMD_NOP);
	set(SVGA_REG_SYNC, 1);
	assert_true(is_empty());
	for (u32 i = 0; i < 5; i++)
		assert_true(*word(4 + i) == SVGA_CMD_NOP || i == 2 || i == 3);
	assert_int_equal(*word(7), 77);
}

/* Behind what nobody knows, nobody knows where commands begin. */
static void test_unknown(void **state)
{
	static const u32 heads[][8] = {
		{ 0 }, { 3, 1, 2, 3, 4, 5, 6 }, { 0xffffffff },
		{ SVGA_CMD_DEFINE_ALPHA_CURSOR, 0, 0, 0, 1025, 1 },
		{ SVGA_CMD_DEFINE_ALPHA_CURSOR, 0, 0, 0, 1, 0xffffffff },
		{ SVGA_CMD_DEFINE_ALPHA_CURSOR, 0, 0, 0, 1024, 1024 },
		{ SVGA_CMD_DEFINE_CURSOR, 0, 0, 0, 1, 1, 0, 1 },
		{ SVGA_CMD_DEFINE_CURSOR, 0, 0, 0, 1, 1, 1, 0x80000000 },
	};

	for (size_t i = 0; i < WS_ARRAY_SIZE(heads); i++) {
		fifo_on(FIRST, SVGA2_FIFO_SIZE);
		put(heads[i], 8);
		PUT(SVGA_CMD_FENCE, 99);
		set(SVGA_REG_SYNC, 1);
		assert_true(is_empty());
		assert_int_equal(*word(SVGA_FIFO_FENCE), 0);
		PUT(SVGA_CMD_FENCE, 100 + (u32)i);	/* but it goes on */
		set(SVGA_REG_SYNC, 1);
		assert_int_equal(*word(SVGA_FIFO_FENCE), 100 + i);
		*word(SVGA_FIFO_FENCE) = 0;
	}
}

/* A FIFO full of whatever: every turn ends, and takes what can be taken. */
static void test_noise(void **state)
{
	uint64_t seed = 4711;

	for (u32 round = 0; round < 2000; round++) {
		u32 max = FIRST + 4 * (2 + unit_random(&seed) % 2000);

		fifo_on(FIRST, max);
		for (u32 i = FIRST / 4; i < max / 4; i++)
			*word(i) = unit_random(&seed) % (i & 1 ? 47 : 1200);
		*word(SVGA_FIFO_STOP) = FIRST + unit_random(&seed) % (max - FIRST) / 4 * 4;
		*word(SVGA_FIFO_NEXT_CMD) = FIRST + unit_random(&seed) % (max - FIRST) / 4 * 4;
		set(SVGA_REG_SYNC, 1);
		assert_in_range(*word(SVGA_FIFO_STOP), FIRST, max - 4);
		if (!(round % 100))
			draw();
	}
}

/* ---- the pointer ---- */

static void test_alpha_pointer(void **state)
{
	set(SVGA_REG_WIDTH, 640);
	set(SVGA_REG_HEIGHT, 480);
	fifo_on(FIRST, SVGA2_FIFO_SIZE);
	draw();
	/* Opaque red, and a half of white over what is there. The hot spot is at (1, 0). */
	PUT(SVGA_CMD_DEFINE_ALPHA_CURSOR, 0, 1, 0, 2, 1, 0xffff0000, 0x80808080);
	memset(vga.mem, 0x40, 640 * 4 * 480);
	vga.changed = true;
	set(SVGA_REG_SYNC, 1);
	draw();
	assert_int_equal(dot(0, 0), 0x404040);		/* it is not on */
	set(SVGA_REG_CURSOR_X, 11);
	set(SVGA_REG_CURSOR_Y, 20);
	set(SVGA_REG_CURSOR_ON, 1);
	draw();
	assert_in_range(drawn, 1, 4);
	assert_int_equal(dot(10, 20), 0xff0000);
	assert_int_equal(dot(11, 20), 0x9f9f9f);
	assert_int_equal(dot(12, 20), 0x404040);
	/* Moved by the FIFO's registers, without an exit: seen when somebody looks. */
	*word(SVGA_FIFO_CURSOR_ON) = 1;
	*word(SVGA_FIFO_CURSOR_X) = 0;
	*word(SVGA_FIFO_CURSOR_Y) = 479;
	++*word(SVGA_FIFO_CURSOR_COUNT);
	svga2_look(&svga);
	draw();
	assert_int_equal(dot(10, 20), 0x404040);
	assert_int_equal(dot(0, 479), 0x9f9f9f);	/* its first dot is left of the screen */
	for (u32 i = 0; i < 64; i++) {			/* anywhere at all */
		set(SVGA_REG_CURSOR_X, 0x10000001u * i);
		set(SVGA_REG_CURSOR_Y, 0xffffffffu - 0x1000000 * i);
		set(SVGA_REG_CURSOR_ON, 1);
		draw();
	}
	set(SVGA_REG_CURSOR_ON, 0);
	draw();
	assert_int_equal(dot(0, 479), 0x404040);
}

static void test_mask_pointer(void **state)
{
	set(SVGA_REG_WIDTH, 640);
	set(SVGA_REG_HEIGHT, 480);
	fifo_on(FIRST, SVGA2_FIFO_SIZE);
	memset(vga.mem, 0x40, 640 * 4 * 480);
	set(SVGA_REG_CURSOR_ON, 1);
	/* One line of black, white, screen, and the screen inverted. */
	PUT(SVGA_CMD_DEFINE_CURSOR, 0, 0, 0, 4, 1, 1, 1, 0x30, 0x50);
	set(SVGA_REG_SYNC, 1);
	draw();
	assert_int_equal(dot(0, 0), 0);
	assert_int_equal(dot(1, 0), 0xffffff);
	assert_int_equal(dot(2, 0), 0x404040);
	assert_int_equal(dot(3, 0), 0xbfbfbf);
	/* 24 bits a dot, packed: the second begins in one doubleword and ends in the next. */
	PUT(SVGA_CMD_DEFINE_CURSOR, 0, 0, 0, 3, 1, 1, 24, 0, 0x66112233, 0x88994455, 0x77);
	set(SVGA_REG_SYNC, 1);
	draw();
	assert_int_equal(dot(0, 0), 0x112233);
	assert_int_equal(dot(1, 0), 0x445566);
	assert_int_equal(dot(2, 0), 0x778899);
	/* 16 and 8 bits, and what is larger than a pointer can be. */
	set(SVGA_PALETTE_BASE + 3 * 5 + 1, 0xee);
	PUT(SVGA_CMD_DEFINE_CURSOR, 0, 0, 0, 1, 1, 16, 8, 0xf800, 5);
	set(SVGA_REG_SYNC, 1);
	draw();
	assert_int_equal(dot(0, 0), (0x404040 & 0xf80000) ^ 0x00ee00);
	PUT(SVGA_CMD_DEFINE_ALPHA_CURSOR, 0, 0, 0, 100, 70);
	for (u32 i = 0; i < 7000; i++)
		PUT(0xff000000 | i);
	PUT(SVGA_CMD_FENCE, 3);
	set(SVGA_REG_SYNC, 1);
	draw();
	assert_int_equal(*word(SVGA_FIFO_FENCE), 3);
	assert_int_equal(dot(63, 63), 6363);
	assert_int_equal(dot(64, 63), 0x404040);
}

static void test_fuzz(void **state)
{
	bench_fuzz(&bench, svga2_regions, svga2_n_regions, &svga, 200000);
	bench_fuzz(&bench, svga2_fifo, svga2_n_fifo, &svga, 20000);
	draw();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(identity), TEST(mode), TEST(depths), TEST(fences), TEST(parts), TEST(limits),
		TEST(small), TEST(unknown), TEST(noise), TEST(alpha_pointer), TEST(mask_pointer),
		TEST(fuzz),
	};

	return cmocka_run_group_tests_name("svga2", tests, NULL, NULL);
}
