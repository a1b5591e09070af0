// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pairs of port accesses: see core/io_pair.h. Opcodes and operands as in the
 * AMD manual 3, appendix A "Opcode and Operand Encodings".
 */
#include "core/io_pair.h"

#define RAX	0
#define RDX	2
#define RSP	4

#define OP_SIZE		0x66
#define OP_TWO_BYTES	0x0f
#define OP_MOV_TO_RM	0x89
#define OP_MOV_FROM_RM	0x8b
#define OP_LEA		0x8d
#define OP_IN		0xed
#define OP_OUT		0xef
#define OP2_MOVZX16	0xb7

#define MOD_BYTE	1	/* memory at a register and a byte */
#define MOD_REGISTER	3

struct modrm {
	unsigned int mod, reg, rm;
};

/* False if it names RSP, or wants a SIB byte. */
static bool get_modrm(u8 byte, struct modrm *m)
{
	m->mod = byte >> 6;
	m->reg = byte >> 3 & 7;
	m->rm = byte & 7;
	return m->reg != RSP && m->rm != RSP;
}

/* One move between registers. Returns its length, or 0 if it is something else. */
static unsigned int move(const u8 *code, unsigned int len, u64 gpr[8])
{
	struct modrm m;

	if (len < 3)
		return 0;
	if (code[0] == OP_TWO_BYTES) {
		if (code[1] != OP2_MOVZX16 || !get_modrm(code[2], &m) || m.mod != MOD_REGISTER)
			return 0;
		gpr[m.reg] = gpr[m.rm] & 0xffff;
		return 3;
	}
	if (!get_modrm(code[1], &m))
		return 0;
	/* A result of 32 bits clears the upper half of its register. */
	if (code[0] == OP_LEA && m.mod == MOD_BYTE) {
		gpr[m.reg] = (u32)gpr[m.rm] + (u32)(s8)code[2];
		gpr[m.reg] &= 0xffffffff;
		return 3;
	}
	if (m.mod != MOD_REGISTER)
		return 0;
	if (code[0] == OP_MOV_TO_RM)
		gpr[m.rm] = (u32)gpr[m.reg];
	else if (code[0] == OP_MOV_FROM_RM)
		gpr[m.reg] = (u32)gpr[m.rm];
	else
		return 0;
	return 2;
}

/* The access itself. Returns its length, or 0. */
static unsigned int access(const u8 *code, unsigned int len, struct io_pair *pair)
{
	unsigned int prefix = len && code[0] == OP_SIZE;

	if (prefix >= len || (code[prefix] != OP_IN && code[prefix] != OP_OUT))
		return 0;
	pair->size = prefix ? 2 : 4;
	pair->in = code[prefix] == OP_IN;
	return prefix + 1;
}

bool io_pair_run(const u8 *code, unsigned int len, u64 gpr[8], struct io_pair *pair)
{
	unsigned int at = 0, n, i, step;
	u64 work[8];

	for (i = 0; i < 8; i++)
		work[i] = gpr[i];
	for (n = 0; n <= IO_PAIR_INSNS; n++, at += step) {
		step = access(code + at, len - at, pair);
		if (step) {
			pair->length = at + step;
			pair->port = work[RDX];
			for (i = 0; i < 8; i++)
				gpr[i] = work[i];
			return true;
		}
		step = move(code + at, len - at, work);
		if (!step)
			return false;
	}
	return false;
}
