/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An error on its way to a user: one line that names the cause and the remedy.
 */
#ifndef VMAPP_ERROR_H
#define VMAPP_ERROR_H

struct error {
	char text[1024];	/* one line without a newline; cut off if longer */
};

/* Format the line. Always -1, so that a caller can return it. @err may be NULL. */
int error_set(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
