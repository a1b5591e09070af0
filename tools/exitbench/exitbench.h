/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exitbench runs the same guest code on more than one hypervisor. A back end
 * makes a machine with one CPU, in 32-bit protected mode without paging, that
 * starts at EXITBENCH_ENTRY with the counter in ESI.
 */
#ifndef EXITBENCH_H
#define EXITBENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXITBENCH_ENTRY		0x1000
#define EXITBENCH_LANCE		0xc000
#define EXITBENCH_NETWORK	"exitbench"	/* that the Lance is attached to */
/* Segment attributes as in a descriptor: present, flat, 4 GiB, DPL 0. */
#define EXITBENCH_CODE32	0x9b
#define EXITBENCH_DATA32	0x93

/**
 * struct hypervisor - a back end
 * @name: as --on has it
 * @latches: port 80h is a latch in the VMM
 * @lance: it has a Lance in the VMM, at EXITBENCH_LANCE
 * @create: a machine on @memory (exitbench_memory bytes, ours) with @counter
 *	in ESI, and with a Lance if @lance. Ends the program, saying why, if that cannot be done.
 * @run: enters the guest and returns at its next port access that comes out
 *	to us, an IN already answered by zero; returns its port. Anything else
 *	ends the program.
 * @exits: from the guest so far, but for those by host interrupts; NULL if nobody counts
 * @destroy: gives everything back
 */
struct hypervisor {
	const char *name;
	bool latches;
	bool lance;
	void (*create)(void *memory, uint32_t counter, bool lance);
	uint16_t (*run)(void);
	uint64_t (*exits)(void);
	void (*destroy)(void);
};

extern size_t exitbench_memory;	/* bytes, from address 0 */

extern const struct hypervisor worldswitch_hypervisor;
extern const struct hypervisor kvm_hypervisor;

/* Prints "exitbench: " and the message; with errno if it is not 0. Exits. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
