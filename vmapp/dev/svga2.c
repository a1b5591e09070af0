// SPDX-License-Identifier: GPL-2.0-only
#include "svga2.h"

#include <string.h>

#define CAPABILITIES	(SVGA_CAP_CURSOR | SVGA_CAP_CURSOR_BYPASS | SVGA_CAP_CURSOR_BYPASS_2 | \
			 SVGA_CAP_8BIT_EMULATION | SVGA_CAP_ALPHA_CURSOR | \
			 SVGA_CAP_EXTENDED_FIFO | SVGA_CAP_PITCHLOCK | SVGA_CAP_IRQMASK | \
			 SVGA_CAP_TRACES)
#define FIFO_CAPABILITIES (SVGA_FIFO_CAP_FENCE | SVGA_FIFO_CAP_CURSOR_BYPASS_3 | \
			   SVGA_FIFO_CAP_RESERVE)

#define CURSOR_SHOW	1
#define CURSOR_RESTORE	3		/* ... where it was hidden to draw below it */

#define HEAD_MAX	8		/* doublewords of a command before its data */
#define CURSOR_SIDE_MAX	1024u		/* svga_reg.h's limit: what a command may say */

/* ---- the mode ---- */

static u32 bytes_of(u32 bpp)
{
	return (bpp + 7) / 8;
}

static void update_mode(struct svga2 *s)
{
	struct vga_linear *m = &s->mode;
	bool shown = (s->enable & (SVGA_ENABLE | SVGA_HIDE)) == SVGA_ENABLE;

	m->stride = s->pitch_lock ? s->pitch_lock : m->width * bytes_of(m->bpp);
	m->palette = m->bpp == 8 ? s->palette : NULL;
	if (shown || s->vga->instead)
		vga_show_instead(s->vga, shown ? m : NULL);
}

static void set_size(struct svga2 *s, u32 *side, u32 val, u32 max)
{
	if (!val || val > max)
		return;
	*side = val;
	update_mode(s);
}

static void set_bpp(struct svga2 *s, u32 val)
{
	if (val != 8 && val != 16 && val != 24 && val != 32)
		return;
	s->mode.bpp = val;
	update_mode(s);
}

static u32 color_mask(const struct svga2 *s, unsigned int reg)
{
	static const u32 masks[2][3] = { { 0xf800, 0x07e0, 0x001f }, { 0xff0000, 0xff00, 0xff } };

	return s->mode.bpp == 8 ? 0 : masks[s->mode.bpp > 16][reg - SVGA_REG_RED_MASK];
}

/* ---- the pointer ---- */

/* Where it is now and where it was are drawn again. */
static void move_pointer(struct svga2 *s)
{
	struct vga_pointer *p = &s->pointer;
	bool on = s->cursor_on == CURSOR_SHOW || s->cursor_on == CURSOR_RESTORE;

	if (s->mode.pointer)
		vga_mark_lines(s->vga, p->y, p->height);
	p->x = s->cursor_x - s->hot_x;
	p->y = s->cursor_y - s->hot_y;
	s->mode.pointer = on ? p : NULL;
	if (on)
		vga_mark_lines(s->vga, p->y, p->height);
}

/* ---- the FIFO ---- */

/*
 * The guest may write all of it at any time, so everything is read once. What is
 * read there is not believed: the limits are checked as they are taken.
 */
struct ring {
	u32 min, max, next, stop;	/* bytes from the beginning of the FIFO */
};

static u32 fifo_get(const struct svga2 *s, u32 word)
{
	return __atomic_load_n((const u32 *)(const void *)s->fifo + word, __ATOMIC_ACQUIRE);
}

static void fifo_set(struct svga2 *s, u32 word, u32 val)
{
	__atomic_store_n((u32 *)(void *)s->fifo + word, val, __ATOMIC_SEQ_CST);
}

/* A register of the FIFO is there if commands begin behind it. */
static bool has(const struct ring *r, enum svga_fifo_reg reg)
{
	return r->min > reg * sizeof(u32);
}

/* False: there is no FIFO, or what it says of itself cannot be. */
static bool get_ring(const struct svga2 *s, struct ring *r)
{
	if (!(s->enable & SVGA_ENABLE) || !s->config_done)
		return false;
	r->min = fifo_get(s, SVGA_FIFO_MIN);
	r->max = fifo_get(s, SVGA_FIFO_MAX);
	r->next = fifo_get(s, SVGA_FIFO_NEXT_CMD);
	r->stop = fifo_get(s, SVGA_FIFO_STOP);
	return !((r->min | r->max | r->next | r->stop) & 3) && has(r, SVGA_FIFO_STOP) &&
	       r->max <= SVGA2_FIFO_SIZE && r->min <= r->next && r->next < r->max &&
	       r->min <= r->stop && r->stop < r->max;
}

/* Doublewords that wait. */
static u32 waiting(const struct ring *r)
{
	return (r->next >= r->stop ? r->next - r->stop :
				     r->max - r->stop + r->next - r->min) / sizeof(u32);
}

/* Where doubleword @n of those that wait is. */
static u32 place(const struct ring *r, u32 n)
{
	u32 at = r->stop + n * (u32)sizeof(u32);

	return at < r->max ? at : at - r->max + r->min;
}

static u32 data(const struct svga2 *s, const struct ring *r, u32 n)
{
	return fifo_get(s, place(r, n) / (u32)sizeof(u32));
}

/* Doublewords of a picture whose lines are padded to such. */
static u32 picture_words(u32 width, u32 height, u32 bpp)
{
	return (width * bpp + 31) / 32 * height;
}

static bool is_cursor_depth(u32 bpp)
{
	return bpp == 1 || bpp == 8 || bpp == 16 || bpp == 24 || bpp == 32;
}

static u32 head_words(u32 cmd)
{
	switch (cmd) {
	case SVGA_CMD_NOP:
		return 1;
	case SVGA_CMD_FENCE:
		return 2;
	case SVGA_CMD_UPDATE:
		return 5;
	case SVGA_CMD_UPDATE_VERBOSE:
	case SVGA_CMD_DEFINE_ALPHA_CURSOR:
		return 6;
	case SVGA_CMD_DEFINE_CURSOR:
		return 8;
	default:
		return 0;
	}
}

/* All of a command; 0: there is no such one, or it says what cannot be. */
static u32 command_words(const u32 head[HEAD_MAX])
{
	u32 words = head_words(head[0]);

	if (head[0] != SVGA_CMD_DEFINE_CURSOR && head[0] != SVGA_CMD_DEFINE_ALPHA_CURSOR)
		return words;
	if (head[4] > CURSOR_SIDE_MAX || head[5] > CURSOR_SIDE_MAX)
		return 0;
	if (head[0] == SVGA_CMD_DEFINE_ALPHA_CURSOR)
		return words + picture_words(head[4], head[5], 32);
	if (!is_cursor_depth(head[6]) || !is_cursor_depth(head[7]))
		return 0;
	return words + picture_words(head[4], head[5], head[6]) +
	       picture_words(head[4], head[5], head[7]);
}

/* Dot @x of line @y of a picture that begins at doubleword @from. */
static u32 picture_dot(const struct svga2 *s, const struct ring *r, u32 from, u32 width, u32 bpp,
		       u32 x, u32 y)
{
	u32 bit = x * bpp, at = from + y * picture_words(width, 1, bpp) + bit / 32;
	u32 val = data(s, r, at), i;

	if (bpp == 1)		/* bytes in order, the leftmost dot in the highest bit */
		return val >> ((bit & 0x18) + 7 - (bit & 7)) & 1 ? 0xffffff : 0;
	val >>= bit & 31;
	if ((bit & 31) + bpp > 32)	/* 24 bits may begin in one and end in the next */
		val |= data(s, r, at + 1) << (32 - (bit & 31));
	if (bpp == 16)
		return (val & 0xf800) << 8 | (val & 0x7e0) << 5 | (val & 0x1f) << 3;
	if (bpp != 8)
		return bpp == 24 ? val & 0xffffff : val;
	i = (val & 0xff) * 3;
	return (u32)s->palette[i] << 16 | (u32)s->palette[i + 1] << 8 | s->palette[i + 2];
}

/* What is larger than a pointer can be is cut off. */
static void define_cursor(struct svga2 *s, const struct ring *r, const u32 head[HEAD_MAX])
{
	bool alpha = head[0] == SVGA_CMD_DEFINE_ALPHA_CURSOR;
	u32 width = head[4], height = head[5], and_bpp = head[6], bpp = alpha ? 32 : head[7];
	u32 from = head_words(head[0]), mask = from;
	struct vga_pointer *p = &s->pointer;

	if (!alpha)
		from += picture_words(width, height, and_bpp);
	if (s->mode.pointer)
		vga_mark_lines(s->vga, p->y, p->height);
	p->alpha = alpha;
	p->width = width < VGA_POINTER_MAX ? width : VGA_POINTER_MAX;
	p->height = height < VGA_POINTER_MAX ? height : VGA_POINTER_MAX;
	for (u32 y = 0; y < p->height; y++) {
		for (u32 x = 0; x < p->width; x++) {
			u32 n = y * VGA_POINTER_MAX + x;

			p->color[n] = picture_dot(s, r, from, width, bpp, x, y);
			p->keep[n] = alpha ? 0 : picture_dot(s, r, mask, width, and_bpp, x, y);
		}
	}
	s->hot_x = head[2];
	s->hot_y = head[3];
	move_pointer(s);
}

/* All before it is done: this is where that is said. */
static void pass_fence(struct svga2 *s, const struct ring *r, u32 fence)
{
	if (has(r, SVGA_FIFO_FENCE))
		fifo_set(s, SVGA_FIFO_FENCE, fence);
	s->irq_status |= SVGA_IRQ_ANY_FENCE;
	if (has(r, SVGA_FIFO_FENCE_GOAL) && fifo_get(s, SVGA_FIFO_FENCE_GOAL) == fence)
		s->irq_status |= SVGA_IRQ_FENCE_GOAL;
}

/* One command. Returns its doublewords; 0: it is not all there yet. */
static u32 do_command(struct svga2 *s, const struct ring *r, u32 there)
{
	u32 head[HEAD_MAX] = { data(s, r, 0) }, n = head_words(head[0]), words;

	if (n > there)
		return 0;
	for (u32 i = 1; i < n; i++)
		head[i] = data(s, r, i);
	words = command_words(head);
	/* Nobody knows where the next one begins; the same if it can never be complete. */
	if (!words || words >= (r->max - r->min) / sizeof(u32))
		return there;
	if (words > there)
		return 0;
	switch (head[0]) {
	case SVGA_CMD_DEFINE_CURSOR:
	case SVGA_CMD_DEFINE_ALPHA_CURSOR:
		define_cursor(s, r, head);
		break;
	case SVGA_CMD_FENCE:
		pass_fence(s, r, head[1]);
		break;
	default:	/* UPDATE: the pages that were written are known */
		break;
	}
	return words;
}

static void look_at_cursor(struct svga2 *s, const struct ring *r)
{
	u32 count;

	if (!has(r, SVGA_FIFO_CURSOR_COUNT))
		return;
	count = fifo_get(s, SVGA_FIFO_CURSOR_COUNT);
	if (count == s->cursor_count)
		return;
	s->cursor_count = count;
	s->cursor_on = fifo_get(s, SVGA_FIFO_CURSOR_ON);
	s->cursor_x = fifo_get(s, SVGA_FIFO_CURSOR_X);
	s->cursor_y = fifo_get(s, SVGA_FIFO_CURSOR_Y);
	move_pointer(s);
}

static void update_irq(struct svga2 *s)
{
	dev_irq_set(&s->irq, s->irq_status & s->irq_mask);
}

/*
 * How much there is to do is read once, so a guest that writes on cannot make this
 * go on. BUSY becomes 0 before that: who adds a command afterwards, finds it 0 and
 * rings again.
 */
void svga2_look(struct svga2 *s)
{
	struct ring r;
	u32 left, n;

	if (!get_ring(s, &r))
		return;
	if (has(&r, SVGA_FIFO_BUSY)) {
		fifo_set(s, SVGA_FIFO_BUSY, 0);
		if (!get_ring(s, &r))
			return;
	}
	for (left = waiting(&r); left; left -= n) {
		n = do_command(s, &r, left);
		if (!n)
			break;
		r.stop = place(&r, n);
		fifo_set(s, SVGA_FIFO_STOP, r.stop);
		s->irq_status |= SVGA_IRQ_FIFO_PROGRESS;
	}
	look_at_cursor(s, &r);
	update_irq(s);
}

/* ---- registers ---- */

static u32 read_register(struct svga2 *s, u32 reg)
{
	const struct vga_linear *m = &s->mode;

	switch (reg) {
	case SVGA_REG_ID:
		return s->id;
	case SVGA_REG_ENABLE:
		return s->enable;
	case SVGA_REG_WIDTH:
		return m->width;
	case SVGA_REG_HEIGHT:
		return m->height;
	case SVGA_REG_MAX_WIDTH:
		return VBE_MAX_WIDTH;
	case SVGA_REG_MAX_HEIGHT:
		return VBE_MAX_HEIGHT;
	case SVGA_REG_DEPTH:
		return m->bpp == 32 ? 24 : m->bpp;
	case SVGA_REG_BITS_PER_PIXEL:
		return m->bpp;
	case SVGA_REG_HOST_BITS_PER_PIXEL:
		return 32;
	case SVGA_REG_PSEUDOCOLOR:
		return m->bpp == 8;
	case SVGA_REG_RED_MASK:
	case SVGA_REG_GREEN_MASK:
	case SVGA_REG_BLUE_MASK:
		return color_mask(s, reg);
	case SVGA_REG_BYTES_PER_LINE:
		return m->stride;
	case SVGA_REG_FB_START:
		return pci_bar_base(s->pci, SVGA2_BAR_ARRAY);
	case SVGA_REG_VRAM_SIZE:
		return s->vga->mem_size;
	case SVGA_REG_FB_SIZE:
		return m->stride * m->height;
	case SVGA_REG_CAPABILITIES:
		return CAPABILITIES;
	case SVGA_REG_MEM_START:
		return pci_bar_base(s->pci, SVGA2_BAR_FIFO);
	case SVGA_REG_MEM_SIZE:
		return SVGA2_FIFO_SIZE;
	case SVGA_REG_CONFIG_DONE:
		return s->config_done;
	case SVGA_REG_BUSY:
		svga2_look(s);
		return 0;
	case SVGA_REG_GUEST_ID:
		return s->guest_id;
	case SVGA_REG_CURSOR_X:
		return s->cursor_x;
	case SVGA_REG_CURSOR_Y:
		return s->cursor_y;
	case SVGA_REG_CURSOR_ON:
		return s->cursor_on;
	case SVGA_REG_SCRATCH_SIZE:
		return SVGA2_SCRATCH;
	case SVGA_REG_MEM_REGS:
		return SVGA_FIFO_NUM_REGS;
	case SVGA_REG_NUM_DISPLAYS:
		return 1;
	case SVGA_REG_PITCHLOCK:
		return s->pitch_lock;
	case SVGA_REG_IRQMASK:
		return s->irq_mask;
	case SVGA_REG_TRACES:
		return s->traces;
	default:	/* the palette and scratch are the caller's */
		return 0;
	}
}

static void write_register(struct svga2 *s, u32 reg, u32 val)
{
	switch (reg) {
	case SVGA_REG_ID:	/* which version the guest would like; the answer is whether */
		if (val >= SVGA_ID_0 && val <= SVGA_ID_2)
			s->id = val;
		break;
	case SVGA_REG_ENABLE:
		s->enable = val & (SVGA_ENABLE | SVGA_HIDE);
		update_mode(s);
		break;
	case SVGA_REG_WIDTH:
		set_size(s, &s->mode.width, val, VBE_MAX_WIDTH);
		break;
	case SVGA_REG_HEIGHT:
		set_size(s, &s->mode.height, val, VBE_MAX_HEIGHT);
		break;
	case SVGA_REG_BITS_PER_PIXEL:
		set_bpp(s, val);
		break;
	case SVGA_REG_PITCHLOCK:
		s->pitch_lock = val;
		update_mode(s);
		break;
	case SVGA_REG_CONFIG_DONE:
		s->config_done = val & 1;
		break;
	case SVGA_REG_SYNC:
		svga2_look(s);
		break;
	case SVGA_REG_GUEST_ID:
		s->guest_id = val;
		break;
	case SVGA_REG_CURSOR_X:
		s->cursor_x = val;
		break;
	case SVGA_REG_CURSOR_Y:
		s->cursor_y = val;
		break;
	case SVGA_REG_CURSOR_ON:	/* the last of three: the place is taken over */
		s->cursor_on = val;
		move_pointer(s);
		break;
	case SVGA_REG_IRQMASK:
		s->irq_mask = val;
		update_irq(s);
		break;
	case SVGA_REG_TRACES:
		s->traces = val & 1;
		break;
	default:
		break;
	}
}

static void set_palette(struct svga2 *s, u32 n, u8 val)
{
	s->palette[n] = val;
	if (s->vga->instead && s->mode.palette)
		s->vga->changed = true;
}

static u32 read_port(void *dev, u32 offset, unsigned int size)
{
	struct svga2 *s = dev;

	(void)size;
	switch (offset) {
	case SVGA2_INDEX:
		return s->index;
	case SVGA2_VALUE:
		if (s->index - SVGA_PALETTE_BASE < sizeof(s->palette))
			return s->palette[s->index - SVGA_PALETTE_BASE];
		if (s->index - SVGA_SCRATCH_BASE < SVGA2_SCRATCH)
			return s->scratch[s->index - SVGA_SCRATCH_BASE];
		return read_register(s, s->index);
	case SVGA2_IRQSTATUS:
		return s->irq_status;
	default:
		return 0;
	}
}

static void write_port(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct svga2 *s = dev;

	(void)size;
	switch (offset) {
	case SVGA2_INDEX:
		s->index = val;
		break;
	case SVGA2_VALUE:
		if (s->index - SVGA_PALETTE_BASE < sizeof(s->palette))
			set_palette(s, s->index - SVGA_PALETTE_BASE, (u8)val);
		else if (s->index - SVGA_SCRATCH_BASE < SVGA2_SCRATCH)
			s->scratch[s->index - SVGA_SCRATCH_BASE] = val;
		else
			write_register(s, s->index, val);
		break;
	case SVGA2_IRQSTATUS:	/* ones are acknowledged */
		s->irq_status &= ~val;
		update_irq(s);
		break;
	default:
		break;
	}
}

void svga2_reset(struct svga2 *s)
{
	dev_irq_set(&s->irq, false);
	s->index = s->guest_id = s->enable = s->config_done = s->pitch_lock = 0;
	s->irq_mask = s->irq_status = 0;
	s->id = SVGA_ID_2;
	s->traces = 1;
	s->cursor_x = s->cursor_y = s->cursor_on = s->cursor_count = s->hot_x = s->hot_y = 0;
	memset(s->scratch, 0, sizeof(s->scratch));
	memset(s->palette, 0, sizeof(s->palette));
	memset(&s->pointer, 0, sizeof(s->pointer));
	s->mode = (struct vga_linear){ .width = 1024, .height = 768, .bpp = 32 };
	update_mode(s);
	fifo_set(s, SVGA_FIFO_CAPABILITIES, FIFO_CAPABILITIES);
}

/* ---- the FIFO through the bus, where the VMM does not take it as memory ---- */

static u32 read_fifo(void *dev, u32 offset, unsigned int size)
{
	const struct svga2 *s = dev;
	u32 val = 0;

	memcpy(&val, s->fifo + offset, size);
	return val;
}

static void write_fifo(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct svga2 *s = dev;

	memcpy(s->fifo + offset, &val, size);
}

/* VALUE is the doubleword at 1: they overlap. */
const struct ws_region svga2_regions[] = {
	{ "svga2", 0, SVGA2_PORTS, WS_SIZE_4, 0, read_port, write_port },
};

const struct ws_region svga2_fifo[] = {
	{ "svga2_fifo", 0, SVGA2_FIFO_SIZE, WS_SIZE_1 | WS_SIZE_2 | WS_SIZE_4, 0, read_fifo,
	  write_fifo },
};

const unsigned int svga2_n_regions = WS_ARRAY_SIZE(svga2_regions);
const unsigned int svga2_n_fifo = WS_ARRAY_SIZE(svga2_fifo);
