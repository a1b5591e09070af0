// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nested page tables (AMD's NPT, Intel's EPT): a shadow of the part of the
 * host's page tables that the memory slots cover, filled on fault.
 *
 * A fault reads the host's entry without a lock, interrupts off, and copies it
 * under mem->lock if no notifier has announced a change since: then the entry
 * is still what the host means. Where the host has nothing yet, or too little,
 * it is asked to resolve the fault as if the owner had made the access.
 *
 * There is one rule about flushing: whoever must be sure that the guest has
 * forgotten an entry waits until mem->flushed has reached the mem->cleared that
 * it saw when it looked. An invalidation that finds an entry cleared by another
 * one, which is still on its way to the flush, so does not return too early.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/bits.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <asm/pgtable.h>

#include "vmdriver.h"

#define NPT_LEVELS	4
#define NPT_ENTRIES	512
#define NPT_PA_MASK	GENMASK_ULL(51, PAGE_SHIFT)

/* Pages of one fault: the others of the 64 KiB around it, where present. */
#define AROUND		16
#define AROUND_SIZE	((u64)AROUND * PAGE_SIZE)

/* Entries looked at before the lock is let go of for a moment: some 100 us. */
#define CLEAR_BATCH	16384

/* One page of the host's mapping. */
struct host_page {
	u64 pa;
	bool present;
	bool writable;	/* and dirty already: see mem.h */
	bool refused;	/* device memory, or not cached: not the guest's business */
};

static u64 level_size(int level)
{
	return 1ull << (PAGE_SHIFT + 9 * (level - 1));
}

static u64 *npt_entry(u64 *table, u64 gpa, int level)
{
	return &table[(gpa / level_size(level)) % NPT_ENTRIES];
}

static bool npt_present(u64 entry)
{
	return entry & vmdrv_ops->pt->present_mask;
}

static bool npt_large(u64 entry)
{
	return entry & vmdrv_ops->pt->large_mask;
}

static u64 *npt_table(u64 entry)
{
	return __va(__sme_clr(entry) & NPT_PA_MASK);
}

/* ---- pages for tables ---- */

static void free_tables(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		__free_page(page);
		cond_resched();
	}
}

/* Enough for one fault: a table of each level below the root. */
static int spare_top_up(struct vmdrv_mem *mem)
{
	struct page *page;

	while (mem->spares < NPT_LEVELS - 1) {
		page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!page)
			return -ENOMEM;
		list_add(&page->lru, &mem->spare);
		mem->spares++;
	}
	return 0;
}

/* The physical address of a new, empty table, as it goes into an entry. */
static u64 spare_take_locked(struct vmdrv_mem *mem)
{
	struct page *page = list_first_entry(&mem->spare, struct page, lru);

	lockdep_assert_held(&mem->lock);
	list_move(&page->lru, &mem->tables);
	mem->spares--;
	return __sme_set(PFN_PHYS(page_to_pfn(page)));
}

int vmdrv_npt_init(struct vmdrv_vm *vm)
{
	struct vmdrv_mem *mem = &vm->mem;

	spin_lock_init(&mem->lock);
	INIT_LIST_HEAD(&mem->tables);
	INIT_LIST_HEAD(&mem->spare);
	mem->root = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return mem->root ? 0 : -ENOMEM;
}

/* The vCPU is gone, and so are the notifiers. */
void vmdrv_npt_destroy(struct vmdrv_vm *vm)
{
	free_tables(&vm->mem.tables);
	free_tables(&vm->mem.spare);
	free_page((unsigned long)vm->mem.root);
}

u64 vmdrv_mem_root(struct vmdrv_vm *vm)
{
	return __sme_set(__pa(vm->mem.root));
}

/* ---- taking entries out ---- */

/* Returns when no TLB remembers what was cleared up to @cleared. */
static void npt_flush(struct vmdrv_vm *vm, u64 cleared)
{
	struct vmdrv_mem *mem = &vm->mem;

	vmdrv_flush_guest_tlb(vm);
	spin_lock(&mem->lock);
	mem->flushed = max(mem->flushed, cleared);
	spin_unlock(&mem->lock);
}

/* Clears a table's entries for [gpa, end), or to its own end. */
static unsigned int clear_4k(u64 *table, u64 gpa, u64 end)
{
	u64 *entry = npt_entry(table, gpa, 1);
	unsigned int n = 0;

	for (; gpa < end; gpa += PAGE_SIZE, entry++) {
		if (npt_present(*entry)) {
			WRITE_ONCE(*entry, 0);
			n++;
		}
		if (entry == &table[NPT_ENTRIES - 1])
			break;
	}
	return n;
}

/*
 * Clears what maps [gpa, end), a 2 MiB entry as a whole even if only a part of
 * it is meant. Returns how far it came: the caller lets go of the lock and
 * comes back if that is not the end.
 */
static u64 npt_clear_locked(struct vmdrv_mem *mem, u64 gpa, u64 end)
{
	unsigned int n4k = 0, n2m = 0;
	int batch = CLEAR_BATCH;
	u64 *table, *entry;
	int level;

	lockdep_assert_held(&mem->lock);
	for (; gpa < end && batch > 0; batch--) {
		table = mem->root;
		for (level = NPT_LEVELS; level > 1; level--) {
			entry = npt_entry(table, gpa, level);
			if (!npt_present(*entry))
				break;
			if (level == 2 && npt_large(*entry)) {
				WRITE_ONCE(*entry, 0);
				n2m++;
				break;
			}
			table = npt_table(*entry);
		}
		if (level == 1) {
			n4k += clear_4k(table, gpa, end);
			batch -= NPT_ENTRIES;
			level = 2;
		}
		gpa = ALIGN_DOWN(gpa, level_size(level)) + level_size(level);
	}
	mem->mapped_4k -= n4k;
	mem->mapped_2m -= n2m;
	if (n4k || n2m)
		mem->cleared++;
	return gpa;
}

/*
 * The host is about to change its mapping of a part of the slot. May run in
 * reclaim, for the OOM killer, and while the owner exits: takes no lock but
 * mem->lock, allocates nothing, and does not need to sleep.
 */
static bool npt_invalidate(struct mmu_interval_notifier *notifier,
			   const struct mmu_notifier_range *range, unsigned long seq)
{
	struct vmdrv_slot *slot = container_of(notifier, struct vmdrv_slot, notifier);
	unsigned long hva = max(range->start, slot->hva);
	unsigned long last = min(range->end - 1, slot->hva + (unsigned long)slot->size - 1);
	struct vmdrv_mem *mem = &slot->vm->mem;
	u64 gpa = slot->gpa + (hva - slot->hva);
	u64 end = slot->gpa + (last - slot->hva) + 1;
	u64 before, cleared;
	bool flush;

	spin_lock(&mem->lock);
	mmu_interval_set_seq(notifier, seq);	/* from here on nothing new gets in */
	before = mem->cleared;
	for (;;) {
		gpa = npt_clear_locked(mem, gpa, end);
		if (gpa >= end)
			break;
		spin_unlock(&mem->lock);
		if (mmu_notifier_range_blockable(range))
			cond_resched();
		spin_lock(&mem->lock);
	}
	cleared = mem->cleared;
	flush = cleared != mem->flushed;
	if (cleared != before) {
		mem->zaps++;
		WRITE_ONCE(slot->lost, true);
	}
	spin_unlock(&mem->lock);

	if (flush)
		npt_flush(slot->vm, cleared);
	return true;
}

const struct mmu_interval_notifier_ops vmdrv_npt_notifier_ops = {
	.invalidate = npt_invalidate,
};

/* A slot is gone: with mem->sem held for writing no fault is under way. */
void vmdrv_npt_clear(struct vmdrv_vm *vm)
{
	struct vmdrv_mem *mem = &vm->mem;
	LIST_HEAD(gone);
	u64 cleared;
	int i;

	lockdep_assert_held_write(&mem->sem);
	spin_lock(&mem->lock);
	for (i = 0; i < NPT_ENTRIES; i++)
		WRITE_ONCE(mem->root[i], 0);
	for (i = 0; i < VMDRV_SLOT_MAX; i++)
		WRITE_ONCE(mem->slots[i].lost, true);
	list_splice_init(&mem->tables, &gone);
	mem->mapped_4k = 0;
	mem->mapped_2m = 0;
	cleared = ++mem->cleared;
	spin_unlock(&mem->lock);

	npt_flush(vm, cleared);
	free_tables(&gone);
}

/* ---- what the host has ---- */

static void host_page_set(struct host_page *page, u64 pfn, u64 flags)
{
	page->pa = pfn << PAGE_SHIFT;
	page->present = (flags & (_PAGE_PRESENT | _PAGE_USER)) == (_PAGE_PRESENT | _PAGE_USER);
	page->writable = (flags & (_PAGE_RW | _PAGE_DIRTY)) == (_PAGE_RW | _PAGE_DIRTY);
	page->refused = page->present && !is_zero_pfn(pfn) &&
			(flags & (_PAGE_SPECIAL | _PAGE_PWT | _PAGE_PCD) || !pfn_valid(pfn));
}

/*
 * Reads the host's mapping of the 64 KiB around hva. Interrupts are off, which
 * keeps the tables from being freed; what they say may be outdated at once.
 * Returns the level of the entry, 0 if there is none. A large entry (level 2,
 * also for 1 GiB pages) is described by its 16 pages at this place.
 */
static int host_walk(struct mm_struct *mm, unsigned long hva, struct host_page page[AROUND])
{
	unsigned long block = hva & ~(AROUND_SIZE - 1);
	pgd_t pgd = READ_ONCE(*pgd_offset(mm, block));
	pte_t *ptes, pte;
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;
	int i;

	lockdep_assert_irqs_disabled();
	if (!(pgd_flags(pgd) & _PAGE_PRESENT))
		return 0;
	p4d = READ_ONCE(*p4d_offset(&pgd, block));
	if (!(p4d_flags(p4d) & _PAGE_PRESENT))
		return 0;
	pud = READ_ONCE(*pud_offset(&p4d, block));
	if (!(pud_flags(pud) & _PAGE_PRESENT))
		return 0;
	if (pud_leaf(pud)) {
		for (i = 0; i < AROUND; i++)
			host_page_set(&page[i], pud_pfn(pud) + (block % PUD_SIZE) / PAGE_SIZE + i,
				      pud_flags(pud));
		return 2;
	}
	pmd = READ_ONCE(*pmd_offset(&pud, block));
	if (!(pmd_flags(pmd) & _PAGE_PRESENT))
		return 0;
	if (pmd_leaf(pmd)) {
		for (i = 0; i < AROUND; i++)
			host_page_set(&page[i], pmd_pfn(pmd) + (block % PMD_SIZE) / PAGE_SIZE + i,
				      pmd_flags(pmd));
		return 2;
	}
	ptes = pte_offset_kernel(&pmd, block);
	for (i = 0; i < AROUND; i++) {
		pte = READ_ONCE(ptes[i]);
		host_page_set(&page[i], pte_pfn(pte), pte_flags(pte));
	}
	return 1;
}

/* Has the host resolve a fault of the owner's at hva. */
static int host_fault(struct mm_struct *mm, unsigned long hva, bool write)
{
	int err;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	err = fixup_user_fault(mm, hva, write ? FAULT_FLAG_WRITE : 0, NULL);
	mmap_read_unlock(mm);
	return err == -EHWPOISON ? -EFAULT : err;
}

/* ---- putting entries in ---- */

/* A 2 MiB entry takes the table's place; the table goes to @gone. */
static void npt_drop_table_locked(struct vmdrv_mem *mem, u64 *entry, struct list_head *gone)
{
	u64 *table = npt_table(*entry);

	WRITE_ONCE(*entry, 0);
	mem->mapped_4k -= clear_4k(table, 0, PMD_SIZE);
	mem->cleared++;
	list_move(&virt_to_page(table)->lru, gone);
}

/*
 * The entry of @level for gpa; the tables on the way to it are made. What is
 * in the way, because the host maps the place at another level now, goes:
 * mem->cleared then has moved on.
 */
static u64 *npt_reach_locked(struct vmdrv_mem *mem, u64 gpa, int level, struct list_head *gone)
{
	u64 *table = mem->root;
	u64 *entry;
	int at;

	lockdep_assert_held(&mem->lock);
	for (at = NPT_LEVELS; ; at--) {
		entry = npt_entry(table, gpa, at);
		if (at == level)
			break;
		if (at == 2 && npt_present(*entry) && npt_large(*entry)) {
			WRITE_ONCE(*entry, 0);
			mem->mapped_2m--;
			mem->cleared++;
		}
		if (!npt_present(*entry))
			WRITE_ONCE(*entry, vmdrv_ops->pt->table(spare_take_locked(mem)));
		table = npt_table(*entry);
	}
	if (level == 2 && npt_present(*entry) && !npt_large(*entry))
		npt_drop_table_locked(mem, entry, gone);
	return entry;
}

/*
 * Fills an entry, or adds the right to write; returns whether it was empty. An
 * entry of a slot that logs writes is clean until the CPU makes it dirty.
 */
static bool npt_set(const struct vmdrv_slot *slot, u64 *entry, u64 pa, int level, bool writable)
{
	const struct vmdrv_pt_format *pt = vmdrv_ops->pt;
	u64 old = *entry, leaf;

	writable &= !(slot->flags & VMDRV_MEM_READONLY);
	if (!npt_present(old) || (writable && !(old & pt->writable_mask))) {
		leaf = pt->leaf(__sme_set(pa), level, writable);
		if (slot->flags & VMDRV_MEM_LOG_DIRTY)
			leaf &= ~pt->dirty_mask;
		WRITE_ONCE(*entry, leaf);
	}
	return !npt_present(old);
}

/* Whether the 2 MiB around gpa lie in the slot and line up with the host's. */
static bool slot_fits_2m(const struct vmdrv_slot *slot, u64 gpa)
{
	u64 start = ALIGN_DOWN(gpa, PMD_SIZE);

	return !(slot->flags & VMDRV_MEM_LOG_DIRTY) &&
	       !((slot->gpa ^ slot->hva) % PMD_SIZE) && start >= slot->gpa &&
	       start + PMD_SIZE <= slot->gpa + slot->size;
}

/*
 * The page at gpa, and its neighbours as far as one table and the slot go. Where
 * a writable entry is all that tells of a write, neighbours cannot be.
 */
static void npt_map_4k_locked(struct vmdrv_mem *mem, const struct vmdrv_slot *slot, u64 gpa,
			      bool write, const struct host_page page[AROUND],
			      struct list_head *gone)
{
	bool by_fault = slot->flags & VMDRV_MEM_LOG_DIRTY && !vmdrv_ops->pt->dirty_mask;
	u64 *here = npt_reach_locked(mem, gpa, 1, gone);
	int at = ((slot->hva + (gpa - slot->gpa)) % AROUND_SIZE) / PAGE_SIZE;
	u64 neighbour;
	int i;

	for (i = 0; i < AROUND; i++) {
		neighbour = gpa + ((s64)i - at) * PAGE_SIZE;
		if (neighbour / PMD_SIZE != gpa / PMD_SIZE ||
		    neighbour - slot->gpa >= slot->size ||
		    !page[i].present || page[i].refused)
			continue;
		mem->mapped_4k += npt_set(slot, here + i - at, page[i].pa, 1, page[i].writable &&
					  (!by_fault || (write && i == at)));
	}
}

/* 0, -EAGAIN: the host must fault first (or has just changed its mind), -EFAULT. */
static int npt_map(struct vmdrv_vm *vm, struct vmdrv_slot *slot, u64 gpa, bool write)
{
	unsigned long hva = slot->hva + (gpa - slot->gpa);
	struct host_page pages[AROUND], *page = &pages[(hva % AROUND_SIZE) / PAGE_SIZE];
	struct vmdrv_mem *mem = &vm->mem;
	u64 before, cleared;
	unsigned long seq;
	LIST_HEAD(gone);
	int level;

	seq = mmu_interval_read_begin(&slot->notifier);
	local_irq_disable();
	level = host_walk(vm->mm, hva, pages);
	local_irq_enable();
	if (!level || !page->present || (write && !page->writable))
		return -EAGAIN;
	if (page->refused)
		return -EFAULT;

	spin_lock(&mem->lock);
	if (mmu_interval_read_retry(&slot->notifier, seq)) {
		spin_unlock(&mem->lock);
		return -EAGAIN;
	}
	before = mem->cleared;
	if (level == 2 && slot_fits_2m(slot, gpa))
		mem->mapped_2m += npt_set(slot, npt_reach_locked(mem, gpa, 2, &gone),
					  ALIGN_DOWN(page->pa, PMD_SIZE), 2, page->writable);
	else
		npt_map_4k_locked(mem, slot, gpa, write, pages, &gone);
	mem->faults++;
	cleared = mem->cleared;
	spin_unlock(&mem->lock);

	if (cleared != before) {
		npt_flush(vm, cleared);
		free_tables(&gone);
	}
	return 0;
}

/* ---- who wrote ---- */

/* The 4 KiB entry of gpa; NULL, and how far the next one may be, if there is none. */
static u64 *npt_find_locked(struct vmdrv_mem *mem, u64 gpa, u64 *next)
{
	u64 *table = mem->root, *entry;
	int level;

	lockdep_assert_held(&mem->lock);
	for (level = NPT_LEVELS; ; level--) {
		entry = npt_entry(table, gpa, level);
		*next = ALIGN_DOWN(gpa, level_size(level)) + level_size(level);
		if (level == 1 || !npt_present(*entry))
			break;
		table = npt_table(*entry);
	}
	return level == 1 ? entry : NULL;
}

int vmdrv_npt_harvest(struct vmdrv_vm *vm, struct vmdrv_slot *slot, unsigned long *bitmap)
{
	u64 mask = vmdrv_ops->pt->dirty_mask ?: vmdrv_ops->pt->writable_mask;
	unsigned int pages = slot->size >> PAGE_SHIFT;
	u64 gpa = slot->gpa, end = slot->gpa + slot->size;
	struct vmdrv_mem *mem = &vm->mem;
	u64 *entry, next, cleared = 0;

	lockdep_assert_held(&mem->sem);
	spin_lock(&mem->lock);
	for (; gpa < end; gpa = next) {
		entry = npt_find_locked(mem, gpa, &next);
		if (!entry || !(READ_ONCE(*entry) & mask))
			continue;
		/* The CPU may set its bits in it now. */
		atomic64_andnot(mask, (atomic64_t *)entry);
		__set_bit((gpa - slot->gpa) >> PAGE_SHIFT, bitmap);
		cleared = mem->cleared + 1;
	}
	if (cleared)
		mem->cleared = cleared;
	spin_unlock(&mem->lock);

	/* Until then the CPU may write without telling; after, it looks again. */
	if (cleared)
		npt_flush(vm, cleared);
	if (xchg(&slot->lost, false))
		bitmap_set(bitmap, 0, pages);
	return bitmap_weight(bitmap, pages);
}

int vmdrv_mem_fault(struct vmdrv_vcpu *vcpu, u64 gpa, u32 access)
{
	struct vmdrv_vm *vm = vcpu->vm;
	bool write = access & VMDRV_ACCESS_WRITE;
	struct vmdrv_slot *slot;
	int ret;

	lockdep_assert_held(&vcpu->mutex);
	gpa &= PAGE_MASK;
	if (down_read_killable(&vm->mem.sem))
		return -EINTR;
	slot = vmdrv_slot_find(vm, gpa);
	if (!slot || (write && slot->flags & VMDRV_MEM_READONLY)) {
		ret = 1;
		goto unlock;
	}
	ret = spare_top_up(&vm->mem);
	if (ret)
		goto unlock;

	for (;;) {
		ret = npt_map(vm, slot, gpa, write);
		if (ret != -EAGAIN)
			break;
		ret = host_fault(vm->mm, slot->hva + (gpa - slot->gpa), write);
		if (ret)
			break;
		/* Work was done, so the guest gets on even if signals never end. */
		if (signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		cond_resched();
	}
unlock:
	up_read(&vm->mem.sem);
	return ret;
}
