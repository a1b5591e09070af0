/* SPDX-License-Identifier: GPL-2.0-only */
/* Disk images, which qemu-img makes but for raw ones, and .vmx files that name them. */
#ifndef VMCTL_IMAGE_H
#define VMCTL_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define IMAGE_FORMATS "raw, qcow2, vmdk, vdi or vhd"

bool image_is_format(const char *format);

/* `KEY = "VALUE"`, with what a .vmx file cannot hold as |XX. */
void image_put_key(FILE *f, const char *key, const char *value);

/* A new image; never one over another. Returns 0, or an exit status after a complaint. */
int image_create(const char *command, const char *path, const char *format, uint64_t size);

#endif
