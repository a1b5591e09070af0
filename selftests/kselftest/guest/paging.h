/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paging, the same for 32-bit, PAE and 4-level tables (entries that are 4 or 8
 * bytes wide; only the low half is touched): the includer has included string.h.
 */

#define PAGE(n)		(L_SCRATCH + (n) * 0x1000)

/* BX = where the entry of the page at linear address linear is */
#define PTE_OF(linear) \
	movl $((linear) >> 12), %ebx; movl pte_shift, %ecx; shll %cl, %ebx; \
	addl pt_base, %ebx

/* Change the entry of a page by one instruction on (BX). */
#define PTE_CHANGE(linear, ...) \
	PTE_OF(linear); __VA_ARGS__; invlpg linear

#define CR2_IS(linear)	EXPECT_EQ(linear, trap_cr2)
/* The same where it was the VMM that raised the exception. */
#define CR2_IS_VMMS(linear)	UNLESS(LACKS_CR2); CR2_IS(linear); END_UNLESS

GUEST(N(paging))
	/* two linear pages, one frame */
	PTE_CHANGE(PAGE(0), movl $(PAGE(1) + 0x67), (BX))
	movl $0x12345678, PAGE(0) + 0x10
	EXPECT_EQ(0x12345678, PAGE(1) + 0x10)
	/* straddling two pages that are not neighbours in memory */
	PTE_CHANGE(PAGE(2), movl $(PAGE(5) + 0x67), (BX))
	movl $0xa1b2c3d4, PAGE(2) - 2
	cmpw $0xa1b2, PAGE(5)
	EXPECT(e)
	PTE_CHANGE(PAGE(2), movl $(PAGE(2) + 0x67), (BX))

	/* accessed and dirty are set by the accesses that mean it */
	PTE_CHANGE(PAGE(3), andl $~0x60, (BX))
	movl PAGE(3), %eax
	movl (BX), %eax
	andl $0x60, %eax
	cmpl $0x20, %eax
	EXPECT(e)
	movl %eax, PAGE(3)
	movl (BX), %eax
	andl $0x60, %eax
	cmpl $0x60, %eax
	EXPECT(e)

	/* not present: error code 0 to read, 2 to write; resumed when it is */
	PTE_CHANGE(PAGE(3), andl $~1, (BX))
	TRAPS_ERROR(14, 0, movl PAGE(3) + 4, %eax)
	CR2_IS(PAGE(3) + 4)
	TRAPS_ERROR(14, 2, movl %eax, PAGE(3) - 2)
	CR2_IS(PAGE(3))
	MOVP BX, trap_fix
	movl $5, PAGE(3) + 8
	EXPECT_EQ(5, PAGE(3) + 8)

	/* read-only: with CR0.WP only */
	mov %cr0, AX
	orl $0x10000, %eax
	mov AX, %cr0
	PTE_CHANGE(PAGE(3), andl $~2, (BX))
	TRAPS_ERROR(14, 3, movl %eax, PAGE(3))
	mov %cr0, AX
	andl $~0x10000, %eax
	mov AX, %cr0
	movl $6, PAGE(3)
	EXPECT_EQ(6, PAGE(3))
	mov %cr0, AX
	orl $0x10000, %eax
	mov AX, %cr0
	TRAPS_ERROR(14, 3, movl %eax, PAGE(3))
	PTE_CHANGE(PAGE(3), orl $2, (BX))

	PASS

/* A page is missing in the middle of a REP OUTS: as much as was there is out. */
GUEST(N(outs_fault))
	mov $PORT_DEV, %dx
	PTE_CHANGE(L_BUF + 0x1000, andl $~1, (BX))
	MOVP BX, trap_fix
	OUTS(0xff4, 8, 1: rep outsl %fs:(SI), %dx)
	AFTER_OUTS(0x1014)
	EXPECT_EQ(14, trap_vector)
	EXPECT_EQ(0, trap_error)
	EXPECT_EQ(1b, trap_ip)
	EXPECT_EQ(5, trap_cx)
	CR2_IS_VMMS(L_BUF + 0x1000)
	/* an element that straddles: nothing of it is done */
	PTE_CHANGE(L_BUF + 0x3000, andl $~1, (BX))
	MOVP BX, trap_fix
	OUTS(0x2ffa, 3, rep outsl %fs:(SI), %dx)
	AFTER_OUTS(0x3006)
	EXPECT_EQ(2, trap_cx)
	CR2_IS_VMMS(L_BUF + 0x3000)
	EXPECT_EQ(2, trap_count)
	PASS

GUEST(N(ins_fault))
	mov $PORT_DEV, %dx
	PTE_CHANGE(L_BUF + 0x1000, andl $~1, (BX))
	MOVP BX, trap_fix
	INS(0xff4, 8, 1: rep insl %dx, %es:(DI))
	AFTER_INS(0x1014)
	EXPECT_EQ(14, trap_vector)
	EXPECT_EQ(2, trap_error)
	EXPECT_EQ(1b, trap_ip)
	EXPECT_EQ(5, trap_cx)
	CR2_IS_VMMS(L_BUF + 0x1000)
	/* backwards into a page that is read-only */
	mov %cr0, AX
	orl $0x10000, %eax
	mov AX, %cr0
	PTE_CHANGE(L_BUF + 0x2000, andl $~2, (BX))
	std
	TRAPS_ERROR(14, 3, INS(0x3008, 8, rep insl %dx, %es:(DI)))
	cld
	CR2_IS_VMMS(L_BUF + 0x2ffc)
	cmp $5, CX
	EXPECT(e)
	cmp $(ES0 + 0x2ffc), DI
	EXPECT(e)
	PASS
