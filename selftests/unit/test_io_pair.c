// SPDX-License-Identifier: GPL-2.0-only
/* Pairs of port accesses: what is one, what is none, and what lies between. */
#include <string.h>

#include "unit.h"

#include "core/io_pair.h"

enum { AX, CX, DX, BX, SP, BP, SI, DI };

static const u64 before[8] = {
	0x1111111111111110, 0x2222222222222228, 0x333333333333c012, 0x4444444444444444,
	0x5555555555555555, 0x6666666666666666, 0x7777777777777777, 0x888888888888c000,
};

struct known {
	const char *what;
	const char *code;
	unsigned int len;
	struct { unsigned int length; u16 port; u8 size; bool in; } pair;
	int reg;		/* changes to value, beside RDX */
	u64 value;
};

#define CODE(_text) _text, sizeof(_text) - 1

/* As Debian's compilers have made them of pcnet32, and close relatives. */
static const struct known knowns[] = {
	{ "lea 0x10(%rdi),%edx; in (%dx),%ax", CODE("\x8d\x57\x10\x66\xed"),
	  { 5, 0xc010, 2, true }, SP, 0x5555555555555555 },
	{ "lea 0x10(%rdi),%edx; mov %ecx,%eax; out %ax,(%dx)",
	  CODE("\x8d\x57\x10\x89\xc8\x66\xef"), { 7, 0xc010, 2, false }, AX, 0x22222228 },
	{ "the same with the other MOV", CODE("\x8d\x57\x10\x8b\xc1\x66\xef"),
	  { 7, 0xc010, 2, false }, AX, 0x22222228 },
	{ "movzwl %cx,%eax; lea 0x10(%rdi),%edx; out %eax,(%dx)",
	  CODE("\x0f\xb7\xc1\x8d\x57\x10\xef"), { 7, 0xc010, 4, false }, AX, 0x2228 },
	{ "lea -0x2(%rdx),%edx; in (%dx),%eax", CODE("\x8d\x52\xfe\xed"),
	  { 4, 0xc010, 4, true }, SP, 0x5555555555555555 },
	{ "nothing between", CODE("\xed"), { 1, 0xc012, 4, true }, SP, 0x5555555555555555 },
	{ "four moves", CODE("\x89\xc3\x89\xd9\x89\xc8\x8d\x57\x10\xef"),
	  { 10, 0xc010, 4, false }, BX, 0x11111110 },
};

/* As the VMM does it: decoded once, run each time. */
static bool run(const void *code, unsigned int len, u64 gpr[8], struct io_pair *pair, u16 *port)
{
	if (!io_pair_decode(code, len, pair))
		return false;
	*port = io_pair_run(pair, gpr);
	return true;
}

static void test_known(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < WS_ARRAY_SIZE(knowns); i++) {
		const struct known *k = &knowns[i];
		struct io_pair pair = { 0 };
		u64 gpr[8];
		u16 port;

		/* Cut short, it is none, and nothing has changed. */
		for (unsigned int len = 0; len < k->len; len++) {
			memcpy(gpr, before, sizeof(gpr));
			if (run(k->code, len, gpr, &pair, &port))
				fail_msg("%s: %u bytes", k->what, len);
			assert_memory_equal(gpr, before, sizeof(gpr));
		}
		if (!run(k->code, k->len, gpr, &pair, &port))
			fail_msg("%s", k->what);
		assert_int_equal(pair.length, k->pair.length);
		assert_int_equal(port, k->pair.port);
		assert_int_equal(pair.size, k->pair.size);
		assert_int_equal(pair.in, k->pair.in);
		assert_true(gpr[k->reg] == k->value);
		for (int r = 0; r < 8; r++)
			if (r != k->reg && r != DX && !(k->reg == BX && (r == CX || r == AX)))
				assert_true(gpr[r] == before[r]);
	}
}

static void test_unknown(void **state)
{
	static const struct { const char *what, *code; unsigned int len; } none[] = {
		{ "sub $2,%edx, which changes flags", CODE("\x83\xea\x02\x66\xef") },
		{ "mov (%rdi),%eax, which reads memory", CODE("\x8b\x07\xef") },
		{ "lea without a byte", CODE("\x8d\x17\xef") },
		{ "lea with SIB", CODE("\x8d\x54\x24\x10\xef") },
		{ "into the stack pointer", CODE("\x89\xc4\xef") },
		{ "out of the stack pointer", CODE("\x89\xe0\xef") },
		{ "REX", CODE("\x48\x8d\x57\x10\xef") },
		{ "mov %cx,%ax", CODE("\x66\x89\xc8\xef") },
		{ "movzbl", CODE("\x0f\xb6\xc1\xef") },
		{ "outb", CODE("\xee") },
		{ "out to a fixed port", CODE("\xe7\x10") },
		{ "rep outs", CODE("\xf3\x6f") },
		{ "ret", CODE("\xc3\xef") },
		{ "five moves", CODE("\x89\xc3\x89\xd9\x89\xc8\x89\xc8\x8d\x57\x10\xef") },
	};

	(void)state;
	for (unsigned int i = 0; i < WS_ARRAY_SIZE(none); i++) {
		struct io_pair pair;

		if (io_pair_decode((const u8 *)none[i].code, none[i].len, &pair))
			fail_msg("%s", none[i].what);
	}
}

/* Whatever the bytes: within their number, and never the stack pointer. */
static void test_any(void **state)
{
	u32 seed = 1, found = 0;

	(void)state;
	for (unsigned int i = 0; i < 2000000; i++) {
		static const u8 likely[] = { 0x66, 0x0f, 0x89, 0x8b, 0x8d, 0xed, 0xef, 0xb7,
					     0x57, 0x10, 0xc8, 0xc1 };
		u8 code[IO_PAIR_BYTES];
		struct io_pair pair;
		unsigned int len = 0;
		u64 gpr[8];
		u16 port;

		for (unsigned int j = 0; j < sizeof(code); j++) {
			seed = seed * 1103515245 + 12345;
			code[j] = seed & 0x400000 ? (u8)(seed >> 24) :
						    likely[(seed >> 16) % sizeof(likely)];
			len = (seed >> 8) % (sizeof(code) + 1);
		}
		memcpy(gpr, before, sizeof(gpr));
		if (!run(code, len, gpr, &pair, &port)) {
			assert_memory_equal(gpr, before, sizeof(gpr));
			continue;
		}
		found++;
		assert_true(pair.length <= len && pair.length > 0);
		assert_true(pair.size == 2 || pair.size == 4);
		assert_true(gpr[SP] == before[SP]);
	}
	assert_true(found > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_any),
	};

	return cmocka_run_group_tests_name("io_pair", tests, NULL, NULL);
}
