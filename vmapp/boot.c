// SPDX-License-Identifier: GPL-2.0-only
#include "boot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where things go in conventional memory, far below the 9FC00h given in the map. */
#define BOOT_GDT	0x1000
#define BOOT_ZERO_PAGE	0x10000
#define BOOT_CMDLINE	0x20000
#define BOOT_CMDLINE_MAX 0x10000
#define BOOT_EBDA	0x9fc00		/* the last KiB belongs to a BIOS */
#define BOOT_LOAD	0x100000	/* of the protected-mode code; also its entry */

#define BOOT_CS		0x10
#define BOOT_DS		0x18

/* struct setup_header, "The Real-Mode Kernel Header" */
#define HDR_START	0x1f1
#define HDR_SETUP_SECTS	0x1f1
#define HDR_SYSSIZE	0x1f4
#define HDR_BOOT_FLAG	0x1fe
#define HDR_JUMP	0x201
#define HDR_MAGIC	0x202
#define HDR_VERSION	0x206
#define HDR_LOADER	0x210
#define HDR_LOADFLAGS	0x211
#define HDR_CODE32	0x214
#define HDR_INITRD	0x218
#define HDR_INITRD_SIZE	0x21c
#define HDR_CMDLINE	0x228
#define HDR_INITRD_MAX	0x22c
#define HDR_ALIGNMENT	0x230
#define HDR_RELOCATABLE	0x234
#define HDR_CMDLINE_SIZE 0x238
#define HDR_PREF_ADDRESS 0x258
#define HDR_INIT_SIZE	0x260

#define LOADFLAGS_HIGH		0x01
#define LOADFLAGS_USE_HEAP	0x80
#define LOADER_UNDEFINED	0xff

/* struct boot_params, "zero-page"; its first bytes are the screen_info */
#define ZP_VIDEO_MODE	0x006
#define ZP_VIDEO_COLS	0x007
#define ZP_VIDEO_LINES	0x00e
#define ZP_VIDEO_IS_VGA	0x00f
#define ZP_VIDEO_POINTS	0x010
#define ZP_EXT_MEM_K	0x002
#define ZP_RSDP		0x070
#define ZP_ALT_MEM_K	0x1e0
#define ZP_E820_N	0x1e8
#define ZP_E820		0x2d0

#define E820_RAM	1
#define E820_RESERVED	2

struct e820_entry {
	u64 addr, size;
	u32 type;
} __attribute__((packed));

/* The guest is a PC and so is the host: both are little-endian. */
static u32 get32(const u8 *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static u16 get16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

static void put32(u8 *p, u64 v)
{
	u32 v32 = (u32)v;

	memcpy(p, &v32, sizeof(v32));
}

static u64 align_up(u64 v, u64 align)
{
	return (v + align - 1) / align * align;
}

/* The end of what the kernel uses before it has read the memory map. */
static u64 run_end(const u8 *head, u16 version, u64 payload_size)
{
	u64 start = BOOT_LOAD, end, pref, align;

	if (version < 0x20a)	/* the header does not say */
		return BOOT_LOAD + payload_size;
	memcpy(&pref, head + HDR_PREF_ADDRESS, sizeof(pref));
	align = get32(head + HDR_ALIGNMENT);
	if (head[HDR_RELOCATABLE] && align)
		start = align_up(start, align);
	if (start < pref)	/* it moves itself there; no sum below may wrap */
		start = pref < 1ull << 48 ? pref : 1ull << 48;
	end = start + get32(head + HDR_INIT_SIZE);
	return end > BOOT_LOAD + payload_size ? end : BOOT_LOAD + payload_size;
}

/* Where the header must at least end to have the fields that are read here. */
static u32 header_min(u16 version)
{
	if (version >= 0x20a)
		return HDR_INIT_SIZE + 4;
	if (version >= 0x206)
		return HDR_CMDLINE_SIZE + 4;
	return version >= 0x203 ? HDR_INITRD_MAX + 4 : HDR_CMDLINE + 4;
}

int bzimage_parse(struct bzimage *img, const char *name, const u8 *head, size_t head_len,
		  u64 file_size, struct error *err)
{
	static const char want[] = "worldswitch.kernel must name a Linux bzImage (vmlinuz)";
	u64 need;

	if (head_len < HDR_LOADFLAGS + 1 || get16(head + HDR_BOOT_FLAG) != 0xaa55 ||
	    memcmp(head + HDR_MAGIC, "HdrS", 4))
		return error_set(err, "%s is not a Linux kernel image: it has no setup header; %s",
				 name, want);
	img->version = get16(head + HDR_VERSION);
	img->header_end = HDR_MAGIC + head[HDR_JUMP];
	if (img->version < 0x202 || !(head[HDR_LOADFLAGS] & LOADFLAGS_HIGH))
		return error_set(err, "%s is too old: boot protocol %u.%02u or a zImage; %s from Linux 2.4 or later",
				 name, img->version >> 8, img->version & 0xff, want);
	if (img->header_end > BOOT_HEADER_END)
		img->header_end = BOOT_HEADER_END;
	if (head_len < img->header_end)
		return error_set(err, "%s is truncated: its setup header ends at %xh, the file at %zxh; copy it again",
				 name, img->header_end, head_len);
	if (img->header_end < header_min(img->version))
		return error_set(err, "%s is corrupt: its setup header ends at %xh, before the fields of protocol %u.%02u; copy it again",
				 name, img->header_end, img->version >> 8, img->version & 0xff);
	img->payload = ((head[HDR_SETUP_SECTS] ? head[HDR_SETUP_SECTS] : 4) + 1) * 512u;
	/* 16-byte units; before 2.04 only the low half is there. */
	need = img->version >= 0x204 ? get32(head + HDR_SYSSIZE) : get16(head + HDR_SYSSIZE);
	need *= 16;
	if (file_size <= img->payload ||
	    (img->version >= 0x204 && file_size - img->payload + 15 < need))
		return error_set(err, "%s is truncated: %llu bytes of %llu; copy it again", name,
				 (unsigned long long)file_size,
				 (unsigned long long)(img->payload + need));
	if (!need)
		return error_set(err, "%s is corrupt: its header gives it a size of 0; copy it again",
				 name);
	img->payload_size = file_size - img->payload;
	if (img->version >= 0x204 && img->payload_size > need)
		img->payload_size = need;

	img->cmdline_max = img->version >= 0x206 ? get32(head + HDR_CMDLINE_SIZE) : 255;
	if (img->cmdline_max > BOOT_CMDLINE_MAX - 1)
		img->cmdline_max = BOOT_CMDLINE_MAX - 1;
	img->initrd_max = img->version >= 0x203 ? get32(head + HDR_INITRD_MAX) : 0x37ffffff;
	img->run_end = run_end(head, img->version, img->payload_size);
	memcpy(img->header, head, img->header_end);
	return 0;
}

static int open_file(const char *path, const char *key, u64 *size, struct error *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_set(err, "cannot open %s: %s; check %s", path, strerror(errno), key);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return error_set(err, "%s is not a regular file; check %s", path, key);
	}
	*size = (u64)st.st_size;
	return fd;
}

/* As many of @len bytes as there are: -1 with errno, or how many. */
static ssize_t read_at(int fd, void *buf, u64 len, u64 pos)
{
	u64 done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (u8 *)buf + done, len - done, (off_t)(pos + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		done += (u64)n;
	}
	return (ssize_t)done;
}

int boot_open(struct boot *b, const char *kernel, const char *initrd, const char *cmdline,
	      struct error *err)
{
	u8 head[BOOT_HEADER_END];
	ssize_t n;
	u64 size;

	*b = (struct boot){ .kernel = kernel, .initrd = initrd, .cmdline = cmdline,
			    .kernel_fd = -1, .initrd_fd = -1 };
	if (!*kernel)
		return error_set(err, "no kernel to boot; set worldswitch.kernel = \"/path/to/vmlinuz\"");
	b->kernel_fd = open_file(kernel, "worldswitch.kernel", &size, err);
	if (b->kernel_fd < 0)
		return -1;
	n = read_at(b->kernel_fd, head, sizeof(head), 0);
	if (n < 0)
		return error_set(err, "cannot read %s: %s", kernel, strerror(errno));
	if (bzimage_parse(&b->image, kernel, head, (size_t)n, size, err))
		return -1;
	if (strlen(cmdline) > b->image.cmdline_max)
		return error_set(err, "the command line has %zu characters, %s takes %u; shorten worldswitch.append",
				 strlen(cmdline), kernel, b->image.cmdline_max);
	if (!*initrd)
		return 0;
	b->initrd_fd = open_file(initrd, "worldswitch.initrd", &b->initrd_size, err);
	return b->initrd_fd < 0 ? -1 : 0;
}

void boot_close(struct boot *b)
{
	if (b->kernel_fd >= 0)
		close(b->kernel_fd);
	if (b->initrd_fd >= 0)
		close(b->initrd_fd);
	b->kernel_fd = -1;
	b->initrd_fd = -1;
}

/* As high as it may be: the kernel unpacks itself below. */
static int place_initrd(const struct boot *b, const struct guest_mem *mem, u64 *addr,
			struct error *err)
{
	u64 top = mem_low_top(mem);
	u64 lowest = align_up(b->image.run_end, 4096);

	if (top > b->image.initrd_max + 1)
		top = b->image.initrd_max + 1;
	top &= ~4095ull;
	if (top < lowest || align_up(b->initrd_size, 4096) > top - lowest)
		return error_set(err, "initrd %s is too large: %llu bytes do not fit between the kernel (up to %lluM) and %lluM; %s",
				 b->initrd, (unsigned long long)b->initrd_size,
				 (unsigned long long)(lowest + MIB - 1) / MIB,
				 (unsigned long long)top / MIB,
				 mem_low_top(mem) <= b->image.initrd_max ? "raise memsize" :
				 "use a smaller one");
	*addr = top - align_up(b->initrd_size, 4096);
	return 0;
}

static void add_range(u8 *zp, u64 addr, u64 size, u32 type)
{
	struct e820_entry e = { addr, size, type };

	memcpy(zp + ZP_E820 + zp[ZP_E820_N]++ * sizeof(e), &e, sizeof(e));
}

static void fill_zero_page(const struct boot *b, const struct guest_mem *mem, u8 *zp, u64 initrd,
			   u64 rsdp)
{
	const struct bzimage *img = &b->image;
	u64 low = mem_low_top(mem), ext_k = (low - MEM_HIGH) / 1024;

	memcpy(zp + HDR_START, img->header + HDR_START, img->header_end - HDR_START);
	zp[HDR_LOADER] = LOADER_UNDEFINED;
	zp[HDR_LOADFLAGS] &= (u8)~LOADFLAGS_USE_HEAP;
	put32(zp + HDR_CODE32, BOOT_LOAD);
	put32(zp + HDR_INITRD, initrd);
	put32(zp + HDR_INITRD_SIZE, b->initrd_size);
	put32(zp + HDR_CMDLINE, BOOT_CMDLINE);
	if (img->version >= 0x20e)
		memcpy(zp + ZP_RSDP, &rsdp, sizeof(rsdp));

	if (b->vga) {
		zp[ZP_VIDEO_MODE] = 3;
		zp[ZP_VIDEO_COLS] = 80;
		zp[ZP_VIDEO_LINES] = 25;
		zp[ZP_VIDEO_IS_VGA] = 1;
		zp[ZP_VIDEO_POINTS] = 16;
	}

	/* For kernels that ask the BIOS's older ways: KiB above 1 MiB. */
	put32(zp + ZP_ALT_MEM_K, ext_k);
	zp[ZP_EXT_MEM_K] = (u8)(ext_k > 0xffff ? 0xff : ext_k);
	zp[ZP_EXT_MEM_K + 1] = (u8)(ext_k > 0xffff ? 0xff : ext_k >> 8);

	add_range(zp, 0, BOOT_EBDA, E820_RAM);
	add_range(zp, BOOT_EBDA, MEM_VIDEO - BOOT_EBDA, E820_RESERVED);
	add_range(zp, MEM_BIOS, MEM_HIGH - MEM_BIOS, E820_RESERVED);
	add_range(zp, MEM_HIGH, low - MEM_HIGH, E820_RAM);
	if (mem_high_size(mem))
		add_range(zp, MEM_ABOVE_4G, mem_high_size(mem), E820_RAM);
}

static int load_part(const struct guest_mem *mem, int fd, const char *name, u64 gpa, u64 len,
		     u64 pos, struct error *err)
{
	ssize_t n = read_at(fd, mem_ptr(mem, gpa, len), len, pos);

	if (n < 0)
		return error_set(err, "cannot read %s: %s", name, strerror(errno));
	if ((u64)n < len)
		return error_set(err, "%s became shorter while it was read; start the VM again", name);
	return 0;
}

int boot_load(const struct boot *b, struct guest_mem *mem, u64 rsdp, struct error *err)
{
	/* Two flat segments; the selectors are the protocol's. */
	static const u64 gdt[] = { 0, 0, 0x00cf9b000000ffff, 0x00cf93000000ffff };
	const struct bzimage *img = &b->image;
	u64 initrd = 0;

	if (img->run_end > mem_low_top(mem))
		return error_set(err, "%s needs %lluM before it starts (kernel and room to unpack it), memsize gives it %lluM; raise memsize",
				 b->kernel, (unsigned long long)(img->run_end + MIB - 1) / MIB,
				 (unsigned long long)mem_low_top(mem) / MIB);
	if (b->initrd_size && place_initrd(b, mem, &initrd, err))
		return -1;
	if (load_part(mem, b->kernel_fd, b->kernel, BOOT_LOAD, img->payload_size, img->payload,
		      err))
		return -1;
	if (b->initrd_size &&
	    load_part(mem, b->initrd_fd, b->initrd, initrd, b->initrd_size, 0, err))
		return -1;
	memcpy(mem_ptr(mem, BOOT_GDT, sizeof(gdt)), gdt, sizeof(gdt));
	memcpy(mem_ptr(mem, BOOT_CMDLINE, BOOT_CMDLINE_MAX), b->cmdline, strlen(b->cmdline) + 1);
	fill_zero_page(b, mem, mem_ptr(mem, BOOT_ZERO_PAGE, 4096), initrd, rsdp);
	return 0;
}

void boot_cpu_state(struct vmdrv_regs *regs, struct vmdrv_sregs *sregs)
{
	/* Attributes: present, accessed, G and D/B set; code or data. */
	const struct vmdrv_segment code = { .limit = 0xffffffff, .selector = BOOT_CS,
					    .attrib = 0xc9b };
	const struct vmdrv_segment data = { .limit = 0xffffffff, .selector = BOOT_DS,
					    .attrib = 0xc93 };

	*regs = (struct vmdrv_regs){ .rip = BOOT_LOAD, .rsi = BOOT_ZERO_PAGE, .rflags = 0x2 };
	sregs->cs = code;
	sregs->ds = data;
	sregs->es = data;
	sregs->ss = data;
	sregs->fs = data;
	sregs->gs = data;
	sregs->gdtr.base = BOOT_GDT;
	sregs->gdtr.limit = 4 * 8 - 1;
	sregs->cr0 = 0x11;	/* PE, ET */
	sregs->cr3 = 0;
	sregs->cr4 = 0;
	sregs->efer = 0;
}
