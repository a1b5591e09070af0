/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's firmware configuration device, as SeaBIOS reads it: a selector at port
 * 510h, and at 511h the selected item's bytes, one after the other, zeros behind
 * its end. Items are numbered; the files among them have names, in a directory.
 */
#ifndef VMAPP_DEV_FWCFG_H
#define VMAPP_DEV_FWCFG_H

#include "dev.h"

#define FWCFG_SELECTOR		0x510
#define FWCFG_DATA		0x511

#define FWCFG_SIGNATURE		0x00
#define FWCFG_ID		0x01
#define FWCFG_CPUS		0x05
#define FWCFG_BOOT_MENU		0x0e
#define FWCFG_FILE_DIR		0x19
#define FWCFG_FILE_FIRST	0x20

#define FWCFG_FILES		16
#define FWCFG_NAME_MAX		56	/* with its NUL */

struct fwcfg_file {
	char name[FWCFG_NAME_MAX];
	const void *data;		/* the owner's */
	u32 size;
};

struct fwcfg {
	u16 selector;
	u32 offset;
	u8 boot_menu;			/* 1: offer a choice of what to boot */
	unsigned int n;
	struct fwcfg_file file[FWCFG_FILES];
};

void fwcfg_reset(struct fwcfg *f);
/* @data stays the caller's, who keeps it. False: there is no room for it. */
bool fwcfg_add(struct fwcfg *f, const char *name, const void *data, u32 size);

extern const struct ws_region fwcfg_regions[];
extern const unsigned int fwcfg_n_regions;

#endif
