/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Order among a core's accesses to guest memory, as another CPU of the guest
 * sees them: one name each for the kernel's barriers and for userspace's.
 */
#ifndef WS_CORE_BARRIER_H
#define WS_CORE_BARRIER_H

#ifdef __KERNEL__
#include <asm/barrier.h>

#define ws_rmb()	smp_rmb()	/* reads before it come before those behind it */
#define ws_wmb()	smp_wmb()	/* and so do writes */
#else
#define ws_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define ws_wmb()	__atomic_thread_fence(__ATOMIC_RELEASE)
#endif

#endif
