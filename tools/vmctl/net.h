/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `vmctl net` shares: the way to the kernel's "vmnet" netlink family, and
 * what it says about networks and ports.
 */
#ifndef VMCTL_NET_H
#define VMCTL_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <net/if.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "uapi/vmnet.h"

/**
 * struct genl - a connection to the family
 * @nl: the socket, NULL when closed
 * @family, @group: numbers that the kernel gave the family and its events
 * @buf: the message that is being built, and then the answers to it
 */
struct genl {
	struct mnl_socket *nl;
	uint16_t family;
	uint32_t group;
	uint32_t seq;
	char buf[32768];
};

struct net_info {
	char name[VMNET_NAME_MAX];
	char ifname[IFNAMSIZ];
	uint32_t type, hub, mtu, ifindex, link, ports, learned;
	uint32_t promiscuous, maclock, queue;
};

struct port_info {
	char network[VMNET_NAME_MAX];
	uint8_t mac[6];
	uint32_t port, kind, link, cable, pid;
	uint32_t promiscuous, maclock, queue;
	uint64_t counters[VMNET_COUNTER_NR];
};

/* Connect. Returns 0, or VMCTL_FAILED after a complaint. */
int genl_open(struct genl *g);
void genl_close(struct genl *g);

/* Begin a message in g->buf; attributes follow by mnl_attr_put_*(). */
struct nlmsghdr *genl_begin(struct genl *g, enum vmnet_cmd cmd, bool dump);

/*
 * Send it and call @cb (may be NULL) for each answer. Returns 0, or
 * VMCTL_FAILED after a complaint about @subject in the kernel's own words.
 */
int genl_talk(struct genl *g, struct nlmsghdr *msg, const char *subject,
	      void (*cb)(const struct nlmsghdr *msg, void *data), void *data);

/* Join the events' group. Then genl_event() waits for the next one; -1: errno. */
int genl_listen(struct genl *g);
int genl_event(struct genl *g, void (*cb)(const struct nlmsghdr *msg, void *data), void *data);

/* The command of a message of the family. */
enum vmnet_cmd genl_cmd(const struct nlmsghdr *msg);

/* What a message says; attributes that it lacks are 0. */
void net_info_parse(struct net_info *info, const struct nlmsghdr *msg);
void port_info_parse(struct port_info *info, const struct nlmsghdr *msg);

/* One network. Returns 0, or VMCTL_FAILED after a complaint. */
int net_info_get(struct genl *g, const char *name, struct net_info *info);

/* Each port of @network, or of all with NULL. */
int port_info_each(struct genl *g, const char *network,
		   void (*cb)(const struct nlmsghdr *msg, void *data), void *data);

/* Give an interface the address "A.B.C.D/N" and set it up, as `ip` would. */
int rtnl_configure(const char *ifname, uint32_t ifindex, const char *address);

/*
 * The name of a network: with @type "bridged" the one whose NIC @what is, with
 * "hostonly" @what itself, if it is of this type. Returns 0, or an exit status
 * after a complaint for @command that says how to make it.
 */
int net_find(const char *command, const char *type, const char *what, char name[VMNET_NAME_MAX]);

/* vmctl net capture: net_capture.c */
int net_capture(int argc, char **argv);

#endif
