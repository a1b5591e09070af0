// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pairs of port accesses: see core/io_pair.h. Opcodes and operands as in the
 * AMD manual 3, appendix A "Opcode and Operand Encodings".
 */
#include "core/io_pair.h"

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
static unsigned int get_move(const u8 *code, unsigned int len, struct io_pair_move *move)
{
	bool two_bytes = len && code[0] == OP_TWO_BYTES;
	struct modrm m;

	if (len < 3 || (two_bytes && code[1] != OP2_MOVZX16) || !get_modrm(code[1 + two_bytes], &m))
		return 0;
	/* A result of 32 bits clears the upper half of its register. */
	*move = (struct io_pair_move){ .dst = m.reg, .src = m.rm, .mask = 0xffffffff };
	if (code[0] == OP_LEA && m.mod == MOD_BYTE) {
		move->add = code[2];
		return 3;
	}
	if (m.mod != MOD_REGISTER)
		return 0;
	if (two_bytes) {
		move->mask = 0xffff;
		return 3;
	}
	if (code[0] == OP_MOV_TO_RM) {
		move->dst = m.rm;
		move->src = m.reg;
		return 2;
	}
	return code[0] == OP_MOV_FROM_RM ? 2 : 0;
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

bool io_pair_decode(const u8 *code, unsigned int len, struct io_pair *pair)
{
	unsigned int at = 0, step;

	for (pair->moves = 0; ; pair->moves++, at += step) {
		step = access(code + at, len - at, pair);
		if (step) {
			pair->length = at + step;
			return true;
		}
		if (pair->moves == IO_PAIR_INSNS)
			return false;
		step = get_move(code + at, len - at, &pair->move[pair->moves]);
		if (!step)
			return false;
	}
}

u16 io_pair_run(const struct io_pair *pair, u64 gpr[8])
{
	const struct io_pair_move *move;

	for (move = pair->move; move < pair->move + pair->moves; move++)
		gpr[move->dst] = (gpr[move->src] + move->add) & move->mask;
	return gpr[RDX];
}
