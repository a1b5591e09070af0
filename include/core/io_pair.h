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
 * struct io_pair - the second access
 * @length: bytes up to its end
 * @port: from DX as it is then
 * @size: 2 or 4
 * @in: IN or OUT
 */
struct io_pair {
	unsigned int length;
	u16 port;
	u8 size;
	bool in;
};

/**
 * io_pair_run() - execute what lies between two accesses
 * @code: what follows the first one; @len bytes can be fetched
 * @gpr: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI; RSP is not used
 * @pair: the access that comes then, and is not done
 *
 * For code of 32 and of 64 bits. Returns false, and changes nothing, if this is
 * no pair.
 */
bool io_pair_run(const u8 *code, unsigned int len, u64 gpr[8], struct io_pair *pair);

#endif
