/* SPDX-License-Identifier: GPL-2.0-only */
/* The tiny guests, as one flat binary. */
	.section .rodata
	.globl guest_image, guest_image_end
guest_image:
	.incbin IMAGE
guest_image_end:
	.section .note.GNU-stack, "", @progbits
