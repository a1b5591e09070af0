/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * vmnet's interfaces to userspace: /dev/vmnet, a port of a virtual network per
 * open file, and the generic netlink family "vmnet", which makes networks and
 * watches over them.
 *
 * Everything is seen from the port: "tx" is what its owner sends into the
 * network, "rx" what the network has for it. A frame is an Ethernet frame from
 * the destination address on, without preamble and FCS, VLAN tags in place.
 */
#ifndef _UAPI_VMNET_H
#define _UAPI_VMNET_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define VMNET_API_VERSION	1
#define VMNET_DEVICE		"/dev/vmnet"
#define VMNET_IOC		0xB9

#define VMNET_NAME_MAX		32	/* bytes of a network's name, with the NUL */
#define VMNET_FRAME_MIN		14	/* bytes: a header and nothing else */
#define VMNET_FRAME_MAX		65535	/* bytes, whatever the MTU */
#define VMNET_MTU_MIN		68
#define VMNET_MTU_MAX		65517	/* a tagged frame is then VMNET_FRAME_MAX long */
#define VMNET_QUEUE_DEFAULT	256	/* frames that a port holds for its owner */
#define VMNET_QUEUE_MAX		4096
#define VMNET_PORTS_MAX		1024	/* of one network */
#define VMNET_NETWORKS_MAX	256	/* of one network namespace */

/*
 * A port's counters. The first four count frames and bytes that passed, the
 * others the frames that did not, by cause. A sent frame is counted in
 * tx_frames or in one tx_* cause; a copy of it for a port is counted there in
 * rx_frames or in one of rx_queue_full, rx_link, rx_nomem and rx_refused; if
 * there was no port to take it, in its sender's tx_nobody. What rx_fault and
 * rx_truncated count (and rx_closed, but for a frame that met a port just
 * while it left), rx_frames has counted before.
 */
enum vmnet_counter {
	VMNET_TX_FRAMES,
	VMNET_TX_BYTES,
	VMNET_RX_FRAMES,
	VMNET_RX_BYTES,
	VMNET_TX_SHORT,		/* less than a header */
	VMNET_TX_LONG,		/* more than the MTU allows */
	VMNET_TX_SOURCE,	/* source address multicast or zero */
	VMNET_TX_MACLOCK,	/* source address not the port's, and it is locked */
	VMNET_TX_LINK,		/* no link, or no network */
	VMNET_TX_NOROOM,	/* too much on its way to the wire */
	VMNET_TX_NOMEM,
	VMNET_TX_NOBODY,	/* no port took it */
	VMNET_RX_QUEUE_FULL,
	VMNET_RX_LINK,
	VMNET_RX_NOMEM,
	VMNET_RX_REFUSED,	/* by the host's stack or the NIC's queue */
	VMNET_RX_FAULT,		/* read() with a bad buffer */
	VMNET_RX_TRUNCATED,	/* read() with a short one */
	VMNET_RX_CLOSED,	/* nobody will read it any more */
	VMNET_LEARN_REFUSED,	/* not a frame: an address that the table had no room for */
	VMNET_COUNTER_NR
};

/* ---- /dev/vmnet ------------------------------------------------------------ */

/*
 * Watch instead of taking part: every frame that enters the network, from
 * whichever port, with a struct vmnet_capture in front of it. Such a port
 * cannot write. Needs CAP_NET_RAW.
 */
#define VMNET_ATTACH_MONITOR	(1u << 0)

/*
 * VMNET_ATTACH connects the open file to a network of the caller's network
 * namespace, once and until it is closed. An all-zero mac gets a random one.
 * ENOENT: no such network. EADDRINUSE: the address is taken there.
 * EADDRNOTAVAIL: a multicast address. EISCONN: attached before. ENOSPC: the
 * network has VMNET_PORTS_MAX ports. EPERM: VMNET_ATTACH_MONITOR without
 * CAP_NET_RAW.
 */
struct vmnet_attach {
	char network[VMNET_NAME_MAX];
	__u8 mac[6];		/* in, out */
	__u16 flags;		/* VMNET_ATTACH_* */
	__u32 queue;		/* frames to hold, at most VMNET_QUEUE_MAX; 0: the default */
	__u32 port;		/* out: the port's number on its network */
	__u32 pad;
};

/* What read() puts in front of a frame on a VMNET_ATTACH_MONITOR port. */
struct vmnet_capture {
	__u64 time_ns;		/* CLOCK_REALTIME when the frame entered the network */
	__u32 port;		/* that it came from */
	__u32 kind;		/* VMNET_PORT_* of that port */
	__u32 len;		/* bytes of the frame, which follows */
	__u32 pad;
};

/* VMNET_GET_STATUS also ends a POLLPRI condition. */
struct vmnet_status {
	__u32 link;		/* 0 or 1 */
	__u32 mtu;		/* bytes of payload; a frame is at most mtu + 18 long */
	__u32 waiting;		/* frames to read */
	__u32 gone;		/* 1: the network was deleted; nothing comes back */
	__u64 counters[VMNET_COUNTER_NR];
};

/* The card's address: what a guest writes into its NIC is not always the PROM's. */
struct vmnet_mac {
	__u8 mac[6];
	__u16 pad;
};

/*
 * One page, mapped by mmap(fd, 4096, PROT_READ | PROT_WRITE, MAP_SHARED) at
 * offset 0: vmnet sets a port's bit when it has something to say. Every open
 * file has its own page and bit 0; VMNET_SHARE_IRQ_PAGE lets it use another's.
 *
 * vmnet only ever sets bits; the consumer clears them by an atomic exchange
 * and then serves the ports. While `looking` is not zero, vmnet wakes nobody
 * (poll, select, blocked read): the consumer promises to look at the bits
 * before it sleeps. To sleep it stores 0, executes a full barrier, and looks
 * at the bits once more. The bits are hints: vmnet itself never reads them
 * for anything but to spare itself an atomic operation.
 */
struct vmnet_irq_page {
	__u64 rx;		/* bit n: frames wait at the port with bit n */
	__u64 tx;		/* bit n: there is room to send again */
	__u64 link;		/* bit n: link, MTU or network changed; get the status */
	__u32 looking;
	__u32 version;		/* VMNET_API_VERSION */
};

#define VMNET_IRQ_BITS		64
#define VMNET_IRQ_PAGE_SIZE	4096

struct vmnet_share {
	__s32 fd;		/* an open /dev/vmnet whose page is to be used */
	__u32 bit;		/* below VMNET_IRQ_BITS */
};

/* Returns VMNET_API_VERSION. */
#define VMNET_GET_VERSION	_IO(VMNET_IOC, 0x00)
#define VMNET_ATTACH		_IOWR(VMNET_IOC, 0x01, struct vmnet_attach)
#define VMNET_GET_STATUS	_IOR(VMNET_IOC, 0x02, struct vmnet_status)
/* EPERM: the port's policy locks its address. Else the errors of VMNET_ATTACH. */
#define VMNET_SET_MAC		_IOW(VMNET_IOC, 0x03, struct vmnet_mac)
/* Before VMNET_ATTACH (EISCONN) and before mmap() (EBUSY). EBADF: not /dev/vmnet. */
#define VMNET_SHARE_IRQ_PAGE	_IOW(VMNET_IOC, 0x04, struct vmnet_share)

/*
 * read(), readv(): one frame; EAGAIN without one and with O_NONBLOCK. A buffer
 * that is too small gets the frame's beginning; the rest is lost (counted).
 * write(), writev(): one frame, taken whole or not at all. EINVAL: shorter
 * than VMNET_FRAME_MIN. EMSGSIZE: longer than the network's MTU allows.
 * ENETDOWN: no link. EPERM: not this port's address, and it is locked.
 * EADDRNOTAVAIL: the source address is multicast or zero. EAGAIN: no room, and
 * O_NONBLOCK. ENOTCONN: not attached. ENODEV: the network was deleted.
 * poll(): POLLIN a frame waits, POLLOUT there is room, POLLPRI the link
 * changed, POLLHUP the network was deleted.
 */

/* ---- generic netlink ---------------------------------------------------------- */

#define VMNET_GENL_NAME		"vmnet"
#define VMNET_GENL_VERSION	1
#define VMNET_GENL_EVENTS	"events"	/* the multicast group */

/*
 * GET: with VMNET_A_NETWORK one network (or, for ports, its ports) or as a
 * dump all of them. NEW, DEL and SET need CAP_NET_ADMIN over the network
 * namespace. On the multicast group the same commands tell what has happened.
 */
enum vmnet_cmd {
	VMNET_CMD_UNSPEC,
	VMNET_CMD_NETWORK_GET,
	VMNET_CMD_NETWORK_NEW,	/* NETWORK, TYPE; optional HUB, MTU, IFNAME, policy */
	VMNET_CMD_NETWORK_DEL,	/* NETWORK; optional FORCE */
	VMNET_CMD_NETWORK_SET,	/* NETWORK; optional HUB, MTU, IFNAME, policy */
	VMNET_CMD_PORT_GET,
	VMNET_CMD_PORT_NEW,	/* an event only */
	VMNET_CMD_PORT_DEL,	/* an event only, with the last counters */
	VMNET_CMD_PORT_SET,	/* NETWORK, PORT; optional CABLE, policy */
	VMNET_CMD_NR
};

enum vmnet_type {
	VMNET_TYPE_PRIVATE,	/* guests only */
	VMNET_TYPE_HOSTONLY,	/* and the host, through a netdev of its own */
	VMNET_TYPE_BRIDGED,	/* and the wire, and the host, through a NIC */
	VMNET_TYPE_NR
};

enum vmnet_port_kind {
	VMNET_PORT_GUEST,
	VMNET_PORT_HOST,	/* the netdev of a hostonly network */
	VMNET_PORT_UPLINK,	/* the NIC of a bridged network */
	VMNET_PORT_MONITOR,
};

enum vmnet_attr {
	VMNET_A_UNSPEC,
	VMNET_A_PAD,
	VMNET_A_NETWORK,	/* string: the network's name */
	VMNET_A_TYPE,		/* u32, VMNET_TYPE_* */
	VMNET_A_HUB,		/* u32: 1 a hub, 0 a learning switch */
	VMNET_A_MTU,		/* u32, bytes; that of a bridged network is its NIC's */
	VMNET_A_IFNAME,		/* string: the NIC or the hostonly netdev; "": none */
	VMNET_A_IFINDEX,	/* u32; 0 while the NIC is missing */
	VMNET_A_LINK,		/* u32: 1 up */
	VMNET_A_PORTS,		/* u32: how many guests are attached */
	VMNET_A_LEARNED,	/* u32: addresses in the switch table */
	VMNET_A_FORCE,		/* flag: delete although guests are attached */
	VMNET_A_PORT,		/* u32: the port's number */
	VMNET_A_KIND,		/* u32, VMNET_PORT_* */
	VMNET_A_MAC,		/* 6 bytes */
	VMNET_A_CABLE,		/* u32: 0 the cable is pulled */
	VMNET_A_PROMISCUOUS,	/* u32, policy: frames for others reach the port too */
	VMNET_A_MACLOCK,	/* u32, policy: only the port's own address as source */
	VMNET_A_QUEUE,		/* u32, policy: frames held, 1 to VMNET_QUEUE_MAX */
	VMNET_A_PID,		/* u32: the process that attached; 0 for the kernel */
	VMNET_A_COUNTERS,	/* u64[]: indexed by enum vmnet_counter */
	VMNET_A_NR
};

#endif
