// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a frame goes. A switch sends it to the port that its destination is
 * behind; a hub, and a switch that does not know, offers it to all, and the
 * ports' policies say who may have it. It never goes back to where it is from.
 */
#include <linux/ktime.h>
#include <linux/rculist.h>

#include "vmnet.h"

/*
 * @owner: the port that @dst is behind, NULL if unknown or multicast. A NIC is
 * a bridge even of a hub: what is for a guest does not leave the machine.
 */
static bool accepts(const struct vmnet_port *port, const u8 *dst, const struct vmnet_port *owner)
{
	if (is_multicast_ether_addr(dst) || owner == port)
		return true;
	switch (port->kind) {
	case VMNET_PORT_GUEST:
		return READ_ONCE(port->policy.promiscuous);
	case VMNET_PORT_UPLINK:
		return !owner;
	case VMNET_PORT_HOST:
		return READ_ONCE(vmnet_hostonly_dev((struct vmnet_port *)port)->flags) &
		       IFF_PROMISC;
	default:
		return false;
	}
}

static void deliver_copy(struct vmnet_port *from, struct vmnet_port *to, struct sk_buff *skb)
{
	struct sk_buff *copy = skb_clone(skb, GFP_ATOMIC);

	if (!copy) {
		vmnet_count(to, VMNET_RX_NOMEM);
		return;
	}
	/* A clone has no owner; into the host's stack it must go as ours. */
	if (from->kind == VMNET_PORT_GUEST && to->kind != VMNET_PORT_GUEST)
		skb_set_owner_w(copy, &from->sk);
	to->deliver(to, copy);
}

static void flood(struct vmnet_network *nw, struct vmnet_port *from, const struct vmnet_port *owner,
		  struct sk_buff *skb)
{
	struct vmnet_port *port, *last = NULL;
	u8 dst[ETH_ALEN];

	ether_addr_copy(dst, eth_hdr(skb)->h_dest);
	list_for_each_entry_rcu(port, &nw->ports, list) {
		if (port == from || !accepts(port, dst, owner))
			continue;
		if (last)
			deliver_copy(from, last, skb);
		last = port;
	}
	if (last)
		last->deliver(last, skb);
	else
		vmnet_drop(from, VMNET_TX_NOBODY, skb);
}

static void monitor(struct vmnet_network *nw, struct vmnet_port *from, struct sk_buff *skb)
{
	struct vmnet_capture_cb cb = {
		.time_ns = ktime_get_real_ns(),
		.port = from->id,
		.kind = from->kind,
	};
	struct vmnet_port *port;
	struct sk_buff *copy;

	list_for_each_entry_rcu(port, &nw->monitors, list) {
		copy = skb_clone(skb, GFP_ATOMIC);
		if (!copy) {
			vmnet_count(port, VMNET_RX_NOMEM);
			continue;
		}
		*vmnet_capture_cb(copy) = cb;
		vmnet_port_queue(port, copy);
	}
}

/* A frame enters the network at @from. Under RCU, softirqs off. Owns @skb. */
void vmnet_hub_forward(struct vmnet_network *nw, struct vmnet_port *from, struct sk_buff *skb)
{
	const struct ethhdr *eth = eth_hdr(skb);
	struct vmnet_port *owner = NULL;

	if (!list_empty(&nw->monitors))
		monitor(nw, from, skb);
	if (is_valid_ether_addr(eth->h_source))
		vmnet_fdb_learn(&nw->fdb, from, eth->h_source);
	if (!is_multicast_ether_addr(eth->h_dest))
		owner = vmnet_fdb_find(&nw->fdb, eth->h_dest);

	if (!owner || READ_ONCE(nw->hub))
		flood(nw, from, owner, skb);
	else if (owner != from)
		owner->deliver(owner, skb);
	else
		vmnet_drop(from, VMNET_TX_NOBODY, skb);
}

/*
 * Would a frame to @dst that comes from outside through @from interest anyone
 * inside? Asked for every frame of a bridged NIC, most of which are the host's.
 */
enum vmnet_route vmnet_hub_route(struct vmnet_network *nw, struct vmnet_port *from, const u8 *dst)
{
	struct vmnet_port *owner;

	if (!READ_ONCE(nw->guests) && list_empty(&nw->monitors))
		return VMNET_ROUTE_NONE;
	if (is_multicast_ether_addr(dst))
		return VMNET_ROUTE_COPY;
	owner = vmnet_fdb_find(&nw->fdb, dst);
	if (owner && owner != from)
		return VMNET_ROUTE_ONLY;
	if (READ_ONCE(nw->promiscuous) && (!owner || READ_ONCE(nw->hub)))
		return VMNET_ROUTE_COPY;
	return VMNET_ROUTE_NONE;
}
