// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our IDE disk behind the PIIX3 and QEMU's, told the same: status, errors, data
 * and interrupts are compared after each step, and the whole disk at the end. What
 * a drive says of itself (its name, its modes) is compared where it matters to how
 * it is used. Registers of the address after a command are not: standards differ.
 */
#include "chips.h"

#include <fcntl.h>
#include <unistd.h>

#include "qemu.h"
#include "vmapp/dev/piix3ide.h"

#define SECTORS		40000u
#define RAM		0x100000u	/* what the bus master reaches, in QEMU's memory */
#define RAM_SIZE	0x10000u
#define PRDS		0xf000u		/* in it */
#define BM		0xc100u
#define STEPS		2000

static struct qemu q;
static struct bench b;
static struct piix3ide ide;
static u8 ram[RAM_SIZE];
static const char *bios;
static char image[256];

static struct {
	struct blk blk;
	u8 *data;
	bool busy;
	enum blk_op op;
	u64 offset;
	const struct iovec *iov;
	unsigned int n;
} disk;

static uint64_t seed = 4711;

static u32 below(u32 n)
{
	return unit_random(&seed) % n;
}

/* ---- ours ---- */

static void start(struct blk *blk, enum blk_op op, u64 offset, const struct iovec *iov,
		  unsigned int n)
{
	disk.busy = true;
	disk.op = op;
	disk.offset = offset;
	disk.iov = iov;
	disk.n = n;
}

/* The medium is done at once, as QEMU's is when it is asked for the status. */
static void settle(void)
{
	while (disk.busy) {
		u64 at = disk.offset;

		disk.busy = false;
		for (unsigned int i = 0; i < disk.n; i++) {
			if (disk.op == BLK_READ)
				memcpy(disk.iov[i].iov_base, disk.data + at, disk.iov[i].iov_len);
			else
				memcpy(disk.data + at, disk.iov[i].iov_base, disk.iov[i].iov_len);
			at += disk.iov[i].iov_len;
		}
		disk.blk.done(disk.blk.dev, 0);
	}
}

static void *map(void *ctx, u64 gpa, u32 len)
{
	return gpa >= RAM && gpa - RAM < RAM_SIZE && len <= RAM_SIZE - (gpa - RAM) ?
	       ram + (gpa - RAM) : NULL;
}

/* ---- both at once ---- */

static void out(u32 port, unsigned int size, u32 val)
{
	qemu_out(&q, port, size, val);
	if (port >= BM && port < BM + PIIX3IDE_BM_SIZE)
		bench_out(piix3ide_bm_regions, piix3ide_n_bm_regions, ide.bm, port - BM, size, val);
	else
		bench_out(piix3ide_regions[0], PIIX3IDE_N_REGIONS, &ide.channel[0], port, size, val);
	settle();
}

static u32 ours(u32 port, unsigned int size)
{
	u32 val;

	if (port >= BM && port < BM + PIIX3IDE_BM_SIZE)
		val = bench_in(piix3ide_bm_regions, piix3ide_n_bm_regions, ide.bm, port - BM, size);
	else
		val = bench_in(piix3ide_regions[0], PIIX3IDE_N_REGIONS, &ide.channel[0], port, size);
	settle();
	return val;
}

/* That a seek has ended is told by QEMU now and then; nobody looks. */
static bool is_status(u32 port)
{
	return port == 0x1f7 || port == 0x3f6;
}

static u32 in(const char *what, u32 port, unsigned int size)
{
	u32 theirs = qemu_in(&q, port, size), val = ours(port, size);
	u32 mask = is_status(port) ? (u32)~ATA_DSC : ~0u;

	if ((val & mask) != (theirs & mask))
		fail_msg("%s: port %x is %x, QEMU's %x", what, port, val, theirs);
	return val;
}

/* QEMU has done its part; then all that says how the command went. */
static u8 result(const char *what)
{
	for (unsigned int i = 0; i < 10000 && (qemu_in(&q, 0x3f6, 1) & ATA_BSY); i++)
		;
	in(what, 0x3f6, 1);
	if (q.ide_irq != b.level[14])
		fail_msg("%s: the interrupt is %d, QEMU's %d", what, b.level[14], q.ide_irq);
	in(what, BM + 2, 1);
	if (in(what, 0x1f7, 1) & ATA_ERR)
		in(what, 0x1f1, 1);
	return (u8)ours(0x3f6, 1);
}

static void address(bool ext, bool lba, u32 sector, u32 count)
{
	out(0x1f6, 1, lba ? 0xe0 | (ext ? 0 : sector >> 24) : 0xa0 | sector % 16);
	if (ext) {
		out(0x1f2, 1, count >> 8);
		out(0x1f3, 1, sector >> 24);
		out(0x1f4, 1, 0);
		out(0x1f5, 1, 0);
	}
	out(0x1f2, 1, count & 0xff);
	out(0x1f3, 1, lba ? sector & 0xff : 1 + sector % 63);
	out(0x1f4, 1, lba ? sector >> 8 & 0xff : sector % (SECTORS / 1008 - 1));
	out(0x1f5, 1, lba ? sector >> 16 & 0xff : 0);
}

static u32 some_sector(void)
{
	return below(SECTORS - 16);
}

static void pio_in(const char *what)
{
	while (result(what) & ATA_DRQ)
		for (unsigned int i = 0; i < 128; i++)
			in(what, 0x1f0, 4);
}

static void pio_out(const char *what)
{
	while (result(what) & ATA_DRQ)
		for (unsigned int i = 0; i < 128; i++)
			out(0x1f0, 4, unit_random(&seed));
}

static void read_pio(void)
{
	bool ext = below(2);

	address(ext, ext || below(4), some_sector(), 1 + below(3));
	out(0x1f7, 1, ext ? 0x24 : 0x20);
	pio_in("READ SECTORS");
}

static void write_pio(void)
{
	bool ext = below(2);

	address(ext, ext || below(4), some_sector(), 1 + below(3));
	out(0x1f7, 1, ext ? 0x34 : 0x30);
	pio_out("WRITE SECTORS");
}

static void multiple(void)
{
	out(0x1f2, 1, 1 << below(6));
	out(0x1f7, 1, 0xc6);
	if (result("SET MULTIPLE") & ATA_ERR)
		return;
	address(false, true, some_sector(), 1 + below(6));
	out(0x1f7, 1, 0x40);
	result("READ VERIFY");
}

/* Regions of memory that hold just what the command moves. */
static void dma(void)
{
	u32 count = 1 + below(8), left = count * 512, at = below(0x100) * 2, n = 0;
	bool write = below(2), ext = below(2);

	for (u32 i = 0; i < 0x3000; i += 4) {
		u32 val = unit_random(&seed);

		memcpy(ram + i, &val, 4);
	}
	while (left) {
		u32 len = below(3) ? 2 + below(300) * 2 : left, prd[2];

		len = len < left ? len : left;
		left -= len;
		prd[0] = RAM + at;
		prd[1] = len | (left ? 0 : 0x80000000);
		memcpy(ram + PRDS + 8 * n++, prd, 8);
		at += len + below(4) * 2;
	}
	qemu_write(&q, RAM, ram, 0x3000);
	qemu_write(&q, RAM + PRDS, ram + PRDS, 8 * n);
	out(BM, 1, 0);
	out(BM + 4, 4, RAM + PRDS);
	out(BM + 2, 1, 0x66);
	out(BM, 1, write ? 0 : 8);
	address(ext, true, below(SECTORS - 16), count);
	out(0x1f7, 1, ext ? write ? 0x35 : 0x25 : write ? 0xca : 0xc8);
	out(BM, 1, write ? 1 : 9);
	/* Busy or not, QEMU's drive is at it as long as the bus master is. */
	for (unsigned int i = 0; i < 10000 && (qemu_in(&q, BM + 2, 1) & 1); i++)
		;
	assert_int_equal(result(write ? "WRITE DMA" : "READ DMA") & 0xf7, 0x50);
	if (!write) {
		static u8 theirs[0x3000];

		qemu_read(&q, RAM, theirs, sizeof(theirs));
		assert_memory_equal(ram, theirs, sizeof(theirs));
	}
}

static void others(void)
{
	static const u8 commands[] = { 0xe7, 0xea, 0x10, 0x70, 0x00, 0xff, 0xe0, 0xe1, 0x91 };
	u8 cmd = commands[below(sizeof(commands))];

	out(0x1f6, 1, 0xef);
	out(0x1f2, 1, 63);
	out(0x1f7, 1, cmd);
	result("a command without data");
}

static void test_identify(void **state)
{
	static const u8 words[] = { 1, 3, 6, 54, 55, 56, 57, 58, 59, 60, 61, 100, 101, 102, 103 };
	u16 mine[256], theirs[256];

	out(0x1f6, 1, 0xa0);
	out(0x1f2, 1, 16);	/* QEMU's drive begins so */
	out(0x1f7, 1, 0xc6);
	result("SET MULTIPLE");
	out(0x1f7, 1, 0xec);
	assert_true(result("IDENTIFY DEVICE") & ATA_DRQ);
	for (unsigned int i = 0; i < 256; i++) {
		theirs[i] = (u16)qemu_in(&q, 0x1f0, 2);
		mine[i] = (u16)ours(0x1f0, 2);
	}
	result("after IDENTIFY DEVICE");
	for (unsigned int i = 0; i < sizeof(words); i++)
		if (mine[words[i]] != theirs[words[i]])
			fail_msg("word %u is %x, QEMU's %x", words[i], mine[words[i]],
				 theirs[words[i]]);
	assert_int_equal(mine[47] & 0xff, theirs[47] & 0xff);
	assert_int_equal(mine[49] & 0x0b00, theirs[49] & 0x0b00);
	assert_int_equal(mine[83] & 0x3400, theirs[83] & 0x3400);
}

static void test_reset(void **state)
{
	out(0x3f6, 1, 4);
	out(0x3f6, 1, 0);
	in("reset", 0x3f6, 1);
	in("reset", 0x1f7, 1);	/* QEMU's drive asks for an interrupt */
	for (u32 reg = 0x1f1; reg <= 0x1f5; reg++)
		in("the signature", reg, 1);
	out(0x1f6, 1, 0xb0);
	in("the drive that is not there", 0x1f7, 1);
	in("the drive that is not there", 0x3f6, 1);
	out(0x1f6, 1, 0xa0);
}

/* A command that begins behind the end fails: QEMU notices a write's with its data. */
static void test_beyond(void **state)
{
	static const u8 commands[] = { 0x20, 0x24 };

	for (unsigned int i = 0; i < sizeof(commands); i++) {
		address(commands[i] == 0x24, true, SECTORS, 1);
		out(0x1f7, 1, commands[i]);
		for (unsigned int n = 0; n < 10000 && (qemu_in(&q, 0x3f6, 1) & ATA_BSY); n++)
			;
		in("behind the end", 0x1f7, 1);
		assert_true(ours(0x3f6, 1) & ATA_ERR);
	}
}

static void test_random(void **state)
{
	static void (*const actions[])(void) = {
		read_pio, write_pio, dma, dma, multiple, others,
	};

	for (unsigned int i = 0; i < STEPS; i++)
		actions[below(WS_ARRAY_SIZE(actions))]();
}

/* After QEMU has ended: its image is our medium. */
static void test_disk(void **state)
{
	int fd = open(image, O_RDONLY);
	u8 *theirs = malloc(SECTORS * 512);

	qemu_stop(&q);
	assert_int_equal(read(fd, theirs, SECTORS * 512), SECTORS * 512);
	assert_memory_equal(theirs, disk.data, SECTORS * 512);
	free(theirs);
	close(fd);
}

static int set_up(void **state)
{
	int fd = open(image, O_RDWR | O_CREAT | O_TRUNC, 0600);

	disk.data = malloc(SECTORS * 512);
	for (u32 i = 0; i < SECTORS * 512; i++)
		disk.data[i] = (u8)(i / 512 * 3 + i);
	if (write(fd, disk.data, SECTORS * 512) != SECTORS * 512 || close(fd))
		return -1;
	disk.blk = (struct blk){ .start = start, .size = SECTORS * 512 };
	ide.memory.map = map;
	ide.channel[0].irq = bench_line(&b, 14);
	ide.channel[1].irq = bench_line(&b, 15);
	ide.channel[0].drive[0].kind = ATA_DISK;
	ide.channel[0].drive[0].blk = &disk.blk;
	piix3ide_init(&ide);
	qemu_start(&q, bios, image);
	/* Function 1 of slot 1: both channels, the bus master, its ports. */
	qemu_out(&q, 0xcf8, 4, 0x80000940);
	qemu_out(&q, 0xcfc, 4, 0x80008000);
	qemu_out(&q, 0xcf8, 4, 0x80000920);
	qemu_out(&q, 0xcfc, 4, BM);
	qemu_out(&q, 0xcf8, 4, 0x80000904);
	qemu_out(&q, 0xcfc, 4, 5);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_identify),
		cmocka_unit_test(test_beyond),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_disk),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: ide_diff FILE (for QEMU's firmware, overwritten, as is FILE.disk)\n");
		return 2;
	}
	bios = argv[1];
	snprintf(image, sizeof(image), "%s.disk", bios);
	return cmocka_run_group_tests_name("ide_diff", tests, set_up, NULL);
}
