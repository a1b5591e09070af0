/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A port of a virtual network, for users inside the kernel: vmdriver's direct
 * data path, and vmnet's own character device. These are ordinary exported
 * symbols (EXPORT_SYMBOL_GPL): a module that uses them depends on vmnet.ko,
 * which therefore cannot be unloaded under it.
 *
 * Whoever receives an skb owns it, on every path: vmnet_port_transmit() takes
 * the frame whatever it returns; the frame of vmnet_port_receive() is the
 * caller's to free.
 */
#ifndef VMNET_PORT_H
#define VMNET_PORT_H

#include <linux/bits.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include "uapi/vmnet.h"

struct file;
struct iov_iter;
struct net;
struct ubuf_info;
struct vmnet_port;

/* What a port has to say. */
#define VMNET_EVENT_RX		BIT(0)	/* frames wait */
#define VMNET_EVENT_TX		BIT(1)	/* there is room again */
#define VMNET_EVENT_LINK	BIT(2)	/* link, MTU, or the network is gone */

/**
 * struct vmnet_port_ops - how a port reaches its user
 * @notify: called with VMNET_EVENT_*, from softirq or from a process, perhaps
 *	several at a time, under rcu_read_lock(). Must not sleep, and must not
 *	send from within. RX comes only while armed, see vmnet_port_arm().
 */
struct vmnet_port_ops {
	void (*notify)(void *priv, u32 events);
};

/**
 * struct vmnet_port_borrower - who hears of frames and room instead
 * @notify: as that of struct vmnet_port_ops, but never VMNET_EVENT_LINK
 */
struct vmnet_port_borrower {
	void (*notify)(struct vmnet_port_borrower *borrower, u32 events);
};

/**
 * vmnet_port_attach() - connect to a network of @net
 * @net: the network namespace, usually current->nsproxy->net_ns
 * @how: as of VMNET_ATTACH; mac and port are filled in
 * @ops: must outlive the port
 * @priv: for @ops
 *
 * Sleeps. A new port is armed. Returns the port or an ERR_PTR: the errors of
 * VMNET_ATTACH, -EINVAL and -ENOMEM. Who may call for VMNET_ATTACH_MONITOR is
 * the caller's to check.
 */
struct vmnet_port *vmnet_port_attach(struct net *net, struct vmnet_attach *how,
				     const struct vmnet_port_ops *ops, void *priv);

/**
 * vmnet_port_detach() - the end of a port
 *
 * Sleeps. When it returns, @ops is not called any more and the frames that
 * waited are freed; those that are on their way to the wire still go there.
 */
void vmnet_port_detach(struct vmnet_port *port);

/**
 * vmnet_port_of_file() - the port of an open, attached /dev/vmnet
 * @file: whose reference the caller keeps as long as it uses the port
 *
 * Both may send and receive then: each frame comes to one of them. ERR_PTR:
 * -EBADF if @file is not /dev/vmnet, -ENOTCONN if it is not attached.
 */
struct vmnet_port *vmnet_port_of_file(struct file *file);

/**
 * vmnet_port_borrow() - have somebody else hear of frames and of room
 * @borrower: or NULL, to give the port back
 *
 * As long as a port is borrowed, its owner (for an open file: poll, blocked
 * calls, the IRQ page) hears of the link only. Calls for one port are the
 * caller's to serialize. Sleeps; a borrower from before is not called any more
 * when it returns, and whoever has the port then is told to look at it.
 */
void vmnet_port_borrow(struct vmnet_port *port, struct vmnet_port_borrower *borrower);

/**
 * vmnet_port_alloc() - an skb for a frame to send
 * @len: bytes of the frame, at most VMNET_FRAME_MAX (larger: NULL)
 *
 * Linear, with skb->len == @len and headroom for what a NIC puts in front.
 */
struct sk_buff *vmnet_port_alloc(unsigned int len, gfp_t gfp);

/*
 * So much of a frame that is lent is copied nevertheless: all headers that anybody
 * looks at on its way, so that what was looked at cannot change.
 */
#define VMNET_LEND_HEADER	256

/**
 * vmnet_port_takes_pages() - may a frame be worth lending?
 *
 * Not where it would be copied sooner or later anyway: in a network without a NIC, or
 * whose NIC does not take frames in pieces, or that is captured. A snapshot.
 */
bool vmnet_port_takes_pages(struct vmnet_port *port);

/**
 * vmnet_port_lend() - an skb for a frame to send that stays where it is
 * @from: all of the frame, in user memory: more than VMNET_LEND_HEADER bytes, at most
 *	VMNET_FRAME_MAX
 * @ubuf: with one reference. Whoever frees the frame, or copies it because it would
 *	keep it for long, says so by @ubuf, whatever has become of port and network by
 *	then: perhaps from a softirq, perhaps before vmnet_port_transmit() returns.
 *
 * Sleeps. NULL, with @ubuf not used, if there is no memory or no page there.
 */
struct sk_buff *vmnet_port_lend(struct vmnet_port *port, struct iov_iter *from,
				struct ubuf_info *ubuf);

/**
 * vmnet_port_room() - may a frame be sent now?
 *
 * False when what was sent before still waits for the wire; VMNET_EVENT_TX
 * then tells when it is worth asking again.
 */
bool vmnet_port_room(struct vmnet_port *port);

/**
 * vmnet_port_transmit() - send a frame; takes @skb
 * @skb: from vmnet_port_alloc() or vmnet_port_lend()
 *
 * Not with interrupts off. Returns 0 or -EINVAL, -EMSGSIZE, -ENETDOWN, -EPERM,
 * -EADDRNOTAVAIL, -ENODEV as write() on /dev/vmnet does, or -ENOBUFS without
 * room. All are counted.
 */
int vmnet_port_transmit(struct vmnet_port *port, struct sk_buff *skb);

/**
 * vmnet_port_receive() - the next frame for the port, or NULL
 *
 * The frame begins at skb->data and is skb->len bytes long. It may be shared
 * and in pieces: read it with skb_copy_bits() and its kin, do not write to it.
 */
struct sk_buff *vmnet_port_receive(struct vmnet_port *port);

/* Frames that wait; a snapshot. */
unsigned int vmnet_port_waiting(struct vmnet_port *port);

/**
 * vmnet_port_arm() - ask for VMNET_EVENT_RX (or not)
 *
 * After arming, look at vmnet_port_waiting() once more before sleeping: frames
 * that came before do not notify.
 */
void vmnet_port_arm(struct vmnet_port *port, bool on);

/**
 * vmnet_port_overflows() - frames that found the port's queue full
 *
 * As VMNET_RX_QUEUE_FULL counts them, but cheap to ask for; wraps.
 */
u32 vmnet_port_overflows(struct vmnet_port *port);

/* Count a frame that was received but could not be handed on: VMNET_RX_*. */
void vmnet_port_count(struct vmnet_port *port, enum vmnet_counter counter);

void vmnet_port_status(struct vmnet_port *port, struct vmnet_status *status);

/* As VMNET_SET_MAC. Sleeps. */
int vmnet_port_set_mac(struct vmnet_port *port, const u8 *mac);

#endif
