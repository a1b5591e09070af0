// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual networks: made, changed and deleted here; each lives in the network
 * namespace it was made in, and the module stays as long as there is one.
 */
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "vmnet.h"

struct vmnet_net {
	struct list_head networks;	/* RTNL */
	unsigned int networks_nr;
};

static unsigned int vmnet_net_id __read_mostly;

struct list_head *vmnet_networks(struct net *net)
{
	struct vmnet_net *vn = net_generic(net, vmnet_net_id);

	return &vn->networks;
}

struct vmnet_network *vmnet_network_find(struct net *net, const char *name)
{
	struct vmnet_network *nw;

	ASSERT_RTNL();
	list_for_each_entry(nw, vmnet_networks(net), list)
		if (!strcmp(nw->name, name))
			return nw;
	return NULL;
}

static bool valid_name(const char *name)
{
	const char *c;

	for (c = name; *c; c++)
		if (!isascii(*c) || (!isalnum(*c) && !strchr("._-", *c)))
			return false;
	return c != name && c - name < VMNET_NAME_MAX && isalnum(*name);
}

static int check_new(struct net *net, const char *name, struct netlink_ext_ack *extack)
{
	struct vmnet_net *vn = net_generic(net, vmnet_net_id);

	if (!valid_name(name)) {
		NL_SET_ERR_MSG(extack,
			       "a network's name is 1 to 31 letters, digits, dots, hyphens or underscores");
		return -EINVAL;
	}
	if (vmnet_network_find(net, name)) {
		NL_SET_ERR_MSG(extack, "there is a network of this name; choose another name");
		return -EEXIST;
	}
	if (vn->networks_nr >= VMNET_NETWORKS_MAX) {
		NL_SET_ERR_MSG(extack, "there are 256 networks; delete one first");
		return -ENOSPC;
	}
	return 0;
}

/* The network has no host's port yet, whatever its @type. */
struct vmnet_network *vmnet_network_create(struct net *net, const char *name,
					   enum vmnet_type type, struct netlink_ext_ack *extack)
{
	struct vmnet_net *vn = net_generic(net, vmnet_net_id);
	struct vmnet_network *nw;
	int err;

	ASSERT_RTNL();
	err = check_new(net, name, extack);
	if (err)
		return ERR_PTR(err);
	if (!try_module_get(THIS_MODULE))
		return ERR_PTR(-ENODEV);
	nw = kvzalloc(sizeof(*nw), GFP_KERNEL_ACCOUNT);
	if (!nw) {
		module_put(THIS_MODULE);
		return ERR_PTR(-ENOMEM);
	}
	nw->net = net;
	strscpy(nw->name, name, sizeof(nw->name));
	nw->type = type;
	nw->link = type != VMNET_TYPE_BRIDGED;
	nw->mtu = ETH_DATA_LEN;
	nw->policy.queue = VMNET_QUEUE_DEFAULT;
	INIT_LIST_HEAD(&nw->ports);
	INIT_LIST_HEAD(&nw->monitors);
	vmnet_fdb_init(&nw->fdb);
	list_add_tail(&nw->list, vmnet_networks(net));
	vn->networks_nr++;
	return nw;
}

static void unlink_all(struct list_head *ports)
{
	struct vmnet_port *port, *next;

	list_for_each_entry_safe(port, next, ports, list) {
		vmnet_port_unlink(port);
		vmnet_port_notify(port, VMNET_EVENT_LINK);
	}
}

/* -EBUSY: guests are attached, and not @force. Their ports then stay behind. */
int vmnet_network_delete(struct vmnet_network *nw, bool force, struct netlink_ext_ack *extack)
{
	struct vmnet_net *vn = net_generic(nw->net, vmnet_net_id);

	ASSERT_RTNL();
	if (nw->guests && !force) {
		NL_SET_ERR_MSG(extack, "guests are attached; stop them, or use --force");
		return -EBUSY;
	}
	if (nw->type == VMNET_TYPE_BRIDGED)
		vmnet_bridge_remove(nw);
	else if (nw->type == VMNET_TYPE_HOSTONLY)
		vmnet_hostonly_remove(nw);
	unlink_all(&nw->ports);
	unlink_all(&nw->monitors);
	list_del(&nw->list);
	vn->networks_nr--;
	vmnet_event_network(nw, VMNET_CMD_NETWORK_DEL);
	vmnet_fdb_destroy(&nw->fdb);
	kvfree(nw);
	module_put(THIS_MODULE);
	return 0;
}

static void network_changed(struct vmnet_network *nw)
{
	struct vmnet_port *port;

	list_for_each_entry(port, &nw->ports, list)
		vmnet_port_notify(port, VMNET_EVENT_LINK);
	vmnet_event_network(nw, VMNET_CMD_NETWORK_SET);
}

void vmnet_network_set_link(struct vmnet_network *nw, bool link)
{
	ASSERT_RTNL();
	if (nw->link == link)
		return;
	WRITE_ONCE(nw->link, link);
	network_changed(nw);
}

void vmnet_network_set_mtu(struct vmnet_network *nw, unsigned int mtu)
{
	ASSERT_RTNL();
	mtu = clamp_t(unsigned int, mtu, VMNET_MTU_MIN, VMNET_MTU_MAX);
	if (nw->mtu == mtu)
		return;
	WRITE_ONCE(nw->mtu, mtu);
	network_changed(nw);
}

static int __net_init vmnet_net_init(struct net *net)
{
	INIT_LIST_HEAD(vmnet_networks(net));
	return 0;
}

/*
 * A namespace ends: its networks go, and with them the netdevs of the hostonly
 * ones, which is why this is a "device" and not a "subsys" operation. Files
 * that are still open keep their ports, which are connected to nothing.
 */
static void __net_exit vmnet_net_exit(struct net *net)
{
	struct vmnet_network *nw, *next;

	rtnl_lock();
	list_for_each_entry_safe(nw, next, vmnet_networks(net), list)
		vmnet_network_delete(nw, true, NULL);
	rtnl_unlock();
}

static struct pernet_operations vmnet_net_ops = {
	.init = vmnet_net_init,
	.exit = vmnet_net_exit,
	.id = &vmnet_net_id,
	.size = sizeof(struct vmnet_net),
};

static int __init vmnet_init(void)
{
	int err;

	err = register_pernet_device(&vmnet_net_ops);
	if (err)
		return err;
	err = vmnet_bridge_init();
	if (err)
		goto err_net;
	err = vmnet_hostonly_init();
	if (err)
		goto err_bridge;
	err = vmnet_netlink_init();
	if (err)
		goto err_hostonly;
	err = vmnet_userport_init();
	if (err)
		goto err_netlink;
	return 0;

err_netlink:
	vmnet_netlink_exit();
err_hostonly:
	vmnet_hostonly_exit();
err_bridge:
	vmnet_bridge_exit();
err_net:
	unregister_pernet_device(&vmnet_net_ops);
	return err;
}

static void __exit vmnet_exit(void)
{
	vmnet_userport_exit();
	vmnet_netlink_exit();
	vmnet_hostonly_exit();
	vmnet_bridge_exit();
	unregister_pernet_device(&vmnet_net_ops);
}

module_init(vmnet_init);
module_exit(vmnet_exit);

MODULE_DESCRIPTION("Worldswitch virtual networks: ports, hubs, bridges");
MODULE_LICENSE("GPL");
/* `vmctl net` loads the module by asking for its netlink family. */
MODULE_ALIAS("net-pf-" __stringify(PF_NETLINK) "-proto-" __stringify(NETLINK_GENERIC)
	     "-family-" VMNET_GENL_NAME);
