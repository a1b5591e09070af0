/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An ATA channel with two drives: disks after ATA/ATAPI-7 (28 and 48 bit
 * addresses, PIO, multiword DMA) and CD-ROM drives after its PACKET feature set
 * and MMC (atapi.c). Names of registers and bits are the standards'.
 *
 * A drive has one request under way at its medium, and is busy as long. A reset
 * in that time waits for it: no data reaches the guest's memory afterwards.
 */
#ifndef VMAPP_DEV_ATA_H
#define VMAPP_DEV_ATA_H

#include "blk.h"

#define ATA_DRIVES	2
#define ATA_BUFFER	(128u * 1024)	/* bytes of a drive's, for PIO */
#define ATA_MULTIPLE	16		/* sectors of a block, at most */
#define ATA_PACKET_SIZE	12
#define ATA_CD_SECTOR	2048u

/* The status register. */
#define ATA_BSY		0x80
#define ATA_DRDY	0x40
#define ATA_DF		0x20
#define ATA_DSC		0x10
#define ATA_DRQ		0x08
#define ATA_ERR		0x01

/* The error register. */
#define ATA_UNC		0x40	/* a read; of a write it is write protection */
#define ATA_IDNF	0x10
#define ATA_ABRT	0x04

enum ata_kind {
	ATA_NONE,
	ATA_DISK,
	ATA_CDROM,
};

enum ata_phase {
	ATA_IDLE,
	ATA_BUSY,		/* at the medium */
	ATA_DATA_IN,		/* the guest reads the buffer */
	ATA_DATA_OUT,		/* the guest fills it */
	ATA_DMA,		/* until the bus master is started */
};

/*
 * The bus master of a channel, as its drives see it.
 */
struct ata_dma {
	/* Whether it has been started. */
	bool (*ready)(void *ctx);
	/*
	 * The next up to @bytes bytes of guest memory, in whole parts of @unit
	 * (that @bytes is a multiple of), into @iov with room for BLK_SEGMENTS;
	 * sets @n. Returns how many bytes there are, 0 if the guest's list is at
	 * its end, -1 if it leads to where no memory is.
	 */
	s32 (*gather)(void *ctx, struct iovec *iov, unsigned int *n, u32 bytes, u32 unit);
	/* The drive wants no more. */
	void (*end)(void *ctx);
	/* The drive asks for an interrupt. */
	void (*interrupt)(void *ctx);
	void *ctx;
};

/* Registers that the guest writes; of each, what it wrote last and before that. */
struct ata_regs {
	u8 features, count, low, mid, high;
};

struct ata_channel;

/* Of a CD-ROM drive. */
struct atapi {
	bool locked;		/* PREVENT ALLOW MEDIUM REMOVAL */
	bool attention;		/* UNIT ATTENTION waits to be told: the medium may have changed */
	bool was_reset;		/* ... or the drive was reset */
	u8 event;		/* GET EVENT STATUS NOTIFICATION: what it has not told yet */
	u8 sense, asc, ascq;
	u8 packet[ATA_PACKET_SIZE];
};

struct ata_drive {
	/* The caller's, set before ata_reset(). */
	enum ata_kind kind;
	struct blk *blk;		/* NULL: a CD-ROM drive without a medium */
	char serial[21];		/* ASCII */

	struct ata_channel *channel;
	struct ata_regs regs, hob;
	u8 error, status, device;
	bool intrq;

	u16 heads, sectors;		/* of a track; the translation that the guest has set */
	u8 multiple;			/* sectors of a block; 0: not set */
	u8 mode;			/* SET FEATURES: transfer mode */
	bool write_cache, look_ahead;
	u8 power;			/* CHECK POWER MODE's answer */

	enum ata_phase phase;
	enum blk_op op;			/* BUSY: at what */
	bool write, dma, fua;
	u64 pos;			/* at the medium, bytes */
	u32 left;			/* bytes that are still to come from there or to go there */
	u32 chunk;			/* of the request that is under way */
	u32 block;			/* bytes of PIO from one interrupt to the next */
	u32 at, stop, end;		/* in the buffer: now, the block's end, the data's end */
	bool in_packet;			/* the command is PACKET */
	bool taking_packet;		/* ... whose 12 bytes are still to come: DATA_OUT */
	struct atapi cd;
	u8 buf[ATA_BUFFER];
};

struct ata_channel {
	struct ata_drive drive[ATA_DRIVES];
	struct dev_irq irq;		/* the caller's */
	struct ata_dma dma;		/* the caller's */
	u8 control;			/* device control register */
	u8 selected;
	bool resetting;			/* BSY until what is under way is done */
	struct iovec iov[BLK_SEGMENTS];
};

/* As after power-on; no request is under way. Media, kinds, serial numbers stay. */
void ata_reset(struct ata_channel *ch);

/* The bus master was started. */
void ata_dma_ready(struct ata_channel *ch);

/* Geometry that a disk of @size bytes says it has. */
void ata_geometry(u64 size, u16 *cylinders, u16 *heads, u16 *sectors);

/* The command block (1F0h or 170h), 8 ports; the control block (3F6h or 376h), 1. */
u32 ata_read(struct ata_channel *ch, u32 reg, unsigned int size);
void ata_write(struct ata_channel *ch, u32 reg, unsigned int size, u32 val);
u32 ata_read_control(struct ata_channel *ch);
void ata_write_control(struct ata_channel *ch, u8 val);

/* ---- CD-ROM drives -------------------------------------------------------------- */

/*
 * Another medium, or none (NULL), in a CD-ROM drive. False: the guest has locked
 * it, and now knows that somebody wants it open; or, if not @force, it is busy.
 */
bool ata_change_medium(struct ata_drive *d, struct blk *blk, bool force);

/* ---- between ata.c and atapi.c ---------------------------------------------------- */

void atapi_reset(struct ata_drive *d);
void atapi_identify(struct ata_drive *d);
/* The packet is complete. */
void atapi_command(struct ata_drive *d);
/* The medium has failed a request. */
void atapi_failed(struct ata_drive *d);

/* The command is over, @error 0 or the error register's bits; with an interrupt. */
void ata_end(struct ata_drive *d, u8 error);
/* @len bytes of the buffer, which is filled, go to the guest in blocks of @block. */
void ata_send(struct ata_drive *d, u32 len, u32 block);
/* @bytes from @pos on go from the medium to the guest. */
void ata_read_medium(struct ata_drive *d, u64 pos, u32 bytes, u32 block);
void ata_put_text(u8 *words, const char *text, unsigned int len);

#endif
