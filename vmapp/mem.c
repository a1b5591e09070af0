// SPDX-License-Identifier: GPL-2.0-only
#include "mem.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE	(2 * MIB)

int mem_create(struct guest_mem *m, unsigned long mib, struct error *err)
{
	u64 host_mib = (u64)sysconf(_SC_PHYS_PAGES) * (u64)sysconf(_SC_PAGESIZE) / MIB;
	u64 room, lead;
	u8 *map;

	if (mib < 4)
		return error_set(err, "memsize is %lu MiB; a PC needs at least 4", mib);
	if (mib > host_mib)
		return error_set(err, "memsize is %lu MiB but this machine has only %llu MiB; lower memsize",
				 mib, (unsigned long long)host_mib);

	/* Reserve a huge page more than needed, then give back what sticks out. */
	m->size = mib * MIB;
	room = m->size + HUGE_PAGE;
	map = mmap(NULL, room, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return error_set(err, "cannot map %lu MiB for the guest: %s; lower memsize or raise the limit (ulimit -v)",
				 mib, strerror(errno));
	lead = -(uintptr_t)map & (HUGE_PAGE - 1);
	m->base = map + lead;
	if (lead)
		munmap(map, lead);
	munmap(m->base + m->size, HUGE_PAGE - lead);
	/* Advice only: a host without huge pages is slower, not wrong. */
	madvise(m->base, m->size, MADV_HUGEPAGE);
	madvise(m->base, m->size, MADV_DONTDUMP);
	return 0;
}

void mem_destroy(struct guest_mem *m)
{
	if (m->base)
		munmap(m->base, m->size);
	m->base = NULL;
}

void mem_clear(struct guest_mem *m)
{
	madvise(m->base, m->size, MADV_DONTNEED);
}

u64 mem_low_top(const struct guest_mem *m)
{
	return m->size < MEM_LOW_MAX ? m->size : MEM_LOW_MAX;
}

u64 mem_high_size(const struct guest_mem *m)
{
	return m->size - mem_low_top(m);
}

unsigned int mem_slots(const struct guest_mem *m, struct vmdrv_memory slot[MEM_SLOTS])
{
	u64 hva = (u64)(uintptr_t)m->base;
	u64 high = mem_high_size(m);

	slot[0] = (struct vmdrv_memory){ .slot = 0, .gpa = 0, .size = MEM_VIDEO, .hva = hva };
	slot[1] = (struct vmdrv_memory){ .slot = 1, .gpa = MEM_ROM,
		.size = mem_low_top(m) - MEM_ROM, .hva = hva + MEM_ROM };
	slot[2] = (struct vmdrv_memory){ .slot = 2, .gpa = MEM_ABOVE_4G, .size = high,
		.hva = hva + MEM_LOW_MAX };
	return high ? 3 : 2;
}

void *mem_ptr(const struct guest_mem *m, u64 gpa, u64 len)
{
	struct vmdrv_memory slot[MEM_SLOTS];
	unsigned int n = mem_slots(m, slot);

	for (unsigned int i = 0; i < n; i++) {
		u64 off = gpa - slot[i].gpa;

		if (gpa >= slot[i].gpa && off <= slot[i].size && len <= slot[i].size - off)
			return (u8 *)(uintptr_t)slot[i].hva + off;
	}
	return NULL;
}

#define PAGE	4096u

/* Bytes from @gpa on that are in one page, at most @len. */
static u32 in_page(u64 gpa, u32 len)
{
	u32 room = PAGE - (u32)(gpa & (PAGE - 1));

	return len < room ? len : room;
}

void mem_read(void *mem, u64 gpa, void *buf, u32 len)
{
	for (u32 n; len; len -= n, gpa += n, buf = (u8 *)buf + n) {
		const void *p = mem_ptr(mem, gpa, n = in_page(gpa, len));

		if (p)
			memcpy(buf, p, n);
		else
			memset(buf, 0xff, n);
	}
}

void mem_write(void *mem, u64 gpa, const void *buf, u32 len)
{
	for (u32 n; len; len -= n, gpa += n, buf = (const u8 *)buf + n) {
		void *p = mem_ptr(mem, gpa, n = in_page(gpa, len));

		if (p)
			memcpy(p, buf, n);
	}
}
