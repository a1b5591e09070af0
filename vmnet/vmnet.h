/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of vmnet share: networks, ports and the switch table.
 *
 * Control (making, changing and removing networks and ports) is serialized by
 * the RTNL. The way of a frame runs under RCU with softirqs off and takes, at
 * most, the lock of the receiving port's queue; the switch table's lock is
 * taken only when an address is new or has moved. Both are leaf locks.
 *
 * A frame inside a network is an ordinary one: skb->data at the MAC header,
 * checksums and VLAN tags in place, no longer than the MTU allows. Whoever is
 * handed an skb owns it.
 */
#ifndef VMNET_VMNET_H
#define VMNET_VMNET_H

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <net/sock.h>

#include "vmnet_port.h"
#include "compat.h"

/*
 * A learned address is forgotten after this long. The table is bounded, and so
 * is what one guest can fill of it: a flood of made-up source addresses costs
 * that guest its own precision only.
 */
#define VMNET_FDB_AGE		(300 * HZ)
#define VMNET_FDB_BUCKETS	1024
#define VMNET_FDB_MAX		8192
#define VMNET_FDB_GUEST_MAX	64

/* Bytes in flight to the wire on a port's behalf; there is room below half. */
#define VMNET_SNDBUF		(512 * 1024)

struct vmnet_fdb {
	struct hlist_head bucket[VMNET_FDB_BUCKETS];
	spinlock_t lock;		/* adding, moving and removing entries */
	unsigned int count;		/* under lock */
	u32 seed;
	struct delayed_work age;
};

/* How a port behaves; a network has one for its new ports. */
struct vmnet_policy {
	bool promiscuous;
	bool mac_lock;
	unsigned int queue;		/* frames */
};

struct vmnet_network {
	struct list_head list;		/* of the namespace's networks; RTNL */
	struct net *net;		/* which outlives it: see vmnet_net_exit() */
	char name[VMNET_NAME_MAX];
	enum vmnet_type type;
	bool hub;
	bool link;			/* of the NIC; else always true */
	bool gathers;			/* the NIC takes frames in pieces */
	unsigned int mtu;
	struct vmnet_policy policy;

	struct list_head ports;		/* RCU; all but monitors */
	struct list_head monitors;	/* RCU */
	unsigned int ports_nr;		/* both lists */
	unsigned int guests;		/* VMNET_PORT_GUEST among them */
	unsigned int promiscuous;	/* guests with that policy */
	u32 last_port;			/* number given last */
	struct vmnet_port *host;	/* PORT_HOST or PORT_UPLINK, or NULL; RTNL */
	struct vmnet_fdb fdb;
};

/*
 * A port is a socket, because the network stack counts what a socket has in
 * flight (and keeps module and socket alive until the last frame is freed),
 * and because a socket tells our own frames from others: vmnet_port_of().
 * Frames that wait for the owner are on sk.sk_receive_queue, under its lock.
 */
struct vmnet_port {
	struct sock sk;			/* first: allocated by sk_alloc() */
	struct vmnet_network __rcu *network;	/* NULL once it is gone */
	const void *home;		/* that network's address, to compare with */
	struct list_head list;
	enum vmnet_port_kind kind;
	u32 id;
	pid_t pid;
	u8 mac[ETH_ALEN];		/* guests and the host's netdev */
	bool cable;			/* plugged in */
	bool closing;			/* takes and says nothing any more */
	bool armed;
	bool want_room;			/* somebody waits for VMNET_EVENT_TX */
	u32 overflows;			/* under sk_receive_queue.lock */
	struct vmnet_policy policy;
	unsigned int learned;		/* under network->fdb.lock */
	const struct vmnet_port_ops *ops;	/* NULL: HOST and UPLINK */
	void *priv;
	struct vmnet_port_borrower __rcu *borrower;
	/* Take a frame out of the network; under RCU, softirqs off. Owns @skb. */
	void (*deliver)(struct vmnet_port *port, struct sk_buff *skb);
	u64 __percpu *counters;		/* [VMNET_COUNTER_NR] */
};

/* Of a frame in a monitor's queue, in skb->cb. */
struct vmnet_capture_cb {
	u64 time_ns;
	u32 port;
	u32 kind;
};

static inline struct vmnet_capture_cb *vmnet_capture_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct vmnet_capture_cb) > sizeof(skb->cb));
	return (struct vmnet_capture_cb *)skb->cb;
}

static inline void vmnet_count(struct vmnet_port *port, enum vmnet_counter counter)
{
	this_cpu_inc(port->counters[counter]);
}

static inline void vmnet_count_frame(struct vmnet_port *port, enum vmnet_counter frames,
				     unsigned int len)
{
	/* Bytes follow frames in enum vmnet_counter, both for TX and for RX. */
	this_cpu_inc(port->counters[frames]);
	this_cpu_add(port->counters[frames + 1], len);
}

static inline void vmnet_drop(struct vmnet_port *port, enum vmnet_counter cause,
			      struct sk_buff *skb)
{
	vmnet_count(port, cause);
	kfree_skb(skb);
}

/* main.c */
struct list_head *vmnet_networks(struct net *net);
struct vmnet_network *vmnet_network_find(struct net *net, const char *name);
struct vmnet_network *vmnet_network_create(struct net *net, const char *name,
					   enum vmnet_type type, struct netlink_ext_ack *extack);
int vmnet_network_delete(struct vmnet_network *nw, bool force, struct netlink_ext_ack *extack);
void vmnet_network_set_link(struct vmnet_network *nw, bool link);
void vmnet_network_set_mtu(struct vmnet_network *nw, unsigned int mtu);

/* port.c */
extern struct proto vmnet_proto;
struct vmnet_port *vmnet_port_create(enum vmnet_port_kind kind);
int vmnet_port_link_to(struct vmnet_port *port, struct vmnet_network *nw);
void vmnet_port_unlink(struct vmnet_port *port);
void vmnet_port_put(struct vmnet_port *port);
bool vmnet_port_link_up(struct vmnet_port *port, const struct vmnet_network *nw);
void vmnet_port_queue(struct vmnet_port *port, struct sk_buff *skb);
void vmnet_port_notify(struct vmnet_port *port, u32 events);
void vmnet_port_set_promiscuous(struct vmnet_port *port, bool on);
struct vmnet_port *vmnet_port_find(struct vmnet_network *nw, u32 id);

/*
 * Is this socket a port of @nw? So frames are known that @nw has sent, on their
 * way through the host's stack. Those of other networks are like anyone's.
 */
static inline bool vmnet_port_of(const struct sock *sk, const struct vmnet_network *nw)
{
	return sk && sk_fullsock(sk) && sk->sk_prot == &vmnet_proto &&
	       container_of(sk, struct vmnet_port, sk)->home == nw;
}

/* hub.c */
void vmnet_hub_forward(struct vmnet_network *nw, struct vmnet_port *from, struct sk_buff *skb);

enum vmnet_route {
	VMNET_ROUTE_NONE,	/* no guest wants it */
	VMNET_ROUTE_COPY,	/* guests do, and so may others */
	VMNET_ROUTE_ONLY,	/* it is for a guest and for nobody else */
};

enum vmnet_route vmnet_hub_route(struct vmnet_network *nw, struct vmnet_port *from,
				 const u8 *dst);

/* offload.c */
void vmnet_offload_enter(struct vmnet_port *port, struct sk_buff *skb);

/* fdb.c */
void vmnet_fdb_init(struct vmnet_fdb *fdb);
void vmnet_fdb_destroy(struct vmnet_fdb *fdb);
struct vmnet_port *vmnet_fdb_find(struct vmnet_fdb *fdb, const u8 *mac);
void vmnet_fdb_learn(struct vmnet_fdb *fdb, struct vmnet_port *port, const u8 *mac);
int vmnet_fdb_fix(struct vmnet_fdb *fdb, struct vmnet_port *port, const u8 *mac);
void vmnet_fdb_unfix(struct vmnet_fdb *fdb, struct vmnet_port *port, const u8 *mac);
void vmnet_fdb_flush(struct vmnet_fdb *fdb, struct vmnet_port *port);

/* bridge.c */
int vmnet_bridge_check(struct vmnet_network *nw, const char *ifname,
		       struct netlink_ext_ack *extack);
int vmnet_bridge_add(struct vmnet_network *nw, const char *ifname,
		     struct netlink_ext_ack *extack);
void vmnet_bridge_remove(struct vmnet_network *nw);
void vmnet_bridge_nic(struct vmnet_port *port, char *name, int *ifindex);
int vmnet_bridge_init(void);
void vmnet_bridge_exit(void);

/* hostonly.c */
int vmnet_hostonly_add(struct vmnet_network *nw, const char *ifname,
		       struct netlink_ext_ack *extack);
void vmnet_hostonly_remove(struct vmnet_network *nw);
int vmnet_hostonly_set_mtu(struct vmnet_network *nw, unsigned int mtu);
struct net_device *vmnet_hostonly_dev(struct vmnet_port *port);
bool vmnet_is_hostonly(const struct net_device *dev);
int vmnet_hostonly_init(void);
void vmnet_hostonly_exit(void);

/* irqvec.c */
struct vmnet_irqvec *vmnet_irqvec_alloc(void);
struct vmnet_irqvec *vmnet_irqvec_get(struct vmnet_irqvec *vec);
void vmnet_irqvec_put(struct vmnet_irqvec *vec);
bool vmnet_irqvec_raise(struct vmnet_irqvec *vec, unsigned int bit, u32 events);
int vmnet_irqvec_map(struct vmnet_irqvec *vec, struct vm_area_struct *vma);

/* userport.c */
int vmnet_userport_init(void);
void vmnet_userport_exit(void);

/* netlink.c */
int vmnet_netlink_init(void);
void vmnet_netlink_exit(void);
void vmnet_event_network(struct vmnet_network *nw, enum vmnet_cmd cmd);
void vmnet_event_port(struct vmnet_network *nw, struct vmnet_port *port, enum vmnet_cmd cmd);

/* stats.c */
void vmnet_stats_sum(struct vmnet_port *port, u64 sum[VMNET_COUNTER_NR]);

#endif
