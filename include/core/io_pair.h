/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pairs of port accesses: a driver writes a register's number to an address
 * port, and at once, a move or two later, accesses the data port. Whoever
 * handles the first access can execute what lies between, and handle the
 * second one with it.
 *
 * Only what compilers make of such an accessor is known here, and none of it
 * touches memory or flags: LEA with a byte's displacement, MOV and MOVZX
 * between registers, IN and OUT with the port in DX. Everything else is no pair.
 */
#ifndef WS_CORE_IO_PAIR_H
#define WS_CORE_IO_PAIR_H

#include "types.h"

#define IO_PAIR_INSNS	4	/* before the access; more is no pair */
#define IO_PAIR_BYTES	20	/* never more, with the access */

/**
 * struct io_pair_move - one of them: gpr[dst] = (gpr[src] + add) & mask
 */
struct io_pair_move {
	u8 dst, src;
	s8 add;
	u32 mask;
};

/**
 * struct io_pair - what lies between, and the second access
 * @length: bytes up to the access's end
 * @moves: how many of @move
 * @size: 2 or 4
 * @in: IN or OUT
 */
struct io_pair {
	unsigned int length;
	unsigned int moves;
	struct io_pair_move move[IO_PAIR_INSNS];
	u8 size;
	bool in;
};

/**
 * io_pair_decode() - is this a pair?
 * @code: what follows the first access; @len bytes can be fetched
 *
 * For code of 32 and of 64 bits.
 */
bool io_pair_decode(const u8 *code, unsigned int len, struct io_pair *pair);

/**
 * io_pair_run() - execute what lies between; returns the second access's port
 * @gpr: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI; RSP is not used
 */
u16 io_pair_run(const struct io_pair *pair, u64 gpr[8]);

#endif
