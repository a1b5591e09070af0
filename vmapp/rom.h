/* SPDX-License-Identifier: GPL-2.0-only */
/* A ROM's contents, out of a file, in memory that can be a slot of the guest's. */
#ifndef VMAPP_ROM_H
#define VMAPP_ROM_H

#include "core/types.h"
#include "error.h"

struct rom {
	u8 *data;	/* page aligned; NULL: no ROM */
	u32 size;	/* of the contents */
	u32 room;	/* that is mapped: a power of two, at least 4096; FFh behind the contents */
};

/**
 * rom_load() - read a file
 * @key: of the .vmx file that names it, for errors
 * @min, @max: bytes that it may have
 *
 * Returns 0, or -1 with @err set.
 */
int rom_load(struct rom *r, const char *path, const char *key, u32 min, u32 max,
	     struct error *err);
void rom_free(struct rom *r);

#endif
