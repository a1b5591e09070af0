/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM's configuration: the documented subset of VMware's .vmx files, and our
 * own keys under "worldswitch.".
 *
 * A file is lines of
 *	key = "value"
 * with '#' comments and empty lines between them. Keys are compared without
 * regard to case. In a value |XX stands for the byte with that hexadecimal
 * number (|22 is a quote, |7C a bar). A key may appear once. Keys that are not
 * known here are kept and named in one warning; `vmapp --keys` lists the known
 * ones, from the table in vmx.c:
 *
 *	memsize			the guest's memory in MiB, 4 and up
 *	displayName		the VM's name: its control socket, its sysfs entry
 *	numvcpus		1
 *	serialN.present		TRUE: COM1 (serial0) or COM2 (serial1) exists
 *	serialN.fileType	where it ends: stdio, pty, pipe (a Unix socket that
 *				vmapp listens on), file (appended to), none
 *	serialN.fileName	path for pipe and file
 *	parallel0.present	TRUE: LPT1 exists, a printer that appends to
 *	parallel0.fileName	this file (parallel0.fileType is file)
 *	ethernetN.present	TRUE: NIC N (0 to 7) exists, in PCI slot 4 + N
 *	ethernetN.virtualDev	vlance, an AMD Am79C970A
 *	ethernetN.connectionType	bridged, hostonly or custom; it says which network
 *				is meant if ethernetN.vnet does not
 *	ethernetN.vnet		the network's name (see vmctl net); default bridged0
 *				for bridged, hostonly0 for hostonly
 *	ethernetN.address	MAC address, as 00:0c:29:xx:xx:xx; default one that is
 *				made from the VM's name and N
 *	worldswitch.ethernetN.datapath	vmm: registers and rings are served in the VMM;
 *				vmapp: every data port access is a world switch;
 *				direct: the VMM also moves the frames
 *	worldswitch.ethernetN.sendCombining, .combineMax, .combineRate, .zerocopyMin,
 *	worldswitch.irqNotification, worldswitch.hostIrqToVmapp,
 *	worldswitch.pairs	knobs, see vmctl tune;
 *				without them and datapath the module's parameters count
 *	ideC:D.present		TRUE: drive D of IDE channel C exists
 *	ideC:D.deviceType	disk, ata-hardDisk (the same) or cdrom-image
 *	ideC:D.fileName		its image; .qcow2, .vmdk, .vdi and .vhd are those formats,
 *				all else is raw. A CD-ROM drive may be empty
 *	ideC:D.readOnly		TRUE: the disk refuses writes
 *	worldswitch.ideC:D.format	the image's format, whatever its name is
 *	floppyN.present, .fileName, .readOnly	a floppy drive (0 or 1), a raw image of
 *				360 KB to 2.88 MB
 *	bios440.filename	without worldswitch.kernel this BIOS boots, SeaBIOS
 *	bios.bootOrder		from which of cdrom, hdd, floppy, ethernet0
 *	bios.bootDelay		after so many ms in which Esc shows its menu
 *	nbios.filename		with ethernet0 in that order, what every NIC's network
 *				is booted with, iPXE
 *	svga.present		TRUE: a VGA with a VBE exists; the default, but for
 *				guests with worldswitch.kernel
 *	vbios.filename		its BIOS
 *	RemoteDisplay.vnc.enabled	TRUE: VNC viewers see the display, at most eight
 *	RemoteDisplay.vnc.port	... at this port of 127.0.0.1
 *	RemoteDisplay.vnc.password	... who know this password, of 8 characters at most
 *	worldswitch.vnc.socket	... at a Unix socket with this path, and no port
 *	worldswitch.firmwareLog	what the BIOS logs at port 402h goes to this file
 *	worldswitch.kernel	a bzImage to boot directly
 *	worldswitch.initrd	its initramfs
 *	worldswitch.append	its command line
 *	worldswitch.tripleFault	stop (with a reason) or reset (as a PC does)
 *	worldswitch.reboot	reset, or exit: a guest's reboot ends vmapp
 *	worldswitch.stats	TRUE: print the VMM's counters at the end
 *	worldswitch.confine	FALSE: without the system call filter, for debuggers
 * and, without effect, those every VMware file has: config.version,
 * virtualHW.version, guestOS, .encoding.
 *
 * A relative path in a file counts from the file's directory.
 */
#ifndef VMAPP_VMX_H
#define VMAPP_VMX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "error.h"

#define VMX_FILE_MAX	(1u << 20)	/* bytes of a file */
#define VMX_KEY_MAX	128		/* bytes of a key */
#define VMX_VALUE_MAX	65536		/* bytes of a value */

struct vmx_entry {
	char *key;		/* as written */
	char *value;		/* unescaped */
	unsigned int line;	/* 0: from the command line */
};

struct vmx {
	char *file;		/* NULL: no file */
	struct vmx_entry *entries;
	size_t n;
};

void vmx_init(struct vmx *v);
void vmx_free(struct vmx *v);

/**
 * vmx_parse() - read a file's text; for one file of a struct vmx
 * @name: what errors call it
 * Returns 0, or -1 with @err set.
 */
int vmx_parse(struct vmx *v, const char *name, const char *text, size_t len, struct error *err);
int vmx_load(struct vmx *v, const char *path, struct error *err);

/* KEY=VALUE from a command line; replaces the key. The value is not unescaped. */
int vmx_override(struct vmx *v, const char *assignment, struct error *err);

/**
 * vmx_check() - hold every known key against its type and range
 *
 * After it has returned 0 the functions below cannot fail.
 */
int vmx_check(const struct vmx *v, struct error *err);

/* The names of the keys that are not known, ", " between them: 0 if there are none. */
size_t vmx_unknown(const struct vmx *v, char *buf, size_t size);

/* A known key's value, or its default; "" when it has none. The vmx owns it. */
const char *vmx_str(const struct vmx *v, const char *key);
/*
 * A known key's value as a path into @buf: one that is relative and stands in
 * a file counts from that file's directory. "" if there is none or it does not fit.
 */
void vmx_path(const struct vmx *v, const char *key, char *buf, size_t size);
bool vmx_bool(const struct vmx *v, const char *key);
unsigned long vmx_uint(const struct vmx *v, const char *key);

void vmx_print_keys(FILE *f);

#endif
