// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bochs's VBE extension ("Bochs VBE Display API"): linear modes of 8 to 32
 * bits a pixel, set by a handful of 16-bit registers. 4 bits a pixel is the
 * VGA's own planes, only of another size.
 */
#include "vga.h"

#include <string.h>

static bool is_enabled(const struct vga *v)
{
	return v->vbe[VBE_ENABLE] & VBE_ENABLED;
}

bool vga_is_linear(const struct vga *v)
{
	return is_enabled(v) && v->vbe[VBE_BPP] > 4;
}

/* 15 bits a pixel take 16. */
static u32 bits(const struct vga *v)
{
	return v->vbe[VBE_BPP] == 15 ? 16 : v->vbe[VBE_BPP];
}

u32 vbe_stride(const struct vga *v)
{
	return v->vbe[VBE_VIRT_WIDTH] * bits(v) / 8;
}

/* Lines that there is memory for; planes are four to a byte of address. */
static u32 lines(const struct vga *v)
{
	u32 n = vbe_stride(v) ? v->mem_size / vbe_stride(v) : 0;

	return n > 0xffff ? 0xffff : n;
}

static bool is_depth(u32 val)
{
	return val == 4 || val == 8 || val == 15 || val == 16 || val == 24 || val == 32;
}

/* The virtual screen is as wide as it can be and as wide as the mode at least. */
static void set_virtual_width(struct vga *v, u32 width)
{
	if (width < v->vbe[VBE_XRES])
		width = v->vbe[VBE_XRES];
	if (width * bits(v) / 8 * v->vbe[VBE_YRES] > v->mem_size)
		return;
	v->vbe[VBE_VIRT_WIDTH] = (u16)(width & ~7u);
	v->vbe[VBE_VIRT_HEIGHT] = (u16)lines(v);
}

/* A mode that does not fit the memory is not set. */
static void enable(struct vga *v, u16 val)
{
	bool on = val & VBE_ENABLED, was = is_enabled(v);
	u16 *r = v->vbe;

	if (on && (!r[VBE_XRES] || !r[VBE_YRES] ||
		   (u32)r[VBE_XRES] * bits(v) / 8 * r[VBE_YRES] > v->mem_size))
		on = false;
	/* The palette is 6 bits wide or 8. */
	if ((r[VBE_ENABLE] ^ val) & VBE_8BIT_DAC)
		for (unsigned int i = 0; i < sizeof(v->dac); i++)
			v->dac[i] = val & VBE_8BIT_DAC ? (u8)(v->dac[i] << 2) :
							 (u8)(v->dac[i] >> 2);
	r[VBE_ENABLE] = (u16)((val & (VBE_GETCAPS | VBE_8BIT_DAC | VBE_LFB | VBE_NOCLEAR)) |
			      (on ? VBE_ENABLED : 0));
	if (on && !was) {
		vga_set_text_ram(v, false);
		r[VBE_VIRT_WIDTH] = r[VBE_XRES];
		r[VBE_VIRT_HEIGHT] = (u16)lines(v);
		r[VBE_X_OFFSET] = 0;
		r[VBE_Y_OFFSET] = 0;
		if (!(val & VBE_NOCLEAR))
			memset(v->mem, 0, (size_t)vbe_stride(v) * r[VBE_YRES]);
	}
	if (on != was)
		r[VBE_BANK] = 0;
}

static u32 read_port(void *dev, u32 offset, unsigned int size)
{
	const struct vga *v = dev;
	bool caps = v->vbe[VBE_ENABLE] & VBE_GETCAPS;

	(void)size;
	if (offset == 0)
		return v->vbe_index;
	if (v->vbe_index >= VBE_N)
		return 0;
	if (caps && v->vbe_index == VBE_XRES)
		return VBE_MAX_WIDTH;
	if (caps && v->vbe_index == VBE_YRES)
		return VBE_MAX_HEIGHT;
	if (caps && v->vbe_index == VBE_BPP)
		return 32;
	return v->vbe[v->vbe_index];
}

static void set_register(struct vga *v, u16 val)
{
	u16 *r = &v->vbe[v->vbe_index];

	switch (v->vbe_index) {
	case VBE_ID:
		if (val >= VBE_ID0 && val <= VBE_ID5)
			*r = val;
		break;
	case VBE_XRES:
		if (!is_enabled(v) && val <= VBE_MAX_WIDTH && !(val & 7))
			*r = val;
		break;
	case VBE_YRES:
		if (!is_enabled(v) && val <= VBE_MAX_HEIGHT)
			*r = val;
		break;
	case VBE_BPP:
		if (!is_enabled(v) && is_depth(val ? val : 8))
			*r = val ? val : 8;
		break;
	case VBE_ENABLE:
		enable(v, val);
		break;
	case VBE_BANK:
		if (val < v->mem_size / 0x10000)
			*r = val;
		break;
	case VBE_VIRT_WIDTH:
		set_virtual_width(v, val);
		break;
	case VBE_X_OFFSET:
		if (val + v->vbe[VBE_XRES] <= v->vbe[VBE_VIRT_WIDTH])
			*r = val;
		break;
	case VBE_Y_OFFSET:
		if (val + v->vbe[VBE_YRES] <= v->vbe[VBE_VIRT_HEIGHT])
			*r = val;
		break;
	default:	/* read-only, or none */
		break;
	}
}

static void write_port(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct vga *v = dev;

	(void)size;
	if (offset == 0)
		v->vbe_index = (u16)val;
	if (offset == 0 || v->vbe_index >= VBE_N)
		return;
	set_register(v, (u16)val);
	if (v->vbe_index != VBE_BANK)
		v->changed = true;
	dev_signal_raise(&v->modified);
}

void vbe_reset(struct vga *v)
{
	memset(v->vbe, 0, sizeof(v->vbe));
	v->vbe_index = 0;
	v->vbe[VBE_ID] = VBE_ID5;
	v->vbe[VBE_BPP] = 8;
	v->vbe[VBE_MEMORY] = (u16)(v->mem_size / 0x10000);
}

/* The index is the word at 1CEh, the data that at 1CFh: they overlap. */
const struct ws_region vbe_regions[] = {
	{ "vbe", VBE_INDEX, 3, WS_SIZE_2, 0, read_port, write_port },
};

const unsigned int vbe_n_regions = WS_ARRAY_SIZE(vbe_regions);
