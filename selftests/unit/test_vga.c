// SPDX-License-Identifier: GPL-2.0-only
/* The VGA: registers, write and read modes, VBE, and the dots that come out. */
#include "chips.h"

#include "vmapp/dev/vga.h"

#define MEM_SIZE	(4u << 20)

static u8 mem[MEM_SIZE];
static u8 text[VGA_TEXT_SIZE];
static u32 pixels[VGA_WIDTH_MAX * 1024];
static u32 cells[256 * 1024];
static struct bench bench;
static struct vga vga;
static struct vga_surface surface;

static void out(u32 port, u8 val)
{
	bench_out(vga_regions, vga_n_regions, &vga, port, 1, val);
}

static u8 in(u32 port)
{
	return (u8)bench_in(vga_regions, vga_n_regions, &vga, port, 1);
}

static void seq(u8 n, u8 val)
{
	out(0x3c4, n);
	out(0x3c5, val);
}

static void gfx(u8 n, u8 val)
{
	out(0x3ce, n);
	out(0x3cf, val);
}

static void crtc(u8 n, u8 val)
{
	out(0x3d4, n);
	out(0x3d5, val);
}

static void attr(u8 n, u8 val)
{
	in(0x3da);
	out(0x3c0, n);
	out(0x3c0, val);
}

static void vbe(u16 n, u16 val)
{
	bench_out(vbe_regions, vbe_n_regions, &vga, VBE_INDEX, 2, n);
	bench_out(vbe_regions, vbe_n_regions, &vga, VBE_DATA, 2, val);
}

static u16 vbe_read(u16 n)
{
	bench_out(vbe_regions, vbe_n_regions, &vga, VBE_INDEX, 2, n);
	return (u16)bench_in(vbe_regions, vbe_n_regions, &vga, VBE_DATA, 2);
}

static void poke(u32 addr, u8 val)
{
	bench_out(vga_memory, vga_n_memory, &vga, addr - VGA_WINDOW, 1, val);
}

static u8 peek(u32 addr)
{
	return (u8)bench_in(vga_memory, vga_n_memory, &vga, addr - VGA_WINDOW, 1);
}

/* ---- modes, as a BIOS sets them: the databook's tables ---- */

struct mode {
	u8 misc;
	u8 seq[4];		/* from 1 */
	u8 crtc[25];
	u8 mode_control, planes;
	u8 gfx[9];
};

static const struct mode text_80x25 = {
	0x67, { 0x00, 0x03, 0x00, 0x02 },
	{ 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0,
	  0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
	0x0c, 0x0f, { 0, 0, 0, 0, 0, 0x10, 0x0e, 0x0f, 0xff },
};

static const struct mode mode_12h = {
	0xe3, { 0x01, 0x0f, 0x00, 0x06 },
	{ 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0x00, 0x40, 0, 0, 0, 0, 0, 0,
	  0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff },
	0x01, 0x0f, { 0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff },
};

static const struct mode mode_13h = {
	0x63, { 0x01, 0x0f, 0x00, 0x0e },
	{ 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0, 0, 0, 0, 0, 0,
	  0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff },
	0x41, 0x0f, { 0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff },
};

static const struct mode mode_4 = {
	0x63, { 0x09, 0x03, 0x00, 0x02 },
	{ 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0, 0, 0, 0, 0, 0,
	  0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xa2, 0xff },
	0x01, 0x03, { 0, 0, 0, 0, 0, 0x30, 0x0f, 0x0f, 0xff },
};

static void set_mode(const struct mode *m)
{
	out(0x3c2, m->misc);
	for (u8 i = 0; i < 4; i++)
		seq(i + 1, m->seq[i]);
	crtc(0x11, 0);
	for (u8 i = 0; i < 25; i++)
		crtc(i, m->crtc[i]);
	for (u8 i = 0; i < 16; i++)
		attr(i, i);
	attr(0x10, m->mode_control);
	attr(0x12, m->planes);
	attr(0x13, m->mode_control == 0x0c ? 8 : 0);
	for (u8 i = 0; i < 9; i++)
		gfx(i, m->gfx[i]);
	/* Colour n is (n, 2 n, 3 n), of 6 bits each. */
	out(0x3c8, 0);
	for (unsigned int i = 0; i < 256; i++) {
		out(0x3c9, (u8)i);
		out(0x3c9, (u8)(2 * i));
		out(0x3c9, (u8)(3 * i));
	}
	in(0x3da);
	out(0x3c0, 0x20);
}

static u32 six(unsigned int c)
{
	c &= 0x3f;
	return c << 2 | c >> 4;
}

static u32 color(unsigned int n)
{
	return six(n) << 16 | six(2 * n) << 8 | six(3 * n);
}

static unsigned int rectangles, drawn;

static void count(void *ctx, unsigned int x, unsigned int y, unsigned int w, unsigned int h)
{
	assert_ptr_equal(ctx, &vga);
	assert_true(w && h && x + w <= surface.width && y + h <= surface.height);
	rectangles++;
	drawn += w * h;
}

/* As a display does; returns how many dots were drawn. */
static unsigned int draw(void)
{
	unsigned int w, h;

	vga_size(&vga, &w, &h);
	if (w != surface.width || h != surface.height)
		surface = (struct vga_surface){ pixels, w, h, cells, false };
	rectangles = drawn = 0;
	vga_draw(&vga, &surface, true, count, &vga);
	return drawn;
}

static u32 dot(unsigned int x, unsigned int y)
{
	return pixels[y * surface.width + x];
}

static unsigned int touched;

static void on_touched(void *ctx)
{
	touched++;
}

static bool is_text_ram(void)
{
	struct vga_plain p;

	return vga_plain(&vga, &p) && p.mem == text;
}

static int setup(void **state)
{
	memset(&bench, 0, sizeof(bench));
	memset(&vga, 0, sizeof(vga));
	vga.mem = mem;
	vga.mem_size = MEM_SIZE;
	vga.text = text;
	vga.clock = (struct dev_clock){ bench_now, &bench };
	vga.modified = (struct dev_signal){ bench_raise, &bench };
	vga.touched = (struct dev_signal){ on_touched, NULL };
	touched = 0;
	memset(mem, 0, sizeof(mem));
	surface = (struct vga_surface){ 0 };
	vga_reset(&vga);
	return 0;
}

/* ---- registers ---- */

static void test_register_bits(void **state)
{
	static const u8 seq_bits[] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0, 0, 0 };
	static const u8 gfx_bits[] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff, 0 };
	static const u8 attr_bits[] = { 0xef, 0xff, 0x3f, 0x0f, 0x0f, 0 };

	out(0x3c2, 0xff);
	assert_int_equal(in(0x3cc), 0xef);
	for (u8 i = 0; i < sizeof(seq_bits); i++) {
		seq(i, 0xff);
		assert_int_equal(in(0x3c5), seq_bits[i]);
	}
	for (u8 i = 0; i < sizeof(gfx_bits); i++) {
		gfx(i, 0xff);
		assert_int_equal(in(0x3cf), gfx_bits[i]);
	}
	for (u8 i = 0; i < 0x16; i++) {
		attr(i, 0xff);
		assert_int_equal(in(0x3c1), i < 0x10 ? 0x3f : attr_bits[i - 0x10]);
	}
	for (u8 i = 0; i < 0x1a; i++) {
		crtc(i, (u8)(i == 0x11 ? 0x7f : 0xe0 + i));
		assert_int_equal(in(0x3d5), i < 0x19 ? (i == 0x11 ? 0x7f : 0xe0 + i) : 0);
	}
}

static void test_attribute_flip_flop(void **state)
{
	out(0x3c2, VGA_MISC_COLOR);
	in(0x3da);
	out(0x3c0, 0x05);
	out(0x3c0, 0x2a);
	assert_int_equal(in(0x3c0), 0x05);
	assert_int_equal(in(0x3c1), 0x2a);
	out(0x3c0, 0x06);	/* an index again */
	in(0x3da);
	out(0x3c0, 0x07);	/* and again */
	assert_int_equal(in(0x3c0), 0x07);
	/* While the screen has the palette, a CPU cannot write to it. */
	attr(0x25, 0x11);
	in(0x3da);
	out(0x3c0, 0x05);
	assert_int_equal(in(0x3c1), 0x2a);
	attr(0x30, 0x0c);	/* but to the others it can */
	assert_int_equal(vga.attr[VGA_ATTR_MODE], 0x0c);
}

static void test_crtc_protection(void **state)
{
	out(0x3c2, VGA_MISC_COLOR);
	crtc(0x00, 0x5f);
	crtc(0x07, 0x00);
	crtc(0x11, VGA_CRTC_PROTECT);
	crtc(0x00, 0x11);
	crtc(0x07, 0xff);
	crtc(0x12, 0x33);
	assert_int_equal(vga.crtc[0x00], 0x5f);
	assert_int_equal(vga.crtc[0x07], 0x10);
	assert_int_equal(vga.crtc[0x12], 0x33);
}

static void test_monochrome_ports(void **state)
{
	out(0x3c2, 0);		/* the CRTC is at 3B4h */
	crtc(0x0e, 0x12);
	assert_int_equal(vga.crtc[0x0e], 0);
	assert_int_equal(in(0x3d5), 0xff);
	out(0x3b4, 0x0e);
	out(0x3b5, 0x12);
	assert_int_equal(in(0x3b5), 0x12);
	assert_int_equal(in(0x3da), 0xff);
	assert_int_not_equal(in(0x3ba), 0xff);
}

static void test_dac(void **state)
{
	out(0x3c8, 0xff);
	out(0x3c9, 0xc1);	/* two bits too many */
	out(0x3c9, 0x02);
	assert_int_equal(vga.dac[255 * 3], 0);	/* not before the third */
	out(0x3c9, 0x03);
	out(0x3c9, 0x04);
	out(0x3c9, 0x05);
	out(0x3c9, 0x06);
	assert_int_equal(in(0x3c8), 0x01);
	assert_int_equal(in(0x3c7), 0);
	out(0x3c7, 0xff);
	assert_int_equal(in(0x3c7), 3);
	for (u8 i = 1; i < 7; i++)	/* wraps, as does the reading */
		assert_int_equal(in(0x3c9), i);
}

static void test_retrace(void **state)
{
	unsigned int frames = 0, vertical = 0, lines = 0, was = 0;

	out(0x3c2, VGA_MISC_COLOR);
	for (bench.now = 0; bench.now < 1000000000; bench.now += 2000) {
		u8 val = in(0x3da);

		frames += val & 8 && !(was & 8);
		lines += val & 1 && !(was & 1);
		vertical += !!(val & 8);
		if (val & 8)
			assert_true(val & 1);
		was = val;
	}
	assert_in_range(frames, 69, 71);
	assert_in_range(lines, 28000, 32000);
	assert_in_range(vertical, 500000 / 20, 500000 / 12);
}

/* ---- memory ---- */

static void test_windows(void **state)
{
	static const struct {
		u8 select;
		u32 first, last;
	} windows[] = {
		{ 0, 0xa0000, 0xbffff }, { 1, 0xa0000, 0xaffff },
		{ 2, 0xb0000, 0xb7fff }, { 3, 0xb8000, 0xbffff },
	};

	set_mode(&mode_12h);
	for (size_t i = 0; i < WS_ARRAY_SIZE(windows); i++) {
		gfx(VGA_GFX_MISC, (u8)(windows[i].select << 2 | 1));
		poke(windows[i].first, 0x5a);
		assert_int_equal(peek(windows[i].first), 0x5a);
		assert_int_equal(mem[0], 0x5a);
		poke(windows[i].first, 0xa5);
		assert_int_equal(mem[0], 0xa5);
		if (windows[i].last < 0xbffff)
			assert_int_equal(peek(windows[i].last + 1), 0xff);
		if (windows[i].first > 0xa0000)
			assert_int_equal(peek(windows[i].first - 1), 0xff);
	}
	out(0x3c2, VGA_MISC_COLOR);	/* memory is off */
	assert_int_equal(peek(0xb8000), 0xff);
	poke(0xb8000, 0x11);
	assert_int_equal(mem[0], 0xa5);
}

/* Four planes at an address with latches full of known bits, one write each. */
static void test_write_modes(void **state)
{
	static const u8 before[4] = { 0xff, 0x00, 0x55, 0xaa };
	static const struct {
		u8 set, enable, rotate, mode, mask, map, data;
		u8 after[4];
	} rows[] = {
		/* mode 0: data, rotated, set/reset, bit mask, map mask */
		{ 0, 0, 0, 0, 0xff, 0xf, 0x3c, { 0x3c, 0x3c, 0x3c, 0x3c } },
		{ 0, 0, 0, 0, 0xff, 0x5, 0x3c, { 0x3c, 0x00, 0x3c, 0xaa } },
		{ 0, 0, 0, 0, 0x0f, 0xf, 0x3c, { 0xfc, 0x0c, 0x5c, 0xac } },
		{ 0, 0, 3, 0, 0xff, 0xf, 0x81, { 0x30, 0x30, 0x30, 0x30 } },
		{ 0x2, 0xf, 0, 0, 0xff, 0xf, 0x3c, { 0x00, 0xff, 0x00, 0x00 } },
		{ 0x2, 0x3, 0, 0, 0xff, 0xf, 0x3c, { 0x00, 0xff, 0x3c, 0x3c } },
		{ 0, 0, 0x08, 0, 0xff, 0xf, 0x3c, { 0x3c, 0x00, 0x14, 0x28 } },
		{ 0, 0, 0x10, 0, 0xff, 0xf, 0x3c, { 0xff, 0x3c, 0x7d, 0xbe } },
		{ 0, 0, 0x18, 0, 0xff, 0xf, 0x3c, { 0xc3, 0x3c, 0x69, 0x96 } },
		/* mode 1: the latches, whatever the data */
		{ 0xf, 0xf, 0, 1, 0x00, 0xf, 0x3c, { 0xff, 0x00, 0x55, 0xaa } },
		/* mode 2: a colour */
		{ 0xf, 0xf, 0, 2, 0xff, 0xf, 0x06, { 0x00, 0xff, 0xff, 0x00 } },
		{ 0, 0, 0, 2, 0xf0, 0xf, 0x06, { 0x0f, 0xf0, 0xf5, 0x0a } },
		/* mode 3: set/reset where rotated data and bit mask are ones */
		{ 0x9, 0, 0, 3, 0xf0, 0xf, 0x3c, { 0xff, 0x00, 0x45, 0xba } },
		{ 0x9, 0, 4, 3, 0xff, 0xf, 0x3c, { 0xff, 0x00, 0x14, 0xeb } },
	};

	set_mode(&mode_12h);
	for (size_t i = 0; i < WS_ARRAY_SIZE(rows); i++) {
		memcpy(mem + 0x1234 * 4, before, 4);
		memset(vga.dirty, 0, sizeof(vga.dirty));
		gfx(VGA_GFX_SET_RESET, rows[i].set);
		gfx(VGA_GFX_ENABLE_SET_RESET, rows[i].enable);
		gfx(VGA_GFX_ROTATE, rows[i].rotate);
		gfx(VGA_GFX_MODE, rows[i].mode);
		gfx(VGA_GFX_BIT_MASK, rows[i].mask);
		seq(VGA_SEQ_MAP_MASK, rows[i].map);
		peek(0xa1234);		/* fills the latches */
		poke(0xa1234, rows[i].data);
		if (memcmp(mem + 0x1234 * 4, rows[i].after, 4))
			fail_msg("row %zu: %02x %02x %02x %02x", i, mem[0x48d0], mem[0x48d1],
				 mem[0x48d2], mem[0x48d3]);
		assert_int_equal(vga.dirty[0], 1u << (0x48d0 / VGA_PAGE));
	}
}

static void test_read_modes(void **state)
{
	static const u8 planes[4] = { 0xf0, 0xcc, 0xaa, 0xff };
	static const struct {
		u8 compare, care, result;
	} rows[] = {
		{ 0xf, 0xf, 0x80 },	/* colour 15 */
		{ 0x8, 0xf, 0x01 },
		{ 0x9, 0xf, 0x10 },
		{ 0x9, 0xb, 0x30 },	/* whatever plane 2 has */
		{ 0x0, 0x0, 0xff },
		{ 0x0, 0x8, 0x00 },
	};

	set_mode(&mode_12h);
	memcpy(mem, planes, 4);
	for (u8 i = 0; i < 4; i++) {
		gfx(VGA_GFX_READ_MAP, i);
		assert_int_equal(peek(0xa0000), planes[i]);
		assert_memory_equal(vga.latch, planes, 4);
	}
	gfx(VGA_GFX_MODE, VGA_GFX_READ_MODE1);
	for (size_t i = 0; i < WS_ARRAY_SIZE(rows); i++) {
		gfx(VGA_GFX_COMPARE, rows[i].compare);
		gfx(VGA_GFX_DONT_CARE, rows[i].care);
		assert_int_equal(peek(0xa0000), rows[i].result);
	}
}

static void test_text_memory(void **state)
{
	set_mode(&text_80x25);
	poke(0xb8000, 'A');
	poke(0xb8001, 0x1f);
	poke(0xb8002, 'B');
	assert_memory_equal(mem, ((const u8[]){ 'A', 0x1f, 0, 0, 'B', 0, 0, 0 }), 8);
	assert_int_equal(peek(0xb8000), 'A');
	assert_int_equal(peek(0xb8001), 0x1f);
	/* Wider than a byte, as a bus does it. */
	bench_out(vga_memory, vga_n_memory, &vga, 0x18004, 4, 0x1f441f43);
	assert_int_equal(bench_in(vga_memory, vga_n_memory, &vga, 0x18004, 4), 0x1f441f43);
	/* A font goes to plane 2, every byte its own address. */
	seq(VGA_SEQ_MAP_MASK, 4);
	seq(VGA_SEQ_MEMORY_MODE, 6);
	gfx(VGA_GFX_MODE, 0);
	gfx(VGA_GFX_MISC, 4);
	poke(0xa0000 + 'A' * 32 + 1, 0x7e);
	assert_int_equal(mem[('A' * 32 + 1) * 4 + 2], 0x7e);
	assert_int_equal(mem[0], 'A');
}

static void test_text_ram(void **state)
{
	set_mode(&text_80x25);
	assert_true(is_text_ram());
	poke(0xb8000, 'A');
	poke(0xb8fff, 0x42);
	assert_int_equal(touched, 2);
	vga_set_text_ram(&vga, true);
	assert_int_equal(text[0], 'A');
	assert_int_equal(text[0xfff], 0x42);
	text[2] = 'B';		/* the guest, without us */
	poke(0xb8004, 'C');
	assert_int_equal(touched, 2);
	assert_int_equal(peek(0xb8002), 'B');
	assert_int_equal(mem[4], 0);
	vga_set_text_ram(&vga, false);
	assert_int_equal(mem[4], 'B');
	assert_int_equal(mem[8], 'C');
	assert_int_equal(peek(0xb8002), 'B');

	/* Whatever makes a write more than a store ends it. */
	static const struct {
		bool seq;
		u8 n, val;
	} rows[] = {
		{ true, VGA_SEQ_MAP_MASK, 4 }, { true, VGA_SEQ_MAP_MASK, 1 },
		{ true, VGA_SEQ_MEMORY_MODE, 6 }, { true, VGA_SEQ_MEMORY_MODE, 0xe },
		{ false, VGA_GFX_ENABLE_SET_RESET, 1 }, { false, VGA_GFX_ROTATE, 8 },
		{ false, VGA_GFX_READ_MAP, 2 }, { false, VGA_GFX_MODE, 0x11 },
		{ false, VGA_GFX_MODE, 0x00 }, { false, VGA_GFX_MISC, 0x0a },
		{ false, VGA_GFX_MISC, 0x06 }, { false, VGA_GFX_BIT_MASK, 0x7f },
	};
	for (size_t i = 0; i < WS_ARRAY_SIZE(rows); i++) {
		set_mode(&text_80x25);
		assert_true(is_text_ram());
		bench.raised = 0;
		if (rows[i].seq)
			seq(rows[i].n, rows[i].val);
		else
			gfx(rows[i].n, rows[i].val);
		assert_true(bench.raised);
		assert_false(is_text_ram());
	}
}

/* The chained modes are plain memory as well. */
static void test_plain_window(void **state)
{
	struct vga_array array = { &vga };
	struct vga_plain p;

	assert_false(vga_plain(&vga, &p));
	set_mode(&mode_12h);
	assert_false(vga_plain(&vga, &p));
	set_mode(&mode_13h);
	assert_true(vga_plain(&vga, &p));
	assert_int_equal(p.start, 0xa0000);
	assert_int_equal(p.size, 0x10000);
	assert_ptr_equal(p.mem, mem);
	peek(0xa0000);
	assert_int_equal(touched, 1);
	seq(VGA_SEQ_MAP_MASK, 7);
	assert_false(vga_plain(&vga, &p));
	vbe(VBE_XRES, 640);
	vbe(VBE_YRES, 480);
	vbe(VBE_ENABLE, VBE_ENABLED);
	vbe(VBE_BANK, 2);
	assert_true(vga_plain(&vga, &p));
	assert_ptr_equal(p.mem, mem + 0x20000);
	/* The array, through its own rows. */
	bench_out(vga_array, vga_n_array, &array, 0x12345, 4, 0x11223344);
	assert_int_equal(mem[0x12345], 0x44);
	assert_int_equal(bench_in(vga_array, vga_n_array, &array, 0x12347, 2), 0x1122);
	assert_int_equal(vga.dirty[0], 1u << 0x12);
}

static void test_bios_text_mode(void **state)
{
	static u8 font[4096];
	struct vga_text t;

	font['A' * 16 + 3] = 0x81;
	vga_set_text_mode(&vga, font);
	assert_true(vga_text(&vga, &t));
	assert_int_equal(t.columns, 80);
	assert_int_equal(t.rows, 25);
	assert_int_equal(vga_cell(&vga, &t, 1999), 0x0720);
	assert_true(is_text_ram());
	poke(0xb8000, 'A');
	poke(0xb8001, 0x6e);
	draw();
	assert_int_equal(dot(0, 3), 0xffff55);
	assert_int_equal(dot(1, 3), 0xaa5500);
}

/* ---- pictures ---- */

static const u8 glyph_a[16] = { 0, 0x18, 0x24, 0x42, 0x42, 0x7e, 0x42, 0x42, 0x42, 0x81 };

static void load_font(void)
{
	for (unsigned int i = 0; i < 16; i++) {
		mem[('A' * 32 + i) * 4 + 2] = glyph_a[i];
		mem[(0xc4 * 32 + i) * 4 + 2] = i == 7 ? 0xff : 0;	/* a line */
		mem[(0xb0 * 32 + i) * 4 + 2] = i == 7 ? 0xff : 0;	/* as wide, not a line */
		mem[0x4000 * 4 + ('A' * 32 + i) * 4 + 2] = 0xf0;	/* font 1 */
	}
}

static void test_text_dots(void **state)
{
	set_mode(&text_80x25);
	load_font();
	poke(0xb8000 + 2 * 81, 'A');		/* row 1, column 1 */
	poke(0xb8001 + 2 * 81, 0x2e);
	poke(0xb8000 + 2 * 3, 0xc4);
	poke(0xb8001 + 2 * 3, 0x07);
	poke(0xb8000 + 2 * 5, 0xb0);
	poke(0xb8001 + 2 * 5, 0x07);
	assert_int_equal(draw(), 720 * 400);
	assert_int_equal(surface.width, 720);
	assert_int_equal(surface.height, 400);
	for (unsigned int y = 0; y < 16; y++)
		for (unsigned int x = 0; x < 9; x++)
			assert_int_equal(dot(9 + x, 16 + y),
					 color(x < 8 && glyph_a[y] >> (7 - x) & 1 ? 14 : 2));
	for (unsigned int x = 0; x < 9; x++) {
		assert_int_equal(dot(27 + x, 7), color(7));
		assert_int_equal(dot(45 + x, 7), color(x < 8 ? 7 : 0));
	}

	/* Blink on: bit 7 is no colour; off: it is. */
	poke(0xb8001 + 2 * 81, 0xae);
	draw();
	assert_int_equal(dot(9, 16), color(2));
	attr(0x30, 0x04);
	draw();
	assert_int_equal(dot(9, 16), color(10));
	/* Attribute bit 3 selects the other font. */
	seq(VGA_SEQ_CHAR_MAP, 0x04);
	draw();
	assert_int_equal(dot(9, 16), color(14));
	assert_int_equal(dot(13, 16), color(10));
	/* Eight dots wide, and then every dot twice. */
	seq(VGA_SEQ_CLOCKING, 0x01);
	draw();
	assert_int_equal(surface.width, 640);
	assert_int_equal(dot(8, 16), color(14));
	seq(VGA_SEQ_CLOCKING, 0x09);
	draw();
	assert_int_equal(surface.width, 1280);
	assert_int_equal(dot(23, 16), color(14));
	assert_int_equal(dot(24, 16), color(10));
	/* Off is black. */
	seq(VGA_SEQ_CLOCKING, 0x29);
	draw();
	assert_int_equal(dot(23, 16), 0);
}

static void test_text_cells(void **state)
{
	struct vga_text t;

	set_mode(&text_80x25);
	for (unsigned int i = 0; i < 4000; i++)
		poke(0xb8000 + i, (u8)(i / 2 + (i & 1)));
	assert_true(vga_text(&vga, &t));
	assert_int_equal(t.columns, 80);
	assert_int_equal(t.rows, 25);
	assert_int_equal(t.cursor, 0);
	crtc(VGA_CRTC_CURSOR_HIGH, 1);
	crtc(VGA_CRTC_CURSOR_LOW, 4);
	vga_text(&vga, &t);
	assert_int_equal(t.cursor, 260);
	for (unsigned int i = 0; i < 2000; i++)
		assert_int_equal(vga_cell(&vga, &t, i), (i & 0xff) | ((i + 1) & 0xff) << 8);
	/* Two rows further, as a console scrolls; the cursor moves along. */
	crtc(VGA_CRTC_START_LOW, 160);
	vga_text(&vga, &t);
	assert_int_equal(vga_cell(&vga, &t, 0), 160 | 161 << 8);
	assert_int_equal(t.cursor, 100);
	/* The last four rows start from the top of memory. */
	crtc(VGA_CRTC_LINE_COMPARE, (u8)(21 * 16 - 1));
	crtc(VGA_CRTC_OVERFLOW, 0x1f);
	crtc(VGA_CRTC_MAX_SCAN, 0x0f);
	assert_int_equal(vga_cell(&vga, &t, 20 * 80), 1760 % 256 | 1761 % 256 << 8);
	assert_int_equal(vga_cell(&vga, &t, 21 * 80), 0 | 1 << 8);
	/* No cursor: off, or upside down. */
	crtc(VGA_CRTC_CURSOR_START, 0x2d);
	vga_text(&vga, &t);
	assert_int_equal(t.cursor, 2000);
	crtc(VGA_CRTC_CURSOR_START, 0x0f);
	vga_text(&vga, &t);
	assert_int_equal(t.cursor, 2000);
	set_mode(&mode_12h);
	assert_false(vga_text(&vga, &t));
}

/* Only what has changed is drawn, and nothing if nothing has. */
static void test_text_changes(void **state)
{
	set_mode(&text_80x25);
	load_font();
	draw();
	assert_int_equal(draw(), 0);
	poke(0xb8000 + 2 * 161, 'A');
	poke(0xb8000 + 2 * 163, 'A');
	assert_int_equal(draw(), 3 * 9 * 16);	/* a run in a row */
	assert_int_equal(rectangles, 1);
	poke(0xb8000 + 2 * 163, 'A');
	assert_int_equal(draw(), 0);
	crtc(VGA_CRTC_CURSOR_LOW, 81);		/* from 0 to 81 */
	assert_int_equal(draw(), 2 * 9 * 16);
	assert_int_equal(dot(9, 16 + 13), color(0));
	poke(0xb8001 + 2 * 81, 0x07);
	draw();
	assert_int_equal(dot(9, 16 + 12), color(0));
	assert_int_equal(dot(9, 16 + 13), color(7));
	out(0x3c8, 7);				/* a colour concerns all */
	out(0x3c9, 1);
	out(0x3c9, 1);
	out(0x3c9, 1);
	assert_int_equal(draw(), 720 * 400);
	out(0x3c8, 7);				/* the same one none */
	out(0x3c9, 1);
	out(0x3c9, 1);
	out(0x3c9, 1);
	assert_int_equal(draw(), 0);
	/* In plain memory it is the same. */
	vga_set_text_ram(&vga, true);
	assert_int_equal(draw(), 0);
	text[2] = 'A';
	assert_int_equal(draw(), 9 * 16);
}

static void test_planar_dots(void **state)
{
	set_mode(&mode_12h);
	poke(0xa0000 + 80 * 479 + 79, 0x01);	/* all planes: the last dot */
	seq(VGA_SEQ_MAP_MASK, 0x5);
	poke(0xa0000 + 80 + 1, 0xc0);
	draw();
	assert_int_equal(surface.width, 640);
	assert_int_equal(surface.height, 480);
	assert_int_equal(dot(639, 479), color(15));
	assert_int_equal(dot(638, 479), color(0));
	assert_int_equal(dot(8, 1), color(5));
	assert_int_equal(dot(9, 1), color(5));
	assert_int_equal(dot(10, 1), color(0));
	assert_int_equal(draw(), 0);
	poke(0xa0000, 0);	/* a page of it: twelve lines and a part */
	assert_int_equal(draw(), 640 * 13);
	attr(0x33, 3);		/* pan three dots */
	draw();
	assert_int_equal(dot(5, 1), color(5));
	assert_int_equal(dot(7, 1), color(0));
	attr(0x33, 0);
	attr(0x32, 0x3);	/* planes 2 and 3 are not shown */
	draw();
	assert_int_equal(dot(8, 1), color(1));
	attr(0x32, 0xf);
	crtc(VGA_CRTC_START_LOW, 80);	/* a line further */
	draw();
	assert_int_equal(dot(8, 0), color(5));
	/* Below line 99 it is line 0 again. */
	crtc(VGA_CRTC_LINE_COMPARE, 99);
	crtc(VGA_CRTC_OVERFLOW, 0x2e);
	crtc(VGA_CRTC_MAX_SCAN, 0x00);
	draw();
	assert_int_equal(dot(8, 99), color(0));
	assert_int_equal(dot(8, 101), color(5));
}

static void test_256_color_dots(void **state)
{
	set_mode(&mode_13h);
	poke(0xa0000, 0x21);
	poke(0xa0000 + 320 * 199 + 319, 0x7f);
	assert_int_equal(mem[320 * 199 + 319], 0x7f);
	draw();
	assert_int_equal(surface.width, 640);
	assert_int_equal(surface.height, 400);
	for (unsigned int i = 0; i < 4; i++) {	/* every dot twice, in both directions */
		assert_int_equal(dot(i & 1, i / 2), color(0x21));
		assert_int_equal(dot(638 + (i & 1), 398 + i / 2), color(0x7f));
	}
	assert_int_equal(dot(2, 0), color(0));
	assert_int_equal(dot(0, 2), color(0));
	/* "Mode X": the planes one by one. */
	seq(VGA_SEQ_MEMORY_MODE, 0x06);
	seq(VGA_SEQ_MAP_MASK, 0x2);
	poke(0xa0000 + 80, 0x33);	/* plane 1 of the second line */
	draw();
	assert_int_equal(dot(2, 2), color(0x33));
	assert_int_equal(dot(0, 2), color(0));
	out(0x3c6, 0x0f);		/* the DAC's mask */
	draw();
	assert_int_equal(dot(2, 2), color(0x03));
}

static void test_cga_dots(void **state)
{
	set_mode(&mode_4);
	poke(0xb8000, 0x1b);		/* 0, 1, 2, 3 */
	poke(0xb8001, 0xe4);		/* 3, 2, 1, 0 */
	poke(0xba000, 0x40);		/* the second line */
	poke(0xb8050, 0x80);		/* the third */
	draw();
	assert_int_equal(surface.width, 640);
	assert_int_equal(surface.height, 400);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(dot(2 * i, 0), color(i < 4 ? i : 7 - i));
	assert_int_equal(dot(0, 2), color(1));
	assert_int_equal(dot(0, 3), color(1));
	assert_int_equal(dot(0, 4), color(2));
}

/* ---- VBE ---- */

static void set_vbe(u16 x, u16 y, u16 bpp, u16 flags)
{
	vbe(VBE_ENABLE, 0);
	vbe(VBE_XRES, x);
	vbe(VBE_YRES, y);
	vbe(VBE_BPP, bpp);
	vbe(VBE_ENABLE, VBE_ENABLED | flags);
}

static void test_vbe_registers(void **state)
{
	assert_int_equal(vbe_read(VBE_ID), VBE_ID5);
	vbe(VBE_ID, VBE_ID0);
	assert_int_equal(vbe_read(VBE_ID), VBE_ID0);
	vbe(VBE_ID, 0x1234);
	assert_int_equal(vbe_read(VBE_ID), VBE_ID0);
	assert_int_equal(vbe_read(VBE_MEMORY), MEM_SIZE / 0x10000);
	vbe(VBE_ENABLE, VBE_GETCAPS);
	assert_int_equal(vbe_read(VBE_XRES), VBE_MAX_WIDTH);
	assert_int_equal(vbe_read(VBE_YRES), VBE_MAX_HEIGHT);
	assert_int_equal(vbe_read(VBE_BPP), 32);
	set_vbe(800, 600, 32, VBE_LFB);
	assert_int_equal(vbe_read(VBE_ENABLE), VBE_ENABLED | VBE_LFB);
	assert_int_equal(vbe_read(VBE_VIRT_WIDTH), 800);
	assert_int_equal(vbe_read(VBE_VIRT_HEIGHT), MEM_SIZE / 3200);
	vbe(VBE_XRES, 640);		/* not while it is on */
	assert_int_equal(vbe_read(VBE_XRES), 800);
	vbe(VBE_VIRT_WIDTH, 1024);
	assert_int_equal(vbe_read(VBE_VIRT_WIDTH), 1024);
	assert_int_equal(vbe_read(VBE_VIRT_HEIGHT), MEM_SIZE / 4096);
	vbe(VBE_VIRT_WIDTH, 4096);	/* 600 lines of it are not there */
	assert_int_equal(vbe_read(VBE_VIRT_WIDTH), 1024);
	vbe(VBE_Y_OFFSET, MEM_SIZE / 4096 - 600);
	assert_int_equal(vbe_read(VBE_Y_OFFSET), MEM_SIZE / 4096 - 600);
	vbe(VBE_Y_OFFSET, MEM_SIZE / 4096 - 599);
	assert_int_equal(vbe_read(VBE_Y_OFFSET), MEM_SIZE / 4096 - 600);
	vbe(VBE_X_OFFSET, 225);
	assert_int_equal(vbe_read(VBE_X_OFFSET), 0);
	vbe(VBE_BANK, MEM_SIZE / 0x10000);
	assert_int_equal(vbe_read(VBE_BANK), 0);
	/* Modes that cannot be. */
	set_vbe(0, 600, 32, 0);
	assert_false(vga_is_linear(&vga));
	set_vbe(2560, 1600, 32, 0);	/* more than this memory */
	assert_false(vga_is_linear(&vga));
	set_vbe(801, 600, 32, 0);	/* keeps 2560 */
	assert_false(vga_is_linear(&vga));
	set_vbe(640, 480, 7, 0);	/* keeps 32 */
	assert_int_equal(vbe_read(VBE_BPP), 32);
}

static void test_vbe_clears(void **state)
{
	const u32 last = 640 * 480 * 4 - 1;

	mem[last] = 1;
	mem[last + 1] = 2;
	set_vbe(640, 480, 32, VBE_NOCLEAR);
	assert_int_equal(mem[last], 1);
	vbe(VBE_ENABLE, VBE_ENABLED);	/* is on already */
	assert_int_equal(mem[last], 1);
	set_vbe(640, 480, 32, 0);
	assert_int_equal(mem[last], 0);
	assert_int_equal(mem[last + 1], 2);
}

static void test_vbe_banks(void **state)
{
	set_mode(&mode_13h);
	set_vbe(640, 480, 8, 0);
	vbe(VBE_BANK, 3);
	poke(0xa0001, 0x77);
	assert_int_equal(mem[3 * 0x10000 + 1], 0x77);
	assert_int_equal(peek(0xa0001), 0x77);
	draw();
	assert_int_equal(dot((3 * 0x10000 + 1) % 640, (3 * 0x10000 + 1) / 640), color(0x77));
}

static void test_vbe_dots(void **state)
{
	static const struct {
		u16 bpp;
		u8 bytes[4];
		u32 color;
	} rows[] = {
		{ 8, { 0x05 }, 0 },	/* see below */
		{ 15, { 0x1f, 0x7c }, 0xff00ff },
		{ 15, { 0xe0, 0x83 }, 0x00ff00 },
		{ 16, { 0xe0, 0x07 }, 0x00ff00 },
		{ 16, { 0x10, 0x84 }, 0x848284 },
		{ 24, { 0x56, 0x34, 0x12 }, 0x123456 },
		{ 32, { 0x56, 0x34, 0x12, 0xff }, 0x123456 },
	};

	set_mode(&mode_13h);
	for (size_t i = 0; i < WS_ARRAY_SIZE(rows); i++) {
		unsigned int bytes = (rows[i].bpp + 7u) / 8;

		set_vbe(640, 480, rows[i].bpp, VBE_LFB);
		memcpy(mem + (640 * 10 + 20) * bytes, rows[i].bytes, bytes);
		assert_int_equal(draw(), 640 * 480);
		assert_int_equal(surface.height, 480);
		assert_int_equal(dot(20, 10) & 0xffffff, bytes == 1 ? color(5) : rows[i].color);
		assert_int_equal(dot(21, 10), 0);
		/* Lines of a page that was written. */
		assert_int_equal(draw(), 0);
		vga_mark(&vga, 2 * VGA_PAGE);
		assert_int_equal(draw() / 640, (3 * VGA_PAGE - 1) / (640 * bytes) -
				 2 * VGA_PAGE / (640 * bytes) + 1);
	}
	/* The palette with eight bits. */
	set_vbe(640, 480, 8, VBE_8BIT_DAC);
	assert_int_equal(vga.dac[3], 1 << 2);
	out(0x3c8, 5);
	out(0x3c9, 0xff);
	out(0x3c9, 0x80);
	out(0x3c9, 0x01);
	mem[0] = 5;
	draw();
	assert_int_equal(dot(0, 0), 0xff8001);
	/* A window on a larger screen. */
	set_vbe(640, 400, 32, 0);
	vbe(VBE_VIRT_WIDTH, 1024);
	vbe(VBE_X_OFFSET, 3);
	vbe(VBE_Y_OFFSET, 2);
	memcpy(mem + (1024 * 2 + 3) * 4, "\x01\x02\x03", 3);
	draw();
	assert_int_equal(dot(0, 0), 0x030201);
	/* Planes. */
	set_mode(&mode_12h);
	set_vbe(800, 600, 4, 0);
	poke(0xa0000 + 100 * 599 + 99, 0x01);
	draw();
	assert_int_equal(surface.width, 800);
	assert_int_equal(dot(799, 599), color(15));
}

/* Whatever a guest writes, the picture has a size and nothing is out of bounds. */
static void test_fuzz(void **state)
{
	uint64_t seed = 7;

	for (unsigned int i = 0; i < 40000; i++) {
		u32 val = unit_random(&seed);
		unsigned int w, h;

		switch (unit_random(&seed) % 8) {
		case 0:
			seq(val & 7, (u8)(val >> 8));
			break;
		case 1:
			gfx(val & 15, (u8)(val >> 8));
			break;
		case 2:
			crtc(val & 31, (u8)(val >> 8));
			break;
		case 3:
			attr(val & 63, (u8)(val >> 8));
			break;
		case 4:
			vbe(val & 15, (u16)(val >> 8));
			break;
		case 5:
			bench_out(vga_memory, vga_n_memory, &vga, val % (VGA_WINDOW_SIZE - 3), 4, val);
			break;
		case 6:
			bench_in(vga_memory, vga_n_memory, &vga, val % (VGA_WINDOW_SIZE - 3), 4);
			break;
		case 7:
			bench_fuzz(&bench, vga_regions, vga_n_regions, &vga, 4);
		}
		if (unit_random(&seed) % 4 == 0)
			vga_set_text_ram(&vga, is_text_ram());
		vga_size(&vga, &w, &h);
		assert_in_range(w, 1, VGA_WIDTH_MAX);
		assert_in_range(h, 1, VGA_HEIGHT_MAX);
		if (i % 128 == 0 && w * h <= WS_ARRAY_SIZE(pixels))
			draw();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_register_bits, setup),
		cmocka_unit_test_setup(test_attribute_flip_flop, setup),
		cmocka_unit_test_setup(test_crtc_protection, setup),
		cmocka_unit_test_setup(test_monochrome_ports, setup),
		cmocka_unit_test_setup(test_dac, setup),
		cmocka_unit_test_setup(test_retrace, setup),
		cmocka_unit_test_setup(test_windows, setup),
		cmocka_unit_test_setup(test_write_modes, setup),
		cmocka_unit_test_setup(test_read_modes, setup),
		cmocka_unit_test_setup(test_text_memory, setup),
		cmocka_unit_test_setup(test_text_ram, setup),
		cmocka_unit_test_setup(test_plain_window, setup),
		cmocka_unit_test_setup(test_bios_text_mode, setup),
		cmocka_unit_test_setup(test_text_dots, setup),
		cmocka_unit_test_setup(test_text_cells, setup),
		cmocka_unit_test_setup(test_text_changes, setup),
		cmocka_unit_test_setup(test_planar_dots, setup),
		cmocka_unit_test_setup(test_256_color_dots, setup),
		cmocka_unit_test_setup(test_cga_dots, setup),
		cmocka_unit_test_setup(test_vbe_registers, setup),
		cmocka_unit_test_setup(test_vbe_clears, setup),
		cmocka_unit_test_setup(test_vbe_banks, setup),
		cmocka_unit_test_setup(test_vbe_dots, setup),
		cmocka_unit_test_setup(test_fuzz, setup),
	};

	return cmocka_run_group_tests_name("vga", tests, NULL, NULL);
}
