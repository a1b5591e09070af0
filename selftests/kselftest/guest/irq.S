/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tiny guests that take interrupts, in 32-bit protected mode. Vectors 20h to
 * 2Fh have handlers that note their vector in irq_log and end the interrupt.
 * The test raises lines when the guest writes its next step to PORT_SYNC.
 */
#define MODE_BITS 32
#include "macros.h"

	.section .text
	.code32

	.globl irq_stubs32, irq_n, irq_log, nmi_n, nmi_handler
	.p2align 4
irq_stubs32:
	.set vector, 0x20
	.rept 16
	.p2align 4
	pushl $vector
	jmp irq32
	.set vector, vector + 1
	.endr

irq32:
	pushl %eax
	pushl %ebx
	movl 8(%esp), %eax
	movl irq_n, %ebx
	andl $63, %ebx
	movb %al, irq_log(%ebx)
	incl irq_n
	cmpb $0x28, %al
	movb $0x20, %al
	jb 1f
	outb %al, $0xa0
1:	outb %al, $0x20
	popl %ebx
	popl %eax
	addl $4, %esp
	iretl

	.p2align 2
irq_n:		.long 0
nmi_n:		.long 0
irq_log:	.skip 64

#define OUT8(value, port)	movb $(value), %al; outb %al, $(port)
#define SYNC(step)		movl $(step), %eax; outl %eax, $PORT_SYNC
#define LOG_IS(i, vector)	cmpb $(vector), irq_log + (i); EXPECT(e)

/* The PIC pair as every PC sets it up, all lines open. */
pic_setup:
	OUT8(0x11, 0x20)
	OUT8(0x20, 0x21)
	OUT8(0x04, 0x21)
	OUT8(0x01, 0x21)
	OUT8(0x11, 0xa0)
	OUT8(0x28, 0xa1)
	OUT8(0x02, 0xa1)
	OUT8(0x01, 0xa1)
	OUT8(0x00, 0x21)
	OUT8(0x00, 0xa1)
	ret

/* Masked in the PIC, masked by IF, by priority; master and slave. */
GUEST(irq_pic)
	call pic_setup
	sti
	SYNC(0x105)			/* IRQ 5, at once */
	nop
	EXPECT_EQ(1, irq_n)
	LOG_IS(0, 0x25)
	SYNC(0x10c)			/* on the slave */
	nop
	EXPECT_EQ(2, irq_n)
	LOG_IS(1, 0x2c)
	OUT8(0x20, 0x21)
	SYNC(0x105)			/* masked: kept in the IRR */
	nop
	EXPECT_EQ(2, irq_n)
	OUT8(0x0a, 0x20)
	inb $0x20, %al
	cmpb $0x20, %al
	EXPECT(e)
	OUT8(0x00, 0x21)
	nop
	EXPECT_EQ(3, irq_n)
	LOG_IS(2, 0x25)
	cli
	SYNC(0x107)
	SYNC(0x104)
	SYNC(0x10a)
	SYNC(0x103)
	nop
	EXPECT_EQ(3, irq_n)
	sti
	nop
	nop
	EXPECT_EQ(7, irq_n)
	LOG_IS(3, 0x2a)			/* the slave is on input 2 */
	LOG_IS(4, 0x23)
	LOG_IS(5, 0x24)
	LOG_IS(6, 0x27)
	PASS

/* IF and the shadows behind STI and MOV SS. */
GUEST(irq_window)
	call pic_setup
	cli
	SYNC(0x105)
	movl $100, %ecx
1:	sti
	cli				/* STI holds interrupts for this one */
	loop 1b
	EXPECT_EQ(0, irq_n)
	pushfl
	orl $0x200, (%esp)
	popfl				/* POPF does not */
	movl irq_n, %ebx
	EXPECT_EQ(1, %ebx)
	cli
	SYNC(0x105)
	movl %ss, %edx
	sti
	movl %edx, %ss			/* a shadow behind a shadow */
	movl irq_n, %ebx
	movl irq_n, %ecx
	EXPECT_EQ(2, %ecx)
	cli
	SYNC(0x105)
	sti
	hlt				/* not lost: it ends this HLT */
	EXPECT_EQ(3, irq_n)
	cli
	PASS

/* The same wake-up many times over, from a thread of the host's. */
GUEST(irq_hlt)
	call pic_setup
	movl $50, %ecx
1:	cli
	movl irq_n, %ebx
	SYNC(1)				/* the thread is told to raise IRQ 5 soon */
2:	cmpl %ebx, irq_n
	jne 3f
	sti
	hlt
	cli
	jmp 2b
3:	loop 1b
	cmpl $50, irq_n
	EXPECT(ae)
	PASS

/* Ten ticks of the PIT's channel 0, 1 ms apart, each the end of a HLT. */
GUEST(irq_pit)
	call pic_setup
	OUT8(0xfe, 0x21)
	OUT8(0x34, 0x43)
	OUT8(1193 & 0xff, 0x40)
	OUT8(1193 >> 8, 0x40)
1:	sti
	hlt
	cli
	cmpl $10, irq_n
	jb 1b
	LOG_IS(0, 0x20)
	LOG_IS(9, 0x20)
	/* one shot: exactly one more, once the ticks of before have been taken */
	OUT8(0x30, 0x43)
2:	movl irq_n, %ebx
	sti
	nop
	nop
	cli
	cmpl %ebx, irq_n
	jne 2b
	movl $0, irq_n
	OUT8(100, 0x40)
	OUT8(0, 0x40)
	sti
2:	cmpl $0, irq_n
	je 2b
	cli
	EXPECT_EQ(1, irq_n)
	/* latched: the count runs down */
	OUT8(0x34, 0x43)
	OUT8(0xff, 0x40)
	OUT8(0xff, 0x40)
	OUT8(0xff, 0x21)
	OUT8(0, 0x43)
	inb $0x40, %al
	movb %al, %bl
	inb $0x40, %al
	movb %al, %bh
	movl $1000, %ecx
2:	OUT8(0, 0x43)
	inb $0x40, %al
	movb %al, %dl
	inb $0x40, %al
	movb %al, %dh
	cmpw %bx, %dx
	jne 3f
	loop 2b
	movl $__LINE__, %eax
	outl %eax, $PORT_DONE
3:	PASS

/* NMI: one at a time until IRET, whatever IF says; one more is kept. */
GUEST(irq_nmi)
	cli
	SYNC(2)				/* one NMI */
	nop
	EXPECT_EQ(2, nmi_n)		/* the handler asked for the second */
	SYNC(2)
	EXPECT_EQ(3, nmi_n)
	movl $100, nmi_n		/* now from a HLT with IF = 0 */
	SYNC(3)
	hlt
	EXPECT_EQ(101, nmi_n)
	PASS
nmi_handler:
	pushl %eax
	incl nmi_n
	cmpl $1, nmi_n
	jne 1f
	SYNC(2)
	SYNC(2)				/* two more are one more */
	nop
	EXPECT_EQ(1, nmi_n)
1:	popl %eax
	iretl

/*
 * Two lines at a time, param times: the second one is waiting when the first is
 * delivered. The handlers take their time before they do anything that exits.
 */
GUEST(irq_two)
	call pic_setup
	movl param, %edx
1:	cli
	SYNC(2)
	sti
	nop
	nop
	decl %edx
	jnz 1b
	movl param, %ebx
	addl %ebx, %ebx
	cmpl %ebx, irq_n
	EXPECT(e)
	PASS

	.globl irq_slow
irq_slow:
	pushl %eax
	pushl %ecx
	incl irq_n
	movl $3000, %ecx
1:	loop 1b
	movb $0x20, %al
	outb %al, $0x20
	popl %ecx
	popl %eax
	iretl

/* Exceptions that the host puts in, with and without an error code. */
GUEST(irq_events)
	TRAPS_ERROR(13, 0x1234, SYNC(13); ud2)
	TRAPS_ERROR(14, 7, SYNC(14); ud2)
	TRAPS_ERROR(6, 0, SYNC(6); ud2)
	TRAPS_ERROR(0, 0, SYNC(0); ud2)
	TRAPS_ERROR(11, 0x60, SYNC(11); ud2)
	TRAPS_ERROR(17, 0, SYNC(17); ud2)
	/* an interrupt that was acknowledged, but not yet delivered */
	call pic_setup
	sti
	SYNC(0x29)
	nop
	EXPECT_EQ(1, irq_n)
	LOG_IS(0, 0x29)
	PASS
