// SPDX-License-Identifier: GPL-2.0-only
/*
 * The boot loader and guest memory, with images made here: whole, cut off at
 * every length, with any byte of the header changed. No image may make it read
 * or write out of bounds; a whole one must arrive as the boot protocol says.
 */
#include "unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "vmapp/boot.h"

#define SETUP_SECTS	4
#define PAYLOAD		((SETUP_SECTS + 1) * 512)
#define PAYLOAD_SIZE	(3 * 1024 + 16)
#define IMAGE_SIZE	(PAYLOAD + PAYLOAD_SIZE)
#define RSDP		0xf0000

static struct error err;

static void put(u8 *p, u64 v, unsigned int bytes)
{
	memcpy(p, &v, bytes);
}

static u64 get(const u8 *p, unsigned int bytes)
{
	u64 v = 0;

	memcpy(&v, p, bytes);
	return v;
}

/* A relocatable image of protocol 2.15: prefers 2 MiB and needs 1 MiB there. */
static void make_image(u8 *img)
{
	for (size_t i = 0; i < IMAGE_SIZE; i++)
		img[i] = (u8)(i * 7 + i / 256);
	memset(img, 0, 0x290);
	img[0x1f1] = SETUP_SECTS;
	put(img + 0x1f4, PAYLOAD_SIZE / 16, 4);
	put(img + 0x1fe, 0xaa55, 2);
	img[0x201] = 0x6a;		/* the header ends at 26Ch */
	memcpy(img + 0x202, "HdrS", 4);
	put(img + 0x206, 0x20f, 2);
	img[0x211] = 0x81;
	put(img + 0x214, 0x100000, 4);
	put(img + 0x22c, 0x7fffffff, 4);
	put(img + 0x230, 0x200000, 4);
	img[0x234] = 1;
	put(img + 0x238, 2047, 4);
	put(img + 0x258, 0x200000, 8);
	put(img + 0x260, 0x100000, 4);
}

/* A file that has a path, and goes with the process. */
static const char *file_of(const void *data, size_t len)
{
	static char path[8][64];
	static unsigned int n;
	char *p = path[n++ % 8];
	int fd = memfd_create("image", 0);

	assert_int_equal(write(fd, data, len), len);
	snprintf(p, sizeof(path[0]), "/proc/self/fd/%d", fd);
	return p;
}

static void close_file(const char *path)
{
	close(atoi(strrchr(path, '/') + 1));
}

/* Everything from the path to the loaded memory: 0, or -1 with err. */
static int load(const void *img, size_t len, const void *initrd, size_t initrd_len,
		const char *cmdline, unsigned long mib, struct guest_mem *mem)
{
	const char *kernel = file_of(img, len), *rd = initrd ? file_of(initrd, initrd_len) : "";
	struct boot b;
	int ret;

	ret = boot_open(&b, kernel, rd, cmdline, &err);
	if (!ret) {
		assert_int_equal(mem_create(mem, mib, &err), 0);
		ret = boot_load(&b, mem, RSDP, &err);
		if (ret)
			mem_destroy(mem);
	}
	boot_close(&b);
	close_file(kernel);
	if (initrd)
		close_file(rd);
	return ret;
}

static void test_loads(void **state)
{
	u8 img[IMAGE_SIZE], initrd[5000], *zp;
	struct guest_mem mem;
	u64 at;

	make_image(img);
	memset(initrd, 0x5a, sizeof(initrd));
	assert_int_equal(load(img, sizeof(img), initrd, sizeof(initrd), "console=ttyS0", 16, &mem),
			 0);
	assert_memory_equal(mem.base + 0x100000, img + PAYLOAD, PAYLOAD_SIZE);

	zp = mem.base + 0x10000;
	assert_memory_equal(zp + 0x230, img + 0x230, 0x26c - 0x230);
	assert_int_equal(zp[0x210], 0xff);
	assert_int_equal(zp[0x211], 0x01);		/* no heap for a 16-bit entry */
	assert_int_equal(zp[0x1ef], 0);			/* sentinel */
	assert_int_equal(get(zp + 0x070, 8), RSDP);
	assert_int_equal(get(zp + 0x002, 2), 15 * 1024);
	assert_int_equal(get(zp + 0x1e0, 4), 15 * 1024);
	assert_string_equal((char *)mem.base + get(zp + 0x228, 4), "console=ttyS0");

	at = get(zp + 0x218, 4);
	assert_int_equal(get(zp + 0x21c, 4), sizeof(initrd));
	assert_int_equal(at, 16 * MIB - 8192);
	assert_memory_equal(mem.base + at, initrd, sizeof(initrd));

	assert_int_equal(zp[0x1e8], 4);
	assert_int_equal(get(zp + 0x2d0, 8), 0);
	assert_int_equal(get(zp + 0x2d8, 8), 0x9fc00);
	assert_int_equal(get(zp + 0x2d0 + 60, 8), 0x100000);
	assert_int_equal(get(zp + 0x2d0 + 68, 8), 15 * MIB);
	assert_int_equal(get(zp + 0x2d0 + 76, 4), 1);
	mem_destroy(&mem);
}

static void test_entry_state(void **state)
{
	struct vmdrv_sregs s = { .tr.attrib = 0x8b, .efer = ~0ull };
	struct vmdrv_regs r;

	memset(&r, 0xff, sizeof(r));
	boot_cpu_state(&r, &s);
	assert_int_equal(r.rip, 0x100000);
	assert_int_equal(r.rsi, 0x10000);
	assert_int_equal(r.rbp | r.rdi | r.rbx, 0);
	assert_int_equal(r.rflags, 2);
	assert_int_equal(s.cr0, 0x11);
	assert_int_equal(s.efer, 0);
	assert_int_equal(s.cs.selector, 0x10);
	assert_int_equal(s.cs.attrib, 0xc9b);
	assert_int_equal(s.ss.selector, 0x18);
	assert_int_equal(s.ss.limit, 0xffffffff);
	assert_int_equal(s.tr.attrib, 0x8b);
}

/* What is changed in the image, and what is said to it. */
static void test_refuses(void **state)
{
	static const struct {
		u32 at;
		u64 value;
		unsigned int bytes;
		const char *says;
	} cases[] = {
		{ 0x1fe, 0, 2, "is not a Linux kernel image" },
		{ 0x202, 0, 4, "is not a Linux kernel image" },
		{ 0x206, 0x201, 2, "is too old" },
		{ 0x211, 0, 1, "is too old" },
		{ 0x201, 0x20, 1, "is corrupt: its setup header ends at 222h" },
		{ 0x1f4, 0, 4, "is corrupt: its header gives it a size of 0" },
		{ 0x1f4, 0x7fffffff, 4, "is truncated" },
		{ 0x1f1, 255, 1, "is truncated" },
		{ 0x238, 3, 4, "the command line has 4 characters" },
		{ 0x260, 0xffffffff, 4, "raise memsize" },
		{ 0x258, ~0ull, 8, "raise memsize" },
		{ 0x258, 15 * MIB, 8, "initrd" },
		{ 0x230, 0x80000000, 4, "raise memsize" },
		{ 0x22c, 0, 4, "use a smaller one" },
		{ 0x22c, 0x300000, 4, "use a smaller one" },
	};
	struct guest_mem mem;
	u8 img[IMAGE_SIZE], initrd[5000] = { 0 };

	for (size_t i = 0; i < WS_ARRAY_SIZE(cases); i++) {
		make_image(img);
		put(img + cases[i].at, cases[i].value, cases[i].bytes);
		assert_int_equal(load(img, sizeof(img), initrd, sizeof(initrd), "abcd", 16, &mem),
				 -1);
		if (!strstr(err.text, cases[i].says))
			fail_msg("case %zu gives '%s'", i, err.text);
	}
}

static void test_refuses_files(void **state)
{
	struct guest_mem mem;
	struct boot b;
	u8 img[IMAGE_SIZE];
	u8 *big = calloc(1, 12 * MIB);

	make_image(img);
	assert_int_equal(boot_open(&b, "", "", "", &err), -1);
	assert_non_null(strstr(err.text, "set worldswitch.kernel"));
	boot_close(&b);
	assert_int_equal(boot_open(&b, "/no/such", "", "", &err), -1);
	assert_non_null(strstr(err.text, "cannot open /no/such: No such file"));
	boot_close(&b);
	assert_int_equal(boot_open(&b, "/", "", "", &err), -1);
	assert_non_null(strstr(err.text, "is not a regular file"));
	boot_close(&b);
	assert_int_equal(load(img, sizeof(img), big, 12 * MIB, "", 16, &mem), 0);
	mem_destroy(&mem);
	assert_int_equal(load(img, sizeof(img), big, 12 * MIB, "", 14, &mem), -1);
	assert_non_null(strstr(err.text, "is too large: 12582912 bytes do not fit"));
	assert_non_null(strstr(err.text, "raise memsize"));
	free(big);
}

/* An older protocol lacks the later fields: what is there in their place is not read. */
static void test_old_protocol(void **state)
{
	struct guest_mem mem;
	u8 img[IMAGE_SIZE];

	make_image(img);
	put(img + 0x206, 0x203, 2);
	img[0x201] = 0x30 - 2;		/* ends behind initrd_addr_max */
	memset(img + 0x230, 0xff, 0x290 - 0x230);
	assert_int_equal(load(img, sizeof(img), NULL, 0, "x", 4, &mem), 0);
	assert_int_equal(mem.base[0x10000 + 0x230], 0);
	assert_int_equal(get(mem.base + 0x10000 + 0x70, 8), 0);
	mem_destroy(&mem);
}

static void test_truncated(void **state)
{
	struct guest_mem mem;
	u8 img[IMAGE_SIZE];
	struct bzimage parsed;

	make_image(img);
	for (size_t len = 0; len < IMAGE_SIZE; len++) {
		/* A copy of exactly this length, so that ASan sees a byte too many. */
		u8 *cut = malloc(len ? len : 1);
		size_t head = len < BOOT_HEADER_END ? len : BOOT_HEADER_END;

		memcpy(cut, img, len);
		assert_int_equal(!!bzimage_parse(&parsed, "cut", cut, head, len, &err),
				 len + 15 < IMAGE_SIZE);
		free(cut);
		if (len % 97 == 0 && len + 15 < IMAGE_SIZE)
			assert_int_equal(load(img, len, NULL, 0, "", 4, &mem), -1);
	}
}

static void test_mutated(void **state)
{
	struct guest_mem mem;
	u8 img[IMAGE_SIZE];
	uint64_t seed = 2;

	for (unsigned int i = 0; i < 30000; i++) {
		make_image(img);
		for (int n = (int)(unit_random(&seed) % 3); n >= 0; n--) {
			/* Mostly the header's fields, with values at the edges. */
			static const u8 edge[] = { 0, 1, 0x7f, 0x80, 0xff };
			size_t at = 0x1f1 + unit_random(&seed) % (0x290 - 0x1f1);
			u8 v = edge[unit_random(&seed) % 5];


			if (unit_random(&seed) & 1)
				v = (u8)unit_random(&seed);
			for (int k = (int)(unit_random(&seed) % 8); k >= 0 && at < sizeof(img); k--)
				img[at++] = v;
		}
		if (!load(img, sizeof(img), "initrd", 6, "console=ttyS0", 16, &mem))
			mem_destroy(&mem);
	}
}

static void test_memory(void **state)
{
	unsigned long host = (unsigned long)((u64)sysconf(_SC_PHYS_PAGES) *
					     (u64)sysconf(_SC_PAGESIZE) / MIB);
	struct vmdrv_memory slot[MEM_SLOTS];
	struct guest_mem m = { 0 };
	char figure[32];

	assert_int_equal(mem_create(&m, 3, &err), -1);
	assert_int_equal(mem_create(&m, host + 1, &err), -1);
	snprintf(figure, sizeof(figure), "%lu MiB", host + 1);
	assert_non_null(strstr(err.text, figure));
	snprintf(figure, sizeof(figure), "only %lu MiB", host);
	assert_non_null(strstr(err.text, figure));

	assert_int_equal(mem_create(&m, 4, &err), 0);
	assert_int_equal((uintptr_t)m.base % (2 * MIB), 0);
	assert_int_equal(mem_slots(&m, slot), 2);
	assert_ptr_equal(mem_ptr(&m, 0, MEM_VIDEO), m.base);
	assert_null(mem_ptr(&m, 0, MEM_VIDEO + 1));
	assert_null(mem_ptr(&m, MEM_VIDEO, 1));
	assert_null(mem_ptr(&m, MEM_ROM - 1, 2));
	assert_ptr_equal(mem_ptr(&m, 4 * MIB - 1, 1), m.base + 4 * MIB - 1);
	assert_null(mem_ptr(&m, 4 * MIB - 1, 2));
	assert_null(mem_ptr(&m, ~0ull, 1));
	assert_null(mem_ptr(&m, MEM_ROM, ~0ull));
	m.base[4 * MIB - 1] = 7;
	mem_clear(&m);
	assert_int_equal(m.base[4 * MIB - 1], 0);
	mem_destroy(&m);

	/* Only the layout: nothing is touched. */
	m = (struct guest_mem){ .base = (u8 *)0x40000000, .size = 5ull << 30 };
	assert_int_equal(mem_slots(&m, slot), 3);
	assert_int_equal(slot[1].gpa + slot[1].size, MEM_LOW_MAX);
	assert_int_equal(slot[2].gpa, MEM_ABOVE_4G);
	assert_int_equal(slot[2].size, 2ull << 30);
	assert_ptr_equal(mem_ptr(&m, MEM_ABOVE_4G, 1), m.base + MEM_LOW_MAX);
	assert_null(mem_ptr(&m, MEM_LOW_MAX - 1, 2));
	assert_null(mem_ptr(&m, MEM_LOW_MAX, 1));
	assert_null(mem_ptr(&m, MEM_ABOVE_4G + (2ull << 30), 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loads),
		cmocka_unit_test(test_entry_state),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_refuses_files),
		cmocka_unit_test(test_old_protocol),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
