// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl net: make virtual networks, look at them, and change them.
 *
 * Each subcommand gets "net" as its argv[0], so that complaints point at
 * `vmctl help net`.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net.h"
#include "vmctl.h"

static struct genl genl;

static const char *const type_name[VMNET_TYPE_NR] = {
	[VMNET_TYPE_PRIVATE] = "private",
	[VMNET_TYPE_HOSTONLY] = "hostonly",
	[VMNET_TYPE_BRIDGED] = "bridged",
};

static const char *const kind_name[] = {
	[VMNET_PORT_GUEST] = "guest",
	[VMNET_PORT_HOST] = "host",
	[VMNET_PORT_UPLINK] = "uplink",
	[VMNET_PORT_MONITOR] = "monitor",
};

static const char *const counter_name[VMNET_COUNTER_NR] = {
	[VMNET_TX_FRAMES] = "tx_frames",
	[VMNET_TX_BYTES] = "tx_bytes",
	[VMNET_RX_FRAMES] = "rx_frames",
	[VMNET_RX_BYTES] = "rx_bytes",
	[VMNET_TX_SHORT] = "tx_short",
	[VMNET_TX_LONG] = "tx_long",
	[VMNET_TX_SOURCE] = "tx_bad_source",
	[VMNET_TX_MACLOCK] = "tx_mac_lock",
	[VMNET_TX_LINK] = "tx_link_down",
	[VMNET_TX_NOROOM] = "tx_no_room",
	[VMNET_TX_NOMEM] = "tx_no_memory",
	[VMNET_TX_NOBODY] = "tx_nobody",
	[VMNET_RX_QUEUE_FULL] = "rx_queue_full",
	[VMNET_RX_LINK] = "rx_link_down",
	[VMNET_RX_NOMEM] = "rx_no_memory",
	[VMNET_RX_REFUSED] = "rx_refused",
	[VMNET_RX_FAULT] = "rx_fault",
	[VMNET_RX_TRUNCATED] = "rx_truncated",
	[VMNET_RX_CLOSED] = "rx_closed",
	[VMNET_LEARN_REFUSED] = "learn_refused",
};

static const char *name_of(const char *const *names, size_t count, uint32_t value)
{
	return value < count && names[value] ? names[value] : "?";
}

#define NAME_OF(names, value) name_of(names, VMCTL_ARRAY_SIZE(names), value)

static void format_mac(char buf[18], const uint8_t *mac)
{
	snprintf(buf, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
}

/* ---- options --------------------------------------------------------------------- */

enum {
	OPT_TYPE = 1, OPT_NIC, OPT_HUB, OPT_SWITCH, OPT_MTU, OPT_PROMISCUOUS, OPT_MACLOCK,
	OPT_QUEUE, OPT_ADDRESS, OPT_FORCE, OPT_NONE, OPT_PORT, OPT_JSON, OPT_NAME,
};

/* Pairs of words for a yes or no. */
static int parse_choice(const char *option, const char *text, const char *no, const char *yes)
{
	if (!strcmp(text, yes))
		return 1;
	if (!strcmp(text, no))
		return 0;
	vmctl_usage("net", "%s takes '%s' or '%s', not '%s'", option, yes, no, text);
	return -1;
}

static bool put_choice(struct nlmsghdr *msg, enum vmnet_attr attr, int value)
{
	if (value < 0)
		return false;
	mnl_attr_put_u32(msg, attr, value);
	return true;
}

static bool put_number(struct nlmsghdr *msg, enum vmnet_attr attr, const char *option,
		       const char *text, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || n < min || n > max) {
		vmctl_usage("net", "%s takes a number from %lu to %lu, not '%s'", option, min, max,
			    text);
		return false;
	}
	mnl_attr_put_u32(msg, attr, n);
	return true;
}

/* An option that says something about a network or a port. */
static bool put_setting(struct nlmsghdr *msg, int opt)
{
	switch (opt) {
	case OPT_HUB:
	case OPT_SWITCH:
		mnl_attr_put_u32(msg, VMNET_A_HUB, opt == OPT_HUB);
		return true;
	case OPT_MTU:
		return put_number(msg, VMNET_A_MTU, "--mtu", optarg, VMNET_MTU_MIN, VMNET_MTU_MAX);
	case OPT_PROMISCUOUS:
		return put_choice(msg, VMNET_A_PROMISCUOUS,
				  parse_choice("--promiscuous", optarg, "deny", "allow"));
	case OPT_MACLOCK:
		return put_choice(msg, VMNET_A_MACLOCK,
				  parse_choice("--mac-lock", optarg, "off", "on"));
	case OPT_QUEUE:
		return put_number(msg, VMNET_A_QUEUE, "--queue", optarg, 1, VMNET_QUEUE_MAX);
	case OPT_PORT:
		return put_number(msg, VMNET_A_PORT, "--port", optarg, 1, UINT32_MAX);
	default:
		return false;
	}
}

/* Names that the kernel would not even look at, as they do not fit. */
static bool put_name(struct nlmsghdr *msg, enum vmnet_attr attr, const char *name, size_t size)
{
	if (strlen(name) >= size) {
		vmctl_fail("net", NULL, "the name '%s' is longer than %zu characters", name,
			   size - 1);
		return false;
	}
	mnl_attr_put_strz(msg, attr, name);
	return true;
}

static bool put_network(struct nlmsghdr *msg, const char *name)
{
	return put_name(msg, VMNET_A_NETWORK, name, VMNET_NAME_MAX);
}

static bool put_interface(struct nlmsghdr *msg, const char *name)
{
	return put_name(msg, VMNET_A_IFNAME, name, IFNAMSIZ);
}

/* ---- create, delete, bridge, policy, link ------------------------------------------- */

static const struct option create_options[] = {
	{ "type", required_argument, NULL, OPT_TYPE },
	{ "nic", required_argument, NULL, OPT_NIC },
	{ "interface", required_argument, NULL, OPT_NAME },
	{ "address", required_argument, NULL, OPT_ADDRESS },
	{ "hub", no_argument, NULL, OPT_HUB },
	{ "mtu", required_argument, NULL, OPT_MTU },
	{ "promiscuous", required_argument, NULL, OPT_PROMISCUOUS },
	{ "mac-lock", required_argument, NULL, OPT_MACLOCK },
	{ "queue", required_argument, NULL, OPT_QUEUE },
	{ }
};

struct create {
	const char *nic, *interface, *address;
	int type;	/* -1: not said */
};

static int parse_type(const char *text)
{
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(type_name); i++)
		if (!strcmp(text, type_name[i]))
			return i;
	vmctl_usage("net", "--type takes private, hostonly or bridged, not '%s'", text);
	return -1;
}

/* Returns 0 or an exit status. */
static int parse_create(int argc, char **argv, struct nlmsghdr *msg, struct create *create)
{
	int opt;

	while ((opt = vmctl_getopt(argc, argv, create_options)) != -1) {
		switch (opt) {
		case OPT_TYPE:
			create->type = parse_type(optarg);
			if (create->type < 0)
				return VMCTL_USAGE;
			break;
		case OPT_NIC:
			create->nic = optarg;
			break;
		case OPT_NAME:
			create->interface = optarg;
			break;
		case OPT_ADDRESS:
			create->address = optarg;
			break;
		default:
			if (!put_setting(msg, opt))
				return VMCTL_USAGE;
		}
	}
	/* A NIC or an address already says which type it is to be. */
	if (create->type < 0)
		create->type = create->nic ? VMNET_TYPE_BRIDGED :
			       create->address || create->interface ? VMNET_TYPE_HOSTONLY :
			       VMNET_TYPE_PRIVATE;
	if ((create->type == VMNET_TYPE_BRIDGED) != !!create->nic)
		return vmctl_usage("net", "--nic is for a bridged network, which needs it");
	if (create->type != VMNET_TYPE_HOSTONLY && (create->address || create->interface))
		return vmctl_usage("net", "--address and --interface are for a hostonly network");
	return vmctl_operands(argc, argv, 1, 1, "the network's name");
}

static int delete_network(const char *name, bool force)
{
	struct nlmsghdr *msg = genl_begin(&genl, VMNET_CMD_NETWORK_DEL, false);

	if (!put_network(msg, name))
		return VMCTL_FAILED;
	if (force)
		mnl_attr_put(msg, VMNET_A_FORCE, 0, NULL);
	return genl_talk(&genl, msg, name, NULL, NULL);
}

static int net_create(int argc, char **argv)
{
	struct nlmsghdr *msg = genl_begin(&genl, VMNET_CMD_NETWORK_NEW, false);
	struct create create = { .type = -1 };
	struct net_info info;
	const char *name;
	int status;

	status = parse_create(argc, argv, msg, &create);
	if (status)
		return status;
	name = argv[optind];
	mnl_attr_put_u32(msg, VMNET_A_TYPE, create.type);
	if (!put_network(msg, name) ||
	    (create.nic && !put_interface(msg, create.nic)) ||
	    (create.interface && !put_interface(msg, create.interface)))
		return VMCTL_FAILED;
	status = genl_talk(&genl, msg, name, NULL, NULL);
	if (status || create.type != VMNET_TYPE_HOSTONLY)
		return status;
	status = net_info_get(&genl, name, &info);
	if (!status && create.address)
		status = rtnl_configure(info.ifname, info.ifindex, create.address);
	if (status)
		delete_network(name, true);
	else
		printf("%s\n", info.ifname);
	return status;
}

static int net_delete(int argc, char **argv)
{
	static const struct option options[] = {
		{ "force", no_argument, NULL, OPT_FORCE },
		{ }
	};
	bool force = false;
	int opt;

	while ((opt = vmctl_getopt(argc, argv, options)) != -1) {
		if (opt != OPT_FORCE)
			return VMCTL_USAGE;
		force = true;
	}
	if (vmctl_operands(argc, argv, 1, 1, "the network's name"))
		return VMCTL_USAGE;
	return delete_network(argv[optind], force);
}

static int net_bridge(int argc, char **argv)
{
	static const struct option options[] = {
		{ "none", no_argument, NULL, OPT_NONE },
		{ }
	};
	struct nlmsghdr *msg = genl_begin(&genl, VMNET_CMD_NETWORK_SET, false);
	bool none = false;
	int opt;

	while ((opt = vmctl_getopt(argc, argv, options)) != -1) {
		if (opt != OPT_NONE)
			return VMCTL_USAGE;
		none = true;
	}
	if (vmctl_operands(argc, argv, none ? 1 : 2, none ? 1 : 2, "the network or the NIC"))
		return VMCTL_USAGE;
	if (!put_network(msg, argv[optind]) ||
	    !put_interface(msg, none ? "" : argv[optind + 1]))
		return VMCTL_FAILED;
	return genl_talk(&genl, msg, argv[optind], NULL, NULL);
}

static int net_policy(int argc, char **argv)
{
	static const struct option options[] = {
		{ "port", required_argument, NULL, OPT_PORT },
		{ "hub", no_argument, NULL, OPT_HUB },
		{ "switch", no_argument, NULL, OPT_SWITCH },
		{ "mtu", required_argument, NULL, OPT_MTU },
		{ "promiscuous", required_argument, NULL, OPT_PROMISCUOUS },
		{ "mac-lock", required_argument, NULL, OPT_MACLOCK },
		{ "queue", required_argument, NULL, OPT_QUEUE },
		{ }
	};
	struct nlmsghdr *msg = genl_begin(&genl, VMNET_CMD_NETWORK_SET, false);
	struct genlmsghdr *head = mnl_nlmsg_get_payload(msg);
	bool port = false, network = false;
	int opt;

	while ((opt = vmctl_getopt(argc, argv, options)) != -1) {
		if (!put_setting(msg, opt))
			return VMCTL_USAGE;
		port |= opt == OPT_PORT;
		network |= opt == OPT_HUB || opt == OPT_SWITCH || opt == OPT_MTU;
	}
	if (vmctl_operands(argc, argv, 1, 1, "the network's name"))
		return VMCTL_USAGE;
	if (port && network)
		return vmctl_usage("net", "--hub, --switch and --mtu are for a whole network");
	if (port)
		head->cmd = VMNET_CMD_PORT_SET;
	if (!put_network(msg, argv[optind]))
		return VMCTL_FAILED;
	return genl_talk(&genl, msg, argv[optind], NULL, NULL);
}

static int net_link(int argc, char **argv)
{
	static const struct option none[] = { { } };
	struct nlmsghdr *msg = genl_begin(&genl, VMNET_CMD_PORT_SET, false);
	int up;

	if (vmctl_getopt(argc, argv, none) != -1 ||
	    vmctl_operands(argc, argv, 3, 3, "NETWORK, PORT or up|down"))
		return VMCTL_USAGE;
	up = parse_choice("link", argv[optind + 2], "down", "up");
	if (!put_choice(msg, VMNET_A_CABLE, up) ||
	    !put_number(msg, VMNET_A_PORT, "link", argv[optind + 1], 1, UINT32_MAX))
		return VMCTL_USAGE;
	if (!put_network(msg, argv[optind]))
		return VMCTL_FAILED;
	return genl_talk(&genl, msg, argv[optind], NULL, NULL);
}

/* ---- list, show, monitor --------------------------------------------------------------- */

static json_t *network_json(const struct net_info *n)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:b, s:s, s:b, s:i, s:i, s:b, s:b, s:i}",
			 "network", n->name, "type", NAME_OF(type_name, n->type),
			 "mode", n->hub ? "hub" : "switch", "mtu", (int)n->mtu,
			 "link", (int)n->link, "interface", n->ifname,
			 "interface_present", n->ifindex != 0, "guests", (int)n->ports,
			 "addresses", (int)n->learned, "promiscuous", (int)n->promiscuous,
			 "mac_lock", (int)n->maclock, "queue", (int)n->queue);
}

static json_t *port_json(const struct port_info *p)
{
	json_t *counters = json_object();
	char mac[18];

	format_mac(mac, p->mac);
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(counter_name); i++)
		json_object_set_new(counters, counter_name[i], json_integer(p->counters[i]));
	return json_pack("{s:s, s:i, s:s, s:s, s:b, s:b, s:i, s:b, s:b, s:i, s:o}",
			 "network", p->network, "port", (int)p->port,
			 "kind", NAME_OF(kind_name, p->kind), "mac", mac, "link", (int)p->link,
			 "cable", (int)p->cable, "pid", (int)p->pid,
			 "promiscuous", (int)p->promiscuous, "mac_lock", (int)p->maclock,
			 "queue", (int)p->queue, "counters", counters);
}

#define NETWORK_FORMAT "%-20s %-9s %-7s %6s %-5s %6s %s\n"

static void print_network_head(void)
{
	printf(NETWORK_FORMAT, "NETWORK", "TYPE", "MODE", "MTU", "LINK", "GUESTS", "INTERFACE");
}

static void print_network(const struct net_info *n)
{
	char mtu[12], guests[12], interface[IFNAMSIZ + 16];

	snprintf(mtu, sizeof(mtu), "%u", n->mtu);
	snprintf(guests, sizeof(guests), "%u", n->ports);
	snprintf(interface, sizeof(interface), "%s%s", *n->ifname ? n->ifname : "-",
		 *n->ifname && !n->ifindex ? " (missing)" : "");
	printf(NETWORK_FORMAT, n->name, NAME_OF(type_name, n->type), n->hub ? "hub" : "switch",
	       mtu, n->link ? "up" : "down", guests, interface);
}

#define PORT_FORMAT "%5s %-8s %-17s %-5s %-11s %-8s %5s %7s %10s %10s\n"

static void print_port_head(void)
{
	printf(PORT_FORMAT, "PORT", "KIND", "ADDRESS", "LINK", "PROMISCUOUS", "MAC-LOCK", "QUEUE",
	       "PID", "TX-FRAMES", "RX-FRAMES");
}

static void print_port(const struct port_info *p)
{
	char port[12], mac[18], queue[12], pid[12], tx[24], rx[24];
	bool guest = p->kind == VMNET_PORT_GUEST;

	format_mac(mac, p->mac);
	snprintf(port, sizeof(port), "%u", p->port);
	snprintf(queue, sizeof(queue), "%u", p->queue);
	snprintf(pid, sizeof(pid), "%u", p->pid);
	snprintf(tx, sizeof(tx), "%" PRIu64, p->counters[VMNET_TX_FRAMES]);
	snprintf(rx, sizeof(rx), "%" PRIu64, p->counters[VMNET_RX_FRAMES]);
	printf(PORT_FORMAT, port, NAME_OF(kind_name, p->kind), mac,
	       p->link ? "up" : p->cable ? "down" : "cut", guest && p->promiscuous ? "allow" :
	       guest ? "deny" : "-", guest ? p->maclock ? "on" : "off" : "-",
	       guest ? queue : "-", guest ? pid : "-", tx, rx);
	/* What did not get through, if anything. */
	for (size_t i = VMNET_RX_BYTES + 1; i < VMCTL_ARRAY_SIZE(counter_name); i++)
		if (p->counters[i])
			printf("      %s %" PRIu64 "\n", counter_name[i], p->counters[i]);
}

static void list_network(const struct nlmsghdr *msg, void *data)
{
	json_t *all = data;
	struct net_info info;

	net_info_parse(&info, msg);
	if (all)
		json_array_append_new(all, network_json(&info));
	else
		print_network(&info);
}

static void list_port(const struct nlmsghdr *msg, void *data)
{
	json_t *all = data;
	struct port_info info;

	port_info_parse(&info, msg);
	if (all)
		json_array_append_new(all, port_json(&info));
	else
		print_port(&info);
}

/* --json is the only option of these. Returns 0 or an exit status. */
static int parse_json(int argc, char **argv, bool *json, int operands, const char *name)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPT_JSON },
		{ }
	};
	int opt;

	while ((opt = vmctl_getopt(argc, argv, options)) != -1) {
		if (opt != OPT_JSON)
			return VMCTL_USAGE;
		*json = true;
	}
	return vmctl_operands(argc, argv, operands, operands, name);
}

static int net_list(int argc, char **argv)
{
	bool json = false;
	json_t *all = NULL;
	int status = parse_json(argc, argv, &json, 0, NULL);

	if (status)
		return status;
	if (json)
		all = json_array();
	else
		print_network_head();
	status = genl_talk(&genl, genl_begin(&genl, VMNET_CMD_NETWORK_GET, true), "list",
			   list_network, all);
	if (json)
		vmctl_print_json(all);
	return status;
}

static int net_show(int argc, char **argv)
{
	bool json = false;
	struct net_info info = { 0 };
	json_t *network, *ports = NULL;
	int status = parse_json(argc, argv, &json, 1, "the network's name");

	if (status)
		return status;
	status = net_info_get(&genl, argv[optind], &info);
	if (status)
		return status;
	if (json) {
		ports = json_array();
	} else {
		print_network_head();
		print_network(&info);
		putchar('\n');
		print_port_head();
	}
	status = port_info_each(&genl, info.name, list_port, ports);
	if (json) {
		network = network_json(&info);
		json_object_set_new(network, "ports", ports);
		vmctl_print_json(network);
	}
	return status;
}

/* ---- for vmctl run ----------------------------------------------------------------- */

struct net_search {
	uint32_t type;
	const char *what;
	struct net_info found;
};

static void search_network(const struct nlmsghdr *msg, void *data)
{
	struct net_search *search = data;
	struct net_info n;

	net_info_parse(&n, msg);
	if (n.type == search->type &&
	    !strcmp(search->what, n.type == VMNET_TYPE_BRIDGED ? n.ifname : n.name))
		search->found = n;
}

int net_find(const char *command, const char *type, const char *what, char name[VMNET_NAME_MAX])
{
	bool bridged = !strcmp(type, "bridged");
	struct net_search search = {
		.type = bridged ? VMNET_TYPE_BRIDGED : VMNET_TYPE_HOSTONLY,
		.what = what,
	};
	int err;

	if (!bridged && strcmp(type, "hostonly"))
		return vmctl_usage(command, "a network is bridged=INTERFACE, hostonly=NETWORK or NETWORK, not '%s='",
				   type);
	err = genl_open(&genl);
	if (err)
		return err;
	err = genl_talk(&genl, genl_begin(&genl, VMNET_CMD_NETWORK_GET, true), "networks",
			search_network, &search);
	genl_close(&genl);
	if (err)
		return err;
	strcpy(name, search.found.name);
	if (*name)
		return VMCTL_OK;
	if (bridged)
		return vmctl_fail(command, "make one as root: 'vmctl net create NAME --type bridged --nic INTERFACE'",
				  "no network is bridged to '%s'", what);
	return vmctl_fail(command, "make it as root: 'vmctl net create NAME --type hostonly --address 192.168.77.1/24'",
			  "there is no hostonly network '%s'", what);
}

/* ---- events ------------------------------------------------------------------------ */

static const char *const event_name[VMNET_CMD_NR] = {
	[VMNET_CMD_NETWORK_NEW] = "network-new",
	[VMNET_CMD_NETWORK_DEL] = "network-delete",
	[VMNET_CMD_NETWORK_SET] = "network-change",
	[VMNET_CMD_PORT_NEW] = "port-new",
	[VMNET_CMD_PORT_DEL] = "port-delete",
	[VMNET_CMD_PORT_SET] = "port-change",
};

static void print_event(const struct nlmsghdr *msg, void *data)
{
	bool *json = data, port = genl_cmd(msg) >= VMNET_CMD_PORT_GET;
	const char *event = NAME_OF(event_name, genl_cmd(msg));
	struct net_info network;
	struct port_info info;
	char mac[18];

	net_info_parse(&network, msg);
	port_info_parse(&info, msg);
	if (*json) {
		json_t *object = port ? port_json(&info) : network_json(&network);

		json_object_set_new(object, "event", json_string(event));
		json_dumpf(object, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(object);
	} else if (port) {
		format_mac(mac, info.mac);
		printf("%-14s %s port %u %s %s link %s\n", event, info.network, info.port,
		       NAME_OF(kind_name, info.kind), mac, info.link ? "up" : "down");
	} else {
		printf("%-14s %s %s %s mtu %u link %s%s%s\n", event, network.name,
		       NAME_OF(type_name, network.type), network.hub ? "hub" : "switch",
		       network.mtu, network.link ? "up" : "down", *network.ifname ? " on " : "",
		       network.ifname);
	}
	fflush(stdout);
}

static int net_monitor(int argc, char **argv)
{
	bool json = false;
	int status = parse_json(argc, argv, &json, 0, NULL);

	if (!status)
		status = genl_listen(&genl);
	if (status)
		return status;
	while (!genl_event(&genl, print_event, &json) || errno == ENOBUFS)
		if (ferror(stdout))
			return VMCTL_FAILED;
	return vmctl_fail("net", NULL, "no more events: %s", strerror(errno));
}

/* ---- the table ------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "create", net_create },
	{ "delete", net_delete },
	{ "list", net_list },
	{ "show", net_show },
	{ "bridge", net_bridge },
	{ "policy", net_policy },
	{ "link", net_link },
	{ "monitor", net_monitor },
	{ "capture", net_capture },
};

int cmd_net(int argc, char **argv)
{
	int status;

	if (argc < 2)
		return vmctl_usage("net", "the subcommand is missing");
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, argv[1]))
			continue;
		argv[1] = argv[0];
		status = genl_open(&genl);
		if (!status)
			status = commands[i].run(argc - 1, argv + 1);
		genl_close(&genl);
		return status;
	}
	return vmctl_usage("net", "there is no subcommand '%s'", argv[1]);
}
