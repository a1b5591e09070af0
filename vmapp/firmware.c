// SPDX-License-Identifier: GPL-2.0-only
#include "firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define ROM_MIN		0x10000u
#define ROM_MAX		0x400000u
#define LOW_MAX		0x20000u	/* bytes of it that are seen below 1 MiB */
#define READABLE	0xe9		/* what the debug port reads as if somebody listens */

/* ---- the debug port ---- */

static u32 read_log(void *dev, u32 offset, unsigned int size)
{
	(void)dev;
	(void)offset;
	(void)size;
	return READABLE;
}

/* A disk that is full, or a reader that is gone, is no reason to end. */
static void write_log(void *dev, u32 offset, unsigned int size, u32 val)
{
	const struct firmware *f = dev;
	u8 byte = (u8)val;

	(void)offset;
	(void)size;
	if (write(f->log_fd, &byte, 1) < 0)
		return;
}

const struct ws_region firmware_log_regions[] = {
	{ "firmware_log", FIRMWARE_LOG_PORT, 1, WS_SIZE_1, 0, read_log, write_log },
};

const unsigned int firmware_n_log_regions = WS_ARRAY_SIZE(firmware_log_regions);

/* ---- memory ---- */

bool firmware_map(const struct firmware *f, struct map *map)
{
	u32 size = f->rom.size;

	return map_set(map, MAP_FIRMWARE, MEM_ABOVE_4G - size, size, f->rom.data,
		       VMDRV_MEM_READONLY);
}

/* What the guest reads at @gpa while PAM has ROM there; NULL: nothing is there. */
static const u8 *rom_at(const struct firmware *f, u32 gpa)
{
	u32 low = f->rom.size < LOW_MAX ? f->rom.size : LOW_MAX;

	if (!f->rom.data || gpa < MEM_HIGH - low)
		return NULL;
	return f->rom.data + f->rom.size - (MEM_HIGH - gpa);
}

/*
 * Areas that lie one behind the other in both memories become one slot, that of
 * the first of them. What has to go goes first: slots must not overlap.
 */
bool firmware_shadow(const struct firmware *f, struct map *map, const struct i440fx *bridge,
		     const struct guest_mem *mem)
{
	struct vmdrv_memory want[I440FX_PAM_AREAS] = { };
	struct vmdrv_memory *last = NULL;
	bool done = true;

	_Static_assert(I440FX_PAM_AREAS == MAP_SHADOW_SLOTS, "a slot for each area");
	for (unsigned int i = 0; i < I440FX_PAM_AREAS; i++) {
		unsigned int pam = i440fx_pam(bridge, i);
		u32 size, gpa = i440fx_pam_area(i, &size);
		const u8 *from = pam & I440FX_PAM_READ ? mem->base + gpa : rom_at(f, gpa);
		u32 flags = pam == (I440FX_PAM_READ | I440FX_PAM_WRITE) ? 0 : VMDRV_MEM_READONLY;

		if (last && last->hva + last->size == (uintptr_t)from && last->flags == flags &&
		    last->gpa + last->size == gpa) {
			last->size += size;
		} else if (from) {
			last = &want[i];
			*last = (struct vmdrv_memory){ .flags = flags, .gpa = gpa, .size = size,
						       .hva = (uintptr_t)from };
		}
	}
	for (unsigned int i = 0; i < I440FX_PAM_AREAS; i++) {
		const struct vmdrv_memory *is = &map->slot[MAP_SHADOW + i], *w = &want[i];

		if (is->size != w->size || is->hva != w->hva || is->flags != w->flags)
			done &= map_set(map, MAP_SHADOW + i, 0, 0, NULL, 0);
	}
	for (unsigned int i = 0; i < I440FX_PAM_AREAS; i++)
		done &= map_set(map, MAP_SHADOW + i, want[i].gpa, want[i].size,
				(void *)(uintptr_t)want[i].hva, want[i].flags);
	return done;
}

void *firmware_write_ptr(const struct i440fx *bridge, const struct guest_mem *mem, u64 gpa,
			 u64 len)
{
	for (unsigned int i = 0; i < I440FX_PAM_AREAS; i++) {
		u32 size, start = i440fx_pam_area(i, &size);

		if (gpa >= start && gpa - start < size && len <= size - (gpa - start))
			return i440fx_pam(bridge, i) & I440FX_PAM_WRITE ? mem->base + gpa : NULL;
	}
	return NULL;
}

/* ---- what it is told ---- */

int firmware_boot_order(const char *text, u16 *order, struct error *err)
{
	static const struct {
		const char *name;
		unsigned int code;
	} kinds[] = { { "floppy", 1 }, { "hdd", 2 }, { "cdrom", 3 }, { "ethernet", 4 } };
	unsigned int shift = 0, seen = 0;

	for (*order = 0; *text;) {
		size_t len = strcspn(text, ","), letters = len, i;

		while (letters && text[letters - 1] >= '0' && text[letters - 1] <= '9')
			letters--;	/* hdd0, ethernet0: firmware tells kinds only */
		for (i = 0; i < WS_ARRAY_SIZE(kinds); i++)
			if (letters == strlen(kinds[i].name) &&
			    !strncasecmp(text, kinds[i].name, letters))
				break;
		if (i == WS_ARRAY_SIZE(kinds))
			return error_set(err, "bios.bootOrder: \"%.*s\" cannot be booted from; it is a list of cdrom, hdd, floppy and ethernet0",
					 len > 40 ? 40 : (int)len, text);
		/* The fourth is the one that is left. */
		if (!(seen & 1u << i) && shift < 12) {
			*order |= (u16)(kinds[i].code << shift);
			shift += 4;
		}
		seen |= 1u << i;
		text += len + (text[len] == ',');
	}
	return 0;
}

int firmware_describe(struct firmware *f, const struct vmx *config, const struct acpi_config *acpi,
		      struct error *err)
{
	u32 wait = (u32)vmx_uint(config, "bios.bootDelay");

	acpi_files(&f->acpi, acpi);
	memcpy(f->menu_wait, &wait, sizeof(wait));
	f->fwcfg.boot_menu = 1;
	if (!fwcfg_add(&f->fwcfg, "etc/acpi/tables", &f->acpi.tables, sizeof(f->acpi.tables)) ||
	    !fwcfg_add(&f->fwcfg, "etc/acpi/rsdp", &f->acpi.rsdp, sizeof(f->acpi.rsdp)) ||
	    !fwcfg_add(&f->fwcfg, "etc/table-loader", f->acpi.loader,
		       f->acpi.n * (u32)sizeof(f->acpi.loader[0])) ||
	    !fwcfg_add(&f->fwcfg, "etc/boot-menu-wait", f->menu_wait, sizeof(f->menu_wait)))
		return error_set(err, "too much to tell the firmware");
	return 0;
}

/* ---- files ---- */

int firmware_open(struct firmware *f, const struct vmx *config, struct error *err)
{
	char path[PATH_MAX];

	vmx_path(config, "bios440.filename", path, sizeof(path));
	if (rom_load(&f->rom, path, "bios440.filename", ROM_MIN, ROM_MAX, err))
		return -1;
	if (f->rom.size % ROM_MIN)
		return error_set(err, "%s has %u bytes, a BIOS a multiple of %u; check bios440.filename",
				 path, f->rom.size, ROM_MIN);
	vmx_path(config, "worldswitch.firmwareLog", path, sizeof(path));
	if (!*path)
		return 0;
	f->log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			 0600);
	if (f->log_fd < 0)
		return error_set(err, "cannot open %s: %s; check worldswitch.firmwareLog", path,
				 strerror(errno));
	return 0;
}

void firmware_close(struct firmware *f)
{
	rom_free(&f->rom);
	if (f->log_fd >= 0)
		close(f->log_fd);
	f->log_fd = -1;
}
