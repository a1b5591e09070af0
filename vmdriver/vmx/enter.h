/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Offsets and numbers that enter.S uses; vmx.c asserts that they are right.
 */
#ifndef VMDRV_VMX_ENTER_H
#define VMDRV_VMX_ENTER_H

/* struct vmdrv_context; general register n is at 8 * n. */
#define CTX_BLOCK	128
#define CTX_PORT_MAP	152
#define CTX_ROWS	160
#define CTX_LATCH_EXITS	168
#define CTX_PAIRS	176

/* struct vmx_vcpu, where CTX_BLOCK points to */
#define VMX_HOST_RSP	0
#define VMX_SPEC_CTRL	8
#define VMX_CR2		16
#define VMX_EXIT_REASON	24
#define VMX_LAUNCHED	28

/* VMCS fields: Intel SDM 3, appendix "Field Encoding in VMCS". */
#define FIELD_INTERRUPTIBILITY	0x4824
#define FIELD_EXIT_REASON	0x4402
#define FIELD_EXIT_INTR_INFO	0x4404
#define FIELD_INSTRUCTION_LEN	0x440c
#define FIELD_QUALIFICATION	0x6400
#define FIELD_RIP		0x681e
#define FIELD_RFLAGS		0x6820
#define FIELD_HOST_RSP		0x6c14

/*
 * The qualification of an exit for I/O has the size less one in bits 2:0, IN in
 * bit 3, then string and REP, and the port in bits 31:16. One added and its
 * lower half moved by four, it is a latch's key (core/port_table.h).
 */
#define KEY_SHIFT	4
#define KEY_IN		0x80
#define KEY_MASK	0xffff03f0

#endif
