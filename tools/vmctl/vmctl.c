// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl: start, look at and stop virtual machines. This file has the table of
 * commands; each command is a function in a file of its own subject.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmctl.h"

#ifndef WS_VERSION
#define WS_VERSION "0.1.0"
#endif

static int cmd_help(int argc, char **argv);

static const struct vmctl_command commands[] = {
	{ "run", cmd_run, "[OPTION]... [FILE.vmx]",
	  "start a VM from a configuration file or a Linux kernel",
	  "  --kernel FILE      boot this bzImage\n"
	  "  --initrd FILE      its initial RAM disk\n"
	  "  --append TEXT      its command line\n"
	  "  --mem MIB          memory in MiB\n"
	  "  --name NAME        the VM's name, unique among those running\n"
	  "  --serial WHERE     first serial port: stdio, pty, unix:PATH, file:PATH, none\n"
	  "  --nic NETWORK      a NIC on bridged=INTERFACE, hostonly=NETWORK or NETWORK;\n"
	  "                     [,mac=ADDRESS][,path=vmm|vmapp]; may be repeated\n"
	  "  --disk FILE        an IDE disk: a raw image, or .qcow2, .vmdk, .vdi, .vhd\n"
	  "  --cdrom FILE       a CD-ROM drive with this image, or empty (\"\")\n"
	  "  --set KEY=VALUE    any key of a .vmx file; may be repeated\n"
	  "  --no-reboot        end when the guest reboots\n"
	  "  --detach           return when the VM runs, and print its name\n"
	  "Exit status in the foreground: 0 powered off, 3 the guest was stopped, 1 error.\n" },
	{ "list", cmd_list, "[--json]", "list the running VMs", "" },
	{ "info", cmd_info, "NAME [--json]", "show a VM's state and configuration", "" },
	{ "console", cmd_console, "NAME", "connect to a VM's first serial port",
	  "Ctrl-] leaves the console; the VM goes on.\n" },
	{ "stop", cmd_stop, "NAME [--timeout S] [--no-force]",
	  "press the power button, and wait until the VM is gone",
	  "  --timeout S        wait this long, then end it by force (30)\n"
	  "  --no-force         fail instead of using force\n" },
	{ "kill", cmd_kill, "NAME", "end a VM at once, as by pulling the plug", "" },
	{ "reset", cmd_reset, "NAME", "press the reset button", "" },
	{ "nmi", cmd_nmi, "NAME", "send a non-maskable interrupt", "" },
	{ "screenshot", cmd_screenshot, "NAME FILE.png", "save a picture of a VM's display", "" },
	{ "screentext", cmd_screentext, "NAME", "print what a VM's display shows as text",
	  "Fails while it shows graphics.\n" },
	{ "sendkey", cmd_sendkey, "NAME [--text TEXT] [KEY]...", "type on a VM's keyboard",
	  "  KEY                a, f12, esc, ret, up, ctrl-alt-delete, ...: one after the other\n"
	  "  --text TEXT        then this, as on a US keyboard\n" },
	{ "stat", cmd_stat, "NAME [--json] [--all] [--interval S] [--count N]",
	  "count exits and world switches by cause",
	  "  --interval S       print again every S seconds, with rates\n"
	  "  --count N          end after printing N times\n"
	  "  --all              also causes that never occurred\n"
	  "  --json             all counters, one JSON object a sample\n" },
	{ "tune", cmd_tune, "NAME [--profile P] [KNOB[=VALUE]]...",
	  "show or set a running VM's knobs", "" },
	{ "paper", cmd_paper, "NAME [--seconds S] [--json]",
	  "compare the profiles on the traffic that a VM has",
	  "  --seconds S        for each profile (5)\n"
	  "  --json             one array of objects\n" },
	{ "net", cmd_net, "SUBCOMMAND [ARGUMENT]...", "make, show and change virtual networks",
	  "  create NET [--type private|hostonly|bridged] [--nic IF] [--address A.B.C.D/N]\n"
	  "      [--interface NAME] [--hub] [--mtu N] [POLICY]...\n"
	  "  delete NET [--force]\n"
	  "  list [--json]              all networks\n"
	  "  show NET [--json]          its ports, with what they passed and dropped\n"
	  "  bridge NET IF|--none       connect it to another NIC, or to none\n"
	  "  policy NET [--port N] [--hub|--switch] [--mtu N] [POLICY]...\n"
	  "                             of one port, or of the ports to come\n"
	  "  link NET PORT up|down      plug or pull a port's cable\n"
	  "  monitor [--json]           print what happens to networks and ports\n"
	  "  capture NET --pcap FILE [--count N] [--seconds S]\n"
	  "POLICY: --promiscuous allow|deny  may the port have frames for others?\n"
	  "        --mac-lock on|off         must it use its own address?\n"
	  "        --queue N                 frames that wait for it at most\n" },
	{ "create", cmd_create, "[OPTION]... NAME", "write a VM's .vmx file and make its disk",
	  "NAME.vmx and the disk's image come to the current directory.\n"
	  "  --disk SIZE|FILE   a disk of so many bytes (4G), or an image that is there\n"
	  "  --format FORMAT    of the new image: raw, qcow2, vmdk, vdi or vhd (raw)\n"
	  "  --cdrom FILE       a CD-ROM drive with this image, or empty (\"\")\n"
	  "  --nic NETWORK      as vmctl run has it\n"
	  "  --mem MIB          memory in MiB (256)\n"
	  "  --set KEY=VALUE    any key of a .vmx file; may be repeated\n" },
	{ "snapshot", cmd_snapshot, "FILE.vmx", "keep the disks of a VM that does not run as they are",
	  "What is written from then on goes to new qcow2 files, which FILE.vmx then names.\n" },
	{ "revert", cmd_revert, "FILE.vmx", "put the disks back to the last snapshot", "" },
	{ "cdrom", cmd_cdrom, "NAME FILE|--eject [--drive ideC:D] [--force]",
	  "change the CD of a running VM",
	  "  --eject            take it out\n"
	  "  --drive ideC:D     of this drive (the first one)\n"
	  "  --force            also if the guest has locked the drive\n" },
	{ "doctor", cmd_doctor, "[--json]", "say what this machine lacks for running VMs",
	  "Exit status 0 when nothing that is needed is missing.\n" },
	{ "help", cmd_help, "[COMMAND]", "explain vmctl or one command", "" },
};

static const struct vmctl_command *find_command(const char *name)
{
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	return vmctl_usage(NULL, "there is no command '%s'", name);
}

static int print_overview(FILE *out)
{
	fprintf(out, "usage: vmctl COMMAND [ARGUMENT]...\n\ncommands:\n");
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	fprintf(out, "\n'vmctl help COMMAND' explains one; see also vmctl(8).\n");
	return out == stdout ? VMCTL_OK : VMCTL_USAGE;
}

static int cmd_help(int argc, char **argv)
{
	const struct vmctl_command *c;

	if (argc < 2)
		return print_overview(stdout);
	c = find_command(argv[1]);
	if (!c)
		return unknown_command(argv[1]);
	printf("usage: vmctl %s%s%s\n%c%s.\n", c->name, *c->args ? " " : "", c->args,
	       c->help[0] - 'a' + 'A', c->help + 1);
	if (*c->details)
		printf("\n%s", c->details);
	return VMCTL_OK;
}

/* So that nothing we open comes to stand in for one that our caller closed. */
static void open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
}

int main(int argc, char **argv)
{
	const struct vmctl_command *c;
	int status;

	open_standard_descriptors();
	/* A reader that went away (`vmctl list | head -1`) is an error of write(). */
	signal(SIGPIPE, SIG_IGN);

	if (argc < 2)
		return print_overview(stderr);
	if (!strcmp(argv[1], "--version")) {
		printf("vmctl (Worldswitch) %s\n", WS_VERSION);
		return VMCTL_OK;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return print_overview(stdout);
	c = find_command(argv[1]);
	if (!c)
		return unknown_command(argv[1]);
	if (argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")))
		return cmd_help(2, (char *[]){ argv[0], argv[1], NULL });

	status = c->run(argc - 1, argv + 1);
	if ((fflush(stdout) || ferror(stdout)) && !status)
		status = vmctl_fail(c->name, NULL, "standard output cannot be written: %m");
	return status;
}
