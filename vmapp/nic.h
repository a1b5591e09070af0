/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NICs: a Lance as a PCI function, and a port of a virtual network.
 *
 * A NIC has three data paths. On VMDRV_PATH_VMM its registers and rings are the
 * VMM's; here it is only told when to move frames. On VMDRV_PATH_DIRECT not even
 * that. On VMDRV_PATH_VMAPP it is all here: each access to a data port is an
 * exit, frames leave by writev() right out of guest memory, and come by read().
 *
 * Both threads move frames: the vCPU's when the guest asks for it, and before
 * it enters the guest again; the loop's when vmnet has something. The device
 * lock protects it all.
 */
#ifndef VMAPP_NIC_H
#define VMAPP_NIC_H

#include "bus.h"
#include "core/lance.h"
#include "dev/i440fx.h"
#include "error.h"
#include "loop.h"
#include "map.h"
#include "mem.h"
#include "rom.h"
#include "uapi/vmdriver.h"
#include "uapi/vmnet.h"
#include "vmx.h"

#define NIC_SLOT	4	/* PCI slot of the first */
#define NIC_IO_BASE	0xc000u	/* as firmware would have placed their windows */
#define NIC_MEM_BASE	0xfeb00000u
#define NIC_MEM_STEP	0x1000u

struct nics;

/* How the last try to receive ended. */
enum nic_received {
	NIC_RECEIVED_ALL,
	NIC_RECEIVED_SOME,	/* the budget is used up */
	NIC_RECEIVED_STUCK,	/* frames wait, the guest has no buffers */
};

struct nic {
	struct nics *all;		/* NULL: not present */
	unsigned int index;		/* N of ethernetN, and the kernel's number */
	unsigned int bit;		/* in the IRQ page */
	u32 path;			/* VMDRV_PATH_*; all but VMAPP are one here */
	char network[VMNET_NAME_MAX];
	u8 mac[6];
	u8 vmnet_mac[6];		/* the address vmnet knows */
	int fd;				/* of /dev/vmnet */
	int link_fd;			/* an epoll that is readable when the link changed */
	bool link;
	bool gone;			/* the network was deleted */

	struct pci_function pci;
	struct vmdrv_nic_decode decode;	/* as the kernel has it */
	struct dev_irq irq;		/* on path vmapp */
	struct lance lance;		/* on path vmapp; link and DMA also on the other */

	struct lance_tx tx;		/* path vmapp: the frame that is being sent */
	bool sending;			/* ... if there is one: vmnet had no room */
	bool blocked;			/* no room: wait until the descriptor can be written */
	bool unsent;			/* there was more to send than one turn allows */
	enum nic_received received;
	bool doubted;			/* the last event came without a bit in the IRQ page */
	u64 lost;			/* frames that vmnet had dropped when last looked */
	struct loop_watch readable, room, link_changed;
	struct loop_timer again;
};

struct nics {
	struct nic nic[VMDRV_NIC_MAX];
	struct nic *first;		/* whose IRQ page is everybody's; NULL: no NIC */
	struct vmnet_irq_page *page;
	u64 found;			/* bits seen on the way to the guest */
	u64 spared;			/* system calls that a clear bit made needless */
	u64 selects;			/* poll()s of all NICs, the bits not being trusted */
	struct rom rom;			/* that boots from each of them */
	u8 frame[LANCE_RX_MAX + 1];	/* what did not fit where it is received to; longer is too long */

	bool irq_notification;		/* the caller's to keep as the knob is */

	/* The caller's to set before nics_create(). */
	int vm_fd;
	struct bus *bus;
	struct map *map;
	struct i440fx *bridge;
	const struct guest_mem *mem;
	struct loop *loop;
	bool firmware;			/* there is one, which runs their ROM */
};

/**
 * nics_create() - make the NICs of the configuration, and attach them
 * @vm: the VM's name, from which addresses are made
 *
 * The links are watched from now on. Returns 0, or -1 with @err set, and then,
 * as after success, nics_destroy() gives everything back.
 */
int nics_create(struct nics *ns, const struct vmx *config, const char *vm, struct error *err);
void nics_destroy(struct nics *ns);

/* As after power-on and firmware. */
void nics_reset(struct nics *ns);

/* The host bridge has routed interrupts elsewhere; the vCPU is out of the guest. */
void nics_route(struct nics *ns);

/* run->nics: bit n of @which is NIC n, which has frames to send, or buffers again. */
void nics_move(struct nics *ns, u32 which);

/*
 * VMDRV_EXIT_HOST_IRQ without IRQ notification: whether it was for the guest,
 * a system call has to say. The vCPU's thread.
 */
void nics_select(struct nics *ns);

/*
 * The vCPU's thread is out of the guest, with the lock: with IRQ notification
 * vmnet need not wake anybody until nics_leave(), which sees what came in between.
 */
void nics_enter(struct nics *ns);
void nics_leave(struct nics *ns);

/* From loop_wake(), on the loop's thread: wait for what is of interest now. */
void nics_wake(struct nics *ns);

/* The vCPU is out of the guest. No frame is lost. -1 with @err set: nothing changed. */
int nic_set_path(struct nic *n, u32 path, struct error *err);

/* VMDRV_EXIT_PATH: what somebody has asked the VMM for. The vCPU's thread. */
void nics_set_path(struct nics *ns, u32 nic, u32 path);

/* Its data path now, VMDRV_PATH_*. */
u32 nic_path(const struct nic *n);

/* "vmapp", "vmm" and "direct". */
const char *nic_path_name(u32 path);
/* The other way; false if there is no such path. */
bool nic_path_parse(const char *name, u32 *path);

/* What vmnet says now; a change of the link reaches the guest. False: it says nothing. */
bool nic_status(struct nic *n, struct vmnet_status *status);

#endif
