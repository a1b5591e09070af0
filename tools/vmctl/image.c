// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images of disks, and vmctl snapshot and revert: a snapshot is a qcow2 file for
 * what is written from then on, over the image as it was; the .vmx file then names
 * the new one. Reverting makes that file empty again.
 */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../vmapp/vmx.h"
#include "vmctl.h"

#define PROGRAM		"qemu-img"
#define SNAPSHOTS_MAX	999999

static const struct {
	const char *format;
	const char *qemu;	/* its name there */
	const char *ending;
} formats[] = {
	{ "raw", "raw", ".img" }, { "qcow2", "qcow2", ".qcow2" }, { "vmdk", "vmdk", ".vmdk" },
	{ "vdi", "vdi", ".vdi" }, { "vhd", "vpc", ".vhd" }, { "vhd", "vpc", ".vpc" },
};

bool image_is_format(const char *format)
{
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].format, format))
			return true;
	return false;
}

static const char *qemu_format(const char *format)
{
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(formats); i++)
		if (!strcasecmp(formats[i].format, format))
			return formats[i].qemu;
	return "raw";
}

void image_put_key(FILE *f, const char *key, const char *value)
{
	fprintf(f, "%s = \"", key);
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (*p < ' ' || *p == '"' || *p == '|' || *p == 0x7f)
			fprintf(f, "|%02X", *p);
		else
			putc(*p, f);
	}
	fputs("\"\n", f);
}

/* Run qemu-img; what it says on stdout into @out. Returns 0 or an exit status. */
static int run_program(const char *command, const char *const argv[], char *out, size_t size)
{
	size_t used = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return vmctl_fail(command, NULL, "no pipe: %m");
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		execvp(PROGRAM, (char *const *)argv);
		vmctl_fail(command, "install the package qemu-utils", "no " PROGRAM " here: %m");
		_exit(127);
	}
	close(fds[1]);
	while (pid > 0 && used < size - 1 && (n = read(fds[0], out + used, size - 1 - used)) > 0)
		used += n;
	out[used] = '\0';
	close(fds[0]);
	if (pid < 0)
		return vmctl_fail(command, NULL, PROGRAM " cannot be started: %m");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status ? VMCTL_FAILED : VMCTL_OK;
}

static int create_raw(const char *command, const char *path, uint64_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0)
		return vmctl_fail(command, errno == EEXIST ? "choose another name, or remove it" :
				  "check the directory", "%s cannot be made: %m", path);
	if (ftruncate(fd, size)) {
		vmctl_fail(command, "choose a smaller size or another file system",
			   "%s cannot have %llu bytes: %m", path, (unsigned long long)size);
		close(fd);
		unlink(path);
		return VMCTL_FAILED;
	}
	close(fd);
	return VMCTL_OK;
}

int image_create(const char *command, const char *path, const char *format, uint64_t size)
{
	char bytes[32], out[256];
	const char *argv[] = {
		PROGRAM, "create", "-q", "-f", qemu_format(format), "--", path, bytes, NULL,
	};

	if (!strcmp(format, "raw"))
		return create_raw(command, path, size);
	if (!access(path, F_OK))
		return vmctl_fail(command, "choose another name, or remove it", "%s is there already",
				  path);
	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)size);
	return run_program(command, argv, out, sizeof(out));
}

/* ---- snapshots ------------------------------------------------------------------------- */

static const char *const places[] = { "ide0:0", "ide0:1", "ide1:0", "ide1:1" };

/* A disk of a .vmx file. */
struct disk {
	char key[32];		/* ide0:0.fileName */
	char path[PATH_MAX];
	char format[16];
};

/* False: there is no disk at this place. */
static bool find_disk(const struct vmx *v, const char *place, struct disk *d)
{
	char key[64];
	size_t len;

	snprintf(key, sizeof(key), "%s.present", place);
	if (!vmx_bool(v, key))
		return false;
	snprintf(key, sizeof(key), "%s.deviceType", place);
	if (!strcasecmp(vmx_str(v, key), "cdrom-image"))
		return false;
	snprintf(d->key, sizeof(d->key), "%s.fileName", place);
	vmx_path(v, d->key, d->path, sizeof(d->path));
	snprintf(key, sizeof(key), "worldswitch.%s.format", place);
	snprintf(d->format, sizeof(d->format), "%s", vmx_str(v, key));
	len = strlen(d->path);
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(formats) && !*d->format; i++) {
		size_t n = strlen(formats[i].ending);

		if (len > n && !strcasecmp(d->path + len - n, formats[i].ending))
			snprintf(d->format, sizeof(d->format), "%s", formats[i].format);
	}
	if (!*d->format)
		strcpy(d->format, "raw");
	return *d->path;
}

/* vmapp and qemu-nbd hold locks on the images that they have open. */
static int check_unused(const char *command, const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool used;

	if (fd < 0)
		return vmctl_fail(command, "check the path and its permissions",
				  "%s cannot be opened: %m", path);
	used = !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
	close(fd);
	if (used)
		return vmctl_fail(command, "stop the VM first", "%s is in use", path);
	return VMCTL_OK;
}

/* "d.img", "d-000001.qcow2": "d-000002.qcow2", whichever is free; beside it. */
static int choose_overlay(const char *command, const char *path, char *overlay, size_t size)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
	size_t len = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);

	if (len > 7 && path[len - 7] == '-' && strspn(path + len - 6, "0123456789") >= 6)
		len -= 7;
	for (unsigned int i = 1; i <= SNAPSHOTS_MAX; i++)
		if (snprintf(overlay, size, "%.*s-%06u.qcow2", (int)len, path, i) < (int)size &&
		    access(overlay, F_OK))
			return VMCTL_OK;
	return vmctl_fail(command, "use a shorter name", "%s can have no more snapshots", path);
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* @base is as qcow2 keeps it: a name beside @overlay, or a whole path. */
static int make_overlay(const char *command, const char *overlay, const char *base,
			const char *format)
{
	const char *argv[] = {
		PROGRAM, "create", "-q", "-f", "qcow2", "-F", qemu_format(format), "-b", base,
		"--", overlay, NULL,
	};
	char out[256];

	return run_program(command, argv, out, sizeof(out));
}

/* The .vmx file with another value for @key, in the place of the old one. */
static int replace_key(const char *command, const struct vmx *v, const char *key,
		       const char *value)
{
	char temp[PATH_MAX], *line = NULL;
	unsigned int wanted = 0, n = 0;
	size_t room = 0;
	FILE *in, *out;
	struct stat st;
	bool failed;

	for (size_t i = 0; i < v->n; i++)
		if (!strcasecmp(v->entries[i].key, key))
			wanted = v->entries[i].line;
	snprintf(temp, sizeof(temp), "%s.new", v->file);
	in = fopen(v->file, "re");
	out = in ? fopen(temp, "we") : NULL;
	failed = !out || fstat(fileno(in), &st) || fchmod(fileno(out), st.st_mode & 0777);
	while (!failed && getline(&line, &room, in) > 0) {
		if (++n == wanted)
			image_put_key(out, key, value);
		else
			fputs(line, out);
	}
	free(line);
	if (in)
		fclose(in);
	if (out)
		failed |= ferror(out) || fflush(out) || fsync(fileno(out)) || fclose(out);
	if (failed || rename(temp, v->file)) {
		vmctl_fail(command, "check its directory", "%s cannot be changed: %m", v->file);
		unlink(temp);
		return VMCTL_FAILED;
	}
	return VMCTL_OK;
}

static int snapshot_disk(const char *command, const struct vmx *v, const struct disk *d)
{
	char overlay[PATH_MAX];
	int err;

	err = choose_overlay(command, d->path, overlay, sizeof(overlay));
	if (!err)
		err = make_overlay(command, overlay, file_name(d->path), d->format);
	if (err)
		return err;
	/* Where the old name was one beside the file, so is the new one. */
	err = replace_key(command, v, d->key, strchr(vmx_str(v, d->key), '/') ? overlay :
			  file_name(overlay));
	if (err)
		unlink(overlay);
	else
		printf("%s\n", overlay);
	return err;
}

/* "...-000001.qcow2": what choose_overlay() makes; another file is not ours to empty. */
static bool is_overlay(const struct disk *d)
{
	static const char ending[] = "-000001.qcow2";
	size_t len = strlen(d->path), n = sizeof(ending) - 1;
	const char *end = d->path + len - n;

	return !strcmp(d->format, "qcow2") && len > n && *end == '-' &&
	       strspn(end + 1, "0123456789") == 6;
}

/* Its backing file's name and format into @base and @format; "" if it has none. */
static int find_base(const char *command, const char *path, char *base, size_t size,
		     char *format, size_t format_size)
{
	const char *argv[] = { PROGRAM, "info", "--output=json", "--", path, NULL };
	char out[16384];
	json_t *info;
	int err;

	err = run_program(command, argv, out, sizeof(out));
	if (err)
		return err;
	info = json_loads(out, 0, NULL);
	snprintf(base, size, "%s", client_string(info, "backing-filename"));
	snprintf(format, format_size, "%s", client_string(info, "backing-filename-format"));
	json_decref(info);
	return VMCTL_OK;
}

static int revert_disk(const char *command, const struct vmx *v, const struct disk *d)
{
	char base[PATH_MAX] = "", format[32] = "", temp[PATH_MAX + 8];
	int err = VMCTL_OK;

	(void)v;
	if (is_overlay(d))
		err = find_base(command, d->path, base, sizeof(base), format, sizeof(format));
	if (!err && !*base)
		err = vmctl_fail(command, "make one with vmctl snapshot",
				 "%s is no snapshot's file", d->path);
	if (err)
		return err;
	/* Either the old file or an empty one is there, whatever happens. */
	snprintf(temp, sizeof(temp), "%s.new", d->path);
	err = make_overlay(command, temp, base, !strcmp(format, "vpc") ? "vhd" : format);
	if (!err && rename(temp, d->path))
		err = vmctl_fail(command, "check its directory", "%s cannot be replaced: %m",
				 d->path);
	if (err)
		unlink(temp);
	return err;
}

/* Every disk is looked at before the first is touched. */
static int each_disk(const char *command, const char *path,
		     int (*work)(const char *command, const struct vmx *v, const struct disk *d))
{
	struct error err;
	struct disk d;
	unsigned int n = 0;
	struct vmx v;
	int status = VMCTL_OK;

	vmx_init(&v);
	if (vmx_load(&v, path, &err) || vmx_check(&v, &err))
		status = vmctl_fail(command, NULL, "%s", err.text);
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(places) && !status; i++)
		if (find_disk(&v, places[i], &d)) {
			status = check_unused(command, d.path);
			n++;
		}
	if (!status && !n)
		status = vmctl_fail(command, "name a .vmx file with one", "%s has no disk", path);
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(places) && !status; i++)
		if (find_disk(&v, places[i], &d))
			status = work(command, &v, &d);
	vmx_free(&v);
	return status;
}

/* The one operand, a .vmx file. */
static int with_file(int argc, char **argv,
		     int (*work)(const char *command, const struct vmx *v, const struct disk *d))
{
	static const struct option none[] = { { } };
	int err;

	if (vmctl_getopt(argc, argv, none) != -1)
		return VMCTL_USAGE;
	err = vmctl_operands(argc, argv, 1, 1, "a FILE.vmx");
	return err ? err : each_disk(argv[0], argv[optind], work);
}

int cmd_snapshot(int argc, char **argv)
{
	return with_file(argc, argv, snapshot_disk);
}

int cmd_revert(int argc, char **argv)
{
	return with_file(argc, argv, revert_disk);
}
