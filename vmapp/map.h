/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guest finds at its physical addresses without an exit: vmdriver's
 * memory slots, and which of them is where at present. Some change while the
 * guest runs: shadow RAM, the VGA's window, whatever a BAR places. The vCPU is
 * out of the guest, and the caller holds the device lock.
 */
#ifndef VMAPP_MAP_H
#define VMAPP_MAP_H

#include "core/types.h"
#include "uapi/vmdriver.h"

#define MAP_SHADOW_SLOTS	13	/* the areas of the host bridge's PAM registers */

enum map_slot {
	MAP_RAM_CONVENTIONAL,
	MAP_RAM_LOW,
	MAP_RAM_HIGH,
	MAP_SHADOW,
	MAP_FIRMWARE = MAP_SHADOW + MAP_SHADOW_SLOTS,
	MAP_VGA_WINDOW,
	MAP_VGA_ARRAY,
	MAP_VGA_ROM,
	MAP_SVGA_FIFO,
	MAP_NIC_ROM,			/* of the first NIC, and so on */
	MAP_SLOTS = MAP_NIC_ROM + VMDRV_NIC_MAX,
};

struct map {
	int vm_fd;
	struct vmdrv_memory slot[MAP_SLOTS];	/* size 0: not there */
};

/**
 * map_set() - put memory where the guest finds it
 * @size: in bytes, a multiple of 4096 as @gpa and @mem are; 0 takes the slot away
 * @flags: VMDRV_MEM_*
 *
 * Nothing is done if that is so already. False: something else is there, or the
 * VMM does not take it; the slot is away then.
 */
bool map_set(struct map *m, enum map_slot slot, u64 gpa, u64 size, const void *mem, u32 flags);

/*
 * Where the @len bytes at @gpa are, for an instruction that VMApp does in the
 * CPU's place; NULL: not in one slot. For @write also if the guest's own write
 * would exit, or if the VMM is to log it.
 */
void *map_ptr(const struct map *m, u64 gpa, u64 len, bool write);

#endif
