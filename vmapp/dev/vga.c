// SPDX-License-Identifier: GPL-2.0-only
/* Registers and memory: IBM's "VGA Technical Reference" has the names. */
#include "vga.h"

#include <string.h>

/* Bits that a register has. */
static const u8 seq_bits[VGA_SEQ_N] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
static const u8 gfx_bits[VGA_GFX_N] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };

static u8 attr_bits(unsigned int n)
{
	if (n < VGA_ATTR_MODE)
		return 0x3f;
	switch (n) {
	case VGA_ATTR_MODE:
		return 0xef;
	case VGA_ATTR_OVERSCAN:
		return 0xff;
	case VGA_ATTR_PLANES:
		return 0x3f;
	default:
		return 0x0f;
	}
}

/* What a guest sees changes, whatever it is that was written. */
static void put(struct vga *v, u8 *reg, u8 val)
{
	if (*reg == val)
		return;
	*reg = val;
	v->changed = true;
}

/* ---- display memory ------------------------------------------------------------ */

/* A byte in each plane, of a register with a bit for each. */
static u32 spread(u8 bits)
{
	u32 val = 0;

	for (unsigned int p = 0; p < 4; p++)
		if (bits & 1u << p)
			val |= 0xffu << (8 * p);
	return val;
}

static u32 fourfold(u8 byte)
{
	return byte * 0x01010101u;
}

static u32 get32(const u8 *p)
{
	return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static void put32(u8 *p, u32 val)
{
	for (unsigned int i = 0; i < 4; i++)
		p[i] = (u8)(val >> (8 * i));
}

/* The window that the graphics controller has open: false if @off is not in it. */
static bool in_window(const struct vga *v, u32 *off)
{
	static const struct {
		u32 start, size;
	} windows[4] = {
		{ 0, 0x20000 }, { 0, 0x10000 }, { 0x10000, 0x8000 }, { 0x18000, 0x8000 },
	};
	unsigned int n = v->gfx[VGA_GFX_MISC] >> 2 & 3;

	if (!(v->misc & VGA_MISC_RAM) || *off < windows[n].start ||
	    *off - windows[n].start >= windows[n].size)
		return false;
	*off -= windows[n].start;
	return true;
}

static bool is_chain4(const struct vga *v)
{
	return v->seq[VGA_SEQ_MEMORY_MODE] & VGA_SEQ_CHAIN4 || vga_is_linear(v);
}

/* Where the array has this byte when addresses count bytes; the bank is the VBE's. */
static u32 linear_address(const struct vga *v, u32 off)
{
	return ((u32)v->vbe[VBE_BANK] * 0x10000 + off) & (v->mem_size - 1);
}

/* The four bytes at @off of each plane. */
static u32 planar_address(const struct vga *v, u32 off)
{
	return ((u32)v->vbe[VBE_BANK] * 0x10000 + off * 4) & (v->mem_size - 1);
}

static u8 read_planes(struct vga *v, u32 off)
{
	unsigned int plane = v->gfx[VGA_GFX_READ_MAP];
	u32 differ;

	/* Bit 0 of the address is a plane's, too. */
	if (v->gfx[VGA_GFX_MODE] & VGA_GFX_ODD_EVEN) {
		plane = (plane & 2) | (off & 1);
		off >>= 1;
	}
	memcpy(v->latch, v->mem + planar_address(v, off), 4);
	if (!(v->gfx[VGA_GFX_MODE] & VGA_GFX_READ_MODE1))
		return v->latch[plane];
	differ = (get32(v->latch) ^ spread(v->gfx[VGA_GFX_COMPARE])) &
		 spread(v->gfx[VGA_GFX_DONT_CARE]);
	return (u8)~(differ | differ >> 8 | differ >> 16 | differ >> 24);
}

static u8 read_byte(struct vga *v, u32 off)
{
	if (v->text_ram && off >= VGA_TEXT_BASE - VGA_WINDOW)
		return v->text[off - (VGA_TEXT_BASE - VGA_WINDOW)];
	if (!in_window(v, &off))
		return 0xff;
	if (is_chain4(v))
		return v->mem[linear_address(v, off)];
	return read_planes(v, off);
}

/* Function select: what the latches do to the data. */
static u32 combine(const struct vga *v, u32 val)
{
	u32 latch = get32(v->latch);

	switch (v->gfx[VGA_GFX_ROTATE] >> 3 & 3) {
	case 1:
		return val & latch;
	case 2:
		return val | latch;
	case 3:
		return val ^ latch;
	default:
		return val;
	}
}

static u8 rotate(const struct vga *v, u8 val)
{
	unsigned int n = v->gfx[VGA_GFX_ROTATE] & 7;

	return (u8)(val >> n | val << (8 - n));
}

/* The four bytes that a write of one makes, in write modes 0 to 3. */
static u32 write_value(const struct vga *v, u8 byte)
{
	u32 set = spread(v->gfx[VGA_GFX_SET_RESET]), mask = fourfold(v->gfx[VGA_GFX_BIT_MASK]);
	u32 enable = spread(v->gfx[VGA_GFX_ENABLE_SET_RESET]), val;

	switch (v->gfx[VGA_GFX_MODE] & 3) {
	case 0:
		val = combine(v, (fourfold(rotate(v, byte)) & ~enable) | (set & enable));
		break;
	case 1:
		return get32(v->latch);
	case 2:
		val = combine(v, spread(byte));
		break;
	default:
		mask &= fourfold(rotate(v, byte));
		val = combine(v, set);
	}
	return (val & mask) | (get32(v->latch) & ~mask);
}

static void write_planes(struct vga *v, u32 off, u8 byte)
{
	u8 planes = v->seq[VGA_SEQ_MAP_MASK];
	u32 mask, addr;

	if (!(v->seq[VGA_SEQ_MEMORY_MODE] & VGA_SEQ_ODD_EVEN_OFF)) {
		planes &= off & 1 ? 0xa : 0x5;
		off >>= 1;
	}
	mask = spread(planes);
	addr = planar_address(v, off);
	put32(v->mem + addr, (write_value(v, byte) & mask) | (get32(v->mem + addr) & ~mask));
	vga_mark(v, addr);
	if (planes & 4 && !(v->gfx[VGA_GFX_MISC] & VGA_GFX_GRAPHICS))
		v->changed = true;	/* a font */
}

static void write_byte(struct vga *v, u32 off, u8 byte)
{
	u32 addr;

	if (v->text_ram && off >= VGA_TEXT_BASE - VGA_WINDOW) {
		v->text[off - (VGA_TEXT_BASE - VGA_WINDOW)] = byte;
		return;
	}
	if (!in_window(v, &off))
		return;
	if (!is_chain4(v)) {
		write_planes(v, off, byte);
		return;
	}
	addr = linear_address(v, off);
	if (vga_is_linear(v) || v->seq[VGA_SEQ_MAP_MASK] & 1u << (addr & 3)) {
		v->mem[addr] = byte;
		vga_mark(v, addr);
	}
}

/* ---- plain memory ---------------------------------------------------------------- */

static bool is_plain_text(const struct vga *v)
{
	return !vga_is_linear(v) && !v->vbe[VBE_BANK] && v->seq[VGA_SEQ_MAP_MASK] == 0x3 &&
	       !(v->seq[VGA_SEQ_MEMORY_MODE] & (VGA_SEQ_ODD_EVEN_OFF | VGA_SEQ_CHAIN4)) &&
	       !v->gfx[VGA_GFX_ENABLE_SET_RESET] && !v->gfx[VGA_GFX_ROTATE] &&
	       !(v->gfx[VGA_GFX_READ_MAP] & 2) && v->gfx[VGA_GFX_MODE] == VGA_GFX_ODD_EVEN &&
	       v->gfx[VGA_GFX_MISC] == (3 << 2 | VGA_GFX_CHAIN) &&
	       v->gfx[VGA_GFX_BIT_MASK] == 0xff;
}

bool vga_plain(const struct vga *v, struct vga_plain *p)
{
	if (!(v->misc & VGA_MISC_RAM) || v->instead)
		return false;
	if (is_plain_text(v)) {
		*p = (struct vga_plain){ VGA_TEXT_BASE, VGA_TEXT_SIZE, v->text };
		return true;
	}
	if (!is_chain4(v) || (v->gfx[VGA_GFX_MISC] & 0xc) != 0x4 ||
	    (!vga_is_linear(v) && v->seq[VGA_SEQ_MAP_MASK] != 0xf))
		return false;
	*p = (struct vga_plain){ VGA_WINDOW, 0x10000, v->mem + linear_address(v, 0) };
	return true;
}

void vga_set_text_ram(struct vga *v, bool on)
{
	if (on == v->text_ram)
		return;
	for (u32 i = 0; i < VGA_TEXT_SIZE; i++) {
		u8 *cell = v->mem + (i / 2) * 4 + (i & 1);

		if (on)
			v->text[i] = *cell;
		else
			*cell = v->text[i];
	}
	v->text_ram = on;
}

void vga_show_instead(struct vga *v, const struct vga_linear *mode)
{
	if (mode)
		vga_set_text_ram(v, false);
	v->instead = mode;
	v->changed = true;
	dev_signal_raise(&v->modified);
}

/* Would the access be one to plain memory, if only somebody made it so? */
static void touch(struct vga *v, u32 off)
{
	struct vga_plain p;

	if (!v->text_ram && vga_plain(v, &p) && VGA_WINDOW + off - p.start < p.size)
		dev_signal_raise(&v->touched);
}

static u32 read_memory(void *dev, u32 offset, unsigned int size)
{
	u32 val = 0;

	touch(dev, offset);
	for (unsigned int i = 0; i < size; i++)
		val |= (u32)read_byte(dev, offset + i) << (8 * i);
	return val;
}

static void write_memory(void *dev, u32 offset, unsigned int size, u32 val)
{
	touch(dev, offset);
	for (unsigned int i = 0; i < size; i++)
		write_byte(dev, offset + i, (u8)(val >> (8 * i)));
}

/* ---- registers -------------------------------------------------------------------- */

static void attr_write(struct vga *v, u8 val)
{
	unsigned int n = v->attr_index & 0x1f;

	if (!v->attr_data) {
		v->changed |= (v->attr_index ^ val) & VGA_ATTR_PAS;
		v->attr_index = val & 0x3f;
	} else if (n < VGA_ATTR_N && (n >= VGA_ATTR_MODE || !(v->attr_index & VGA_ATTR_PAS))) {
		put(v, &v->attr[n], val & attr_bits(n));
	}
	v->attr_data = !v->attr_data;
}

/* The cursor and the start of the screen leave no trace in what was drawn elsewhere. */
static void crtc_write(struct vga *v, u8 val)
{
	unsigned int n = v->crtc_index;

	if (n >= VGA_CRTC_N)
		return;
	if (n <= VGA_CRTC_OVERFLOW && v->crtc[VGA_CRTC_VSYNC_END] & VGA_CRTC_PROTECT) {
		if (n == VGA_CRTC_OVERFLOW)	/* but for the line compare bit */
			put(v, &v->crtc[n], (v->crtc[n] & (u8)~0x10) | (val & 0x10));
		return;
	}
	if ((n >= VGA_CRTC_CURSOR_START && n <= VGA_CRTC_CURSOR_LOW) &&
	    !(v->gfx[VGA_GFX_MISC] & VGA_GFX_GRAPHICS))
		v->crtc[n] = val;
	else
		put(v, &v->crtc[n], val);
}

static u8 dac_read(struct vga *v)
{
	u8 val = v->dac[v->dac_read * 3 + v->dac_part];

	if (++v->dac_part == 3) {
		v->dac_part = 0;
		v->dac_read++;
	}
	return val;
}

/* A colour takes effect with its third part. */
static void dac_write(struct vga *v, u8 val)
{
	v->dac_cache[v->dac_part++] = v->vbe[VBE_ENABLE] & VBE_8BIT_DAC ? val : val & 0x3f;
	if (v->dac_part < 3)
		return;
	v->dac_part = 0;
	if (memcmp(v->dac + v->dac_write * 3, v->dac_cache, 3)) {
		memcpy(v->dac + v->dac_write * 3, v->dac_cache, 3);
		v->changed = true;
	}
	v->dac_write++;
}

/*
 * Input status 1. The beam takes 1/70 s for a picture, of which the vertical
 * retrace is the last 1/16, and 32 us for a line.
 */
static u8 retrace(const struct vga *v)
{
	u64 now = v->clock.now(v->clock.ctx), in_frame = now % 14285714, in_line = now % 31777;

	if (in_frame > 14285714 / 16 * 15)
		return 0x09;
	return in_line > 31777 / 5 * 4 ? 0x01 : 0x00;
}

static u32 read_3c0(void *dev, u32 offset, unsigned int size)
{
	struct vga *v = dev;
	unsigned int n = v->attr_index & 0x1f;

	(void)size;
	switch (offset) {
	case 0x0:
		return v->attr_index;
	case 0x1:
		return n < VGA_ATTR_N ? v->attr[n] : 0;
	case 0x2:	/* input status 0: switch sense, a colour monitor is there */
		return 0x10;
	case 0x4:
		return v->seq_index;
	case 0x5:
		return v->seq_index < VGA_SEQ_N ? v->seq[v->seq_index] : 0;
	case 0x6:
		return v->dac_mask;
	case 0x7:
		return v->dac_state;
	case 0x8:
		return v->dac_write;
	case 0x9:
		return dac_read(v);
	case 0xa:
		return v->feature;
	case 0xc:
		return v->misc;
	case 0xe:
		return v->gfx_index;
	case 0xf:
		return v->gfx_index < VGA_GFX_N ? v->gfx[v->gfx_index] : 0;
	default:
		return 0xff;
	}
}

static void write_3c0(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct vga *v = dev;
	u8 byte = (u8)val;

	(void)size;
	switch (offset) {
	case 0x0:
		attr_write(v, byte);
		break;
	case 0x2:
		put(v, &v->misc, byte & 0xef);
		break;
	case 0x4:
		v->seq_index = byte & 7;
		break;
	case 0x5:
		if (v->seq_index < VGA_SEQ_N)
			put(v, &v->seq[v->seq_index], byte & seq_bits[v->seq_index]);
		break;
	case 0x6:
		put(v, &v->dac_mask, byte);
		break;
	case 0x7:
		v->dac_read = byte;
		v->dac_part = 0;
		v->dac_state = 3;
		break;
	case 0x8:
		v->dac_write = byte;
		v->dac_part = 0;
		v->dac_state = 0;
		break;
	case 0x9:
		dac_write(v, byte);
		break;
	case 0xe:
		v->gfx_index = byte & 0xf;
		break;
	case 0xf:
		if (v->gfx_index < VGA_GFX_N)
			put(v, &v->gfx[v->gfx_index], byte & gfx_bits[v->gfx_index]);
		break;
	}
	dev_signal_raise(&v->modified);
}

/* The CRTC's ports follow the monitor: at 3B0h for a monochrome one. */
static bool crtc_is_here(const struct vga *v, bool color)
{
	return !!(v->misc & VGA_MISC_COLOR) == color;
}

static u32 read_crtc(struct vga *v, u32 offset, bool color)
{
	if (!crtc_is_here(v, color))
		return 0xff;
	switch (offset) {
	case 0x4:
		return v->crtc_index;
	case 0x5:
		return v->crtc_index < VGA_CRTC_N ? v->crtc[v->crtc_index] : 0;
	case 0xa:
		v->attr_data = false;
		return retrace(v);
	default:
		return 0xff;
	}
}

static void write_crtc(struct vga *v, u32 offset, u8 val, bool color)
{
	if (!crtc_is_here(v, color))
		return;
	if (offset == 0x4)
		v->crtc_index = val & 0x1f;
	else if (offset == 0x5)
		crtc_write(v, val);
	else if (offset == 0xa)
		v->feature = val & 0x10;
}

static u32 read_3b0(void *dev, u32 offset, unsigned int size)
{
	(void)size;
	return read_crtc(dev, offset, false);
}

static void write_3b0(void *dev, u32 offset, unsigned int size, u32 val)
{
	(void)size;
	write_crtc(dev, offset, (u8)val, false);
}

static u32 read_3d0(void *dev, u32 offset, unsigned int size)
{
	(void)size;
	return read_crtc(dev, offset, true);
}

static void write_3d0(void *dev, u32 offset, unsigned int size, u32 val)
{
	(void)size;
	write_crtc(dev, offset, (u8)val, true);
}

void vga_reset(struct vga *v)
{
	v->text_ram = false;
	v->instead = NULL;
	v->misc = 0;
	v->feature = 0;
	v->seq_index = v->gfx_index = v->crtc_index = v->attr_index = 0;
	memset(v->seq, 0, sizeof(v->seq));
	memset(v->gfx, 0, sizeof(v->gfx));
	memset(v->crtc, 0, sizeof(v->crtc));
	memset(v->attr, 0, sizeof(v->attr));
	v->attr_data = false;
	memset(v->dac, 0, sizeof(v->dac));
	v->dac_mask = 0xff;
	v->dac_state = v->dac_part = v->dac_read = v->dac_write = 0;
	memset(v->latch, 0, sizeof(v->latch));
	vbe_reset(v);
	memset(v->dirty, 0, sizeof(v->dirty));
	v->changed = true;
	dev_signal_raise(&v->modified);
}

/* ---- a BIOS's work ---------------------------------------------------------------- */

static const u8 text_crtc[VGA_CRTC_N] = {
	0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
	0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
};

static const u8 text_seq[VGA_SEQ_N] = { 0x03, 0x00, 0x03, 0x00, 0x02 };
static const u8 text_gfx[VGA_GFX_N] = { 0, 0, 0, 0, 0, 0x10, 0x0e, 0x0f, 0xff };

/* Two bits of intensity for each of red, green and blue, as an EGA has them. */
static u8 ega_part(unsigned int color, unsigned int high, unsigned int low)
{
	return (u8)((color & high ? 0x2a : 0) + (color & low ? 0x15 : 0));
}

void vga_set_text_mode(struct vga *v, const u8 *font)
{
	v->misc = 0x67;
	memcpy(v->crtc, text_crtc, sizeof(v->crtc));
	memcpy(v->seq, text_seq, sizeof(v->seq));
	memcpy(v->gfx, text_gfx, sizeof(v->gfx));
	for (unsigned int i = 0; i < 16; i++)
		v->attr[i] = (u8)(i < 8 ? i : i + 0x30);
	v->attr[6] = 0x14;	/* brown */
	v->attr[VGA_ATTR_MODE] = VGA_ATTR_LINE_GRAPHICS | VGA_ATTR_BLINK;
	v->attr[VGA_ATTR_PLANES] = 0xf;
	v->attr[VGA_ATTR_PAN] = 8;
	v->attr_index = VGA_ATTR_PAS;
	for (unsigned int i = 0; i < 64; i++) {
		v->dac[i * 3] = ega_part(i, 0x04, 0x20);
		v->dac[i * 3 + 1] = ega_part(i, 0x02, 0x10);
		v->dac[i * 3 + 2] = ega_part(i, 0x01, 0x08);
	}
	for (unsigned int i = 0; i < 80 * 25; i++) {
		v->mem[i * 4] = ' ';
		v->mem[i * 4 + 1] = 0x07;
	}
	for (unsigned int i = 0; font && i < 256 * 16; i++)
		v->mem[(i / 16 * 32 + i % 16) * 4 + 2] = font[i];
	v->changed = true;
	dev_signal_raise(&v->modified);
}

/* ---- the array as it is -------------------------------------------------------------- */

static u32 read_array(void *dev, u32 offset, unsigned int size)
{
	const struct vga *v = ((struct vga_array *)dev)->vga;
	u32 val = 0;

	for (unsigned int i = 0; i < size; i++)
		val |= (u32)v->mem[(offset + i) & (v->mem_size - 1)] << (8 * i);
	return val;
}

static void write_array(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct vga *v = ((struct vga_array *)dev)->vga;

	for (unsigned int i = 0; i < size; i++) {
		u32 addr = (offset + i) & (v->mem_size - 1);

		v->mem[addr] = (u8)(val >> (8 * i));
		vga_mark(v, addr);
	}
}

const struct ws_region vga_regions[] = {
	{ "vga_mono", 0x3b0, 12, WS_SIZE_1, 0, read_3b0, write_3b0 },
	{ "vga", 0x3c0, 16, WS_SIZE_1, 0, read_3c0, write_3c0 },
	{ "vga_color", 0x3d0, 16, WS_SIZE_1, 0, read_3d0, write_3d0 },
};

const struct ws_region vga_memory[] = {
	{ "vga_memory", 0, VGA_WINDOW_SIZE, WS_SIZE_1 | WS_SIZE_2 | WS_SIZE_4, 0, read_memory,
	  write_memory },
};

const struct ws_region vga_array[] = {
	{ "vga_array", 0, VGA_MEM_MAX, WS_SIZE_1 | WS_SIZE_2 | WS_SIZE_4, 0, read_array,
	  write_array },
};

const unsigned int vga_n_regions = WS_ARRAY_SIZE(vga_regions);
const unsigned int vga_n_memory = WS_ARRAY_SIZE(vga_memory);
const unsigned int vga_n_array = WS_ARRAY_SIZE(vga_array);
