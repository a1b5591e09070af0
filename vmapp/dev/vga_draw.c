// SPDX-License-Identifier: GPL-2.0-only
/*
 * The picture. Every mode is drawn in the dots that a monitor would get: a mode
 * of 320 by 200 has 640 by 400. Neither the cursor nor characters blink, so
 * that a screen on which nothing happens is a screen that nobody has to draw.
 */
#include "vga.h"

#include <string.h>

#define UNITS		0x10000u	/* of four bytes: what a VGA's CRTC counts */
#define DOTS_MAX	(VGA_WIDTH_MAX + 64)	/* a line, and what panning drops of it */

typedef void (*vga_changed_fn)(void *ctx, unsigned int x, unsigned int y, unsigned int w,
			       unsigned int h);

/* The timing that both text and graphics have. */
struct screen {
	unsigned int columns;		/* character clocks */
	unsigned int dots;		/* in each: 8 or 9 */
	unsigned int wide;		/* 1, or 2: every dot twice */
	unsigned int height;
	unsigned int scans;		/* lines of a character row */
	unsigned int doubled;		/* 1: every line twice */
	unsigned int split;		/* the first line below the split */
	u32 start, pitch;		/* in units of four bytes */
};

static bool is_text(const struct vga *v)
{
	return !v->instead && !vga_is_linear(v) && !(v->vbe[VBE_ENABLE] & VBE_ENABLED) &&
	       !(v->gfx[VGA_GFX_MISC] & VGA_GFX_GRAPHICS);
}

static bool is_off(const struct vga *v)
{
	return !(v->attr_index & VGA_ATTR_PAS) || v->seq[VGA_SEQ_CLOCKING] & VGA_SEQ_SCREEN_OFF;
}

/* Planes of the VBE's size: 4 bits a pixel. */
static bool is_vbe_planar(const struct vga *v)
{
	return v->vbe[VBE_ENABLE] & VBE_ENABLED && !vga_is_linear(v);
}

/* The linear mode that is on, if one is. */
static bool linear_mode(const struct vga *v, struct vga_linear *m)
{
	u32 stride = vbe_stride(v);

	if (v->instead) {
		*m = *v->instead;
		return true;
	}
	*m = (struct vga_linear){
		.width = v->vbe[VBE_XRES], .height = v->vbe[VBE_YRES], .bpp = v->vbe[VBE_BPP],
		.stride = stride,
		.start = v->vbe[VBE_Y_OFFSET] * stride +
			 v->vbe[VBE_X_OFFSET] * ((v->vbe[VBE_BPP] + 7u) / 8),
	};
	return vga_is_linear(v);
}

static struct screen get_screen(const struct vga *v)
{
	const u8 *c = v->crtc;
	u8 over = c[VGA_CRTC_OVERFLOW];
	struct screen s = {
		.columns = c[VGA_CRTC_HDE] + 1u,
		.dots = 8,
		.wide = v->seq[VGA_SEQ_CLOCKING] & VGA_SEQ_HALF_CLOCK ? 2 : 1,
		.height = (c[VGA_CRTC_VDE] | (over & 0x02u) << 7 | (over & 0x40u) << 3) + 1,
		.scans = (c[VGA_CRTC_MAX_SCAN] & 0x1fu) + 1,
		.doubled = c[VGA_CRTC_MAX_SCAN] >> 7,
		.split = (c[VGA_CRTC_LINE_COMPARE] | (over & 0x10u) << 4 |
			  (c[VGA_CRTC_MAX_SCAN] & 0x40u) << 3) + 1,
		.start = (u32)c[VGA_CRTC_START_HIGH] << 8 | c[VGA_CRTC_START_LOW],
		.pitch = c[VGA_CRTC_OFFSET] * 2u,
	};

	if (is_text(v) && !(v->seq[VGA_SEQ_CLOCKING] & VGA_SEQ_8DOTS))
		s.dots = 9;
	if (is_vbe_planar(v)) {
		s.columns = v->vbe[VBE_XRES] / 8u;
		s.wide = 1;
		s.height = v->vbe[VBE_YRES];
		s.scans = 1;
		s.doubled = 0;
		s.split = s.height;
		s.pitch = v->vbe[VBE_VIRT_WIDTH] / 8u;
		s.start = v->vbe[VBE_X_OFFSET] / 8u + v->vbe[VBE_Y_OFFSET] * s.pitch;
	}
	return s;
}

void vga_size(const struct vga *v, unsigned int *width, unsigned int *height)
{
	struct screen s = get_screen(v);
	struct vga_linear m;

	if (linear_mode(v, &m)) {
		*width = m.width;
		*height = m.height;
	} else {
		*width = s.columns * s.dots * s.wide;
		*height = s.height;
	}
}

/* ---- colours ---------------------------------------------------------------------- */

static u32 dac_color(const struct vga *v, u8 index)
{
	const u8 *c = v->dac + (index & v->dac_mask) * 3;

	if (v->vbe[VBE_ENABLE] & VBE_8BIT_DAC)
		return (u32)c[0] << 16 | (u32)c[1] << 8 | c[2];
	/* 6 bits to 8: the two high ones come again below. */
	return (u32)(c[0] << 2 | c[0] >> 4) << 16 | (u32)(c[1] << 2 | c[1] >> 4) << 8 |
	       (u32)(c[2] << 2 | c[2] >> 4);
}

/* One of the attribute controller's 16 colours. */
static u32 attr_color(const struct vga *v, unsigned int n)
{
	u8 index = v->attr[n & v->attr[VGA_ATTR_PLANES] & 0xf];
	u8 select = v->attr[VGA_ATTR_COLOR_SELECT];

	if (v->attr[VGA_ATTR_MODE] & VGA_ATTR_P54)
		index = (u8)((index & 0x0f) | (select & 0x3) << 4);
	return dac_color(v, (u8)((index & 0x3f) | (select & 0xc) << 4));
}

static void fill_colors(const struct vga *v, u32 color[256], bool attribute)
{
	for (unsigned int i = 0; i < 256; i++)
		color[i] = attribute ? attr_color(v, i) : dac_color(v, (u8)i);
}

/* ---- text -------------------------------------------------------------------------- */

bool vga_text(const struct vga *v, struct vga_text *t)
{
	struct screen s = get_screen(v);
	u32 cursor = (u32)v->crtc[VGA_CRTC_CURSOR_HIGH] << 8 | v->crtc[VGA_CRTC_CURSOR_LOW];
	u8 first = v->crtc[VGA_CRTC_CURSOR_START], last = v->crtc[VGA_CRTC_CURSOR_END] & 0x1f;
	u32 behind;

	if (!is_text(v))
		return false;
	t->columns = s.columns;
	t->rows = (s.height >> s.doubled) / s.scans;
	t->cursor = t->columns * t->rows;
	behind = (cursor - s.start) & (UNITS - 1);
	if (!(first & VGA_CRTC_CURSOR_OFF) && (first & 0x1f) <= last && s.pitch &&
	    behind / s.pitch < t->rows && behind % s.pitch < t->columns)
		t->cursor = behind / s.pitch * t->columns + behind % s.pitch;
	return true;
}

/* Character and attribute of a unit of memory. */
static u16 unit_cell(const struct vga *v, u32 unit)
{
	const u8 *p;

	unit &= UNITS - 1;
	p = v->mem + unit * 4;
	if (v->text_ram && unit < VGA_TEXT_SIZE / 2)
		p = v->text + unit * 2;
	return (u16)(p[0] | p[1] << 8);
}

static u32 cell_unit(const struct screen *s, unsigned int column, unsigned int row)
{
	unsigned int split = (s->split >> s->doubled) / s->scans;

	if (row >= split)
		return (row - split) * s->pitch + column;
	return s->start + row * s->pitch + column;
}

u16 vga_cell(const struct vga *v, const struct vga_text *t, unsigned int n)
{
	struct screen s = get_screen(v);

	return unit_cell(v, cell_unit(&s, n % t->columns, n / t->columns));
}

/* Where the font of an attribute is: eight of 8 KiB in plane 2, in an odd order. */
static const u8 *font(const struct vga *v, u8 attribute)
{
	u8 map = v->seq[VGA_SEQ_CHAR_MAP];
	unsigned int n = attribute & 8 ? (map >> 2 & 3u) | (map >> 3 & 4u) :
					 (map & 3u) | (map >> 2 & 4u);

	return v->mem + ((n & 3) << 14 | (n & 4) << 11) * 4 + 2;
}

/* A line of a character, the leftmost dot in bit @dots - 1. */
static unsigned int glyph_line(const struct vga *v, u16 cell, unsigned int scan, unsigned int dots)
{
	u8 ch = (u8)cell, attribute = (u8)(cell >> 8);
	unsigned int line = font(v, attribute)[(ch * 32u + scan) * 4];

	if ((v->crtc[VGA_CRTC_UNDERLINE] & 0x1f) == scan && (attribute & 7) == 1)
		line = 0xff;
	if (dots == 8)
		return line;
	line <<= 1;
	if (v->attr[VGA_ATTR_MODE] & VGA_ATTR_LINE_GRAPHICS && ch >= 0xc0 && ch <= 0xdf)
		line |= line >> 1 & 1;
	return line;
}

static void draw_cell(const struct vga *v, const struct screen *s, struct vga_surface *out,
		      unsigned int column, unsigned int row, u16 cell, bool cursor,
		      const u32 color[256])
{
	u8 attribute = (u8)(cell >> 8), first = v->crtc[VGA_CRTC_CURSOR_START] & 0x1f;
	u32 fg = color[attribute & 0xf], bg = color[attribute >> 4];
	unsigned int w = s->dots * s->wide, h = s->scans << s->doubled;

	if (v->attr[VGA_ATTR_MODE] & VGA_ATTR_BLINK)
		bg = color[attribute >> 4 & 7];
	for (unsigned int y = 0; y < h && row * h + y < out->height; y++) {
		unsigned int scan = y >> s->doubled, line = glyph_line(v, cell, scan, s->dots);
		u32 *p = out->pixels + (size_t)(row * h + y) * out->width + column * w;

		if (cursor && scan >= first && scan <= (v->crtc[VGA_CRTC_CURSOR_END] & 0x1f))
			line = ~0u;
		for (unsigned int x = 0; x < w; x++)
			p[x] = line >> (s->dots - 1 - x / s->wide) & 1 ? fg : bg;
	}
}

/* Cells that are not what they were; a row's run of them is one rectangle. */
static void draw_text(const struct vga *v, struct vga_surface *out, bool all,
		      vga_changed_fn changed, void *ctx)
{
	struct screen s = get_screen(v);
	unsigned int w = s.dots * s.wide, h = s.scans << s.doubled;
	struct vga_text t;
	u32 color[256];

	vga_text(v, &t);
	fill_colors(v, color, true);
	for (unsigned int row = 0; row < t.rows; row++) {
		unsigned int first = t.columns, last = 0;

		for (unsigned int column = 0; column < t.columns; column++) {
			unsigned int n = row * t.columns + column;
			u16 cell = unit_cell(v, cell_unit(&s, column, row));
			u32 now = cell | (n == t.cursor ? 1u << 16 : 0);

			if (!all && out->cells && out->cells[n] == now)
				continue;
			if (out->cells)
				out->cells[n] = now;
			draw_cell(v, &s, out, column, row, cell, n == t.cursor, color);
			first = column < first ? column : first;
			last = column;
		}
		if (first < t.columns && changed)
			changed(ctx, first * w, row * h, (last + 1 - first) * w,
				h < out->height - row * h ? h : out->height - row * h);
	}
	/* What is left below the last whole row. */
	if (all && t.rows * h < out->height) {
		memset(out->pixels + (size_t)t.rows * h * out->width, 0,
		       (size_t)(out->height - t.rows * h) * out->width * 4);
		if (changed)
			changed(ctx, 0, t.rows * h, out->width, out->height - t.rows * h);
	}
}

/* ---- graphics of a VGA --------------------------------------------------------------- */

/* The unit of memory that a line starts with. */
static u32 line_unit(const struct vga *v, const struct screen *s, unsigned int y)
{
	unsigned int scan = y, row;
	u32 start = s->start, bytes;

	if (y >= s->split) {
		scan = y - s->split;
		start = 0;
	} else {
		scan += (v->crtc[VGA_CRTC_PRESET_ROW] & 0x1fu) << s->doubled;
	}
	scan >>= s->doubled;
	row = scan / s->scans;
	scan %= s->scans;
	bytes = (start + row * s->pitch) * 4;
	/* CGA's and Hercules's banks of lines, where words are addressed or bytes. */
	if (!(v->crtc[VGA_CRTC_MODE] & VGA_CRTC_MAP13)) {
		unsigned int bit = v->crtc[VGA_CRTC_MODE] & VGA_CRTC_BYTE_MODE ? 15 : 14;

		bytes = (bytes & ~(1u << bit)) | (scan & 1) << bit;
	}
	if (!(v->crtc[VGA_CRTC_MODE] & VGA_CRTC_MAP14))
		bytes = (bytes & ~(1u << 16)) | (scan >> 1 & 1) << 16;
	return bytes / 4;
}

/* Eight dots, four bits each, out of four planes. */
static void planar_dots(const u8 *p, u8 dot[8])
{
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int bit = 7 - i;

		dot[i] = (u8)((p[0] >> bit & 1) | (p[1] >> bit & 1) << 1 |
			      (p[2] >> bit & 1) << 2 | (p[3] >> bit & 1) << 3);
	}
}

/* Eight dots of CGA's four colours: pairs of bits, first of planes 0 and 2. */
static void cga_dots(const u8 *p, u8 dot[8])
{
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int bit = 6 - i % 4 * 2, plane = i / 4;

		dot[i] = (u8)((p[plane] >> bit & 3) | (p[plane + 2] >> bit & 3) << 2);
	}
}

/* Where a unit is in the array. Only the VBE's planes go beyond a VGA's memory. */
static u32 unit_address(const struct vga *v, u32 unit)
{
	return (is_vbe_planar(v) ? unit : unit & (UNITS - 1)) * 4 & (v->mem_size - 1);
}

/* One line of @n units into @dot; 256-colour modes have four dots, each twice. */
static void fetch_line(const struct vga *v, u32 unit, unsigned int n, u8 *dot)
{
	u8 mode = v->gfx[VGA_GFX_MODE];

	for (; n--; unit++, dot += 8) {
		const u8 *p = v->mem + unit_address(v, unit);

		if (is_vbe_planar(v)) {
			planar_dots(p, dot);
		} else if (mode & VGA_GFX_SHIFT_256) {
			for (unsigned int i = 0; i < 8; i++)
				dot[i] = p[i / 2];
		} else if (mode & VGA_GFX_SHIFT_CGA) {
			cga_dots(p, dot);
		} else {
			planar_dots(p, dot);
		}
	}
}

/* Dots to the left; in 256-colour modes the register counts half ones. */
static unsigned int panning(const struct vga *v, const struct screen *s, unsigned int y)
{
	unsigned int pan = v->attr[VGA_ATTR_PAN] & 7u;

	if (y >= s->split && v->attr[VGA_ATTR_MODE] & VGA_ATTR_PAN_SPLIT)
		return 0;
	return pan + (y < s->split ? v->crtc[VGA_CRTC_PRESET_ROW] >> 5 & 3u : 0) * 8;
}

/* Whether [@start, @start + @len) of the array was written; it may wrap at its end. */
static bool is_dirty(const struct vga *v, u32 start, u32 len)
{
	for (u32 page = start / VGA_PAGE; page <= (start + len - 1) / VGA_PAGE; page++) {
		u32 n = page & (v->mem_size / VGA_PAGE - 1);

		if (v->dirty[n / 64] >> (n % 64) & 1)
			return true;
	}
	return false;
}

static void draw_planes(const struct vga *v, struct vga_surface *out, bool all,
			vga_changed_fn changed, void *ctx)
{
	struct screen s = get_screen(v);
	bool direct = v->gfx[VGA_GFX_MODE] & VGA_GFX_SHIFT_256 && !is_vbe_planar(v);
	u8 dot[DOTS_MAX];
	u32 color[256];

	fill_colors(v, color, !direct);
	for (unsigned int y = 0; y < out->height; y++) {
		unsigned int pan = panning(v, &s, y), n = s.columns + pan / 8 + 1;
		u32 unit = line_unit(v, &s, y), *p = out->pixels + (size_t)y * out->width;

		if (!all && !is_dirty(v, unit_address(v, unit), n * 4))
			continue;
		fetch_line(v, unit, n, dot);
		for (unsigned int x = 0; x < out->width; x++)
			p[x] = color[dot[x / s.wide + pan]];
		if (changed)
			changed(ctx, 0, y, out->width, 1);
	}
}

/* ---- linear modes ---------------------------------------------------------------------- */

static u32 expand(unsigned int val, unsigned int width)
{
	return width == 5 ? val << 3 | val >> 2 : val << 2 | val >> 4;
}

static u32 pixel16(u16 c, bool green6)
{
	if (green6)
		return expand(c >> 11, 5) << 16 | expand(c >> 5 & 0x3f, 6) << 8 |
		       expand(c & 0x1f, 5);
	return expand(c >> 10 & 0x1f, 5) << 16 | expand(c >> 5 & 0x1f, 5) << 8 |
	       expand(c & 0x1f, 5);
}

static void draw_linear_line(const struct vga *v, const struct vga_linear *mode, u32 addr, u32 *p,
			     unsigned int width, const u32 color[256])
{
	const u32 wrap = v->mem_size - 1;
	const u8 *m = v->mem;
	unsigned int bytes = (mode->bpp + 7) / 8;

	for (unsigned int x = 0; x < width; x++, addr += bytes) {
		u32 c = m[addr & wrap];

		if (bytes > 1)
			c |= (u32)m[(addr + 1) & wrap] << 8;
		if (bytes > 2)
			c |= (u32)m[(addr + 2) & wrap] << 16;
		if (bytes == 1)
			p[x] = color[c];
		else
			p[x] = bytes == 2 ? pixel16((u16)c, mode->bpp == 16) : c;
	}
}

/* @over is what its alpha leaves of @dot, and itself on top. */
static u32 blend(u32 dot, u32 over)
{
	u32 rest = 255 - (over >> 24), sum, all = 0;

	for (unsigned int shift = 0; shift < 24; shift += 8) {
		sum = (over >> shift & 0xff) + (dot >> shift & 0xff) * rest / 255;
		all |= (sum > 0xff ? 0xff : sum) << shift;
	}
	return all;
}

/* The pointer's part of line @y; what sticks out at the left is far to the right. */
static void draw_pointer(const struct vga_pointer *ptr, u32 y, u32 *p, unsigned int width)
{
	u32 row = y - ptr->y;

	if (row >= ptr->height)
		return;
	for (u32 i = 0; i < ptr->width; i++) {
		u32 x = ptr->x + i, n = row * VGA_POINTER_MAX + i;

		if (x >= width)
			continue;
		p[x] = ptr->alpha ? blend(p[x], ptr->color[n]) :
				    ((p[x] & ptr->keep[n]) ^ ptr->color[n]) & 0xffffff;
	}
}

static void fill_palette(const struct vga *v, const u8 *palette, u32 color[256])
{
	if (!palette) {
		fill_colors(v, color, false);
		return;
	}
	for (unsigned int i = 0; i < 256; i++, palette += 3)
		color[i] = (u32)palette[0] << 16 | (u32)palette[1] << 8 | palette[2];
}

static void draw_linear(const struct vga *v, const struct vga_linear *m, struct vga_surface *out,
			bool all, vga_changed_fn changed, void *ctx)
{
	u32 bytes = (m->bpp + 7) / 8, addr = m->start;
	u32 color[256];

	fill_palette(v, m->palette, color);
	for (unsigned int y = 0; y < out->height; y++, addr += m->stride) {
		u32 *p = out->pixels + (size_t)y * out->width;

		if (!all && !is_dirty(v, addr & (v->mem_size - 1), out->width * bytes))
			continue;
		draw_linear_line(v, m, addr, p, out->width, color);
		if (m->pointer)
			draw_pointer(m->pointer, y, p, out->width);
		if (changed)
			changed(ctx, 0, y, out->width, 1);
	}
}

void vga_mark_lines(struct vga *v, u32 first, u32 n)
{
	const struct vga_linear *m = v->instead;
	u32 bytes;

	if (!m)
		return;
	bytes = m->width * ((m->bpp + 7) / 8);
	for (u32 y = first; y != first + n; y++) {
		u32 addr = m->start + y * m->stride;

		if (y >= m->height)
			continue;
		for (u32 off = 0; off < bytes; off += VGA_PAGE)
			vga_mark(v, (addr + off) & (v->mem_size - 1));
		vga_mark(v, (addr + bytes - 1) & (v->mem_size - 1));
	}
}

/* ---- */

void vga_draw(struct vga *v, struct vga_surface *s, bool follow, vga_changed_fn changed, void *ctx)
{
	bool all = !s->drawn || (follow && v->changed);
	struct vga_linear m;

	if (linear_mode(v, &m)) {
		draw_linear(v, &m, s, all, changed, ctx);
	} else if (is_off(v)) {
		if (all) {
			memset(s->pixels, 0, (size_t)s->width * s->height * 4);
			if (changed)
				changed(ctx, 0, 0, s->width, s->height);
		}
	} else if (is_text(v)) {
		draw_text(v, s, all, changed, ctx);
	} else {
		draw_planes(v, s, all, changed, ctx);
	}
	s->drawn = true;
	if (follow) {
		memset(v->dirty, 0, sizeof(v->dirty));
		v->changed = false;
	}
}
