/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Into the guest and out again.
 *
 * From CLGI to STGI nothing can interrupt the host, and between VMLOAD of the
 * guest's and of the host's state FS, GS, TR and the system call MSRs are the
 * guest's: no C code can run there, and none does.
 *
 * An access to a latch never leaves this file. "Thus, even though the
 * instructions to access it are privileged instructions, the VMM can treat
 * them as simple MOV instructions" (the paper, 3.3).
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/nospec-branch.h>
#include <asm/processor-flags.h>

#include "core/port_table.h"
#include "enter.h"

#define EXIT_IOIO	0x07b

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

/* No probe may be put here. */
	.section .noinstr.text, "ax"

/*
 * void svm_enter(struct vmdrv_vcpu *vcpu), which begins with its context
 *
 * Interrupts are off and come back off. Returns at the first exit that is not
 * an access to a latch.
 */
SYM_FUNC_START(svm_enter)
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi

	/* With EFLAGS.IF set, a physical interrupt ends the guest's turn. */
	clgi
	sti

	mov	CTX_BLOCK(%rdi), %rax
	mov	(%rdi), %rcx
	mov	%rcx, VMCB_RAX(%rax)
	mov	CTX_BLOCK_PA(%rdi), %rax
	vmload	%rax

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

	/* What the host left in the CPU's buffers is not for the guest. */
#ifdef VM_CLEAR_CPU_BUFFERS
	VM_CLEAR_CPU_BUFFERS
#endif
.Lvmrun:
	vmrun	%rax

	/* RAX and RSP are the host's again. */
	mov	(%rsp), %rax
	mov	%rcx, RCX(%rax)
	mov	%rdx, RDX(%rax)
	mov	%rbx, RBX(%rax)

	mov	CTX_BLOCK(%rax), %rcx
	cmpl	$EXIT_IOIO, VMCB_EXITCODE(%rcx)
	jne	.Lleave

	/* Is the port's row a latch of this size? */
	mov	VMCB_EXITINFO1(%rcx), %edx
	mov	%edx, %ebx
	shr	$16, %ebx
	add	CTX_PORT_MAP(%rax), %rbx
	movzbl	(%rbx), %ebx
	shl	$WS_PORT_ROW_SHIFT, %ebx
	add	CTX_ROWS(%rax), %rbx
	and	$WS_PORT_KEY_MASK, %edx
	cmp	WS_PORT_ROW_KEY(%rbx), %edx
	je	.Llatch_out
	xor	$WS_PORT_KEY_IN, %edx
	cmp	WS_PORT_ROW_KEY(%rbx), %edx
	jne	.Lleave

	/* IN: a doubleword clears the upper half of RAX, less keeps the rest. */
	testl	$X86_EFLAGS_TF, VMCB_RFLAGS(%rcx)
	jnz	.Lleave
	mov	WS_PORT_ROW_MASK(%rbx), %edx
	cmp	$-1, %edx
	je	.Llatch_in_dword
	not	%rdx
	and	%rdx, VMCB_RAX(%rcx)
	mov	WS_PORT_ROW_VALUE(%rbx), %edx
	or	%rdx, VMCB_RAX(%rcx)
	jmp	.Llatch_done
.Llatch_in_dword:
	mov	WS_PORT_ROW_VALUE(%rbx), %edx
	mov	%rdx, VMCB_RAX(%rcx)
	jmp	.Llatch_done

.Llatch_out:
	/* A single-stepping guest wants its trap: the slow way makes it. */
	testl	$X86_EFLAGS_TF, VMCB_RFLAGS(%rcx)
	jnz	.Lleave
	/* If the access after it is to be served as well, that is not done here. */
	cmpl	$0, CTX_PAIRS(%rax)
	jne	.Lleave
	mov	VMCB_RAX(%rcx), %edx
	and	WS_PORT_ROW_MASK(%rbx), %edx
	mov	%edx, WS_PORT_ROW_VALUE(%rbx)

.Llatch_done:
	mov	VMCB_EXITINFO2(%rcx), %rdx
	mov	%rdx, VMCB_RIP(%rcx)
	movq	$0, VMCB_INT_STATE(%rcx)
	incq	CTX_LATCH_EXITS(%rax)
	mov	RCX(%rax), %rcx
	mov	RDX(%rax), %rdx
	mov	RBX(%rax), %rbx
	mov	CTX_BLOCK_PA(%rax), %rax
	jmp	.Lvmrun

.Lleave:
	mov	VMCB_RAX(%rcx), %rdx
	mov	%rdx, (%rax)
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

	mov	%rax, %rdi
	mov	CTX_BLOCK_PA(%rdi), %rax
	vmsave	%rax
	mov	CTX_HOST_PA(%rdi), %rax
	vmload	%rax

	/*
	 * The guest has trained the predictors of returns: no RET before they forget.
	 * Its values go no further.
	 */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT
#ifdef UNTRAIN_RET_VM
	UNTRAIN_RET_VM
#else
	UNTRAIN_RET
#ifdef X86_FEATURE_IBPB_ON_VMEXIT
	ALTERNATIVE "", "call entry_ibpb", X86_FEATURE_IBPB_ON_VMEXIT
#endif
#endif
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d

	/* What was held back stays so until C code enables interrupts; NMIs come now. */
	cli
	stgi

	pop	%rdi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
SYM_FUNC_END(svm_enter)

	.section .note.GNU-stack, "", @progbits
