/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernels from 6.1 on differ for vmnet. Each difference is told by the
 * thing itself (a header, a macro), not by a version number.
 */
#ifndef VMNET_COMPAT_H
#define VMNET_COMPAT_H

#include <linux/netdevice.h>
/* skb_gso_segment() is in a header of its own since 6.5, which this one includes. */
#include <net/udp.h>

/* A transmit function that needs no lock: a feature bit once, a member now. */
static inline void vmnet_compat_lltx(struct net_device *dev)
{
#ifdef NETIF_F_LLTX
	dev->features |= NETIF_F_LLTX;
#else
	dev->lltx = true;
#endif
}

#endif
