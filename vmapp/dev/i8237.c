// SPDX-License-Identifier: GPL-2.0-only
#include "i8237.h"

#include <string.h>

/* Registers of a chip above the channels' addresses and counts. */
#define REG_STATUS	0x8	/* read */
#define REG_COMMAND	0x8	/* write */
#define REG_REQUEST	0x9
#define REG_MASK_ONE	0xa
#define REG_MODE	0xb
#define REG_FLIP_FLOP	0xc
#define REG_CLEAR	0xd	/* master clear */
#define REG_MASK_NONE	0xe
#define REG_MASK_ALL	0xf

#define COMMAND_OFF	0x04	/* controller disable */

#define MODE_CHANNEL	0x03
#define MODE_TYPE	0x0c
#define MODE_TYPE_WRITE	0x04	/* to memory */
#define MODE_TYPE_READ	0x08
#define MODE_AUTOINIT	0x10
#define MODE_DECREMENT	0x20
#define MODE_CASCADE	0xc0

static bool is_open(const struct i8237 *d, unsigned int channel)
{
	const struct i8237_chip *c = &d->chip[channel / 4];

	return !(c->command & COMMAND_OFF) && !(c->mask >> channel % 4 & 1);
}

static bool is_served(const struct i8237 *d, unsigned int channel)
{
	return is_open(d, channel) && (channel >= 4 || is_open(d, I8237_CASCADE));
}

/* After anything that may have opened channels. */
static void tell_waiting(struct i8237 *d)
{
	for (unsigned int i = 0; i < I8237_CHANNELS; i++)
		if ((d->asking >> i & 1) && d->ready[i].raise && is_served(d, i))
			dev_signal_raise(&d->ready[i]);
}

bool i8237_ask(struct i8237 *d, unsigned int channel, bool level)
{
	d->asking = (u8)((d->asking & ~(1u << channel)) | (unsigned int)level << channel);
	return is_served(d, channel);
}

/* ---- transfers ------------------------------------------------------------------- */

static u64 address(const struct i8237_channel *ch, bool words)
{
	if (words)
		return (u64)(ch->page & 0xfe) << 16 | (u64)ch->addr << 1;
	return (u64)ch->page << 16 | ch->addr;
}

/* How many transfers go without a jump of the address, at most @n. */
static u32 run_length(const struct i8237_channel *ch, u32 n)
{
	u32 room = ch->mode & MODE_DECREMENT ? 1 : 0x10000u - ch->addr;

	if (n > ch->count + 1u)
		n = ch->count + 1u;
	return n < room ? n : room;
}

static void move(struct i8237 *d, const struct i8237_channel *ch, bool words,
		 enum i8237_way way, void *buf, u32 bytes)
{
	u8 type = ch->mode & MODE_TYPE;

	if (way == I8237_TO_MEMORY) {
		if (type == MODE_TYPE_WRITE)
			d->memory.write(d->memory.ctx, address(ch, words), buf, bytes);
	} else if (type == MODE_TYPE_READ) {
		d->memory.read(d->memory.ctx, address(ch, words), buf, bytes);
	} else {
		memset(buf, 0xff, bytes);
	}
}

/* @n transfers are done; returns whether that was the last of the count. */
static bool advance(struct i8237 *d, unsigned int channel, u32 n)
{
	struct i8237_channel *ch = &d->channel[channel];
	struct i8237_chip *c = &d->chip[channel / 4];
	u8 bit = (u8)(1u << channel % 4);
	bool last = n == ch->count + 1u;

	ch->addr = (u16)(ch->mode & MODE_DECREMENT ? ch->addr - n : ch->addr + n);
	ch->count = (u16)(ch->count - n);	/* FFFFh after the last */
	if (!last)
		return false;
	c->status |= bit;
	c->request &= (u8)~bit;
	if (ch->mode & MODE_AUTOINIT) {
		ch->addr = ch->base_addr;
		ch->count = ch->base_count;
	} else {
		c->mask |= bit;
	}
	return true;
}

u32 i8237_transfer(struct i8237 *d, unsigned int channel, enum i8237_way way, void *buf,
		   u32 len, bool *tc)
{
	struct i8237_channel *ch = &d->channel[channel];
	unsigned int words = channel > I8237_CASCADE;
	u32 done = 0;

	*tc = false;
	if (!is_served(d, channel) || channel == I8237_CASCADE)
		return 0;
	while ((len - done) >> words && !*tc) {
		u32 n = run_length(ch, (len - done) >> words);

		move(d, ch, words, way, (u8 *)buf + done, n << words);
		*tc = advance(d, channel, n);
		done += n << words;
	}
	return done;
}

/* ---- registers -------------------------------------------------------------------- */

static u32 read_chip(struct i8237 *d, unsigned int n, unsigned int reg)
{
	struct i8237_chip *c = &d->chip[n];
	u8 val;

	if (reg < 8) {
		const struct i8237_channel *ch = &d->channel[n * 4 + reg / 2];
		u16 word = reg & 1 ? ch->count : ch->addr;

		c->high_byte = !c->high_byte;
		return c->high_byte ? word & 0xff : word >> 8;
	}
	switch (reg) {
	case REG_STATUS:
		val = (u8)(c->status | ((d->asking >> n * 4 & 0xf) | c->request) << 4);
		c->status = 0;
		return val;
	case REG_MASK_ALL:
		return c->mask | 0xf0u;
	default:	/* write-only; the temporary register serves what the AT lacks */
		return 0;
	}
}

static void set_byte(u16 *word, bool high, u8 val)
{
	*word = (u16)(high ? (*word & 0xff) | val << 8 : (*word & 0xff00) | val);
}

static void write_chip(struct i8237 *d, unsigned int n, unsigned int reg, u8 val)
{
	struct i8237_chip *c = &d->chip[n];
	struct i8237_channel *ch = &d->channel[n * 4 + (reg < 8 ? reg / 2 : val & MODE_CHANNEL)];
	u8 bit = (u8)(1u << (val & MODE_CHANNEL));

	if (reg < 8) {
		set_byte(reg & 1 ? &ch->base_count : &ch->base_addr, c->high_byte, val);
		set_byte(reg & 1 ? &ch->count : &ch->addr, c->high_byte, val);
		c->high_byte = !c->high_byte;
		return;
	}
	switch (reg) {
	case REG_COMMAND:
		c->command = val;
		break;
	case REG_REQUEST:
		c->request = (u8)(val & 4 ? c->request | bit : c->request & ~bit);
		break;
	case REG_MASK_ONE:
		c->mask = (u8)(val & 4 ? c->mask | bit : c->mask & ~bit);
		break;
	case REG_MODE:
		ch->mode = val & (u8)~MODE_CHANNEL;
		break;
	case REG_FLIP_FLOP:
		c->high_byte = false;
		break;
	case REG_CLEAR:
		*c = (struct i8237_chip){ .mask = 0xf };
		break;
	case REG_MASK_NONE:
		c->mask = 0;
		break;
	default:
		c->mask = val & 0xf;
	}
	tell_waiting(d);
}

static u32 read_bytes(void *dev, u32 offset, unsigned int size)
{
	(void)size;
	return read_chip(dev, 0, offset);
}

static void write_bytes(void *dev, u32 offset, unsigned int size, u32 val)
{
	(void)size;
	write_chip(dev, 0, offset, (u8)val);
}

/* The second chip hangs one address line higher. */
static u32 read_words(void *dev, u32 offset, unsigned int size)
{
	(void)size;
	return read_chip(dev, 1, offset / 2);
}

static void write_words(void *dev, u32 offset, unsigned int size, u32 val)
{
	(void)size;
	write_chip(dev, 1, offset / 2, (u8)val);
}

/* The page register at 80h + @offset: a channel's, or one that is a mere latch. */
static u8 *page_register(struct i8237 *d, u32 offset)
{
	static const s8 channel[16] = {
		-1, 2, 3, 1, -1, -1, -1, 0, -1, 6, 7, 5, -1, -1, -1, 4,
	};

	return channel[offset] < 0 ? &d->pages[offset] : &d->channel[channel[offset]].page;
}

static u32 read_page(void *dev, u32 offset, unsigned int size)
{
	(void)size;
	return *page_register(dev, offset + 1);
}

static void write_page(void *dev, u32 offset, unsigned int size, u32 val)
{
	(void)size;
	*page_register(dev, offset + 1) = (u8)val;
}

void i8237_reset(struct i8237 *d)
{
	memset(d->chip, 0, sizeof(d->chip));
	memset(d->channel, 0, sizeof(d->channel));
	memset(d->pages, 0, sizeof(d->pages));
	d->asking = 0;
	d->chip[0].mask = 0xf;
	d->chip[1].mask = 0xf & ~1;
	d->channel[I8237_CASCADE].mode = MODE_CASCADE;
}

const struct ws_region i8237_regions[] = {
	{ "i8237_bytes", 0x00, 16, WS_SIZE_1, 0, read_bytes, write_bytes },
	/* 80h is where a POST code goes: the VMM's. */
	{ "i8237_pages", 0x81, 15, WS_SIZE_1, 0, read_page, write_page },
	{ "i8237_words", 0xc0, 32, WS_SIZE_1, 0, read_words, write_words },
};

const unsigned int i8237_n_regions = WS_ARRAY_SIZE(i8237_regions);
