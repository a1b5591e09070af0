/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exceptions of the tiny guests: one stub per vector and mode, TRAP_STRIDE
 * bytes apart, for the host to write into the IDT. What happened is kept in
 * trap_*. Then the guest goes on
 *   at trap_resume, if it is set (the TRAPS macro), or
 *   where it was, after the page table entry at trap_fix was made present, or
 *   not at all: the test is told what nobody expected.
 */
#include "../layout.h"

	.section .text
	.globl trap_stubs16, trap_stubs32, trap_stubs64

/* Exceptions that push an error code, in protected and long mode. */
	.macro has_error vector
	.if (\vector == 8) || (\vector >= 10 && \vector <= 14) || (\vector == 17)
	.set with_error, 1
	.else
	.set with_error, 0
	.endif
	.endm

	.code16
	.p2align 4
trap_stubs16:
	.set vector, 0
	.rept 49
	.p2align 4
	pushw $vector
	jmp trap16
	.set vector, vector + 1
	.endr

trap16:
	push %bp
	mov %sp, %bp
	push %eax
	movzwl 2(%bp), %eax
	movl %eax, %cs:trap_vector
	movzwl 4(%bp), %eax
	movl %eax, %cs:trap_ip
	incl %cs:trap_count
	cmpl $0, %cs:trap_resume
	je 1f
	movw %cs:trap_resume, %ax
	movw %ax, 4(%bp)
	movl $0, %cs:trap_resume
	pop %eax
	pop %bp
	add $2, %sp
	iretw
1:	movl %cs:trap_vector, %eax
	outl %eax, $PORT_TRAP
	movl %cs:trap_ip, %eax
	outl %eax, $PORT_TRAP_IP

	.code32
	.p2align 4
trap_stubs32:
	.set vector, 0
	.rept 49
	.p2align 4
	has_error vector
	.if with_error == 0
	pushl $0
	.endif
	pushl $vector
	jmp trap32
	.set vector, vector + 1
	.endr

trap32:
	push %eax
	push %ds
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov 8(%esp), %eax
	mov %eax, trap_vector
	cmp $1, %eax
	jne 1f
	mov %dr6, %eax
	mov %eax, trap_dr6
	andl $~0x100, 24(%esp)		/* no single steps from here on */
1:	mov 12(%esp), %eax
	mov %eax, trap_error
	mov 16(%esp), %eax
	mov %eax, trap_ip
	mov %ecx, trap_cx
	mov %cr2, %eax
	mov %eax, trap_cr2
	incl trap_count
	mov trap_resume, %eax
	test %eax, %eax
	jz 2f
	mov %eax, 16(%esp)
	movl $0, trap_resume
	jmp 3f
2:	mov trap_fix, %eax
	test %eax, %eax
	jz 4f
	orl $1, (%eax)
	movl $0, trap_fix
3:	pop %ds
	pop %eax
	add $8, %esp
	iretl
4:	mov trap_vector, %eax
	outl %eax, $PORT_TRAP
	mov trap_error, %eax
	outl %eax, $PORT_TRAP_ERROR
	mov trap_ip, %eax
	outl %eax, $PORT_TRAP_IP

	.code64
	.p2align 4
trap_stubs64:
	.set vector, 0
	.rept 49
	.p2align 4
	has_error vector
	.if with_error == 0
	pushq $0
	.endif
	pushq $vector
	jmp trap64
	.set vector, vector + 1
	.endr

trap64:
	push %rax
	mov 8(%rsp), %rax
	mov %eax, trap_vector
	cmp $1, %eax
	jne 1f
	mov %dr6, %rax
	mov %rax, trap_dr6
	andl $~0x100, 40(%rsp)		/* no single steps from here on */
1:	mov 16(%rsp), %rax
	mov %eax, trap_error
	mov 24(%rsp), %rax
	mov %rax, trap_ip
	mov %rcx, trap_cx
	mov %cr2, %rax
	mov %rax, trap_cr2
	incl trap_count
	mov trap_resume, %rax
	test %rax, %rax
	jz 2f
	mov %rax, 24(%rsp)
	movq $0, trap_resume
	jmp 3f
2:	mov trap_fix, %rax
	test %rax, %rax
	jz 4f
	orl $1, (%rax)
	movq $0, trap_fix
3:	pop %rax
	add $16, %rsp
	iretq
4:	mov trap_vector, %eax
	outl %eax, $PORT_TRAP
	mov trap_error, %eax
	outl %eax, $PORT_TRAP_ERROR
	mov trap_ip, %rax
	outl %eax, $PORT_TRAP_IP

	.p2align 3
	.globl trap_vector, trap_error, trap_ip, trap_cr2, trap_dr6, trap_count
	.globl trap_cx, trap_resume, trap_fix, pt_base, pte_shift, param
	.globl guest_pass32, guest_pass64, cpu_lacks
trap_vector:	.long 0
trap_error:	.long 0
trap_ip:	.quad 0
trap_cr2:	.quad 0
trap_dr6:	.quad 0
trap_cx:	.quad 0		/* the count register: how far a REP had got */
trap_resume:	.quad 0
trap_fix:	.quad 0
trap_count:	.long 0
/* Set by the host: the table of 4 KiB pages, and log2 of an entry's size. */
pte_shift:	.long 0
pt_base:	.quad 0
/* LACKS_* of layout.h. */
cpu_lacks:	.long 0, 0
/* From the test to the guest. */
param:		.quad 0, 0, 0, 0

/* Where a guest in ring 3 ends that has seen all it wanted to see. */
	.code32
guest_pass32:
	xorl %eax, %eax
	outl %eax, $PORT_DONE
	.code64
guest_pass64:
	xorl %eax, %eax
	outl %eax, $PORT_DONE
