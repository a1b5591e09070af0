/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a tiny guest is written with. A file sets its mode (.code16, .code32 or
 * .code64) and defines MODE_BITS before it includes this.
 */
#include "../layout.h"

/* The register names of the mode: counts, pointers and the stack pointer. */
#if MODE_BITS == 16
#define CX	%cx
#define SI	%si
#define DI	%di
#define SP	%sp
#define BX	%bx
#define AX	%ax
#define MOVP	movw
#define CMPP	cmpw
#elif MODE_BITS == 32
#define CX	%ecx
#define SI	%esi
#define DI	%edi
#define SP	%esp
#define BX	%ebx
#define AX	%eax
#define MOVP	movl
#define CMPP	cmpl
#else
#define CX	%rcx
#define SI	%rsi
#define DI	%rdi
#define SP	%rsp
#define BX	%rbx
#define AX	%rax
#define MOVP	movq
#define CMPP	cmpq
#endif

/* An entry point that the table of the test program names. */
#define GUEST(name)	.globl name; .p2align 4; name:

#define PASS		xorl %eax, %eax; outl %eax, $PORT_DONE

/* Give up here, with the line's number, unless condition cc holds. */
#define EXPECT(cc) \
	j##cc 78f; movl $__LINE__, %eax; outl %eax, $PORT_DONE; 78:

#define EXPECT_EQ(value, place)	cmpl $(value), place; EXPECT(e)

/* The instruction must raise this exception; the guest goes on behind it. */
#define TRAPS(vector, ...) \
	movl $-1, trap_vector; MOVP $77f, trap_resume; \
	__VA_ARGS__; \
77:	cmpl $(vector), trap_vector; EXPECT(e); MOVP $0, trap_resume

#define TRAPS_ERROR(vector, error, ...) \
	TRAPS(vector, __VA_ARGS__); EXPECT_EQ(error, trap_error)

/* What follows, up to END_UNLESS, is not for a CPU that has one of these flaws. */
#define UNLESS(lacks)	testl $(lacks), cpu_lacks; jnz 76f
#define END_UNLESS	76:

/* For a guest without end: on a CPU that needs it, the host's interrupts may come. */
#define LET_HOST_IN	testl $LACKS_INTR, cpu_lacks; jz 74f; sti; 74:
