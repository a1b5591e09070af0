/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * String I/O, the same for every mode: the includer defines N(name) for the
 * entry points and ES0, the offset at which ES reaches L_BUF. FS does so at 0.
 * The test program has the list of transfers that these must come to
 * (outs_list and ins_list in guests.c).
 */

/* Set up one transfer: all of the pointer and count is defined. */
#define OUTS(start, n, ...) \
	xorl %esi, %esi; xorl %ecx, %ecx; \
	mov $(start), SI; mov $(n), CX; __VA_ARGS__
#define INS(start, n, ...) \
	xorl %edi, %edi; xorl %ecx, %ecx; \
	mov $(ES0 + (start)), DI; mov $(n), CX; __VA_ARGS__
#define AFTER_OUTS(end)		cmp $(end), SI; EXPECT(e); test CX, CX; EXPECT(z)
#define AFTER_INS(end)		cmp $(ES0 + (end)), DI; EXPECT(e); test CX, CX; EXPECT(z)

GUEST(N(outs))
	mov $PORT_DEV, %dx
	OUTS(0, 0, rep outsb %fs:(SI), %dx)
	AFTER_OUTS(0)
	OUTS(0, 1, rep outsb %fs:(SI), %dx)
	AFTER_OUTS(1)
	OUTS(3, 5000, rep outsb %fs:(SI), %dx)
	AFTER_OUTS(5003)
	OUTS(2, 5000, rep outsw %fs:(SI), %dx)
	AFTER_OUTS(10002)
	OUTS(1, 5000, rep outsl %fs:(SI), %dx)
	AFTER_OUTS(20001)
	/* without REP the count is nothing to it */
	OUTS(7, 9, outsb %fs:(SI), %dx)
	cmp $8, SI
	EXPECT(e)
	cmp $9, CX
	EXPECT(e)
	std
	OUTS(0x13, 5, rep outsb %fs:(SI), %dx)
	AFTER_OUTS(0xe)
	OUTS(0x1006, 4, rep outsl %fs:(SI), %dx)
	AFTER_OUTS(0xff6)
	cld
	/* the other address size */
	OUTS(0x2001, 3, .byte 0x67; rep outsw %fs:(SI), %dx)
	AFTER_OUTS(0x2007)
	PASS

GUEST(N(ins))
	mov $PORT_DEV, %dx
	INS(0, 0, rep insb %dx, %es:(DI))
	AFTER_INS(0)
	INS(0, 1, rep insb %dx, %es:(DI))
	AFTER_INS(1)
	INS(0x103, 5000, rep insb %dx, %es:(DI))
	AFTER_INS(0x103 + 5000)
	INS(0x2001, 5000, rep insw %dx, %es:(DI))
	AFTER_INS(0x2001 + 10000)
	INS(0x5003, 5000, rep insl %dx, %es:(DI))
	AFTER_INS(0x5003 + 20000)
	INS(0xa000, 9, insl %dx, %es:(DI))
	cmp $(ES0 + 0xa004), DI
	EXPECT(e)
	cmp $9, CX
	EXPECT(e)
	std
	INS(0xa014, 5, rep insb %dx, %es:(DI))
	AFTER_INS(0xa00f)
	INS(0xb006, 4, rep insl %dx, %es:(DI))
	AFTER_INS(0xaff6)
	cld
	INS(0xc001, 3, .byte 0x67; rep insw %dx, %es:(DI))
	AFTER_INS(0xc007)
	PASS
