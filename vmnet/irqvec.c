// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IRQ bitvector: a page that vmnet shares with VMApp (and lends to the
 * VMM), so that looking whether a frame has come costs a load and not a
 * system call. Its content is VMApp's to spoil; only VMApp would notice.
 */
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "vmnet.h"

struct vmnet_irqvec {
	struct kref kref;
	struct vmnet_irq_page *page;
};

struct vmnet_irqvec *vmnet_irqvec_alloc(void)
{
	struct vmnet_irqvec *vec = kmalloc(sizeof(*vec), GFP_KERNEL_ACCOUNT);

	BUILD_BUG_ON(PAGE_SIZE != VMNET_IRQ_PAGE_SIZE);
	if (!vec)
		return NULL;
	vec->page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vec->page) {
		kfree(vec);
		return NULL;
	}
	vec->page->version = VMNET_API_VERSION;
	kref_init(&vec->kref);
	return vec;
}

struct vmnet_irqvec *vmnet_irqvec_get(struct vmnet_irqvec *vec)
{
	kref_get(&vec->kref);
	return vec;
}

static void irqvec_release(struct kref *kref)
{
	struct vmnet_irqvec *vec = container_of(kref, struct vmnet_irqvec, kref);

	/* A mapping that is still there holds the page itself. */
	free_page((unsigned long)vec->page);
	kfree(vec);
}

void vmnet_irqvec_put(struct vmnet_irqvec *vec)
{
	kref_put(&vec->kref, irqvec_release);
}

static void raise_bit(__u64 *word, unsigned int bit)
{
	/* A bit that is set already needs no locked instruction. */
	if (!(READ_ONCE(*word) & BIT_ULL(bit)))
		set_bit(bit, (unsigned long *)word);
}

/*
 * Set the bits for @events. Returns whether the consumer has to be woken.
 */
bool vmnet_irqvec_raise(struct vmnet_irqvec *vec, unsigned int bit, u32 events)
{
	struct vmnet_irq_page *page = vec->page;

	BUILD_BUG_ON(sizeof(unsigned long) != sizeof(page->rx));
	/* What was queued must be there when its bit is seen. */
	smp_mb();
	if (events & VMNET_EVENT_RX)
		raise_bit(&page->rx, bit);
	if (events & VMNET_EVENT_TX)
		raise_bit(&page->tx, bit);
	if (events & VMNET_EVENT_LINK)
		raise_bit(&page->link, bit);
	/* The consumer clears `looking`, executes a barrier, and looks at the bits. */
	smp_mb();
	return !READ_ONCE(page->looking);
}

int vmnet_irqvec_map(struct vmnet_irqvec *vec, struct vm_area_struct *vma)
{
	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != VMNET_IRQ_PAGE_SIZE)
		return -EINVAL;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	return vm_insert_page(vma, vma->vm_start, virt_to_page(vec->page));
}
