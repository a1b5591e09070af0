// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator of instructions on device memory, held against the CPU that the
 * test runs on: each encoding is executed both ways from the same random state,
 * and registers, flags and memory must agree. Faults, other modes and refusals
 * have cases of their own.
 */
#include "unit.h"

#include <sys/mman.h>

#include "core/types.h"
#include "vmapp/mmio.h"

#define BUF_SIZE	8192
#define MIDDLE		4096

#define FLAGS_CF	0x001
#define FLAGS_AF	0x010
#define FLAGS_DF	0x400
#define FLAGS_ARITH	0x8d5

static u8 *buf;			/* BUF_SIZE, where both executions work */
static u8 *code;		/* one executable page */
static u64 fault_at = ~0ull;	/* linear addresses from here on fault */
static unsigned int n_reads, n_writes;

static int translate(void *ctx, u64 gva, u32 access, u64 *gpa, u32 *error)
{
	if (gva >= fault_at) {
		*error = access;
		return 1;
	}
	*gpa = gva;
	return 0;
}

static u64 mem_read(void *ctx, u64 gpa, unsigned int size)
{
	u64 val = 0;

	n_reads++;
	assert_true(gpa >= (uintptr_t)buf && gpa + size <= (uintptr_t)buf + BUF_SIZE);
	assert_true((gpa & 4095) + size <= 4096);
	memcpy(&val, (void *)(uintptr_t)gpa, size);
	return val;
}

static void mem_write(void *ctx, u64 gpa, unsigned int size, u64 val)
{
	n_writes++;
	assert_true(gpa >= (uintptr_t)buf && gpa + size <= (uintptr_t)buf + BUF_SIZE);
	assert_true((gpa & 4095) + size <= 4096);
	memcpy((void *)(uintptr_t)gpa, &val, size);
}

static const struct mmio_env env = { translate, mem_read, mem_write, NULL };

/* Load all registers but RSP, call @code, store them again. */
void run_native(struct vmdrv_regs *regs, const void *code);
__asm__(
	".text\n"
	".globl run_native\n"
	"run_native:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	push %rdi\n"
	"	push %rsi\n"
	"	push 0x88(%rdi)\n"
	"	popfq\n"
	"	mov 0x00(%rdi), %rax; mov 0x08(%rdi), %rcx; mov 0x10(%rdi), %rdx\n"
	"	mov 0x18(%rdi), %rbx; mov 0x28(%rdi), %rbp; mov 0x30(%rdi), %rsi\n"
	"	mov 0x40(%rdi), %r8; mov 0x48(%rdi), %r9; mov 0x50(%rdi), %r10\n"
	"	mov 0x58(%rdi), %r11; mov 0x60(%rdi), %r12; mov 0x68(%rdi), %r13\n"
	"	mov 0x70(%rdi), %r14; mov 0x78(%rdi), %r15; mov 0x38(%rdi), %rdi\n"
	"	call *(%rsp)\n"
	"	xchg %rdi, 8(%rsp)\n"
	"	mov %rax, 0x00(%rdi); mov %rcx, 0x08(%rdi); mov %rdx, 0x10(%rdi)\n"
	"	mov %rbx, 0x18(%rdi); mov %rbp, 0x28(%rdi); mov %rsi, 0x30(%rdi)\n"
	"	mov %r8, 0x40(%rdi); mov %r9, 0x48(%rdi); mov %r10, 0x50(%rdi)\n"
	"	mov %r11, 0x58(%rdi); mov %r12, 0x60(%rdi); mov %r13, 0x68(%rdi)\n"
	"	mov %r14, 0x70(%rdi); mov %r15, 0x78(%rdi)\n"
	"	pushfq\n"
	"	pop 0x88(%rdi)\n"
	"	cld\n"
	"	pop %rsi\n"
	"	pop 0x38(%rdi)\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n"
);

static uint64_t seed = 7;

static u64 random64(void)
{
	u64 v = (u64)unit_random(&seed) << 32 | unit_random(&seed);

	/* Carries and signs show at the edges. */
	switch (unit_random(&seed) % 8) {
	case 0:
		return 0;
	case 1:
		return ~0ull;
	case 2:
		return 0x8000000080008080;
	case 3:
		return 0x7fffffff7fff7f7f;
	case 4:
		return v & 0xff;
	default:
		return v;
	}
}

/* A state in which RDI and RSI point into the buffer and RCX is a short count. */
static void random_state(struct vmdrv_regs *r)
{
	__u64 *gpr = &r->rax;

	for (unsigned int i = 0; i < 16; i++)
		gpr[i] = random64();
	r->rdi = (uintptr_t)buf + MIDDLE + unit_random(&seed) % 256 - 128;
	r->rsi = (uintptr_t)buf + MIDDLE + unit_random(&seed) % 256 - 128;
	r->rcx = unit_random(&seed) % 20;
	r->rflags = 0x202 | (unit_random(&seed) & FLAGS_ARITH);
	for (unsigned int i = MIDDLE - 512; i < MIDDLE + 512; i++)
		buf[i] = (u8)unit_random(&seed);
	if (unit_random(&seed) & 1)	/* so that comparisons find equals, too */
		memset(buf + MIDDLE - 512, (int)r->rax & 0xff, 1024);
}

static char *hex(const u8 *insn, unsigned int len)
{
	static char text[64];

	for (unsigned int i = 0; i < len; i++)
		sprintf(text + 3 * i, "%02x ", insn[i]);
	return text;
}

/* Both ways; flags in @undefined may differ. */
static void compare(const u8 *insn, unsigned int len, u64 undefined, struct vmdrv_regs start)
{
	static u8 before[BUF_SIZE], native_buf[BUF_SIZE];
	static const struct vmdrv_sregs sregs = { .ss.attrib = 0xf3 };
	struct vmdrv_regs native = start, emulated = start;
	struct mmio_fault fault;

	memcpy(before, buf, BUF_SIZE);
	memcpy(code, insn, len);
	code[len] = 0xc3;
	run_native(&native, code);
	memcpy(native_buf, buf, BUF_SIZE);
	memcpy(buf, before, BUF_SIZE);

	if (mmio_emulate(&env, &emulated, &sregs, insn, len, 8, &fault) != MMIO_DONE)
		fail_msg("%s: not emulated", hex(insn, len));
	native.rip = start.rip + len;
	native.rsp = start.rsp;
	native.rflags &= ~undefined & ~0x10000ull;	/* RF is not ours */
	emulated.rflags &= ~undefined;
	if (memcmp(&native, &emulated, sizeof(native))) {
		for (unsigned int i = 0; i < 18; i++)
			if ((&native.rax)[i] != (&emulated.rax)[i])
				print_error("register %u: CPU %llx, emulated %llx, before %llx\n", i,
					    (&native.rax)[i], (&emulated.rax)[i],
					    (&start.rax)[i]);
		fail_msg("%s: registers differ", hex(insn, len));
	}
	if (memcmp(native_buf, buf, BUF_SIZE))
		fail_msg("%s: memory differs", hex(insn, len));
}

/* Prefix, opcode, ModRM [rdi+disp8] with a register or an extension, immediate. */
struct form {
	u8 opcode[2];		/* the second is used after 0Fh */
	int ext;		/* of ModRM; -1: any register */
	u8 imm;			/* bytes; 4 becomes 2 with 66h */
	bool bytes_only;	/* no operand size prefix makes sense */
	u64 undefined;		/* flags */
};

#define LOGIC	FLAGS_AF
#define BITS	(FLAGS_ARITH & ~FLAGS_CF)

static const struct form forms[] = {
	{ { 0x88 }, -1, 0, true, 0 }, { { 0x89 }, -1, 0, false, 0 },	/* MOV */
	{ { 0x8a }, -1, 0, true, 0 }, { { 0x8b }, -1, 0, false, 0 },
	{ { 0xc6 }, 0, 1, true, 0 }, { { 0xc7 }, 0, 4, false, 0 },
	{ { 0x84 }, -1, 0, true, LOGIC }, { { 0x85 }, -1, 0, false, LOGIC },	/* TEST */
	{ { 0xf6 }, 0, 1, true, LOGIC }, { { 0xf7 }, 0, 4, false, LOGIC },
	{ { 0xf6 }, 2, 0, true, 0 }, { { 0xf7 }, 2, 0, false, 0 },	/* NOT */
	{ { 0xf6 }, 3, 0, true, 0 }, { { 0xf7 }, 3, 0, false, 0 },	/* NEG */
	{ { 0xfe }, 0, 0, true, 0 }, { { 0xff }, 0, 0, false, 0 },	/* INC */
	{ { 0xfe }, 1, 0, true, 0 }, { { 0xff }, 1, 0, false, 0 },	/* DEC */
	{ { 0x86 }, -1, 0, true, 0 }, { { 0x87 }, -1, 0, false, 0 },	/* XCHG */
	{ { 0x0f, 0xb6 }, -1, 0, false, 0 }, { { 0x0f, 0xb7 }, -1, 0, false, 0 },
	{ { 0x0f, 0xbe }, -1, 0, false, 0 }, { { 0x0f, 0xbf }, -1, 0, false, 0 },
	{ { 0x63 }, -1, 0, false, 0 },					/* MOVSXD */
	{ { 0x0f, 0xb0 }, -1, 0, true, 0 }, { { 0x0f, 0xb1 }, -1, 0, false, 0 },
	{ { 0x0f, 0xc0 }, -1, 0, true, 0 }, { { 0x0f, 0xc1 }, -1, 0, false, 0 },
	{ { 0x0f, 0xba }, 4, 1, false, BITS }, { { 0x0f, 0xba }, 5, 1, false, BITS },
	{ { 0x0f, 0xba }, 6, 1, false, BITS }, { { 0x0f, 0xba }, 7, 1, false, BITS },
};

static void try_form(const struct form *f, unsigned int size)
{
	u8 insn[15], imm = f->imm;
	unsigned int n = 0, reg = f->ext < 0 ? unit_random(&seed) % 8 : (unsigned int)f->ext;
	struct vmdrv_regs r;

	/* 0: plain; 1: 66h; 2: REX.W; 3: REX.R, which also makes SPL and friends. */
	if (size == 1)
		insn[n++] = 0x66;
	else if (size == 2)
		insn[n++] = 0x48;
	else if (size == 3)
		insn[n++] = f->ext < 0 ? 0x44 : 0x40;
	if (f->ext < 0 && reg == 4 && size != 3)
		reg = 6;		/* RSP is the test's own; AH is covered below */
	insn[n++] = f->opcode[0];
	if (f->opcode[0] == 0x0f)
		insn[n++] = f->opcode[1];
	insn[n++] = (u8)(0x47 | reg << 3);
	insn[n++] = (u8)unit_random(&seed);
	if (imm == 4 && size == 1)
		imm = 2;
	while (imm--)
		insn[n++] = (u8)unit_random(&seed);
	random_state(&r);
	compare(insn, n, f->undefined, r);
}

static void test_forms(void **state)
{
	for (unsigned int i = 0; i < WS_ARRAY_SIZE(forms); i++)
		for (unsigned int n = 0; n < 4000; n++) {
			unsigned int size = n % 4;

			if (forms[i].bytes_only && size == 1)
				size = 0;
			try_form(&forms[i], size);
		}
}

/* The eight operations of 00h-3Bh and of 80h, 81h, 83h. */
static void test_alu(void **state)
{
	for (unsigned int op = 0; op < 8; op++) {
		u64 undefined = op == 1 || op == 4 || op == 6 ? LOGIC : 0;
		const struct form table[] = {
			{ { (u8)(op * 8) }, -1, 0, true, undefined },
			{ { (u8)(op * 8 + 1) }, -1, 0, false, undefined },
			{ { (u8)(op * 8 + 2) }, -1, 0, true, undefined },
			{ { (u8)(op * 8 + 3) }, -1, 0, false, undefined },
			{ { 0x80 }, (int)op, 1, true, undefined },
			{ { 0x81 }, (int)op, 4, false, undefined },
			{ { 0x83 }, (int)op, 1, false, undefined },
		};

		for (unsigned int i = 0; i < WS_ARRAY_SIZE(table); i++)
			for (unsigned int n = 0; n < 2000; n++)
				try_form(&table[i], table[i].bytes_only && n % 4 == 1 ? 0 : n % 4);
	}
}

/* AH to BH, all addressing forms, absolute addresses. */
static void test_operands(void **state)
{
	struct vmdrv_regs r;
	u8 insn[15];

	for (unsigned int n = 0; n < 2000; n++) {
		/* mov [rdi], ah..bh; mov ah..bh, [rdi]; add ah..bh, [rdi] */
		static const u8 op[] = { 0x88, 0x8a, 0x02, 0x00, 0x86 };

		random_state(&r);
		insn[0] = op[n % 5];
		insn[1] = (u8)(0x07 | (4 + unit_random(&seed) % 4) << 3);
		compare(insn, 2, 0, r);
		/* mov eax, [rdi+rcx*8+disp32], with the index sometimes negative */
		random_state(&r);
		if (n & 1)
			r.rcx = -r.rcx;
		memcpy(insn, "\x8b\x84\xcf\x10\x00\x00\x00", 7);
		compare(insn, 7, 0, r);
		/* the same with a 32-bit operand into r8 by rsi alone */
		memcpy(insn, "\x44\x8b\x06", 3);
		compare(insn, 3, 0, r);
		/* movabs al/eax/rax */
		random_state(&r);
		insn[0] = 0x48;
		insn[1] = (u8)(0xa0 + n % 4);
		memcpy(insn + 2, &r.rdi, 8);
		compare(insn, 10, 0, r);
		/* movnti */
		memcpy(insn, "\x48\x0f\xc3\x07", 4);
		compare(insn, 4, 0, r);
	}
}

/* With the number in a register, memory is a bit string to either side. */
static void test_bit_strings(void **state)
{
	static const u8 op[] = { 0xa3, 0xab, 0xb3, 0xbb };
	struct vmdrv_regs r;

	for (unsigned int n = 0; n < 8000; n++) {
		u8 insn[5] = { 0x48, 0x0f, op[n % 4], 0x07 };
		int bit = (int)(unit_random(&seed) % 2000) - 1000;

		random_state(&r);
		r.rax = (u64)(s64)bit;
		if (n & 4) {
			compare(insn, 4, BITS, r);
		} else if (n & 8) {
			r.rax = (r.rax & 0xffff) | 0xabcd0000;
			insn[0] = 0x66;
			compare(insn, 4, BITS, r);
		} else {
			r.rax = (u32)r.rax;
			compare(insn + 1, 3, BITS, r);
		}
	}
}

static void test_strings(void **state)
{
	static const u8 op[] = { 0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad, 0xa6, 0xa7, 0xae, 0xaf };
	static const u8 rep[] = { 0, 0xf3, 0xf2 };
	struct vmdrv_regs r;

	for (unsigned int n = 0; n < 40000; n++) {
		u8 opcode = op[unit_random(&seed) % sizeof(op)];
		bool compares = (opcode & 0xf6) == 0xa6;
		u8 prefix = rep[unit_random(&seed) % (compares ? 3 : 2)];
		unsigned int len = 0, size = unit_random(&seed) % 3;
		u8 insn[8];

		if (prefix)
			insn[len++] = prefix;
		if (size == 1)
			insn[len++] = 0x66;
		else if (size == 2)
			insn[len++] = 0x48;
		insn[len++] = opcode;
		random_state(&r);
		if (unit_random(&seed) & 1)
			r.rflags |= FLAGS_DF;
		compare(insn, len, 0, r);
	}
}

static void test_faults(void **state)
{
	static const struct vmdrv_sregs user = { .ss.attrib = 0xf3 };
	static const struct vmdrv_sregs kernel = { .ss.attrib = 0x93 };
	struct vmdrv_regs r = { .rdi = (uintptr_t)buf + 4094, .rax = 0x11223344, .rip = 0x1000 };
	struct vmdrv_regs before = r;
	struct mmio_fault f;

	fault_at = (uintptr_t)buf + 4096;
	n_reads = 0;
	n_writes = 0;
	/* mov [rdi], eax over the boundary: nothing may be written. */
	assert_int_equal(mmio_emulate(&env, &r, &user, (const u8 *)"\x89\x07", 2, 8, &f), MMIO_FAULT);
	assert_int_equal(n_writes, 0);
	assert_true(f.address == fault_at);
	assert_int_equal(f.error, VMDRV_ACCESS_WRITE | VMDRV_ACCESS_USER);
	assert_memory_equal(&r, &before, sizeof(r));
	/* add [rdi], eax: not even read. */
	assert_int_equal(mmio_emulate(&env, &r, &kernel, (const u8 *)"\x01\x07", 2, 8, &f),
			 MMIO_FAULT);
	assert_int_equal(n_reads, 0);
	assert_int_equal(f.error, VMDRV_ACCESS_WRITE);
	/* rep stosb: what fits is done, and the registers say so. */
	r.rcx = 10;
	assert_int_equal(mmio_emulate(&env, &r, &kernel, (const u8 *)"\xf3\xaa", 2, 8, &f),
			 MMIO_FAULT);
	assert_int_equal(n_writes, 2);
	assert_int_equal(r.rcx, 8);
	assert_true(r.rdi == fault_at);
	assert_int_equal(r.rip, 0x1000);
	fault_at = ~0ull;
}

static void test_long_rep(void **state)
{
	static const struct vmdrv_sregs sregs;
	struct vmdrv_regs r = { .rdi = (uintptr_t)buf, .rcx = 5000, .rip = 0x1000 };
	struct mmio_fault f;

	assert_int_equal(mmio_emulate(&env, &r, &sregs, (const u8 *)"\xf3\xaa", 2, 8, &f),
			 MMIO_DONE);
	assert_int_equal(r.rip, 0x1000);
	assert_int_equal(r.rcx, 5000 - 4096);
	assert_int_equal(mmio_emulate(&env, &r, &sregs, (const u8 *)"\xf3\xaa", 2, 8, &f),
			 MMIO_DONE);
	assert_int_equal(r.rip, 0x1002);
	assert_int_equal(r.rcx, 0);
	assert_true(r.rdi == (uintptr_t)buf + 5000);
}

/* Segments and narrow addresses: bases lead the small offsets into the buffer. */
static void test_other_modes(void **state)
{
	struct vmdrv_sregs s = {
		.ds = { .base = (u32)(uintptr_t)buf, .selector = 0x1234 },
		.es = { .base = (u32)(uintptr_t)buf + 0x100 },
		.fs = { .base = (uintptr_t)buf + 0x200 },
	};
	struct vmdrv_regs r = { .rbx = 0xabcd0010, .rsi = 0xffff0020, .rcx = 0x10002,
				.rdi = 0x30, .rax = 0xdeadbeef, .rip = 0x10fffe };
	struct mmio_fault f;

	memset(buf, 0, BUF_SIZE);
	/* 16 bits: mov [bx+si+2], ax */
	assert_int_equal(mmio_emulate(&env, &r, &s, (const u8 *)"\x89\x40\x02", 3, 2, &f), MMIO_DONE);
	assert_memory_equal(buf + 0x32, "\xef\xbe\0", 3);
	assert_int_equal(r.rip, 0x110001);
	/* mov [si], ds */
	assert_int_equal(mmio_emulate(&env, &r, &s, (const u8 *)"\x8c\x1c", 2, 2, &f), MMIO_DONE);
	assert_memory_equal(buf + 0x20, "\x34\x12", 2);
	/* rep movsb: CX, SI, DI wrap at 16 bits, upper halves stay */
	assert_int_equal(mmio_emulate(&env, &r, &s, (const u8 *)"\xf3\xa4", 2, 2, &f), MMIO_DONE);
	assert_memory_equal(buf + 0x130, "\x34\x12", 2);
	assert_int_equal(r.rcx, 0x10000);
	assert_int_equal(r.rsi, 0xffff0022);
	assert_int_equal(r.rdi, 0x32);
	/* 32 bits: mov [edi], eax; and with a 16-bit operand */
	assert_int_equal(mmio_emulate(&env, &r, &s, (const u8 *)"\x89\x07", 2, 4, &f), MMIO_DONE);
	assert_memory_equal(buf + 0x32, "\xef\xbe\xad\xde", 4);
	/* 64 bits: DS has no base, FS has */
	r.rdi = 0x40;
	assert_int_equal(mmio_emulate(&env, &r, &s, (const u8 *)"\x64\x89\x07", 3, 8, &f), MMIO_DONE);
	assert_memory_equal(buf + 0x240, "\xef\xbe\xad\xde", 4);
	/* RIP-relative, 32-bit addresses */
	r.rip = (uintptr_t)buf;
	assert_int_equal(mmio_emulate(&env, &r, &s, (const u8 *)"\x8a\x05\x3b\x02\x00\x00", 6, 8, &f),
			 MMIO_DONE);
	assert_int_equal(r.rax & 0xff, 0xbe);
}

static void test_refuses(void **state)
{
	static const char *const insns[] = {
		"\x0f\x29\x07",		/* movaps [rdi], xmm0 */
		"\xff\x37",		/* push [rdi] */
		"\xff\x27",		/* jmp [rdi] */
		"\x8e\x1f",		/* mov ds, [rdi] */
		"\xf2\x0f\x10\x07",	/* movsd xmm0, [rdi]: not the string instruction */
		"\x0f\x0b",		/* ud2 */
	};
	static const struct vmdrv_sregs sregs;
	struct mmio_fault f;
	char text[64];

	for (unsigned int i = 0; i < WS_ARRAY_SIZE(insns); i++) {
		struct vmdrv_regs r = { .rdi = (uintptr_t)buf }, before = r;

		assert_int_equal(mmio_emulate(&env, &r, &sregs, (const u8 *)insns[i],
					      (unsigned int)strlen(insns[i]), 8, &f),
				 MMIO_UNSUPPORTED);
		assert_memory_equal(&r, &before, sizeof(r));
	}
	mmio_format((const u8 *)insns[1], 2, 8, 0, text, sizeof(text));
	assert_string_equal(text, "push [rdi]");
	mmio_format((const u8 *)"\x89", 1, 8, 0, text, sizeof(text));
	assert_string_equal(text, "bytes 89");
	mmio_format(NULL, 0, 8, 0, text, sizeof(text));
	assert_string_equal(text, "an instruction that cannot be read");
}

/* Any bytes in any mode: decoded or not, never out of bounds. */
static int translate_into(void *ctx, u64 gva, u32 access, u64 *gpa, u32 *error)
{
	*gpa = (uintptr_t)buf + (gva & 4095);
	*error = access;
	return unit_random(&seed) % 16 == 0;
}

static void test_fuzz(void **state)
{
	static const unsigned int modes[] = { 2, 4, 8 };
	static const struct mmio_env into = { translate_into, mem_read, mem_write, NULL };
	static const struct vmdrv_sregs sregs;
	struct mmio_fault f;
	char text[32];

	for (unsigned int i = 0; i < 300000; i++) {
		unsigned int len = unit_random(&seed) % 16, mode = modes[i % 3];
		struct vmdrv_regs r;
		u8 *insn = malloc(len ? len : 1);

		for (unsigned int n = 0; n < len; n++)
			insn[n] = (u8)unit_random(&seed);
		random_state(&r);
		mmio_emulate(&into, &r, &sregs, insn, len, mode, &f);
		mmio_format(insn, len, mode, r.rip, text, sizeof(text));
		free(insn);
	}
}

static int setup(void **state)
{
	buf = mmap(NULL, BUF_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	return buf == MAP_FAILED || code == MAP_FAILED ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_alu),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_bit_strings),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_long_rep),
		cmocka_unit_test(test_other_modes),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_fuzz),
	};

	return cmocka_run_group_tests_name("mmio", tests, setup, NULL);
}
