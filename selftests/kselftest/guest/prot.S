/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tiny guests in 32-bit protected mode, flat, in ring 0; paging is as the
 * table of the test program says. FS has its base at L_BUF, and so has ES.
 */
#define MODE_BITS 32
#include "macros.h"

	.section .text
	.code32

#define N(name)	prot_##name
#define ES0	0
#include "string.h"
#include "paging.h"

GUEST(prot_io)
	movl $0xaabbccdd, %eax
	movl $PORT_DEV, %edx
	inb $PORT_DEV8, %al
	EXPECT_EQ(0xaabbcc01, %eax)
	inw %dx, %ax
	EXPECT_EQ(0xaabb0302, %eax)
	inl %dx, %eax
	EXPECT_EQ(0x07060504, %eax)
	outb %al, $PORT_DEV8
	outw %ax, %dx
	outl %eax, %dx
	PASS

/* 16-bit addressing in 32-bit code: only the low halves count and change. */
GUEST(prot_addr16)
	movl $PORT_DEV, %edx
	movl $0xabcd0000 + 0xffff, %esi
	movl $0x12340000 + 2, %ecx
	addr16 rep outsb %fs:(%si), %dx
	EXPECT_EQ(0xabcd0001, %esi)
	EXPECT_EQ(0x12340000, %ecx)
	movl $0xabcd0000, %edi
	movl $0x12340000 + 2, %ecx
	addr16 rep insw %dx, %es:(%di)
	EXPECT_EQ(0xabcd0004, %edi)
	EXPECT_EQ(0x12340000, %ecx)
	PASS

/* String I/O minds the segment: its limit (64 KiB), and that there is one. */
GUEST(prot_limit)
	movl $PORT_DEV, %edx
	movl $0xfffe, %esi
	movl $4, %ecx
	TRAPS_ERROR(13, 0, rep outsb %fs:(%esi), %dx)
	EXPECT_EQ(0x10000, %esi)
	EXPECT_EQ(2, %ecx)
	movl $0xfffd, %edi
	TRAPS_ERROR(13, 0, insl %dx, %es:(%edi))
	EXPECT_EQ(0xfffd, %edi)
	xorl %eax, %eax
	movl %eax, %fs
	TRAPS_ERROR(13, 0, outsb %fs:(%esi), %dx)
	PASS

/* The faults of ordinary code, with the error codes that they push. */
GUEST(prot_traps)
	xorl %ecx, %ecx
	TRAPS(0, divl %ecx)
	TRAPS(3, int3)
	movb $0x7f, %al
	addb $1, %al
	TRAPS(4, into)
	TRAPS(5, movl $9, %eax; bound %eax, 2f)
	TRAPS(6, ud2)
	movl %cr0, %eax
	orl $8, %eax
	movl %eax, %cr0
	TRAPS(7, fnop)
	clts
	fnop
	movl $SEL_ABSENT, %eax
	TRAPS_ERROR(11, SEL_ABSENT, movl %eax, %fs)
	TRAPS_ERROR(12, SEL_ABSENT, movl %eax, %ss)
	movl $SEL_LIMIT, %eax
	TRAPS_ERROR(13, SEL_LIMIT, movl %eax, %fs)
	/* the vector that the IDT ends before, and a gate for ring 0 only */
	TRAPS_ERROR(13, 0x50 * 8 + 2, int $0x50)
	PASS
	.p2align 2
2:	.long 0, 8

/* Ring 3: what the I/O bitmap lets through, and what IOPL does not. */
GUEST(prot_user)
	movw $SEL_TSS, %ax
	ltr %ax
	pushl $SEL_UDATA
	pushl $L_STACK - 0x400
	pushl $2
	pushl $SEL_UCODE32
	pushl $1f
	iretl
1:	movl $SEL_UDATA, %eax
	movl %eax, %ds
	movl %eax, %es
	inb $PORT_DEV8, %al		/* the bitmap allows E0h to E7h */
	cmpb $1, %al
	jne 9f
	outl %eax, $PORT_DEV8 + 4
	TRAPS(13, inb $0xe8, %al)
	TRAPS(13, inl $0xe5, %eax)		/* its last byte is at E8h */
	TRAPS(13, movl $PORT_DEV, %edx; outl %eax, %dx)
	TRAPS(13, cli)
	TRAPS(13, hlt)
	TRAPS(13, movl %cr0, %eax)
	TRAPS(13, lgdt 0)
	TRAPS(13, int $0x30)
	int $0x31			/* a gate for ring 3, to guest_pass */
9:	ud2

GUEST(prot_user_spin)
	movw $SEL_TSS, %ax
	ltr %ax
	pushl $SEL_UDATA
	pushl $L_STACK - 0x400
	pushl $0x202
	pushl $SEL_UCODE32
	pushl $1f
	iretl
1:	jmp 1b

/* SYSENTER, with its MSRs through a world switch. */
GUEST(prot_sysenter)
	xorl %edx, %edx
	movl $0x174, %ecx
	movl $SEL_CODE32, %eax
	wrmsr
	movl $0x175, %ecx
	movl $L_STACK - 0x600, %eax
	wrmsr
	movl $0x176, %ecx
	movl $1f, %eax
	wrmsr
	outb %al, $PORT_DEV8
	pushfl
	orl $0x200, (%esp)
	popfl
	sysenter
	ud2
1:	cmpl $L_STACK - 0x600, %esp
	EXPECT(e)
	pushfl
	testl $0x200, (%esp)		/* interrupts are off now */
	EXPECT(z)
	movl %cs, %eax
	EXPECT_EQ(SEL_CODE32, %eax)
	movl %ss, %eax
	EXPECT_EQ(SEL_DATA, %eax)
	PASS

/* A hardware task switch there and back, and what it leaves in the TSS. */
GUEST(prot_task)
	movw $SEL_TSS, %ax
	ltr %ax
	movl $0x11112222, %ebx
	ljmpl $SEL_TSS2, $0
	EXPECT_EQ(0x11112222, %ebx)
	EXPECT_EQ(0x33334444, L_TSS2 + 0x34)	/* EBX of the task that we left */
	strw %ax
	cmpw $SEL_TSS, %ax
	EXPECT(e)
	movl %cr0, %eax
	testl $8, %eax
	EXPECT(nz)
	clts
	PASS
	.globl prot_task2
prot_task2:
	EXPECT_EQ(0x55556666, %ebx)
	movl $0x33334444, %ebx
	ljmpl $SEL_TSS, $0
	ud2

/* Virtual-8086 mode: I/O by the bitmap, HLT and INT n to the monitor. */
GUEST(prot_v86)
	movw $SEL_TSS, %ax
	ltr %ax
	movl $2f - 1f, %ecx
	movl $1f, %esi
	movl $L_SCRATCH, %edi
	pushl $SEL_DATA
	popl %es
	rep movsb
	pushl $0			/* GS FS DS ES */
	pushl $0
	pushl $0
	pushl $0
	pushl $0			/* SS:SP */
	pushl $L_STACK - 0x400
	pushl $0x20002			/* VM */
	pushl $L_SCRATCH >> 4
	pushl $0
	iretl
	.code16
1:	inb $PORT_DEV8, %al
	inb $PORT_DEV8, %al
	hlt
	int $0x21
	outb %al, $0xe8
2:	.code32

/* Entered from the stub of #GP with the frame on the stack, error code on top. */
	.globl prot_v86_gp
prot_v86_gp:
	movl $SEL_DATA, %ecx
	movl %ecx, %ds
	incl v86_count
	cmpl $1, v86_count
	jne 1f
	cmpb $2, %al			/* the two reads were let through */
	EXPECT(e)
	cmpl $4, 4(%esp)		/* HLT */
	EXPECT(e)
	testl $0x20000, 12(%esp)
	EXPECT(nz)
	incl 4(%esp)
	addl $4, %esp
	iretl
1:	cmpl $2, v86_count
	jne 2f
	cmpl $5, 4(%esp)		/* INT n needs IOPL 3 */
	EXPECT(e)
	addl $2, 4(%esp)
	addl $4, %esp
	iretl
2:	cmpl $7, 4(%esp)		/* port E8h is not in the bitmap */
	EXPECT(e)
	PASS
v86_count:
	.long 0

/* Control registers: what must be refused, and what must be kept. */
GUEST(prot_cr)
	movl %cr0, %eax
	movl %eax, %esi
	UNLESS(LACKS_PE_CHECK | LACKS_CHECKS)
	andl $~1, %eax
	orl $0x80000000, %eax
	TRAPS_ERROR(13, 0, movl %eax, %cr0)	/* PG without PE */
	END_UNLESS
	UNLESS(LACKS_CHECKS)
	movl %cr0, %eax
	cmpl %esi, %eax
	EXPECT(e)
	andl $~0x40000000, %eax
	orl $0x20000000, %eax
	TRAPS_ERROR(13, 0, movl %eax, %cr0)	/* NW without CD */
	movl %cr0, %eax
	cmpl %esi, %eax
	EXPECT(e)
	movl %cr4, %edi
	movl %edi, %eax
	orl $0x80000000, %eax
	TRAPS_ERROR(13, 0, movl %eax, %cr4)	/* a reserved bit */
	movl %cr4, %eax
	cmpl %edi, %eax
	EXPECT(e)
	END_UNLESS
	movl $0xabcde000, %eax
	movl %cr3, %ebx
	movl %eax, %cr2
	movl %cr2, %eax
	EXPECT_EQ(0xabcde000, %eax)
	movl $8, %eax
	orl %esi, %eax
	lmsw %ax
	smsw %eax
	testl $8, %eax
	EXPECT(nz)
	clts
	movl %cr0, %eax
	cmpl %esi, %eax
	EXPECT(e)
	movl %cr3, %eax
	cmpl %ebx, %eax
	EXPECT(e)
	PASS

/* No handler can be reached: #UD, then #DF, then nothing. */
GUEST(prot_triple)
	lidt 1f
	ud2
1:	.word 0
	.long 0

/* An IDT in memory that nobody has. */
GUEST(prot_bad_idt)
	lidt 1f
	ud2
1:	.word 0x7ff
	.long L_MMIO

/* A GDT in memory that nobody has: all ones is no good descriptor. */
GUEST(prot_bad_gdt)
	lgdt 1f
	movl $SEL_DATA, %eax
	movl %eax, %fs
	movl $0x600d, %eax
	outl %eax, $PORT_DONE
1:	.word SEL_LIMIT - 1
	.long L_MMIO

/* #AC that meets #AC at its own delivery, for ever: the host must stay master. */
GUEST(prot_ac_loop)
	movw $SEL_TSS, %ax
	ltr %ax
	movl %cr0, %eax
	orl $0x40000, %eax
	movl %eax, %cr0
	pushl $SEL_UDATA
	pushl $L_STACK - 0x3ff		/* not aligned, and the handler's stack too */
	pushl $0x40002
	pushl $SEL_UCODE32
	pushl $1f
	iretl
1:	movl $SEL_UDATA, %eax
	movl %eax, %ds
	.globl prot_ac_handler
prot_ac_handler:
	movl L_SCRATCH + 1, %eax
	jmp prot_ac_handler
