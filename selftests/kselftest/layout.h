/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where things are in a tiny guest's memory, and the ports by which it talks
 * to the test. Included by C and by assembly: nothing but numbers here.
 *
 * Physical addresses are also linear addresses: every mode starts flat, and
 * paging starts as an identity map whose first 2 MiB have 4 KiB pages.
 */
#ifndef WS_KSELFTEST_LAYOUT_H
#define WS_KSELFTEST_LAYOUT_H

#define L_IMAGE		0x1000	/* the guests' code and data, 28 KiB at most */
#define L_IMAGE_END	0x8000
#define L_GDT		0x8000
#define L_IDT		0x9000	/* in real mode the IVT is at 0 */
#define L_TSS		0xa000	/* with an I/O bitmap for ports 0 to FFh */
#define L_TSS2		0xa200	/* the task that task-switch guests go to */
#define L_RESULT	0xb000	/* a page of results */
#define L_STACK		0xe000	/* tops: of the guest, */
#define L_STACK0	0xf000	/* and of its handlers when it runs in ring 3 */
#define L_PT		0x10000	/* page tables, see vm.c */
#define L_PT_END	0x1a000
#define L_BUF		0x20000	/* 64 KiB of a known pattern, see vm_pattern() */
#define L_BUF_SIZE	0x10000
#define L_SCRATCH	0x40000	/* zeroes, up to the end of memory */
#define L_RAM_SIZE	0x200000
#define L_MMIO		0x10000000	/* in no slot, but mapped by the guest */

/*
 * What an emulated CPU does not do as a real one does: bits of cpu_lacks, see
 * vm_cpu_lacks() in vm.c.
 */
#define LACKS_CHECKS	0x01	/* refuse each wrong value for CRs and MSRs */
#define LACKS_BREAKPOINTS 0x02	/* hardware breakpoints in a guest */
#define LACKS_CR2	0x04	/* load CR2 when a guest is entered */
#define LACKS_DR6	0x08	/* update DR6 for a #DB that exits */
#define LACKS_STEP	0x10	/* keep a single step over an exit from the host */
#define LACKS_SOFT_INT	0x20	/* say that an exit cut INT n short, and not another event */
#define LACKS_PE_CHECK	0x40	/* refuse CR0.PG without PE */
#define LACKS_STI_STEP	0x100	/* report a single step over STI right behind it */
#define LACKS_INTR	0x80	/* exit for a host interrupt while the guest's IF is clear */

/* Selectors; SYSCALL and SYSRET dictate the order of a few of them. */
#define SEL_CODE32	0x08
#define SEL_DATA	0x10
#define SEL_CODE64	0x18
#define SEL_DATA_B	0x20	/* the same as SEL_DATA, where SYSCALL wants it */
#define SEL_CODE16	0x28
#define SEL_UCODE32	0x33
#define SEL_UDATA	0x3b
#define SEL_UCODE64	0x43
#define SEL_TSS		0x48	/* two entries wide in long mode */
#define SEL_TSS2	0x58
#define SEL_BUF		0x60	/* data with its base at L_BUF */
#define SEL_ABSENT	0x68	/* data that is not present */
#define SEL_DATA16	0x70
#define SEL_LIMIT	0x80

/* Ports of the test itself. */
#define PORT_DONE	0xf4	/* dword: 0 passed, else the line that failed */
#define PORT_TRAP	0xf5	/* dword: an exception that nobody expected, */
#define PORT_TRAP_ERROR	0xf6	/* its error code, */
#define PORT_TRAP_IP	0xf7	/* and where it happened */
#define PORT_SYNC	0xf8	/* the guest waits here for what the host does next */
/*
 * The test device: reads give 01, 02, 03, ... byte by byte, writes are kept in
 * order. It answers at E0h to E7h and at 5100h to 51FFh.
 */
#define PORT_DEV8	0xe0
#define PORT_DEV	0x5100
#define PORT_NOBODY	0x5300	/* all ones */

#endif
