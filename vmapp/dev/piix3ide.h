/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PIIX3's IDE function, 01.1: two channels at the AT's ports with IRQ 14 and
 * 15, and a bus master for each, whose registers are where BAR 4 says. Names are
 * those of Intel's "82371FB (PIIX) and 82371SB (PIIX3) PCI ISA IDE Xcelerator".
 */
#ifndef VMAPP_DEV_PIIX3IDE_H
#define VMAPP_DEV_PIIX3IDE_H

#include "ata.h"
#include "pci.h"

#define PIIX3IDE_CHANNELS	2
#define PIIX3IDE_IRQ		14	/* and 15: the AT's */
#define PIIX3IDE_BAR		4
#define PIIX3IDE_BM_SIZE	16
#define PIIX3IDE_BM_BASE	0xc100	/* as firmware would have placed it */

/* Guest memory that a bus master reaches. */
struct piix3ide_memory {
	/* @len bytes at @gpa, or NULL if not all of them are RAM. */
	void *(*map)(void *ctx, u64 gpa, u32 len);
	void *ctx;
};

/* Where a bus master is in the guest's list. */
struct piix3ide_cursor {
	u32 table;	/* the next descriptor */
	u32 addr, left;	/* of the region that is being used */
	bool last;	/* it is the last one */
};

struct piix3ide_bm {
	u8 command, status;
	u32 table;
	struct piix3ide_cursor at;
	struct piix3ide *ide;
	struct ata_channel *channel;
};

struct piix3ide {
	struct ata_channel channel[PIIX3IDE_CHANNELS];
	struct piix3ide_bm bm[PIIX3IDE_CHANNELS];
	struct pci_function fn;
	struct piix3ide_memory memory;	/* the caller's */
	/* BAR 4 or the command register have changed; NULL: no need to know. */
	struct dev_signal moved;
};

/* Once; then ata_reset() for each channel belongs to piix3ide_reset(). */
void piix3ide_init(struct piix3ide *p);
/* As after power-on and after firmware has enabled it. No request is under way. */
void piix3ide_reset(struct piix3ide *p);

/* The fixed ports: of channel @i, for struct ata_channel *. */
extern const struct ws_region *const piix3ide_regions[PIIX3IDE_CHANNELS];
#define PIIX3IDE_N_REGIONS	2
/* The bus masters', relative to BAR 4, for piix3ide.bm. */
extern const struct ws_region piix3ide_bm_regions[];
extern const unsigned int piix3ide_n_bm_regions;

#endif
