/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ACPI tables of the machine. Without firmware they are in the guest's
 * F0000h-FFFFFh, where an OS without other directions looks for them; firmware
 * gets them as files, and a list of what to do with them.
 */
#ifndef VMAPP_ACPI_H
#define VMAPP_ACPI_H

#include "core/types.h"
#include "mem.h"

/* "ACPI Software Programming Model" has what the members are. */
struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision;
	u8 checksum;
	char oem_id[6];
	char oem_table_id[8];
	u32 oem_revision;
	char creator_id[4];
	u32 creator_revision;
} __attribute__((packed));

struct acpi_gas {
	u8 space, bits, offset, access;
	u64 address;
} __attribute__((packed));

struct acpi_rsdp {
	char signature[8];
	u8 checksum;
	char oem_id[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 extended_checksum;
	u8 reserved[3];
} __attribute__((packed));

struct acpi_rsdt {
	struct acpi_header h;
	u32 fadt;
} __attribute__((packed));

struct acpi_xsdt {
	struct acpi_header h;
	u64 fadt;
} __attribute__((packed));

struct acpi_facs {
	char signature[4];
	u32 length;
	u32 hardware_signature, waking_vector, global_lock, flags;
	u64 x_waking_vector;
	u8 version;
	u8 reserved[31];
} __attribute__((packed));

/* Revision 3 (ACPI 2.0). */
struct acpi_fadt {
	struct acpi_header h;
	u32 facs, dsdt;
	u8 reserved0, preferred_profile;
	u16 sci_int;
	u32 smi_cmd;
	u8 acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
	u32 pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
	u8 pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len;
	u8 gpe0_len, gpe1_len, gpe1_base, cst_cnt;
	u16 p_lvl2_lat, p_lvl3_lat, flush_size, flush_stride;
	u8 duty_offset, duty_width, day_alarm, mon_alarm, century;
	u16 boot_arch;
	u8 reserved1;
	u32 flags;
	struct acpi_gas reset_reg;
	u8 reset_value;
	u8 reserved2[3];
	u64 x_facs, x_dsdt;
	struct acpi_gas x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt, x_pm2_cnt, x_pm_tmr;
	struct acpi_gas x_gpe0, x_gpe1;
} __attribute__((packed));

#define ACPI_DSDT_MAX	8192

struct acpi_tables {
	struct acpi_rsdt rsdt __attribute__((aligned(64)));
	struct acpi_xsdt xsdt __attribute__((aligned(16)));
	struct acpi_fadt fadt __attribute__((aligned(16)));
	struct acpi_facs facs __attribute__((aligned(64)));
	u8 dsdt[ACPI_DSDT_MAX] __attribute__((aligned(16)));	/* its header says how long */
};

struct acpi_config {
	unsigned int com;	/* bit n set: COM n+1 exists */
	bool lpt;		/* the parallel port exists */
	bool vga;		/* a display adapter exists */
};

/* Write the tables; returns the guest physical address of the root pointer (RSDP). */
u64 acpi_build(struct guest_mem *mem, const struct acpi_config *c);

/* ---- as files, with the commands of QEMU's "linker/loader" ---- */

#define ACPI_LOADER_ALLOCATE		1	/* a file gets its place */
#define ACPI_LOADER_ADD_POINTER		2	/* an offset becomes an address */
#define ACPI_LOADER_ADD_CHECKSUM	3

#define ACPI_ZONE_HIGH	1
#define ACPI_ZONE_FSEG	2	/* F0000h to FFFFFh */

struct acpi_loader {
	u32 command;
	union {
		struct {
			char file[56];
			u32 align;
			u8 zone;
		} __attribute__((packed)) allocate;
		struct {
			char file[56], to[56];
			u32 offset;
			u8 size;
		} __attribute__((packed)) pointer;
		struct {
			char file[56];
			u32 offset, start, len;
		} __attribute__((packed)) checksum;
		u8 room[124];
	};
} __attribute__((packed));

struct acpi_files {
	struct acpi_tables tables;		/* "etc/acpi/tables" */
	struct acpi_rsdp rsdp;			/* "etc/acpi/rsdp" */
	struct acpi_loader loader[16];		/* "etc/table-loader", @n of them */
	unsigned int n;
};

void acpi_files(struct acpi_files *f, const struct acpi_config *c);

#endif
