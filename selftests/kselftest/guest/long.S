/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tiny guests in 64-bit mode, in ring 0, on 4-level tables. FS has its base at
 * L_BUF; ES has none in this mode.
 */
#define MODE_BITS 64
#include "macros.h"

	.section .text
	.code64

#define N(name)	long_##name
#define ES0	L_BUF
#include "string.h"
#include "paging.h"

/* RDX:RAX to and from one MSR. */
#define WRMSR(index, high, low) \
	movl $(index), %ecx; movl $(low), %eax; movl $(high), %edx; wrmsr
#define MSR_IS(index, high, low) \
	movl $(index), %ecx; rdmsr; EXPECT_EQ(low, %eax); EXPECT_EQ(high, %edx)

#define MSR_SYSENTER_CS	0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_PAT		0x277
#define MSR_EFER	0xc0000080
#define MSR_STAR	0xc0000081
#define MSR_LSTAR	0xc0000082
#define MSR_CSTAR	0xc0000083
#define MSR_SFMASK	0xc0000084
#define MSR_FS_BASE	0xc0000100
#define MSR_GS_BASE	0xc0000101
#define MSR_KERNEL_GS	0xc0000102

GUEST(long_io)
	movabs $0x1122334455667788, %rax
	movl $PORT_DEV, %edx
	inb $PORT_DEV8, %al
	movabs $0x1122334455667701, %rbx
	cmpq %rbx, %rax
	EXPECT(e)
	inw %dx, %ax
	movabs $0x1122334455660302, %rbx
	cmpq %rbx, %rax
	EXPECT(e)
	inl %dx, %eax			/* a dword clears the high half */
	cmpq $0x07060504, %rax
	EXPECT(e)
	outb %al, $PORT_DEV8
	outw %ax, %dx
	outl %eax, %dx
	.byte 0x48			/* REX.W changes nothing */
	outl %eax, %dx
	PASS

/* String I/O through a linear address that needs 64 bits; wrong ones fault. */
GUEST(long_addr)
	movl $PORT_DEV, %edx
	movabs $0xffffff8000000000 + L_BUF, %rsi
	movl $3, %ecx
	rep outsb
	movabs $0xffffff8000000000 + L_BUF + 3, %rax
	cmpq %rax, %rsi
	EXPECT(e)
	movabs $0x800000000000, %rsi
	TRAPS_ERROR(13, 0, outsb)
	movq %rsi, %rdi
	TRAPS_ERROR(13, 0, insb)
	TRAPS_ERROR(13, 0, movq (%rsi), %rax)
	/*
	 * GS has its base from the MSR. A 32-bit offset wraps before the base
	 * is added: 4 GiB up is another window onto the same pages.
	 */
	WRMSR(MSR_GS_BASE, 0, L_BUF + 0x10)
	movl $PORT_DEV, %edx
	movl $0xfffffff8, %esi
	movl $0x10, %ecx
	addr32 rep outsb %gs:(%esi), %dx
	PASS

/* Ring 3: error codes with the user bit, for code and for string I/O. */
GUEST(long_user)
	movl $SEL_TSS, %eax
	ltr %ax
	PTE_CHANGE(PAGE(0), andl $~4, (%rbx))
	pushq $SEL_UDATA
	pushq $L_STACK - 0x400
	pushq $0x3002			/* IOPL 3: all ports */
	pushq $SEL_UCODE64
	pushq $1f
	iretq
1:	TRAPS_ERROR(14, 5, movl PAGE(0), %eax)
	CR2_IS(PAGE(0))
	TRAPS_ERROR(14, 7, movl %eax, PAGE(0))
	TRAPS_ERROR(14, 7, movl %eax, PAGE(0) - 1)
	CR2_IS(PAGE(0))
	movl $PORT_DEV, %edx
	movl $PAGE(0), %esi
	TRAPS_ERROR(14, 5, outsl)
	CR2_IS_VMMS(PAGE(0))
	movl $PAGE(0) - 6, %edi
	movl $4, %ecx
	TRAPS_ERROR(14, 7, rep insl)
	CR2_IS_VMMS(PAGE(0))
	cmpq $3, %rcx
	EXPECT(e)
	TRAPS_ERROR(13, 0, rdmsr)
	TRAPS_ERROR(13, 0, mov %cr3, %rax)
	TRAPS_ERROR(13, 0, mov %dr7, %rax)
	TRAPS_ERROR(13, 0, hlt)
	TRAPS_ERROR(13, 0, wbinvd)
	movl $0, %eax
	cpuid				/* not privileged */
	cmpl $1, %eax
	EXPECT(ae)
	int $0x31

/* NX and reserved bits in the tables; a wrong address to return to. */
GUEST(long_nx)
	movb $0xc3, PAGE(0)
	movl $PAGE(0), %eax
	call *%rax
	PTE_CHANGE(PAGE(0), orl $0x80000000, 4(%rbx))
	movl $PAGE(0), %eax
	TRAPS_ERROR(14, 0x11, call *%rax)
	CR2_IS(PAGE(0))
	movl PAGE(0), %eax		/* it can be read */
	PTE_CHANGE(PAGE(0), movl $0x000fff00, 4(%rbx))
	UNLESS(LACKS_CHECKS)
	TRAPS_ERROR(14, 9, movl PAGE(0), %eax)
	CR2_IS(PAGE(0))
	TRAPS_ERROR(14, 0xb, movl %eax, PAGE(0))
	END_UNLESS
	movl $PORT_DEV, %edx
	movl $PAGE(0), %esi
	TRAPS_ERROR(14, 9, outsb)
	CR2_IS_VMMS(PAGE(0))
	movabs $0x800000000000, %rax
	TRAPS_ERROR(13, 0, jmp *%rax)
	PASS

/* The hypervisor's leaves, and what a guest must not be shown. */
GUEST(long_cpuid)
	movl $0x40000000, %eax
	cpuid
	cmpl $0x40000010, %eax
	EXPECT(ae)
	EXPECT_EQ(0x61774d56, %ebx)	/* "VMwa" */
	EXPECT_EQ(0x4d566572, %ecx)	/* "reVM" */
	EXPECT_EQ(0x65726177, %edx)	/* "ware" */
	movl $0x40000010, %eax
	cpuid
	cmpl param, %eax		/* the TSC's frequency, from the host */
	EXPECT(e)
	movl $1, %eax
	xorl %ecx, %ecx
	cpuid
	testl $0x80000000, %ecx		/* a hypervisor is here */
	EXPECT(nz)
	testl $0x20, %ecx		/* but none can be run: no VMX */
	EXPECT(z)
	testl $8, %ecx			/* MONITOR */
	EXPECT(z)
	movl $0x80000001, %eax
	cpuid
	testl $4, %ecx			/* SVM */
	EXPECT(z)
	testl $0x20000000, %edx		/* long mode */
	EXPECT(nz)
	/* OSXSAVE follows CR4 */
	movl $1, %eax
	cpuid
	testl $0x04000000, %ecx
	jz 1f
	testl $0x08000000, %ecx
	EXPECT(z)
	movq %cr4, %rax
	orl $0x40000, %eax
	movq %rax, %cr4
	movl $1, %eax
	cpuid
	testl $0x08000000, %ecx
	EXPECT(nz)
1:	PASS

/* VMware's backdoor: GETVERSION and GETHZ; with a wrong magic it is no port. */
GUEST(long_backdoor)
	movl $0x564d5868, %eax
	xorl %ebx, %ebx
	notl %ebx
	movl $10, %ecx
	movl $0x5658, %edx
	inl %dx, %eax
	EXPECT_EQ(0x564d5868, %ebx)
	cmpl $-1, %eax
	EXPECT(ne)
	movl $0x564d5868, %eax
	movl $45, %ecx
	movl $0x5658, %edx
	xorl %ebx, %ebx
	inl %dx, %eax
	/* EBX:EAX is the frequency in Hz; it must be that of the CPUID leaf */
	movl %ebx, %edx
	movl $1000, %ecx
	divl %ecx
	cmpl param, %eax
	EXPECT(e)
	movl $0x12345678, %eax
	movl $10, %ecx
	movl $0x5658, %edx
	movl $7, %ebx
	inl %dx, %eax
	EXPECT_EQ(0xffffffff, %eax)
	EXPECT_EQ(7, %ebx)
	PASS

/* MSRs: kept, refused, and none of SVM's to be seen. */
GUEST(long_msr)
	WRMSR(MSR_STAR, 0x00330018, 0x1234)
	WRMSR(MSR_LSTAR, 0xffffff80, 0x1111)
	WRMSR(MSR_CSTAR, 0xffffff80, 0x2222)
	WRMSR(MSR_SFMASK, 0, 0x3333)
	WRMSR(MSR_KERNEL_GS, 0xffffff80, 0x4444)
	WRMSR(MSR_SYSENTER_CS, 0, SEL_CODE64)
	WRMSR(MSR_SYSENTER_ESP, 0, 0x5555)
	WRMSR(MSR_SYSENTER_EIP, 0, 0x6666)
	WRMSR(MSR_PAT, 0x00070106, 0x00070406)
	outb %al, $PORT_DEV8		/* out to another world and back */
	MSR_IS(MSR_STAR, 0x00330018, 0x1234)
	MSR_IS(MSR_LSTAR, 0xffffff80, 0x1111)
	MSR_IS(MSR_CSTAR, 0xffffff80, 0x2222)
	MSR_IS(MSR_SFMASK, 0, 0x3333)
	MSR_IS(MSR_KERNEL_GS, 0xffffff80, 0x4444)
	MSR_IS(MSR_SYSENTER_CS, 0, SEL_CODE64)
	MSR_IS(MSR_SYSENTER_ESP, 0, 0x5555)
	MSR_IS(MSR_SYSENTER_EIP, 0, 0x6666)
	MSR_IS(MSR_PAT, 0x00070106, 0x00070406)
	/* one that nobody has, in each of the ranges and in none */
	movl $0x1fff, %ecx
	TRAPS_ERROR(13, 0, rdmsr)
	TRAPS_ERROR(13, 0, wrmsr)
	movl $0xc0001fff, %ecx
	TRAPS_ERROR(13, 0, rdmsr)
	movl $0x12345678, %ecx
	TRAPS_ERROR(13, 0, rdmsr)
	TRAPS_ERROR(13, 0, wrmsr)
	/* values that no CPU takes */
	UNLESS(LACKS_CHECKS)
	TRAPS_ERROR(13, 0, WRMSR(MSR_LSTAR, 0x8000, 0))
	TRAPS_ERROR(13, 0, WRMSR(MSR_KERNEL_GS, 0x8000, 0))
	END_UNLESS
	TRAPS_ERROR(13, 0, WRMSR(MSR_PAT, 0x00070106, 0x02070406))
	MSR_IS(MSR_PAT, 0x00070106, 0x00070406)
	MSR_IS(MSR_LSTAR, 0xffffff80, 0x1111)
	/* EFER: SVME is neither seen nor set, reserved bits and LME are firm */
	movl $MSR_EFER, %ecx
	rdmsr
	movl %eax, %esi
	EXPECT_EQ(0, %edx)
	testl $0x1000, %eax
	EXPECT(z)
	TRAPS_ERROR(13, 0, orl $0x1000, %eax; wrmsr)
	TRAPS_ERROR(13, 0, movl %esi, %eax; orl $0x100000, %eax; wrmsr)
	TRAPS_ERROR(13, 0, movl %esi, %eax; andl $~0x100, %eax; wrmsr)
	rdmsr
	cmpl %esi, %eax
	EXPECT(e)
	PASS

/* Instructions that are hidden from a guest, or that are not for it. */
GUEST(long_hidden)
	xorl %eax, %eax
	xorl %ecx, %ecx
	xorl %edx, %edx
	TRAPS(6, .byte 0x0f, 0x01, 0xd8)	/* VMRUN */
	TRAPS(6, .byte 0x0f, 0x01, 0xd9)	/* VMMCALL */
	TRAPS(6, .byte 0x0f, 0x01, 0xda)	/* VMLOAD */
	TRAPS(6, .byte 0x0f, 0x01, 0xdb)	/* VMSAVE */
	TRAPS(6, .byte 0x0f, 0x01, 0xdc)	/* STGI */
	TRAPS(6, .byte 0x0f, 0x01, 0xdd)	/* CLGI */
	TRAPS(6, .byte 0x0f, 0x01, 0xde)	/* SKINIT */
	TRAPS(6, .byte 0x0f, 0x01, 0xdf)	/* INVLPGA */
	TRAPS(6, .byte 0x0f, 0x01, 0xc1)	/* VMCALL */
	movl $L_SCRATCH, %eax
	TRAPS(6, monitor)
	TRAPS(6, mwait)
	movl $0x1000, %ecx
	TRAPS_ERROR(13, 0, rdpmc)		/* no such counter */
	wbinvd
	invd
	movl $0x5aa5, %eax
	movl %eax, L_SCRATCH
	wbinvd
	invd					/* and no store is lost by it */
	EXPECT_EQ(0x5aa5, L_SCRATCH)
	PASS

/* Control registers of long mode. */
GUEST(long_cr)
	movq %cr0, %rsi
	movq %cr4, %rdi
	UNLESS(LACKS_CHECKS)
	movabs $0x100000000, %rax
	orq %rsi, %rax
	TRAPS_ERROR(13, 0, movq %rax, %cr0)	/* the high half */
	movl %esi, %eax
	andl $0x7fffffff, %eax
	TRAPS_ERROR(13, 0, movq %rax, %cr0)	/* no way out of 64-bit code */
	movl %esi, %eax
	andl $~0x40000000, %eax
	orl $0x20000000, %eax
	TRAPS_ERROR(13, 0, movq %rax, %cr0)
	movq %cr0, %rax
	cmpq %rsi, %rax
	EXPECT(e)
	movl %edi, %eax
	andl $~0x20, %eax
	TRAPS_ERROR(13, 0, movq %rax, %cr4)	/* PAE must stay */
	movl %edi, %eax
	orl $0x80000000, %eax
	TRAPS_ERROR(13, 0, movq %rax, %cr4)
	movabs $0x100000000, %rax
	orq %rdi, %rax
	TRAPS_ERROR(13, 0, movq %rax, %cr4)
	END_UNLESS
	movq %cr4, %rax
	cmpq %rdi, %rax
	EXPECT(e)
	movl $5, %eax
	movq %rax, %cr8
	movq %cr8, %rbx
	EXPECT_EQ(5, %ebx)
	UNLESS(LACKS_CHECKS)
	movl $0x10, %eax
	TRAPS_ERROR(13, 0, movq %rax, %cr8)
	END_UNLESS
	xorl %eax, %eax
	movq %rax, %cr8
	movabs $0x123456789abc, %rax
	movq %rax, %cr2
	movq %cr2, %rbx
	cmpq %rax, %rbx
	EXPECT(e)
	PASS

/* XCR0: what the CPU would refuse, and what it takes. */
GUEST(long_xsetbv)
	movl $1, %eax
	xorl %ecx, %ecx
	cpuid
	testl $0x04000000, %ecx
	jz 1f
	xorl %ecx, %ecx
	xorl %edx, %edx
	movl $1, %eax
	TRAPS(6, xsetbv)			/* not before CR4.OSXSAVE */
	movq %cr4, %rax
	orl $0x40000, %eax
	movq %rax, %cr4
	xorl %eax, %eax
	TRAPS_ERROR(13, 0, xsetbv)		/* x87 cannot go */
	movl $5, %eax
	TRAPS_ERROR(13, 0, xsetbv)		/* AVX needs SSE */
	movl $3, %eax
	movl $0x40000000, %edx
	TRAPS_ERROR(13, 0, xsetbv)
	xorl %edx, %edx
	movl $1, %ecx
	TRAPS_ERROR(13, 0, xsetbv)		/* there is only XCR0 */
	xorl %ecx, %ecx
	movl $3, %eax
	xsetbv
	outb %al, $PORT_DEV8
	xorl %ecx, %ecx
	xgetbv
	EXPECT_EQ(3, %eax)
	EXPECT_EQ(0, %edx)
1:	PASS

/* SYSCALL and SYSRET, SYSENTER, SWAPGS: with a world switch in ring 3. */
GUEST(long_syscall)
	movl $SEL_TSS, %eax
	ltr %ax
	WRMSR(MSR_STAR, 0x00330018, 0)
	WRMSR(MSR_LSTAR, 0, 2f)
	WRMSR(MSR_SFMASK, 0, 0x200)
	WRMSR(MSR_GS_BASE, 0, 0x1111)
	WRMSR(MSR_KERNEL_GS, 0, 0x2222)
	movl $1f, %ecx
	movl $0x3202, %r11d			/* IOPL 3, IF */
	sysretq
1:	movl $0x77, %eax
	outb %al, $PORT_DEV8
	syscall
	outb %al, $PORT_DEV8
	syscall
2:	pushfq
	popq %rbx
	testl $0x200, %ebx			/* masked by SFMASK */
	EXPECT(z)
	testl $0x200, %r11d
	EXPECT(nz)
	pushq %rcx
	swapgs
	movl $MSR_GS_BASE, %ecx
	rdmsr
	movl %eax, %ebp
	outb %al, $PORT_DEV8
	rdmsr
	cmpl %eax, %ebp
	EXPECT(e)
	popq %rcx
	incl param + 8
	cmpl $2, param + 8
	je 3f
	EXPECT_EQ(0x2222, %ebp)
	movl $0x3202, %r11d
	sysretq
3:	EXPECT_EQ(0x1111, %ebp)
	PASS

/* The TSC never goes back, whatever happens between two looks at it. */
GUEST(long_tsc)
	movl $200, %ebp
	rdtsc
	shlq $32, %rdx
	orq %rdx, %rax
	movq %rax, %rbx
1:	outb %al, $PORT_DEV8
	rdtsc
	shlq $32, %rdx
	orq %rdx, %rax
	cmpq %rbx, %rax
	EXPECT(a)
	movq %rax, %rbx
	decl %ebp
	jnz 1b
	PASS

/* x87 and SSE registers, through many world switches. */
GUEST(long_fpu)
	fninit
	fldpi
	fldl2e
	movl $0x7f80, param			/* rounds towards zero */
	ldmxcsr param
	leaq fpu_pattern, %rsi
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movups \n(%rsi), %xmm\n
	.endr
	movl $100, %ebp
1:	outb %al, $PORT_DEV8
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movups %xmm\n, L_SCRATCH
	movq L_SCRATCH, %rax
	cmpq \n(%rsi), %rax
	EXPECT(e)
	movq L_SCRATCH + 8, %rax
	cmpq \n + 8(%rsi), %rax
	EXPECT(e)
	.endr
	stmxcsr L_SCRATCH
	movl L_SCRATCH, %eax
	cmpl param, %eax
	EXPECT(e)
	decl %ebp
	jnz 1b
	fldl2e
	fcomip %st(1), %st
	EXPECT(e)
	fstp %st(0)
	fldpi
	fcomip %st(1), %st
	EXPECT(e)
	PASS
	.p2align 4
fpu_pattern:
	.ascii "every good pattern differs in each of its bytes"
	.byte 0

/* The same with AVX: the high halves; a guest that has no AVX has passed. */
GUEST(long_avx)
	movl $1, %eax
	cpuid
	andl $0x14000000, %ecx
	cmpl $0x14000000, %ecx
	jne 2f
	movq %cr4, %rax
	orl $0x40000, %eax
	movq %rax, %cr4
	xorl %ecx, %ecx
	xorl %edx, %edx
	movl $7, %eax
	xsetbv
	leaq fpu_pattern, %rsi
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovups \n(%rsi), %ymm\n
	.endr
	movl $100, %ebp
1:	outb %al, $PORT_DEV8
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovups %ymm\n, L_SCRATCH
	movq L_SCRATCH + 16, %rax
	cmpq \n + 16(%rsi), %rax
	EXPECT(e)
	movq L_SCRATCH + 24, %rax
	cmpq \n + 24(%rsi), %rax
	EXPECT(e)
	.endr
	decl %ebp
	jnz 1b
	xorl %ecx, %ecx
	xgetbv
	EXPECT_EQ(7, %eax)
2:	PASS

#define DR6_HAS(bits) \
	testl $LACKS_DR6, cpu_lacks; jnz 75f; \
	movl trap_dr6, %eax; andl $0xf, %eax; EXPECT_EQ(bits, %eax); 75:

/* Debug registers are kept, and breakpoints on code and data work. */
GUEST(long_debug)
	movl $5f, %eax
	movq %rax, %dr0
	movl $L_SCRATCH + 8, %eax
	movq %rax, %dr1
	movabs $0x123456789000, %rax
	movq %rax, %dr2
	movl $0x77777777, %eax
	movq %rax, %dr3
	movl $0x00d00700, %eax			/* none enabled yet */
	movq %rax, %dr7
	outb %al, $PORT_DEV8
	movq %dr0, %rax
	cmpq $5f, %rax
	EXPECT(e)
	movq %dr2, %rbx
	movabs $0x123456789000, %rax
	cmpq %rax, %rbx
	EXPECT(e)
	movq %dr3, %rax
	EXPECT_EQ(0x77777777, %eax)
	movq %dr7, %rax
	EXPECT_EQ(0x00d00700, %eax)
	UNLESS(LACKS_BREAKPOINTS)
	movl $0x00d00702, %eax			/* G0: code */
	movq %rax, %dr7
	outb %al, $PORT_DEV8
	movl $0, %eax
	movq %rax, %dr6
	TRAPS(1, 5: nop)
	EXPECT_EQ(5b, trap_ip)
	DR6_HAS(1)
	/* a write of four bytes at DR1: a trap, after the instruction */
	movl $0x00d00708, %eax
	movq %rax, %dr7
	movl $0, %eax
	movq %rax, %dr6
	TRAPS(1, movl $7, L_SCRATCH + 8; 6: nop)
	EXPECT_EQ(6b, trap_ip)
	EXPECT_EQ(7, L_SCRATCH + 8)
	DR6_HAS(2)
	/* DR7's high half is reserved */
	movabs $0x100000400, %rax
	TRAPS_ERROR(13, 0, movq %rax, %dr7)
	/* general detect: any access traps, before it happens */
	movl $0x2400, %eax
	movq %rax, %dr7
	TRAPS(1, movq %dr0, %rax)
	END_UNLESS
	movl $0x400, %eax
	movq %rax, %dr7
	PASS

/* Single step over instructions that exit: one trap behind each. */
#define STEP(after, ...) \
	movl $0, trap_count; MOVP $73f, trap_resume; \
	pushfq; orl $0x100, (%rsp); popfq; \
	__VA_ARGS__; \
after: nop; \
73:	EXPECT_EQ(1, trap_count); EXPECT_EQ(1, trap_vector); \
	EXPECT_EQ(after##b, trap_ip); \
	pushfq; andl $~0x100, (%rsp); popfq; \
	movl trap_dr6, %eax; testl $0x4000, %eax; EXPECT(nz); \
	xorl %eax, %eax; movq %rax, %dr6

GUEST(long_step)
	STEP(1, outb %al, $PORT_DEV8)
	STEP(2, inb $PORT_DEV8, %al)
	STEP(3, outb %al, $0x80)
	STEP(4, inb $0x80, %al)
	movl $MSR_PAT, %ecx
	STEP(5, rdmsr)
	STEP(6, wrmsr)
	xorl %eax, %eax
	STEP(7, cpuid)
	movl $1, %ecx
	movl $L_BUF, %esi
	movl $PORT_DEV, %edx
	STEP(8, rep outsb)
	STEP(9, wbinvd)
	PASS

/* The trap comes in the shadow of STI, and ends it. */
GUEST(long_step_sti)
	cli
	STEP(1, sti)
	cli
	PASS

/* A breakpoint on the handler of breakpoints: #DB for ever, on one stack. */
GUEST(long_db_loop)
	movl $SEL_TSS, %eax
	ltr %ax
	movl $long_db_handler, %eax
	movq %rax, %dr0
	movl $0x402, %eax
	movq %rax, %dr7
	.globl long_db_handler
long_db_handler:
	nop
	jmp long_db_handler

/* Code that changes the instruction after the next one, again and again. */
GUEST(long_smc)
	xorl %ebx, %ebx
	movl $100, %ecx
1:	movl %ecx, 2f + 1
	jmp 2f
2:	movl $0, %eax
	addl %eax, %ebx
	loop 1b
	EXPECT_EQ(5050, %ebx)
	/* the same code, from another linear page that is the same frame */
	PTE_CHANGE(PAGE(1), movl $(PAGE(0) + 0x67), (%rbx))
	movl $0x000001b8, PAGE(0)		/* mov $1, %eax */
	movw $0xc300, PAGE(0) + 4
	movl $PAGE(0), %edi
	call *%rdi
	EXPECT_EQ(1, %eax)
	movl $0x000002b8, PAGE(1)
	call *%rdi
	EXPECT_EQ(2, %eax)
	PASS

/*
 * Execute, read and write where no memory is: all ones are no instruction, the
 * others go to VMApp.
 */
GUEST(long_mmio)
	movl $L_MMIO, %ebx
	TRAPS(6, call *%rbx)
	EXPECT_EQ(L_MMIO, trap_ip)
	movabs $0x1122334455667788, %rax
	.globl long_mmio_read, long_mmio_write
long_mmio_read:
	movl 4(%rbx), %ecx
	EXPECT_EQ(0x600dcafe, %ecx)
long_mmio_write:
	movq %rax, 8(%rbx)
	PASS

/* Page tables in memory that is not there. */
GUEST(long_bad_cr3)
	movl $L_MMIO, %eax
	movq %rax, %cr3
	PASS

/* Endless loops, for the tests that stop them from outside. */
GUEST(long_count)
	LET_HOST_IN
1:	incq L_RESULT
	jmp 1b

/* A long computation with its state in every kind of register. */
GUEST(long_compute)
	fninit
	fld1
	movl $1, %eax
	cvtsi2sd %eax, %xmm7
	movsd %xmm7, %xmm6
	xorl %r14d, %r14d
	movabs $6364136223846793005, %r13
	movl $20000, %r12d
1:	imulq %r13, %r14
	addq $1442695040888963407 & 0x7fffffff, %r14
	addsd %xmm6, %xmm7
	fld1
	faddp
	movl %r12d, %eax
	testl $0x3f, %eax
	jnz 2f
	outb %al, $PORT_DEV8
2:	movq %r14, L_SCRATCH(, %r12, 8)
	decl %r12d
	jnz 1b
	movq %r14, L_RESULT
	cvttsd2si %xmm7, %eax
	movl %eax, L_RESULT + 8
	fistpl L_RESULT + 12
	PASS

/* One access, to where the host says: RDI where, RSI what to write or 0. */
GUEST(mem_poke)
	testl %esi, %esi
	jz 1f
	movl %esi, (%rdi)
	jmp 2f
1:	movl (%rdi), %eax
	movl %eax, L_RESULT
2:	PASS

/*
 * Adds one to the first dword of 256 pages at 4 MiB, round after round. Each
 * must have the count of the rounds before; the count is at L_RESULT.
 */
GUEST(mem_stream)
	LET_HOST_IN
	xorl %ebx, %ebx
1:	movl $0x400000, %edi
	movl $256, %ecx
2:	cmpl %ebx, (%rdi)
	EXPECT(e)
	incl (%rdi)
	addl $0x1000, %edi
	decl %ecx
	jnz 2b
	incl %ebx
	movq %rbx, L_RESULT
	jmp 1b

/* A string instruction of the host's choice: RDI or RSI where, RCX bytes. */
GUEST(mem_ins)
	movl $PORT_DEV, %edx
	rep insb
	PASS

GUEST(mem_outs)
	movl $PORT_DEV, %edx
	rep outsb
	PASS

/* What CR2 is. */
GUEST(long_cr2)
	movq %cr2, %rax
	movq %rax, L_RESULT
	PASS
