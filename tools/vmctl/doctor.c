// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl doctor: what this machine lacks for running VMs, as a table of checks,
 * each with what it found and what to do about it.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "vmctl.h"

#define GROUP	"vmusers"

/* MiB that a small guest and its vmapp want to find free. */
#define MEMORY_WANTED_MIB	320

enum status { GOOD, WARN, BAD };

static const char * const status_names[] = { "ok", "warn", "FAIL" };

struct finding {
	enum status status;
	char detail[256];
	char remedy[256];	/* empty when there is nothing to do */
};

__attribute__((format(printf, 4, 5)))
static void found(struct finding *f, enum status status, const char *remedy,
		  const char *detail, ...)
{
	va_list args;

	f->status = status;
	va_start(args, detail);
	vsnprintf(f->detail, sizeof(f->detail), detail, args);
	va_end(args);
	snprintf(f->remedy, sizeof(f->remedy), "%s", remedy ? remedy : "");
}

/* @path below the root that is looked at: $WS_ROOT, for tests, else "/". */
static const char *rooted(const char *path)
{
	static char full[PATH_MAX];
	const char *root = getenv("WS_ROOT");

	snprintf(full, sizeof(full), "%s%s", root ? root : "", path);
	return full;
}

static bool exists(const char *path)
{
	return !access(rooted(path), F_OK);
}

/*
 * Call @line for each line of the file at @path, until it returns true.
 * Returns what the last call returned; false for an unreadable file.
 */
static bool each_line(const char *path, bool (*line)(char *text, void *arg), void *arg)
{
	FILE *file = fopen(rooted(path), "re");
	bool done = false;
	char *text = NULL;
	size_t room = 0;

	if (!file)
		return false;
	while (!done && getline(&text, &room, file) > 0) {
		text[strcspn(text, "\n")] = '\0';
		done = line(text, arg);
	}
	free(text);
	fclose(file);
	return done;
}

/* ---- the processor ------------------------------------------------------ */

struct cpu {
	bool flags, svm, vmx, guest;
	bool details, ept, unrestricted;	/* of VMX; newer kernels list them */
	bool npt;
};

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p += len)
		if ((p == text || p[-1] == ' ' || p[-1] == '\t') && (!p[len] || p[len] == ' '))
			return true;
	return false;
}

static bool cpu_flags(char *text, void *arg)
{
	struct cpu *cpu = arg;

	if (!strncmp(text, "vmx flags", 9)) {
		cpu->details = true;
		cpu->ept = has_word(text, "ept");
		cpu->unrestricted = has_word(text, "unrestricted_guest");
	} else if (!strncmp(text, "flags", 5)) {
		cpu->flags = true;
		cpu->svm = has_word(text, "svm");
		cpu->vmx = has_word(text, "vmx");
		cpu->npt = has_word(text, "npt");
		cpu->guest = has_word(text, "hypervisor");
	}
	return !*text;		/* the next CPU is like this one */
}

/* What the extension lacks that vmdriver needs, or NULL. */
static const char *lacks(const struct cpu *cpu)
{
	if (cpu->svm && !cpu->npt)
		return "SVM without nested paging";
	if (cpu->vmx && cpu->details && !cpu->ept)
		return "VMX without EPT";
	if (cpu->vmx && cpu->details && !cpu->unrestricted)
		return "VMX without unrestricted guest, which is for real mode";
	return NULL;
}

static void check_cpu(struct finding *f)
{
	struct cpu cpu = { };

	each_line("/proc/cpuinfo", cpu_flags, &cpu);
	if (!cpu.flags)
		found(f, BAD, "use an x86 PC", "/proc/cpuinfo shows no flags of an x86 CPU");
	else if (lacks(&cpu))
		found(f, BAD, cpu.guest ? "let this VM's hypervisor pass on all of the CPU's extension" :
		      "use a newer CPU: AMD since 2007, Intel since 2010", "%s", lacks(&cpu));
	else if (cpu.svm || cpu.vmx)
		found(f, GOOD, NULL, "%s%s", cpu.svm ? "AMD SVM" : "Intel VMX",
		      cpu.guest ? ", nested: this machine is itself a VM" : "");
	else if (cpu.guest)
		found(f, BAD, "enable nested virtualization for this VM in its hypervisor",
		      "this machine is itself a VM, and has neither SVM nor VMX");
	else
		found(f, BAD, "enable virtualization (SVM Mode, VT-x) in the firmware's set-up",
		      "neither SVM nor VMX: the CPU lacks it, or the firmware hides it");
}

/* ---- what the kernel's log says ------------------------------------------ */

static const char * const lock_messages[] = {
	"disabled by bios",
	"svm disabled",
	"disabled by firmware",
	"locked by firmware",
	"locked by the firmware",
	"not enabled by the firmware",
};

static bool tells_lock(const char *text)
{
	bool about = strcasestr(text, "svm") || strcasestr(text, "vmx") ||
		     strcasestr(text, "kvm") || strcasestr(text, "vmdriver");

	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(lock_messages) && about; i++)
		if (strcasestr(text, lock_messages[i]))
			return true;
	return false;
}

static bool of_driver(const char *text)
{
	return !strncmp(text, "vmdriver: ", 10);
}

/*
 * The last line of the log that @tells, and with @level its level, or NULL. The log is
 * read record by record without waiting; it is no ordinary file.
 */
static const char *log_line(bool (*tells)(const char *text), int *level)
{
	static char line[160];
	int fd = open(rooted("/dev/kmsg"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool told = false;
	char record[2048];
	ssize_t n;

	if (fd < 0)
		return NULL;
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		char *text;

		record[n > 0 ? n : 0] = '\0';
		record[strcspn(record, "\n")] = '\0';
		text = strchr(record, ';');
		if (!text || !tells(++text))
			continue;
		snprintf(line, sizeof(line), "%s", text);
		*level = atoi(record) & 7;
		told = true;
	}
	close(fd);
	return told ? line : NULL;
}

static void check_firmware(struct finding *f)
{
	int level;
	const char *line = log_line(tells_lock, &level);

	if (line)
		found(f, BAD, "enable virtualization (SVM Mode, VT-x) in the firmware's set-up",
		      "locked by the firmware: \"%s\"", line);
	else
		found(f, GOOD, NULL, "no sign that the firmware has locked virtualization");
}

/* ---- modules ----------------------------------------------------------------- */

struct module {
	const char *name;
	long users;		/* -1: not loaded */
};

static bool match_module(char *text, void *arg)
{
	struct module *m = arg;
	size_t len = strlen(m->name);

	if (strncmp(text, m->name, len) || text[len] != ' ')
		return false;
	/* "name size users ..." */
	if (sscanf(text + len, " %*s %ld", &m->users) != 1)
		m->users = 0;
	return true;
}

static long module_users(const char *name)
{
	struct module m = { .name = name, .users = -1 };

	each_line("/proc/modules", match_module, &m);
	return m.users;
}

static bool driver_loaded(void)
{
	return module_users("vmdriver") >= 0;
}

static void check_module(struct finding *f)
{
	int level;
	const char *line = log_line(of_driver, &level);

	if (driver_loaded())
		found(f, GOOD, NULL, "vmdriver is loaded");
	else if (line && level <= LOG_ERR)
		found(f, BAD, "when that is mended, as root: modprobe vmdriver",
		      "the module vmdriver is not loaded: \"%s\"", line);
	else
		found(f, BAD, "as root: modprobe vmdriver (after 'make modules_install')",
		      "the module vmdriver is not loaded");
}

/* What one who may not open the device has to do, to be allowed to. */
static void explain_permission(struct finding *f)
{
	const struct passwd *user = getpwuid(getuid());
	const struct group *group = getgrnam(GROUP);
	const char *name = user ? user->pw_name : "YOU";
	char remedy[200];
	bool member = false;

	for (char **m = group ? group->gr_mem : NULL; m && *m; m++)
		member |= !strcmp(*m, name);
	if (!group)
		snprintf(remedy, sizeof(remedy), "as root: groupadd --system " GROUP
			 "; usermod -aG " GROUP " %s; then log in again", name);
	else if (!member)
		snprintf(remedy, sizeof(remedy), "as root: usermod -aG " GROUP
			 " %s; then log in again", name);
	else
		snprintf(remedy, sizeof(remedy), "log in again (you joined " GROUP
			 " after this login), and see that udev's rule 60-worldswitch is there");
	found(f, BAD, remedy, "no permission on /dev/vmdriver for user %s", name);
}

static void check_device(struct finding *f)
{
	if (!exists("/dev/vmdriver"))
		found(f, BAD, driver_loaded() ? "see that udev runs, or that /dev is a devtmpfs" :
		      "load vmdriver first", "/dev/vmdriver does not exist");
	else if (access(rooted("/dev/vmdriver"), R_OK | W_OK))
		explain_permission(f);
	else
		found(f, GOOD, NULL, "/dev/vmdriver may be opened");
}

/* Another hypervisor: which modules, and when they hold the CPU. */
static const struct {
	const char *name;
	bool always;		/* from load on, not only while its VMs run */
	bool shares;		/* our VMs run beside its */
} hypervisors[] = {
	{ .name = "kvm_amd", .shares = true },
	{ .name = "kvm_intel" },
	{ .name = "vboxdrv" },
	{ .name = "vmmon" },
	{ .name = "jailhouse", .always = true },
};

/* Newer KVM takes the CPU when it is loaded, unless told otherwise. */
static bool kvm_takes_at_load(void)
{
	char value[8];

	return vmctl_read_line(rooted("/sys/module/kvm/parameters/enable_virt_at_load"), value,
			       sizeof(value)) > 0 && *value == 'Y';
}

/* Our VMs run, but the TLB is flushed each time that the CPU changes hands. */
static void explain_sharing(struct finding *f, const char *name, long users)
{
	if (users)
		found(f, GOOD, NULL, "%s has the CPU as well (%ld users): VMs of the two share it",
		      name, users);
	else
		found(f, WARN, "boot with kvm.enable_virt_at_load=0, or unload it",
		      "%s holds the CPU without a VM of its own, which makes ours slower", name);
}

static void check_hypervisor(struct finding *f)
{
	found(f, GOOD, NULL, "no other hypervisor holds the CPU");
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(hypervisors); i++) {
		const char *name = hypervisors[i].name;
		long users = module_users(name);
		bool at_load = !strncmp(name, "kvm", 3) && kvm_takes_at_load();
		char remedy[128];

		if (users < 0)
			continue;
		if (hypervisors[i].shares) {
			if (users || kvm_takes_at_load())
				explain_sharing(f, name, users);
			continue;
		}
		snprintf(remedy, sizeof(remedy), "%sas root: rmmod %s%s",
			 users ? "end its VMs, or " : "", name,
			 at_load ? ", or boot with kvm.enable_virt_at_load=0" : "");
		if (users || hypervisors[i].always || at_load) {
			found(f, BAD, remedy, "%s holds the CPU (%ld users)", name, users);
			return;
		}
		found(f, WARN, remedy, "%s is loaded; VMs of the two cannot run at once", name);
	}
}

static void check_lockdown(struct finding *f)
{
	char text[128];

	if (vmctl_read_line(rooted("/sys/kernel/security/lockdown"), text, sizeof(text)) < 0)
		*text = '\0';
	if (driver_loaded())
		found(f, GOOD, NULL, "the kernel has accepted the module");
	else if (strstr(text, "[integrity]") || strstr(text, "[confidentiality]"))
		found(f, BAD,
		      "sign it with your own key (mokutil --import) or turn Secure Boot off",
		      "the kernel is locked down and refuses unsigned modules");
	else if (vmctl_read_line(rooted("/sys/module/module/parameters/sig_enforce"), text,
				 sizeof(text)) > 0 && *text == 'Y')
		found(f, BAD, "sign the module with a key the kernel trusts",
		      "the kernel refuses unsigned modules (module.sig_enforce)");
	else
		found(f, GOOD, NULL, "unsigned modules may be loaded");
}

static void check_headers(struct finding *f)
{
	char release[128], path[256], remedy[256];

	if (vmctl_read_line(rooted("/proc/sys/kernel/osrelease"), release, sizeof(release)) <= 0) {
		found(f, WARN, NULL, "the kernel's release cannot be read");
		return;
	}
	snprintf(path, sizeof(path), "/lib/modules/%s/build", release);
	snprintf(remedy, sizeof(remedy), "as root: apt-get install linux-headers-%s", release);
	if (exists(path))
		found(f, GOOD, NULL, "headers of kernel %s are installed", release);
	else
		found(f, WARN, remedy, "no headers of kernel %s: its modules cannot be built here",
		      release);
}

/* ---- the rest -------------------------------------------------------------- */

static bool memory_line(char *text, void *arg)
{
	return sscanf(text, "MemAvailable: %ld", (long *)arg) == 1;
}

static void check_memory(struct finding *f)
{
	long kib = 0;

	if (!each_line("/proc/meminfo", memory_line, &kib))
		found(f, WARN, NULL, "/proc/meminfo does not say what is available");
	else if (kib / 1024 < MEMORY_WANTED_MIB)
		found(f, WARN, "end other programs, or give guests less memory",
		      "%ld MiB of memory are available", kib / 1024);
	else
		found(f, GOOD, NULL, "%ld MiB of memory are available", kib / 1024);
}

static void check_vmapp(struct finding *f)
{
	char path[PATH_MAX];

	if (vmctl_find_vmapp(path, sizeof(path)))
		found(f, GOOD, NULL, "vmapp is at %s", path);
	else
		found(f, BAD, "run 'make install', or set WS_VMAPP to its path",
		      "vmapp is not where it should be");
}

/* "needed": without it no VM runs, so it decides the exit status. */
static const struct {
	const char *name;
	bool needed;
	void (*check)(struct finding *f);
} checks[] = {
	{ "cpu", true, check_cpu },
	{ "firmware", true, check_firmware },
	{ "lockdown", true, check_lockdown },
	{ "hypervisor", true, check_hypervisor },
	{ "module", true, check_module },
	{ "device", true, check_device },
	{ "vmapp", true, check_vmapp },
	{ "headers", false, check_headers },
	{ "memory", false, check_memory },
};

static void print_finding(const char *name, const struct finding *f)
{
	printf("%-5s %-11s ", status_names[f->status], name);
	vmctl_puts(f->detail);
	putchar('\n');
	if (*f->remedy) {
		printf("%-17s -> ", "");
		vmctl_puts(f->remedy);
		putchar('\n');
	}
}

int cmd_doctor(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ }
	};
	json_t *list = json_array();
	bool json = false;
	int bad = 0, opt, err = 0;

	while ((opt = vmctl_getopt(argc, argv, options)) != -1 && !err) {
		json = true;
		err = opt == 'j' ? 0 : VMCTL_USAGE;
	}
	if (!err)
		err = vmctl_operands(argc, argv, 0, 0, "");
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(checks) && !err; i++) {
		struct finding f;

		checks[i].check(&f);
		bad += checks[i].needed && f.status == BAD;
		if (!json)
			print_finding(checks[i].name, &f);
		json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s, s:s}",
						      "name", checks[i].name,
						      "status", status_names[f.status],
						      "needed", checks[i].needed,
						      "detail", f.detail, "remedy", f.remedy));
	}
	if (err) {
		json_decref(list);
		return err;
	}
	if (json) {
		vmctl_print_json(json_pack("{s:b, s:o}", "ok", !bad, "checks", list));
		return bad ? VMCTL_FAILED : VMCTL_OK;
	}
	json_decref(list);
	if (bad)
		printf("\n%d needed thing%s missing.\n", bad, bad == 1 ? " is" : "s are");
	else
		printf("\nThis machine can run VMs.\n");
	return bad ? VMCTL_FAILED : VMCTL_OK;
}
