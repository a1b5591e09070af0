// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports: where frames enter and leave a network, and the interface through
 * which vmdriver and /dev/vmnet use them (include/vmnet_port.h).
 */
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/uio.h>

#include "vmnet.h"

/* What NICs put in front of a frame; one that needs more makes the room itself. */
#define VMNET_HEADROOM	(NET_SKB_PAD + NET_IP_ALIGN)

struct proto vmnet_proto = {
	.name = "vmnet",
	.owner = THIS_MODULE,
	.obj_size = sizeof(struct vmnet_port),
};

static inline struct vmnet_port *port_of(struct sock *sk)
{
	return container_of(sk, struct vmnet_port, sk);
}

/* The last reference is gone, and the last frame that the port had sent. */
static void port_destruct(struct sock *sk)
{
	skb_queue_purge(&sk->sk_receive_queue);
	free_percpu(port_of(sk)->counters);
}

/* A frame that the port had sent was freed, wherever it got to. */
static void port_write_space(struct sock *sk)
{
	struct vmnet_port *port = port_of(sk);

	if (READ_ONCE(port->want_room) && sock_writeable(sk) && xchg(&port->want_room, false))
		vmnet_port_notify(port, VMNET_EVENT_TX);
}

struct vmnet_port *vmnet_port_create(enum vmnet_port_kind kind)
{
	struct vmnet_port *port;
	struct sock *sk;

	sk = sk_alloc(&init_net, AF_UNSPEC, GFP_KERNEL_ACCOUNT, &vmnet_proto, 1);
	if (!sk)
		return NULL;
	sock_init_data(NULL, sk);
	/* The switch table and the hub find ports under RCU. */
	sock_set_flag(sk, SOCK_RCU_FREE);
	sk->sk_destruct = port_destruct;
	sk->sk_write_space = port_write_space;
	sk->sk_sndbuf = VMNET_SNDBUF;

	port = port_of(sk);
	port->kind = kind;
	port->cable = true;
	port->armed = true;
	INIT_LIST_HEAD(&port->list);
	port->counters = __alloc_percpu_gfp(VMNET_COUNTER_NR * sizeof(u64), sizeof(u64),
					    GFP_KERNEL_ACCOUNT);
	if (!port->counters) {
		sock_put(sk);
		return NULL;
	}
	return port;
}

void vmnet_port_put(struct vmnet_port *port)
{
	sock_put(&port->sk);
}

/* Make a port part of a network. Its address and deliver() are set before. */
int vmnet_port_link_to(struct vmnet_port *port, struct vmnet_network *nw)
{
	int err;

	ASSERT_RTNL();
	if (nw->ports_nr >= VMNET_PORTS_MAX)
		return -ENOSPC;
	port->home = nw;
	if (!is_zero_ether_addr(port->mac)) {
		err = vmnet_fdb_fix(&nw->fdb, port, port->mac);
		if (err)
			return err;
	}
	port->id = ++nw->last_port;
	nw->ports_nr++;
	if (port->kind == VMNET_PORT_GUEST) {
		nw->guests++;
		if (port->policy.promiscuous)
			nw->promiscuous++;
	}
	rcu_assign_pointer(port->network, nw);
	list_add_tail_rcu(&port->list, port->kind == VMNET_PORT_MONITOR ?
			  &nw->monitors : &nw->ports);
	vmnet_event_port(nw, port, VMNET_CMD_PORT_NEW);
	return 0;
}

/* Frames that nobody will fetch any more. */
static void purge(struct vmnet_port *port)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&port->sk.sk_receive_queue)))
		vmnet_drop(port, VMNET_RX_CLOSED, skb);
}

/*
 * Take a port out of its network. No frame goes in or out when this returns,
 * except that those who found it in the switch table may still hold it under
 * RCU: they see that it has no network. Sleeps.
 */
void vmnet_port_unlink(struct vmnet_port *port)
{
	struct vmnet_network *nw = rtnl_dereference(port->network);

	list_del_rcu(&port->list);
	RCU_INIT_POINTER(port->network, NULL);
	nw->ports_nr--;
	if (port->kind == VMNET_PORT_GUEST) {
		nw->guests--;
		if (port->policy.promiscuous)
			nw->promiscuous--;
	}
	/* Nothing learns an address behind this port after this. */
	synchronize_net();
	vmnet_fdb_flush(&nw->fdb, port);
	if (port->closing)
		purge(port);
	vmnet_event_port(nw, port, VMNET_CMD_PORT_DEL);
}

bool vmnet_port_link_up(struct vmnet_port *port, const struct vmnet_network *nw)
{
	return port->kind == VMNET_PORT_MONITOR ||
	       (READ_ONCE(port->cable) && READ_ONCE(nw->link));
}

void vmnet_port_notify(struct vmnet_port *port, u32 events)
{
	struct vmnet_port_borrower *borrower;

	rcu_read_lock();
	borrower = rcu_dereference(port->borrower);
	if (borrower && events & ~VMNET_EVENT_LINK) {
		borrower->notify(borrower, events & ~VMNET_EVENT_LINK);
		events &= VMNET_EVENT_LINK;
	}
	if (events && port->ops && !READ_ONCE(port->closing))
		port->ops->notify(port->priv, events);
	rcu_read_unlock();
}

void vmnet_port_borrow(struct vmnet_port *port, struct vmnet_port_borrower *borrower)
{
	struct vmnet_port_borrower *before = rcu_dereference_protected(port->borrower, true);

	rcu_assign_pointer(port->borrower, borrower);
	if (before)
		synchronize_net();
	vmnet_port_notify(port, VMNET_EVENT_RX | VMNET_EVENT_TX);
}
EXPORT_SYMBOL_GPL(vmnet_port_borrow);

/*
 * Put a frame into the port's queue. It may lie there for long: everything
 * that it still holds of the place it came from is given back first.
 */
void vmnet_port_queue(struct vmnet_port *port, struct sk_buff *skb)
{
	struct vmnet_network *nw = rcu_dereference(port->network);
	struct sk_buff_head *queue = &port->sk.sk_receive_queue;
	unsigned int len = skb->len;
	bool full;

	if (!nw)
		return vmnet_drop(port, VMNET_RX_CLOSED, skb);
	if (!vmnet_port_link_up(port, nw))
		return vmnet_drop(port, VMNET_RX_LINK, skb);
	if (skb_orphan_frags_rx(skb, GFP_ATOMIC))
		return vmnet_drop(port, VMNET_RX_NOMEM, skb);
	skb_orphan(skb);
	skb_scrub_packet(skb, true);
	skb->dev = NULL;

	spin_lock_bh(&queue->lock);
	full = skb_queue_len(queue) >= READ_ONCE(port->policy.queue);
	if (full)
		WRITE_ONCE(port->overflows, port->overflows + 1);
	else
		__skb_queue_tail(queue, skb);
	spin_unlock_bh(&queue->lock);
	if (full)
		return vmnet_drop(port, VMNET_RX_QUEUE_FULL, skb);

	vmnet_count_frame(port, VMNET_RX_FRAMES, len);
	/* Pairs with vmnet_port_arm(). */
	smp_mb();
	if (READ_ONCE(port->armed))
		vmnet_port_notify(port, VMNET_EVENT_RX);
}

void vmnet_port_set_promiscuous(struct vmnet_port *port, bool on)
{
	struct vmnet_network *nw = rtnl_dereference(port->network);

	if (port->policy.promiscuous == on)
		return;
	WRITE_ONCE(port->policy.promiscuous, on);
	if (port->kind == VMNET_PORT_GUEST)
		WRITE_ONCE(nw->promiscuous, nw->promiscuous + (on ? 1 : -1));
}

/* The guest or monitor with this number. */
struct vmnet_port *vmnet_port_find(struct vmnet_network *nw, u32 id)
{
	struct vmnet_port *port;

	ASSERT_RTNL();
	list_for_each_entry(port, &nw->ports, list)
		if (port->id == id)
			return port;
	list_for_each_entry(port, &nw->monitors, list)
		if (port->id == id)
			return port;
	return NULL;
}

static int check_attach(struct vmnet_attach *how)
{
	if (how->pad || how->flags & ~VMNET_ATTACH_MONITOR || how->queue > VMNET_QUEUE_MAX)
		return -EINVAL;
	if (!memchr(how->network, 0, sizeof(how->network)))
		return -EINVAL;
	if (how->flags & VMNET_ATTACH_MONITOR)
		eth_zero_addr(how->mac);
	else if (is_zero_ether_addr(how->mac))
		eth_random_addr(how->mac);
	return is_multicast_ether_addr(how->mac) ? -EADDRNOTAVAIL : 0;
}

struct vmnet_port *vmnet_port_attach(struct net *net, struct vmnet_attach *how,
				     const struct vmnet_port_ops *ops, void *priv)
{
	struct vmnet_network *nw;
	struct vmnet_port *port;
	int err;

	err = check_attach(how);
	if (err)
		return ERR_PTR(err);
	port = vmnet_port_create(how->flags & VMNET_ATTACH_MONITOR ?
				 VMNET_PORT_MONITOR : VMNET_PORT_GUEST);
	if (!port)
		return ERR_PTR(-ENOMEM);
	port->ops = ops;
	port->priv = priv;
	port->pid = current->flags & PF_KTHREAD ? 0 : task_tgid_nr(current);
	port->deliver = vmnet_port_queue;
	ether_addr_copy(port->mac, how->mac);

	rtnl_lock();
	nw = vmnet_network_find(net, how->network);
	if (nw) {
		port->policy = nw->policy;
		if (how->queue)
			port->policy.queue = how->queue;
		err = vmnet_port_link_to(port, nw);
	} else {
		err = -ENOENT;
	}
	rtnl_unlock();
	if (err) {
		vmnet_port_put(port);
		return ERR_PTR(err);
	}
	how->port = port->id;
	return port;
}
EXPORT_SYMBOL_GPL(vmnet_port_attach);

void vmnet_port_detach(struct vmnet_port *port)
{
	rtnl_lock();
	WRITE_ONCE(port->closing, true);
	if (rtnl_dereference(port->network))
		vmnet_port_unlink(port);
	else
		synchronize_net();
	rtnl_unlock();
	vmnet_port_put(port);
}
EXPORT_SYMBOL_GPL(vmnet_port_detach);

struct sk_buff *vmnet_port_alloc(unsigned int len, gfp_t gfp)
{
	struct sk_buff *skb;

	if (len > VMNET_FRAME_MAX)
		return NULL;
	skb = alloc_skb(VMNET_HEADROOM + len, gfp | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, VMNET_HEADROOM);
	skb_put(skb, len);
	return skb;
}
EXPORT_SYMBOL_GPL(vmnet_port_alloc);

bool vmnet_port_takes_pages(struct vmnet_port *port)
{
	const struct vmnet_network *nw;
	bool takes;

	rcu_read_lock();
	nw = rcu_dereference(port->network);
	takes = nw && READ_ONCE(nw->gathers) && list_empty(&nw->monitors);
	rcu_read_unlock();
	return takes;
}
EXPORT_SYMBOL_GPL(vmnet_port_takes_pages);

struct sk_buff *vmnet_port_lend(struct vmnet_port *port, struct iov_iter *from,
				struct ubuf_info *ubuf)
{
	struct sk_buff *skb = vmnet_port_alloc(VMNET_LEND_HEADER, GFP_KERNEL);

	if (!skb)
		return NULL;
	skb_set_owner_w(skb, &port->sk);	/* the pages are charged to it */
	if (zerocopy_sg_from_iter(skb, from)) {
		kfree_skb(skb);
		return NULL;
	}
	skb_zcopy_init(skb, ubuf);
	return skb;
}
EXPORT_SYMBOL_GPL(vmnet_port_lend);

bool vmnet_port_room(struct vmnet_port *port)
{
	if (sock_writeable(&port->sk))
		return true;
	WRITE_ONCE(port->want_room, true);
	/* Pairs with the barrier in xchg(), port_write_space(). */
	smp_mb();
	return sock_writeable(&port->sk);
}
EXPORT_SYMBOL_GPL(vmnet_port_room);

/* May this frame enter the network? Says in @cause why not. */
static int admit(struct vmnet_port *port, const struct vmnet_network *nw, struct sk_buff *skb,
		 enum vmnet_counter *cause)
{
	const struct ethhdr *eth = (struct ethhdr *)skb->data;

	*cause = VMNET_TX_SHORT;
	if (skb->len < VMNET_FRAME_MIN || skb_headlen(skb) < ETH_HLEN)
		return -EINVAL;
	*cause = VMNET_TX_LONG;
	if (skb->len > READ_ONCE(nw->mtu) + ETH_HLEN + VLAN_HLEN)
		return -EMSGSIZE;
	*cause = VMNET_TX_LINK;
	if (!vmnet_port_link_up(port, nw))
		return -ENETDOWN;
	*cause = VMNET_TX_SOURCE;
	if (!is_valid_ether_addr(eth->h_source))
		return -EADDRNOTAVAIL;
	*cause = VMNET_TX_MACLOCK;
	if (READ_ONCE(port->policy.mac_lock) && !ether_addr_equal(eth->h_source, port->mac))
		return -EPERM;
	*cause = VMNET_TX_NOROOM;
	/* Beyond vmnet_port_room(): several may have been told at once that there is. */
	if (sk_wmem_alloc_get(&port->sk) >= READ_ONCE(port->sk.sk_sndbuf))
		return -ENOBUFS;
	return 0;
}

int vmnet_port_transmit(struct vmnet_port *port, struct sk_buff *skb)
{
	enum vmnet_counter cause = VMNET_TX_LINK;
	struct vmnet_network *nw;
	int err;

	/* For what runs below: softirqs off, as on the way up from a NIC. */
	local_bh_disable();
	rcu_read_lock();
	nw = rcu_dereference(port->network);
	if (port->kind != VMNET_PORT_GUEST)
		err = -EOPNOTSUPP;
	else
		err = nw ? admit(port, nw, skb, &cause) : -ENODEV;
	if (err) {
		vmnet_drop(port, cause, skb);
		goto out;
	}
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb->protocol = eth_proto_is_802_3(eth_hdr(skb)->h_proto) ?
			eth_hdr(skb)->h_proto : htons(ETH_P_802_2);
	skb_set_owner_w(skb, &port->sk);
	vmnet_count_frame(port, VMNET_TX_FRAMES, skb->len);
	vmnet_hub_forward(nw, port, skb);
out:
	rcu_read_unlock();
	local_bh_enable();
	return err;
}
EXPORT_SYMBOL_GPL(vmnet_port_transmit);

struct sk_buff *vmnet_port_receive(struct vmnet_port *port)
{
	struct sk_buff_head *queue = &port->sk.sk_receive_queue;
	struct sk_buff *skb;

	spin_lock_bh(&queue->lock);
	skb = __skb_dequeue(queue);
	spin_unlock_bh(&queue->lock);
	return skb;
}
EXPORT_SYMBOL_GPL(vmnet_port_receive);

unsigned int vmnet_port_waiting(struct vmnet_port *port)
{
	return skb_queue_len_lockless(&port->sk.sk_receive_queue);
}
EXPORT_SYMBOL_GPL(vmnet_port_waiting);

u32 vmnet_port_overflows(struct vmnet_port *port)
{
	return READ_ONCE(port->overflows);
}
EXPORT_SYMBOL_GPL(vmnet_port_overflows);

void vmnet_port_arm(struct vmnet_port *port, bool on)
{
	WRITE_ONCE(port->armed, on);
	/* Pairs with vmnet_port_queue(): either it sees this, or we its frame. */
	smp_mb();
}
EXPORT_SYMBOL_GPL(vmnet_port_arm);

void vmnet_port_count(struct vmnet_port *port, enum vmnet_counter counter)
{
	vmnet_count(port, counter);
}
EXPORT_SYMBOL_GPL(vmnet_port_count);

void vmnet_port_status(struct vmnet_port *port, struct vmnet_status *status)
{
	const struct vmnet_network *nw;

	memset(status, 0, sizeof(*status));
	rcu_read_lock();
	nw = rcu_dereference(port->network);
	if (nw) {
		status->link = vmnet_port_link_up(port, nw);
		status->mtu = READ_ONCE(nw->mtu);
	} else {
		status->gone = 1;
	}
	rcu_read_unlock();
	status->waiting = vmnet_port_waiting(port);
	vmnet_stats_sum(port, status->counters);
}
EXPORT_SYMBOL_GPL(vmnet_port_status);

int vmnet_port_set_mac(struct vmnet_port *port, const u8 *mac)
{
	struct vmnet_network *nw;
	int err = 0;

	if (!is_valid_ether_addr(mac))
		return -EADDRNOTAVAIL;
	rtnl_lock();
	nw = rtnl_dereference(port->network);
	if (!nw)
		err = -ENODEV;
	else if (ether_addr_equal(port->mac, mac))
		goto out;
	else if (port->policy.mac_lock || port->kind != VMNET_PORT_GUEST)
		err = -EPERM;
	else
		err = vmnet_fdb_fix(&nw->fdb, port, mac);
	if (err)
		goto out;
	vmnet_fdb_unfix(&nw->fdb, port, port->mac);
	ether_addr_copy(port->mac, mac);
	vmnet_event_port(nw, port, VMNET_CMD_PORT_SET);
out:
	rtnl_unlock();
	return err;
}
EXPORT_SYMBOL_GPL(vmnet_port_set_mac);
