// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bridge between a network and a physical NIC (any Ethernet netdev).
 *
 * What the NIC receives passes our rx_handler before the host's stack: frames
 * for a guest end there, others go on undisturbed. What the host itself sends
 * on the NIC is seen by a packet tap, as tcpdump would, so that guests get it
 * although it never comes back from the wire. What guests send goes to the
 * wire, up the host's stack as if the NIC had received it, or both.
 *
 * Guests' frames carry their port as skb->sk until they have passed tap and
 * rx_handler, which thereby know them and let them go: no frame comes back.
 */
#include <linux/if_arp.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "vmnet.h"

struct vmnet_bridge {
	struct list_head list;		/* of all bridges; RTNL */
	struct vmnet_network *nw;
	struct vmnet_port *port;
	struct net_device __rcu *dev;	/* NULL while the NIC is missing */
	struct packet_type tap;
	char ifname[IFNAMSIZ];		/* what to wait for */
};

static LIST_HEAD(bridges);

static struct vmnet_bridge *bridge_of(struct vmnet_port *port)
{
	return port->priv;
}

/* ---- into the network ------------------------------------------------------ */

static enum vmnet_route route_of(struct vmnet_port *port, const struct sk_buff *skb)
{
	struct vmnet_network *nw = rcu_dereference(port->network);
	const struct ethhdr *eth = (struct ethhdr *)skb_mac_header(skb);
	enum vmnet_route route;

	if (!nw)
		return VMNET_ROUTE_NONE;
	route = vmnet_hub_route(nw, port, eth->h_dest);
	/* Others learn from what enters; who talks to the host only is on the wire too. */
	if (route == VMNET_ROUTE_NONE && READ_ONCE(nw->guests) &&
	    is_valid_ether_addr(eth->h_source))
		vmnet_fdb_learn(&nw->fdb, port, eth->h_source);
	return route;
}

static rx_handler_result_t bridge_rx(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb, *copy;
	struct vmnet_port *port = rcu_dereference(skb->dev->rx_handler_data);
	enum vmnet_route route;

	if (skb->pkt_type == PACKET_LOOPBACK)
		return RX_HANDLER_PASS;
	if (vmnet_port_of(skb->sk, bridge_of(port)->nw)) {
		/* A guest's, for the host: from here on it is like any other. */
		skb_orphan(skb);
		return RX_HANDLER_PASS;
	}
	route = route_of(port, skb);
	if (route == VMNET_ROUTE_NONE)
		return RX_HANDLER_PASS;
	if (route == VMNET_ROUTE_COPY)
		copy = skb_clone(skb, GFP_ATOMIC);
	else
		copy = skb_share_check(skb, GFP_ATOMIC);
	if (copy) {
		skb_push(copy, copy->data - skb_mac_header(copy));
		vmnet_offload_enter(port, copy);
	} else {
		vmnet_count(port, VMNET_TX_NOMEM);
	}
	return route == VMNET_ROUTE_COPY ? RX_HANDLER_PASS : RX_HANDLER_CONSUMED;
}

/*
 * The tap sees what the host sends, and also what comes in: there it takes
 * over for the one case that the rx_handler never sees, frames of a VLAN that
 * the host has a netdev for.
 */
static int bridge_tap(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt,
		      struct net_device *orig_dev)
{
	struct vmnet_bridge *bridge = container_of(pt, struct vmnet_bridge, tap);
	bool out = skb->pkt_type == PACKET_OUTGOING;

	if (!out && (!skb_vlan_tag_present(skb) || vmnet_port_of(skb->sk, bridge->nw) ||
		     !__vlan_find_dev_deep_rcu(dev, skb->vlan_proto, skb_vlan_tag_get_id(skb))))
		goto ignore;
	if (route_of(bridge->port, skb) == VMNET_ROUTE_NONE)
		goto ignore;
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb) {
		vmnet_count(bridge->port, VMNET_TX_NOMEM);
		return NET_RX_DROP;
	}
	skb_push(skb, skb->data - skb_mac_header(skb));
	vmnet_offload_enter(bridge->port, skb);
	return NET_RX_SUCCESS;

ignore:
	consume_skb(skb);
	return NET_RX_SUCCESS;
}

/* Called for frames with a socket: those of our ports never reach the tap. */
static bool bridge_tap_match(struct packet_type *pt, struct sock *sk)
{
	struct vmnet_bridge *bridge = container_of(pt, struct vmnet_bridge, tap);

	return vmnet_port_of(sk, bridge->nw);
}

/* ---- out of the network ---------------------------------------------------- */

static bool is_host_address(struct net_device *dev, const u8 *mac)
{
	struct netdev_hw_addr *ha;

	if (ether_addr_equal(mac, dev->dev_addr))
		return true;
	/* Those of VLANs and the like on top of the NIC. */
	list_for_each_entry_rcu(ha, &dev->uc.list, list)
		if (ether_addr_equal(mac, ha->addr))
			return true;
	return false;
}

static void to_host(struct vmnet_port *port, struct net_device *dev, struct sk_buff *skb)
{
	unsigned int len = skb->len;

	skb->protocol = eth_type_trans(skb, dev);
	if (netif_rx(skb) == NET_RX_SUCCESS)
		vmnet_count_frame(port, VMNET_RX_FRAMES, len);
	else
		vmnet_count(port, VMNET_RX_REFUSED);
}

static void to_wire(struct vmnet_port *port, struct net_device *dev, struct sk_buff *skb)
{
	unsigned int len = skb->len;

	skb->dev = dev;
	if (dev_queue_xmit(skb) == NET_XMIT_SUCCESS)
		vmnet_count_frame(port, VMNET_RX_FRAMES, len);
	else
		vmnet_count(port, VMNET_RX_REFUSED);
}

/* What goes to both, wire and host, counts as two frames. */
static void bridge_deliver(struct vmnet_port *port, struct sk_buff *skb)
{
	struct net_device *dev = rcu_dereference(bridge_of(port)->dev);
	const u8 *dst = eth_hdr(skb)->h_dest;
	struct sk_buff *copy;

	if (!dev || !netif_running(dev))
		return vmnet_drop(port, VMNET_RX_LINK, skb);
	if (is_multicast_ether_addr(dst)) {
		copy = skb_clone(skb, GFP_ATOMIC);
		if (copy) {
			skb_set_owner_w(copy, skb->sk);
			to_host(port, dev, copy);
		} else {
			vmnet_count(port, VMNET_RX_NOMEM);
		}
	} else if (is_host_address(dev, dst)) {
		return to_host(port, dev, skb);
	}
	to_wire(port, dev, skb);
}

/* ---- the NIC comes and goes ------------------------------------------------ */

static int check_nic(struct net_device *dev, struct netlink_ext_ack *extack)
{
	if (dev->type != ARPHRD_ETHER || dev->flags & IFF_LOOPBACK ||
	    !is_valid_ether_addr(dev->dev_addr)) {
		NL_SET_ERR_MSG(extack, "not an Ethernet interface; only those can be bridged");
		return -EINVAL;
	}
	if (dev->priv_flags & IFF_DONT_BRIDGE) {
		NL_SET_ERR_MSG(extack,
			       "a wireless interface passes its own address only; use a hostonly network");
		return -EOPNOTSUPP;
	}
	if (vmnet_is_hostonly(dev)) {
		NL_SET_ERR_MSG(extack,
			       "this is a hostonly network's interface; attach guests to that network");
		return -EINVAL;
	}
	if (!netdev_is_rx_handler_busy(dev))
		return 0;
	if (rtnl_dereference(dev->rx_handler) == bridge_rx)
		NL_SET_ERR_MSG(extack,
			       "another network is bridged to this interface; attach guests to that one");
	else if (netif_is_bridge_port(dev))
		NL_SET_ERR_MSG(extack,
			       "the interface is in a Linux bridge; bridge to that, or 'ip link set IF nomaster'");
	else
		NL_SET_ERR_MSG(extack,
			       "a bond, team, macvlan or switch has this interface; bridge to that instead");
	return -EBUSY;
}

static void refresh_nic(struct vmnet_bridge *bridge)
{
	struct net_device *dev = rtnl_dereference(bridge->dev);

	vmnet_network_set_link(bridge->nw, dev && netif_running(dev) && netif_carrier_ok(dev));
	WRITE_ONCE(bridge->nw->gathers, dev && dev->features & NETIF_F_SG);
}

static int connect(struct vmnet_bridge *bridge, struct net_device *dev,
		   struct netlink_ext_ack *extack)
{
	struct vmnet_port *port = bridge->port;
	int err;

	err = check_nic(dev, extack);
	if (err)
		return err;
	err = vmnet_fdb_fix(&bridge->nw->fdb, port, dev->dev_addr);
	if (err) {
		NL_SET_ERR_MSG(extack, "a guest has the interface's address; change one of them");
		return err;
	}
	err = netdev_rx_handler_register(dev, bridge_rx, port);
	if (err)
		goto err_fdb;
	err = dev_set_promiscuity(dev, 1);
	if (err)
		goto err_handler;
	dev_disable_lro(dev);
	dev_hold(dev);
	ether_addr_copy(port->mac, dev->dev_addr);
	strscpy(bridge->ifname, dev->name, sizeof(bridge->ifname));
	rcu_assign_pointer(bridge->dev, dev);
	bridge->tap = (struct packet_type){
		.type = htons(ETH_P_ALL),
		.dev = dev,
		.func = bridge_tap,
		.id_match = bridge_tap_match,
		.af_packet_priv = bridge,
	};
	dev_add_pack(&bridge->tap);
	vmnet_network_set_mtu(bridge->nw, dev->mtu);
	refresh_nic(bridge);
	return 0;

err_handler:
	netdev_rx_handler_unregister(dev);
err_fdb:
	vmnet_fdb_unfix(&bridge->nw->fdb, port, dev->dev_addr);
	return err;
}

/* The bridge stays, and waits for a NIC of this name. */
static void disconnect(struct vmnet_bridge *bridge)
{
	struct net_device *dev = rtnl_dereference(bridge->dev);

	if (!dev)
		return;
	RCU_INIT_POINTER(bridge->dev, NULL);
	dev_remove_pack(&bridge->tap);
	netdev_rx_handler_unregister(dev);
	synchronize_net();
	dev_set_promiscuity(dev, -1);
	vmnet_fdb_unfix(&bridge->nw->fdb, bridge->port, bridge->port->mac);
	vmnet_fdb_flush(&bridge->nw->fdb, bridge->port);
	eth_zero_addr(bridge->port->mac);
	dev_put(dev);
	refresh_nic(bridge);
}

static struct net_device *find_nic(struct vmnet_network *nw, const char *ifname,
				   struct netlink_ext_ack *extack)
{
	struct net_device *dev = __dev_get_by_name(nw->net, ifname);

	if (!dev)
		NL_SET_ERR_MSG(extack, "there is no such interface; 'ip link' lists them");
	return dev;
}

/* Could @nw be bridged to it, if it were to nothing else? */
int vmnet_bridge_check(struct vmnet_network *nw, const char *ifname,
		       struct netlink_ext_ack *extack)
{
	struct net_device *dev = find_nic(nw, ifname, extack);

	return dev ? check_nic(dev, extack) : -ENODEV;
}

int vmnet_bridge_add(struct vmnet_network *nw, const char *ifname,
		     struct netlink_ext_ack *extack)
{
	struct net_device *dev = find_nic(nw, ifname, extack);
	struct vmnet_bridge *bridge;
	int err = -ENOMEM;

	ASSERT_RTNL();
	if (!dev)
		return -ENODEV;
	bridge = kzalloc(sizeof(*bridge), GFP_KERNEL);
	if (!bridge)
		return -ENOMEM;
	bridge->nw = nw;
	bridge->port = vmnet_port_create(VMNET_PORT_UPLINK);
	if (!bridge->port)
		goto err_free;
	bridge->port->priv = bridge;
	bridge->port->deliver = bridge_deliver;
	err = vmnet_port_link_to(bridge->port, nw);
	if (err) {
		NL_SET_ERR_MSG(extack, "the network has no port left; detach a guest first");
		goto err_port;
	}
	err = connect(bridge, dev, extack);
	if (err)
		goto err_unlink;
	list_add(&bridge->list, &bridges);
	nw->host = bridge->port;
	return 0;

err_unlink:
	vmnet_port_unlink(bridge->port);
err_port:
	vmnet_port_put(bridge->port);
err_free:
	kfree(bridge);
	return err;
}

void vmnet_bridge_remove(struct vmnet_network *nw)
{
	struct vmnet_port *port = nw->host;
	struct vmnet_bridge *bridge;

	ASSERT_RTNL();
	if (!port)
		return;
	bridge = bridge_of(port);
	nw->host = NULL;
	list_del(&bridge->list);
	disconnect(bridge);
	vmnet_port_unlink(port);
	/* For those who found the port in the switch table and are in deliver(). */
	synchronize_net();
	vmnet_port_put(port);
	kfree(bridge);
}

/* The NIC's name, and its index or 0 while it is missing. */
void vmnet_bridge_nic(struct vmnet_port *port, char *name, int *ifindex)
{
	struct vmnet_bridge *bridge = bridge_of(port);
	struct net_device *dev = rtnl_dereference(bridge->dev);

	strscpy(name, bridge->ifname, IFNAMSIZ);
	*ifindex = dev ? dev->ifindex : 0;
}

static void change_address(struct vmnet_bridge *bridge, struct net_device *dev)
{
	struct vmnet_port *port = bridge->port;

	if (ether_addr_equal(port->mac, dev->dev_addr))
		return;
	vmnet_fdb_unfix(&bridge->nw->fdb, port, port->mac);
	ether_addr_copy(port->mac, dev->dev_addr);
	if (vmnet_fdb_fix(&bridge->nw->fdb, port, port->mac))
		netdev_warn(dev, "a guest of network %s has this address too; change one of them\n",
			    bridge->nw->name);
	vmnet_event_port(bridge->nw, port, VMNET_CMD_PORT_SET);
}

/* A NIC that some bridge may be waiting for: it was plugged, renamed or moved. */
static void reconnect(struct net_device *dev)
{
	struct netlink_ext_ack extack = {};
	struct vmnet_bridge *bridge;

	list_for_each_entry(bridge, &bridges, list) {
		if (rtnl_dereference(bridge->dev) || !net_eq(bridge->nw->net, dev_net(dev)) ||
		    strcmp(bridge->ifname, dev->name))
			continue;
		if (connect(bridge, dev, &extack))
			netdev_warn(dev, "cannot bridge network %s to it again: %s\n",
				    bridge->nw->name, extack._msg ?: "out of memory");
		return;
	}
}

static int bridge_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct vmnet_bridge *bridge;

	if (rtnl_dereference(dev->rx_handler) != bridge_rx) {
		if (event == NETDEV_REGISTER || event == NETDEV_CHANGENAME)
			reconnect(dev);
		return NOTIFY_DONE;
	}
	bridge = bridge_of(rtnl_dereference(dev->rx_handler_data));
	switch (event) {
	case NETDEV_UP:
	case NETDEV_DOWN:
	case NETDEV_CHANGE:
	case NETDEV_FEAT_CHANGE:
		refresh_nic(bridge);
		break;
	case NETDEV_CHANGEMTU:
		vmnet_network_set_mtu(bridge->nw, dev->mtu);
		break;
	case NETDEV_CHANGEADDR:
		change_address(bridge, dev);
		break;
	case NETDEV_CHANGENAME:
		strscpy(bridge->ifname, dev->name, sizeof(bridge->ifname));
		vmnet_event_network(bridge->nw, VMNET_CMD_NETWORK_SET);
		break;
	case NETDEV_PRE_TYPE_CHANGE:
		/* Only Ethernet can be bridged. */
		return NOTIFY_BAD;
	case NETDEV_UNREGISTER:
		/* Also when it moves to another namespace. */
		disconnect(bridge);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block bridge_notifier = {
	.notifier_call = bridge_event,
};

int vmnet_bridge_init(void)
{
	return register_netdevice_notifier(&bridge_notifier);
}

void vmnet_bridge_exit(void)
{
	unregister_netdevice_notifier(&bridge_notifier);
}
