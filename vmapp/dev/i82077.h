/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Intel 82077AA floppy disk controller with two drives, on the AT's ports, IRQ 6
 * and DMA channel 2. Names are those of its data sheet. Sectors of 512 bytes, as
 * all DOS formats have; the heads move at once.
 */
#ifndef VMAPP_DEV_I82077_H
#define VMAPP_DEV_I82077_H

#include "blk.h"
#include "i8237.h"

#define I82077_IRQ	6
#define I82077_DMA	2
#define I82077_DRIVES	2
#define I82077_BUFFER	(36 * BLK_SECTOR)	/* one head's side of a cylinder */

struct i82077_format {
	u64 size;	/* bytes */
	u8 cylinders, heads, sectors;
	u8 rate;	/* as in the data rate select register */
	u8 cmos;	/* the type of a drive for it, in the BIOS's byte */
};

struct i82077_drive {
	struct blk *blk;			/* NULL: no medium */
	const struct i82077_format *format;	/* of the medium */
	bool present;				/* the caller's */
	bool changed;				/* DSKCHG: since the last step */
	bool seek_done;				/* for SENSE INTERRUPT STATUS */
	u8 seek_status;
	u8 cylinder;				/* where the heads are */
	u8 id;					/* READ ID: the sector that passes next */
};

enum i82077_phase {
	I82077_COMMAND,
	I82077_MEDIUM,		/* busy at the medium */
	I82077_DATA,		/* bytes go to or come from the guest */
	I82077_RESULT,
};

struct i82077 {
	struct i82077_drive drive[I82077_DRIVES];
	struct dev_irq irq;	/* the caller's */
	struct i8237 *dma;	/* the caller's; its ready[2] too: i82077_dma_ready() */
	u8 dor, tdr, dsr, config[2], specify[2], perpendicular;
	bool locked;
	u8 reset_senses;	/* SENSE INTERRUPT STATUS still tells of a reset */

	enum i82077_phase phase;
	bool resetting;		/* when the medium is done */
	bool interrupt;
	u8 command[9], n_command, want_command;
	u8 result[10], n_result, at_result;
	/* A transfer: where, and what is in the buffer. */
	u8 unit, c, h, r, eot;	/* C, H, R name the next sector */
	u8 head;		/* that was used last */
	bool write, dma_mode, multi, verify, format, tc;
	u32 at, len;		/* bytes of the buffer */
	struct iovec iov;
	u8 buf[I82077_BUFFER];
};

/* The format of a medium of @size bytes, or NULL. */
const struct i82077_format *i82077_format(u64 size);

/* A medium in a drive: before the first reset, or later (NULL: none). */
void i82077_insert(struct i82077 *f, unsigned int drive, struct blk *blk);

/* As after power-on. No request is under way. */
void i82077_reset(struct i82077 *f);

/* For dev_signal.raise: the DMA channel is open. */
void i82077_dma_ready(void *f);

extern const struct ws_region i82077_regions[];
extern const unsigned int i82077_n_regions;

#endif
