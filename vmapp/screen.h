/* SPDX-License-Identifier: GPL-2.0-only */
/* What is on the guest's screen, for people and for tests: as a picture, as text. */
#ifndef VMAPP_SCREEN_H
#define VMAPP_SCREEN_H

#include "error.h"
#include "svga.h"

/**
 * screen_picture() - the screen now, as a file without a name
 * @width, @height: out, in dots
 *
 * The file is @height lines of @width 32-bit words, XRGB. Returns its
 * descriptor, which is the caller's, or -1 with @err set.
 */
int screen_picture(struct svga *s, unsigned int *width, unsigned int *height, struct error *err);

/*
 * A line of a text screen as UTF-8, without the blanks at its end; the caller
 * frees it. NULL: out of memory.
 */
char *screen_line(const struct vga *v, const struct vga_text *t, unsigned int row);

#endif
