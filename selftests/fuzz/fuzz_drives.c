// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile guest of the IDE and floppy controllers: the input is a program of
 * port accesses, of lists for the bus masters, of media that answer late, fail or
 * are changed, and of resets. Whatever comes, requests stay inside the media and
 * the memory (ASan sees the rest), one at a time, and none is written to what is
 * read-only.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmapp/dev/i82077.h"
#include "vmapp/dev/piix3ide.h"
#include "input.h"

#define RAM_SIZE	0x20000u
#define PRDS		0x1000u
#define MEDIA		5	/* two disks, a CD, two floppies */

struct medium {
	struct blk blk;
	bool busy;
	enum blk_op op;
	const struct iovec *from;
	struct iovec iov[BLK_SEGMENTS];
	unsigned int n;
};

static struct piix3ide ide;
static struct i82077 fdc;
static struct i8237 dma;
static struct medium media[MEDIA];
static u8 *ram;

static const u64 sizes[MEDIA] = { 3000 * 512, 0x200000000 * 512ull, 700 * 2048, 1474560, 737280 };

#define CHECK(cond) do {							\
		if (!(cond)) {							\
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
			abort();						\
		}								\
	} while (0)

/* ---- surroundings ---- */

static void start(struct blk *blk, enum blk_op op, u64 offset, const struct iovec *iov,
		  unsigned int n)
{
	struct medium *m = (struct medium *)blk;
	u64 len = 0;

	CHECK(!m->busy && n <= BLK_SEGMENTS);
	for (unsigned int i = 0; i < n; i++) {
		m->iov[i] = iov[i];
		CHECK(iov[i].iov_len && iov[i].iov_len <= BLK_BYTES);
		len += iov[i].iov_len;
	}
	CHECK(op == BLK_FLUSH ? !n : len && len % BLK_SECTOR == 0 && len <= BLK_BYTES);
	CHECK(op == BLK_FLUSH || (offset < blk->size && len <= blk->size - offset));
	CHECK(op != BLK_WRITE || !blk->read_only);
	m->busy = true;
	m->op = op;
	m->from = iov;
	m->n = n;
}

/* What a medium reads is written to where it goes: that must be there. */
static void step(struct medium *m, int err)
{
	volatile u8 sum = 0;

	if (!m->busy)
		return;
	m->busy = false;
	/* Nobody has changed it meanwhile: a thread may be looking at it. */
	CHECK(!m->n || !memcmp(m->iov, m->from, m->n * sizeof(*m->iov)));
	for (unsigned int i = 0; i < m->n && !err; i++) {
		u8 *p = m->iov[i].iov_base;

		if (m->op == BLK_READ)
			memset(p, 0x5a, m->iov[i].iov_len);
		else
			sum = (u8)(sum + p[0] + p[m->iov[i].iov_len - 1]);
	}
	m->blk.done(m->blk.dev, err);
}

static void *map(void *ctx, u64 gpa, u32 len)
{
	(void)ctx;
	return gpa < RAM_SIZE && len <= RAM_SIZE - gpa ? ram + gpa : NULL;
}

static void ram_read(void *ctx, u64 gpa, void *buf, u32 len)
{
	memset(buf, 0xff, len);
	if (map(ctx, gpa, len))
		memcpy(buf, ram + gpa, len);
}

static void ram_write(void *ctx, u64 gpa, const void *buf, u32 len)
{
	if (map(ctx, gpa, len))
		memcpy(ram + gpa, buf, len);
}

static void set_irq(void *ctx, unsigned int irq, bool level)
{
	static bool now[16];

	(void)ctx;
	CHECK(irq < 16);
	now[irq] = level;
}

static void set_up(void)
{
	const struct dev_irq irq = { .set = set_irq };
	u8 *old = ram;

	ram = calloc(1, RAM_SIZE);
	free(old);
	memset(&ide, 0, sizeof(ide));
	memset(&fdc, 0, sizeof(fdc));
	memset(&dma, 0, sizeof(dma));
	for (unsigned int i = 0; i < MEDIA; i++) {
		media[i].busy = false;
		media[i].blk = (struct blk){ .start = start, .size = sizes[i], .read_only = i == 2 || i == 4 };
	}
	ide.memory.map = map;
	for (unsigned int i = 0; i < 2; i++) {
		ide.channel[i].irq = irq;
		ide.channel[i].irq.irq = 14 + i;
	}
	ide.channel[0].drive[0].kind = ATA_DISK;
	ide.channel[0].drive[0].blk = &media[0].blk;
	ide.channel[0].drive[1].kind = ATA_DISK;
	ide.channel[0].drive[1].blk = &media[1].blk;
	ide.channel[1].drive[0].kind = ATA_CDROM;
	ide.channel[1].drive[0].blk = &media[2].blk;
	piix3ide_init(&ide);
	dma.memory = (struct dev_memory){ ram_read, ram_write, NULL };
	dma.ready[2] = (struct dev_signal){ i82077_dma_ready, &fdc };
	i8237_reset(&dma);
	fdc.dma = &dma;
	fdc.irq = irq;
	fdc.irq.irq = 6;
	for (unsigned int i = 0; i < 2; i++) {
		fdc.drive[i].present = true;
		i82077_insert(&fdc, i, &media[3 + i].blk);
	}
	i82077_reset(&fdc);
}

/* ---- accesses ---- */

static void access(struct input *in, const struct ws_region *rows, unsigned int n, void *dev)
{
	u8 how = (u8)take(in, 1);
	const struct ws_region *row = &rows[(how >> 3) % n];
	unsigned int size = 1u << (how >> 1 & 3) % 3;
	u32 offset = take(in, 1) % row->len;

	if (!(row->sizes & size) || offset + size > row->len)
		return;
	if (how & 1)
		CHECK(!(row->read(dev, offset, size) & ~ws_all_ones(size)));
	else
		row->write(dev, offset, size, take(in, size) & ws_all_ones(size));
}

static void ide_write(unsigned int ch, u32 reg, u32 val)
{
	piix3ide_regions[ch][0].write(&ide.channel[ch], reg, 1, val & 0xff);
}

/* A command as drivers give it, so that many are accepted. */
static void ide_command(struct input *in, unsigned int ch)
{
	u8 drive = (u8)take(in, 1);
	u32 lba = take(in, 2);

	ide_write(ch, 6, 0xe0 | (drive & 0x10));
	ide_write(ch, 1, drive & 1);
	ide_write(ch, 2, drive & 8 ? take(in, 1) : drive & 3);
	ide_write(ch, 3, lba);
	ide_write(ch, 4, lba >> 8);
	ide_write(ch, 5, drive & 4);
	ide_write(ch, 7, take(in, 1));
}

static void ide_data(struct input *in, unsigned int ch)
{
	u8 how = (u8)take(in, 1);
	u32 val = take(in, 2);

	for (unsigned int n = how & 0x40 ? 600 : how & 0x1f; n; n--) {
		if (how & 0x80)
			piix3ide_regions[ch][0].read(&ide.channel[ch], 0, 2);
		else
			piix3ide_regions[ch][0].write(&ide.channel[ch], 0, 2, val);
	}
}

static void packet(struct input *in)
{
	ide_write(1, 6, 0xa0);
	ide_write(1, 7, 0xa0);
	for (unsigned int i = 0; i < 6; i++)
		piix3ide_regions[1][0].write(&ide.channel[1], 0, 2, take(in, 2));
}

static void region(struct input *in)
{
	u32 at = PRDS + take(in, 1) * 8 % 2048, addr = take(in, 3), len = take(in, 2);
	u32 prd[2] = { addr % (RAM_SIZE + 0x1000), len | (len & 1) << 31 };

	memcpy(ram + at, prd, sizeof(prd));
}

static void run_master(struct input *in, unsigned int ch)
{
	u8 how = (u8)take(in, 1);
	const struct ws_region *row = piix3ide_bm_regions;

	row->write(ide.bm, 8 * ch + 4, 4, PRDS + how % 64 * 8);
	row->write(ide.bm, 8 * ch, 1, 0);
	row->write(ide.bm, 8 * ch, 1, how & 8 ? 9 : 1);
}

static void floppy_command(struct input *in)
{
	unsigned int n = take(in, 1) % 10;

	while (n--)
		i82077_regions[0].write(&fdc, 5, 1, take(in, 1));
}

static void change(struct input *in)
{
	u8 how = (u8)take(in, 1);

	/* A medium that is still busy stays where it is. */
	if (!media[2].busy)
		ata_change_medium(&ide.channel[1].drive[0], how & 1 ? &media[2].blk : NULL, how & 2);
}

static void reset(void)
{
	for (unsigned int i = 0; i < MEDIA; i++)
		media[i].busy = false;	/* as after block_drain() */
	i8237_reset(&dma);
	piix3ide_reset(&ide);
	i82077_reset(&fdc);
}

static void act(struct input *in)
{
	u8 what = (u8)take(in, 1);
	unsigned int ch = what >> 7;

	switch (what & 15) {
	case 0:
		access(in, piix3ide_regions[ch], PIIX3IDE_N_REGIONS, &ide.channel[ch]);
		break;
	case 1:
		access(in, piix3ide_bm_regions, piix3ide_n_bm_regions, ide.bm);
		break;
	case 2:
		access(in, i82077_regions, i82077_n_regions, &fdc);
		break;
	case 3:
		access(in, i8237_regions, i8237_n_regions, &dma);
		break;
	case 4: case 5:
		ide_command(in, ch);
		break;
	case 6:
		ide_data(in, ch);
		break;
	case 7:
		packet(in);
		break;
	case 8:
		region(in);
		break;
	case 9:
		run_master(in, ch);
		break;
	case 10:
		floppy_command(in);
		break;
	case 11: case 12: case 13:
		step(&media[(what >> 4) % MEDIA], 0);
		break;
	case 14:
		step(&media[(what >> 4) % MEDIA], EIO);
		break;
	default:
		if (what & 0x10)
			change(in);
		else if (what & 0x20)
			pci_config_write(&ide.fn, 4 * (take(in, 1) & 63), 4, take(in, 4));
		else if (what == 0x0f)
			reset();
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };

	set_up();
	while (in.left)
		act(&in);
	/* Everything ends. */
	for (unsigned int i = 0; i < 40000; i++) {
		bool busy = false;

		for (unsigned int j = 0; j < MEDIA; j++) {
			busy |= media[j].busy;
			step(&media[j], 0);
		}
		if (!busy)
			return 0;
	}
	CHECK(!"a drive asks for ever");
	return 0;
}
