/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket: DIR/NAME.sock, where DIR is $WORLDSWITCH_DIR, else
 * /run/worldswitch for root, else $XDG_RUNTIME_DIR/worldswitch. One JSON object
 * a line each way: {"cmd":"..."} gets {"ok":true,...} or
 * {"ok":false,"error":"..."}.
 *
 *	info		name, pid, id, memory_mib, state (running, stopped), reason,
 *			uptime_s, serial [{type, path}], config {}, nobody {in, out,
 *			mmio}: accesses that no device answered; nics [{nic, network,
 *			address, path, link, irq, and what vmnet counts: tx_frames,
 *			rx_frames, rx_queue_full}]; irq_page {found, spared}: bits that
 *			were found set, and system calls that a clear one made needless;
 *			vnc: where a viewer finds the display, if anywhere
 *	datapath	"nic": N, "path": "vmm" or "vmapp"; answered when it is done
 *	cdrom		"path" of an ISO image, the open file of which comes with the line
 *			(SCM_RIGHTS), or "eject": true; of the first CD-ROM drive or
 *			"drive", "ide1:0"; "force": true also if the guest has locked it
 *	powerdown	press the power button
 *	reset, nmi	the button
 *	quit		end at once
 *	screentext	columns, rows, cursor (a cell, or none: columns * rows), text
 *			[a line each]; refused while the display shows no text
 *	screenshot	width, height; a file descriptor comes along, of a file with so
 *			many 32-bit words, XRGB
 *	sendkey		"keys": ["ctrl-alt-delete", ...], "text": "typed after them"
 *	console		after the answer the connection is serial0, both ways; the
 *			last 64 KiB of output come first
 */
#ifndef VMAPP_CONTROL_H
#define VMAPP_CONTROL_H

#include "machine.h"

struct control_client;

struct control {
	struct machine *machine;
	int fd;				/* -1: not open */
	char path[128];
	struct loop_watch accept;
	struct control_client *clients;
};

/* Claim the name. The directory is made if need be. */
int control_open(struct control *c, const char *name, struct error *err);
/* Answer from now on. */
int control_start(struct control *c, struct machine *m, struct error *err);
/* After the loop has ended, before it is destroyed. */
void control_close(struct control *c);

#endif
