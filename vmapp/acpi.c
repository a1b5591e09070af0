// SPDX-License-Identifier: GPL-2.0-only
#include "acpi.h"

#include <string.h>

#include "dev/i440fx.h"
#include "dev/piix4pm.h"
#include "dsdt.hex"

/* FADT flags, "Fixed ACPI Description Table Fixed Feature Flags" */
#define FADT_WBINVD		(1u << 0)
#define FADT_PROC_C1		(1u << 2)
#define FADT_NO_SLP_BUTTON	(1u << 5)
#define FADT_RESET_REG		(1u << 10)

/* IA-PC boot architecture flags */
#define FADT_LEGACY_DEVICES	(1u << 0)
#define FADT_8042		(1u << 1)
#define FADT_NO_VGA		(1u << 2)
#define FADT_NO_MSI		(1u << 3)

#define GAS_SYSTEM_IO		1

static u8 sum(const void *p, size_t len)
{
	const u8 *b = p;
	u8 s = 0;

	while (len--)
		s = (u8)(s + *b++);
	return s;
}

static void set_checksum(struct acpi_header *h)
{
	h->checksum = 0;
	h->checksum = (u8)-sum(h, h->length);
}

static struct acpi_header header(const char *signature, u32 length, u8 revision)
{
	struct acpi_header h = { .length = length, .revision = revision, .oem_revision = 1,
				 .creator_revision = 1 };

	memcpy(h.signature, signature, sizeof(h.signature));
	memcpy(h.oem_id, "WORLDS", sizeof(h.oem_id));
	memcpy(h.oem_table_id, "WSWITCH ", sizeof(h.oem_table_id));
	memcpy(h.creator_id, "WSWI", sizeof(h.creator_id));
	return h;
}

static struct acpi_gas io_register(u64 port, u8 bytes)
{
	return (struct acpi_gas){ .space = GAS_SYSTEM_IO, .bits = (u8)(bytes * 8),
				  .address = port };
}

/* Name (HASx, 0x0F) in the DSDT is the presence of COM1, COM2 or the Parallel port. */
static void set_has(u8 *dsdt, size_t len, char x, bool present)
{
	const u8 name[] = { 0x08, 'H', 'A', 'S', (u8)x, 0x0a };
	u8 *p = memmem(dsdt, len, name, sizeof(name));

	if (p)
		p[sizeof(name)] = present ? 0x0f : 0;
}

static void build_dsdt(u8 *dsdt, const struct acpi_config *c)
{
	_Static_assert(sizeof(dsdt_aml_code) <= ACPI_DSDT_MAX, "there must be room for it");
	memcpy(dsdt, dsdt_aml_code, sizeof(dsdt_aml_code));
	set_has(dsdt, sizeof(dsdt_aml_code), '1', c->com & 1);
	set_has(dsdt, sizeof(dsdt_aml_code), '2', c->com & 2);
	set_has(dsdt, sizeof(dsdt_aml_code), 'P', c->lpt);
	set_checksum((struct acpi_header *)dsdt);
}

static void build_fadt(struct acpi_fadt *f, u32 facs, u32 dsdt, bool vga)
{
	*f = (struct acpi_fadt){
		.h = header("FACP", sizeof(*f), 3),
		.facs = facs,	/* one of the two, not both */
		.dsdt = dsdt, .x_dsdt = dsdt,
		.preferred_profile = 1,		/* desktop */
		.sci_int = PIIX4PM_IRQ,
		/* smi_cmd 0: ACPI is on from the start and stays on. */
		.pm1a_evt = PIIX4PM_BASE + PIIX4PM_PM1_STS, .pm1_evt_len = 4,
		.pm1a_cnt = PIIX4PM_BASE + PIIX4PM_PM1_CNT, .pm1_cnt_len = 2,
		.pm_tmr = PIIX4PM_BASE + PIIX4PM_PM_TMR, .pm_tmr_len = 4,
		.x_pm1a_evt = io_register(PIIX4PM_BASE + PIIX4PM_PM1_STS, 4),
		.x_pm1a_cnt = io_register(PIIX4PM_BASE + PIIX4PM_PM1_CNT, 2),
		.x_pm_tmr = io_register(PIIX4PM_BASE + PIIX4PM_PM_TMR, 4),
		.p_lvl2_lat = 0xffff, .p_lvl3_lat = 0xffff,	/* no C2, no C3 */
		.century = 0x32,
		.boot_arch = FADT_LEGACY_DEVICES | FADT_8042 | FADT_NO_MSI |
			     (vga ? 0 : FADT_NO_VGA),
		.flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLP_BUTTON | FADT_RESET_REG,
		.reset_reg = io_register(I440FX_RESET_PORT, 1),
		.reset_value = I440FX_RESET_CPU | I440FX_RESET_HARD,
	};
	set_checksum(&f->h);
}

/* All but the RSDP, as they are at @base. */
static void build_tables(struct acpi_tables *t, u32 base, const struct acpi_config *c)
{
#define GPA(member) (base + (u32)offsetof(struct acpi_tables, member))
	memset(t, 0, sizeof(*t));
	t->rsdt = (struct acpi_rsdt){ header("RSDT", sizeof(t->rsdt), 1), GPA(fadt) };
	set_checksum(&t->rsdt.h);
	t->xsdt = (struct acpi_xsdt){ header("XSDT", sizeof(t->xsdt), 1), GPA(fadt) };
	set_checksum(&t->xsdt.h);
	t->facs = (struct acpi_facs){ .signature = { 'F', 'A', 'C', 'S' },
				      .length = sizeof(t->facs), .version = 1 };
	build_dsdt(t->dsdt, c);
	build_fadt(&t->fadt, GPA(facs), GPA(dsdt), c->vga);
#undef GPA
}

static void build_rsdp(struct acpi_rsdp *rsdp, u32 tables)
{
	*rsdp = (struct acpi_rsdp){
		.revision = 2, .length = sizeof(*rsdp),
		.rsdt = tables + (u32)offsetof(struct acpi_tables, rsdt),
		.xsdt = tables + offsetof(struct acpi_tables, xsdt),
	};
	memcpy(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature));
	memcpy(rsdp->oem_id, "WORLDS", sizeof(rsdp->oem_id));
	rsdp->checksum = (u8)-sum(rsdp, offsetof(struct acpi_rsdp, length));
	rsdp->extended_checksum = (u8)-sum(rsdp, sizeof(*rsdp));
}

u64 acpi_build(struct guest_mem *mem, const struct acpi_config *c)
{
	struct {
		struct acpi_rsdp rsdp __attribute__((aligned(64)));
		struct acpi_tables tables;
	} *all;

	_Static_assert(sizeof(*all) <= MEM_HIGH - MEM_BIOS, "the tables must fit below 1 MiB");
	all = mem_ptr(mem, MEM_BIOS, sizeof(*all));
	build_tables(&all->tables, (u32)(MEM_BIOS + offsetof(__typeof__(*all), tables)), c);
	build_rsdp(&all->rsdp, (u32)(MEM_BIOS + offsetof(__typeof__(*all), tables)));
	return MEM_BIOS;
}

/* ---- for firmware, which places them ---- */

#define TABLES	"etc/acpi/tables"
#define RSDP	"etc/acpi/rsdp"

static struct acpi_loader *next(struct acpi_files *f, u32 command)
{
	struct acpi_loader *l = &f->loader[f->n++];

	memset(l, 0, sizeof(*l));
	l->command = command;
	return l;
}

static void allocate(struct acpi_files *f, const char *file, u32 align, u8 zone)
{
	struct acpi_loader *l = next(f, ACPI_LOADER_ALLOCATE);

	strcpy(l->allocate.file, file);
	l->allocate.align = align;
	l->allocate.zone = zone;
}

/* The @size bytes at @offset of @file are a place in the tables: make it an address. */
static void relocate(struct acpi_files *f, const char *file, size_t offset, size_t size)
{
	struct acpi_loader *l = next(f, ACPI_LOADER_ADD_POINTER);

	strcpy(l->pointer.file, file);
	strcpy(l->pointer.to, TABLES);
	l->pointer.offset = (u32)offset;
	l->pointer.size = (u8)size;
}

static void checksum(struct acpi_files *f, const char *file, size_t offset, size_t start,
		     size_t len)
{
	struct acpi_loader *l = next(f, ACPI_LOADER_ADD_CHECKSUM);

	strcpy(l->checksum.file, file);
	l->checksum.offset = (u32)offset;
	l->checksum.start = (u32)start;
	l->checksum.len = (u32)len;
}

void acpi_files(struct acpi_files *f, const struct acpi_config *c)
{
	static const struct {
		const char *file;
		size_t offset, size;
	} pointers[] = {
#define POINTER(file, type, member) \
	{ file, offsetof(type, member), sizeof(((type *)0)->member) }
		POINTER(RSDP, struct acpi_rsdp, rsdt),
		POINTER(RSDP, struct acpi_rsdp, xsdt),
		POINTER(TABLES, struct acpi_tables, rsdt.fadt),
		POINTER(TABLES, struct acpi_tables, xsdt.fadt),
		POINTER(TABLES, struct acpi_tables, fadt.facs),
		POINTER(TABLES, struct acpi_tables, fadt.dsdt),
		POINTER(TABLES, struct acpi_tables, fadt.x_dsdt),
#undef POINTER
	};

	f->n = 0;
	build_tables(&f->tables, 0, c);
	build_rsdp(&f->rsdp, 0);
	allocate(f, RSDP, 16, ACPI_ZONE_FSEG);
	allocate(f, TABLES, 64, ACPI_ZONE_HIGH);
	for (size_t i = 0; i < WS_ARRAY_SIZE(pointers); i++)
		relocate(f, pointers[i].file, pointers[i].offset, pointers[i].size);
#define SUM_TABLE(member) \
	checksum(f, TABLES, offsetof(struct acpi_tables, member.h.checksum), \
		 offsetof(struct acpi_tables, member), sizeof(f->tables.member))
	SUM_TABLE(rsdt);
	SUM_TABLE(xsdt);
	SUM_TABLE(fadt);
#undef SUM_TABLE
	checksum(f, RSDP, offsetof(struct acpi_rsdp, checksum), 0,
		 offsetof(struct acpi_rsdp, length));
	checksum(f, RSDP, offsetof(struct acpi_rsdp, extended_checksum), 0, sizeof(f->rsdp));
}
