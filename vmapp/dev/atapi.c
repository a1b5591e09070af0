// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CD-ROM drive behind ATA's PACKET command: the commands of MMC and SPC that
 * drivers and firmware of PCs use. One data track, as an ISO image is.
 */
#include <string.h>

#include "ata.h"

#define SENSE_NONE		0
#define SENSE_NOT_READY		2
#define SENSE_MEDIUM		3
#define SENSE_ILLEGAL		5
#define SENSE_ATTENTION		6

#define ASC_READ_ERROR		0x11
#define ASC_BAD_COMMAND		0x20
#define ASC_OUT_OF_RANGE	0x21
#define ASC_BAD_FIELD		0x24
#define ASC_MEDIUM_CHANGED	0x28
#define ASC_RESET		0x29
#define ASC_SAVING		0x39
#define ASC_NO_MEDIUM		0x3a
#define ASC_LOCKED		0x53

#define EVENT_EJECT		1
#define EVENT_NEW		2
#define EVENT_REMOVED		3

static u32 get16(const u8 *p)
{
	return (u32)p[0] << 8 | p[1];
}

static u32 get32(const u8 *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static void put16(u8 *p, u32 val)
{
	p[0] = (u8)(val >> 8);
	p[1] = (u8)val;
}

static void put32(u8 *p, u32 val)
{
	put16(p, val >> 16);
	put16(p + 2, val);
}

/* Sectors of the medium; what 32 bits cannot name is not reached. */
static u32 sectors_of(const struct ata_drive *d)
{
	u64 n = d->blk ? d->blk->size / ATA_CD_SECTOR : 0;

	return n > 0x7fffffff ? 0x7fffffff : (u32)n;
}

/* ---- ends of a command -------------------------------------------------------------- */

static void set_sense(struct ata_drive *d, u8 sense, u8 asc, u8 ascq)
{
	d->cd.sense = sense;
	d->cd.asc = asc;
	d->cd.ascq = ascq;
}

static void fail(struct ata_drive *d, u8 sense, u8 asc)
{
	set_sense(d, sense, asc, 0);
	d->regs.count = 3;
	ata_end(d, (u8)(sense << 4 | ATA_ABRT));
}

static void succeed(struct ata_drive *d)
{
	set_sense(d, SENSE_NONE, 0, 0);
	d->regs.count = 3;
	ata_end(d, 0);
}

void atapi_failed(struct ata_drive *d)
{
	fail(d, SENSE_MEDIUM, ASC_READ_ERROR);
}

/* The guest's limit of bytes from one interrupt to the next: even, never 0. */
static u32 block_size(const struct ata_drive *d)
{
	u32 limit = (u32)d->regs.high << 8 | d->regs.mid;

	if (limit == 0xffff || !limit)
		limit = 0xfffe;
	return limit > 1 ? limit & ~1u : 2;
}

/* @len bytes of the buffer, of which the guest has room for @room. */
static void send(struct ata_drive *d, u32 len, u32 room)
{
	if (len > room)
		len = room;
	if (!len)
		succeed(d);
	else
		ata_send(d, len, block_size(d));
}

/* ---- commands ------------------------------------------------------------------------- */

static void inquiry(struct ata_drive *d, const u8 *p)
{
	u8 *b = d->buf;

	if (p[1] & 3) {		/* vital product data */
		fail(d, SENSE_ILLEGAL, ASC_BAD_FIELD);
		return;
	}
	memset(b, 0, 36);
	b[0] = 5;		/* CD-ROM */
	b[1] = 0x80;		/* removable */
	b[3] = 0x21;		/* ATAPI, response format 1 */
	b[4] = 31;		/* bytes that follow */
	memcpy(b + 8, "WORLDSW Worldswitch CD  1.0 ", 28);
	send(d, 36, get16(p + 3));
}

static void request_sense(struct ata_drive *d, const u8 *p)
{
	u8 *b = d->buf;

	memset(b, 0, 18);
	b[0] = 0x70;
	b[2] = d->cd.sense;
	b[7] = 10;
	b[12] = d->cd.asc;
	b[13] = d->cd.ascq;
	set_sense(d, SENSE_NONE, 0, 0);
	send(d, 18, p[4]);
}

static void read_capacity(struct ata_drive *d)
{
	put32(d->buf, sectors_of(d) - 1);
	put32(d->buf + 4, ATA_CD_SECTOR);
	send(d, 8, 8);
}

static void read_sectors(struct ata_drive *d, u32 first, u32 n)
{
	u32 all = sectors_of(d);

	if (first > all || n > all - first) {
		fail(d, SENSE_ILLEGAL, ASC_OUT_OF_RANGE);
		return;
	}
	/* More than 4 GiB less a sector at a time is more than a command can want. */
	if (n > 0xffffffffu / ATA_CD_SECTOR) {
		fail(d, SENSE_ILLEGAL, ASC_BAD_FIELD);
		return;
	}
	if (!n) {
		succeed(d);
		return;
	}
	set_sense(d, SENSE_NONE, 0, 0);
	ata_read_medium(d, (u64)first * ATA_CD_SECTOR, n * ATA_CD_SECTOR, block_size(d));
}

/* READ CD: the user data of a sector is all that an image has. */
static void read_cd(struct ata_drive *d, const u8 *p)
{
	u32 n = (u32)p[6] << 16 | get16(p + 7);

	if (!(p[9] & 0xf8)) {
		succeed(d);
		return;
	}
	if ((p[9] & 0xf8) != 0x10 || (p[1] >> 2 & 7) > 2) {
		fail(d, SENSE_ILLEGAL, ASC_BAD_FIELD);
		return;
	}
	read_sectors(d, get32(p + 2), n);
}

/* A position on the medium as minute, second, frame, or as the sector's number. */
static void put_position(u8 *p, u32 sector, bool msf)
{
	if (!msf) {
		put32(p, sector);
		return;
	}
	sector += 150;
	p[0] = 0;
	p[1] = (u8)(sector / 75 / 60);
	p[2] = (u8)(sector / 75 % 60);
	p[3] = (u8)(sector % 75);
}

/* One track, and the lead-out behind it. */
static u32 put_toc(struct ata_drive *d, u8 first, bool msf)
{
	u8 *b = d->buf, *p = b + 4;

	b[2] = 1;
	b[3] = 1;
	memset(p, 0, 16);
	if (first <= 1) {
		p[1] = 0x14;	/* a data track */
		p[2] = 1;
		put_position(p + 4, 0, msf);
		p += 8;
	}
	p[1] = 0x14;
	p[2] = 0xaa;
	put_position(p + 4, sectors_of(d), msf);
	put16(b, (u32)(p + 8 - b) - 2);
	return (u32)(p + 8 - b);
}

/* Format 2: what the lead-in says. */
static u32 put_raw_toc(struct ata_drive *d, bool msf)
{
	static const u8 point[4] = { 0xa0, 0xa1, 0xa2, 1 };
	u8 *b = d->buf;

	memset(b, 0, 4 + 4 * 11);
	put16(b, 2 + 4 * 11);
	b[2] = 1;
	b[3] = 1;
	for (unsigned int i = 0; i < 4; i++) {
		u8 *p = b + 4 + 11 * i;

		p[0] = 1;
		p[1] = 0x14;
		p[3] = point[i];
		if (i < 2)
			p[8] = 1;	/* the first track, and the last */
		else
			put_position(p + 7, i == 2 ? sectors_of(d) : 0, msf);
	}
	return 4 + 4 * 11;
}

static void read_toc(struct ata_drive *d, const u8 *p)
{
	u8 format = p[2] & 15, first = p[6];
	bool msf = p[1] & 2;
	u32 len;

	if (!format)
		format = p[9] >> 6;	/* where ATAPI drives had it at first */
	if (format == 0 && (first <= 1 || first == 0xaa)) {
		len = put_toc(d, first, msf);
	} else if (format == 1) {	/* sessions: one */
		memset(d->buf, 0, 12);
		d->buf[1] = 10;
		d->buf[2] = 1;
		d->buf[3] = 1;
		d->buf[5] = 0x14;
		d->buf[6] = 1;
		put_position(d->buf + 8, 0, msf);
		len = 12;
	} else if (format == 2) {
		len = put_raw_toc(d, msf);
	} else {
		fail(d, SENSE_ILLEGAL, ASC_BAD_FIELD);
		return;
	}
	send(d, len, get16(p + 7));
}

/* The pages that a CD-ROM drive has; returns their length, 0: there is none such. */
static u32 put_page(struct ata_drive *d, u8 page, u8 *b)
{
	switch (page) {
	case 0x01:	/* error recovery */
		memset(b, 0, 8);
		b[0] = 0x01;
		b[1] = 6;
		b[3] = 5;	/* retries */
		return 8;
	case 0x0e:	/* audio control */
		memset(b, 0, 16);
		b[0] = 0x0e;
		b[1] = 14;
		return 16;
	case 0x2a:	/* capabilities and mechanical status */
		memset(b, 0, 20);
		b[0] = 0x2a;
		b[1] = 18;
		b[4] = 0x70;	/* multisession, XA */
		b[6] = (u8)(0x29 | (d->cd.locked ? 2 : 0));	/* a tray, can eject and lock */
		put16(b + 8, 5540);	/* kB/s: so many times 176 */
		put16(b + 10, 2);
		put16(b + 12, 128);	/* KiB of buffer */
		put16(b + 14, 5540);
		return 20;
	}
	return 0;
}

static void mode_sense(struct ata_drive *d, const u8 *p, bool ten)
{
	static const u8 all[] = { 0x01, 0x0e, 0x2a };
	u32 header = ten ? 8 : 4, len = header, n;
	u8 page = p[2] & 0x3f, *b = d->buf;

	if (p[2] >> 6 == 3) {
		fail(d, SENSE_ILLEGAL, ASC_SAVING);
		return;
	}
	memset(b, 0, header);
	for (unsigned int i = 0; i < sizeof(all); i++) {
		if (page != 0x3f && page != all[i])
			continue;
		n = put_page(d, all[i], b + len);
		if (p[2] >> 6 == 1)	/* what can be changed: nothing */
			memset(b + len + 2, 0, n - 2);
		len += n;
	}
	if (len == header) {
		fail(d, SENSE_ILLEGAL, ASC_BAD_FIELD);
		return;
	}
	if (ten) {
		put16(b, len - 2);
		b[2] = d->blk ? 0x01 : 0x70;	/* 120 mm data, or no disc */
		send(d, len, get16(p + 7));
	} else {
		b[0] = (u8)(len - 1);
		b[1] = d->blk ? 0x01 : 0x70;
		send(d, len, p[4]);
	}
}

static void get_event(struct ata_drive *d, const u8 *p)
{
	u8 *b = d->buf;

	if (!(p[1] & 1)) {	/* it would have to wait */
		fail(d, SENSE_ILLEGAL, ASC_BAD_FIELD);
		return;
	}
	memset(b, 0, 8);
	b[3] = 0x10;		/* media events are all there are */
	if (!(p[4] & 0x10)) {
		b[1] = 2;
		b[2] = 0x80;	/* no event that was asked for */
		send(d, 4, get16(p + 7));
		return;
	}
	b[1] = 6;
	b[2] = 4;
	b[4] = d->cd.event;
	b[5] = d->blk ? 2 : 0;	/* medium present; the tray is closed */
	d->cd.event = 0;
	send(d, 8, get16(p + 7));
}

static void get_configuration(struct ata_drive *d, const u8 *p)
{
	u8 *b = d->buf;

	memset(b, 0, 20);
	put32(b, 16);
	put16(b + 6, d->blk ? 0x0008 : 0);	/* the profile CD-ROM is in force */
	b[10] = 0x03;				/* feature 0: profiles; persistent, current */
	b[11] = 4;
	put16(b + 12, 0x0008);
	b[14] = d->blk != NULL;
	b[18] = 0x03;				/* feature 1: core, over ATAPI */
	b[17] = 0x01;
	b[19] = 0;
	send(d, 20, get16(p + 7));
}

static void read_disc_information(struct ata_drive *d, const u8 *p)
{
	u8 *b = d->buf;

	memset(b, 0, 34);
	put16(b, 32);
	b[2] = 0x0e;	/* complete, its last session too */
	b[3] = 1;
	b[4] = 1;
	b[5] = 1;
	b[6] = 1;
	b[7] = 0x20;
	send(d, 34, get16(p + 7));
}

static void read_subchannel(struct ata_drive *d, const u8 *p)
{
	memset(d->buf, 0, 4);
	d->buf[1] = 0x15;	/* no audio is played */
	if (p[2] & 0x40 && p[3] != 1) {
		fail(d, SENSE_ILLEGAL, ASC_BAD_FIELD);
		return;
	}
	send(d, 4, get16(p + 7));
}

static void mechanism_status(struct ata_drive *d, const u8 *p)
{
	memset(d->buf, 0, 8);
	d->buf[5] = 1;
	send(d, 8, get16(p + 8));
}

/* START STOP UNIT: the tray stays closed; an ejected medium is gone from the drive. */
static void start_stop(struct ata_drive *d, const u8 *p)
{
	bool eject = (p[4] & 3) == 2;

	if (eject && d->cd.locked) {
		fail(d, d->blk ? SENSE_ILLEGAL : SENSE_NOT_READY, ASC_LOCKED);
		return;
	}
	if (eject && d->blk) {
		d->blk = NULL;
		d->cd.event = EVENT_REMOVED;
	}
	succeed(d);
}

/* ---- dispatch -------------------------------------------------------------------------- */

/* Which commands go on in spite of UNIT ATTENTION, and which need a medium. */
#define ANYWAY	0x1
#define MEDIUM	0x2

static unsigned int needs_of(u8 command)
{
	switch (command) {
	case 0x03: case 0x12: case 0x46: case 0x4a:
		return ANYWAY;
	case 0x00: case 0x25: case 0x28: case 0x2b: case 0x42: case 0x43: case 0x51:
	case 0xa8: case 0xbe:
		return MEDIUM;
	}
	return 0;
}

/* What comes before the command itself. True: that was it. */
static bool check_unit(struct ata_drive *d, u8 command)
{
	unsigned int needs = needs_of(command);

	if (!(needs & ANYWAY) && (d->cd.was_reset || d->cd.attention)) {
		u8 asc = d->cd.was_reset ? ASC_RESET : ASC_MEDIUM_CHANGED;

		if (d->cd.was_reset)
			d->cd.was_reset = false;
		else
			d->cd.attention = false;
		fail(d, SENSE_ATTENTION, asc);
		return true;
	}
	if ((needs & MEDIUM) && !d->blk) {
		fail(d, SENSE_NOT_READY, ASC_NO_MEDIUM);
		return true;
	}
	return false;
}

void atapi_command(struct ata_drive *d)
{
	const u8 *p = d->cd.packet;

	if (check_unit(d, p[0]))
		return;
	switch (p[0]) {
	case 0x00:	/* TEST UNIT READY */
	case 0xbb:	/* SET CD SPEED */
		succeed(d);
		break;
	case 0x03:
		request_sense(d, p);
		break;
	case 0x12:
		inquiry(d, p);
		break;
	case 0x1a:
		mode_sense(d, p, false);
		break;
	case 0x1b:
		start_stop(d, p);
		break;
	case 0x1e:	/* PREVENT ALLOW MEDIUM REMOVAL */
		d->cd.locked = p[4] & 1;
		succeed(d);
		break;
	case 0x25:
		read_capacity(d);
		break;
	case 0x28:	/* READ(10) */
		read_sectors(d, get32(p + 2), get16(p + 7));
		break;
	case 0x2b:	/* SEEK(10) */
		if (get32(p + 2) >= sectors_of(d))
			fail(d, SENSE_ILLEGAL, ASC_OUT_OF_RANGE);
		else
			succeed(d);
		break;
	case 0x42:
		read_subchannel(d, p);
		break;
	case 0x43:
		read_toc(d, p);
		break;
	case 0x46:
		get_configuration(d, p);
		break;
	case 0x4a:
		get_event(d, p);
		break;
	case 0x51:
		read_disc_information(d, p);
		break;
	case 0x5a:
		mode_sense(d, p, true);
		break;
	case 0xa8:	/* READ(12) */
		read_sectors(d, get32(p + 2), get32(p + 6));
		break;
	case 0xbd:
		mechanism_status(d, p);
		break;
	case 0xbe:
		read_cd(d, p);
		break;
	default:
		fail(d, SENSE_ILLEGAL, ASC_BAD_COMMAND);
	}
}

void atapi_reset(struct ata_drive *d)
{
	d->phase = d->phase == ATA_BUSY ? ATA_BUSY : ATA_IDLE;
	d->taking_packet = false;
	d->cd.locked = false;
	d->cd.was_reset = true;
	set_sense(d, SENSE_ATTENTION, ASC_RESET, 0);
}

static void put_word(u8 *buf, unsigned int word, u32 val)
{
	buf[2 * word] = (u8)val;
	buf[2 * word + 1] = (u8)(val >> 8);
}

/* The words of IDENTIFY PACKET DEVICE; those of the modes are ata.c's. */
void atapi_identify(struct ata_drive *d)
{
	u8 *b = d->buf;

	memset(b, 0, BLK_SECTOR);
	put_word(b, 0, 0x85c0);		/* CD-ROM, removable, DRQ in 50 us, 12 bytes */
	ata_put_text(b + 2 * 10, d->serial, 20);
	ata_put_text(b + 2 * 23, "1.0", 8);
	ata_put_text(b + 2 * 27, "Worldswitch CD-ROM", 40);
	put_word(b, 49, 0x0b00);
	put_word(b, 50, 0x4000);
	put_word(b, 71, 30);		/* ns until the bus is released, and service */
	put_word(b, 72, 30);
	put_word(b, 80, 0x00f0);
	put_word(b, 82, 0x4218);	/* NOP, DEVICE RESET, PACKET, power management */
	put_word(b, 83, 0x4000);
	put_word(b, 84, 0x4000);
	put_word(b, 85, 0x4218);
	put_word(b, 87, 0x4000);
}
