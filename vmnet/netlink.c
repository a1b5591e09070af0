// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family: networks and ports are made, changed, listed and
 * watched through it. Attributes are checked by one policy; what a message
 * asks for is done under the RTNL.
 */
#include <linux/module.h>
#include <net/genetlink.h>

#include "vmnet.h"

enum { VMNET_GROUP_EVENTS };

static const struct genl_multicast_group groups[] = {
	[VMNET_GROUP_EVENTS] = { .name = VMNET_GENL_EVENTS },
};

/* Not const: kernels before 6.6 want it so. */
static struct netlink_range_validation mtu_range = {
	.min = VMNET_MTU_MIN,
	.max = VMNET_MTU_MAX,
};

static const struct nla_policy policy[VMNET_A_NR] = {
	[VMNET_A_NETWORK] = { .type = NLA_NUL_STRING, .len = VMNET_NAME_MAX - 1 },
	[VMNET_A_TYPE] = NLA_POLICY_MAX(NLA_U32, VMNET_TYPE_NR - 1),
	[VMNET_A_HUB] = NLA_POLICY_MAX(NLA_U32, 1),
	[VMNET_A_MTU] = NLA_POLICY_FULL_RANGE(NLA_U32, &mtu_range),
	[VMNET_A_IFNAME] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
	[VMNET_A_FORCE] = { .type = NLA_FLAG },
	[VMNET_A_PORT] = { .type = NLA_U32 },
	[VMNET_A_CABLE] = NLA_POLICY_MAX(NLA_U32, 1),
	[VMNET_A_PROMISCUOUS] = NLA_POLICY_MAX(NLA_U32, 1),
	[VMNET_A_MACLOCK] = NLA_POLICY_MAX(NLA_U32, 1),
	[VMNET_A_QUEUE] = NLA_POLICY_RANGE(NLA_U32, 1, VMNET_QUEUE_MAX),
};

static struct genl_family family;

/* ---- messages out -------------------------------------------------------------- */

static int put_policy(struct sk_buff *msg, const struct vmnet_policy *p)
{
	return nla_put_u32(msg, VMNET_A_PROMISCUOUS, p->promiscuous) ||
	       nla_put_u32(msg, VMNET_A_MACLOCK, p->mac_lock) ||
	       nla_put_u32(msg, VMNET_A_QUEUE, p->queue);
}

/* The host's side: a NIC, which may be missing, or the hostonly netdev. */
static int put_interface(struct sk_buff *msg, const struct vmnet_network *nw)
{
	char name[IFNAMSIZ];
	int ifindex;

	if (!nw->host)
		return 0;
	if (nw->type == VMNET_TYPE_BRIDGED) {
		vmnet_bridge_nic(nw->host, name, &ifindex);
	} else {
		strscpy(name, vmnet_hostonly_dev(nw->host)->name, sizeof(name));
		ifindex = vmnet_hostonly_dev(nw->host)->ifindex;
	}
	return nla_put_string(msg, VMNET_A_IFNAME, name) ||
	       nla_put_u32(msg, VMNET_A_IFINDEX, ifindex);
}

static int fill_network(struct sk_buff *msg, const struct vmnet_network *nw, u32 portid, u32 seq,
			int flags, enum vmnet_cmd cmd)
{
	void *head = genlmsg_put(msg, portid, seq, &family, flags, cmd);

	if (!head)
		return -EMSGSIZE;
	if (nla_put_string(msg, VMNET_A_NETWORK, nw->name) ||
	    nla_put_u32(msg, VMNET_A_TYPE, nw->type) ||
	    nla_put_u32(msg, VMNET_A_HUB, nw->hub) ||
	    nla_put_u32(msg, VMNET_A_MTU, nw->mtu) ||
	    nla_put_u32(msg, VMNET_A_LINK, nw->link) ||
	    nla_put_u32(msg, VMNET_A_PORTS, nw->guests) ||
	    nla_put_u32(msg, VMNET_A_LEARNED, READ_ONCE(nw->fdb.count)) ||
	    put_interface(msg, nw) || put_policy(msg, &nw->policy)) {
		genlmsg_cancel(msg, head);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, head);
	return 0;
}

static int fill_port(struct sk_buff *msg, const struct vmnet_network *nw, struct vmnet_port *port,
		     u32 portid, u32 seq, int flags, enum vmnet_cmd cmd)
{
	void *head = genlmsg_put(msg, portid, seq, &family, flags, cmd);
	u64 counters[VMNET_COUNTER_NR];

	if (!head)
		return -EMSGSIZE;
	vmnet_stats_sum(port, counters);
	if (nla_put_string(msg, VMNET_A_NETWORK, nw->name) ||
	    nla_put_u32(msg, VMNET_A_PORT, port->id) ||
	    nla_put_u32(msg, VMNET_A_KIND, port->kind) ||
	    nla_put(msg, VMNET_A_MAC, ETH_ALEN, port->mac) ||
	    nla_put_u32(msg, VMNET_A_LINK, vmnet_port_link_up(port, nw)) ||
	    nla_put_u32(msg, VMNET_A_CABLE, port->cable) ||
	    nla_put_u32(msg, VMNET_A_PID, port->pid) ||
	    put_policy(msg, &port->policy) ||
	    nla_put(msg, VMNET_A_COUNTERS, sizeof(counters), counters)) {
		genlmsg_cancel(msg, head);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, head);
	return 0;
}

/*
 * Events are told as well as they can be: there is nobody to give an error to.
 * Both may run in the middle of a netdev notifier, with the RTNL held.
 */
static void send_event(struct net *net, struct sk_buff *msg, int err)
{
	if (err)
		nlmsg_free(msg);
	else
		genlmsg_multicast_netns(&family, net, msg, 0, VMNET_GROUP_EVENTS, GFP_KERNEL);
}

void vmnet_event_network(struct vmnet_network *nw, enum vmnet_cmd cmd)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (msg)
		send_event(nw->net, msg, fill_network(msg, nw, 0, 0, 0, cmd));
}

void vmnet_event_port(struct vmnet_network *nw, struct vmnet_port *port, enum vmnet_cmd cmd)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (msg)
		send_event(nw->net, msg, fill_port(msg, nw, port, 0, 0, 0, cmd));
}

/* ---- what a message asks for --------------------------------------------------- */

static const char *text_of(struct genl_info *info, int attr)
{
	return info->attrs[attr] ? nla_data(info->attrs[attr]) : NULL;
}

static struct vmnet_network *find_network(struct genl_info *info)
{
	const char *name = text_of(info, VMNET_A_NETWORK);
	struct vmnet_network *nw;

	if (!name) {
		NL_SET_ERR_MSG(info->extack, "the network's name is missing");
		return ERR_PTR(-EINVAL);
	}
	nw = vmnet_network_find(genl_info_net(info), name);
	if (!nw) {
		NL_SET_ERR_MSG(info->extack,
			       "there is no such network; 'vmctl net list' shows all");
		return ERR_PTR(-ENOENT);
	}
	return nw;
}

static int set_mtu(struct vmnet_network *nw, u32 mtu, struct netlink_ext_ack *extack)
{
	if (nw->type == VMNET_TYPE_HOSTONLY && nw->host)
		return vmnet_hostonly_set_mtu(nw, mtu);
	if (nw->type == VMNET_TYPE_BRIDGED) {
		NL_SET_ERR_MSG(extack,
			       "a bridged network has its interface's MTU; 'ip link set IF mtu N' sets it");
		return -EOPNOTSUPP;
	}
	vmnet_network_set_mtu(nw, mtu);
	return 0;
}

/* Bridge to @ifname, to another interface than before, or with "" to none. */
static int set_interface(struct vmnet_network *nw, const char *ifname,
			 struct netlink_ext_ack *extack)
{
	char old[IFNAMSIZ];
	int ifindex, err;

	if (nw->type == VMNET_TYPE_HOSTONLY) {
		NL_SET_ERR_MSG(extack,
			       "a hostonly network cannot be bridged; create another network for it");
		return -EOPNOTSUPP;
	}
	if (nw->host) {
		vmnet_bridge_nic(nw->host, old, &ifindex);
		if (!strcmp(old, ifname) && ifindex)
			return 0;
	}
	/* What cannot be leaves all as it is. */
	err = *ifname ? vmnet_bridge_check(nw, ifname, extack) : 0;
	if (err)
		return err;
	vmnet_bridge_remove(nw);
	if (!*ifname) {
		nw->type = VMNET_TYPE_PRIVATE;
		vmnet_network_set_link(nw, true);
		return 0;
	}
	err = vmnet_bridge_add(nw, ifname, extack);
	nw->type = err ? VMNET_TYPE_PRIVATE : VMNET_TYPE_BRIDGED;
	if (err)
		vmnet_network_set_link(nw, true);
	return err;
}

static void read_policy(struct vmnet_policy *p, struct nlattr **attrs)
{
	if (attrs[VMNET_A_PROMISCUOUS])
		p->promiscuous = nla_get_u32(attrs[VMNET_A_PROMISCUOUS]);
	if (attrs[VMNET_A_MACLOCK])
		p->mac_lock = nla_get_u32(attrs[VMNET_A_MACLOCK]);
	if (attrs[VMNET_A_QUEUE])
		p->queue = nla_get_u32(attrs[VMNET_A_QUEUE]);
}

/* What NEW and SET have in common. */
static int apply(struct vmnet_network *nw, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	int err = 0;

	if (attrs[VMNET_A_MTU])
		err = set_mtu(nw, nla_get_u32(attrs[VMNET_A_MTU]), info->extack);
	if (err)
		return err;
	if (attrs[VMNET_A_HUB])
		WRITE_ONCE(nw->hub, nla_get_u32(attrs[VMNET_A_HUB]));
	read_policy(&nw->policy, attrs);
	return 0;
}

static int create(struct net *net, struct genl_info *info, enum vmnet_type type)
{
	const char *name = text_of(info, VMNET_A_NETWORK);
	const char *ifname = text_of(info, VMNET_A_IFNAME) ?: "";
	struct vmnet_network *nw;
	int err = 0;

	nw = vmnet_network_create(net, name, type, info->extack);
	if (IS_ERR(nw))
		return PTR_ERR(nw);
	/* Whoever asks for a hub wants to see everything on it. */
	if (info->attrs[VMNET_A_HUB])
		nw->policy.promiscuous = nla_get_u32(info->attrs[VMNET_A_HUB]);
	if (type == VMNET_TYPE_BRIDGED)
		err = vmnet_bridge_add(nw, ifname, info->extack);
	else if (type == VMNET_TYPE_HOSTONLY)
		err = vmnet_hostonly_add(nw, ifname, info->extack);
	if (!err)
		err = apply(nw, info);
	if (err)
		vmnet_network_delete(nw, true, NULL);
	else
		vmnet_event_network(nw, VMNET_CMD_NETWORK_NEW);
	return err;
}

static int network_new(struct sk_buff *skb, struct genl_info *info)
{
	enum vmnet_type type;
	bool named;
	int err;

	if (!info->attrs[VMNET_A_NETWORK] || !info->attrs[VMNET_A_TYPE]) {
		NL_SET_ERR_MSG(info->extack, "the network's name or type is missing");
		return -EINVAL;
	}
	type = nla_get_u32(info->attrs[VMNET_A_TYPE]);
	named = info->attrs[VMNET_A_IFNAME];
	if ((type == VMNET_TYPE_BRIDGED && !named) || (type == VMNET_TYPE_PRIVATE && named)) {
		NL_SET_ERR_MSG(info->extack,
			       "a bridged network needs an interface, a private one has none");
		return -EINVAL;
	}
	rtnl_lock();
	err = create(genl_info_net(info), info, type);
	rtnl_unlock();
	return err;
}

static int network_del(struct sk_buff *skb, struct genl_info *info)
{
	struct vmnet_network *nw;
	int err;

	rtnl_lock();
	nw = find_network(info);
	err = IS_ERR(nw) ? PTR_ERR(nw) :
	      vmnet_network_delete(nw, nla_get_flag(info->attrs[VMNET_A_FORCE]), info->extack);
	rtnl_unlock();
	return err;
}

static int network_set(struct sk_buff *skb, struct genl_info *info)
{
	const char *ifname = text_of(info, VMNET_A_IFNAME);
	struct vmnet_network *nw;
	int err = 0;

	rtnl_lock();
	nw = find_network(info);
	if (IS_ERR(nw)) {
		err = PTR_ERR(nw);
		goto out;
	}
	if (ifname)
		err = set_interface(nw, ifname, info->extack);
	if (!err)
		err = apply(nw, info);
	vmnet_event_network(nw, VMNET_CMD_NETWORK_SET);
out:
	rtnl_unlock();
	return err;
}

static int network_get(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	struct vmnet_network *nw;
	int err;

	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	nw = find_network(info);
	err = IS_ERR(nw) ? PTR_ERR(nw) :
	      fill_network(msg, nw, info->snd_portid, info->snd_seq, 0, VMNET_CMD_NETWORK_GET);
	rtnl_unlock();
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}

static int port_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct vmnet_policy p;
	struct vmnet_network *nw;
	struct vmnet_port *port;
	int err = 0;

	rtnl_lock();
	nw = find_network(info);
	if (IS_ERR(nw)) {
		err = PTR_ERR(nw);
		goto out;
	}
	port = attrs[VMNET_A_PORT] ? vmnet_port_find(nw, nla_get_u32(attrs[VMNET_A_PORT])) : NULL;
	if (!port || port->kind != VMNET_PORT_GUEST) {
		NL_SET_ERR_MSG(info->extack,
			       "there is no such guest's port; 'vmctl net show NETWORK' lists them");
		err = -ENOENT;
		goto out;
	}
	p = port->policy;
	read_policy(&p, attrs);
	vmnet_port_set_promiscuous(port, p.promiscuous);
	WRITE_ONCE(port->policy.mac_lock, p.mac_lock);
	WRITE_ONCE(port->policy.queue, p.queue);
	if (attrs[VMNET_A_CABLE] && port->cable != nla_get_u32(attrs[VMNET_A_CABLE])) {
		WRITE_ONCE(port->cable, !port->cable);
		vmnet_port_notify(port, VMNET_EVENT_LINK);
	}
	vmnet_event_port(nw, port, VMNET_CMD_PORT_SET);
out:
	rtnl_unlock();
	return err;
}

/* ---- dumps: cb->args[0] is how many were sent before ----------------------------- */

static int network_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct vmnet_network *nw;
	long n = 0;

	rtnl_lock();
	list_for_each_entry(nw, vmnet_networks(sock_net(msg->sk)), list) {
		if (n++ < cb->args[0])
			continue;
		if (fill_network(msg, nw, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				 NLM_F_MULTI, VMNET_CMD_NETWORK_GET))
			break;
		cb->args[0] = n;
	}
	rtnl_unlock();
	return msg->len;
}

static int dump_list(struct sk_buff *msg, struct netlink_callback *cb, struct vmnet_network *nw,
		     struct list_head *ports, long *n)
{
	struct vmnet_port *port;

	list_for_each_entry(port, ports, list) {
		if ((*n)++ < cb->args[0])
			continue;
		if (fill_port(msg, nw, port, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			      NLM_F_MULTI, VMNET_CMD_PORT_GET))
			return -EMSGSIZE;
		cb->args[0] = *n;
	}
	return 0;
}

static int port_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct nlattr *attrs[VMNET_A_NR], *name;
	struct vmnet_network *nw;
	long n = 0;
	int err;

	err = genlmsg_parse(cb->nlh, &family, attrs, VMNET_A_NR - 1, policy, cb->extack);
	if (err)
		return err;
	name = attrs[VMNET_A_NETWORK];
	rtnl_lock();
	list_for_each_entry(nw, vmnet_networks(sock_net(msg->sk)), list) {
		if (name && nla_strcmp(name, nw->name))
			continue;
		if (dump_list(msg, cb, nw, &nw->ports, &n) ||
		    dump_list(msg, cb, nw, &nw->monitors, &n))
			break;
	}
	rtnl_unlock();
	return msg->len;
}

static const struct genl_ops ops[] = {
	{ .cmd = VMNET_CMD_NETWORK_GET, .doit = network_get, .dumpit = network_dump },
	{ .cmd = VMNET_CMD_NETWORK_NEW, .doit = network_new, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = VMNET_CMD_NETWORK_DEL, .doit = network_del, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = VMNET_CMD_NETWORK_SET, .doit = network_set, .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = VMNET_CMD_PORT_GET, .dumpit = port_dump },
	{ .cmd = VMNET_CMD_PORT_SET, .doit = port_set, .flags = GENL_UNS_ADMIN_PERM },
};

static struct genl_family family __ro_after_init = {
	.name = VMNET_GENL_NAME,
	.version = VMNET_GENL_VERSION,
	.maxattr = VMNET_A_NR - 1,
	.policy = policy,
	.netnsok = true,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.resv_start_op = VMNET_CMD_NR,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

int __init vmnet_netlink_init(void)
{
	return genl_register_family(&family);
}

void vmnet_netlink_exit(void)
{
	genl_unregister_family(&family);
}
