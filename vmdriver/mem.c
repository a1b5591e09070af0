// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots, and access to guest physical memory through them.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vmdriver.h"

#define NPT_BITS	48	/* what four levels of nested tables reach */

int vmdrv_mem_init(struct vmdrv_vm *vm)
{
	init_rwsem(&vm->mem.sem);
	return vmdrv_npt_init(vm);
}

/* The owner's address space may be gone already: then the notifiers are idle. */
void vmdrv_mem_destroy(struct vmdrv_vm *vm)
{
	struct vmdrv_slot *slot;

	for (slot = vm->mem.slots; slot < vm->mem.slots + VMDRV_SLOT_MAX; slot++)
		if (slot->size)
			mmu_interval_notifier_remove(&slot->notifier);
	vmdrv_npt_destroy(vm);
}

struct vmdrv_slot *vmdrv_slot_find(struct vmdrv_vm *vm, u64 gpa)
{
	struct vmdrv_slot *slot;

	lockdep_assert_held(&vm->mem.sem);
	for (slot = vm->mem.slots; slot < vm->mem.slots + VMDRV_SLOT_MAX; slot++)
		if (gpa - slot->gpa < slot->size)
			return slot;
	return NULL;
}

static bool slot_overlaps(const struct vmdrv_slot *slot, const struct vmdrv_memory *m)
{
	return slot->size && m->gpa < slot->gpa + slot->size && slot->gpa < m->gpa + m->size;
}

static int slot_add_locked(struct vmdrv_vm *vm, struct vmdrv_slot *slot,
			   const struct vmdrv_memory *m)
{
	const struct vmdrv_slot *other;
	int err;

	if (slot->size)
		return -EBUSY;
	for (other = vm->mem.slots; other < vm->mem.slots + VMDRV_SLOT_MAX; other++)
		if (slot_overlaps(other, m))
			return -EEXIST;

	slot->vm = vm;
	slot->gpa = m->gpa;
	slot->size = m->size;
	slot->hva = m->hva;
	slot->flags = m->flags;
	slot->lost = false;
	err = mmu_interval_notifier_insert(&slot->notifier, vm->mm, slot->hva, slot->size,
					   &vmdrv_npt_notifier_ops);
	if (err)
		slot->size = 0;
	return err;
}

static int slot_remove_locked(struct vmdrv_vm *vm, struct vmdrv_slot *slot)
{
	if (!slot->size)
		return -ENOENT;
	/* In this order: the guest must not use a page that nobody watches. */
	vmdrv_npt_clear(vm);
	mmu_interval_notifier_remove(&slot->notifier);
	slot->size = 0;
	return 0;
}

static int memory_check(const struct vmdrv_memory *m)
{
	u64 limit = 1ull << min_t(u32, vmdrv_caps.phys_bits, NPT_BITS);

	if (m->slot >= VMDRV_SLOT_MAX || m->flags & ~(VMDRV_MEM_READONLY | VMDRV_MEM_LOG_DIRTY))
		return -EINVAL;
	if (m->flags & VMDRV_MEM_LOG_DIRTY && m->size >> PAGE_SHIFT > VMDRV_DIRTY_MAX)
		return -EINVAL;
	if (!PAGE_ALIGNED(m->gpa | m->size | m->hva))
		return -EINVAL;
	if (m->size > limit || m->gpa > limit - m->size)
		return -EINVAL;
	/* Not access_ok(): that has become lax about the end of user space. */
	if (m->size > TASK_SIZE_MAX || m->hva > TASK_SIZE_MAX - m->size)
		return -EFAULT;
	return 0;
}

/* VMDRV_SET_MEMORY, called by the owner. */
int vmdrv_mem_set(struct vmdrv_vm *vm, const struct vmdrv_memory *m)
{
	struct vmdrv_slot *slot;
	int err;

	err = memory_check(m);
	if (err)
		return err;
	slot = &vm->mem.slots[array_index_nospec(m->slot, VMDRV_SLOT_MAX)];

	if (down_write_killable(&vm->mem.sem))
		return -EINTR;
	WRITE_ONCE(vm->mem.generation, vm->mem.generation + 1);
	if (m->size)
		err = slot_add_locked(vm, slot, m);
	else
		err = slot_remove_locked(vm, slot);
	up_write(&vm->mem.sem);
	return err;
}

static int get_dirty_locked(struct vmdrv_vm *vm, const struct vmdrv_dirty *d,
			    unsigned long *bitmap)
{
	struct vmdrv_slot *slot = &vm->mem.slots[array_index_nospec(d->slot, VMDRV_SLOT_MAX)];
	int n;

	lockdep_assert_held(&vm->mem.sem);
	if (!slot->size || !(slot->flags & VMDRV_MEM_LOG_DIRTY))
		return -ENOENT;
	if (d->pages != slot->size >> PAGE_SHIFT)
		return -EINVAL;
	n = vmdrv_npt_harvest(vm, slot, bitmap);
	if (copy_to_user(u64_to_user_ptr(d->bitmap), bitmap,
			 BITS_TO_LONGS(d->pages) * sizeof(long))) {
		WRITE_ONCE(slot->lost, true);
		return -EFAULT;
	}
	return n;
}

/* VMDRV_GET_DIRTY, called by the owner. */
int vmdrv_mem_get_dirty(struct vmdrv_vm *vm, const struct vmdrv_dirty *d)
{
	unsigned long *bitmap;
	int ret;

	if (d->slot >= VMDRV_SLOT_MAX || !d->pages || d->pages > VMDRV_DIRTY_MAX)
		return -EINVAL;
	bitmap = bitmap_zalloc(d->pages, GFP_KERNEL);
	if (!bitmap)
		return -ENOMEM;
	ret = -EINTR;
	if (!down_read_killable(&vm->mem.sem)) {
		ret = get_dirty_locked(vm, d, bitmap);
		up_read(&vm->mem.sem);
	}
	bitmap_free(bitmap);
	return ret;
}

/* The owner's address of gpa and how many bytes of the slot follow from there. */
static int guest_ptr_locked(struct vmdrv_vm *vm, u64 gpa, bool write, void __user **ptr,
			    size_t *room)
{
	struct vmdrv_slot *slot = vmdrv_slot_find(vm, gpa);

	if (WARN_ON_ONCE(current->mm != vm->mm))
		return -EFAULT;
	if (!slot)
		return -ENOENT;
	if (write && slot->flags & VMDRV_MEM_READONLY)
		return -EROFS;
	if (write && slot->flags & VMDRV_MEM_LOG_DIRTY)
		WRITE_ONCE(slot->lost, true);	/* by the VMM, not by the CPU */
	*ptr = (void __user *)(slot->hva + (gpa - slot->gpa));
	*room = slot->gpa + slot->size - gpa;
	return 0;
}

int vmdrv_guest_each(struct vmdrv_vm *vm, u64 gpa, size_t len, bool write, vmdrv_guest_fn fn,
		     void *arg)
{
	void __user *ptr;
	int err = 0;
	size_t n;

	down_read(&vm->mem.sem);
	for (; len && !err; gpa += n, len -= n) {
		err = guest_ptr_locked(vm, gpa, write, &ptr, &n);
		if (err)
			break;
		n = min(n, len);
		err = fn(arg, ptr, n);
	}
	up_read(&vm->mem.sem);
	return err;
}

static int copy_from(void *arg, void __user *ptr, size_t n)
{
	u8 **buf = arg;

	if (copy_from_user(*buf, ptr, n))
		return -EFAULT;
	*buf += n;
	return 0;
}

/* Two bytes are one store: a device's status word (core/lance.h). */
static int copy_to(void *arg, void __user *ptr, size_t n)
{
	const u8 **buf = arg;
	unsigned long left;
	u16 word;

	if (n == sizeof(word)) {
		memcpy(&word, *buf, sizeof(word));
		left = put_user(word, (u16 __user *)ptr);
	} else {
		left = copy_to_user(ptr, *buf, n);
	}
	*buf += n;
	return left ? -EFAULT : 0;
}

int vmdrv_guest_read(struct vmdrv_vm *vm, u64 gpa, void *buf, size_t len)
{
	return vmdrv_guest_each(vm, gpa, len, false, copy_from, &buf);
}

int vmdrv_guest_write(struct vmdrv_vm *vm, u64 gpa, const void *buf, size_t len)
{
	return vmdrv_guest_each(vm, gpa, len, true, copy_to, &buf);
}

int vmdrv_guest_cmpxchg(struct vmdrv_vm *vm, u64 gpa, u64 old, u64 new, unsigned int size)
{
	void __user *ptr;
	u32 old32 = old;
	size_t room;
	int ret;

	if (WARN_ON_ONCE((size != 4 && size != 8) || gpa & (size - 1)))
		return -EINVAL;
	down_read(&vm->mem.sem);
	ret = guest_ptr_locked(vm, gpa, true, &ptr, &room);
	if (!ret && size == 8)
		ret = __try_cmpxchg_user((u64 __user *)ptr, &old, new, fault64);
	else if (!ret)
		ret = __try_cmpxchg_user((u32 __user *)ptr, &old32, (u32)new, fault32);
	up_read(&vm->mem.sem);
	return ret > 0 ? -EAGAIN : ret;
}
