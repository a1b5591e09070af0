/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames that are sent without a copy: a network is lent the guest's own pages.
 * See loan.c.
 */
#ifndef VMDRV_LOAN_H
#define VMDRV_LOAN_H

#include <linux/types.h>

struct lance_tx;
struct sk_buff;
struct vmdrv_lender;
struct vmdrv_nic;

/*
 * The life of a NIC's part in it. After destroy() nobody comes back to the NIC,
 * while what it has lent may be out for as long as it takes.
 */
int vmdrv_loans_create(struct vmdrv_nic *nic);
void vmdrv_loans_destroy(struct vmdrv_nic *nic);

/* The caller of these holds both parts of nic->lock, see nic_lock(). */

/*
 * The frame without a copy, to be sent now; it is handed back when that is over.
 * NULL: it is better copied, or cannot be lent.
 */
struct sk_buff *vmdrv_loan_give_locked(struct vmdrv_nic *nic, const struct lance_tx *tx);

/*
 * A frame was copied: hand it back, behind those that are still lent. False: there
 * is no memory to remember it by.
 */
bool vmdrv_loan_skip_locked(struct vmdrv_nic *nic, const struct lance_tx *tx, bool readable);

/* Hand back, in order, what has come back. True: no further frame can be sent now. */
bool vmdrv_loans_reap_locked(struct vmdrv_nic *nic);

/* Wait a moment for all of them: what is still lent then is going to be sent twice. */
void vmdrv_loans_await_locked(struct vmdrv_nic *nic);

/* The ring is another core's: nothing of it is handed back here. */
void vmdrv_loans_forget_locked(struct vmdrv_nic *nic);

/* At the end of the module. */
void vmdrv_loans_exit(void);

#endif
