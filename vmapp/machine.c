// SPDX-License-Identifier: GPL-2.0-only
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define VCPU_STACK	(128 * 1024)

/* ---- requests ------------------------------------------------------------------ */

void machine_request(struct machine *m, unsigned int request)
{
	m->requests |= request;
	vcpu_kick(m);
}

bool machine_call(struct machine *m, void (*call)(struct machine *m, void *arg), void *arg)
{
	if (m->requests & MACHINE_END)
		return false;
	m->call = call;
	m->call_arg = arg;
	machine_request(m, MACHINE_CALL);
	while (m->requests & MACHINE_CALL)
		pthread_cond_wait(&m->called, &m->lock);
	return true;
}

void machine_stop(struct machine *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->reason, sizeof(m->reason), fmt, ap);
	va_end(ap);
	m->state = MACHINE_STOPPED;
	/* Who does not stay says it at the end, when the terminal is back. */
	if (m->stay)
		fprintf(stderr, "vmapp: %s stopped: %s\n", m->name, m->reason);
	loop_wake(&m->loop);
}

static void on_power_off(void *ctx)
{
	machine_request(ctx, MACHINE_END);
}

void machine_reboot(struct machine *m)
{
	bool ends = !strcasecmp(vmx_str(m->config, "worldswitch.reboot"), "exit");

	machine_request(m, ends ? MACHINE_END : MACHINE_RESET);
}

static void on_reset(void *ctx)
{
	machine_reboot(ctx);
}

/* The vCPU is out of the guest: it has just written to the bridge, or is reset. */
static void on_shadow(void *ctx)
{
	struct machine *m = ctx;

	if (!firmware_shadow(&m->firmware, &m->map, &m->i440fx, &m->mem))
		machine_stop(m, "the VMM does not take the memory below 1 MiB: %s",
			     strerror(errno));
}

static void set_irq(void *ctx, unsigned int irq, bool level)
{
	struct machine *m = ctx;
	struct vmdrv_irq line = { .irq = irq, .level = level };
	u8 *holders = &m->irq_holders[irq];

	*holders = (u8)(level ? *holders + 1 : *holders - 1);
	if (*holders == level)	/* from none to one, or from one to none */
		ioctl(m->vm_fd, VMDRV_SET_IRQ, &line);
}

static void on_routed(void *ctx)
{
	struct machine *m = ctx;

	nics_route(&m->nics);
}

static void on_wake(void *arg)
{
	struct machine *m = arg;

	for (unsigned int i = 0; i < SERIAL_PORTS; i++)
		serial_wake(&m->serial[i]);
	nics_wake(&m->nics);
	if ((m->requests & MACHINE_END) || (m->state == MACHINE_STOPPED && !m->stay))
		loop_stop(&m->loop);
}

/* ---- the VM in the kernel -------------------------------------------------------- */

static int open_device(struct machine *m, struct error *err)
{
	struct vmdrv_caps caps;

	m->device_fd = open(VMDRV_DEVICE, O_RDWR | O_CLOEXEC);
	if (m->device_fd < 0) {
		const char *remedy = "load the module: modprobe vmdriver (as root)";

		if (errno == EACCES || errno == EPERM)
			remedy = "join the group vmusers, or run as root";
		else if (errno != ENOENT && errno != ENXIO && errno != ENODEV)
			remedy = "vmctl doctor may know more";
		return error_set(err, "cannot open %s: %s; %s", VMDRV_DEVICE, strerror(errno),
				 remedy);
	}
	if (ioctl(m->device_fd, VMDRV_GET_CAPS, &caps))
		return error_set(err, "%s does not answer: %s; is it vmdriver's?", VMDRV_DEVICE,
				 strerror(errno));
	if (caps.version != VMDRV_API_VERSION)
		return error_set(err, "the vmdriver module has interface %u, vmapp needs %u; install both from one release",
				 caps.version, VMDRV_API_VERSION);
	if (caps.phys_bits < 64 && mem_high_size(&m->mem) &&
	    (MEM_ABOVE_4G + mem_high_size(&m->mem)) >> caps.phys_bits)
		return error_set(err, "memsize is more than a guest can address here (%u bits); lower memsize",
				 caps.phys_bits);
	m->run_size = caps.run_size;
	return 0;
}

static int create_vm(struct machine *m, struct error *err)
{
	struct vmdrv_create_vm vm = { .flags = 0 };
	u8 *ram = m->mem.base;

	memcpy(vm.name, m->name, sizeof(vm.name));
	m->vm_fd = ioctl(m->device_fd, VMDRV_CREATE_VM, &vm);
	if (m->vm_fd < 0)
		return error_set(err, "cannot make a VM: %s; vmctl doctor may know more",
				 strerror(errno));
	m->id = vm.id;
	m->map.vm_fd = m->vm_fd;
	if (!map_set(&m->map, MAP_RAM_CONVENTIONAL, 0, MEM_VIDEO, ram, 0) ||
	    !map_set(&m->map, MAP_RAM_LOW, MEM_HIGH, mem_low_top(&m->mem) - MEM_HIGH,
		     ram + MEM_HIGH, 0) ||
	    !map_set(&m->map, MAP_RAM_HIGH, MEM_ABOVE_4G, mem_high_size(&m->mem),
		     ram + MEM_LOW_MAX, 0) ||
	    (m->firmware.rom.data && !firmware_map(&m->firmware, &m->map)))
		return error_set(err, "cannot give the VM its memory: %s; lower memsize",
				 strerror(errno));
	m->vcpu_fd = ioctl(m->vm_fd, VMDRV_CREATE_VCPU, 0);
	if (m->vcpu_fd < 0)
		return error_set(err, "cannot make the VM's CPU: %s; vmctl doctor may know more",
				 strerror(errno));
	m->run = mmap(NULL, m->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, m->vcpu_fd, 0);
	if (m->run == MAP_FAILED) {
		m->run = NULL;
		return error_set(err, "cannot map the VM's run page: %s", strerror(errno));
	}
	return 0;
}

/* ---- devices --------------------------------------------------------------------- */

static struct dev_irq irq_line(struct machine *m, unsigned int irq)
{
	return (struct dev_irq){ set_irq, m, irq, false };
}

static struct acpi_config acpi_config(const struct machine *m)
{
	return (struct acpi_config){
		.com = (m->serial[0].loop ? 1u : 0) | (m->serial[1].loop ? 2u : 0),
		.lpt = m->parallel.fd >= 0,
		.vga = m->svga.present,
	};
}

static int add_ports(struct machine *m, const struct ws_region *rows, unsigned int n, u32 base,
		     void *dev, struct error *err)
{
	if (ws_ports_add(&m->bus.ports, rows, n, base, dev))
		return error_set(err, "two devices want port %xh", base + rows->offset);
	return 0;
}

static int create_serial(struct machine *m, struct error *err)
{
	static const struct {
		u16 port;
		u8 irq;
	} com[SERIAL_PORTS] = {
		{ NS16550_COM1, NS16550_COM1_IRQ }, { NS16550_COM2, NS16550_COM2_IRQ },
	};

	for (unsigned int i = 0; i < SERIAL_PORTS; i++) {
		struct serial *s = &m->serial[i];

		s->uart.irq = irq_line(m, com[i].irq);
		s->quit = (struct dev_signal){ on_power_off, m };
		if (serial_open(s, i, m->config, &m->loop, err))
			return -1;
		if (s->loop && add_ports(m, ns16550_regions, ns16550_n_regions, com[i].port,
					 &s->uart, err))
			return -1;
	}
	if (m->serial[0].type == SERIAL_STDIO && m->serial[1].type == SERIAL_STDIO)
		return error_set(err, "serial0 and serial1 are both \"stdio\"; give one another fileType");
	return 0;
}

static int create_nics(struct machine *m, struct error *err)
{
	m->nics.vm_fd = m->vm_fd;
	m->nics.bus = &m->bus;
	m->nics.map = &m->map;
	m->nics.bridge = &m->i440fx;
	m->nics.mem = &m->mem;
	m->nics.loop = &m->loop;
	m->nics.firmware = !m->direct;
	return nics_create(&m->nics, m->config, m->name, err);
}

/* What only firmware uses. */
static int create_firmware(struct machine *m, struct error *err)
{
	const struct acpi_config acpi = acpi_config(m);
	struct firmware *f = &m->firmware;
	u16 order;

	if (m->direct)
		return 0;
	if (firmware_boot_order(vmx_str(m->config, "bios.bootOrder"), &order, err) ||
	    firmware_describe(f, m->config, &acpi, err) ||
	    add_ports(m, fwcfg_regions, fwcfg_n_regions, 0, &f->fwcfg, err))
		return -1;
	mc146818_set_boot_order(&m->rtc, order);
	if (f->log_fd < 0)
		return 0;
	return add_ports(m, firmware_log_regions, firmware_n_log_regions, 0, f, err);
}

static int create_parallel(struct machine *m, struct error *err)
{
	m->parallel.port.irq = irq_line(m, PARPORT_LPT1_IRQ);
	if (parallel_open(&m->parallel, m->config, err))
		return -1;
	if (m->parallel.fd < 0)
		return 0;
	return add_ports(m, parport_regions, parport_n_regions, PARPORT_LPT1, &m->parallel.port, err);
}

static int create_drives(struct machine *m, struct error *err)
{
	m->drives.bus = &m->bus;
	m->drives.bridge = &m->i440fx;
	m->drives.mem = &m->mem;
	m->drives.dma = &m->dma;
	m->drives.irq = irq_line(m, 0);
	m->drives.lock = &m->lock;
	if (drives_create(&m->drives, m->config, m->name, err))
		return -1;
	mc146818_set_floppies(&m->rtc, m->drives.floppy_type[0], m->drives.floppy_type[1]);
	return 0;
}

static int create_devices(struct machine *m, struct error *err)
{
	const struct dev_clock utc = { loop_realtime, NULL }, uptime = { loop_monotonic, NULL };
	const struct dev_signal reset = { on_reset, m };

	m->rtc.irq = irq_line(m, MC146818_IRQ);
	m->rtc.clock = utc;
	m->rtc.timer = &m->rtc_timer.timer;
	m->rtc_timer.timer.expired = mc146818_expired;
	m->rtc_timer.timer.dev = &m->rtc;

	m->pm.sci = irq_line(m, PIIX4PM_IRQ);
	m->pm.clock = uptime;
	m->pm.timer = &m->pm_timer.timer;
	m->pm.power_off = (struct dev_signal){ on_power_off, m };
	m->pm_timer.timer.expired = piix4pm_expired;
	m->pm_timer.timer.dev = &m->pm;

	m->dma.memory = (struct dev_memory){ mem_read, mem_write, &m->mem };
	m->i8042.kbd_irq = irq_line(m, I8042_KBD_IRQ);
	m->i8042.aux_irq = irq_line(m, I8042_AUX_IRQ);
	m->i8042.reset = reset;
	m->i8042.clock = uptime;
	m->i8042.timer = &m->i8042_timer.timer;
	m->i8042_timer.timer.expired = i8042_expired;
	m->i8042_timer.timer.dev = &m->i8042;
	m->port92.reset = reset;
	m->i440fx.reset = reset;
	m->i440fx.shadow = (struct dev_signal){ on_shadow, m };
	m->i440fx.irq = irq_line(m, 0);
	m->i440fx.routed = (struct dev_signal){ on_routed, m };
	m->i440fx.cold = !m->direct;

	if (loop_timer_init(&m->rtc_timer, &m->loop, CLOCK_REALTIME, err) ||
	    loop_timer_init(&m->pm_timer, &m->loop, CLOCK_MONOTONIC, err) ||
	    loop_timer_init(&m->i8042_timer, &m->loop, CLOCK_MONOTONIC, err) ||
	    create_serial(m, err) || create_parallel(m, err))
		return -1;
	mc146818_init(&m->rtc, mem_low_top(&m->mem), mem_high_size(&m->mem));
	i440fx_init(&m->i440fx);
	if (add_ports(m, mc146818_regions, mc146818_n_regions, 0, &m->rtc, err) ||
	    add_ports(m, piix4pm_regions, piix4pm_n_regions, 0, &m->pm, err) ||
	    add_ports(m, i8237_regions, i8237_n_regions, 0, &m->dma, err) ||
	    add_ports(m, i8042_regions, i8042_n_regions, 0, &m->i8042, err) ||
	    add_ports(m, port92_regions, port92_n_regions, 0, &m->port92, err) ||
	    add_ports(m, i440fx_regions, i440fx_n_regions, 0, &m->i440fx, err))
		return -1;
	if (keys_init(&m->keys, &m->i8042, &m->loop, err) ||
	    svga_create(&m->svga, m->config, m->direct, &m->bus, &m->map, &m->i440fx, err) ||
	    create_firmware(m, err) || create_drives(m, err))
		return -1;
	return create_nics(m, err);
}

static void reset_devices(struct machine *m)
{
	for (unsigned int i = 0; i < SERIAL_PORTS; i++)
		if (m->serial[i].loop)
			ns16550_reset(&m->serial[i].uart);
	if (m->parallel.fd >= 0)
		parport_reset(&m->parallel.port);
	mc146818_reset(&m->rtc);
	piix4pm_reset(&m->pm);
	i8237_reset(&m->dma);
	i8042_reset(&m->i8042);
	port92_reset(&m->port92);
	i440fx_reset(&m->i440fx);
	fwcfg_reset(&m->firmware.fwcfg);
	keys_reset(&m->keys);
	svga_reset(&m->svga, m->direct);
	nics_reset(&m->nics);
	drives_reset(&m->drives);
}

/* Firmware finds its own way; a kernel is put into memory. */
static int load_guest(struct machine *m, struct error *err)
{
	const struct acpi_config acpi = acpi_config(m);

	m->boot.vga = m->svga.present;
	return m->direct ? boot_load(&m->boot, &m->mem, acpi_build(&m->mem, &acpi), err) : 0;
}

/* As the boot protocol wants it; firmware starts where the CPU itself does. */
static int set_cpu(struct machine *m)
{
	struct vmdrv_sregs sregs;
	struct vmdrv_regs regs;

	if (!m->direct)
		return 0;
	if (ioctl(m->vcpu_fd, VMDRV_GET_SREGS, &sregs))
		return -1;
	boot_cpu_state(&regs, &sregs);
	return ioctl(m->vcpu_fd, VMDRV_SET_SREGS, &sregs) ||
	       ioctl(m->vcpu_fd, VMDRV_SET_REGS, &regs);
}

int machine_reset(struct machine *m, struct error *err)
{
	reset_devices(m);
	mem_clear(&m->mem);
	if (load_guest(m, err))
		return -1;
	if (ioctl(m->vm_fd, VMDRV_RESET_DEVICES, 0) || ioctl(m->vcpu_fd, VMDRV_RESET_VCPU, 0))
		return error_set(err, "cannot reset the VM: %s", strerror(errno));
	if (set_cpu(m))
		return error_set(err, "cannot set the CPU's state: %s", strerror(errno));
	m->state = MACHINE_RUNNING;
	m->reason[0] = '\0';
	return 0;
}

/* ---- life cycle -------------------------------------------------------------------- */

void machine_init(struct machine *m, const struct vmx *config)
{
	m->config = config;
	m->device_fd = -1;
	m->vm_fd = -1;
	m->vcpu_fd = -1;
	m->boot.kernel_fd = -1;
	m->boot.initrd_fd = -1;
	m->firmware.log_fd = -1;
	m->parallel.fd = -1;
	m->vnc.fd = -1;
	m->vnc.wake_fd = -1;
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->changed, NULL);
	pthread_cond_init(&m->called, NULL);
}

int machine_create(struct machine *m, struct error *err)
{
	const struct vmx *c = m->config;

	/* What is wrong with the configuration first, then what the machine lacks. */
	vmx_path(c, "worldswitch.kernel", m->kernel, sizeof(m->kernel));
	vmx_path(c, "worldswitch.initrd", m->initrd, sizeof(m->initrd));
	m->direct = *m->kernel;
	if ((m->direct ? boot_open(&m->boot, m->kernel, m->initrd,
				   vmx_str(c, "worldswitch.append"), err) :
			 firmware_open(&m->firmware, c, err)) ||
	    mem_create(&m->mem, vmx_uint(c, "memsize"), err) ||
	    loop_init(&m->loop, &m->lock, on_wake, m, err))
		return -1;
	if (load_guest(m, err) || open_device(m, err) || create_vm(m, err) ||
	    create_devices(m, err) || machine_reset(m, err) ||
	    vnc_open(&m->vnc, m, c, err))
		return -1;
	m->started = loop_monotonic(NULL);
	return 0;
}

void machine_destroy(struct machine *m)
{
	for (unsigned int i = 0; i < SERIAL_PORTS; i++)
		serial_close(&m->serial[i]);
	serial_restore_terminal();
	parallel_close(&m->parallel);
	vnc_close(&m->vnc);
	nics_destroy(&m->nics);
	drives_destroy(&m->drives);
	svga_destroy(&m->svga);
	keys_free(&m->keys);
	loop_timer_free(&m->rtc_timer);
	loop_timer_free(&m->pm_timer);
	loop_timer_free(&m->i8042_timer);
	loop_destroy(&m->loop);
	if (m->run)
		munmap(m->run, m->run_size);
	if (m->vcpu_fd >= 0)
		close(m->vcpu_fd);
	if (m->vm_fd >= 0)
		close(m->vm_fd);
	if (m->device_fd >= 0)
		close(m->device_fd);
	boot_close(&m->boot);
	firmware_close(&m->firmware);
	mem_destroy(&m->mem);
}

int machine_start(struct machine *m, struct error *err)
{
	pthread_attr_t attr;
	int ret;

	if (vnc_start(&m->vnc, err))
		return -1;
	vcpu_init_signals();
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, VCPU_STACK > PTHREAD_STACK_MIN ? VCPU_STACK :
				  PTHREAD_STACK_MIN);
	ret = pthread_create(&m->vcpu_thread, &attr, vcpu_main, m);
	pthread_attr_destroy(&attr);
	if (ret)
		return error_set(err, "cannot start the vCPU's thread: %s; raise the limit of processes (ulimit -u)",
				 strerror(ret));
	for (unsigned int i = 0; i < SERIAL_PORTS; i++)
		serial_start(&m->serial[i]);
	return 0;
}

void machine_loop(struct machine *m)
{
	loop_run(&m->loop);
	pthread_mutex_lock(&m->lock);
	machine_request(m, MACHINE_END);
	pthread_mutex_unlock(&m->lock);
	pthread_join(m->vcpu_thread, NULL);
}
