// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transmit without a copy: the headers of a frame are copied, and its payload is
 * the guest's own pages. References keep these, whatever becomes of the mapping,
 * the VM or the process. The network says when it is done (struct ubuf_info), and
 * the guest gets its descriptor back then.
 *
 * What the network keeps for itself (queues of ports, captures, the host's stack)
 * it copies, and is done at once. What lies in a queueing discipline or with a NIC's
 * driver nobody can copy. Nor can its descriptor be handed back before: a guest that
 * is right to write to its buffer then would change what is sent. So it waits, and
 * those behind it, since a ring has an order. That has a bound where it matters: a
 * network that is late once is not lent anything for a while, and neither is one
 * that has not given back what the guest has taken back by STOP or a reset. These
 * do not wait: to the chip the frame is gone. If the guest uses its memory for
 * something else then, before the NIC has read it, that is what goes out.
 *
 * It is off unless the knob zerocopy_min is turned: to find a page, remember the loan
 * and hear of its end takes more than to copy what an Ethernet frame has.
 *
 * A loan has two references: of the NIC's list, and of the network. The latter's may
 * end long after NIC and VM, so it has a reference to the module, too.
 */
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "compat.h"
#include "vmdriver.h"

#define LOANS_MAX	64			/* with the network at a time */
#define KEPT_MAX	256			/* in the list */
#define LATE_NS		(10 * NSEC_PER_MSEC)
#define PAUSE		(10 * HZ)		/* no loans after a late one */

/**
 * struct vmdrv_lender - what is left of a NIC as long as a loan is out
 * @ref: the NIC's reference, and one of each loan
 * @lock: taken in softirqs, or with interrupts off; inside nic->lock
 * @nic: NULL when it is gone; under @lock
 * @out: loans that are with the network; under @lock, read without
 */
struct vmdrv_lender {
	refcount_t ref;
	spinlock_t lock;	/* nic, out, and the counts of what comes back */
	struct vmdrv_nic *nic;
	unsigned int out;
};

/**
 * struct vmdrv_loan - a frame that was sent, but not handed back
 * @ubuf: what the network has of it
 * @list: in nic->loans, under nic->lock
 * @lender: NULL: a copied frame that has to wait for those before it
 * @ref: see above
 * @since: when it was given, in ns
 * @back: the network is done with it
 * @copied: somebody has made a copy
 * @readable: for lance_tx_done()
 * @tx: has no more than tx.count buffers
 */
struct vmdrv_loan {
	struct ubuf_info ubuf;
	struct list_head list;
	struct vmdrv_lender *lender;
	refcount_t ref;
	u64 since;
	bool back;
	bool copied;
	bool readable;
	struct lance_tx tx;
};

static bool ever_lent;

static void lender_put(struct vmdrv_lender *lender)
{
	if (refcount_dec_and_test(&lender->ref))
		kfree(lender);
}

static void loan_put(struct vmdrv_loan *loan)
{
	if (refcount_dec_and_test(&loan->ref))
		kfree(loan);
}

/* ---- the network is done with it ---- */

static void count_locked(struct vmdrv_nic *nic, const struct vmdrv_loan *loan)
{
	u64 ns = ktime_get_ns() - loan->since;
	u64 *longest = &nic->counts[NIC_COUNT_LENT_LONGEST_NS];

	*longest = max(*longest, ns);
	nic->counts[NIC_COUNT_LENT_COPIED] += loan->copied;
	if (ns < LATE_NS)
		return;
	nic->counts[NIC_COUNT_LENT_LATE]++;
	WRITE_ONCE(nic->lend_after, jiffies + PAUSE);
}

/* From whoever frees or copies a frame, in whatever context. */
static void loan_complete(struct sk_buff *skb, struct ubuf_info *ubuf, bool untouched)
{
	struct vmdrv_loan *loan = container_of(ubuf, struct vmdrv_loan, ubuf);
	struct vmdrv_lender *lender = loan->lender;
	unsigned long flags;

	if (!untouched)
		WRITE_ONCE(loan->copied, true);
	if (!refcount_dec_and_test(&ubuf->refcnt))
		return;
	spin_lock_irqsave(&lender->lock, flags);
	WRITE_ONCE(lender->out, lender->out - 1);
	if (lender->nic)
		count_locked(lender->nic, loan);
	/* Pairs with vmdrv_loans_reap_locked(). */
	smp_store_release(&loan->back, true);
	if (lender->nic)
		vmdrv_nic_recheck(lender->nic);
	spin_unlock_irqrestore(&lender->lock, flags);
	loan_put(loan);
	lender_put(lender);
	module_put(THIS_MODULE);	/* see vmdrv_loans_exit() */
}

VMDRV_DEFINE_UBUF(loan_ubuf, loan_complete);

/* ---- giving ---- */

static struct vmdrv_loan *loan_alloc(const struct lance_tx *tx)
{
	size_t size = offsetof(struct lance_tx, frag[tx->count]);
	struct vmdrv_loan *loan;

	loan = kmalloc(offsetof(struct vmdrv_loan, tx) + size, GFP_KERNEL_ACCOUNT);
	if (!loan)
		return NULL;
	memset(loan, 0, offsetof(struct vmdrv_loan, tx));
	refcount_set(&loan->ref, 1);
	memcpy(&loan->tx, tx, size);
	return loan;
}

static void keep_locked(struct vmdrv_nic *nic, struct vmdrv_loan *loan)
{
	list_add_tail(&loan->list, &nic->loans);
	nic->loans_nr++;
}

/*
 * Is it worth it, and has the network given back in time what it has? Frames in
 * several buffers are copied: they are few, and each buffer could take two pages.
 */
static bool may_give_locked(struct vmdrv_nic *nic, const struct lance_tx *tx)
{
	u32 min = READ_ONCE(nic->knobs[VMDRV_KNOB_ZEROCOPY_MIN]);
	unsigned int out = READ_ONCE(nic->lender->out);
	struct vmdrv_loan *oldest;

	if (!min || tx->len < min || tx->len <= VMNET_LEND_HEADER || tx->count != 1)
		return false;
	if (out >= LOANS_MAX || time_before(jiffies, READ_ONCE(nic->lend_after)) ||
	    !vmnet_port_takes_pages(nic->port))
		return false;
	/* What is out and not in the list, the guest has taken back. */
	oldest = list_first_entry_or_null(&nic->loans, struct vmdrv_loan, list);
	return oldest ? ktime_get_ns() - oldest->since < LATE_NS : !out;
}

struct lent_frame {
	struct vmdrv_nic *nic;
	struct vmdrv_loan *loan;
	struct sk_buff *skb;
};

static int lend_piece(void *arg, void __user *ptr, size_t n)
{
	struct lent_frame *frame = arg;
	struct iov_iter from;

	if (n != frame->loan->tx.len)
		return -EFAULT;		/* it goes on in another slot */
	iov_iter_ubuf(&from, ITER_SOURCE, ptr, n);
	frame->skb = vmnet_port_lend(frame->nic->port, &from, &frame->loan->ubuf);
	return frame->skb ? 0 : -EFAULT;
}

struct sk_buff *vmdrv_loan_give_locked(struct vmdrv_nic *nic, const struct lance_tx *tx)
{
	struct lent_frame frame = { .nic = nic };
	struct vmdrv_loan *loan;

	lockdep_assert_held(&nic->lock);
	if (!may_give_locked(nic, tx))
		return NULL;
	loan = loan_alloc(tx);
	if (!loan)
		return NULL;
	loan->ubuf = loan_ubuf;
	refcount_set(&loan->ubuf.refcnt, 1);
	loan->readable = true;
	loan->since = ktime_get_ns();
	frame.loan = loan;
	if (vmdrv_guest_each(nic->vm, tx->frag[0].addr, tx->len, false, lend_piece, &frame)) {
		loan_put(loan);
		return NULL;
	}
	/* From here on it is the network's as well, which knows it when it is sent. */
	WRITE_ONCE(ever_lent, true);
	__module_get(THIS_MODULE);
	refcount_inc(&loan->ref);
	loan->lender = nic->lender;
	refcount_inc(&loan->lender->ref);
	spin_lock_irq(&loan->lender->lock);
	WRITE_ONCE(loan->lender->out, loan->lender->out + 1);
	spin_unlock_irq(&loan->lender->lock);
	keep_locked(nic, loan);
	nic->counts[NIC_COUNT_LENT]++;
	return frame.skb;
}

bool vmdrv_loan_skip_locked(struct vmdrv_nic *nic, const struct lance_tx *tx, bool readable)
{
	struct vmdrv_loan *loan;

	lockdep_assert_held(&nic->lock);
	if (list_empty(&nic->loans)) {
		lance_tx_done(&nic->lance, tx, readable);
		return true;
	}
	loan = loan_alloc(tx);
	if (!loan)
		return false;
	loan->readable = readable;
	loan->back = true;
	keep_locked(nic, loan);
	return true;
}

/* ---- handing back ---- */

static void drop_locked(struct vmdrv_nic *nic, struct vmdrv_loan *loan)
{
	list_del(&loan->list);
	nic->loans_nr--;
	loan_put(loan);
}

bool vmdrv_loans_reap_locked(struct vmdrv_nic *nic)
{
	struct vmdrv_loan *loan, *next;

	lockdep_assert_held(&nic->lock);
	list_for_each_entry_safe(loan, next, &nic->loans, list) {
		/* In another epoch the descriptor is the guest's already. */
		if (loan->tx.epoch == nic->lance.epoch) {
			/* Pairs with loan_complete(). */
			if (!smp_load_acquire(&loan->back))
				break;
			lance_tx_done(&nic->lance, &loan->tx, loan->readable);
		}
		drop_locked(nic, loan);
	}
	return nic->loans_nr >= KEPT_MAX;
}

void vmdrv_loans_await_locked(struct vmdrv_nic *nic)
{
	u64 begin = ktime_get_ns();

	for (;;) {
		vmdrv_loans_reap_locked(nic);
		if (list_empty(&nic->loans) || ktime_get_ns() - begin > LATE_NS)
			return;
		usleep_range(20, 100);
	}
}

void vmdrv_loans_forget_locked(struct vmdrv_nic *nic)
{
	struct vmdrv_loan *loan, *next;

	lockdep_assert_held(&nic->lock);
	list_for_each_entry_safe(loan, next, &nic->loans, list)
		drop_locked(nic, loan);
}

/* ---- life ---- */

int vmdrv_loans_create(struct vmdrv_nic *nic)
{
	struct vmdrv_lender *lender = kzalloc(sizeof(*lender), GFP_KERNEL_ACCOUNT);

	if (!lender)
		return -ENOMEM;
	refcount_set(&lender->ref, 1);
	spin_lock_init(&lender->lock);
	lender->nic = nic;
	INIT_LIST_HEAD(&nic->loans);
	nic->lender = lender;
	nic->lend_after = jiffies;
	return 0;
}

void vmdrv_loans_destroy(struct vmdrv_nic *nic)
{
	mutex_lock(&nic->lock);
	vmdrv_loans_forget_locked(nic);
	mutex_unlock(&nic->lock);
	spin_lock_irq(&nic->lender->lock);
	nic->lender->nic = NULL;
	spin_unlock_irq(&nic->lender->lock);
	lender_put(nic->lender);
}

/*
 * All loans are back, or the module could not go. Whoever brought the last may still
 * be between module_put() and the end of loan_complete().
 */
void vmdrv_loans_exit(void)
{
	if (READ_ONCE(ever_lent))
		synchronize_rcu_tasks();
}
