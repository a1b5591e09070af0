// SPDX-License-Identifier: GPL-2.0-only
/* vmctl cdrom: change the CD of a running VM. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmctl.h"

static int change(struct client *c, const char *command, json_t *request, const char *path)
{
	char *absolute = NULL;
	int fd = -1, status = VMCTL_FAILED;
	json_t *answer;

	if (path) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		absolute = fd >= 0 ? realpath(path, NULL) : NULL;
		if (!absolute) {
			json_decref(request);
			vmctl_fail(command, "check the path and its permissions",
				   "%s cannot be opened: %m", path);
			goto out;
		}
		json_object_set_new(request, "path", json_string(absolute));
	}
	answer = client_call_with(c, command, request, fd);
	if (answer)
		status = VMCTL_OK;
	json_decref(answer);
out:
	if (fd >= 0)
		close(fd);
	free(absolute);
	return status;
}

int cmd_cdrom(int argc, char **argv)
{
	static const struct option options[] = {
		{ "eject", no_argument, NULL, 'e' },
		{ "force", no_argument, NULL, 'f' },
		{ "drive", required_argument, NULL, 'd' },
		{ }
	};
	bool eject = false, force = false;
	const char *drive = NULL;
	struct client c;
	json_t *request;
	int opt, err;

	while ((opt = vmctl_getopt(argc, argv, options)) != -1) {
		if (opt == 'e')
			eject = true;
		else if (opt == 'f')
			force = true;
		else if (opt == 'd')
			drive = optarg;
		else
			return VMCTL_USAGE;
	}
	err = vmctl_operands(argc, argv, eject ? 1 : 2, eject ? 1 : 2,
			     eject ? "the VM's NAME" : "the VM's NAME and a FILE (or --eject)");
	if (!err)
		err = client_open(&c, argv[0], argv[optind]);
	if (err)
		return err;
	request = json_pack("{s:s,s:b,s:b}", "cmd", "cdrom", "eject", eject, "force", force);
	if (drive)
		json_object_set_new(request, "drive", json_string(drive));
	err = change(&c, argv[0], request, eject ? NULL : argv[optind + 1]);
	client_close(&c);
	return err;
}
