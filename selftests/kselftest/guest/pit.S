/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tiny guests that count ticks of the PIT, in 32-bit protected mode. param is
 * the count of counter 0 in mode 2. At PORT_SYNC the test lets time pass.
 */
#define MODE_BITS 32
#include "macros.h"

	.section .text
	.code32

#define OUT8(value, port)	movb $(value), %al; outb %al, $(port)
#define SYNC(step)		movl $(step), %eax; outl %eax, $PORT_SYNC

/* Only IRQ 0 is open. The PIT is programmed while it is masked. */
pit_setup:
	OUT8(0x11, 0x20)
	OUT8(0x20, 0x21)
	OUT8(0x04, 0x21)
	OUT8(0x01, 0x21)
	OUT8(0xff, 0x21)
	OUT8(0x34, 0x43)
	movb param, %al
	outb %al, $0x40
	movb param + 1, %al
	outb %al, $0x40
	OUT8(0xfe, 0x21)
	ret

/* Halted between ticks: 50 of them. */
GUEST(pit_halt)
	call pit_setup
1:	sti
	hlt
	cli
	cmpl $50, irq_n
	jb 1b
	PASS

/* Time passes with interrupts off: the ticks are owed. */
GUEST(pit_owed)
	call pit_setup
	SYNC(1)
	sti
	movl $200000, %ecx
1:	loop 1b
	cli
	OUT8(0xff, 0x21)
	SYNC(2)
	PASS

/* Time passes with IRQ 0 masked: one request is left of it. */
GUEST(pit_masked)
	call pit_setup
	sti
1:	cmpl $1, irq_n
	jb 1b
	OUT8(0xff, 0x21)
	movl irq_n, %ebx
	SYNC(1)
	/* The request register shows it, though no timer runs for it. */
	OUT8(0x0a, 0x20)
	inb $0x20, %al
	testb $1, %al
	EXPECT(nz)
	cmpl %ebx, irq_n
	EXPECT(e)
	OUT8(0xfe, 0x21)
	nop
	/* And what a busy host may owe from before, which the test looks at. */
	incl %ebx
	cmpl %ebx, irq_n
	EXPECT(ae)
	OUT8(0xff, 0x21)
	PASS

/*
 * More often than it can take them: it never gets beyond its handler. The test
 * has to end that, from outside.
 */
GUEST(pit_storm)
	call pit_setup
	sti
1:	hlt
	jmp 1b

/* A one-shot in mode 0, in the way of a tickless kernel, 20 times. */
GUEST(pit_oneshot)
	call pit_setup
	OUT8(0x30, 0x43)
	movl $20, %ecx
1:	movb param, %al
	outb %al, $0x40
	movb param + 1, %al
	outb %al, $0x40
	movl irq_n, %ebx
	sti
	hlt
	cli
	incl %ebx
	cmpl %ebx, irq_n
	EXPECT(e)
	loop 1b
	PASS
