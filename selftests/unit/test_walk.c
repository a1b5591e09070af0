// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walker of guest page tables (vmdriver/walk.c), against tables built by
 * hand in every paging mode: addresses, the exact #PF error codes, and the
 * accessed and dirty bits.
 */
#include "unit.h"

#include <asm/processor-flags.h>

#include "walk.h"

/* Bits of the error code that VMDRV_ACCESS_* does not have. */
#define FAULT_P		0x1
#define FAULT_RSVD	0x8

const struct vmdrv_ops *vmdrv_ops;
struct vmdrv_caps vmdrv_caps;
bool gigabyte_pages;

/* ---- a guest of 64 KiB */

static u8 ram[16 * 4096];
static struct { u64 cr0, cr3, cr4, efer, rflags; int cpl; } cpu;
static int contended;		/* compare-and-exchanges that fail from now on */
static struct vmdrv_vm vm;
static struct vmdrv_vcpu vcpu = { &vm };

static bool outside(u64 gpa, size_t len)
{
	return gpa > sizeof(ram) || len > sizeof(ram) - gpa;
}

int vmdrv_guest_read(struct vmdrv_vm *unused, u64 gpa, void *buf, size_t len)
{
	if (outside(gpa, len))
		return -ENOENT;
	memcpy(buf, ram + gpa, len);
	return 0;
}

int vmdrv_guest_write(struct vmdrv_vm *unused, u64 gpa, const void *buf, size_t len)
{
	if (outside(gpa, len))
		return -ENOENT;
	memcpy(ram + gpa, buf, len);
	return 0;
}

int vmdrv_guest_cmpxchg(struct vmdrv_vm *unused, u64 gpa, u64 old, u64 new, unsigned int size)
{
	if (outside(gpa, size))
		return -ENOENT;
	if (contended > 0) {
		contended--;
		return -EAGAIN;
	}
	if (memcmp(ram + gpa, &old, size))
		return -EAGAIN;
	memcpy(ram + gpa, &new, size);
	return 0;
}

static u64 get_cr(struct vmdrv_vcpu *v, int cr)
{
	return cr == 0 ? cpu.cr0 : cr == 3 ? cpu.cr3 : cpu.cr4;
}

static u64 get_efer(struct vmdrv_vcpu *v)
{
	return cpu.efer;
}

static u64 get_rflags(struct vmdrv_vcpu *v)
{
	return cpu.rflags;
}

static int get_cpl(struct vmdrv_vcpu *v)
{
	return cpu.cpl;
}

static const struct vmdrv_ops test_ops = { get_cr, get_efer, get_rflags, get_cpl };

static void put(u64 gpa, u64 value, unsigned int size)
{
	assert_false(outside(gpa, size));
	memcpy(ram + gpa, &value, size);
}

static u64 peek(u64 gpa, unsigned int size)
{
	u64 value = 0;

	memcpy(&value, ram + gpa, size);
	return value;
}

#define P	0x01
#define W	0x02
#define U	0x04
#define A	0x20
#define D	0x40
#define PS	0x80
#define NX	(1ull << 63)

#define LONG	0x7f8123456789ull	/* indices 255, 4, 418, 359 */

/* Tables at 1000h, 2000h, 3000h and 4000h for LONG; the page is at 5000h. */
static void long_mode(void)
{
	cpu.cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP;
	cpu.cr3 = 0x1000;
	cpu.cr4 = X86_CR4_PAE;
	cpu.efer = EFER_LMA | EFER_NX;
	put(0x1000 + 8 * 255, 0x2000 | P | W | U, 8);
	put(0x2000 + 8 * 4, 0x3000 | P | W | U, 8);
	put(0x3000 + 8 * ((LONG >> 21) & 511), 0x4000 | P | W | U, 8);
	put(0x4000 + 8 * ((LONG >> 12) & 511), 0x5000 | P | W | U, 8);
}

static u64 long_pte(void)
{
	return 0x4000 + 8 * ((LONG >> 12) & 511);
}

static u64 long_pde(void)
{
	return 0x3000 + 8 * ((LONG >> 21) & 511);
}

static void pae_mode(void)
{
	cpu.cr0 = X86_CR0_PE | X86_CR0_PG;
	cpu.cr3 = 0x1020;		/* 32-byte aligned, not page aligned */
	cpu.cr4 = X86_CR4_PAE;
	put(0x1020 + 8 * 3, 0x2000 | P, 8);
	put(0x2000 + 8 * 511, 0x3000 | P | W | U, 8);
	put(0x3000 + 8 * 510, 0x5000 | P | W | U, 8);
}

#define PAE_GVA	0xffffe123u

static void two_level_mode(void)
{
	cpu.cr0 = X86_CR0_PE | X86_CR0_PG;
	cpu.cr3 = 0x1000;
	put(0x1000 + 4 * 768, 0x2000 | P | W | U, 4);
	put(0x2000 + 4 * 2, 0x5000 | P | W | U, 4);
}

#define TWO_GVA	0xc0002123u

static int reset(void **state)
{
	memset(ram, 0, sizeof(ram));
	memset(&cpu, 0, sizeof(cpu));
	vmdrv_ops = &test_ops;
	vmdrv_caps.phys_bits = 40;
	gigabyte_pages = true;
	contended = 0;
	return 0;
}

static void expect_gpa(u64 gva, u32 access, u64 want)
{
	u64 gpa = ~0ull;
	u32 error = 0;

	assert_int_equal(vmdrv_translate(&vcpu, gva, access, &gpa, &error), 0);
	assert_int_equal(gpa, want);
}

static void expect_fault(u64 gva, u32 access, u32 want)
{
	u32 error = ~0u;
	u64 gpa;

	assert_int_equal(vmdrv_translate(&vcpu, gva, access, &gpa, &error), 1);
	assert_int_equal(error, want);
}

/* ---- where an address leads */

static void test_paging_off(void **state)
{
	expect_gpa(0xffff0, 0, 0xffff0);
	expect_gpa(0x1fffffff0ull, VMDRV_ACCESS_WRITE, 0xfffffff0);
}

static void test_two_level(void **state)
{
	two_level_mode();
	expect_gpa(TWO_GVA, VMDRV_ACCESS_WRITE, 0x5123);
	expect_gpa(0x100000000ull | TWO_GVA, 0, 0x5123);
	expect_fault(TWO_GVA + 0x1000, 0, 0);
	expect_fault(TWO_GVA - 0x400000, VMDRV_ACCESS_WRITE, VMDRV_ACCESS_WRITE);

	/* A large page needs CR4.PSE; bits 20:13 are the address above 4 GiB. */
	put(0x1000 + 4 * 768, 0x12000000 | 3 << 13 | PS | P | W, 4);
	cpu.cr4 = X86_CR4_PSE;
	expect_gpa(TWO_GVA, 0, 0x312002123ull);
	put(0x1000 + 4 * 768, 0x12000000 | 1 << 21 | PS | P | W, 4);
	expect_fault(TWO_GVA, 0, FAULT_P | FAULT_RSVD);
	vmdrv_caps.phys_bits = 36;
	put(0x1000 + 4 * 768, 0x12000000 | 1 << 17 | PS | P | W, 4);
	expect_fault(TWO_GVA, 0, FAULT_P | FAULT_RSVD);
	cpu.cr4 = 0;
	put(0x1000 + 4 * 768, 0x2000 | PS | P | W | U, 4);
	expect_gpa(TWO_GVA, 0, 0x5123);
}

static void test_pae(void **state)
{
	pae_mode();
	expect_gpa(PAE_GVA, VMDRV_ACCESS_WRITE, 0x5123);
	expect_fault(PAE_GVA - 0x40000000, 0, 0);
	put(0x2000 + 8 * 511, 0x1200200000ull | PS | P | W, 8);
	expect_gpa(PAE_GVA, 0, 0x12003fe123ull);
	put(0x2000 + 8 * 511, 0x1200200000ull | 1 << 13 | PS | P | W, 8);
	expect_fault(PAE_GVA, 0, FAULT_P | FAULT_RSVD);
	put(0x2000 + 8 * 511, 1ull << 52 | 0x3000 | P | W, 8);
	expect_fault(PAE_GVA, 0, FAULT_P | FAULT_RSVD);
	put(0x1020 + 8 * 3, 0x2000 | W | P, 8);
	expect_fault(PAE_GVA, 0, FAULT_P | FAULT_RSVD);
}

static void test_long(void **state)
{
	long_mode();
	cpu.cr3 |= 0xfff;	/* a PCID is not part of the address */
	expect_gpa(LONG, VMDRV_ACCESS_WRITE, 0x5789);
	expect_fault(LONG + 0x1000, VMDRV_ACCESS_FETCH, VMDRV_ACCESS_FETCH);

	put(long_pde(), 0xab00200000ull | PS | P | W, 8);
	expect_gpa(LONG, 0, 0xab00200000ull | (LONG & 0x1fffff));
	put(0x2000 + 8 * 4, 0xab40000000ull | PS | P | W, 8);
	expect_gpa(LONG, 0, 0xab40000000ull | (LONG & 0x3fffffff));
	gigabyte_pages = false;
	expect_fault(LONG, 0, FAULT_P | FAULT_RSVD);
	put(0x1000 + 8 * 255, 0x2000 | PS | P | W, 8);
	expect_fault(LONG, 0, FAULT_P | FAULT_RSVD);
}

static void test_hostile_tables(void **state)
{
	u64 gpa;
	u32 error;

	long_mode();
	assert_int_equal(vmdrv_translate(&vcpu, 1ull << 47, 0, &gpa, &error), -EINVAL);
	assert_int_equal(vmdrv_translate(&vcpu, ~0ull << 48, 0, &gpa, &error), -EINVAL);
	expect_fault(~0ull, 0, 0);
	/* A table that is its own entry ends as soon as any other. */
	put(0x1000 + 8 * 511, 0x1000 | P | W | U, 8);
	expect_gpa(~0ull, 0, 0x1fff);
	/* Tables beyond the end of memory, and a width that nobody has. */
	put(long_pde(), 0xff00000000ull | P | W | U, 8);
	assert_int_equal(vmdrv_translate(&vcpu, LONG, 0, &gpa, &error), -ENOENT);
	put(long_pde(), 1ull << 40 | 0x4000 | P | W | U, 8);
	expect_fault(LONG, 0, FAULT_P | FAULT_RSVD);
	put(long_pde(), 1ull << 52 | 0x4000 | P | W | U, 8);
	expect_gpa(LONG, 0, 0x5789);
	vmdrv_caps.phys_bits = 52;
	expect_gpa(LONG, 0, 0x5789);
	cpu.cr3 = ~0ull;
	assert_int_equal(vmdrv_translate(&vcpu, LONG, 0, &gpa, &error), -ENOENT);
}

/* ---- who may do what */

static void test_user(void **state)
{
	const u32 user = VMDRV_ACCESS_USER, write = VMDRV_ACCESS_WRITE;

	long_mode();
	expect_gpa(LONG, user | write, 0x5789);
	put(long_pde(), 0x4000 | P | W, 8);
	expect_gpa(LONG, write, 0x5789);
	expect_fault(LONG, user, user | FAULT_P);
	cpu.cpl = 3;		/* the same by the state of the CPU */
	expect_fault(LONG, write, user | write | FAULT_P);
	put(long_pde(), 0x4000 | P | U, 8);
	expect_gpa(LONG, 0, 0x5789);
	expect_fault(LONG, write, user | write | FAULT_P);
	cpu.cr0 &= ~X86_CR0_WP;	/* which is for the supervisor only */
	expect_fault(LONG, write, user | write | FAULT_P);
	cpu.cpl = 0;
	expect_gpa(LONG, write, 0x5789);
	cpu.cr0 |= X86_CR0_WP;
	expect_fault(LONG, write, write | FAULT_P);
}

static void test_fetch(void **state)
{
	const u32 fetch = VMDRV_ACCESS_FETCH;

	long_mode();
	expect_gpa(LONG, fetch, 0x5789);
	put(0x2000 + 8 * 4, NX | 0x3000 | P | W | U, 8);
	expect_gpa(LONG, 0, 0x5789);
	expect_fault(LONG, fetch, fetch | FAULT_P);
	cpu.efer &= ~EFER_NX;	/* then the bit is a reserved one, and I is not told */
	expect_fault(LONG, fetch, FAULT_P | FAULT_RSVD);
	put(0x2000 + 8 * 4, 0x3000 | P | W | U, 8);
	expect_gpa(LONG, fetch, 0x5789);
	cpu.cr4 |= X86_CR4_SMEP;
	expect_fault(LONG, fetch, fetch | FAULT_P);
	expect_gpa(LONG, fetch | VMDRV_ACCESS_USER, 0x5789);
	put(long_pte(), 0x5000 | P | W, 8);
	expect_gpa(LONG, fetch, 0x5789);
}

static void test_smap(void **state)
{
	long_mode();
	cpu.cr4 |= X86_CR4_SMAP;
	expect_fault(LONG, 0, FAULT_P);
	expect_fault(LONG, VMDRV_ACCESS_WRITE, VMDRV_ACCESS_WRITE | FAULT_P);
	expect_gpa(LONG, VMDRV_ACCESS_FETCH, 0x5789);
	expect_gpa(LONG, VMDRV_ACCESS_USER, 0x5789);
	cpu.rflags = X86_EFLAGS_AC;
	expect_gpa(LONG, VMDRV_ACCESS_WRITE, 0x5789);
	cpu.rflags = 0;
	put(long_pde(), 0x4000 | P | W, 8);
	expect_gpa(LONG, 0, 0x5789);
}

/* ---- transfers */

static void test_transfer(void **state)
{
	struct vmdrv_fault f;
	char buf[8] = "abcdefg";

	long_mode();
	put(long_pte() + 8, 0x9000 | P | W | U, 8);
	/* Across the end of a page, to one that lies elsewhere. */
	assert_int_equal(vmdrv_gva_write(&vcpu, (LONG | 0xfff) - 2, buf, 8, 0, &f), 0);
	assert_int_equal(f.done, 8);
	assert_memory_equal(ram + 0x5ffd, "abc", 3);
	assert_memory_equal(ram + 0x9000, "defg", 5);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(vmdrv_gva_read(&vcpu, (LONG | 0xfff) - 2, buf, 8, 0, &f), 0);
	assert_string_equal(buf, "abcdefg");

	/* Into one that is not there: the first part is done, and told. */
	put(long_pte() + 8, 0, 8);
	assert_int_equal(vmdrv_gva_write(&vcpu, (LONG | 0xfff) - 2, "xyzzy", 5, 0, &f), 1);
	assert_int_equal(f.done, 3);
	assert_int_equal(f.address, (LONG | 0xfff) + 1);
	assert_int_equal(f.error, VMDRV_ACCESS_WRITE);
	assert_memory_equal(ram + 0x5ffd, "xyz", 3);

	/* A page in no slot. */
	put(long_pte() + 8, 0x700000 | P | W | U, 8);
	assert_int_equal(vmdrv_gva_read(&vcpu, (LONG | 0xfff) - 2, buf, 8, 0, &f), -ENOENT);
	assert_int_equal(f.done, 3);
	assert_int_equal(vmdrv_gva_read(&vcpu, LONG, buf, 0, 0, &f), 0);
	assert_int_equal(f.done, 0);
}

static void test_wrap(void **state)
{
	struct vmdrv_fault f;
	char buf[4];

	two_level_mode();
	put(0x1000 + 4 * 1023, 0x2000 | P | W | U, 4);
	put(0x2000 + 4 * 1023, 0x6000 | P | W | U, 4);
	put(0x1000, 0x2000 | P | W | U, 4);
	put(0x2000, 0x7000 | P | W | U, 4);
	memcpy(ram + 0x6ffe, "ab", 2);
	memcpy(ram + 0x7000, "cd", 2);
	assert_int_equal(vmdrv_gva_read(&vcpu, 0xfffffffe, buf, 4, 0, &f), 0);
	assert_memory_equal(buf, "abcd", 4);

	/* At the end of the low half of long mode it does not wrap: #GP. */
	reset(NULL);
	long_mode();
	put(0x1000 + 8 * 255, 0x2000 | P | W | U, 8);
	put(0x2000 + 8 * 511, 0x3000 | P | W | U, 8);
	put(0x3000 + 8 * 511, 0x4000 | P | W | U, 8);
	put(0x4000 + 8 * 511, 0x5000 | P | W | U, 8);
	assert_int_equal(vmdrv_gva_read(&vcpu, 0x7ffffffffffeull, buf, 4, 0, &f), -EINVAL);
	assert_int_equal(f.done, 2);
}

static void test_accessed_dirty(void **state)
{
	struct vmdrv_fault f;
	char c = 1;

	long_mode();
	expect_gpa(LONG, VMDRV_ACCESS_WRITE, 0x5789);
	assert_int_equal(peek(long_pte(), 8), 0x5000 | P | W | U);
	assert_int_equal(vmdrv_gva_read(&vcpu, LONG, &c, 1, 0, &f), 0);
	assert_int_equal(peek(long_pte(), 8), 0x5000 | P | W | U | A);
	assert_int_equal(peek(long_pde(), 8), 0x4000 | P | W | U | A);
	assert_int_equal(peek(0x1000 + 8 * 255, 8), 0x2000 | P | W | U | A);
	/* Contention for a while: it goes through; for ever: it gives up the bits. */
	contended = 3;
	assert_int_equal(vmdrv_gva_write(&vcpu, LONG, &c, 1, 0, &f), 0);
	assert_int_equal(peek(long_pte(), 8), 0x5000 | P | W | U | A | D);
	assert_int_equal(peek(long_pde(), 8), 0x4000 | P | W | U | A);
	put(long_pte(), 0x5000 | P | W | U, 8);
	contended = 1000;
	assert_int_equal(vmdrv_gva_write(&vcpu, LONG, &c, 1, 0, &f), 0);
	assert_true(contended > 900);
	assert_int_equal(peek(long_pte(), 8), 0x5000 | P | W | U);

	reset(NULL);
	pae_mode();
	assert_int_equal(vmdrv_gva_write(&vcpu, PAE_GVA, &c, 1, 0, &f), 0);
	assert_int_equal(peek(0x1020 + 8 * 3, 8), 0x2000 | P);
	assert_int_equal(peek(0x2000 + 8 * 511, 8), 0x3000 | P | W | U | A);
	assert_int_equal(peek(0x3000 + 8 * 510, 8), 0x5000 | P | W | U | A | D);

	reset(NULL);
	two_level_mode();
	put(0x2000 + 4 * 3, 0x12345678, 4);
	assert_int_equal(vmdrv_gva_write(&vcpu, TWO_GVA, &c, 1, 0, &f), 0);
	assert_int_equal(peek(0x2000 + 4 * 2, 4), 0x5000 | P | W | U | A | D);
	assert_int_equal(peek(0x2000 + 4 * 3, 4), 0x12345678);
}

/* Tables of noise in any mode: every walk ends, with one of the documented answers. */
static void test_noise(void **state)
{
	u64 seed = 0x9e3779b97f4a7c15ull, gva;
	struct vmdrv_fault f;
	unsigned int i, j;
	char buf[64];
	int ret;

	for (i = 0; i < 200000; i++) {
		for (j = 0; j < 4; j++)
			put(unit_random(&seed) % sizeof(ram) & ~7,
			    unit_random(&seed) % sizeof(ram) | (u64)unit_random(&seed) % 8 << 60 |
			    P, 8);
		cpu.cr0 = X86_CR0_PE | X86_CR0_PG | (unit_random(&seed) & X86_CR0_WP);
		cpu.cr3 = unit_random(&seed) % sizeof(ram);
		cpu.cr4 = unit_random(&seed) & (X86_CR4_PAE | X86_CR4_PSE | X86_CR4_SMEP |
						X86_CR4_SMAP);
		cpu.efer = unit_random(&seed) & (EFER_LMA | EFER_NX);
		cpu.cpl = unit_random(&seed) & 3;
		gva = (s64)((u64)unit_random(&seed) << 32 | unit_random(&seed)) >>
			(unit_random(&seed) % 32);
		ret = vmdrv_gva_write(&vcpu, gva, memset(buf, 0, sizeof(buf)), sizeof(buf), 0, &f);
		assert_true(ret == 0 || ret == 1 || ret == -EINVAL || ret == -ENOENT);
		assert_true(f.done <= sizeof(buf) && (ret == 0) == (f.done == sizeof(buf)));
		assert_true(ret != 1 || f.error & VMDRV_ACCESS_WRITE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_paging_off, reset),
		cmocka_unit_test_setup(test_two_level, reset),
		cmocka_unit_test_setup(test_pae, reset),
		cmocka_unit_test_setup(test_long, reset),
		cmocka_unit_test_setup(test_hostile_tables, reset),
		cmocka_unit_test_setup(test_user, reset),
		cmocka_unit_test_setup(test_fetch, reset),
		cmocka_unit_test_setup(test_smap, reset),
		cmocka_unit_test_setup(test_transfer, reset),
		cmocka_unit_test_setup(test_wrap, reset),
		cmocka_unit_test_setup(test_accessed_dirty, reset),
		cmocka_unit_test_setup(test_noise, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
