// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PIC pair's registers and priorities: see core/i8259.h.
 */
#include "core/i8259.h"

#define CASCADE_BIT	0x04	/* of I8259_CASCADE */
#define SPURIOUS	7

/* Which inputs the ELCR can make level-triggered. */
static const u8 elcr_mask[2] = { 0xf8, 0xde };

enum { MASTER, SLAVE };

/* The set bit of highest priority, which is the one after @lowest; @bits is not 0. */
static inline unsigned int first_by_priority(u8 bits, u8 lowest)
{
	unsigned int shift = (lowest + 1) & 7;
	unsigned int turned = (bits | bits << 8) >> shift;

	return (__builtin_ctz(turned) + shift) & 7;
}

/* 0 is the highest. */
static inline unsigned int rank(const struct i8259_chip *chip, unsigned int line)
{
	return (line - chip->lowest - 1) & 7;
}

/* The input that the chip interrupts for now, or -1. */
static int resolve(const struct i8259_pair *pair, unsigned int n)
{
	const struct i8259_chip *chip = &pair->chip[n];
	u8 requests = chip->irr & ~chip->imr;
	u8 serving = chip->isr;
	unsigned int line, top;

	if (!requests || chip->icw)
		return -1;
	line = first_by_priority(requests, chip->lowest);
	if (chip->smm)
		serving &= ~chip->imr;
	if (!serving)
		return line;
	top = first_by_priority(serving, chip->lowest);
	if (rank(chip, line) < rank(chip, top))
		return line;
	/* Special fully nested: one interrupt of the second chip may nest in another. */
	if (chip->sfnm && n == MASTER && line == I8259_CASCADE && line == top)
		return line;
	return -1;
}

/* After a change at the first chip. */
static inline void update_master(struct i8259_pair *pair)
{
	pair->intr = resolve(pair, MASTER) >= 0;
}

/* After a change at chip @n; the second one's output is the first one's input. */
static void update(struct i8259_pair *pair, unsigned int n)
{
	struct i8259_chip *master = &pair->chip[MASTER];
	u8 cascade;

	if (n == SLAVE) {
		cascade = resolve(pair, SLAVE) >= 0 ? CASCADE_BIT : 0;
		if (cascade == (master->lines & CASCADE_BIT))
			return;
		master->lines ^= CASCADE_BIT;
		master->irr = (master->irr & ~CASCADE_BIT) | cascade;
	}
	update_master(pair);
}

void i8259_set_irq(struct i8259_pair *pair, unsigned int line, bool level)
{
	unsigned int n = line / 8 & 1;
	struct i8259_chip *chip = &pair->chip[n];
	u8 bit = 1u << (line & 7);

	if (line == I8259_CASCADE || !(chip->lines & bit) == !level)
		return;
	chip->lines ^= bit;
	/* A rising edge is a request in both trigger modes, and a low input is none. */
	if (level)
		chip->irr |= bit;
	else
		chip->irr &= ~bit;
	if (!(chip->imr & bit))
		update(pair, n);
}

/* The chip's part in an acknowledge: @line goes from requested to in service. */
static void acknowledge(struct i8259_chip *chip, unsigned int line)
{
	u8 bit = 1u << line;

	if (!(chip->elcr & bit))
		chip->irr &= ~bit;
	if (!chip->aeoi)
		chip->isr |= bit;
	else if (chip->rotate_aeoi)
		chip->lowest = line;
}

u8 i8259_ack(struct i8259_pair *pair)
{
	struct i8259_chip *master = &pair->chip[MASTER];
	struct i8259_chip *slave = &pair->chip[SLAVE];
	int line = resolve(pair, MASTER);
	u8 vector;

	if (line < 0)
		return master->base | SPURIOUS;
	acknowledge(master, line);
	vector = master->base | line;
	if (line == I8259_CASCADE) {
		/* The second chip's output falls with its acknowledge, and may rise again. */
		master->lines &= ~CASCADE_BIT;
		line = resolve(pair, SLAVE);
		if (line >= 0)
			acknowledge(slave, line);
		vector = slave->base | (line < 0 ? SPURIOUS : line);
		update(pair, SLAVE);
	}
	update_master(pair);
	return vector;
}

/* The read that follows a poll command is an acknowledge of this chip alone. */
static u8 poll(struct i8259_pair *pair, unsigned int n)
{
	struct i8259_chip *chip = &pair->chip[n];
	int line = resolve(pair, n);

	chip->poll = false;
	if (line < 0)
		return 0;
	acknowledge(chip, line);
	/* The second chip was not asked: it still requests. */
	if (n == MASTER)
		chip->irr |= chip->lines & CASCADE_BIT;
	update(pair, n);
	return I8259_POLL_INT | line;
}

static void end_of_interrupt(struct i8259_chip *chip, u8 ocw2)
{
	u8 serving = chip->isr;
	unsigned int line = ocw2 & I8259_OCW2_LEVEL;

	if (!(ocw2 & I8259_OCW2_SL)) {
		/* In special mask mode a masked input is not ended this way. */
		if (chip->smm)
			serving &= ~chip->imr;
		if (!serving)
			return;
		line = first_by_priority(serving, chip->lowest);
	}
	chip->isr &= ~(1u << line);
	if (ocw2 & I8259_OCW2_R)
		chip->lowest = line;
}

static void write_ocw2(struct i8259_pair *pair, unsigned int n, u8 val)
{
	struct i8259_chip *chip = &pair->chip[n];

	if (val & I8259_OCW2_EOI) {
		end_of_interrupt(chip, val);
	} else if (!(val & I8259_OCW2_SL)) {
		chip->rotate_aeoi = val & I8259_OCW2_R;
		return;
	} else if (val & I8259_OCW2_R) {
		chip->lowest = val & I8259_OCW2_LEVEL;
	}
	update(pair, n);
}

static void write_ocw3(struct i8259_pair *pair, unsigned int n, u8 val)
{
	struct i8259_chip *chip = &pair->chip[n];

	chip->poll = val & I8259_OCW3_P;
	if (val & I8259_OCW3_RR)
		chip->ris = val & I8259_OCW3_RIS;
	if (val & I8259_OCW3_ESMM) {
		chip->smm = val & I8259_OCW3_SMM;
		update(pair, n);
	}
}

/* Edges seen before are forgotten; a level-triggered input that is high is not an edge. */
static void write_icw1(struct i8259_pair *pair, unsigned int n, u8 val)
{
	struct i8259_chip *chip = &pair->chip[n];
	u8 lines = chip->lines;

	*chip = (struct i8259_chip){
		.lines = lines,
		.elcr = chip->elcr,
		.irr = lines & (chip->elcr | (n == MASTER ? CASCADE_BIT : 0)),
		.base = chip->base,
		.lowest = 7,
		.icw = 2,
		.icw1 = val,
	};
	update(pair, n);
}

/* ICW2 to ICW4; the last one that ICW1 announced puts the chip to work. */
static void write_icw(struct i8259_pair *pair, unsigned int n, u8 val)
{
	struct i8259_chip *chip = &pair->chip[n];

	if (chip->icw == 2) {
		chip->base = val & I8259_ICW2_BASE;
	} else if (chip->icw == 4) {
		chip->aeoi = val & I8259_ICW4_AEOI;
		chip->sfnm = val & I8259_ICW4_SFNM;
	}

	chip->icw++;
	if (chip->icw == 3 && chip->icw1 & I8259_ICW1_SNGL)
		chip->icw++;
	if (chip->icw == 5 || (chip->icw == 4 && !(chip->icw1 & I8259_ICW1_IC4))) {
		chip->icw = 0;
		update(pair, n);
	}
}

static void write_imr(struct i8259_pair *pair, unsigned int n, u8 val)
{
	struct i8259_chip *chip = &pair->chip[n];
	u8 changed = chip->imr ^ val;

	chip->imr = val;
	/* Only a request, or in special mask mode a service, feels its mask. */
	if (changed & (chip->irr | chip->isr))
		update(pair, n);
}

static inline void chip_write(struct i8259_pair *pair, unsigned int n, u32 a0, u8 val)
{
	if (a0) {
		if (pair->chip[n].icw)
			write_icw(pair, n, val);
		else
			write_imr(pair, n, val);
	} else if (val & I8259_ICW1) {
		write_icw1(pair, n, val);
	} else if (val & I8259_OCW3) {
		write_ocw3(pair, n, val);
	} else {
		write_ocw2(pair, n, val);
	}
}

static inline u8 chip_read(struct i8259_pair *pair, unsigned int n, u32 a0)
{
	const struct i8259_chip *chip = &pair->chip[n];

	if (chip->poll)
		return poll(pair, n);
	if (a0)
		return chip->imr;
	return chip->ris ? chip->isr : chip->irr;
}

static void elcr_write(struct i8259_pair *pair, unsigned int n, u8 val)
{
	struct i8259_chip *chip = &pair->chip[n];

	chip->elcr = val & elcr_mask[n];
	chip->irr |= chip->lines & chip->elcr;
	update(pair, n);
}

static u32 master_read(void *dev, u32 offset, unsigned int size)
{
	return chip_read(dev, MASTER, offset);
}

static void master_write(void *dev, u32 offset, unsigned int size, u32 val)
{
	chip_write(dev, MASTER, offset, val);
}

static u32 slave_read(void *dev, u32 offset, unsigned int size)
{
	return chip_read(dev, SLAVE, offset);
}

static void slave_write(void *dev, u32 offset, unsigned int size, u32 val)
{
	chip_write(dev, SLAVE, offset, val);
}

static u32 elcr_region_read(void *dev, u32 offset, unsigned int size)
{
	const struct i8259_pair *pair = dev;

	return pair->chip[offset].elcr;
}

static void elcr_region_write(void *dev, u32 offset, unsigned int size, u32 val)
{
	elcr_write(dev, offset, val);
}

const struct ws_region i8259_regions[I8259_REGIONS] = {
	{ "pic0", 0x20, 2, WS_SIZE_1, 0, master_read, master_write },
	{ "pic1", 0xa0, 2, WS_SIZE_1, 0, slave_read, slave_write },
	{ "elcr", 0x4d0, 2, WS_SIZE_1, 0, elcr_region_read, elcr_region_write },
};

static void reset_chip(struct i8259_chip *chip)
{
	*chip = (struct i8259_chip){
		.lines = chip->lines,
		.imr = 0xff,
		.lowest = 7,
	};
}

void i8259_reset(struct i8259_pair *pair)
{
	reset_chip(&pair->chip[MASTER]);
	reset_chip(&pair->chip[SLAVE]);
	pair->chip[MASTER].lines &= ~CASCADE_BIT;
	pair->intr = false;
}

static void get_chip(const struct i8259_chip *chip, struct i8259_chip_state *s)
{
	*s = (struct i8259_chip_state){
		.irr = chip->irr,
		.imr = chip->imr,
		.isr = chip->isr,
		.lines = chip->lines,
		.elcr = chip->elcr,
		.base = chip->base,
		.lowest = chip->lowest,
		.icw = chip->icw,
		.icw1 = chip->icw1,
		.modes = (chip->aeoi ? I8259_STATE_AEOI : 0) |
			 (chip->sfnm ? I8259_STATE_SFNM : 0) |
			 (chip->smm ? I8259_STATE_SMM : 0) |
			 (chip->ris ? I8259_STATE_RIS : 0) |
			 (chip->poll ? I8259_STATE_POLL : 0) |
			 (chip->rotate_aeoi ? I8259_STATE_ROTATE_AEOI : 0),
	};
}

void i8259_get(const struct i8259_pair *pair, struct i8259_pair_state *state)
{
	get_chip(&pair->chip[MASTER], &state->chip[MASTER]);
	get_chip(&pair->chip[SLAVE], &state->chip[SLAVE]);
}

static bool chip_state_valid(const struct i8259_chip_state *s, unsigned int n)
{
	u8 derived = n == MASTER ? CASCADE_BIT : 0;
	unsigned int i;

	for (i = 0; i < sizeof(s->pad); i++)
		if (s->pad[i])
			return false;
	if (s->icw > 4 || s->icw == 1 || (s->icw && !(s->icw1 & I8259_ICW1)))
		return false;
	/* A word is only waited for if ICW1 announced it. */
	if ((s->icw == 3 && s->icw1 & I8259_ICW1_SNGL) ||
	    (s->icw == 4 && !(s->icw1 & I8259_ICW1_IC4)))
		return false;
	return !(s->elcr & ~elcr_mask[n]) && !(s->base & ~I8259_ICW2_BASE) && s->lowest <= 7 &&
	       s->modes < I8259_STATE_ROTATE_AEOI << 1 &&
	       !(s->irr & ~s->lines & ~derived) &&
	       !(s->lines & s->elcr & ~s->irr);
}

static void set_chip(struct i8259_chip *chip, const struct i8259_chip_state *s)
{
	*chip = (struct i8259_chip){
		.irr = s->irr,
		.imr = s->imr,
		.isr = s->isr,
		.lines = s->lines,
		.elcr = s->elcr,
		.base = s->base,
		.lowest = s->lowest,
		.icw = s->icw,
		.icw1 = s->icw1,
		.aeoi = s->modes & I8259_STATE_AEOI,
		.sfnm = s->modes & I8259_STATE_SFNM,
		.smm = s->modes & I8259_STATE_SMM,
		.ris = s->modes & I8259_STATE_RIS,
		.poll = s->modes & I8259_STATE_POLL,
		.rotate_aeoi = s->modes & I8259_STATE_ROTATE_AEOI,
	};
}

int i8259_set(struct i8259_pair *pair, const struct i8259_pair_state *state)
{
	struct i8259_chip *master = &pair->chip[MASTER];

	if (!chip_state_valid(&state->chip[MASTER], MASTER) ||
	    !chip_state_valid(&state->chip[SLAVE], SLAVE))
		return -WS_EINVAL;
	set_chip(master, &state->chip[MASTER]);
	set_chip(&pair->chip[SLAVE], &state->chip[SLAVE]);
	master->lines &= ~CASCADE_BIT;
	master->irr &= ~CASCADE_BIT;
	update(pair, SLAVE);
	update_master(pair);
	return 0;
}
