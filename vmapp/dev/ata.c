// SPDX-License-Identifier: GPL-2.0-only
#include "ata.h"

#include <string.h>

/* Registers of the command block. */
#define REG_DATA	0
#define REG_FEATURES	1	/* write; read: error */
#define REG_COUNT	2
#define REG_LOW		3
#define REG_MID		4
#define REG_HIGH	5
#define REG_DEVICE	6
#define REG_COMMAND	7	/* write; read: status */

#define DEVICE_DEV	0x10	/* which drive */
#define DEVICE_LBA	0x40
#define DEVICE_OBSOLETE	0xa0

#define CONTROL_NIEN	0x02
#define CONTROL_SRST	0x04
#define CONTROL_HOB	0x80

/* Commands. */
#define CMD_DEVICE_RESET	0x08
#define CMD_DIAGNOSTIC		0x90
#define CMD_PACKET		0xa0
#define CMD_IDENTIFY_PACKET	0xa1
#define CMD_IDENTIFY		0xec

#define FEATURE_WRITE_CACHE	0x02
#define FEATURE_MODE		0x03
#define FEATURE_NO_LOOK_AHEAD	0x55
#define FEATURE_KEEP		0x66
#define FEATURE_NO_WRITE_CACHE	0x82
#define FEATURE_LOOK_AHEAD	0xaa
#define FEATURE_REVERT		0xcc

#define MODE_PIO_DEFAULT	0x00	/* and 01h */
#define MODE_PIO		0x08	/* to 0Ch */
#define MODE_MWDMA		0x20	/* to 22h */

#define POWER_STANDBY	0x00
#define POWER_IDLE	0x80
#define POWER_ACTIVE	0xff

#define READY		(ATA_DRDY | ATA_DSC)
#define DIAGNOSTIC_OK	0x01

/* ---- interrupts ------------------------------------------------------------------ */

static struct ata_drive *selected(struct ata_channel *ch)
{
	return &ch->drive[ch->selected];
}

static void update_irq(struct ata_channel *ch)
{
	bool was = ch->irq.level;
	bool level = selected(ch)->intrq && !(ch->control & CONTROL_NIEN);

	if (level && !was)
		ch->dma.interrupt(ch->dma.ctx);
	dev_irq_set(&ch->irq, level);
}

static void set_intrq(struct ata_drive *d, bool on)
{
	d->intrq = on;
	update_irq(d->channel);
}

void ata_end(struct ata_drive *d, u8 error)
{
	bool dma = d->dma;

	d->phase = ATA_IDLE;
	d->dma = false;
	d->error = error;
	d->status = (u8)(READY | (error ? ATA_ERR : 0));
	if (dma)
		d->channel->dma.end(d->channel->dma.ctx);
	set_intrq(d, true);
}

/* ---- data ------------------------------------------------------------------------- */

static void start(struct ata_drive *d, enum blk_op op, const struct iovec *iov, unsigned int n)
{
	d->phase = ATA_BUSY;
	d->op = op;
	d->status = ATA_BSY;
	d->power = POWER_ACTIVE;
	d->blk->start(d->blk, op, d->pos, iov, n);
}

/* The next block of PIO: the guest is told by an interrupt, unless it expects it. */
static void offer(struct ata_drive *d, enum ata_phase phase, bool interrupt)
{
	u32 len = d->end - d->at;

	if (len > d->block)
		len = d->block;
	d->phase = phase;
	d->stop = d->at + len;
	d->status = READY | ATA_DRQ;
	if (d->in_packet && phase == ATA_DATA_IN) {
		d->regs.mid = (u8)len;
		d->regs.high = (u8)(len >> 8);
		d->regs.count = 2;	/* to the host, no command */
	}
	if (interrupt)
		set_intrq(d, true);
}

/* Everything has been moved. */
static void finish(struct ata_drive *d)
{
	if (d->write && (d->fua || !d->write_cache)) {
		d->chunk = 0;
		start(d, BLK_FLUSH, NULL, 0);
		return;
	}
	if (d->in_packet) {
		d->regs.count = 3;
		ata_end(d, 0);
	} else if (d->dma || d->write) {
		ata_end(d, 0);
	} else {	/* the guest knows: it has read the last word */
		d->phase = ATA_IDLE;
		d->status = READY;
	}
}

/* What is in the buffer goes to where the bus master says. */
static void send_by_dma(struct ata_drive *d)
{
	struct ata_channel *ch = d->channel;
	unsigned int n;

	while (d->at < d->end) {
		s32 got = ch->dma.gather(ch->dma.ctx, ch->iov, &n, d->end - d->at, 1);

		if (got <= 0) {
			ata_end(d, ATA_ABRT);
			return;
		}
		for (unsigned int i = 0; i < n; i++) {
			memcpy(ch->iov[i].iov_base, d->buf + d->at, ch->iov[i].iov_len);
			d->at += (u32)ch->iov[i].iov_len;
		}
	}
	finish(d);
}

static void move_by_dma(struct ata_drive *d)
{
	struct ata_channel *ch = d->channel;
	unsigned int n;
	s32 got;

	if (!ch->dma.ready(ch->dma.ctx)) {
		d->phase = ATA_DMA;
		d->status = READY | ATA_DRQ;
		return;
	}
	if (d->at < d->end) {
		send_by_dma(d);
		return;
	}
	if (!d->left) {
		finish(d);
		return;
	}
	got = ch->dma.gather(ch->dma.ctx, ch->iov, &n, d->left < BLK_BYTES ? d->left : BLK_BYTES,
			     BLK_SECTOR);
	if (got < 0) {
		ata_end(d, ATA_ABRT);
	} else if (!got) {
		/* The guest has described too little memory: it gets no interrupt. */
		d->phase = ATA_IDLE;
		d->status = READY;
		d->dma = false;
		ch->dma.end(ch->dma.ctx);
	} else {
		d->chunk = (u32)got;
		start(d, d->write ? BLK_WRITE : BLK_READ, ch->iov, n);
	}
}

/* The next request to the medium, or what the guest must do for it. */
static void move(struct ata_drive *d, bool interrupt)
{
	struct ata_channel *ch = d->channel;

	if (d->dma) {
		move_by_dma(d);
		return;
	}
	d->chunk = d->left < ATA_BUFFER ? d->left : ATA_BUFFER;
	d->at = 0;
	d->end = d->chunk;
	if (d->write) {
		offer(d, ATA_DATA_OUT, interrupt);
	} else {
		ch->iov[0] = (struct iovec){ d->buf, d->chunk };
		start(d, BLK_READ, ch->iov, 1);
	}
}

static void after_block_in(struct ata_drive *d)
{
	if (d->at < d->end)
		offer(d, ATA_DATA_IN, true);
	else if (d->left)
		move(d, true);
	else
		finish(d);
}

static void after_block_out(struct ata_drive *d)
{
	struct ata_channel *ch = d->channel;

	if (d->at < d->end) {
		offer(d, ATA_DATA_OUT, true);
	} else if (d->taking_packet) {
		d->taking_packet = false;
		memcpy(d->cd.packet, d->buf, sizeof(d->cd.packet));
		d->at = 0;
		d->end = 0;
		atapi_command(d);
	} else {
		ch->iov[0] = (struct iovec){ d->buf, d->chunk };
		start(d, BLK_WRITE, ch->iov, 1);
	}
}

/* Registers name the sector that the drive stands at. */
static void put_address(struct ata_drive *d, u64 sector)
{
	u32 track = (u32)d->heads * d->sectors;

	d->regs.count = 0;
	d->hob.count = 0;
	if (!(d->device & DEVICE_LBA)) {
		u32 cylinder = (u32)(sector / track);

		d->regs.low = (u8)(sector % d->sectors + 1);
		d->regs.mid = (u8)cylinder;
		d->regs.high = (u8)(cylinder >> 8);
		d->device = (u8)((d->device & 0xf0) | (sector / d->sectors % d->heads & 15));
		return;
	}
	d->regs.low = (u8)sector;
	d->regs.mid = (u8)(sector >> 8);
	d->regs.high = (u8)(sector >> 16);
	d->hob.low = (u8)(sector >> 24);
	d->hob.mid = (u8)(sector >> 32);
	d->hob.high = (u8)(sector >> 40);
}

static void failed(struct ata_drive *d)
{
	bool fault = d->op != BLK_READ;

	if (d->kind == ATA_CDROM) {
		atapi_failed(d);
		return;
	}
	put_address(d, d->pos / BLK_SECTOR);
	ata_end(d, fault ? ATA_ABRT : ATA_UNC);
	if (fault)
		d->status |= ATA_DF;
}

static void finish_reset(struct ata_channel *ch);

/* The medium has done what start() wanted. */
static void on_done(void *dev, int err)
{
	struct ata_drive *d = dev;

	d->phase = ATA_IDLE;
	if (d->channel->resetting) {
		finish_reset(d->channel);
		return;
	}
	if (err) {
		failed(d);
		return;
	}
	if (d->op == BLK_FLUSH) {
		ata_end(d, 0);
		return;
	}
	d->pos += d->chunk;
	d->left -= d->chunk;
	if (d->left == 0 && d->kind == ATA_DISK && d->pos)
		put_address(d, d->pos / BLK_SECTOR - 1);
	if (d->dma)
		move_by_dma(d);
	else if (d->op == BLK_READ)
		offer(d, ATA_DATA_IN, true);
	else if (d->left)
		move(d, true);
	else
		finish(d);
}

void ata_send(struct ata_drive *d, u32 len, u32 block)
{
	d->write = false;
	d->left = 0;
	d->at = 0;
	d->end = len;
	d->block = block;
	if (d->dma)
		move_by_dma(d);
	else if (len)
		offer(d, ATA_DATA_IN, true);
	else
		finish(d);
}

void ata_read_medium(struct ata_drive *d, u64 pos, u32 bytes, u32 block)
{
	d->write = false;
	d->pos = pos;
	d->left = bytes;
	d->at = 0;
	d->end = 0;
	d->block = block;
	move(d, true);
}

/* The channel's iov is in use then. */
static bool is_busy(const struct ata_channel *ch)
{
	return ch->drive[0].phase == ATA_BUSY || ch->drive[1].phase == ATA_BUSY;
}

void ata_dma_ready(struct ata_channel *ch)
{
	if (is_busy(ch))
		return;
	for (unsigned int i = 0; i < ATA_DRIVES; i++)
		if (ch->drive[i].phase == ATA_DMA) {
			move_by_dma(&ch->drive[i]);
			return;
		}
}

/* ---- a disk's commands -------------------------------------------------------------- */

void ata_geometry(u64 size, u16 *cylinders, u16 *heads, u16 *sectors)
{
	u64 n = size / BLK_SECTOR / (16 * 63);

	*cylinders = (u16)(n > 16383 ? 16383 : n ? n : 1);
	*heads = 16;
	*sectors = 63;
}

static u64 sectors_of(const struct ata_drive *d)
{
	return d->blk ? d->blk->size / BLK_SECTOR : 0;
}

/* The first sector that the registers name; false: there is none such. */
static bool get_address(const struct ata_drive *d, bool ext, u64 *sector)
{
	const struct ata_regs *r = &d->regs;
	u32 low = (u32)r->high << 16 | (u32)r->mid << 8 | r->low;

	if (ext) {
		*sector = (u64)d->hob.high << 40 | (u64)d->hob.mid << 32 |
			  (u64)d->hob.low << 24 | low;
		return true;
	}
	if (d->device & DEVICE_LBA) {
		*sector = (u64)(d->device & 15) << 24 | low;
		return true;
	}
	if (!r->low || r->low > d->sectors || (d->device & 15) >= d->heads)
		return false;
	*sector = ((u64)(r->high << 8 | r->mid) * d->heads + (d->device & 15)) * d->sectors +
		  r->low - 1;
	return true;
}

static u32 get_count(const struct ata_drive *d, bool ext)
{
	u32 n = ext ? (u32)d->hob.count << 8 | d->regs.count : d->regs.count;

	return n ? n : ext ? 65536 : 256;
}

/* Sets pos and left; false: beyond the disk's end, and the guest has been told. */
static bool set_range(struct ata_drive *d, bool ext)
{
	u64 all = sectors_of(d), sector;
	u32 n = get_count(d, ext);

	if (!get_address(d, ext, &sector) || sector >= all || n > all - sector) {
		ata_end(d, ATA_IDNF);
		return false;
	}
	d->pos = sector * BLK_SECTOR;
	d->left = n * BLK_SECTOR;
	d->at = 0;
	d->end = 0;
	d->dma = false;
	d->fua = false;
	return true;
}

/* What a command that moves sectors is. */
#define RW_WRITE	0x01
#define RW_DMA		0x02
#define RW_EXT		0x04
#define RW_MULTIPLE	0x08
#define RW_FUA		0x10

static void read_write(struct ata_drive *d, unsigned int how)
{
	if ((how & RW_MULTIPLE) && !d->multiple) {
		ata_end(d, ATA_ABRT);
		return;
	}
	if (!set_range(d, how & RW_EXT))
		return;
	if ((how & RW_WRITE) && d->blk->read_only) {
		ata_end(d, ATA_ABRT | ATA_UNC);
		return;
	}
	d->write = how & RW_WRITE;
	d->dma = how & RW_DMA;
	d->fua = how & RW_FUA;
	d->block = (how & RW_MULTIPLE ? d->multiple : 1u) * BLK_SECTOR;
	move(d, false);
}

/* Nothing is moved: the sectors are there, or not. */
static void verify(struct ata_drive *d, bool ext)
{
	if (set_range(d, ext))
		ata_end(d, 0);
}

static void flush(struct ata_drive *d)
{
	d->chunk = 0;
	d->left = 0;
	if (d->blk && !d->blk->read_only)
		start(d, BLK_FLUSH, NULL, 0);
	else
		ata_end(d, 0);
}

void ata_put_text(u8 *words, const char *text, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++)	/* the first of two is the high byte */
		words[i ^ 1] = (u8)(*text ? *text++ : ' ');
}

static void put_word(u8 *buf, unsigned int word, u32 val)
{
	buf[2 * word] = (u8)val;
	buf[2 * word + 1] = (u8)(val >> 8);
}

static void put_long(u8 *buf, unsigned int word, u64 val, unsigned int words)
{
	for (unsigned int i = 0; i < words; i++)
		put_word(buf, word + i, (u32)(val >> (16 * i)) & 0xffff);
}

/* Modes that both kinds of drive have, and what is chosen of them. */
static void put_modes(const struct ata_drive *d, u8 *buf)
{
	u32 chosen = (d->mode & 0xf8) == MODE_MWDMA ? 0x100u << (d->mode & 7) : 0;

	put_word(buf, 53, 0x0003);		/* words 54-58 and 64-70 count */
	put_word(buf, 63, 0x0007 | chosen);	/* multiword DMA 0 to 2 */
	put_word(buf, 64, 0x0003);		/* PIO 3 and 4 */
	for (unsigned int i = 65; i <= 68; i++)
		put_word(buf, i, 120);		/* ns of a cycle */
}

static void put_checksum(u8 *buf)
{
	u8 sum = 0xa5;

	buf[510] = 0xa5;
	for (unsigned int i = 0; i < 510; i++)
		sum = (u8)(sum + buf[i]);
	buf[511] = (u8)-sum;
}

/* The words of IDENTIFY DEVICE's section in the standard. */
static void identify(struct ata_drive *d)
{
	u64 n = sectors_of(d);
	u16 cylinders, heads, sectors;
	u32 track = (u32)d->heads * d->sectors;
	u8 *b = d->buf;
	u64 current;

	ata_geometry(n * BLK_SECTOR, &cylinders, &heads, &sectors);
	current = n / track > 0xffff ? 0xffff : n / track;	/* cylinders */
	memset(b, 0, BLK_SECTOR);
	put_word(b, 0, 0x0040);		/* not removable */
	put_word(b, 1, cylinders);
	put_word(b, 3, heads);
	put_word(b, 6, sectors);
	ata_put_text(b + 2 * 10, d->serial, 20);
	ata_put_text(b + 2 * 23, "1.0", 8);
	ata_put_text(b + 2 * 27, "Worldswitch disk", 40);
	put_word(b, 47, 0x8000 | ATA_MULTIPLE);
	put_word(b, 48, 1);		/* 32 bits at the data port */
	put_word(b, 49, 0x0b00);	/* IORDY, LBA, DMA */
	put_word(b, 50, 0x4000);
	put_word(b, 51, 0x0200);
	put_word(b, 54, (u32)current);
	put_word(b, 55, d->heads);
	put_word(b, 56, d->sectors);
	put_long(b, 57, current * track, 2);
	put_word(b, 59, d->multiple ? 0x0100u | d->multiple : 0);
	put_long(b, 60, n > 0xfffffff ? 0xfffffff : n, 2);
	put_modes(d, b);
	put_word(b, 80, 0x00f0);	/* ATA-4 to 7 */
	/* Write cache, look-ahead, power management; FLUSH, 48 bits; FUA. */
	put_word(b, 82, 0x4068);
	put_word(b, 83, 0x7400);
	put_word(b, 84, 0x4040);
	put_word(b, 85, 0x4008u | (d->write_cache ? 0x20 : 0) | (d->look_ahead ? 0x40 : 0));
	put_word(b, 86, 0x3400);
	put_word(b, 87, 0x4040);
	put_long(b, 100, n, 4);
	put_checksum(b);
}

static void send_identity(struct ata_drive *d)
{
	d->dma = false;
	if (d->kind == ATA_CDROM) {
		atapi_identify(d);
		put_modes(d, d->buf);
		put_checksum(d->buf);
	} else {
		identify(d);
	}
	d->write = false;
	d->left = 0;
	d->at = 0;
	d->end = BLK_SECTOR;
	d->block = BLK_SECTOR;
	offer(d, ATA_DATA_IN, true);
}

static bool set_mode(struct ata_drive *d, u8 mode)
{
	if (mode > 1 && (mode < MODE_PIO || mode > MODE_PIO + 4) &&
	    (mode < MODE_MWDMA || mode > MODE_MWDMA + 2))
		return false;
	d->mode = mode;
	return true;
}

static void set_features(struct ata_drive *d)
{
	bool disk = d->kind == ATA_DISK, done = true;

	switch (d->regs.features) {
	case FEATURE_WRITE_CACHE:
	case FEATURE_NO_WRITE_CACHE:
		done = disk;
		d->write_cache = disk && d->regs.features == FEATURE_WRITE_CACHE;
		break;
	case FEATURE_LOOK_AHEAD:
	case FEATURE_NO_LOOK_AHEAD:
		done = disk;
		d->look_ahead = disk && d->regs.features == FEATURE_LOOK_AHEAD;
		break;
	case FEATURE_MODE:
		done = set_mode(d, d->regs.count);
		break;
	case FEATURE_KEEP:
	case FEATURE_REVERT:
		break;
	default:
		done = false;
	}
	if (done && disk && d->regs.features == FEATURE_NO_WRITE_CACHE)
		flush(d);	/* what the cache holds */
	else
		ata_end(d, done ? 0 : ATA_ABRT);
}

static void set_multiple(struct ata_drive *d)
{
	u8 n = d->regs.count;

	if (n > ATA_MULTIPLE || (n & (n - 1))) {
		ata_end(d, ATA_ABRT);
		return;
	}
	d->multiple = n;
	ata_end(d, 0);
}

/* INITIALIZE DEVICE PARAMETERS: another translation of cylinders, heads, sectors. */
static void set_translation(struct ata_drive *d)
{
	if (!d->regs.count) {
		ata_end(d, ATA_ABRT);
		return;
	}
	d->heads = (u16)((d->device & 15) + 1);
	d->sectors = d->regs.count;
	ata_end(d, 0);
}

static void set_power(struct ata_drive *d, u8 power)
{
	d->power = power;
	ata_end(d, 0);
}

static void check_power(struct ata_drive *d)
{
	d->regs.count = d->power;
	ata_end(d, 0);
}

/* Commands that disks and CD-ROM drives have. False: it is none of them. */
static bool common_command(struct ata_drive *d, u8 cmd)
{
	switch (cmd) {
	case 0x94: case 0xe0:	/* STANDBY IMMEDIATE */
	case 0x96: case 0xe2:	/* STANDBY */
	case 0x99: case 0xe6:	/* SLEEP */
		set_power(d, POWER_STANDBY);
		return true;
	case 0x95: case 0xe1:	/* IDLE IMMEDIATE */
	case 0x97: case 0xe3:	/* IDLE */
		set_power(d, POWER_IDLE);
		return true;
	case 0x98: case 0xe5:	/* CHECK POWER MODE */
		check_power(d);
		return true;
	case 0xef:
		set_features(d);
		return true;
	}
	return false;
}

static void disk_command(struct ata_drive *d, u8 cmd)
{
	if (cmd >= 0x10 && cmd <= 0x1f)
		cmd = 0x10;		/* RECALIBRATE, with a step rate */
	if (cmd >= 0x70 && cmd <= 0x7f)
		cmd = 0x70;		/* SEEK */
	switch (cmd) {
	case 0x10:
	case 0x70:
		ata_end(d, 0);
		break;
	case 0x20: case 0x21:	/* READ SECTORS */
		read_write(d, 0);
		break;
	case 0x24:		/* ... EXT */
		read_write(d, RW_EXT);
		break;
	case 0x25:		/* READ DMA EXT */
		read_write(d, RW_DMA | RW_EXT);
		break;
	case 0x29:		/* READ MULTIPLE EXT */
		read_write(d, RW_MULTIPLE | RW_EXT);
		break;
	case 0x30: case 0x31:	/* WRITE SECTORS */
		read_write(d, RW_WRITE);
		break;
	case 0x34:
		read_write(d, RW_WRITE | RW_EXT);
		break;
	case 0x35:
		read_write(d, RW_WRITE | RW_DMA | RW_EXT);
		break;
	case 0x39:
		read_write(d, RW_WRITE | RW_MULTIPLE | RW_EXT);
		break;
	case 0x3d:		/* WRITE DMA FUA EXT */
		read_write(d, RW_WRITE | RW_DMA | RW_EXT | RW_FUA);
		break;
	case 0x40: case 0x41: case 0x42:	/* READ VERIFY SECTORS, EXT */
		verify(d, cmd == 0x42);
		break;
	case 0x91:
		set_translation(d);
		break;
	case 0xc4:		/* READ MULTIPLE */
		read_write(d, RW_MULTIPLE);
		break;
	case 0xc5:
		read_write(d, RW_WRITE | RW_MULTIPLE);
		break;
	case 0xc6:
		set_multiple(d);
		break;
	case 0xc8: case 0xc9:	/* READ DMA */
		read_write(d, RW_DMA);
		break;
	case 0xca: case 0xcb:
		read_write(d, RW_WRITE | RW_DMA);
		break;
	case 0xce:		/* WRITE MULTIPLE FUA EXT */
		read_write(d, RW_WRITE | RW_MULTIPLE | RW_EXT | RW_FUA);
		break;
	case 0xe7: case 0xea:	/* FLUSH CACHE, EXT */
		flush(d);
		break;
	case CMD_IDENTIFY:
		send_identity(d);
		break;
	default:		/* SMART among them: it says that it has none */
		if (!common_command(d, cmd))
			ata_end(d, ATA_ABRT);
	}
}

/* ---- signatures and resets ------------------------------------------------------------ */

static void sign(struct ata_drive *d)
{
	bool cd = d->kind == ATA_CDROM;

	d->regs.count = 1;
	d->regs.low = 1;
	d->regs.mid = cd ? 0x14 : 0;
	d->regs.high = cd ? 0xeb : 0;
	d->hob = (struct ata_regs){ 0 };
	d->device = DEVICE_OBSOLETE | (u8)(d == &d->channel->drive[1] ? DEVICE_DEV : 0);
	d->error = DIAGNOSTIC_OK;
	d->status = cd ? 0 : READY;
}

/* BSY until SRST is off again and no request is under way. */
static void finish_reset(struct ata_channel *ch)
{
	if (is_busy(ch) || (ch->control & CONTROL_SRST))
		return;
	ch->resetting = false;
	ch->selected = 0;
	for (unsigned int i = 0; i < ATA_DRIVES; i++)
		if (ch->drive[i].kind != ATA_NONE)
			sign(&ch->drive[i]);
	update_irq(ch);
}

static void begin_reset(struct ata_channel *ch)
{
	ch->resetting = true;
	for (unsigned int i = 0; i < ATA_DRIVES; i++) {
		struct ata_drive *d = &ch->drive[i];

		if (d->phase != ATA_BUSY)
			d->phase = ATA_IDLE;
		if (d->dma)
			ch->dma.end(ch->dma.ctx);
		d->dma = false;
		d->taking_packet = false;
		d->intrq = false;
		d->status = ATA_BSY;
		if (d->kind == ATA_CDROM)
			atapi_reset(d);
	}
	update_irq(ch);
}

static void diagnose(struct ata_channel *ch)
{
	for (unsigned int i = 0; i < ATA_DRIVES; i++)
		if (ch->drive[i].kind != ATA_NONE)
			sign(&ch->drive[i]);
	ch->selected = 0;
	set_intrq(&ch->drive[0], ch->drive[0].kind != ATA_NONE);
}

static void power_on(struct ata_drive *d)
{
	u16 cylinders;

	d->phase = ATA_IDLE;
	d->intrq = false;
	d->dma = false;
	d->taking_packet = false;
	d->in_packet = false;
	d->multiple = 0;
	d->mode = MODE_PIO_DEFAULT;
	d->write_cache = d->kind == ATA_DISK;
	d->look_ahead = d->kind == ATA_DISK;
	d->power = POWER_ACTIVE;
	ata_geometry(d->blk ? d->blk->size : 0, &cylinders, &d->heads, &d->sectors);
	d->regs.features = 0;
	d->cd = (struct atapi){ .was_reset = true };
	sign(d);
}

void ata_reset(struct ata_channel *ch)
{
	ch->control = 0;
	ch->selected = 0;
	ch->resetting = false;
	for (unsigned int i = 0; i < ATA_DRIVES; i++) {
		struct ata_drive *d = &ch->drive[i];

		d->channel = ch;
		if (d->blk) {
			d->blk->done = on_done;
			d->blk->dev = d;
		}
		power_on(d);
	}
	update_irq(ch);
}

bool ata_change_medium(struct ata_drive *d, struct blk *blk, bool force)
{
	if (d->phase != ATA_IDLE)
		return false;
	if (d->cd.locked && !force) {
		d->cd.event = 1;	/* EjectRequest */
		return false;
	}
	d->blk = blk;
	if (blk) {
		blk->done = on_done;
		blk->dev = d;
	}
	d->cd.locked = false;
	d->cd.attention = blk != NULL;
	d->cd.event = blk ? 2 : 3;	/* NewMedia, MediaRemoval */
	return true;
}

/* ---- registers ------------------------------------------------------------------------ */

static void packet(struct ata_drive *d)
{
	d->dma = d->regs.features & 1;
	d->write = false;
	d->left = 0;
	d->at = 0;
	d->end = ATA_PACKET_SIZE;
	d->block = ATA_PACKET_SIZE;
	d->taking_packet = true;
	d->in_packet = true;
	d->regs.count = 1;		/* a command, from the host */
	offer(d, ATA_DATA_OUT, false);
}

static void cd_command(struct ata_drive *d, u8 cmd)
{
	switch (cmd) {
	case CMD_PACKET:
		packet(d);
		break;
	case CMD_IDENTIFY_PACKET:
		send_identity(d);
		break;
	case CMD_DEVICE_RESET:
		atapi_reset(d);
		sign(d);
		break;
	case CMD_IDENTIFY:	/* refused, with the signature of what it is */
	case 0x20: case 0x21:
		sign(d);
		ata_end(d, ATA_ABRT);
		break;
	default:
		if (!common_command(d, cmd))
			ata_end(d, ATA_ABRT);
	}
}

static void write_command(struct ata_channel *ch, u8 cmd)
{
	struct ata_drive *d = selected(ch);

	if (is_busy(ch) || ch->resetting)
		return;
	if (cmd == CMD_DIAGNOSTIC) {
		begin_reset(ch);
		ch->resetting = false;
		diagnose(ch);
		return;
	}
	if (d->kind == ATA_NONE)
		return;
	/* A command in the middle of another one's data ends that. */
	d->phase = ATA_IDLE;
	d->dma = false;
	d->taking_packet = false;
	d->in_packet = false;
	d->error = 0;
	set_intrq(d, false);
	if (d->kind == ATA_CDROM)
		cd_command(d, cmd);
	else
		disk_command(d, cmd);
}

static u32 read_data(struct ata_drive *d, unsigned int size)
{
	u32 val = 0, left = d->stop - d->at;

	if (d->phase != ATA_DATA_IN)
		return ws_all_ones(size);
	if (size > left)
		size = left;
	memcpy(&val, d->buf + d->at, size);
	d->at += size;
	if (d->at == d->stop)
		after_block_in(d);
	return val;
}

static void write_data(struct ata_drive *d, unsigned int size, u32 val)
{
	u32 left = d->stop - d->at;

	if (d->phase != ATA_DATA_OUT)
		return;
	if (size > left)
		size = left;
	memcpy(d->buf + d->at, &val, size);
	d->at += size;
	if (d->at == d->stop)
		after_block_out(d);
}

static u8 status(const struct ata_channel *ch)
{
	return ch->drive[ch->selected].kind == ATA_NONE ? 0 : ch->drive[ch->selected].status;
}

/* The drive that answers: the only one speaks for the other, which is not there. */
static const struct ata_drive *answering(const struct ata_channel *ch)
{
	const struct ata_drive *d = &ch->drive[ch->selected];

	if (d->kind == ATA_NONE)
		d = &ch->drive[!ch->selected];
	return d->kind == ATA_NONE ? NULL : d;
}

static u8 read_reg(struct ata_channel *ch, u32 reg)
{
	const struct ata_drive *d = answering(ch);
	const struct ata_regs *r;

	if (!d)
		return 0;
	r = ch->control & CONTROL_HOB ? &d->hob : &d->regs;
	switch (reg) {
	case REG_FEATURES:
		return d == &ch->drive[ch->selected] ? d->error : 0;
	case REG_COUNT:
		return r->count;
	case REG_LOW:
		return r->low;
	case REG_MID:
		return r->mid;
	case REG_HIGH:
		return r->high;
	case REG_DEVICE:
		return (u8)((d->device & ~DEVICE_DEV) | (ch->selected ? DEVICE_DEV : 0));
	default:
		if (ch->drive[ch->selected].kind != ATA_NONE)
			set_intrq(&ch->drive[ch->selected], false);
		return status(ch);
	}
}

/* Both drives hear what is written. */
static void write_reg(struct ata_channel *ch, u32 reg, u8 val)
{
	ch->control &= (u8)~CONTROL_HOB;
	if (reg == REG_COMMAND) {
		write_command(ch, val);
		return;
	}
	if (is_busy(ch) || ch->resetting)
		return;
	for (unsigned int i = 0; i < ATA_DRIVES; i++) {
		struct ata_drive *d = &ch->drive[i];

		switch (reg) {
		case REG_FEATURES:
			d->hob.features = d->regs.features;
			d->regs.features = val;
			break;
		case REG_COUNT:
			d->hob.count = d->regs.count;
			d->regs.count = val;
			break;
		case REG_LOW:
			d->hob.low = d->regs.low;
			d->regs.low = val;
			break;
		case REG_MID:
			d->hob.mid = d->regs.mid;
			d->regs.mid = val;
			break;
		case REG_HIGH:
			d->hob.high = d->regs.high;
			d->regs.high = val;
			break;
		default:
			d->device = val | DEVICE_OBSOLETE;
		}
	}
	if (reg == REG_DEVICE) {
		ch->selected = !!(val & DEVICE_DEV);
		update_irq(ch);
	}
}

u32 ata_read(struct ata_channel *ch, u32 reg, unsigned int size)
{
	struct ata_drive *d = selected(ch);
	u32 val = 0;

	if (reg == REG_DATA && size > 1)
		return d->kind == ATA_NONE ? ws_all_ones(size) : read_data(d, size);
	for (unsigned int i = 0; i < size; i++, reg++)
		val |= (u32)(reg ? read_reg(ch, reg) : read_data(d, 1) & 0xff) << (8 * i);
	return val;
}

void ata_write(struct ata_channel *ch, u32 reg, unsigned int size, u32 val)
{
	if (reg == REG_DATA && size > 1) {
		write_data(selected(ch), size, val);
		return;
	}
	for (unsigned int i = 0; i < size; i++, reg++, val >>= 8) {
		if (reg)
			write_reg(ch, reg, (u8)val);
		else
			write_data(selected(ch), 1, val);
	}
}

u32 ata_read_control(struct ata_channel *ch)
{
	return status(ch);
}

void ata_write_control(struct ata_channel *ch, u8 val)
{
	u8 changed = ch->control ^ val;

	ch->control = val & (CONTROL_NIEN | CONTROL_SRST | CONTROL_HOB);
	if (changed & val & CONTROL_SRST)
		begin_reset(ch);
	else if (changed & CONTROL_SRST)
		finish_reset(ch);
	else
		update_irq(ch);
}
