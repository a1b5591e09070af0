/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest RAM: one anonymous mapping, seen by the guest as
 *	0 - 9FFFFh			conventional memory
 *	C0000h - FFFFFh			RAM in place of ROM; firmware tables at F0000h
 *	100000h - at most BFFFFFFFh
 *	100000000h and up		what does not fit below 3 GiB
 * A0000h-BFFFFh is left to a display adapter, 3 GiB to 4 GiB to PCI.
 */
#ifndef VMAPP_MEM_H
#define VMAPP_MEM_H

#include "core/types.h"
#include "error.h"
#include "uapi/vmdriver.h"

#define MIB		(1ull << 20)
#define MEM_VIDEO	0xa0000ull	/* end of conventional memory */
#define MEM_ROM		0xc0000ull
#define MEM_BIOS	0xf0000ull	/* where an OS looks for firmware tables */
#define MEM_HIGH	0x100000ull
#define MEM_LOW_MAX	0xc0000000ull	/* the PCI window starts here */
#define MEM_ABOVE_4G	0x100000000ull
#define MEM_SLOTS	3

struct guest_mem {
	u8 *base;	/* 2 MiB aligned, as the host's huge pages are */
	u64 size;	/* bytes */
};

/**
 * mem_create() - map the guest's memory
 * @mib: its size in MiB, at least 4
 *
 * Refuses more than the host has. Nothing is touched: the host gives a page
 * when the guest first uses it. Returns 0, or -1 with @err set.
 */
int mem_create(struct guest_mem *m, unsigned long mib, struct error *err);
void mem_destroy(struct guest_mem *m);

/* All zero again, and the pages back to the host. */
void mem_clear(struct guest_mem *m);

/* Describe the slots for VMDRV_SET_MEMORY; returns how many of MEM_SLOTS there are. */
unsigned int mem_slots(const struct guest_mem *m, struct vmdrv_memory slot[MEM_SLOTS]);

/* End of the RAM below 4 GiB. */
u64 mem_low_top(const struct guest_mem *m);
/* Bytes of RAM from 4 GiB on. */
u64 mem_high_size(const struct guest_mem *m);

/* @len bytes of RAM at @gpa, or NULL if not all of them are RAM. */
void *mem_ptr(const struct guest_mem *m, u64 gpa, u64 len);

/* For struct dev_memory: what is not RAM reads as all ones, and takes no writes. */
void mem_read(void *mem, u64 gpa, void *buf, u32 len);
void mem_write(void *mem, u64 gpa, const void *buf, u32 len);

#endif
