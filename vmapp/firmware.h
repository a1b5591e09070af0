/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine that begins with a BIOS: its ROM below 4 GiB and, as far as the host
 * bridge's PAM registers say so, below 1 MiB; what it is told (dev/fwcfg.h); its
 * debug port. Without a ROM there is RAM below 1 MiB, if PAM has it.
 */
#ifndef VMAPP_FIRMWARE_H
#define VMAPP_FIRMWARE_H

#include "acpi.h"
#include "dev/fwcfg.h"
#include "dev/i440fx.h"
#include "map.h"
#include "mem.h"
#include "rom.h"
#include "vmx.h"

#define FIRMWARE_LOG_PORT	0x402

struct firmware {
	struct rom rom;
	struct fwcfg fwcfg;
	struct acpi_files acpi;
	u8 menu_wait[4];	/* ms, little-endian */
	int log_fd;		/* of the debug port; -1: there is none */
};

/* The files that @config names. Returns 0, or -1 with @err set. */
int firmware_open(struct firmware *f, const struct vmx *config, struct error *err);
void firmware_close(struct firmware *f);

/* What the firmware is to know of the machine; once. */
int firmware_describe(struct firmware *f, const struct vmx *config, const struct acpi_config *acpi,
		      struct error *err);

/* The ROM's own place, which does not change. */
bool firmware_map(const struct firmware *f, struct map *map);
/* C0000h to FFFFFh as PAM has it now. */
bool firmware_shadow(const struct firmware *f, struct map *map, const struct i440fx *bridge,
		     const struct guest_mem *mem);

/*
 * Where in RAM a guest's write goes that had to exit as its area is read from
 * ROM; NULL: it is lost, or not for here.
 */
void *firmware_write_ptr(const struct i440fx *bridge, const struct guest_mem *mem, u64 gpa,
			 u64 len);

/* "cdrom,hdd,floppy,ethernet0", VMware's bios.bootOrder, as CMOS has it: a nibble each. */
int firmware_boot_order(const char *text, u16 *order, struct error *err);

extern const struct ws_region firmware_log_regions[];
extern const unsigned int firmware_n_log_regions;

#endif
