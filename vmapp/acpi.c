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

/* Name (HASn, 0x0F) in the DSDT is the presence of COM n. */
static void set_com(u8 *dsdt, size_t len, char n, bool present)
{
	const u8 name[] = { 0x08, 'H', 'A', 'S', (u8)n, 0x0a };
	u8 *p = memmem(dsdt, len, name, sizeof(name));

	if (p)
		p[sizeof(name)] = present ? 0x0f : 0;
}

static void build_dsdt(u8 *dsdt, unsigned int com)
{
	memcpy(dsdt, dsdt_aml_code, sizeof(dsdt_aml_code));
	set_com(dsdt, sizeof(dsdt_aml_code), '1', com & 1);
	set_com(dsdt, sizeof(dsdt_aml_code), '2', com & 2);
	set_checksum((struct acpi_header *)dsdt);
}

static void build_fadt(struct acpi_fadt *f, u32 facs, u32 dsdt)
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
		.boot_arch = FADT_LEGACY_DEVICES | FADT_8042 | FADT_NO_VGA | FADT_NO_MSI,
		.flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLP_BUTTON | FADT_RESET_REG,
		.reset_reg = io_register(I440FX_RESET_PORT, 1),
		.reset_value = I440FX_RESET_CPU | I440FX_RESET_HARD,
	};
	set_checksum(&f->h);
}

u64 acpi_build(struct guest_mem *mem, unsigned int com)
{
	struct {
		struct acpi_rsdp rsdp __attribute__((aligned(16)));
		struct acpi_rsdt rsdt __attribute__((aligned(16)));
		struct acpi_xsdt xsdt __attribute__((aligned(16)));
		struct acpi_fadt fadt __attribute__((aligned(16)));
		struct acpi_facs facs __attribute__((aligned(64)));
		u8 dsdt[sizeof(dsdt_aml_code)] __attribute__((aligned(16)));
	} *t;
	struct acpi_rsdp *rsdp;

	_Static_assert(sizeof(*t) <= MEM_HIGH - MEM_BIOS, "the tables must fit below 1 MiB");
	t = mem_ptr(mem, MEM_BIOS, sizeof(*t));
	rsdp = &t->rsdp;

#define GPA(member) ((u32)(MEM_BIOS + offsetof(__typeof__(*t), member)))
	*rsdp = (struct acpi_rsdp){ .revision = 2, .rsdt = GPA(rsdt), .length = sizeof(*rsdp),
				    .xsdt = GPA(xsdt) };
	memcpy(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature));
	memcpy(rsdp->oem_id, "WORLDS", sizeof(rsdp->oem_id));
	rsdp->checksum = (u8)-sum(rsdp, offsetof(struct acpi_rsdp, length));
	rsdp->extended_checksum = (u8)-sum(rsdp, sizeof(*rsdp));

	t->rsdt = (struct acpi_rsdt){ header("RSDT", sizeof(t->rsdt), 1), GPA(fadt) };
	set_checksum(&t->rsdt.h);
	t->xsdt = (struct acpi_xsdt){ header("XSDT", sizeof(t->xsdt), 1), GPA(fadt) };
	set_checksum(&t->xsdt.h);
	t->facs = (struct acpi_facs){ .signature = { 'F', 'A', 'C', 'S' },
				      .length = sizeof(t->facs), .version = 1 };
	build_dsdt(t->dsdt, com);
	build_fadt(&t->fadt, GPA(facs), GPA(dsdt));
#undef GPA
	return MEM_BIOS;
}
