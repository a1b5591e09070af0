// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's own interface on a network: a netdev called vmnetN. It takes large
 * and unfinished frames, as they cost the host less.
 */
#include <linux/ethtool.h>
#include <net/rtnetlink.h>

#include "vmnet.h"

struct vmnet_hostonly {
	struct vmnet_network *nw;
	struct vmnet_port *port;
};

#define HOSTONLY_FEATURES \
	(NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HIGHDMA | NETIF_F_HW_CSUM | \
	 NETIF_F_GSO_SOFTWARE | NETIF_F_HW_VLAN_CTAG_TX)

static netdev_tx_t hostonly_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct vmnet_hostonly *ho = netdev_priv(dev);
	unsigned int len = skb->len;

	skb_tx_timestamp(skb);
	skb_reset_mac_header(skb);
	rcu_read_lock();
	vmnet_offload_enter(ho->port, skb);
	rcu_read_unlock();
	dev_sw_netstats_tx_add(dev, 1, len);
	return NETDEV_TX_OK;
}

struct net_device *vmnet_hostonly_dev(struct vmnet_port *port)
{
	return port->priv;
}

static void hostonly_deliver(struct vmnet_port *port, struct sk_buff *skb)
{
	struct net_device *dev = vmnet_hostonly_dev(port);
	unsigned int len = skb->len;

	if (!netif_running(dev))
		return vmnet_drop(port, VMNET_RX_LINK, skb);
	skb->protocol = eth_type_trans(skb, dev);
	if (netif_rx(skb) != NET_RX_SUCCESS) {
		vmnet_count(port, VMNET_RX_REFUSED);
		return;
	}
	vmnet_count_frame(port, VMNET_RX_FRAMES, len);
	dev_sw_netstats_rx_add(dev, len);
}

static int hostonly_change_mtu(struct net_device *dev, int mtu)
{
	struct vmnet_hostonly *ho = netdev_priv(dev);

	WRITE_ONCE(dev->mtu, mtu);
	vmnet_network_set_mtu(ho->nw, mtu);
	return 0;
}

static int hostonly_set_mac(struct net_device *dev, void *address)
{
	struct vmnet_hostonly *ho = netdev_priv(dev);
	const struct sockaddr *sa = address;
	int err;

	if (!is_valid_ether_addr(sa->sa_data))
		return -EADDRNOTAVAIL;
	if (ether_addr_equal(sa->sa_data, dev->dev_addr))
		return 0;
	err = vmnet_fdb_fix(&ho->nw->fdb, ho->port, sa->sa_data);
	if (err)
		return err;
	vmnet_fdb_unfix(&ho->nw->fdb, ho->port, dev->dev_addr);
	ether_addr_copy(ho->port->mac, sa->sa_data);
	eth_hw_addr_set(dev, sa->sa_data);
	return 0;
}

/* Every frame that guests send to a group is received; there is no filter to set. */
static void hostonly_set_rx_mode(struct net_device *dev)
{
}

static int hostonly_init(struct net_device *dev)
{
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	return dev->tstats ? 0 : -ENOMEM;
}

static void hostonly_uninit(struct net_device *dev)
{
	free_percpu(dev->tstats);
	dev->tstats = NULL;
}

static const struct net_device_ops hostonly_ops = {
	.ndo_init = hostonly_init,
	.ndo_uninit = hostonly_uninit,
	.ndo_start_xmit = hostonly_xmit,
	.ndo_change_mtu = hostonly_change_mtu,
	.ndo_set_mac_address = hostonly_set_mac,
	.ndo_set_rx_mode = hostonly_set_rx_mode,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_get_stats64 = dev_get_tstats64,
};

static void hostonly_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	struct vmnet_hostonly *ho = netdev_priv(dev);

	strscpy(info->driver, "vmnet", sizeof(info->driver));
	strscpy(info->bus_info, ho->nw->name, sizeof(info->bus_info));
}

static const struct ethtool_ops hostonly_ethtool_ops = {
	.get_drvinfo = hostonly_drvinfo,
	.get_link = ethtool_op_get_link,
};

/*
 * For `ip -d link`. Networks, and so their netdevs, are made and deleted by
 * the vmnet family: without setup() and dellink() `ip link` cannot. A netdev
 * that was moved comes back when its new namespace ends.
 */
static struct rtnl_link_ops hostonly_link_ops __read_mostly = {
	.kind = "vmnet",
	.netns_refund = true,
};

static void hostonly_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &hostonly_ops;
	dev->ethtool_ops = &hostonly_ethtool_ops;
	dev->rtnl_link_ops = &hostonly_link_ops;
	dev->needs_free_netdev = true;
	dev->min_mtu = VMNET_MTU_MIN;
	dev->max_mtu = VMNET_MTU_MAX;
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->priv_flags |= IFF_NO_QUEUE | IFF_LIVE_ADDR_CHANGE;
	dev->hw_features = HOSTONLY_FEATURES;
	dev->features = HOSTONLY_FEATURES;
	dev->vlan_features = HOSTONLY_FEATURES & ~NETIF_F_HW_VLAN_CTAG_TX;
	vmnet_compat_lltx(dev);
	eth_hw_addr_random(dev);
}

bool vmnet_is_hostonly(const struct net_device *dev)
{
	return dev->netdev_ops == &hostonly_ops;
}

/* @ifname: what to call the netdev, "" for vmnetN. It starts down. */
int vmnet_hostonly_add(struct vmnet_network *nw, const char *ifname,
		       struct netlink_ext_ack *extack)
{
	struct vmnet_hostonly *ho;
	struct net_device *dev;
	int err = -ENOMEM;

	ASSERT_RTNL();
	dev = alloc_netdev(sizeof(*ho), *ifname ? ifname : "vmnet%d",
			   *ifname ? NET_NAME_USER : NET_NAME_ENUM, hostonly_setup);
	if (!dev)
		return -ENOMEM;
	dev_net_set(dev, nw->net);
	dev->mtu = nw->mtu;
	ho = netdev_priv(dev);
	ho->nw = nw;
	ho->port = vmnet_port_create(VMNET_PORT_HOST);
	if (!ho->port)
		goto err_free;
	ho->port->priv = dev;
	ho->port->deliver = hostonly_deliver;
	ether_addr_copy(ho->port->mac, dev->dev_addr);
	err = vmnet_port_link_to(ho->port, nw);
	if (err)
		goto err_port;
	err = register_netdevice(dev);
	if (err) {
		NL_SET_ERR_MSG(extack, "cannot make an interface of this name; choose another");
		goto err_unlink;
	}
	dev_set_alias(dev, nw->name, strlen(nw->name));
	nw->host = ho->port;
	return 0;

err_unlink:
	vmnet_port_unlink(ho->port);
err_port:
	vmnet_port_put(ho->port);
err_free:
	free_netdev(dev);
	return err;
}

void vmnet_hostonly_remove(struct vmnet_network *nw)
{
	struct vmnet_port *port = nw->host;

	ASSERT_RTNL();
	if (!port)
		return;
	nw->host = NULL;
	/* The netdev's memory stays until the RTNL is released. */
	unregister_netdevice(vmnet_hostonly_dev(port));
	vmnet_port_unlink(port);
	synchronize_net();
	vmnet_port_put(port);
}

int vmnet_hostonly_set_mtu(struct vmnet_network *nw, unsigned int mtu)
{
	return dev_set_mtu(vmnet_hostonly_dev(nw->host), mtu);
}

int vmnet_hostonly_init(void)
{
	return rtnl_link_register(&hostonly_link_ops);
}

void vmnet_hostonly_exit(void)
{
	rtnl_link_unregister(&hostonly_link_ops);
}
