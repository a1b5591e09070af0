/* SPDX-License-Identifier: GPL-2.0-only */
/* Tiny guests in real mode. DS, ES and SS start at 0, FS at L_BUF. */
#define MODE_BITS 16
#include "macros.h"

	.section .text
	.code16

/* Every size and form, and what IN leaves of EAX. */
GUEST(real_io)
	movb $0x11, %al
	outb %al, $PORT_DEV8
	movw $0x2233, %ax
	outw %ax, $PORT_DEV8
	movl $0x44556677, %eax
	outl %eax, $PORT_DEV8
	movw $PORT_DEV, %dx
	outb %al, %dx
	outw %ax, %dx
	outl %eax, %dx
	movl $0xaabbccdd, %eax
	inb $PORT_DEV8, %al
	EXPECT_EQ(0xaabbcc01, %eax)
	inw $PORT_DEV8, %ax
	EXPECT_EQ(0xaabb0302, %eax)
	inl $PORT_DEV8, %eax
	EXPECT_EQ(0x07060504, %eax)
	inb %dx, %al
	EXPECT_EQ(0x07060508, %eax)
	inw %dx, %ax
	EXPECT_EQ(0x07060a09, %eax)
	inl %dx, %eax
	EXPECT_EQ(0x0e0d0c0b, %eax)
	PASS

/* Ports that nobody has: all ones, and writes go nowhere. */
GUEST(real_nobody)
	movw $PORT_NOBODY, %dx
	xorl %eax, %eax
	outl %eax, %dx
	inb %dx, %al
	EXPECT_EQ(0xff, %eax)
	inw %dx, %ax
	EXPECT_EQ(0xffff, %eax)
	inl %dx, %eax
	EXPECT_EQ(0xffffffff, %eax)
	PASS

/* Port 80h is a latch of one byte. */
GUEST(real_latch)
	movb $0x5a, %al
	outb %al, $0x80
	movl $0x11223344, %eax
	inb $0x80, %al
	EXPECT_EQ(0x1122335a, %eax)
	PASS

/* The last port: a word there has nowhere to go on to. */
GUEST(real_port_wrap)
	movw $0xffff, %dx
	xorl %eax, %eax
	inb %dx, %al
	EXPECT_EQ(0xff, %eax)
	inw %dx, %ax
	inl %dx, %eax
	outw %ax, %dx
	outl %eax, %dx
	PASS

/* Offsets of 16-bit string instructions wrap inside their segment. */
GUEST(real_si_wrap)
	movw $PORT_DEV, %dx
	movl $0xabcd0000 + 0xfffe, %esi
	movl $0x12340000 + 4, %ecx
	rep outsb %fs:(%si), %dx
	EXPECT_EQ(0xabcd0002, %esi)
	EXPECT_EQ(0x12340000, %ecx)
	movw $0x2000, %ax
	movw %ax, %es
	movl $0xabcd0000 + 0xfffe, %edi
	movl $0x12340000 + 4, %ecx
	rep insb %dx, %es:(%di)
	EXPECT_EQ(0xabcd0002, %edi)
	EXPECT_EQ(0x12340000, %ecx)
	PASS

/*
 * An I/O instruction whose last byte is the last of a 64 KiB code segment.
 * What comes next is the CPU's affair (#GP, offset 0 or offset 10000h): the
 * test puts a PASS at each of these places.
 */
GUEST(real_ip_wrap)
	movl $0x100, trap_resume
	ljmp $0x3000, $0xfffe

/* A relative jump across the end does wrap. */
GUEST(real_jmp_wrap)
	ljmp $0x3000, $0xfff0

/* INT n, INT3, INTO, #DE through the vector table; IRET restores the flags. */
GUEST(real_int)
	stc
	TRAPS(0x30, int $0x30; jnc 3f)
	TRAPS(3, int3)
	movb $0x7f, %al
	addb $1, %al
	TRAPS(4, into)
	xorw %cx, %cx
	TRAPS(0, divw %cx)
	TRAPS(6, ud2)
	EXPECT_EQ(5, trap_count)
	PASS
3:	movl $__LINE__, %eax
	outl %eax, $PORT_DONE

/* Through every mode and back: real, protected, paged, long, compatibility. */
GUEST(real_modes)
	lgdt mode_gdt
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $SEL_CODE32, $1f

	.code32
1:	movl $SEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $L_STACK, %esp
	movl $0x5001, %eax		/* one visible step in each mode */
	outl %eax, $PORT_DEV8
	movl $0x20, %eax
	movl %eax, %cr4
	movl $L_PT, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl %cr0, %eax
	orl $0x80000000, %eax
	movl %eax, %cr0
	movl $0x5002, %eax
	outl %eax, $PORT_DEV8		/* compatibility mode */
	ljmpl $SEL_CODE64, $1f

	.code64
1:	movabs $0x1234567887654321, %r15
	movq %r15, L_SCRATCH
	EXPECT_EQ(0x12345678, L_SCRATCH + 4)
	movl $0x5003, %eax
	outl %eax, $PORT_DEV8
	pushq $SEL_CODE32
	pushq $1f
	lretq

	.code32
1:	movl %cr0, %eax
	andl $0x7fffffff, %eax
	movl %eax, %cr0
	movl $0xc0000080, %ecx
	rdmsr
	andl $~0x100, %eax
	wrmsr
	EXPECT_EQ(0, %eax)
	xorl %eax, %eax
	movl %eax, %cr4
	movl $0x5004, %eax
	outl %eax, $PORT_DEV8
	movl $SEL_DATA16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	ljmpl $SEL_CODE16, $1f

	.code16
1:	movl %cr0, %eax
	andl $~1, %eax
	movl %eax, %cr0
	ljmpw $0, $1f
1:	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $0x5005, %eax
	outl %eax, $PORT_DEV8
	/* Its vector's page may be gone again, and that is an exit. */
	UNLESS(LACKS_SOFT_INT)
	TRAPS(0x30, int $0x30)
	END_UNLESS
	PASS

	.p2align 3
mode_gdt:
	.word SEL_LIMIT - 1
	.long L_GDT

#define N(name)	real_##name
#define ES0	0
#include "string.h"

/* For guests whose whole program is a byte or two. */
GUEST(real_spin)
	LET_HOST_IN
1:	jmp 1b

GUEST(real_hlt_off)
	cli
1:	hlt
	jmp 1b

/* Counts in memory and tells the host from time to time. */
GUEST(real_count)
	LET_HOST_IN
1:	incl L_RESULT
	outb %al, $0x80
	jmp 1b
