/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VM's disks, CD-ROM and floppy drives: the PIIX3's IDE function with what the
 * .vmx keys ide0:0 to ide1:1 plug in, and a floppy controller for floppy0 and
 * floppy1. A VM without any has no such function or controller.
 *
 * All of it is under the device lock, but for drives_create() and _destroy().
 */
#ifndef VMAPP_DRIVES_H
#define VMAPP_DRIVES_H

#include "block.h"
#include "bus.h"
#include "dev/i440fx.h"
#include "dev/i82077.h"
#include "dev/piix3ide.h"
#include "mem.h"
#include "vmx.h"

#define DRIVES_IDE	(PIIX3IDE_CHANNELS * ATA_DRIVES)

/* The first six members are the caller's, before drives_create(). */
struct drives {
	struct bus *bus;
	struct i440fx *bridge;
	struct guest_mem *mem;
	struct i8237 *dma;
	struct dev_irq irq;	/* a line of the machine's, whichever */
	pthread_mutex_t *lock;
	bool has_ide;
	struct piix3ide ide;
	struct bus_window window;	/* of the bus masters */
	struct block ide_image[DRIVES_IDE];
	bool has_floppy;
	struct i82077 fdc;
	struct block floppy_image[I82077_DRIVES];
	u8 floppy_type[I82077_DRIVES];	/* for the BIOS's byte; 0: no drive */
};

/* @vm: its name. Returns 0, or -1 with @err set. */
int drives_create(struct drives *ds, const struct vmx *config, const char *vm,
		  struct error *err);
/* A reset of the machine: waits for what is under way. The vCPU's thread. */
void drives_reset(struct drives *ds);
void drives_destroy(struct drives *ds);

/**
 * drives_change_cd() - another CD, or none
 * @drive: "ide1:0"; NULL: the first CD-ROM drive
 * @fd: the open image, taken also on failure; -1: eject
 * @force: also if the guest has locked the tray
 */
int drives_change_cd(struct drives *ds, const char *drive, int fd, const char *path, bool force,
		     struct error *err);

#endif
