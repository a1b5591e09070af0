// SPDX-License-Identifier: GPL-2.0-only
#include "drives.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static struct ata_drive *ide_drive(struct drives *ds, unsigned int i)
{
	return &ds->ide.channel[i / ATA_DRIVES].drive[i % ATA_DRIVES];
}

/* ---- what the chips need ------------------------------------------------------------ */

static void *map_memory(void *mem, u64 gpa, u32 len)
{
	return mem_ptr(mem, gpa, len);
}

static void on_moved(void *drives)
{
	struct drives *ds = drives;

	bus_window_update(ds->bus, &ds->window);
}

/* ---- configuration -------------------------------------------------------------------- */

static const char *key_str(const struct vmx *config, const char *drive, const char *key)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.%s", drive, key);
	return vmx_str(config, name);
}

static bool key_bool(const struct vmx *config, const char *drive, const char *key)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.%s", drive, key);
	return vmx_bool(config, name);
}

static void key_path(const struct vmx *config, const char *drive, char *path, size_t size)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.fileName", drive);
	vmx_path(config, name, path, size);
}

/* The same for a VM of the same name, so that a guest knows its disk again. */
static void make_serial(char serial[21], const char *vm, unsigned int i)
{
	u64 hash = 0xcbf29ce484222325;

	for (; *vm; vm++)
		hash = (hash ^ (u8)*vm) * 0x100000001b3;
	snprintf(serial, 21, "WS%016llX%02u", (unsigned long long)hash, i);
}

static int create_ide_drive(struct drives *ds, unsigned int i, const struct vmx *config,
			    const char *vm, struct error *err)
{
	struct ata_drive *d = ide_drive(ds, i);
	struct block *b = &ds->ide_image[i];
	char name[BLOCK_NAME_MAX], path[PATH_MAX], format[64];
	bool cd;

	snprintf(name, sizeof(name), "ide%u:%u", i / ATA_DRIVES, i % ATA_DRIVES);
	if (!key_bool(config, name, "present"))
		return 0;
	cd = !strcasecmp(key_str(config, name, "deviceType"), "cdrom-image");
	key_path(config, name, path, sizeof(path));
	snprintf(format, sizeof(format), "worldswitch.%s.format", name);
	if (!cd && !*path)
		return error_set(err, "%s has no image; set %s.fileName, or %s.deviceType = \"cdrom-image\"",
				 name, name, name);
	if (block_init(b, ds->lock, name, err))
		return -1;
	if (*path && block_open(b, path, vmx_str(config, format), cd ? BLOCK_CDROM : BLOCK_DISK,
				cd || key_bool(config, name, "readOnly"), err))
		return -1;
	d->kind = cd ? ATA_CDROM : ATA_DISK;
	d->blk = *path ? &b->blk : NULL;
	make_serial(d->serial, vm, i);
	ds->has_ide = true;
	return 0;
}

static int add_ide(struct drives *ds, struct error *err)
{
	ds->ide.memory = (struct piix3ide_memory){ map_memory, ds->mem };
	for (unsigned int i = 0; i < PIIX3IDE_CHANNELS; i++) {
		ds->ide.channel[i].irq = ds->irq;
		ds->ide.channel[i].irq.irq = PIIX3IDE_IRQ + i;
		if (ws_ports_add(&ds->bus->ports, piix3ide_regions[i], PIIX3IDE_N_REGIONS, 0,
				 &ds->ide.channel[i]))
			return error_set(err, "two devices want the ports of ide%u", i);
	}
	ds->window = (struct bus_window){
		.fn = &ds->ide.fn, .bar = PIIX3IDE_BAR, .rows = piix3ide_bm_regions,
		.n = piix3ide_n_bm_regions, .dev = ds->ide.bm,
	};
	ds->ide.moved = (struct dev_signal){ on_moved, ds };
	piix3ide_init(&ds->ide);
	return i440fx_add(ds->bridge, PCI_DEVFN(1, 1), &ds->ide.fn);
}

static int create_floppy_drive(struct drives *ds, unsigned int i, const struct vmx *config,
			       struct error *err)
{
	struct block *b = &ds->floppy_image[i];
	char name[BLOCK_NAME_MAX], path[PATH_MAX];

	snprintf(name, sizeof(name), "floppy%u", i);
	if (!key_bool(config, name, "present"))
		return 0;
	key_path(config, name, path, sizeof(path));
	if (block_init(b, ds->lock, name, err))
		return -1;
	ds->has_floppy = true;
	ds->fdc.drive[i].present = true;
	ds->floppy_type[i] = 4;		/* an empty drive is one for 1.44 MB */
	if (!*path)
		return 0;
	if (block_open(b, path, "raw", BLOCK_FLOPPY, key_bool(config, name, "readOnly"), err))
		return -1;
	if (!i82077_format(b->file_size))
		return error_set(err, "%s: %s has %llu bytes, which no floppy has; 1474560 is a 1.44 MB one's size",
				 name, path, (unsigned long long)b->file_size);
	ds->floppy_type[i] = i82077_format(b->file_size)->cmos;
	i82077_insert(&ds->fdc, i, &b->blk);
	return 0;
}

static int add_floppies(struct drives *ds, struct error *err)
{
	ds->fdc.dma = ds->dma;
	ds->fdc.irq = ds->irq;
	ds->fdc.irq.irq = I82077_IRQ;
	ds->dma->ready[I82077_DMA] = (struct dev_signal){ i82077_dma_ready, &ds->fdc };
	if (ws_ports_add(&ds->bus->ports, i82077_regions, i82077_n_regions, 0, &ds->fdc))
		return error_set(err, "two devices want the floppy controller's ports");
	i82077_reset(&ds->fdc);
	return 0;
}

int drives_create(struct drives *ds, const struct vmx *config, const char *vm,
		  struct error *err)
{
	for (unsigned int i = 0; i < DRIVES_IDE; i++)
		if (create_ide_drive(ds, i, config, vm, err))
			return -1;
	for (unsigned int i = 0; i < I82077_DRIVES; i++)
		if (create_floppy_drive(ds, i, config, err))
			return -1;
	if (ds->has_ide && add_ide(ds, err))
		return -1;
	return ds->has_floppy ? add_floppies(ds, err) : 0;
}

void drives_reset(struct drives *ds)
{
	for (unsigned int i = 0; i < DRIVES_IDE; i++)
		if (ds->ide_image[i].running)
			block_drain(&ds->ide_image[i]);
	for (unsigned int i = 0; i < I82077_DRIVES; i++)
		if (ds->floppy_image[i].running)
			block_drain(&ds->floppy_image[i]);
	if (ds->has_ide)
		piix3ide_reset(&ds->ide);
	if (ds->has_floppy)
		i82077_reset(&ds->fdc);
}

void drives_destroy(struct drives *ds)
{
	for (unsigned int i = 0; i < DRIVES_IDE; i++)
		block_destroy(&ds->ide_image[i]);
	for (unsigned int i = 0; i < I82077_DRIVES; i++)
		block_destroy(&ds->floppy_image[i]);
}

/* ---- a running VM ----------------------------------------------------------------------- */

static int find_cd(struct drives *ds, const char *drive, struct error *err)
{
	for (unsigned int i = 0; i < DRIVES_IDE; i++)
		if (ide_drive(ds, i)->kind == ATA_CDROM &&
		    (!drive || !strcasecmp(drive, ds->ide_image[i].name)))
			return (int)i;
	if (drive)
		return error_set(err, "%s is no CD-ROM drive of this VM; vmctl info shows its keys",
				 drive);
	return error_set(err, "this VM has no CD-ROM drive; start it with one (vmctl run --cdrom)");
}

int drives_change_cd(struct drives *ds, const char *drive, int fd, const char *path, bool force,
		     struct error *err)
{
	struct block opened = { .fd = -1 }, *b;
	int i = find_cd(ds, drive, err);
	struct ata_drive *d;

	if (i < 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	b = &ds->ide_image[i];
	d = ide_drive(ds, (unsigned int)i);
	snprintf(opened.name, sizeof(opened.name), "%s", b->name);
	if (fd >= 0 && block_open_fd(&opened, fd, path, BLOCK_CDROM, true, err))
		return -1;
	if (!ata_change_medium(d, fd >= 0 ? &b->blk : NULL, force)) {
		block_close(&opened);
		if (d->phase != ATA_IDLE)
			return error_set(err, "%s is busy; try again", b->name);
		return error_set(err, "the guest has locked %s; unmount it there, or use --force",
				 b->name);
	}
	block_replace(b, &opened);
	return 0;
}
