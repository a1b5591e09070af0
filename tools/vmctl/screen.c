// SPDX-License-Identifier: GPL-2.0-only
/* vmctl screenshot, screentext, sendkey: a VM's display and keyboard. */
#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmctl.h"

#define SIZE_MAX_DOTS	8192	/* in each direction */

static const struct option no_options[] = { { } };

/* A picture as vmapp hands it out: XRGB in words, @height lines of @width. */
struct picture {
	uint32_t width, height;
	const uint32_t *pixels;
	size_t bytes;
};

/* False after a complaint. What is mapped may be no shorter than it says. */
static bool map_picture(struct picture *p, const struct client *c, const char *command,
			const json_t *answer)
{
	json_int_t width = client_integer(answer, "width", 0);
	json_int_t height = client_integer(answer, "height", 0);
	struct stat st;
	void *map;

	if (c->passed < 0 || width < 1 || width > SIZE_MAX_DOTS || height < 1 ||
	    height > SIZE_MAX_DOTS || fstat(c->passed, &st) ||
	    st.st_size < (off_t)(width * height * 4)) {
		vmctl_fail(command, "see 'vmctl list'",
			   "'%s' gave an answer that makes no sense", c->name);
		return false;
	}
	p->width = width;
	p->height = height;
	p->bytes = (size_t)width * height * 4;
	map = mmap(NULL, p->bytes, PROT_READ, MAP_PRIVATE, c->passed, 0);
	if (map == MAP_FAILED) {
		vmctl_fail(command, NULL, "the picture cannot be read: %m");
		return false;
	}
	p->pixels = map;
	return true;
}

/* 0, or what libpng says is wrong. */
static const char *write_png(const struct picture *p, FILE *f)
{
	png_image image = {
		.version = PNG_IMAGE_VERSION, .width = p->width, .height = p->height,
		.format = PNG_FORMAT_RGB,
	};
	uint8_t *rgb = malloc((size_t)p->width * p->height * 3), *to = rgb;
	static char why[sizeof(image.message)];
	bool done;

	if (!rgb)
		return "out of memory";
	for (size_t i = 0; i < (size_t)p->width * p->height; i++) {
		*to++ = p->pixels[i] >> 16;
		*to++ = p->pixels[i] >> 8;
		*to++ = p->pixels[i];
	}
	done = png_image_write_to_stdio(&image, f, 0, rgb, 0, NULL);
	free(rgb);
	snprintf(why, sizeof(why), "%s", image.message);
	return done ? NULL : why;
}

/* "-" is the standard output. A file that could not be written whole goes away. */
static int save(const struct picture *p, const char *command, const char *path)
{
	bool to_stdout = !strcmp(path, "-");
	FILE *f = to_stdout ? stdout : fopen(path, "we");
	bool is_file = false;
	const char *why;
	struct stat st;

	if (!f)
		return vmctl_fail(command, "check the path", "%s cannot be made: %m", path);
	if (!to_stdout && !fstat(fileno(f), &st))
		is_file = S_ISREG(st.st_mode);
	errno = 0;
	why = write_png(p, f);
	if (!why && fflush(f))
		why = strerror(errno);
	if (!to_stdout && fclose(f) && !why)
		why = strerror(errno);
	if (!why)
		return VMCTL_OK;
	if (is_file)
		unlink(path);
	return vmctl_fail(command, NULL, "%s cannot be written: %s", path, why);
}

int cmd_screenshot(int argc, char **argv)
{
	struct picture p;
	struct client c;
	json_t *answer;
	int err;

	if (vmctl_getopt(argc, argv, no_options) != -1)
		return VMCTL_USAGE;
	err = vmctl_operands(argc, argv, 2, 2, "NAME or FILE.png");
	if (!err)
		err = client_open(&c, argv[0], argv[optind]);
	if (err)
		return err;
	answer = client_request(&c, argv[0], "screenshot");
	err = VMCTL_FAILED;
	if (answer && map_picture(&p, &c, argv[0], answer)) {
		err = save(&p, argv[0], argv[optind + 1]);
		munmap((void *)p.pixels, p.bytes);
	}
	json_decref(answer);
	client_close(&c);
	return err;
}

int cmd_screentext(int argc, char **argv)
{
	struct client c;
	json_t *answer, *line;
	size_t i;
	int err;

	if (vmctl_getopt(argc, argv, no_options) != -1)
		return VMCTL_USAGE;
	err = vmctl_operands(argc, argv, 1, 1, "the VM's NAME");
	if (!err)
		err = client_open(&c, argv[0], argv[optind]);
	if (err)
		return err;
	answer = client_request(&c, argv[0], "screentext");
	client_close(&c);
	if (!answer)
		return VMCTL_FAILED;
	json_array_foreach(json_object_get(answer, "text"), i, line) {
		vmctl_puts(json_is_string(line) ? json_string_value(line) : "");
		putchar('\n');
	}
	json_decref(answer);
	return VMCTL_OK;
}

int cmd_sendkey(int argc, char **argv)
{
	static const struct option options[] = {
		{ "text", required_argument, NULL, 't' },
		{ }
	};
	const char *text = NULL;
	json_t *keys, *answer;
	struct client c;
	int opt, err;

	while ((opt = vmctl_getopt(argc, argv, options)) != -1) {
		if (opt != 't')
			return VMCTL_USAGE;
		text = optarg;
	}
	err = vmctl_operands(argc, argv, text ? 1 : 2, 1000, "the VM's NAME or a KEY");
	if (!err)
		err = client_open(&c, argv[0], argv[optind]);
	if (err)
		return err;
	keys = json_array();
	for (int i = optind + 1; i < argc; i++)
		json_array_append_new(keys, json_string(argv[i]));
	answer = client_call(&c, argv[0], json_pack("{s:s,s:o,s:s*}", "cmd", "sendkey", "keys",
						    keys, "text", text));
	client_close(&c);
	if (!answer)
		return VMCTL_FAILED;
	json_decref(answer);
	return VMCTL_OK;
}
