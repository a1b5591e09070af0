/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Direct boot of a Linux bzImage through its 32-bit entry point ("The Linux/x86
 * Boot Protocol"). The image is whatever a user has: nothing in it is trusted.
 */
#ifndef VMAPP_BOOT_H
#define VMAPP_BOOT_H

#include "core/types.h"
#include "error.h"
#include "mem.h"
#include "uapi/vmdriver.h"

#define BOOT_HEADER_END	0x290	/* the setup header ends here at the latest */

/* What the header says, after it was checked. */
struct bzimage {
	u8 header[BOOT_HEADER_END];	/* the image's first bytes */
	u32 header_end;			/* of the setup header, at most BOOT_HEADER_END */
	u16 version;			/* of the protocol: 0x20f is 2.15 */
	u64 payload;			/* offset of the protected-mode code in the file */
	u64 payload_size;		/* bytes of it that are in the file */
	u32 cmdline_max;		/* characters, without the NUL */
	u64 initrd_max;			/* highest address of an initrd's byte */
	u64 run_end;			/* end of the memory used before any map is read */
};

struct boot {
	const char *kernel, *initrd, *cmdline;	/* the caller's; initrd "": none */
	int kernel_fd, initrd_fd;		/* -1: none */
	u64 initrd_size;
	bool vga;				/* there is one, in text mode; the caller's */
	struct bzimage image;
};

/**
 * bzimage_parse() - check an image's header
 * @name: what errors call it
 * @head: its first bytes, @head_len of them (all, or at least BOOT_HEADER_END)
 * @file_size: bytes of the whole file
 * Returns 0, or -1 with @err set.
 */
int bzimage_parse(struct bzimage *img, const char *name, const u8 *head, size_t head_len,
		  u64 file_size, struct error *err);

/*
 * Open and check the files. They stay open, so that a reset loads them again
 * without the right to open files. boot_close() after either outcome.
 */
int boot_open(struct boot *b, const char *kernel, const char *initrd, const char *cmdline,
	      struct error *err);
void boot_close(struct boot *b);

/*
 * Put kernel, initrd, command line and zero page into memory that is all zero.
 * @rsdp: guest physical address of the ACPI root pointer
 */
int boot_load(const struct boot *b, struct guest_mem *mem, u64 rsdp, struct error *err);

/* The state in which the kernel is entered; @sregs as the CPU has it after reset. */
void boot_cpu_state(struct vmdrv_regs *regs, struct vmdrv_sregs *sregs);

#endif
