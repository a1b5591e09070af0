/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VGA with Bochs's VBE extension, which SeaBIOS's vgabios-vmware and every VGA
 * driver know: sequencer, CRTC, graphics and attribute controller, DAC, four
 * planes behind A0000h-BFFFFh (vga.c), linear modes (vbe.c), and the picture that
 * all of it makes (vga_draw.c).
 *
 * Display memory is one array. Byte n of plane p is at 4 n + p. Addresses of
 * the chained modes count bytes of that array (chain 4), or pairs of planes
 * (odd/even): so what a linear mode shows is the array as it is, and the CRTC
 * counts units of four bytes in every mode.
 */
#ifndef VMAPP_DEV_VGA_H
#define VMAPP_DEV_VGA_H

#include "dev.h"

#define VGA_WINDOW	0xa0000		/* of guest physical memory */
#define VGA_WINDOW_SIZE	0x20000
#define VGA_TEXT_BASE	0xb8000		/* colour text, and its 32 KiB */
#define VGA_TEXT_SIZE	0x8000

#define VGA_PAGE	4096u
#define VGA_MEM_MAX	(16u << 20)	/* bytes of display memory */
#define VGA_PAGES_MAX	(VGA_MEM_MAX / VGA_PAGE)

/* The largest picture: what the VBE allows, and what a VGA's CRTC can ask for. */
#define VGA_WIDTH_MAX	4608u
#define VGA_HEIGHT_MAX	2048u

/* Sequencer */
#define VGA_SEQ_CLOCKING	0x01
#define VGA_SEQ_8DOTS		0x01
#define VGA_SEQ_HALF_CLOCK	0x08
#define VGA_SEQ_SCREEN_OFF	0x20
#define VGA_SEQ_MAP_MASK	0x02
#define VGA_SEQ_CHAR_MAP	0x03
#define VGA_SEQ_MEMORY_MODE	0x04
#define VGA_SEQ_ODD_EVEN_OFF	0x04
#define VGA_SEQ_CHAIN4		0x08
#define VGA_SEQ_N		5

/* Graphics controller */
#define VGA_GFX_SET_RESET	0x00
#define VGA_GFX_ENABLE_SET_RESET 0x01
#define VGA_GFX_COMPARE		0x02
#define VGA_GFX_ROTATE		0x03
#define VGA_GFX_READ_MAP	0x04
#define VGA_GFX_MODE		0x05
#define VGA_GFX_READ_MODE1	0x08
#define VGA_GFX_ODD_EVEN	0x10
#define VGA_GFX_SHIFT_CGA	0x20
#define VGA_GFX_SHIFT_256	0x40
#define VGA_GFX_MISC		0x06
#define VGA_GFX_GRAPHICS	0x01
#define VGA_GFX_CHAIN		0x02
#define VGA_GFX_DONT_CARE	0x07
#define VGA_GFX_BIT_MASK	0x08
#define VGA_GFX_N		9

/* CRTC */
#define VGA_CRTC_HDE		0x01	/* horizontal display end */
#define VGA_CRTC_OVERFLOW	0x07
#define VGA_CRTC_PRESET_ROW	0x08
#define VGA_CRTC_MAX_SCAN	0x09
#define VGA_CRTC_DOUBLE		0x80
#define VGA_CRTC_CURSOR_START	0x0a
#define VGA_CRTC_CURSOR_OFF	0x20
#define VGA_CRTC_CURSOR_END	0x0b
#define VGA_CRTC_START_HIGH	0x0c
#define VGA_CRTC_START_LOW	0x0d
#define VGA_CRTC_CURSOR_HIGH	0x0e
#define VGA_CRTC_CURSOR_LOW	0x0f
#define VGA_CRTC_VSYNC_END	0x11
#define VGA_CRTC_PROTECT	0x80	/* registers 0 to 7 */
#define VGA_CRTC_VDE		0x12	/* vertical display end */
#define VGA_CRTC_OFFSET		0x13
#define VGA_CRTC_UNDERLINE	0x14
#define VGA_CRTC_MODE		0x17
#define VGA_CRTC_MAP13		0x01	/* clear: address bit 13 is row scan bit 0 */
#define VGA_CRTC_MAP14		0x02	/* clear: bit 14 is row scan bit 1 */
#define VGA_CRTC_BYTE_MODE	0x40
#define VGA_CRTC_LINE_COMPARE	0x18
#define VGA_CRTC_N		0x19

/* Attribute controller */
#define VGA_ATTR_MODE		0x10
#define VGA_ATTR_GRAPHICS	0x01
#define VGA_ATTR_LINE_GRAPHICS	0x04	/* characters C0h-DFh fill their ninth dot */
#define VGA_ATTR_BLINK		0x08
#define VGA_ATTR_PAN_SPLIT	0x20	/* no panning below the split */
#define VGA_ATTR_P54		0x80
#define VGA_ATTR_OVERSCAN	0x11
#define VGA_ATTR_PLANES		0x12
#define VGA_ATTR_PAN		0x13
#define VGA_ATTR_COLOR_SELECT	0x14
#define VGA_ATTR_N		0x15
#define VGA_ATTR_PAS		0x20	/* of the index: the palette is the screen's */

/* Miscellaneous output */
#define VGA_MISC_COLOR		0x01	/* CRTC at 3D4h, not 3B4h */
#define VGA_MISC_RAM		0x02

/* Bochs's VBE: an index at 1CEh, 16 bits of data at 1CFh. */
#define VBE_INDEX		0x1ce
#define VBE_DATA		0x1cf
#define VBE_ID			0
#define VBE_XRES		1
#define VBE_YRES		2
#define VBE_BPP			3
#define VBE_ENABLE		4
#define VBE_ENABLED		0x01
#define VBE_GETCAPS		0x02
#define VBE_8BIT_DAC		0x20
#define VBE_LFB			0x40
#define VBE_NOCLEAR		0x80
#define VBE_BANK		5
#define VBE_VIRT_WIDTH		6
#define VBE_VIRT_HEIGHT		7
#define VBE_X_OFFSET		8
#define VBE_Y_OFFSET		9
#define VBE_MEMORY		10	/* in units of 64 KiB */
#define VBE_N			11
#define VBE_ID0			0xb0c0	/* to B0C5h: the version */
#define VBE_ID5			0xb0c5
#define VBE_MAX_WIDTH		2560
#define VBE_MAX_HEIGHT		1600

#define VGA_POINTER_MAX	64u		/* dots each way */

/* A mouse pointer, drawn over a linear mode. */
struct vga_pointer {
	u32 x, y;		/* of its first dot; modulo 2^32: it may stick out */
	u32 width, height;
	bool alpha;		/* color is ARGB, multiplied already; false: (dot & keep) ^ color */
	u32 keep[VGA_POINTER_MAX * VGA_POINTER_MAX];
	u32 color[VGA_POINTER_MAX * VGA_POINTER_MAX];
};

/* A linear mode: what it shows is the array as it is. */
struct vga_linear {
	u32 width, height;
	u32 bpp;		/* 8, 15, 16, 24 or 32 */
	u32 stride, start;	/* bytes; all addresses are modulo the array's size */
	const u8 *palette;	/* of 8 bits a pixel: 256 of red, green, blue; NULL: the DAC */
	const struct vga_pointer *pointer;	/* NULL: none */
};

struct vga {
	u8 misc, feature;
	u8 seq_index, seq[VGA_SEQ_N];
	u8 gfx_index, gfx[VGA_GFX_N];
	u8 crtc_index, crtc[VGA_CRTC_N];
	u8 attr_index, attr[VGA_ATTR_N];
	bool attr_data;			/* the next write to 3C0h is data */
	u8 dac[256 * 3];
	u8 dac_mask, dac_state, dac_part, dac_read, dac_write, dac_cache[3];
	u8 latch[4];
	u16 vbe_index, vbe[VBE_N];

	u8 *mem;			/* the owner's; its size is a power of two, 256 KiB and up */
	u32 mem_size;
	u8 *text;			/* VGA_TEXT_SIZE bytes; see struct vga_plain */
	bool text_ram;			/* they stand for B8000h-BFFFFh */
	u64 dirty[VGA_PAGES_MAX / 64];	/* pages written since vga_draw() cleared them */
	bool changed;			/* the whole picture, for a register or a font */
	const struct vga_linear *instead;	/* of its own picture (vga_show_instead()) */
	struct dev_clock clock;		/* monotonic: for the retrace bits */
	struct dev_signal modified;	/* after a register write */
	struct dev_signal touched;	/* before an access to memory that could be plain */
};

/*
 * As after power-on, but for what is in memory. mem, mem_size, text, clock,
 * modified and touched are the caller's to set before.
 */
void vga_reset(struct vga *v);

/**
 * vga_set_text_mode() - what a VGA BIOS does for mode 3, for guests that have none
 * @font: 256 characters of 16 lines; NULL: all blank
 */
void vga_set_text_mode(struct vga *v, const u8 *font);

/*
 * The part of the window that is plain memory now: a store is a store there,
 * without planes, latches or masks. That is text (characters and attributes in
 * turn, which vga_set_text_ram() moves from the planes to @text and back; while
 * they are there, @text is what counts) and the chained modes.
 */
struct vga_plain {
	u32 start, size;	/* guest physical */
	u8 *mem;
};

bool vga_plain(const struct vga *v, struct vga_plain *p);
void vga_set_text_ram(struct vga *v, bool on);

/* Is a linear mode of the VBE on? */
bool vga_is_linear(const struct vga *v);

/*
 * Another part of the adapter shows its own picture of the array, and the VGA none;
 * NULL: no more. To be called again when *@mode has changed.
 */
void vga_show_instead(struct vga *v, const struct vga_linear *mode);
/* Have @n lines of that picture from @first on drawn again. */
void vga_mark_lines(struct vga *v, u32 first, u32 n);

/* ---- the picture ---- */

/* A picture, XRGB of 8 bits each, and what it was drawn from. */
struct vga_surface {
	u32 *pixels;			/* height lines of width; not owned */
	unsigned int width, height;
	u32 *cells;			/* of text modes: width / 8 * height; or NULL */
	bool drawn;			/* false: draw all of it */
};

/* The size of the picture; a screen that is off has one as well. */
void vga_size(const struct vga *v, unsigned int *width, unsigned int *height);

/**
 * vga_draw() - bring a picture up to date
 * @changed: called for each rectangle that was drawn; may be NULL
 *
 * Draws what has changed since the last time for this surface. Only one
 * surface may rely on that: it must be drawn with @follow set, all others with
 * @drawn cleared.
 */
void vga_draw(struct vga *v, struct vga_surface *s, bool follow,
	      void (*changed)(void *ctx, unsigned int x, unsigned int y, unsigned int w,
			      unsigned int h), void *ctx);

/* Text cells: false in a graphics mode. */
struct vga_text {
	unsigned int columns, rows;
	unsigned int cursor;		/* a cell's number; columns * rows and up: none */
};

bool vga_text(const struct vga *v, struct vga_text *t);
/* Character (low byte) and attribute. */
u16 vga_cell(const struct vga *v, const struct vga_text *t, unsigned int n);

/* The window at A0000h, and the array as it is, VGA_MEM_MAX bytes: its device is a vga_array. */
struct vga_array {
	struct vga *vga;
};

extern const struct ws_region vga_regions[], vbe_regions[], vga_memory[], vga_array[];
extern const unsigned int vga_n_regions, vbe_n_regions, vga_n_memory, vga_n_array;

/* ---- between vga.c, vbe.c and vga_draw.c ---- */
void vbe_reset(struct vga *v);
u32 vbe_stride(const struct vga *v);	/* bytes from line to line */

static inline void vga_mark(struct vga *v, u32 addr)
{
	v->dirty[addr / VGA_PAGE / 64] |= 1ull << (addr / VGA_PAGE % 64);
}

#endif
