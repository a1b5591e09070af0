// SPDX-License-Identifier: GPL-2.0-only
/* vmctl list, vmctl info: what runs, and how. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmctl.h"

static const struct option json_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ }
};

/* The only option of both commands. Returns 0 or an exit status. */
static int parse_json(int argc, char **argv, bool *json)
{
	int opt;

	while ((opt = vmctl_getopt(argc, argv, json_options)) != -1) {
		if (opt != 'j')
			return VMCTL_USAGE;
		*json = true;
	}
	return 0;
}

/* The answer of every VM that gives one; a VM may end while we look. */
static json_t *collect(void)
{
	json_t *all = json_array();
	const char *dir = client_dir("list");
	char **names = dir ? client_names("list") : NULL;

	if (!names) {
		json_decref(all);
		return NULL;
	}
	for (char **name = names; *name; name++) {
		struct client c;
		json_t *info;

		if (client_connect(&c, dir, *name))
			continue;
		info = client_info(&c, NULL);
		if (!info)
			info = json_pack("{s:s, s:i, s:s}", "name", *name, "pid", (int)c.pid,
					 "state", "no answer");
		json_array_append_new(all, info);
		client_close(&c);
	}
	client_free_names(names);
	return all;
}

/* @text, and blanks up to @width columns. */
static void put_column(const char *text, size_t width)
{
	size_t len = strlen(text);

	vmctl_puts(text);
	printf("%*s", (int)(len < width ? width - len : 0), "");
}

static void print_row(const json_t *vm)
{
	char uptime[32];

	vmctl_uptime(uptime, sizeof(uptime), json_number_value(json_object_get(vm, "uptime_s")));
	put_column(client_string(vm, "name"), 20);
	printf("  ");
	put_column(client_string(vm, "state"), 9);
	printf("  %7lld  %7lld  %12s", (long long)client_integer(vm, "pid", 0),
	       (long long)client_integer(vm, "memory_mib", 0), uptime);
	if (*client_string(vm, "reason")) {
		printf("  ");
		vmctl_puts(client_string(vm, "reason"));
	}
	putchar('\n');
}

int cmd_list(int argc, char **argv)
{
	bool json = false;
	json_t *all, *vm;
	size_t i;
	int err;

	err = parse_json(argc, argv, &json);
	if (!err)
		err = vmctl_operands(argc, argv, 0, 0, "");
	if (err)
		return err;
	all = collect();
	if (!all)
		return VMCTL_FAILED;
	if (json) {
		vmctl_print_json(all);
		return VMCTL_OK;
	}
	printf("%-20s  %-9s  %7s  %7s  %12s\n", "NAME", "STATE", "PID", "MIB", "UPTIME");
	json_array_foreach(all, i, vm)
		print_row(vm);
	json_decref(all);
	return VMCTL_OK;
}

static void print_field(const char *label, const char *value)
{
	if (!*value)
		return;
	printf("%-10s ", label);
	vmctl_puts(value);
	putchar('\n');
}

static void print_nic(const json_t *nic)
{
	printf("ethernet%-2lld ", (long long)client_integer(nic, "nic", 0));
	vmctl_puts(client_string(nic, "address"));
	printf(" on ");
	vmctl_puts(client_string(nic, "network"));
	printf(", link ");
	vmctl_puts(client_string(nic, "link"));
	printf(", datapath ");
	vmctl_puts(client_string(nic, "path"));
	printf(", IRQ %lld; frames: %lld sent, %lld received, %lld dropped\n",
	       (long long)client_integer(nic, "irq", 0),
	       (long long)client_integer(nic, "tx_frames", 0),
	       (long long)client_integer(nic, "rx_frames", 0),
	       (long long)client_integer(nic, "rx_queue_full", 0));
}

static void print_info(const json_t *info)
{
	const json_t *nobody = json_object_get(info, "nobody");
	const json_t *irq_page = json_object_get(info, "irq_page");
	json_t *serial, *nic, *value;
	char text[64];
	const char *key;
	size_t i;

	print_field("name", client_string(info, "name"));
	print_field("state", client_string(info, "state"));
	print_field("reason", client_string(info, "reason"));
	printf("%-10s %lld\n", "pid", (long long)client_integer(info, "pid", 0));
	printf("%-10s vm%lld\n", "device", (long long)client_integer(info, "id", -1));
	printf("%-10s %lld MiB\n", "memory", (long long)client_integer(info, "memory_mib", 0));
	vmctl_uptime(text, sizeof(text), json_number_value(json_object_get(info, "uptime_s")));
	print_field("uptime", text);
	json_array_foreach(json_object_get(info, "serial"), i, serial) {
		printf("serial%-4zu ", i);
		vmctl_puts(client_string(serial, "type"));
		putchar(' ');
		vmctl_puts(client_string(serial, "path"));
		putchar('\n');
	}
	json_array_foreach(json_object_get(info, "nics"), i, nic)
		print_nic(nic);
	if (irq_page)
		printf("%-10s %lld times in time, %lld system calls spared\n", "IRQ page",
		       (long long)client_integer(irq_page, "found", 0),
		       (long long)client_integer(irq_page, "spared", 0));
	if (nobody)
		printf("%-10s %lld reads, %lld writes of ports, %lld of memory\n", "to nobody",
		       (long long)client_integer(nobody, "in", 0),
		       (long long)client_integer(nobody, "out", 0),
		       (long long)client_integer(nobody, "mmio", 0));
	json_object_foreach(json_object_get(info, "config"), key, value) {
		vmctl_puts(key);
		fputs(" = \"", stdout);
		vmctl_puts(json_is_string(value) ? json_string_value(value) : "");
		puts("\"");
	}
}

int cmd_info(int argc, char **argv)
{
	bool json = false;
	struct client c;
	json_t *info;
	int err;

	err = parse_json(argc, argv, &json);
	if (!err)
		err = vmctl_operands(argc, argv, 1, 1, "the VM's NAME");
	if (!err)
		err = client_open(&c, argv[0], argv[optind]);
	if (err)
		return err;
	info = client_info(&c, argv[0]);
	client_close(&c);
	if (!info)
		return VMCTL_FAILED;
	if (json) {
		vmctl_print_json(info);
		return VMCTL_OK;
	}
	print_info(info);
	json_decref(info);
	return VMCTL_OK;
}
