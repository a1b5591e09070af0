// SPDX-License-Identifier: GPL-2.0-only
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	/* Names that came from a file or a user must not break the line. */
	for (char *p = err->text; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = '?';
	return -1;
}
