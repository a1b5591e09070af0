/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Offsets that enter.S uses; svm.c asserts that they are right.
 */
#ifndef VMDRV_SVM_ENTER_H
#define VMDRV_SVM_ENTER_H

/* struct vmdrv_context; general register n is at 8 * n. */
#define CTX_BLOCK	128
#define CTX_BLOCK_PA	136
#define CTX_HOST_PA	144
#define CTX_PORT_MAP	152
#define CTX_ROWS	160
#define CTX_LATCH_EXITS	168
#define CTX_PAIRS	176

/* The VMCB: AMD manual 2, appendix B. */
#define VMCB_INT_STATE	0x068
#define VMCB_EXITCODE	0x070
#define VMCB_EXITINFO1	0x078
#define VMCB_EXITINFO2	0x080
#define VMCB_RFLAGS	0x570
#define VMCB_RIP	0x578
#define VMCB_RAX	0x5f8

#endif
