// SPDX-License-Identifier: GPL-2.0-only
/* A machine with a BIOS: its ROM, shadow RAM, what it is told, what it logs. */
#include "chips.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "vmapp/firmware.h"

#define VM_FD	1000

static struct firmware firmware;
static struct i440fx bridge;
static struct guest_mem mem;
static struct map map;
static struct vmx config;
static struct error err;
static char dir[] = "/tmp/ws-firmware-XXXXXX";

/* The VMM's slots, as strict as it is. */
static struct vmdrv_memory slots[VMDRV_SLOT_MAX];
static unsigned int calls;

int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	const struct vmdrv_memory *s = arg;

	assert_int_equal(fd, VM_FD);
	assert_int_equal(request, VMDRV_SET_MEMORY);
	assert_true(s->slot < VMDRV_SLOT_MAX);
	assert_int_equal((s->gpa | s->size | s->hva) & 4095, 0);
	calls++;
	if (s->size)
		assert_int_equal(slots[s->slot].size, 0);
	else
		assert_int_not_equal(slots[s->slot].size, 0);
	for (unsigned int i = 0; s->size && i < VMDRV_SLOT_MAX; i++)
		if (s->gpa < slots[i].gpa + slots[i].size && slots[i].gpa < s->gpa + s->size) {
			errno = EEXIST;
			return -1;
		}
	slots[s->slot] = *s;
	return 0;
}

/* What the guest reads at @gpa; -1: an exit. */
static int guest_read(u32 gpa, bool *writable)
{
	for (unsigned int i = 0; i < VMDRV_SLOT_MAX; i++)
		if (gpa >= slots[i].gpa && gpa - slots[i].gpa < slots[i].size) {
			*writable = !(slots[i].flags & VMDRV_MEM_READONLY);
			return ((u8 *)(uintptr_t)slots[i].hva)[gpa - slots[i].gpa];
		}
	*writable = false;
	return -1;
}

static void set(const char *assignment)
{
	assert_int_equal(vmx_override(&config, assignment, &err), 0);
}

/* Byte n of each 16 KiB says which it is. */
static void make_rom(u32 size)
{
	char path[64], assignment[128];
	u8 page[0x4000];
	int fd;

	snprintf(path, sizeof(path), "%s/rom", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	for (u32 left = size; left; left -= left < sizeof(page) ? left : sizeof(page)) {
		memset(page, (int)(left / sizeof(page)), sizeof(page));	/* from the end */
		assert_true(write(fd, page, left < sizeof(page) ? left : sizeof(page)) > 0);
	}
	close(fd);
	snprintf(assignment, sizeof(assignment), "bios440.filename=%s", path);
	set(assignment);
}

static void on_shadow(void *ctx)
{
	(void)ctx;
	assert_true(firmware_shadow(&firmware, &map, &bridge, &mem));
}

static int setup(void **state)
{
	(void)state;
	memset(slots, 0, sizeof(slots));
	memset(&map, 0, sizeof(map));
	memset(&firmware, 0, sizeof(firmware));
	firmware.log_fd = -1;
	map.vm_fd = VM_FD;
	vmx_init(&config);
	assert_int_equal(mem_create(&mem, 4, &err), 0);
	bridge = (struct i440fx){ .cold = true, .shadow = { on_shadow, NULL } };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	firmware_close(&firmware);
	mem_destroy(&mem);
	vmx_free(&config);
	return 0;
}

static void pam(u32 reg, u8 val)
{
	pci_config_write(&bridge.bridge, reg, 1, val);
}

static void test_shadow(void **state)
{
	bool w;

	make_rom(0x40000);
	assert_int_equal(firmware_open(&firmware, &config, &err), 0);
	assert_true(firmware_map(&firmware, &map));
	i440fx_init(&bridge);
	memset(mem.base + 0xc0000, 0xaa, 0x40000);

	/* Power-on: 256 KiB below 4 GiB, half of it below 1 MiB, nothing else. */
	assert_int_equal(guest_read(0xfffc0000, &w), 16);
	assert_int_equal(guest_read(0xfffffff0, &w), 1);
	assert_false(w);
	assert_int_equal(guest_read(0xffff0, &w), 1);
	assert_int_equal(guest_read(0xe0000, &w), 8);
	assert_int_equal(guest_read(0xdffff, &w), -1);
	assert_int_equal(guest_read(0xc0000, &w), -1);
	assert_null(firmware_write_ptr(&bridge, &mem, 0xe0000, 4));
	/* Written to RAM, read from ROM: that is how an image is copied over itself. */
	pam(0x59, 0x20);
	assert_int_equal(guest_read(0xf0000, &w), 4);
	assert_false(w);
	assert_ptr_equal(firmware_write_ptr(&bridge, &mem, 0xf1234, 4), mem.base + 0xf1234);
	assert_null(firmware_write_ptr(&bridge, &mem, 0xfffff, 2));
	/* RAM, then RAM that is locked. */
	for (u32 reg = 0x5a; reg <= 0x5f; reg++)
		pam(reg, 0x33);
	pam(0x59, 0x30);
	assert_int_equal(guest_read(0xffff0, &w), 0xaa);
	assert_true(w);
	assert_int_equal(guest_read(0xc0000, &w), 0xaa);
	assert_true(w);
	pam(0x5a, 0x13);
	assert_int_equal(guest_read(0xc3fff, &w), 0xaa);
	assert_true(w);
	assert_int_equal(guest_read(0xc4000, &w), 0xaa);
	assert_false(w);
	assert_int_equal(guest_read(0xc8000, &w), 0xaa);
	assert_true(w);
	assert_int_equal(guest_read(0xfffffff0, &w), 1);	/* as ever */
	/* What changes nothing costs nothing. */
	calls = 0;
	pam(0x5a, 0x13);
	assert_int_equal(calls, 0);
	i440fx_reset(&bridge);
	assert_int_equal(guest_read(0xffff0, &w), 1);
}

/* Every combination of neighbours: no overlap, no hole, the right contents. */
static void test_shadow_random(void **state)
{
	uint64_t seed = 7;

	make_rom(0x20000);
	assert_int_equal(firmware_open(&firmware, &config, &err), 0);
	i440fx_init(&bridge);
	memset(mem.base + 0xc0000, 0xaa, 0x40000);
	for (unsigned int n = 0; n < 3000; n++) {
		pam(0x59 + unit_random(&seed) % 7, (u8)unit_random(&seed));
		for (unsigned int i = 0; i < I440FX_PAM_AREAS; i++) {
			unsigned int state_of = i440fx_pam(&bridge, i);
			u32 size, at = i440fx_pam_area(i, &size);
			bool w;

			for (u32 end = at + size; at < end; at += 0x4000) {
				int rom = at < 0xe0000 ? -1 : (int)(0x100000 - at) / 0x4000;
				int is = guest_read(at, &w);

				assert_int_equal(is, state_of & I440FX_PAM_READ ? 0xaa : rom);
				assert_int_equal(w, state_of == 3);
			}
		}
	}
}

static u8 in(u32 port)
{
	return (u8)bench_in(fwcfg_regions, fwcfg_n_regions, &firmware.fwcfg, port, 1);
}

static void select_item(u16 item)
{
	bench_out(fwcfg_regions, fwcfg_n_regions, &firmware.fwcfg, FWCFG_SELECTOR, 2, item);
}

static u32 big(unsigned int bytes)
{
	u32 val = 0;

	while (bytes--)
		val = val << 8 | in(FWCFG_DATA);
	return val;
}

static void test_fwcfg(void **state)
{
	const struct acpi_config acpi = { .com = 1 };
	struct bench b = { .now = 0 };
	bool found = false;
	u32 n;

	set("bios.bootDelay=300");
	assert_int_equal(firmware_describe(&firmware, &config, &acpi, &err), 0);
	select_item(FWCFG_SIGNATURE);
	assert_int_equal(big(4), 0x51454d55);
	assert_int_equal(in(FWCFG_DATA), 0);
	select_item(FWCFG_ID);
	assert_int_equal(big(4), 0x01000000);
	select_item(0x8001);
	assert_int_equal(big(4), 0);
	select_item(FWCFG_FILE_DIR);
	n = big(4);
	assert_true(n >= 4);
	for (u32 i = 0; i < n; i++) {
		char name[FWCFG_NAME_MAX];
		u32 size, item;

		select_item(FWCFG_FILE_DIR);
		for (u32 skip = 4 + 64 * i; skip; skip--)
			in(FWCFG_DATA);
		size = big(4);
		item = big(2);
		assert_int_equal(big(2), 0);
		for (unsigned int c = 0; c < sizeof(name); c++)
			name[c] = (char)in(FWCFG_DATA);
		assert_true(memchr(name, 0, sizeof(name)) && *name && size);
		if (strcmp(name, "etc/boot-menu-wait"))
			continue;
		found = true;
		select_item((u16)item);
		assert_int_equal(size, 4);
		assert_int_equal(big(4), 0x2c010000);		/* 300, little-endian */
		assert_int_equal(in(FWCFG_DATA), 0);
	}
	assert_true(found);
	assert_int_equal(in(FWCFG_DATA), 0);
	bench_fuzz(&b, fwcfg_regions, fwcfg_n_regions, &firmware.fwcfg, 200000);
	/* More files than there is room for. */
	while (fwcfg_add(&firmware.fwcfg, "x", "", 1))
		assert_true(firmware.fwcfg.n <= FWCFG_FILES);
	select_item(FWCFG_FILE_FIRST + FWCFG_FILES);
	assert_int_equal(in(FWCFG_DATA), 0);
}

static void test_boot_order(void **state)
{
	u16 order;

	assert_int_equal(firmware_boot_order("hdd,cdrom,floppy,ethernet0", &order, &err), 0);
	assert_int_equal(order, 0x132);
	assert_int_equal(firmware_boot_order("CDROM", &order, &err), 0);
	assert_int_equal(order, 0x003);
	assert_int_equal(firmware_boot_order("ethernet0,ethernet1,hdd0", &order, &err), 0);
	assert_int_equal(order, 0x024);
	assert_int_equal(firmware_boot_order("", &order, &err), 0);
	assert_int_equal(order, 0);
	assert_int_equal(firmware_boot_order("cdrom,tape", &order, &err), -1);
	assert_non_null(strstr(err.text, "\"tape\""));
	assert_int_equal(firmware_boot_order("cd", &order, &err), -1);
	assert_int_equal(firmware_boot_order("hdd,,cdrom", &order, &err), -1);
}

static void test_files(void **state)
{
	char path[64], assignment[128], text[8] = "";
	int fd;

	set("bios440.filename=/no/such/bios");
	assert_int_equal(firmware_open(&firmware, &config, &err), -1);
	assert_non_null(strstr(err.text, "/no/such/bios"));
	set("bios440.filename=/");
	assert_int_equal(firmware_open(&firmware, &config, &err), -1);
	make_rom(0x8000);			/* too small, too large, not whole */
	assert_int_equal(firmware_open(&firmware, &config, &err), -1);
	make_rom(0x410000);
	assert_int_equal(firmware_open(&firmware, &config, &err), -1);
	make_rom(0x20100);
	assert_int_equal(firmware_open(&firmware, &config, &err), -1);
	firmware_close(&firmware);

	make_rom(0x30000);
	set("worldswitch.firmwareLog=/no/such/log");
	assert_int_equal(firmware_open(&firmware, &config, &err), -1);
	assert_non_null(strstr(err.text, "firmwareLog"));
	firmware_close(&firmware);
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(assignment, sizeof(assignment), "worldswitch.firmwareLog=%s", path);
	set(assignment);
	assert_int_equal(firmware_open(&firmware, &config, &err), 0);
	assert_int_equal(bench_in(firmware_log_regions, firmware_n_log_regions, &firmware, 0x402, 1),
			 0xe9);
	for (const char *c = "log\n"; *c; c++)
		bench_out(firmware_log_regions, firmware_n_log_regions, &firmware, 0x402, 1,
			  (u8)*c);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), 4);
	assert_string_equal(text, "log\n");
	close(fd);
	unlink(path);
}

static int leave(void **state)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/rom", dir);
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shadow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shadow_random, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fwcfg, setup, teardown),
		cmocka_unit_test_setup_teardown(test_boot_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
	};

	if (!mkdtemp(dir))
		return 1;
	return cmocka_run_group_tests_name("firmware", tests, NULL, leave);
}
