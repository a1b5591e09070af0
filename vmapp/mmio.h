/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that touch memory which is not RAM: decoded with Zydis, done
 * here, one at a time. Moves, string moves, exchanges, integer logic and
 * arithmetic, bit tests; what no driver uses on a device (SSE, far transfers,
 * stack operations) is refused.
 */
#ifndef VMAPP_MMIO_H
#define VMAPP_MMIO_H

#include "core/types.h"
#include "uapi/vmdriver.h"

/* The machine around the instruction. */
struct mmio_env {
	/*
	 * A linear address to a guest physical one, for VMDRV_ACCESS_*.
	 * 0; 1: page fault, with its error code in @error; -1: host failure.
	 */
	int (*translate)(void *ctx, u64 gva, u32 access, u64 *gpa, u32 *error);
	/* 1 to 8 bytes of RAM or of a device, not across a page. */
	u64 (*read)(void *ctx, u64 gpa, unsigned int size);
	void (*write)(void *ctx, u64 gpa, unsigned int size, u64 val);
	void *ctx;
};

struct mmio_fault {
	u64 address;	/* for CR2 */
	u32 error;
};

enum mmio_result {
	MMIO_DONE,		/* @regs are those after it (or amid a long REP) */
	MMIO_FAULT,		/* page fault: @regs for its delivery, @fault is set */
	MMIO_UNSUPPORTED,	/* nothing was done */
	MMIO_HOST_ERROR,
};

/**
 * mmio_emulate() - do one instruction
 * @insn: its bytes, @len of them (at most 15; more than its own length is fine)
 * @mode: default operand and address size: 2, 4 or 8 bytes
 *
 * A long REP stops between two iterations with RIP still on the instruction,
 * as for an interrupt.
 */
enum mmio_result mmio_emulate(const struct mmio_env *env, struct vmdrv_regs *regs,
			      const struct vmdrv_sregs *sregs, const u8 *insn, unsigned int len,
			      unsigned int mode, struct mmio_fault *fault);

/* The instruction in assembly language, or its bytes if it is not one. */
void mmio_format(const u8 *insn, unsigned int len, unsigned int mode, u64 rip, char *buf,
		 size_t size);

#endif
