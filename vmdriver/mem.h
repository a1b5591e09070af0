/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory: a window onto the address space of the process that owns the
 * VM. Nothing is pinned; a page that is lent to a network (dev/loan.c) has one more
 * reference for so long. The nested page tables are filled on fault from the
 * host's own page tables, and an MMU notifier per slot takes entries out
 * before the host uses a page for something else (the paper, section 2).
 *
 * The rule that everything rests on: an entry of the nested tables never
 * allows more than the host's entry for the same page does, and it is writable
 * only where the host's entry is writable *and* dirty. So the host's tables
 * stay the only record of what may be lost, and no struct page is touched.
 */
#ifndef VMDRV_MEM_H
#define VMDRV_MEM_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "uapi/vmdriver.h"

struct vmdrv_vcpu;
struct vmdrv_vm;

/**
 * struct vmdrv_slot - guest physical [gpa, gpa + size) is [hva, hva + size)
 * @notifier: is told by the host about changes to the hva range
 * @vm: the owner
 * @gpa: guest physical address, page aligned
 * @size: in bytes, page aligned; 0: the slot is empty and the rest meaningless
 * @hva: address in vm->mm, page aligned
 * @flags: VMDRV_MEM_*
 * @lost: of a slot that logs writes: some left no trace in the nested tables
 */
struct vmdrv_slot {
	struct mmu_interval_notifier notifier;
	struct vmdrv_vm *vm;
	u64 gpa;
	u64 size;
	unsigned long hva;
	u32 flags;
	bool lost;
};

/**
 * struct vmdrv_mem - the memory of a VM
 * @generation: counts changes of @slots
 * @sem: protects @slots; held for reading across everything that uses one.
 *	Taken outside of mmap_lock.
 * @slots: indexed by the number that userspace gives
 * @lock: protects the nested tables, @tables, @cleared and @flushed
 * @root: the top table, level 4; lives as long as the VM
 * @tables: struct page of every other table in use (page->lru). Bounded by the
 *	memory in slots: one for each 2 MiB of it that was touched, the few
 *	above these, and all are given back when a slot is removed.
 * @spare: zeroed pages for new tables, so that none is allocated under @lock;
 *	belongs to whoever holds the vCPU's mutex, like @spares, their number
 * @cleared: how often entries were taken out of the tables
 * @flushed: the value of @cleared up to which no TLB remembers them
 * @mapped_4k: 4 KiB entries in the tables now; like the next three written
 *	under @lock and readable at any time, for sysfs
 * @mapped_2m: 2 MiB entries
 * @faults: nested page faults that were resolved
 * @zaps: times that the host took pages back
 */
struct vmdrv_mem {
	struct rw_semaphore sem;
	unsigned long generation;
	struct vmdrv_slot slots[VMDRV_SLOT_MAX];
	spinlock_t lock;	/* of the nested tables */
	u64 *root;
	struct list_head tables;
	struct list_head spare;
	unsigned int spares;
	u64 cleared;
	u64 flushed;
	u64 mapped_4k;
	u64 mapped_2m;
	u64 faults;
	u64 zaps;
};

/* The #PF that an access to a guest virtual address runs into. */
struct vmdrv_fault {
	u64 address;	/* the first byte that could not be reached */
	u32 error;	/* the error code, as the CPU pushes it */
	size_t done;	/* bytes transferred before it */
};

/*
 * mem.c. All of these may sleep. Those that touch guest memory go through the
 * owner's address space: they are called by a thread of the owning process.
 */
int vmdrv_mem_init(struct vmdrv_vm *vm);
void vmdrv_mem_destroy(struct vmdrv_vm *vm);
int vmdrv_mem_set(struct vmdrv_vm *vm, const struct vmdrv_memory *m);
int vmdrv_mem_get_dirty(struct vmdrv_vm *vm, const struct vmdrv_dirty *d);

/*
 * Guest physical memory, across slots. 0, -ENOENT (no slot there), -EROFS
 * (a read-only slot) or -EFAULT (the owner has nothing mapped there); on an
 * error a part may have been done.
 */
int vmdrv_guest_read(struct vmdrv_vm *vm, u64 gpa, void *buf, size_t len);
int vmdrv_guest_write(struct vmdrv_vm *vm, u64 gpa, const void *buf, size_t len);

/*
 * Call fn for each piece of [gpa, gpa + len) that is in one slot, in order, with
 * the owner's address of it, until it fails. Errors as above, or fn's.
 */
typedef int (*vmdrv_guest_fn)(void *arg, void __user *ptr, size_t n);
int vmdrv_guest_each(struct vmdrv_vm *vm, u64 gpa, size_t len, bool write, vmdrv_guest_fn fn,
		     void *arg);

/*
 * Replace old by new in the naturally aligned 4 or 8 bytes (size) at gpa.
 * 0, -EAGAIN (old was not there), or an error of vmdrv_guest_write().
 */
int vmdrv_guest_cmpxchg(struct vmdrv_vm *vm, u64 gpa, u64 old, u64 new, unsigned int size);

/* The slot that holds gpa, or NULL. The caller holds vm->mem.sem. */
struct vmdrv_slot *vmdrv_slot_find(struct vmdrv_vm *vm, u64 gpa);

/*
 * npt.c. Resolve a nested page fault: map what the access (VMDRV_ACCESS_*)
 * needs and go on. 0: done. 1: MMIO, there is no slot or a write went to a
 * read-only one. -EFAULT: the owner has nothing mapped there. -EINTR: a signal
 * is pending. -ENOMEM. The caller holds vcpu->mutex.
 */
int vmdrv_mem_fault(struct vmdrv_vcpu *vcpu, u64 gpa, u32 access);
u64 vmdrv_mem_root(struct vmdrv_vm *vm);	/* physical address of the top table */

/* For mem.c only. */
int vmdrv_npt_init(struct vmdrv_vm *vm);
void vmdrv_npt_destroy(struct vmdrv_vm *vm);
void vmdrv_npt_clear(struct vmdrv_vm *vm);	/* everything, until it faults again */
/* Sets the bits of pages that were written since the last time; returns how many. */
int vmdrv_npt_harvest(struct vmdrv_vm *vm, struct vmdrv_slot *slot, unsigned long *bitmap);
extern const struct mmu_interval_notifier_ops vmdrv_npt_notifier_ops;

/*
 * walk.c. Guest virtual addresses, as the CPU would see them at the guest's
 * present privilege level (or at level 3 with VMDRV_ACCESS_USER). The caller
 * holds vcpu->mutex.
 *
 * 0, or 1: the guest would get #PF with *error (or f). -EINVAL: the address is
 * not canonical, which is #GP or #SS. -ENOENT: page tables or data are in no
 * slot. -EROFS and -EFAULT as above. vmdrv_translate() changes nothing in the
 * guest, the others set accessed and dirty bits.
 */
int vmdrv_translate(struct vmdrv_vcpu *vcpu, u64 gva, u32 access, u64 *gpa, u32 *error);

/*
 * The same as vmdrv_translate(), and what it has read on its way: as long as
 * these entries are the same but for VMDRV_TRACE_IGNORE, so is the result.
 */
#define VMDRV_TRACE_IGNORE	0x60	/* A and D */

struct vmdrv_walk_trace {
	unsigned int size;	/* of an entry, 4 or 8 bytes */
	unsigned int n;
	u64 gpa[4];
	u64 entry[4];
};

int vmdrv_translate_traced(struct vmdrv_vcpu *vcpu, u64 gva, u32 access, u64 *gpa,
			   struct vmdrv_walk_trace *t);

int vmdrv_gva_read(struct vmdrv_vcpu *vcpu, u64 gva, void *buf, size_t len, u32 access,
		   struct vmdrv_fault *f);
int vmdrv_gva_write(struct vmdrv_vcpu *vcpu, u64 gva, const void *buf, size_t len, u32 access,
		    struct vmdrv_fault *f);

#endif
