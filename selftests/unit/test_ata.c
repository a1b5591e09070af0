// SPDX-License-Identifier: GPL-2.0-only
/* ATA disks and CD-ROM drives behind the PIIX3: what drivers do with them, and worse. */
#include "chips.h"

#include <errno.h>

#include "vmapp/dev/piix3ide.h"

#define DISK_SECTORS	20000u
#define CD_SECTORS	700u
#define RAM_SIZE	0x100000u
#define PRDS		0x1000u		/* the guest's list */

#define DATA		0x1f0
#define COUNT		0x1f2
#define LOW		0x1f3
#define DEVICE		0x1f6
#define COMMAND		0x1f7
#define CONTROL		0x3f6
#define FIRST		0x80		/* set in the first channel's ports, not in the other's */

/* A medium that does what it was told when step() says so. */
struct medium {
	struct blk blk;
	u8 *data;
	bool busy;
	enum blk_op op;
	u64 offset;
	struct iovec iov[BLK_SEGMENTS];
	unsigned int n;
	unsigned int writes, flushes;
	int fail;
};

static struct bench b;
static struct piix3ide p;
static struct medium disk, cd, other;
static u8 ram[RAM_SIZE];
static unsigned int irqs[2];

static void start(struct blk *blk, enum blk_op op, u64 offset, const struct iovec *iov,
		  unsigned int n)
{
	struct medium *m = (struct medium *)blk;
	u64 len = 0;

	assert_false(m->busy);
	assert_true(n <= BLK_SEGMENTS);
	m->busy = true;
	m->op = op;
	m->offset = offset;
	m->n = n;
	for (unsigned int i = 0; i < n; i++) {
		m->iov[i] = iov[i];
		assert_true(iov[i].iov_len > 0);
		len += iov[i].iov_len;
	}
	assert_true(op == BLK_FLUSH || (len && len % BLK_SECTOR == 0));
	assert_true(len <= BLK_BYTES);
	assert_true(op == BLK_FLUSH || offset + len <= blk->size);
	assert_false(op == BLK_WRITE && blk->read_only);
}

static bool step(struct medium *m)
{
	u64 at = m->offset;

	if (!m->busy)
		return false;
	m->busy = false;
	for (unsigned int i = 0; i < m->n && !m->fail; i++) {
		if (m->op == BLK_READ)
			memcpy(m->iov[i].iov_base, m->data + at, m->iov[i].iov_len);
		else if (m->op == BLK_WRITE)
			memcpy(m->data + at, m->iov[i].iov_base, m->iov[i].iov_len);
		at += m->iov[i].iov_len;
	}
	m->writes += m->op == BLK_WRITE;
	m->flushes += m->op == BLK_FLUSH;
	m->blk.done(m->blk.dev, m->fail);
	return true;
}

static void *map(void *ctx, u64 gpa, u32 len)
{
	return gpa < RAM_SIZE && len <= RAM_SIZE - gpa ? ram + gpa : NULL;
}

static void fill(struct medium *m, u64 size, u8 seed)
{
	if (!m->data)
		m->data = malloc(size);
	for (u64 i = 0; i < size; i++)
		m->data[i] = (u8)(i / 512 * 7 + i + seed);
	m->blk = (struct blk){ .start = start, .size = size };
	m->busy = false;
	m->fail = 0;
	m->writes = 0;
	m->flushes = 0;
}

static int setup(void **state)
{
	memset(&b, 0, sizeof(b));
	memset(&p, 0, sizeof(p));
	memset(ram, 0, sizeof(ram));
	fill(&disk, DISK_SECTORS * 512ull, 1);
	fill(&cd, CD_SECTORS * 2048ull, 2);
	fill(&other, 5 * 2048, 3);
	p.memory.map = map;
	p.channel[0].irq = bench_line(&b, 14);
	p.channel[1].irq = bench_line(&b, 15);
	p.channel[0].drive[0].kind = ATA_DISK;
	p.channel[0].drive[0].blk = &disk.blk;
	strcpy(p.channel[0].drive[0].serial, "SERIAL");
	p.channel[1].drive[0].kind = ATA_CDROM;
	p.channel[1].drive[0].blk = &cd.blk;
	piix3ide_init(&p);
	memset(irqs, 0, sizeof(irqs));
	return 0;
}

static unsigned int channel_of(u32 port)
{
	return !(port & FIRST);
}

static void out(u32 port, u8 val)
{
	unsigned int i = channel_of(port);

	bench_out(piix3ide_regions[i], PIIX3IDE_N_REGIONS, &p.channel[i], port, 1, val);
}

static u8 in(u32 port)
{
	unsigned int i = channel_of(port);

	return (u8)bench_in(piix3ide_regions[i], PIIX3IDE_N_REGIONS, &p.channel[i], port, 1);
}

static u16 in_word(u32 port)
{
	unsigned int i = channel_of(port);

	return (u16)bench_in(piix3ide_regions[i], PIIX3IDE_N_REGIONS, &p.channel[i], port, 2);
}

static void out_word(u32 port, u16 val)
{
	unsigned int i = channel_of(port);

	bench_out(piix3ide_regions[i], PIIX3IDE_N_REGIONS, &p.channel[i], port, 2, val);
}

static u32 bm_in(u32 reg, unsigned int size)
{
	return bench_in(piix3ide_bm_regions, piix3ide_n_bm_regions, p.bm, reg, size);
}

static void bm_out(u32 reg, unsigned int size, u32 val)
{
	bench_out(piix3ide_bm_regions, piix3ide_n_bm_regions, p.bm, reg, size, val);
}

/* How many interrupts there were since the last call. */
static unsigned int interrupts(unsigned int channel)
{
	unsigned int n = b.edges[14 + channel] - irqs[channel];

	irqs[channel] = b.edges[14 + channel];
	return n;
}

static void command28(u8 cmd, u32 lba, u8 count)
{
	out(DEVICE, 0xe0 | lba >> 24);
	out(COUNT, count);
	out(LOW, (u8)lba);
	out(LOW + 1, (u8)(lba >> 8));
	out(LOW + 2, (u8)(lba >> 16));
	out(COMMAND, cmd);
}

static void command48(u8 cmd, u64 lba, u16 count)
{
	out(DEVICE, 0xe0);
	out(COUNT, count >> 8);
	out(COUNT, (u8)count);
	for (int half = 1; half >= 0; half--)
		for (unsigned int i = 0; i < 3; i++)
			out(LOW + i, (u8)(lba >> (24 * half + 8 * i)));
	out(COMMAND, cmd);
}

static void read_pio(u32 port, void *buf, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i += 2) {
		u16 w = in_word(port);

		memcpy((u8 *)buf + i, &w, 2);
	}
}

static void write_pio(u32 port, const void *buf, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i += 2) {
		u16 w;

		memcpy(&w, (const u8 *)buf + i, 2);
		out_word(port, w);
	}
}

static void prd(unsigned int n, u32 addr, u32 len, bool last)
{
	u32 d[2] = { addr, (len & 0xffff) | (last ? 0x80000000u : 0) };

	memcpy(ram + PRDS + 8 * n, d, 8);
}

static void start_dma(unsigned int channel, bool to_memory)
{
	bm_out(8 * channel + 4, 4, PRDS);
	bm_out(8 * channel + 2, 1, 0x06);
	bm_out(8 * channel, 1, to_memory ? 8 : 0);
	bm_out(8 * channel, 1, to_memory ? 9 : 1);
}

/* ---- a disk ---------------------------------------------------------------------- */

static void test_identify(void **state)
{
	u16 w[256];
	u8 sum = 0;

	out(DEVICE, 0xa0);
	out(COMMAND, 0xec);
	assert_int_equal(interrupts(0), 1);
	assert_int_equal(in(CONTROL), 0x58);
	assert_true(b.level[14]);
	assert_int_equal(in(COMMAND), 0x58);
	assert_false(b.level[14]);
	read_pio(DATA, w, 512);
	assert_int_equal(in(COMMAND), 0x50);
	assert_int_equal(interrupts(0), 0);
	assert_int_equal(w[0], 0x0040);
	assert_int_equal(w[1], DISK_SECTORS / (16 * 63));
	assert_int_equal(w[3], 16);
	assert_int_equal(w[6], 63);
	assert_memory_equal(&w[10], "ESIRLA  ", 8);	/* bytes are swapped */
	assert_int_equal(w[60] | w[61] << 16, DISK_SECTORS);
	assert_int_equal(w[100] | w[101] << 16, DISK_SECTORS);
	assert_int_equal(w[63], 0x0007);
	assert_int_equal(w[82] & 1, 0);			/* no SMART */
	assert_int_equal(w[83] >> 13 & 1, 1);		/* FLUSH CACHE EXT */
	for (unsigned int i = 0; i < 512; i++)
		sum += ((u8 *)w)[i];
	assert_int_equal(sum, 0);
	/* A mode that is chosen shows; the one that the PIIX3 lacks is refused. */
	out(0x1f1, 3);
	out(COUNT, 0x22);
	out(COMMAND, 0xef);
	assert_int_equal(in(COMMAND), 0x50);
	out(0x1f1, 3);
	out(COUNT, 0x42);
	out(COMMAND, 0xef);
	assert_int_equal(in(COMMAND), 0x51);
	assert_int_equal(in(0x1f1), ATA_ABRT);
	out(COMMAND, 0xec);
	read_pio(DATA, w, 512);
	assert_int_equal(w[63], 0x0407);
}

static void test_pio(void **state)
{
	u8 buf[16 * 512];

	command28(0x20, 1234, 3);
	assert_int_equal(in(COMMAND), ATA_BSY);
	assert_int_equal(interrupts(0), 0);
	assert_true(step(&disk));
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(interrupts(0), 1);
		assert_int_equal(in(COMMAND), 0x58);
		read_pio(DATA, buf, 512);
		assert_memory_equal(buf, disk.data + (1234 + i) * 512, 512);
	}
	assert_int_equal(in(COMMAND), 0x50);
	assert_int_equal(interrupts(0), 0);
	assert_int_equal(in_word(DATA), 0xffff);

	/* Out: the first block is taken without an interrupt. */
	command28(0x30, 77, 2);
	assert_int_equal(interrupts(0), 0);
	memset(buf, 0xab, 1024);
	write_pio(DATA, buf, 512);
	assert_int_equal(interrupts(0), 1);
	write_pio(DATA, buf, 512);
	assert_int_equal(in(COMMAND), ATA_BSY);
	assert_true(step(&disk));
	assert_int_equal(interrupts(0), 1);
	assert_int_equal(in(COMMAND), 0x50);
	assert_memory_equal(disk.data + 77 * 512, buf, 1024);
	assert_int_equal(disk.flushes, 0);

	/* Blocks of several sectors: only after they were set. */
	command28(0xc4, 0, 4);
	assert_int_equal(in(COMMAND), 0x51);
	out(COUNT, 3);
	out(COMMAND, 0xc6);
	assert_int_equal(in(COMMAND), 0x51);
	out(COUNT, 8);
	out(COMMAND, 0xc6);
	assert_int_equal(in(COMMAND), 0x50);
	interrupts(0);
	command48(0x29, 300, 12);
	step(&disk);
	assert_int_equal(interrupts(0), 1);
	in(COMMAND);
	read_pio(DATA, buf, 8 * 512);
	assert_memory_equal(buf, disk.data + 300 * 512, 8 * 512);
	assert_int_equal(interrupts(0), 1);
	in(COMMAND);
	read_pio(DATA, buf, 4 * 512);
	assert_memory_equal(buf, disk.data + 308 * 512, 4 * 512);
	assert_int_equal(in(COMMAND), 0x50);

	/* More than the buffer holds, in 48 bits; and 0, which is 256. */
	command48(0x24, 1000, 300);
	for (unsigned int i = 0; i < 300; i++) {
		assert_int_equal(step(&disk), i % (ATA_BUFFER / 512) == 0);
		read_pio(DATA, buf, 512);
		assert_memory_equal(buf, disk.data + (1000 + i) * 512, 512);
	}
	assert_int_equal(in(COMMAND), 0x50);
	command28(0x40, DISK_SECTORS - 256, 0);
	assert_int_equal(in(COMMAND), 0x50);
	command28(0x40, DISK_SECTORS - 255, 0);
	assert_int_equal(in(COMMAND), 0x51);
	assert_int_equal(in(0x1f1), ATA_IDNF);
}

/* Cylinders, heads and sectors, as DOS has them. */
static void test_chs(void **state)
{
	u8 buf[512];

	out(DEVICE, 0xa0 | 7);		/* 8 heads */
	out(COUNT, 32);
	out(COMMAND, 0x91);
	assert_int_equal(in(COMMAND), 0x50);
	out(DEVICE, 0xa0 | 3);
	out(COUNT, 1);
	out(LOW, 5);
	out(LOW + 1, 10);
	out(LOW + 2, 0);
	out(COMMAND, 0x20);
	step(&disk);
	read_pio(DATA, buf, 512);
	assert_memory_equal(buf, disk.data + ((10 * 8 + 3) * 32 + 4) * 512, 512);
	out(LOW, 0);			/* they begin with 1 */
	out(COUNT, 1);
	out(COMMAND, 0x20);
	assert_int_equal(in(COMMAND), 0x51);
	out(LOW, 33);
	out(COMMAND, 0x20);
	assert_int_equal(in(COMMAND), 0x51);
	out(COUNT, 0);
	out(COMMAND, 0x91);
	assert_int_equal(in(COMMAND), 0x51);
}

static void test_errors(void **state)
{
	static const struct {
		u8 cmd;
		u64 lba;
		u16 count;
		bool ext;
		u8 error;
	} beyond[] = {
		{ 0x20, DISK_SECTORS, 1, false, ATA_IDNF },
		{ 0x20, DISK_SECTORS - 1, 2, false, ATA_IDNF },
		{ 0x30, 0xfffffff, 255, false, ATA_IDNF },
		{ 0xc8, DISK_SECTORS, 1, false, ATA_IDNF },
		{ 0x25, 0xffffffffffff, 0, true, ATA_IDNF },
		{ 0x35, DISK_SECTORS - 10, 0, true, ATA_IDNF },
		{ 0x00, 0, 0, false, ATA_ABRT },
		{ 0xb0, 0, 0, false, ATA_ABRT },
		{ 0xff, 0, 0, false, ATA_ABRT },
		{ 0xa1, 0, 0, false, ATA_ABRT },
		{ 0xa0, 0, 0, false, ATA_ABRT },
	};
	u8 buf[512] = { 0 };

	for (unsigned int i = 0; i < WS_ARRAY_SIZE(beyond); i++) {
		interrupts(0);
		if (beyond[i].ext)
			command48(beyond[i].cmd, beyond[i].lba, beyond[i].count);
		else
			command28(beyond[i].cmd, (u32)beyond[i].lba, (u8)beyond[i].count);
		assert_int_equal(interrupts(0), 1);
		assert_int_equal(in(COMMAND), 0x51);
		assert_int_equal(in(0x1f1), beyond[i].error);
		assert_false(disk.busy);
	}
	/* The medium fails: where, and as what. */
	disk.fail = EIO;
	command28(0x20, 555, 1);
	step(&disk);
	assert_int_equal(in(COMMAND), 0x51);
	assert_int_equal(in(0x1f1), ATA_UNC);
	assert_int_equal(in(LOW) | in(LOW + 1) << 8, 555);
	disk.fail = ENOSPC;
	command28(0x30, 555, 1);
	write_pio(DATA, buf, 512);
	step(&disk);
	assert_int_equal(in(COMMAND), 0x71);	/* device fault */
	out(COMMAND, 0xe7);
	step(&disk);
	assert_int_equal(in(COMMAND), 0x71);
	disk.fail = 0;
	out(COMMAND, 0xea);
	assert_int_equal(in(COMMAND), ATA_BSY);
	step(&disk);
	assert_int_equal(in(COMMAND), 0x50);
	assert_int_equal(disk.flushes, 2);
	/* Read-only. */
	disk.blk.read_only = true;
	command28(0x30, 0, 1);
	assert_int_equal(in(COMMAND), 0x51);
	assert_int_equal(in(0x1f1), 0x44);
	command28(0xca, 0, 1);
	assert_int_equal(in(COMMAND), 0x51);
}

/* Without the write cache a write is over when it cannot be lost any more. */
static void test_write_cache(void **state)
{
	u8 buf[512] = { 1 };

	out(0x1f1, 0x82);
	out(COMMAND, 0xef);
	assert_true(step(&disk));
	assert_int_equal(disk.flushes, 1);
	command28(0x30, 9, 1);
	write_pio(DATA, buf, 512);
	interrupts(0);
	assert_true(step(&disk));
	assert_int_equal(interrupts(0), 0);
	assert_int_equal(in(COMMAND), ATA_BSY);
	assert_true(step(&disk));
	assert_int_equal(disk.flushes, 2);
	assert_int_equal(interrupts(0), 1);
	out(0x1f1, 0x02);
	out(COMMAND, 0xef);
	/* Forced unit access, with the cache on. */
	prd(0, 0x8000, 512, true);
	command48(0x3d, 9, 1);
	start_dma(0, false);
	step(&disk);
	assert_true(step(&disk));
	assert_int_equal(disk.flushes, 3);
	assert_int_equal(in(COMMAND), 0x50);
}

static void test_dma(void **state)
{
	/* Regions of odd places and lengths. */
	prd(0, 0x8002, 510, false);
	prd(1, 0x9000, 2, false);
	prd(2, 0x20000, 0, true);	/* 64 KiB */
	command28(0xc8, 50, 129);
	assert_int_equal(in(COMMAND), 0x58);
	assert_false(disk.busy);
	start_dma(0, true);
	assert_int_equal(bm_in(2, 1), 0x01);
	assert_int_equal(in(CONTROL), ATA_BSY);
	assert_int_equal(interrupts(0), 0);
	assert_true(step(&disk));
	assert_false(disk.busy);
	assert_int_equal(interrupts(0), 1);
	assert_int_equal(bm_in(2, 1), 0x04);	/* done, and no more memory left */
	assert_int_equal(in(COMMAND), 0x50);
	assert_memory_equal(ram + 0x8002, disk.data + 50 * 512, 510);
	assert_memory_equal(ram + 0x9000, disk.data + 50 * 512 + 510, 2);
	assert_memory_equal(ram + 0x20000, disk.data + 51 * 512, 65536);
	bm_out(2, 1, 0x64);
	assert_int_equal(bm_in(2, 1), 0x60);

	/* The bus master first, the command afterwards; more memory than data: active. */
	memset(ram + 0x30000, 0x5a, 4096);
	prd(0, 0x30000, 4096, true);
	start_dma(0, false);
	command48(0x35, 60, 4);
	assert_true(step(&disk));
	assert_int_equal(bm_in(2, 1) & 7, 0x05);
	assert_memory_equal(disk.data + 60 * 512, ram + 0x30000, 2048);
	assert_int_equal(in(COMMAND), 0x50);
	bm_out(0, 1, 0);
	assert_int_equal(bm_in(2, 1) & 7, 0x04);
	interrupts(0);

	/* Less memory than data: what fits is moved, and no interrupt comes. */
	prd(0, 0x40000, 1024 + 100, true);
	command28(0xc8, 70, 4);
	start_dma(0, true);
	assert_true(step(&disk));
	assert_false(disk.busy);
	assert_int_equal(interrupts(0), 0);
	assert_int_equal(bm_in(2, 1) & 7, 0x00);
	assert_memory_equal(ram + 0x40000, disk.data + 70 * 512, 1024);
	assert_int_equal(ram[0x40000 + 1024], 0);

	/* To nowhere: the bus master's error, and the drive gives up. */
	prd(0, RAM_SIZE - 512, 1024, true);
	command28(0xc8, 70, 2);
	start_dma(0, true);
	assert_true(step(&disk));
	assert_int_equal(bm_in(2, 1) & 7, 0x06);
	assert_int_equal(in(COMMAND), 0x51);
	assert_int_equal(in(0x1f1), ATA_ABRT);
	/* So if the list itself is nowhere. */
	command28(0xc8, 70, 2);
	bm_out(0, 1, 0);
	bm_out(4, 4, 0xfffffff0);
	bm_out(2, 1, 6);
	bm_out(0, 1, 9);
	assert_int_equal(bm_in(2, 1) & 7, 0x06);
	assert_int_equal(in(COMMAND), 0x51);
}

/* A list of regions of two bytes, more than a request can have. */
static void test_dma_scattered(void **state)
{
	for (unsigned int i = 0; i < 1024; i++)
		prd(i, 0x10000 + 4 * i, 2, i == 1023);
	command28(0xc8, 5, 4);
	start_dma(0, true);
	for (unsigned int i = 0; i < 2; i++)
		assert_true(step(&disk));
	assert_false(step(&disk));
	assert_int_equal(in(COMMAND), 0x50);
	for (unsigned int i = 0; i < 1024; i++)
		assert_memory_equal(ram + 0x10000 + 4 * i, disk.data + 5 * 512 + 2 * i, 2);
	/* One that has no end goes round in its 64 KiB. */
	for (unsigned int i = 0; i < (RAM_SIZE - 0x10000) / 8; i++)
		memcpy(ram + 0x10000 + 8 * i, (u32 [2]){ 0x1000, 0x200 }, 8);
	bm_out(0, 1, 0);
	command48(0x25, 0, 16384);
	bm_out(4, 4, 0x2fff8);
	bm_out(0, 1, 9);
	for (unsigned int i = 0; i < 16384 / (BLK_SEGMENTS / 2) && step(&disk); i++)
		;
	assert_false(disk.busy);
	assert_int_equal(in(COMMAND), 0x50);
}

/* One drive waits for the bus master while the other one is at its medium. */
static void test_two_drives(void **state)
{
	u8 buf[512];

	p.channel[0].drive[1].kind = ATA_DISK;
	p.channel[0].drive[1].blk = &other.blk;
	piix3ide_reset(&p);
	prd(0, 0x8000, 4096, true);
	command28(0xc8, 0, 8);
	out(DEVICE, 0xf0);
	out(COUNT, 1);
	out(LOW, 2);
	out(LOW + 1, 0);
	out(LOW + 2, 0);
	out(COMMAND, 0x20);
	assert_true(other.busy);
	start_dma(0, true);
	assert_false(disk.busy);
	assert_ptr_equal(p.channel[0].iov[0].iov_base, other.iov[0].iov_base);
	assert_int_equal(p.channel[0].iov[0].iov_len, 512);
	step(&other);
	read_pio(DATA, buf, 512);
	assert_memory_equal(buf, other.data + 2 * 512, 512);
}

static void test_reset(void **state)
{
	/* What is under way ends before the reset does. */
	command28(0x20, 1, 1);
	out(CONTROL, 4);
	assert_int_equal(in(COMMAND), ATA_BSY);
	out(CONTROL, 0);
	assert_int_equal(in(COMMAND), ATA_BSY);
	out(COMMAND, 0xec);
	assert_true(step(&disk));
	assert_int_equal(interrupts(0), 0);
	assert_int_equal(in(COMMAND), 0x50);
	assert_int_equal(in(0x1f1), 1);
	assert_int_equal(in(COUNT), 1);
	assert_int_equal(in(LOW), 1);
	assert_int_equal(in(LOW + 1) | in(LOW + 2), 0);
	assert_int_equal(in(0x174), 0x14);
	assert_int_equal(in(0x175), 0xeb);
	/* A CD-ROM drive is not ready until it is told something. */
	out(0x376, 4);
	out(0x376, 0);
	assert_int_equal(in(0x177), 0);
	/* The drive that is not there. */
	out(DEVICE, 0xf0);
	assert_int_equal(in(COMMAND), 0);
	out(COMMAND, 0xec);
	assert_int_equal(in(COMMAND), 0);
	out(DEVICE, 0xe0);
	out(COMMAND, 0x90);
	assert_int_equal(in(0x1f1), 1);
	assert_int_equal(in(COMMAND), 0x50);
	/* No interrupts while nIEN is set; it comes when that is cleared. */
	out(CONTROL, 2);
	interrupts(0);
	out(COMMAND, 0xec);
	assert_int_equal(interrupts(0), 0);
	out(CONTROL, 0);
	assert_int_equal(interrupts(0), 1);
	/* The machine's reset. */
	piix3ide_reset(&p);
	assert_int_equal(in(COMMAND), 0x50);
	assert_false(b.level[14]);
}

/* The ports are decoded as the function's registers say. */
static void test_function(void **state)
{
	assert_int_equal(pci_config_read(&p.fn, 0, 4), 0x70108086);
	assert_int_equal(pci_config_read(&p.fn, 8, 4) >> 8, 0x010180);
	assert_int_equal(pci_bar_base(&p.fn, 4), PIIX3IDE_BM_BASE);
	pci_config_write(&p.fn, 0x20, 4, 0xffffffff);
	assert_int_equal(pci_config_read(&p.fn, 0x20, 4), 0xfffffff1);
	pci_config_write(&p.fn, 0x40, 2, 0);
	assert_int_equal(in(COMMAND), 0xff);
	assert_int_equal(in(0x177), 0);
	pci_config_write(&p.fn, 0x40, 2, 0x8000);
	assert_int_equal(in(COMMAND), 0x50);
	pci_config_write(&p.fn, PCI_COMMAND, 2, 0);
	assert_int_equal(in(COMMAND), 0xff);
	out(COMMAND, 0xec);
	assert_int_equal(interrupts(0), 0);
}

/* ---- a CD-ROM drive ----------------------------------------------------------------- */

/* The drive's answer into @buf; returns its length. @limit: bytes of a block. */
static unsigned int packet(const u8 cmd[12], void *buf, unsigned int limit)
{
	unsigned int len = 0, n;

	out(0x176, 0xa0);
	out(0x171, 0);
	out(0x174, (u8)limit);
	out(0x175, (u8)(limit >> 8));
	interrupts(1);
	out(0x177, 0xa0);
	assert_int_equal(in(0x376), 0x58);
	assert_int_equal(in(0x172) & 3, 1);
	assert_int_equal(interrupts(1), 0);
	write_pio(0x170, cmd, 12);
	for (;;) {
		step(&cd);
		step(&other);
		assert_int_equal(interrupts(1), 1);
		if (!(in(0x177) & ATA_DRQ))
			break;
		assert_int_equal(in(0x172) & 3, 2);
		n = in(0x174) | in(0x175) << 8;
		assert_true(n && n <= limit);
		if (n & 1)
			n++;
		read_pio(0x170, (u8 *)buf + len, n);
		len += n;
	}
	assert_int_equal(in(0x172) & 3, 3);
	return len;
}

static bool packet_fails(const u8 cmd[12], u8 sense, u8 asc)
{
	static const u8 request[12] = { 3, 0, 0, 0, 18 };
	u8 buf[18];

	packet(cmd, buf, 0xfffe);
	if (in(0x177) != 0x51 || in(0x171) != (sense << 4 | ATA_ABRT))
		return false;
	assert_int_equal(packet(request, buf, 0xfffe), 18);
	assert_int_equal(in(0x177), 0x50);
	assert_int_equal(buf[0], 0x70);
	return buf[2] == sense && buf[12] == asc;
}

static const u8 test_ready[12] = { 0 };

static void test_cd(void **state)
{
	static const u8 inquiry[12] = { 0x12, 0, 0, 0, 36 };
	static const u8 capacity[12] = { 0x25 };
	static const u8 toc[12] = { 0x43, 2, 0, 0, 0, 0, 0, 0, 20 };
	static const u8 read3[12] = { 0x28, 0, 0, 0, 0, 10, 0, 0, 3 };
	static const u8 beyond[12] = { 0x28, 0, 0, 0, CD_SECTORS >> 8, CD_SECTORS & 255, 0, 0, 1 };
	static const u8 huge[12] = { 0xa8, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };
	static const u8 page[12] = { 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 128 };
	static const u8 nonsense[12] = { 0xe9 };
	static u8 buf[3 * 2048];

	assert_true(packet_fails(test_ready, 6, 0x29));	/* it was reset */
	packet(test_ready, buf, 2);
	assert_int_equal(in(0x177), 0x50);
	assert_int_equal(packet(inquiry, buf, 0xfffe), 36);
	assert_int_equal(buf[0], 5);
	assert_int_equal(packet(capacity, buf, 8), 8);
	assert_int_equal(buf[2] << 8 | buf[3], CD_SECTORS - 1);
	assert_int_equal(packet(toc, buf, 6), 20);	/* in several blocks */
	assert_int_equal(buf[14], 0xaa);
	assert_int_equal(buf[17] * 60 * 75 + buf[18] * 75 + buf[19], CD_SECTORS + 150);
	assert_int_equal(packet(read3, buf, 2048), 3 * 2048);
	assert_memory_equal(buf, cd.data + 10 * 2048, 3 * 2048);
	assert_int_equal(packet(page, buf, 0xfffe), 28);
	assert_int_equal(buf[8], 0x2a);
	assert_true(packet_fails(beyond, 5, 0x21));
	assert_true(packet_fails(huge, 5, 0x21));
	assert_true(packet_fails(nonsense, 5, 0x20));
	cd.fail = EIO;
	assert_true(packet_fails(read3, 3, 0x11));
	cd.fail = 0;

	/* A driver asks what it is. */
	out(0x177, 0xec);
	assert_int_equal(in(0x177), 0x51);
	assert_int_equal(in(0x175), 0xeb);
	out(0x177, 0xa1);
	read_pio(0x170, buf, 512);
	assert_int_equal(in(0x177), 0x50);
	assert_int_equal(buf[1] << 8 | buf[0], 0x85c0);
}

static void test_cd_dma(void **state)
{
	static const u8 read5[12] = { 0x28, 0, 0, 0, 0, 20, 0, 0, 5 };
	static const u8 inquiry[12] = { 0x12, 0, 0, 0, 36 };
	u8 buf[4];

	packet(test_ready, buf, 2);
	prd(0, 0x50000, 5 * 2048, true);
	out(0x171, 1);
	out(0x177, 0xa0);
	write_pio(0x170, read5, 12);
	start_dma(1, true);
	assert_true(step(&cd));
	assert_int_equal(bm_in(10, 1) & 7, 0x04);
	assert_int_equal(in(0x177), 0x50);
	assert_memory_equal(ram + 0x50000, cd.data + 20 * 2048, 5 * 2048);
	/* What does not come from the medium goes the same way. */
	prd(0, 0x60000, 36, true);
	start_dma(1, true);
	out(0x171, 1);
	out(0x177, 0xa0);
	write_pio(0x170, inquiry, 12);
	assert_int_equal(in(0x177), 0x50);
	assert_memory_equal(ram + 0x60008, "WORLDSW ", 8);
	assert_int_equal(bm_in(10, 1) & 7, 0x04);
}

static void test_cd_change(void **state)
{
	static const u8 lock[12] = { 0x1e, 0, 0, 0, 1 }, unlock[12] = { 0x1e };
	static const u8 event[12] = { 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8 };
	static const u8 eject[12] = { 0x1b, 0, 0, 0, 2 };
	static const u8 read0[12] = { 0x28, 0, 0, 0, 0, 0, 0, 0, 1 };
	struct ata_drive *d = &p.channel[1].drive[0];
	static u8 buf[2048];

	packet(test_ready, buf, 2);
	packet(lock, buf, 2);
	assert_true(packet_fails(eject, 5, 0x53));
	assert_false(ata_change_medium(d, &other.blk, false));
	assert_int_equal(packet(event, buf, 8), 8);
	assert_int_equal(buf[4], 1);		/* somebody wants it open */
	packet(unlock, buf, 2);
	assert_true(ata_change_medium(d, &other.blk, false));
	assert_true(packet_fails(read0, 6, 0x28));
	assert_int_equal(packet(read0, buf, 2048), 2048);
	assert_memory_equal(buf, other.data, 2048);
	assert_int_equal(packet(event, buf, 8), 8);
	assert_int_equal(buf[4], 2);
	assert_true(ata_change_medium(d, NULL, false));
	assert_true(packet_fails(read0, 2, 0x3a));
	assert_true(ata_change_medium(d, &cd.blk, false));
	assert_true(packet_fails(test_ready, 6, 0x28));
	packet(lock, buf, 2);
	assert_true(ata_change_medium(d, NULL, true));
	/* The guest's own way. */
	assert_true(ata_change_medium(d, &cd.blk, true));
	packet(unlock, buf, 2);
	packet(test_ready, buf, 2);
	packet(eject, buf, 2);
	assert_true(packet_fails(read0, 2, 0x3a));
	/* Not in the middle of a transfer. */
	assert_true(ata_change_medium(d, &cd.blk, false));
	packet(test_ready, buf, 2);
	out(0x177, 0xa0);
	write_pio(0x170, read0, 12);
	assert_false(ata_change_medium(d, NULL, true));
	step(&cd);
}

/* Whatever comes, no byte outside the media and the memory is touched. */
static void test_noise(void **state)
{
	static const u8 commands[] = {
		0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0x3d, 0x90, 0x91, 0xa0, 0xa0,
		0xa1, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0xce, 0xe7, 0xec, 0xef, 0x08,
	};
	uint64_t seed = 99;

	p.channel[0].drive[1].kind = ATA_CDROM;
	p.channel[0].drive[1].blk = &other.blk;
	piix3ide_reset(&p);
	for (unsigned int i = 0; i < PRDS / 8; i++)	/* some lead behind the memory's end */
		prd(i, unit_random(&seed) % (RAM_SIZE + 0x4000), unit_random(&seed) % 3000,
		    unit_random(&seed) % 4 == 0);
	for (unsigned int i = 0; i < 100000; i++) {
		unsigned int ch = unit_random(&seed) & 1, r = unit_random(&seed) % 16;
		u32 base = ch ? 0x170 : 0x1f0;

		if (r == 0)
			bm_out(8 * ch + 4, 4, PRDS + unit_random(&seed) % PRDS);
		else if (r == 1)
			bm_out(8 * ch, 1, unit_random(&seed));
		else if (r == 2)
			command28(commands[unit_random(&seed) % sizeof(commands)],
				  unit_random(&seed) % DISK_SECTORS, unit_random(&seed) % 4);
		else if (r < 5)
			out(base + 7, commands[unit_random(&seed) % sizeof(commands)]);
		else if (r < 8)
			out(base + 1 + unit_random(&seed) % 6, unit_random(&seed) % 3 ?
			    unit_random(&seed) & 3 : unit_random(&seed));
		else if (r == 8)
			out(base + 0x206, unit_random(&seed) % 50 ? 0 : 4);
		else if (r == 9)
			for (unsigned int n = unit_random(&seed) % 600; n; n--)
				out_word(base, (u16)(n % 8 ? 0x28 : unit_random(&seed)));
		else if (r == 10)
			for (unsigned int n = unit_random(&seed) % 300; n; n--)
				in_word(base);
		else if (r < 14)
			bench_fuzz(&b, piix3ide_regions[ch], 2, &p.channel[ch], 2);
		else
			out(base + 0x206, 0);
		disk.fail = cd.fail = other.fail = unit_random(&seed) % 20 ? 0 : EIO;
		if (unit_random(&seed) & 1) {
			step(&disk);
			step(&cd);
			step(&other);
		}
	}
	assert_true(disk.writes > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_identify, setup),
		cmocka_unit_test_setup(test_pio, setup),
		cmocka_unit_test_setup(test_chs, setup),
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_write_cache, setup),
		cmocka_unit_test_setup(test_dma, setup),
		cmocka_unit_test_setup(test_dma_scattered, setup),
		cmocka_unit_test_setup(test_two_drives, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_function, setup),
		cmocka_unit_test_setup(test_cd, setup),
		cmocka_unit_test_setup(test_cd_dma, setup),
		cmocka_unit_test_setup(test_cd_change, setup),
		cmocka_unit_test_setup(test_noise, setup),
	};

	return cmocka_run_group_tests_name("ata", tests, NULL, NULL);
}
