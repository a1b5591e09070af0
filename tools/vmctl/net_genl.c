// SPDX-License-Identifier: GPL-2.0-only
/* vmctl net: messages to and from the kernel. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>

#include "net.h"
#include "vmctl.h"

/* The attributes of a message, by type; NULL where there is none. */
struct attrs {
	const struct nlattr *by_type[VMNET_A_NR];
};

static int collect_attr(const struct nlattr *attr, void *data)
{
	struct attrs *attrs = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type < VMNET_A_NR)
		attrs->by_type[type] = attr;
	return MNL_CB_OK;
}

static uint32_t get_u32(const struct attrs *attrs, enum vmnet_attr type)
{
	const struct nlattr *attr = attrs->by_type[type];

	return attr && !mnl_attr_validate(attr, MNL_TYPE_U32) ? mnl_attr_get_u32(attr) : 0;
}

static void get_string(const struct attrs *attrs, enum vmnet_attr type, char *to, size_t size)
{
	const struct nlattr *attr = attrs->by_type[type];

	if (attr && !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
		snprintf(to, size, "%s", mnl_attr_get_str(attr));
}

static void get_bytes(const struct attrs *attrs, enum vmnet_attr type, void *to, size_t size)
{
	const struct nlattr *attr = attrs->by_type[type];
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	if (len)
		memcpy(to, mnl_attr_get_payload(attr), len < size ? len : size);
}

static void collect(struct attrs *attrs, const struct nlmsghdr *msg)
{
	memset(attrs, 0, sizeof(*attrs));
	mnl_attr_parse(msg, sizeof(struct genlmsghdr), collect_attr, attrs);
}

void net_info_parse(struct net_info *info, const struct nlmsghdr *msg)
{
	struct attrs a;

	collect(&a, msg);
	memset(info, 0, sizeof(*info));
	get_string(&a, VMNET_A_NETWORK, info->name, sizeof(info->name));
	get_string(&a, VMNET_A_IFNAME, info->ifname, sizeof(info->ifname));
	info->type = get_u32(&a, VMNET_A_TYPE);
	info->hub = get_u32(&a, VMNET_A_HUB);
	info->mtu = get_u32(&a, VMNET_A_MTU);
	info->ifindex = get_u32(&a, VMNET_A_IFINDEX);
	info->link = get_u32(&a, VMNET_A_LINK);
	info->ports = get_u32(&a, VMNET_A_PORTS);
	info->learned = get_u32(&a, VMNET_A_LEARNED);
	info->promiscuous = get_u32(&a, VMNET_A_PROMISCUOUS);
	info->maclock = get_u32(&a, VMNET_A_MACLOCK);
	info->queue = get_u32(&a, VMNET_A_QUEUE);
}

void port_info_parse(struct port_info *info, const struct nlmsghdr *msg)
{
	struct attrs a;

	collect(&a, msg);
	memset(info, 0, sizeof(*info));
	get_string(&a, VMNET_A_NETWORK, info->network, sizeof(info->network));
	get_bytes(&a, VMNET_A_MAC, info->mac, sizeof(info->mac));
	get_bytes(&a, VMNET_A_COUNTERS, info->counters, sizeof(info->counters));
	info->port = get_u32(&a, VMNET_A_PORT);
	info->kind = get_u32(&a, VMNET_A_KIND);
	info->link = get_u32(&a, VMNET_A_LINK);
	info->cable = get_u32(&a, VMNET_A_CABLE);
	info->pid = get_u32(&a, VMNET_A_PID);
	info->promiscuous = get_u32(&a, VMNET_A_PROMISCUOUS);
	info->maclock = get_u32(&a, VMNET_A_MACLOCK);
	info->queue = get_u32(&a, VMNET_A_QUEUE);
}

enum vmnet_cmd genl_cmd(const struct nlmsghdr *msg)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(msg);

	return genl->cmd;
}

/* ---- requests ---------------------------------------------------------------- */

static struct nlmsghdr *begin(struct genl *g, uint16_t type, uint16_t flags, uint8_t cmd,
			      uint8_t version)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(g->buf);
	struct genlmsghdr *genl;

	msg->nlmsg_type = type;
	msg->nlmsg_flags = NLM_F_REQUEST | flags;
	msg->nlmsg_seq = ++g->seq;
	genl = mnl_nlmsg_put_extra_header(msg, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return msg;
}

struct nlmsghdr *genl_begin(struct genl *g, enum vmnet_cmd cmd, bool dump)
{
	return begin(g, g->family, dump ? NLM_F_DUMP : NLM_F_ACK, cmd, VMNET_GENL_VERSION);
}

static int find_message(const struct nlattr *attr, void *data)
{
	const char **text = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
	    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
		*text = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

/* What the kernel says about an error, or NULL. */
static const char *extended_error(const struct nlmsghdr *msg)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(msg);
	size_t offset = sizeof(*err);
	const char *text = NULL;

	if (!(msg->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(msg->nlmsg_flags & NLM_F_CAPPED))
		offset += mnl_nlmsg_get_payload_len(&err->msg);
	mnl_attr_parse(msg, offset, find_message, &text);
	return text;
}

static int complain(const struct nlmsghdr *msg, const char *subject)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(msg);
	const char *text = extended_error(msg);

	if (text)
		return vmctl_fail("net", NULL, "%s: %s", subject, text);
	if (err->error == -EPERM)
		return vmctl_fail("net", "run this as root", "%s: it needs CAP_NET_ADMIN", subject);
	return vmctl_fail("net", NULL, "%s: %s", subject, strerror(-err->error));
}

int genl_talk(struct genl *g, struct nlmsghdr *msg, const char *subject,
	      void (*cb)(const struct nlmsghdr *msg, void *data), void *data)
{
	uint32_t seq = msg->nlmsg_seq;
	ssize_t n;

	if (mnl_socket_sendto(g->nl, msg, msg->nlmsg_len) < 0)
		return vmctl_fail("net", NULL, "%s: %s", subject, strerror(errno));
	for (;;) {
		const struct nlmsghdr *answer = (struct nlmsghdr *)g->buf;
		int left;

		n = mnl_socket_recvfrom(g->nl, g->buf, sizeof(g->buf));
		if (n < 0)
			return vmctl_fail("net", NULL, "%s: %s", subject, strerror(errno));
		left = n;
		for (; mnl_nlmsg_ok(answer, left); answer = mnl_nlmsg_next(answer, &left)) {
			const struct nlmsgerr *err = mnl_nlmsg_get_payload(answer);

			if (answer->nlmsg_seq != seq)
				continue;
			if (answer->nlmsg_type == NLMSG_DONE)
				return 0;
			if (answer->nlmsg_type == NLMSG_ERROR)
				return err->error ? complain(answer, subject) : 0;
			if (cb)
				cb(answer, data);
		}
	}
}

/* ---- the family's numbers ------------------------------------------------------ */

struct group_search {
	const char *name;
	uint32_t id;
};

static int read_group(const struct nlattr *attr, void *data)
{
	struct group_search *group = data;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME)
		group->name = mnl_attr_get_str(attr);
	else if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
		group->id = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int read_family(const struct nlattr *attr, void *data)
{
	struct genl *g = data;
	const struct nlattr *entry;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
		g->family = mnl_attr_get_u16(attr);
	if (mnl_attr_get_type(attr) != CTRL_ATTR_MCAST_GROUPS)
		return MNL_CB_OK;
	mnl_attr_for_each_nested(entry, attr) {
		struct group_search group = { 0 };

		mnl_attr_parse_nested(entry, read_group, &group);
		if (group.name && !strcmp(group.name, VMNET_GENL_EVENTS))
			g->group = group.id;
	}
	return MNL_CB_OK;
}

/* Returns 0 or -errno. A socket that is asked for a family also loads its module. */
static int find_family(struct genl *g)
{
	struct nlmsghdr *msg = begin(g, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY, 1);
	const struct nlmsgerr *err;
	ssize_t n;

	mnl_attr_put_strz(msg, CTRL_ATTR_FAMILY_NAME, VMNET_GENL_NAME);
	if (mnl_socket_sendto(g->nl, msg, msg->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		n = mnl_socket_recvfrom(g->nl, g->buf, sizeof(g->buf));
		if (n < 0)
			return -errno;
		msg = (struct nlmsghdr *)g->buf;
		if (!mnl_nlmsg_ok(msg, n))
			return -EPROTO;
		if (msg->nlmsg_type == NLMSG_ERROR) {
			err = mnl_nlmsg_get_payload(msg);
			return err->error ? err->error : g->family ? 0 : -ENOENT;
		}
		mnl_attr_parse(msg, sizeof(struct genlmsghdr), read_family, g);
	}
}

int genl_open(struct genl *g)
{
	int err, one = 1;

	g->family = 0;
	g->group = 0;
	g->seq = time(NULL);
	g->nl = mnl_socket_open(NETLINK_GENERIC);
	if (!g->nl || mnl_socket_bind(g->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = errno;
		genl_close(g);
		return vmctl_fail("net", NULL, "cannot open a netlink socket: %s", strerror(err));
	}
	mnl_socket_setsockopt(g->nl, NETLINK_EXT_ACK, &one, sizeof(one));
	err = find_family(g);
	if (!err)
		return 0;
	genl_close(g);
	if (err == -ENOENT)
		return vmctl_fail("net", "run 'modprobe vmnet' as root",
				  "the kernel module vmnet is not loaded");
	return vmctl_fail("net", NULL, "cannot find vmnet's netlink family: %s", strerror(-err));
}

void genl_close(struct genl *g)
{
	if (g->nl)
		mnl_socket_close(g->nl);
	g->nl = NULL;
}

int genl_listen(struct genl *g)
{
	if (mnl_socket_setsockopt(g->nl, NETLINK_ADD_MEMBERSHIP, &g->group, sizeof(g->group)) < 0)
		return vmctl_fail("net", NULL, "cannot listen for events: %s", strerror(errno));
	return 0;
}

int genl_event(struct genl *g, void (*cb)(const struct nlmsghdr *msg, void *data), void *data)
{
	const struct nlmsghdr *msg = (struct nlmsghdr *)g->buf;
	ssize_t n = mnl_socket_recvfrom(g->nl, g->buf, sizeof(g->buf));
	int left = n;

	if (n < 0)
		return -1;
	for (; mnl_nlmsg_ok(msg, left); msg = mnl_nlmsg_next(msg, &left))
		if (msg->nlmsg_type == g->family)
			cb(msg, data);
	return 0;
}

/* ---- common questions ---------------------------------------------------------- */

static void parse_one(const struct nlmsghdr *msg, void *data)
{
	net_info_parse(data, msg);
}

int net_info_get(struct genl *g, const char *name, struct net_info *info)
{
	struct nlmsghdr *msg = genl_begin(g, VMNET_CMD_NETWORK_GET, false);

	mnl_attr_put_strz(msg, VMNET_A_NETWORK, name);
	return genl_talk(g, msg, name, parse_one, info);
}

int port_info_each(struct genl *g, const char *network,
		   void (*cb)(const struct nlmsghdr *msg, void *data), void *data)
{
	struct nlmsghdr *msg = genl_begin(g, VMNET_CMD_PORT_GET, true);

	if (network)
		mnl_attr_put_strz(msg, VMNET_A_NETWORK, network);
	return genl_talk(g, msg, network ? network : "ports", cb, data);
}

/* ---- the hostonly interface ------------------------------------------------------ */

static bool parse_address(const char *text, struct in_addr *addr, unsigned int *bits)
{
	char ip[INET_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	char *end;

	if (!slash || (size_t)(slash - text) >= sizeof(ip))
		return false;
	memcpy(ip, text, slash - text);
	ip[slash - text] = 0;
	*bits = strtoul(slash + 1, &end, 10);
	return inet_pton(AF_INET, ip, addr) == 1 && end != slash + 1 && !*end &&
	       *bits >= 1 && *bits <= 32;
}

static void put_address(struct nlmsghdr *msg, uint32_t ifindex, struct in_addr addr,
			unsigned int bits)
{
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(msg, sizeof(*ifa));

	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = bits;
	ifa->ifa_index = ifindex;
	mnl_attr_put(msg, IFA_LOCAL, sizeof(addr), &addr);
	mnl_attr_put(msg, IFA_ADDRESS, sizeof(addr), &addr);
	if (bits <= 30) {
		addr.s_addr |= htonl(0xffffffffu >> bits);
		mnl_attr_put(msg, IFA_BROADCAST, sizeof(addr), &addr);
	}
}

static struct nlmsghdr *rtnl_begin(struct genl *g, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(g->buf);

	msg->nlmsg_type = type;
	msg->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	msg->nlmsg_seq = ++g->seq;
	return msg;
}

int rtnl_configure(const char *ifname, uint32_t ifindex, const char *address)
{
	static struct genl route;
	struct ifinfomsg *link;
	struct nlmsghdr *msg;
	struct in_addr addr;
	unsigned int bits;
	int status;

	if (!parse_address(address, &addr, &bits))
		return vmctl_fail("net", "write it like 192.168.10.1/24",
				  "'%s' is not an IPv4 address with its prefix length", address);
	route.nl = mnl_socket_open(NETLINK_ROUTE);
	if (!route.nl || mnl_socket_bind(route.nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		genl_close(&route);
		return vmctl_fail("net", NULL, "cannot open a netlink socket: %s", strerror(errno));
	}
	msg = rtnl_begin(&route, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	put_address(msg, ifindex, addr, bits);
	status = genl_talk(&route, msg, ifname, NULL, NULL);
	if (!status) {
		msg = rtnl_begin(&route, RTM_NEWLINK, 0);
		link = mnl_nlmsg_put_extra_header(msg, sizeof(*link));
		link->ifi_index = ifindex;
		link->ifi_flags = IFF_UP;
		link->ifi_change = IFF_UP;
		status = genl_talk(&route, msg, ifname, NULL, NULL);
	}
	genl_close(&route);
	return status;
}
