// SPDX-License-Identifier: GPL-2.0-only
#include "map.h"

#include <sys/ioctl.h>

bool map_set(struct map *m, enum map_slot slot, u64 gpa, u64 size, const void *mem, u32 flags)
{
	struct vmdrv_memory *now = &m->slot[slot];
	struct vmdrv_memory wanted = { .slot = slot, .flags = flags, .gpa = gpa, .size = size,
				       .hva = (uintptr_t)mem };

	if (now->size == size && (!size || (now->gpa == gpa && now->hva == wanted.hva &&
					    now->flags == flags)))
		return true;
	if (now->size) {
		struct vmdrv_memory none = { .slot = slot };

		if (ioctl(m->vm_fd, VMDRV_SET_MEMORY, &none))
			return false;
		now->size = 0;
	}
	if (size && ioctl(m->vm_fd, VMDRV_SET_MEMORY, &wanted))
		return false;
	*now = wanted;
	return true;
}

void *map_ptr(const struct map *m, u64 gpa, u64 len, bool write)
{
	for (unsigned int i = 0; i < MAP_SLOTS; i++) {
		const struct vmdrv_memory *s = &m->slot[i];
		u64 off = gpa - s->gpa;

		if (gpa < s->gpa || off >= s->size || len > s->size - off)
			continue;
		if (write && s->flags & (VMDRV_MEM_READONLY | VMDRV_MEM_LOG_DIRTY))
			return NULL;
		return (u8 *)(uintptr_t)s->hva + off;
	}
	return NULL;
}
