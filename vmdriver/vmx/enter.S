/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Into the guest and out again.
 *
 * Interrupts are off; one that comes ends the guest's turn and waits until C
 * code enables them. The CPU switches segments, system registers and stack
 * pointers by itself, the general registers are left to us.
 *
 * An access to a latch never leaves this file: see svm/enter.S.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/processor-flags.h>
#include <asm/unwind_hints.h>

#include "core/port_table.h"
#include "enter.h"

#define EXIT_EXCEPTION_NMI	0
#define EXIT_IO			30
#define INTR_TYPE_MASK		0x700
#define INTR_TYPE_NMI		0x200
#define SHADOWS			0x3	/* by STI, by MOV SS */

#define RCX		8*1
#define RDX		8*2
#define RBX		8*3
#define RBP		8*5
#define RSI		8*6
#define RDI		8*7
#define R8		8*8
#define R9		8*9
#define R10		8*10
#define R11		8*11
#define R12		8*12
#define R13		8*13
#define R14		8*14
#define R15		8*15

/* On the stack while the guest runs. */
#define GUEST_RAX	0
#define VCPU		8

/* What the host left in the CPU's buffers is not for the guest. */
.macro CLEAR_HOST_TRACES
#ifdef CLEAR_CPU_BUFFERS
	CLEAR_CPU_BUFFERS
#endif
.endm

.macro FORGET_BRANCH_HISTORY
#if defined(X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT) || defined(X86_FEATURE_CLEAR_BHB_VMEXIT)
	CLEAR_BRANCH_HISTORY_VMEXIT
#endif
.endm

/* No probe may be put here. */
	.section .noinstr.text, "ax"

/*
 * void vmx_enter(struct vmdrv_vcpu *vcpu), which begins with its context
 *
 * Interrupts are off and stay off. Returns at the first exit that is not an
 * access to a latch. A host NMI has been handled by then.
 */
SYM_FUNC_START(vmx_enter)
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	push	%rdi

	mov	CTX_BLOCK(%rdi), %rax
	cmp	VMX_HOST_RSP(%rax), %rsp
	je	.Lstack_known
	mov	%rsp, VMX_HOST_RSP(%rax)
	mov	$FIELD_HOST_RSP, %ecx
	vmwrite	%rsp, %rcx
.Lstack_known:
	mov	VMX_CR2(%rax), %rcx
	mov	%cr2, %rdx
	cmp	%rcx, %rdx
	je	.Lcr2_same
	mov	%rcx, %cr2
.Lcr2_same:
	testl	$1, VMX_LAUNCHED(%rax)

	mov	(%rdi), %rax
	mov	RCX(%rdi), %rcx
	mov	RDX(%rdi), %rdx
	mov	RBX(%rdi), %rbx
	mov	RBP(%rdi), %rbp
	mov	RSI(%rdi), %rsi
	mov	R8(%rdi), %r8
	mov	R9(%rdi), %r9
	mov	R10(%rdi), %r10
	mov	R11(%rdi), %r11
	mov	R12(%rdi), %r12
	mov	R13(%rdi), %r13
	mov	R14(%rdi), %r14
	mov	R15(%rdi), %r15
	mov	RDI(%rdi), %rdi
	UNWIND_HINT_SAVE
	jz	.Llaunch

.Lresume:
	CLEAR_HOST_TRACES
	vmresume
	jmp	.Lrefused
.Llaunch:
	CLEAR_HOST_TRACES
	vmlaunch

	/* We are still here: the guest was not entered, and its registers are as they were. */
.Lrefused:
	mov	VCPU(%rsp), %rdi
	mov	CTX_BLOCK(%rdi), %rbx
	mov	$-1, %edx
	mov	%edx, VMX_EXIT_REASON(%rbx)
	jmp	.Lhost

SYM_INNER_LABEL(vmx_exit_point, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR
	mov	%rax, GUEST_RAX(%rsp)
	mov	VCPU(%rsp), %rax
	mov	%rcx, RCX(%rax)
	mov	%rdx, RDX(%rax)
	mov	%rbx, RBX(%rax)

	mov	$FIELD_EXIT_REASON, %ecx
	vmread	%rcx, %rdx
	cmp	$EXIT_IO, %edx
	jne	.Lleave

	/* Is the port's row a latch of this size? */
	mov	$FIELD_QUALIFICATION, %ecx
	vmread	%rcx, %rdx
	mov	%edx, %ebx
	shr	$16, %ebx
	add	CTX_PORT_MAP(%rax), %rbx
	movzbl	(%rbx), %ebx
	shl	$WS_PORT_ROW_SHIFT, %ebx
	add	CTX_ROWS(%rax), %rbx
	inc	%edx
	shl	$KEY_SHIFT, %dx
	and	$KEY_MASK, %edx
	cmp	WS_PORT_ROW_KEY(%rbx), %edx
	je	.Llatch_out
	xor	$KEY_IN, %edx
	cmp	WS_PORT_ROW_KEY(%rbx), %edx
	jne	.Lleave_io

	/* IN: a doubleword clears the upper half of RAX, less keeps the rest. */
	mov	WS_PORT_ROW_MASK(%rbx), %edx
	cmp	$-1, %edx
	je	.Llatch_in_dword
	not	%rdx
	and	%rdx, GUEST_RAX(%rsp)
	mov	WS_PORT_ROW_VALUE(%rbx), %edx
	or	%rdx, GUEST_RAX(%rsp)
	jmp	.Llatch_done
.Llatch_in_dword:
	mov	WS_PORT_ROW_VALUE(%rbx), %edx
	mov	%rdx, GUEST_RAX(%rsp)
	jmp	.Llatch_done

.Llatch_out:
	/* If the access after it is to be served as well, that is not done here. */
	cmpl	$0, CTX_PAIRS(%rax)
	jne	.Lleave_io
	mov	GUEST_RAX(%rsp), %edx
	and	WS_PORT_ROW_MASK(%rbx), %edx
	mov	%edx, WS_PORT_ROW_VALUE(%rbx)

	/*
	 * A single-stepping guest wants its trap, a shadow has to end, and RIP
	 * may wrap: the slow way does the access once more, and these.
	 */
.Llatch_done:
	mov	$FIELD_RFLAGS, %ecx
	vmread	%rcx, %rdx
	test	$X86_EFLAGS_TF, %edx
	jnz	.Lleave_io
	mov	$FIELD_INTERRUPTIBILITY, %ecx
	vmread	%rcx, %rdx
	test	$SHADOWS, %dl
	jnz	.Lleave_io
	mov	$FIELD_RIP, %ecx
	vmread	%rcx, %rdx
	mov	$FIELD_INSTRUCTION_LEN, %ebx
	vmread	%rbx, %rbx
	add	%rdx, %rbx
	cmp	%edx, %ebx
	jb	.Lleave_io
	vmwrite	%rbx, %rcx

	incq	CTX_LATCH_EXITS(%rax)
	mov	RCX(%rax), %rcx
	mov	RDX(%rax), %rdx
	mov	RBX(%rax), %rbx
	mov	GUEST_RAX(%rsp), %rax
	jmp	.Lresume

.Lleave_io:
	mov	$EXIT_IO, %edx
.Lleave:
	mov	GUEST_RAX(%rsp), %rcx
	mov	%rcx, (%rax)
	mov	%rbp, RBP(%rax)
	mov	%rsi, RSI(%rax)
	mov	%rdi, RDI(%rax)
	mov	%r8, R8(%rax)
	mov	%r9, R9(%rax)
	mov	%r10, R10(%rax)
	mov	%r11, R11(%rax)
	mov	%r12, R12(%rax)
	mov	%r13, R13(%rax)
	mov	%r14, R14(%rax)
	mov	%r15, R15(%rax)

	mov	CTX_BLOCK(%rax), %rbx
	mov	%edx, VMX_EXIT_REASON(%rbx)
	mov	%cr2, %rcx
	mov	%rcx, VMX_CR2(%rbx)
	/* Bit 31: it could not be entered, and is not launched by this. */
	test	%edx, %edx
	js	.Lhost
	movl	$1, VMX_LAUNCHED(%rbx)

	/*
	 * The guest has trained the predictors of returns: no RET before they forget.
	 * Its values go no further.
	 */
.Lhost:
	mov	%edx, %r12d
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE
	/* IBRS has to be written again, that it holds for what the guest did. */
	ALTERNATIVE "jmp .Lspec_ctrl_done", "", X86_FEATURE_KERNEL_IBRS
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	mov	VMX_SPEC_CTRL(%rbx), %eax
	mov	VMX_SPEC_CTRL + 4(%rbx), %edx
	wrmsr
	lfence
.Lspec_ctrl_done:
	FORGET_BRANCH_HISTORY
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%ebp, %ebp
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d

	/*
	 * After an exit by an NMI the next one is held back until an IRET: the one
	 * with which the host's handler ends, which has not run yet.
	 */
	test	%r12d, %r12d
	jnz	.Lreturn
	mov	$FIELD_EXIT_INTR_INFO, %ecx
	vmread	%rcx, %rdx
	and	$INTR_TYPE_MASK, %edx
	cmp	$INTR_TYPE_NMI, %edx
	jne	.Lreturn
	int	$2

.Lreturn:
	pop	%rdi
	pop	%rdi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
SYM_FUNC_END(vmx_enter)

	.section .note.GNU-stack, "", @progbits
