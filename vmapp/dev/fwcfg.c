// SPDX-License-Identifier: GPL-2.0-only
#include "fwcfg.h"

#include <string.h>

/* One entry of the directory; its numbers are big-endian. */
#define DIR_COUNT	4		/* bytes before the first entry */
#define DIR_ENTRY	64
#define DIR_SIZE	0
#define DIR_SELECT	4
#define DIR_NAME	8

static u8 big_endian(u32 val, u32 bytes, u32 at)
{
	return (u8)(val >> 8 * (bytes - 1 - at));
}

static u8 read_directory(const struct fwcfg *f, u32 at)
{
	const struct fwcfg_file *file;
	u32 n;

	if (at < DIR_COUNT)
		return big_endian(f->n, DIR_COUNT, at);
	n = (at - DIR_COUNT) / DIR_ENTRY;
	if (n >= f->n)
		return 0;
	file = &f->file[n];
	at = (at - DIR_COUNT) % DIR_ENTRY;
	if (at < DIR_SELECT)
		return big_endian(file->size, 4, at - DIR_SIZE);
	if (at < DIR_SELECT + 2)
		return big_endian(FWCFG_FILE_FIRST + n, 2, at - DIR_SELECT);
	return at < DIR_NAME ? 0 : (u8)file->name[at - DIR_NAME];
}

static u8 read_item(const struct fwcfg *f)
{
	static const u8 signature[] = { 'Q', 'E', 'M', 'U' };
	u32 at = f->offset, n = (u32)f->selector - FWCFG_FILE_FIRST;

	switch (f->selector) {
	case FWCFG_SIGNATURE:
		return at < sizeof(signature) ? signature[at] : 0;
	case FWCFG_ID:		/* bit 0: this interface, without DMA */
	case FWCFG_CPUS:
		return at == 0;
	case FWCFG_BOOT_MENU:
		return at == 0 ? f->boot_menu : 0;
	case FWCFG_FILE_DIR:
		return read_directory(f, at);
	default:
		return n < f->n && at < f->file[n].size ? ((const u8 *)f->file[n].data)[at] : 0;
	}
}

static u32 read_data(void *dev, u32 offset, unsigned int size)
{
	struct fwcfg *f = dev;
	u8 val;

	if (!offset)
		return ws_all_ones(size);
	val = read_item(f);
	if (f->offset < ~0u)
		f->offset++;
	return val;
}

static void write_selector(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct fwcfg *f = dev;

	if (offset || size != 2)
		return;
	f->selector = (u16)val;
	f->offset = 0;
}

void fwcfg_reset(struct fwcfg *f)
{
	f->selector = 0;
	f->offset = 0;
}

bool fwcfg_add(struct fwcfg *f, const char *name, const void *data, u32 size)
{
	struct fwcfg_file *file = &f->file[f->n];

	if (f->n == FWCFG_FILES || strlen(name) >= FWCFG_NAME_MAX)
		return false;
	memset(file, 0, sizeof(*file));
	strcpy(file->name, name);
	file->data = data;
	file->size = size;
	f->n++;
	return true;
}

/* The selector is the word at 510h, the data the byte at 511h: they overlap. */
const struct ws_region fwcfg_regions[] = {
	{ "fwcfg", FWCFG_SELECTOR, 2, WS_SIZE_1 | WS_SIZE_2, 0, read_data, write_selector },
};

const unsigned int fwcfg_n_regions = WS_ARRAY_SIZE(fwcfg_regions);
