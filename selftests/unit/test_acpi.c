// SPDX-License-Identifier: GPL-2.0-only
/* The ACPI tables: that an OS finds them, one from the other, with good checksums. */
#include "unit.h"

#include "vmapp/acpi.h"
#include "vmapp/dev/i440fx.h"
#include "vmapp/dev/piix4pm.h"

static struct guest_mem mem;

static u64 get(u64 at, unsigned int bytes)
{
	u64 v = 0;

	memcpy(&v, mem_ptr(&mem, at, bytes), bytes);
	return v;
}

static u8 sum(u64 at, u64 len)
{
	const u8 *p = mem_ptr(&mem, at, len);
	u8 s = 0;

	assert_non_null(p);
	while (len--)
		s = (u8)(s + *p++);
	return s;
}

/* Its length, after its signature and checksum were looked at. */
static u64 check_table(u64 at, const char *signature)
{
	assert_memory_equal(mem_ptr(&mem, at, 4), signature, 4);
	assert_int_equal(sum(at, get(at + 4, 4)), 0);
	return get(at + 4, 4);
}

static u8 status_of(u64 dsdt, u64 len, char n)
{
	const u8 name[] = { 'H', 'A', 'S', (u8)n, 0x0a };
	const u8 *p = memmem(mem_ptr(&mem, dsdt, len), len, name, sizeof(name));

	assert_non_null(p);
	return p[sizeof(name)];
}

/* Returns where the DSDT is. */
static u64 check_all(u64 rsdp)
{
	u64 fadt, dsdt;

	assert_int_equal(rsdp % 16, 0);
	assert_true(rsdp >= 0xe0000 && rsdp < 0x100000);
	assert_memory_equal(mem_ptr(&mem, rsdp, 8), "RSD PTR ", 8);
	assert_int_equal(sum(rsdp, 20), 0);
	assert_int_equal(sum(rsdp, get(rsdp + 20, 4)), 0);

	assert_int_equal(check_table(get(rsdp + 16, 4), "RSDT"), 40);
	assert_int_equal(check_table(get(rsdp + 24, 8), "XSDT"), 44);
	fadt = get(get(rsdp + 16, 4) + 36, 4);
	assert_int_equal(get(get(rsdp + 24, 8) + 36, 8), fadt);

	assert_int_equal(check_table(fadt, "FACP"), 244);
	assert_int_equal(get(fadt + 36, 4) % 64, 0);
	assert_memory_equal(mem_ptr(&mem, get(fadt + 36, 4), 4), "FACS", 4);
	assert_int_equal(get(fadt + 46, 2), PIIX4PM_IRQ);
	assert_int_equal(get(fadt + 48, 4), 0);			/* no SMI command port */
	assert_int_equal(get(fadt + 56, 4), 0x600);
	assert_int_equal(get(fadt + 64, 4), 0x604);
	assert_int_equal(get(fadt + 76, 4), 0x608);
	assert_int_equal(get(fadt + 120, 8), I440FX_RESET_PORT);
	assert_int_equal(get(fadt + 128, 1), 6);
	assert_int_equal(get(fadt + 140, 8), get(fadt + 40, 4));

	assert_int_equal(get(fadt + 109, 2) & 4, 0);		/* there is a VGA */
	dsdt = get(fadt + 40, 4);
	check_table(dsdt, "DSDT");
	return dsdt;
}

static void test_tables(void **state)
{
	struct acpi_config c = { .com = 1, .vga = true };
	struct error err;
	u64 dsdt, len;

	assert_int_equal(mem_create(&mem, 4, &err), 0);
	dsdt = check_all(acpi_build(&mem, &c));
	len = check_table(dsdt, "DSDT");
	assert_true(dsdt + len <= 0x100000);
	assert_int_equal(status_of(dsdt, len, '1'), 0x0f);
	assert_int_equal(status_of(dsdt, len, '2'), 0x00);
	assert_int_equal(status_of(dsdt, len, 'P'), 0x00);
	c.com = 2;
	c.lpt = true;
	acpi_build(&mem, &c);
	check_table(dsdt, "DSDT");
	assert_int_equal(status_of(dsdt, len, '1'), 0x00);
	assert_int_equal(status_of(dsdt, len, '2'), 0x0f);
	assert_int_equal(status_of(dsdt, len, 'P'), 0x0f);
	mem_destroy(&mem);
}

/* What SeaBIOS does with the files, as the format's description has it. */
static u64 load(const struct acpi_files *f, u32 tables, u32 rsdp)
{
	memcpy(mem_ptr(&mem, tables, sizeof(f->tables)), &f->tables, sizeof(f->tables));
	memcpy(mem_ptr(&mem, rsdp, sizeof(f->rsdp)), &f->rsdp, sizeof(f->rsdp));
	assert_int_equal(sizeof(f->loader[0]), 128);
	assert_true(f->n <= 16);
	for (unsigned int i = 0; i < f->n; i++) {
		const struct acpi_loader *l = &f->loader[i];
		bool is_rsdp = !strcmp(l->allocate.file, "etc/acpi/rsdp");
		u32 base = is_rsdp ? rsdp : tables;

		assert_true(is_rsdp || !strcmp(l->allocate.file, "etc/acpi/tables"));
		if (l->command == ACPI_LOADER_ALLOCATE) {
			assert_int_equal(base % l->allocate.align, 0);
			assert_int_equal(l->allocate.zone, is_rsdp ? 2 : 1);
		} else if (l->command == ACPI_LOADER_ADD_POINTER) {
			u64 val = get(base + l->pointer.offset, l->pointer.size) + tables;

			assert_string_equal(l->pointer.to, "etc/acpi/tables");
			memcpy(mem_ptr(&mem, base + l->pointer.offset, 8), &val, l->pointer.size);
		} else {
			u8 *at = mem_ptr(&mem, base + l->checksum.offset, 1);

			assert_int_equal(l->command, ACPI_LOADER_ADD_CHECKSUM);
			*at = (u8)(*at - sum(base + l->checksum.start, l->checksum.len));
		}
	}
	return rsdp;
}

static void test_files(void **state)
{
	const struct acpi_config c = { .com = 2, .vga = true };
	static struct acpi_files f;
	struct error err;
	u64 dsdt;

	assert_int_equal(mem_create(&mem, 4, &err), 0);
	acpi_files(&f, &c);
	dsdt = check_all(load(&f, 0x3f1240, 0xf5a50));
	assert_true(dsdt > 0x3f0000);
	assert_int_equal(status_of(dsdt, get(dsdt + 4, 4), '1'), 0x00);
	assert_int_equal(status_of(dsdt, get(dsdt + 4, 4), '2'), 0x0f);
	mem_destroy(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests_name("acpi", tests, NULL, NULL);
}
