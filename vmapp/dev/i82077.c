// SPDX-License-Identifier: GPL-2.0-only
#include "i82077.h"

#include <string.h>

#define REG_SRA		0
#define REG_SRB		1
#define REG_DOR		2
#define REG_TDR		3
#define REG_MSR		4	/* read; write: DSR */
#define REG_FIFO	5

#define DOR_DRIVE	0x03
#define DOR_RUN		0x04	/* 0: reset */
#define DOR_DMA		0x08	/* the lines IRQ and DRQ are driven */
#define DOR_MOTOR(n)	(0x10u << (n))

#define DSR_RESET	0x80
#define DSR_RATE	0x03

#define MSR_RQM		0x80
#define MSR_DIO		0x40	/* to the guest */
#define MSR_NON_DMA	0x20
#define MSR_BUSY	0x10

#define SRA_INT		0x80
#define DIR_CHANGED	0x80

#define ST0_ABNORMAL	0x40
#define ST0_INVALID	0x80
#define ST0_POLLING	0xc0
#define ST0_SEEK_END	0x20
#define ST0_CHECK	0x10
#define ST0_HEAD	0x04
#define ST1_END		0x80
#define ST1_DATA_ERROR	0x20
#define ST1_NO_DATA	0x04
#define ST1_PROTECTED	0x02
#define ST1_NO_ADDRESS	0x01
#define ST2_WRONG_CYL	0x10
#define ST3_PROTECTED	0x40
#define ST3_READY	0x28	/* and two-sided */
#define ST3_TRACK0	0x10

#define SPECIFY_NON_DMA	0x01	/* in the second byte */
#define CONFIG_POLL_OFF	0x10
#define CONFIG_IMPLIED	0x40	/* a seek before a transfer */

#define SECTOR_CODE	2	/* N of 512 bytes */
#define LAST_CYLINDER	85

static const struct i82077_format formats[] = {
	{ 1474560, 80, 2, 18, 0, 4 },
	{ 2949120, 80, 2, 36, 3, 5 },
	{ 1228800, 80, 2, 15, 0, 2 },
	{ 737280, 80, 2, 9, 2, 3 },
	{ 368640, 40, 2, 9, 2, 1 },
	{ 1720320, 80, 2, 21, 0, 4 },	/* DMF, and other 21 sectors a track */
};

const struct i82077_format *i82077_format(u64 size)
{
	for (unsigned int i = 0; i < WS_ARRAY_SIZE(formats); i++)
		if (formats[i].size == size)
			return &formats[i];
	return NULL;
}

/* ---- lines --------------------------------------------------------------------------- */

static void update_irq(struct i82077 *f)
{
	dev_irq_set(&f->irq, f->interrupt && (f->dor & DOR_DMA));
}

static void set_interrupt(struct i82077 *f, bool on)
{
	f->interrupt = on;
	update_irq(f);
}

/* ---- results --------------------------------------------------------------------------- */

static void await_command(struct i82077 *f)
{
	f->phase = I82077_COMMAND;
	f->n_command = 0;
	f->want_command = 0;
}

static void answer(struct i82077 *f, const u8 *bytes, unsigned int n)
{
	memcpy(f->result, bytes, n);
	f->n_result = (u8)n;
	f->at_result = 0;
	f->phase = I82077_RESULT;
}

/* The end of a command that moves data: seven bytes, and an interrupt. */
static void end_transfer(struct i82077 *f, u8 st0, u8 st1, u8 st2)
{
	u8 head = f->head ? ST0_HEAD : 0;
	const u8 bytes[7] = {
		(u8)(st0 | head | f->unit), st1, st2, f->c, f->h, f->r, SECTOR_CODE,
	};

	i8237_ask(f->dma, I82077_DMA, false);
	answer(f, bytes, sizeof(bytes));
	set_interrupt(f, true);
}

/* ---- moving data ------------------------------------------------------------------------- */

static struct i82077_drive *unit(struct i82077 *f)
{
	return &f->drive[f->unit % I82077_DRIVES];
}

/* The drive has a medium that can be read at the rate that is set. */
static bool is_readable(struct i82077 *f)
{
	struct i82077_drive *d = unit(f);

	return f->unit < I82077_DRIVES && d->blk && (f->dor & DOR_MOTOR(f->unit)) &&
	       (f->dsr & DSR_RATE) == d->format->rate && d->cylinder < d->format->cylinders &&
	       f->h < d->format->heads;
}

static u64 position(struct i82077 *f)
{
	const struct i82077_format *fmt = unit(f)->format;

	return (((u64)unit(f)->cylinder * fmt->heads + f->h) * fmt->sectors + f->r - 1) *
	       BLK_SECTOR;
}

static void start(struct i82077 *f, enum blk_op op, u32 len)
{
	struct blk *blk = unit(f)->blk;

	f->iov = (struct iovec){ f->buf, len };
	f->len = len;
	f->phase = I82077_MEDIUM;
	blk->start(blk, op, position(f), &f->iov, 1);
}

/* From the sector R to the end of this side of the cylinder. */
static u32 side_bytes(struct i82077 *f)
{
	u8 last = f->eot < unit(f)->format->sectors ? f->eot : unit(f)->format->sectors;

	return f->r && f->r <= last ? (last - f->r + 1u) * BLK_SECTOR : 0;
}

static void move_data(struct i82077 *f);

/* Where a transfer begins or goes on, on one side. */
static void begin_side(struct i82077 *f)
{
	u32 len = side_bytes(f);

	f->head = f->h;
	if (!len) {
		end_transfer(f, ST0_ABNORMAL, ST1_NO_DATA, 0);
		return;
	}
	f->at = 0;
	if (!f->write) {
		start(f, BLK_READ, len);
		return;
	}
	f->len = len;
	f->phase = I82077_DATA;
	set_interrupt(f, !f->dma_mode);
	move_data(f);
}

/* @bytes of this side are done: R and H name the sector behind them. */
static void advance(struct i82077 *f, u32 bytes)
{
	u32 r = f->r + (bytes + BLK_SECTOR - 1) / BLK_SECTOR;

	if (r <= f->eot) {
		f->r = (u8)r;
		return;
	}
	f->r = 1;
	if (!f->multi || f->h)
		f->c++;
	if (f->multi)
		f->h ^= 1;
}

/* This side is done, and the guest has not said that it was enough. */
static void end_side(struct i82077 *f)
{
	bool more = f->multi && !f->h && !f->tc;

	advance(f, f->len);
	if (more)
		begin_side(f);
	else if (f->tc || f->verify)
		end_transfer(f, 0, 0, 0);
	else
		end_transfer(f, ST0_ABNORMAL, ST1_END, 0);
}

static void format_track(struct i82077 *f)
{
	u32 len = f->len / 4 * BLK_SECTOR;

	if (len > unit(f)->format->sectors * BLK_SECTOR)
		len = unit(f)->format->sectors * BLK_SECTOR;
	memset(f->buf, f->command[5], len);
	f->r = 1;
	start(f, BLK_WRITE, len);
}

/* The buffer is full, or holds all that the guest has. */
static void write_side(struct i82077 *f)
{
	u32 rest = f->at % BLK_SECTOR;

	if (f->format) {
		format_track(f);
		return;
	}
	if (!f->at) {		/* the count was over before it began */
		end_transfer(f, 0, 0, 0);
		return;
	}
	if (rest) {		/* a sector is written to its end */
		memset(f->buf + f->at, 0, BLK_SECTOR - rest);
		f->at += BLK_SECTOR - rest;
	}
	start(f, BLK_WRITE, f->at);
}

static void after_data(struct i82077 *f)
{
	if (f->write) {
		write_side(f);
	} else if (f->tc) {
		advance(f, f->at);
		end_transfer(f, 0, 0, 0);
	} else {
		end_side(f);
	}
}

/* In DMA mode, all that the channel takes; else the guest does it byte by byte. */
static void move_data(struct i82077 *f)
{
	enum i8237_way way = f->write ? I8237_FROM_MEMORY : I8237_TO_MEMORY;
	u32 done;

	if (!f->dma_mode || f->phase != I82077_DATA)
		return;
	if (!i8237_ask(f->dma, I82077_DMA, true))
		return;
	done = i8237_transfer(f->dma, I82077_DMA, way, f->buf + f->at, f->len - f->at, &f->tc);
	f->at += done;
	if (f->tc || f->at == f->len) {
		i8237_ask(f->dma, I82077_DMA, false);
		after_data(f);
	}
}

void i82077_dma_ready(void *dev)
{
	move_data(dev);
}

static void do_reset(struct i82077 *f);

static void on_done(void *dev, int err)
{
	struct i82077 *f = dev;

	if (f->resetting) {
		f->resetting = false;
		do_reset(f);
		return;
	}
	if (err) {
		end_transfer(f, ST0_ABNORMAL, ST1_DATA_ERROR, ST1_DATA_ERROR);
	} else if (f->format) {
		end_transfer(f, 0, 0, 0);
	} else if (f->verify) {
		end_side(f);
	} else if (!f->write) {
		f->phase = I82077_DATA;
		set_interrupt(f, !f->dma_mode);
		move_data(f);
	} else {
		f->len = f->at;
		end_side(f);
	}
}

/* ---- commands --------------------------------------------------------------------------------- */

static void invalid(struct i82077 *f)
{
	const u8 st0 = ST0_INVALID;

	answer(f, &st0, 1);
}

static void seek_to(struct i82077 *f, unsigned int n, unsigned int cylinder)
{
	struct i82077_drive *d = &f->drive[n % I82077_DRIVES];
	bool there = n < I82077_DRIVES && d->present;

	if (there) {
		d->cylinder = (u8)(cylinder > LAST_CYLINDER ? LAST_CYLINDER : cylinder);
		if (d->blk)	/* a step with a medium in it */
			d->changed = false;
	}
	d->seek_done = true;
	d->seek_status = (u8)(ST0_SEEK_END | (there ? 0 : ST0_ABNORMAL | ST0_CHECK) | n);
	await_command(f);
	set_interrupt(f, true);
}

static void sense_interrupt(struct i82077 *f)
{
	u8 bytes[2];

	set_interrupt(f, false);
	if (f->reset_senses) {
		u8 n = (u8)(4 - f->reset_senses--);

		bytes[0] = ST0_POLLING | n;
		bytes[1] = n < I82077_DRIVES ? f->drive[n].cylinder : 0;
		answer(f, bytes, 2);
		return;
	}
	for (unsigned int i = 0; i < I82077_DRIVES; i++) {
		struct i82077_drive *d = &f->drive[i];

		if (!d->seek_done)
			continue;
		d->seek_done = false;
		bytes[0] = d->seek_status;
		bytes[1] = d->cylinder;
		answer(f, bytes, 2);
		return;
	}
	invalid(f);
}

static void sense_drive(struct i82077 *f)
{
	unsigned int n = f->command[1] & 3;
	const struct i82077_drive *d = &f->drive[n % I82077_DRIVES];
	u8 st3 = (u8)(ST3_READY | (f->command[1] & 7));

	if (n < I82077_DRIVES && d->present && !d->cylinder)
		st3 |= ST3_TRACK0;
	if (n < I82077_DRIVES && d->blk && d->blk->read_only)
		st3 |= ST3_PROTECTED;
	answer(f, &st3, 1);
}

static void dump_registers(struct i82077 *f)
{
	const u8 bytes[10] = {
		f->drive[0].cylinder, f->drive[1].cylinder, 0, 0, f->specify[0], f->specify[1],
		f->eot, (u8)(f->locked << 7 | f->perpendicular), f->config[0], f->config[1],
	};

	answer(f, bytes, sizeof(bytes));
}

static void set_unit(struct i82077 *f)
{
	f->unit = f->command[1] & 3;
	f->h = f->command[1] >> 2 & 1;
	f->head = f->h;
}

static void read_id(struct i82077 *f)
{
	struct i82077_drive *d;

	set_unit(f);
	d = unit(f);
	if (!is_readable(f)) {
		end_transfer(f, ST0_ABNORMAL, ST1_NO_ADDRESS, 0);
		return;
	}
	d->id = (u8)(d->id % d->format->sectors + 1);
	f->c = d->cylinder;
	f->r = d->id;
	end_transfer(f, 0, 0, 0);
}

/* What every command that moves data begins with. False: it has ended. */
static bool prepare(struct i82077 *f, bool write)
{
	f->write = write;
	f->dma_mode = !(f->specify[1] & SPECIFY_NON_DMA);
	f->verify = false;
	f->format = false;
	f->tc = false;
	if (!is_readable(f)) {
		end_transfer(f, ST0_ABNORMAL, ST1_NO_ADDRESS, 0);
		return false;
	}
	if (write && unit(f)->blk->read_only) {
		end_transfer(f, ST0_ABNORMAL, ST1_PROTECTED, 0);
		return false;
	}
	return true;
}

static void transfer(struct i82077 *f, bool write, bool verify)
{
	const u8 *p = f->command;

	set_unit(f);
	f->c = p[2];
	f->r = p[4];
	f->eot = p[6];
	f->multi = p[0] & 0x80;
	if ((f->config[0] & CONFIG_IMPLIED) && f->unit < I82077_DRIVES)
		unit(f)->cylinder = p[2] > LAST_CYLINDER ? LAST_CYLINDER : p[2];
	if (!prepare(f, write))
		return;
	f->verify = verify;
	if (p[3] != f->h || p[5] != SECTOR_CODE)
		end_transfer(f, ST0_ABNORMAL, ST1_NO_DATA, 0);
	else if (p[2] != unit(f)->cylinder)
		end_transfer(f, ST0_ABNORMAL, ST1_NO_DATA, ST2_WRONG_CYL);
	else
		begin_side(f);
}

static void format(struct i82077 *f)
{
	set_unit(f);
	f->c = unit(f)->cylinder;
	f->r = 1;
	if (!prepare(f, true))
		return;
	if (f->command[2] != SECTOR_CODE || !f->command[3]) {
		end_transfer(f, ST0_ABNORMAL, ST1_NO_DATA, 0);
		return;
	}
	f->format = true;
	f->at = 0;
	f->len = f->command[3] * 4u;	/* C, H, R, N of each sector */
	f->phase = I82077_DATA;
	set_interrupt(f, !f->dma_mode);
	move_data(f);
}

static void lock(struct i82077 *f)
{
	u8 byte;

	f->locked = f->command[0] & 0x80;
	byte = (u8)(f->locked << 4);
	answer(f, &byte, 1);
}

/* Bytes that follow the command byte; -1: there is no such command. */
static int parameters(u8 command)
{
	switch (command) {
	case 0x08:	/* SENSE INTERRUPT STATUS */
	case 0x0e:	/* DUMPREG */
	case 0x10:	/* VERSION */
	case 0x14: case 0x94:	/* LOCK */
		return 0;
	case 0x04:	/* SENSE DRIVE STATUS */
	case 0x07:	/* RECALIBRATE */
	case 0x12:	/* PERPENDICULAR MODE */
		return 1;
	case 0x03:	/* SPECIFY */
	case 0x0f:	/* SEEK */
	case 0x8f: case 0xcf:	/* RELATIVE SEEK */
		return 2;
	case 0x13:	/* CONFIGURE */
		return 3;
	}
	switch (command & 0x1f) {
	case 0x0a:	/* READ ID */
		return 1;
	case 0x0d:	/* FORMAT TRACK */
		return 5;
	case 0x05: case 0x09:	/* WRITE DATA, WRITE DELETED DATA */
	case 0x06: case 0x0c:	/* READ DATA, READ DELETED DATA */
	case 0x16:	/* VERIFY */
		return 8;
	}
	return -1;
}

static void relative_seek(struct i82077 *f)
{
	unsigned int n = f->command[1] & 3;
	unsigned int at = f->drive[n % I82077_DRIVES].cylinder, by = f->command[2];

	if (f->command[0] & 0x40)
		seek_to(f, n, at + by);
	else
		seek_to(f, n, at > by ? at - by : 0);
}

/* Without a result. True: it was one of those. */
static bool execute_setting(struct i82077 *f)
{
	switch (f->command[0]) {
	case 0x03:
		memcpy(f->specify, f->command + 1, 2);
		break;
	case 0x12:
		f->perpendicular = f->command[1] & 0x3f;
		break;
	case 0x13:
		memcpy(f->config, f->command + 2, 2);
		break;
	default:
		return false;
	}
	await_command(f);
	return true;
}

static void execute(struct i82077 *f)
{
	static const u8 version = 0x90;

	if (execute_setting(f))
		return;
	switch (f->command[0]) {
	case 0x04:
		sense_drive(f);
		return;
	case 0x07:
		seek_to(f, f->command[1] & 3, 0);
		return;
	case 0x08:
		sense_interrupt(f);
		return;
	case 0x0e:
		dump_registers(f);
		return;
	case 0x0f:
		seek_to(f, f->command[1] & 3, f->command[2]);
		return;
	case 0x10:
		answer(f, &version, 1);
		return;
	case 0x14: case 0x94:
		lock(f);
		return;
	case 0x8f: case 0xcf:
		relative_seek(f);
		return;
	}
	switch (f->command[0] & 0x1f) {
	case 0x0a:
		read_id(f);
		break;
	case 0x0d:
		format(f);
		break;
	case 0x16:
		transfer(f, false, true);
		break;
	default:
		transfer(f, (f->command[0] & 0x1f) == 0x05 || (f->command[0] & 0x1f) == 0x09,
			 false);
	}
}

/* ---- registers -------------------------------------------------------------------------------- */

/* Drives stay where they are; the interrupt tells that the reset is over. */
static void do_reset(struct i82077 *f)
{
	await_command(f);
	i8237_ask(f->dma, I82077_DMA, false);
	for (unsigned int i = 0; i < I82077_DRIVES; i++)
		f->drive[i].seek_done = false;
	if (!f->locked)
		memset(f->config, 0, sizeof(f->config));
	f->perpendicular &= 0x3c;
	f->reset_senses = f->config[0] & CONFIG_POLL_OFF ? 0 : 4;
	f->interrupt = f->reset_senses && (f->dor & DOR_RUN);
	update_irq(f);
}

static void ask_reset(struct i82077 *f)
{
	if (f->phase == I82077_MEDIUM)
		f->resetting = true;	/* no data moves any more; BUSY until then */
	else
		do_reset(f);
}

static void write_dor(struct i82077 *f, u8 val)
{
	u8 changed = f->dor ^ val;

	f->dor = val;
	if (changed & DOR_RUN)
		ask_reset(f);
	else
		update_irq(f);
}

static u8 read_msr(const struct i82077 *f)
{
	u8 non_dma = f->dma_mode ? 0 : MSR_NON_DMA;

	if (!(f->dor & DOR_RUN))
		return 0;
	switch (f->phase) {
	case I82077_COMMAND:
		return MSR_RQM | (f->n_command ? MSR_BUSY : 0);
	case I82077_RESULT:
		return MSR_RQM | MSR_DIO | MSR_BUSY;
	case I82077_DATA:
		if (!f->dma_mode)
			return (u8)(MSR_RQM | (f->write ? 0 : MSR_DIO) | MSR_NON_DMA | MSR_BUSY);
		return MSR_BUSY;
	default:
		return (u8)(non_dma | MSR_BUSY);
	}
}

static u8 read_fifo(struct i82077 *f)
{
	u8 val = 0;

	if (f->phase == I82077_RESULT) {
		set_interrupt(f, f->interrupt && f->at_result);
		val = f->result[f->at_result++];
		if (f->at_result == f->n_result) {
			set_interrupt(f, false);
			await_command(f);
		}
	} else if (f->phase == I82077_DATA && !f->dma_mode && !f->write) {
		set_interrupt(f, false);
		val = f->buf[f->at++];
		if (f->at == f->len)
			after_data(f);
	}
	return val;
}

static void write_command(struct i82077 *f, u8 val)
{
	int n;

	f->command[f->n_command++] = val;
	if (f->n_command == 1) {
		n = parameters(val);
		if (n < 0) {
			invalid(f);
			return;
		}
		f->want_command = (u8)(n + 1);
	}
	if (f->n_command == f->want_command)
		execute(f);
}

static void write_fifo(struct i82077 *f, u8 val)
{
	if (!(f->dor & DOR_RUN))
		return;
	if (f->phase == I82077_COMMAND) {
		write_command(f, val);
	} else if (f->phase == I82077_DATA && !f->dma_mode && f->write) {
		set_interrupt(f, false);
		f->buf[f->at++] = val;
		if (f->at == f->len)
			after_data(f);
	}
}

static u32 read_regs(void *dev, u32 offset, unsigned int size)
{
	struct i82077 *f = dev;

	(void)size;
	switch (offset) {
	case REG_SRA:
		return f->interrupt ? SRA_INT : 0;
	case REG_SRB:
		return 0xc0;
	case REG_DOR:
		return f->dor;
	case REG_TDR:
		return f->tdr;
	case REG_MSR:
		return read_msr(f);
	default:
		return read_fifo(f);
	}
}

static void write_regs(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct i82077 *f = dev;

	(void)size;
	switch (offset) {
	case REG_DOR:
		write_dor(f, (u8)val);
		break;
	case REG_TDR:
		f->tdr = val & 3;
		break;
	case REG_MSR:
		f->dsr = (u8)val & (u8)~DSR_RESET;
		if (val & DSR_RESET)
			ask_reset(f);
		break;
	case REG_FIFO:
		write_fifo(f, (u8)val);
		break;
	}
}

/* DSKCHG is the selected drive's, while its motor is on. */
static u32 read_dir(void *dev, u32 offset, unsigned int size)
{
	const struct i82077 *f = dev;
	unsigned int n = f->dor & DOR_DRIVE;

	(void)offset;
	(void)size;
	if (n >= I82077_DRIVES || !f->drive[n].present || !(f->dor & DOR_MOTOR(n)))
		return 0;
	return f->drive[n].changed || !f->drive[n].blk ? DIR_CHANGED : 0;
}

static void write_ccr(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct i82077 *f = dev;

	(void)offset;
	(void)size;
	f->dsr = (u8)((f->dsr & ~DSR_RATE) | (val & DSR_RATE));
}

void i82077_insert(struct i82077 *f, unsigned int drive, struct blk *blk)
{
	struct i82077_drive *d = &f->drive[drive];

	d->blk = blk;
	d->format = blk ? i82077_format(blk->size) : NULL;
	d->changed = true;
	if (blk) {
		blk->done = on_done;
		blk->dev = f;
	}
}

void i82077_reset(struct i82077 *f)
{
	f->dor = DOR_RUN;
	f->tdr = 0;
	f->dsr = 2;
	f->locked = false;
	f->resetting = false;
	f->dma_mode = true;
	f->specify[0] = 0;
	f->specify[1] = 0;
	f->perpendicular = 0;
	for (unsigned int i = 0; i < I82077_DRIVES; i++) {
		f->drive[i].cylinder = 0;
		f->drive[i].changed = true;
	}
	do_reset(f);
	/* Firmware has been here. */
	f->reset_senses = 0;
	f->interrupt = false;
	f->dor |= DOR_DMA;
}

const struct ws_region i82077_regions[] = {
	{ "i82077", 0x3f0, 6, WS_SIZE_1, 0, read_regs, write_regs },
	/* 3F6h is the IDE's. */
	{ "i82077_dir", 0x3f7, 1, WS_SIZE_1, 0, read_dir, write_ccr },
};

const unsigned int i82077_n_regions = WS_ARRAY_SIZE(i82077_regions);
