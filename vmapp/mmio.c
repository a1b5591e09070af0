// SPDX-License-Identifier: GPL-2.0-only
#include "mmio.h"

#include <Zydis/Zydis.h>
#include <stdio.h>
#include <string.h>

#define RFLAGS_CF	(1u << 0)
#define RFLAGS_PF	(1u << 2)
#define RFLAGS_AF	(1u << 4)
#define RFLAGS_ZF	(1u << 6)
#define RFLAGS_SF	(1u << 7)
#define RFLAGS_DF	(1u << 10)
#define RFLAGS_OF	(1u << 11)
#define RFLAGS_ARITH	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

#define PAGE		4096u
#define REP_MAX		4096u	/* iterations before others get their turn */

enum gpr { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

struct emu {
	const struct mmio_env *env;
	struct vmdrv_regs *regs;
	const struct vmdrv_sregs *sregs;
	struct mmio_fault *fault;
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	bool unfinished;	/* a REP that goes on at the next exit */
};

static u64 size_mask(unsigned int bytes)
{
	return bytes >= 8 ? ~0ull : (1ull << (8 * bytes)) - 1;
}

static u64 sign_extend(u64 v, unsigned int bytes)
{
	unsigned int shift = 64 - 8 * bytes;

	return (u64)((s64)(v << shift) >> shift);
}

static __u64 *gpr(struct emu *e, unsigned int n)
{
	return &e->regs->rax + n;	/* struct vmdrv_regs is in encoding order */
}

/* ---- registers ------------------------------------------------------------- */

static bool is_high_byte(ZydisRegister reg)
{
	return reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
}

/* A register's number, or -1 if it is not a general one. */
static int gpr_number(const struct emu *e, ZydisRegister reg)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(e->insn.machine_mode, reg);

	switch (ZydisRegisterGetClass(whole)) {
	case ZYDIS_REGCLASS_GPR16:
	case ZYDIS_REGCLASS_GPR32:
	case ZYDIS_REGCLASS_GPR64:
		return ZydisRegisterGetId(whole);
	default:
		return -1;
	}
}

static void set_gpr(struct emu *e, unsigned int n, unsigned int bytes, u64 val)
{
	__u64 *reg = gpr(e, n);
	u64 mask = size_mask(bytes);

	if (bytes == 4)		/* clears the upper half */
		*reg = (u32)val;
	else
		*reg = (*reg & ~mask) | (val & mask);
}

static const struct vmdrv_segment *segment(const struct emu *e, ZydisRegister reg)
{
	switch (reg) {
	case ZYDIS_REGISTER_ES:
		return &e->sregs->es;
	case ZYDIS_REGISTER_CS:
		return &e->sregs->cs;
	case ZYDIS_REGISTER_SS:
		return &e->sregs->ss;
	case ZYDIS_REGISTER_FS:
		return &e->sregs->fs;
	case ZYDIS_REGISTER_GS:
		return &e->sregs->gs;
	default:
		return &e->sregs->ds;
	}
}

/* ---- memory ---------------------------------------------------------------- */

static u64 address_mask(const struct emu *e)
{
	return size_mask(e->insn.address_width / 8u);
}

/* Segment limits are not checked: the CPU did, before it found no RAM there. */
static u64 linear(const struct emu *e, ZydisRegister seg, u64 offset)
{
	offset &= address_mask(e);
	if (e->insn.machine_mode != ZYDIS_MACHINE_MODE_LONG_64)
		return (u32)(segment(e, seg)->base + offset);
	if (seg == ZYDIS_REGISTER_FS || seg == ZYDIS_REGISTER_GS)
		return segment(e, seg)->base + offset;
	return offset;
}

static u64 address_register(struct emu *e, ZydisRegister reg)
{
	int n;

	if (reg == ZYDIS_REGISTER_NONE)
		return 0;
	if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP)
		return e->regs->rip + e->insn.length;
	n = gpr_number(e, reg);
	return n < 0 ? 0 : *gpr(e, (unsigned int)n) & address_mask(e);
}

static u64 operand_address(struct emu *e, const ZydisDecodedOperand *op)
{
	u64 offset = address_register(e, op->mem.base) +
		     address_register(e, op->mem.index) * op->mem.scale;

	if (op->mem.disp.has_displacement)
		offset += (u64)op->mem.disp.value;
	return linear(e, op->mem.segment, offset);
}

/* An access in up to two pieces, one a page; nothing happens if either faults. */
struct pieces {
	u64 gpa[2];
	unsigned int len[2];
};

static enum mmio_result locate(struct emu *e, u64 gva, unsigned int size, bool write,
			       struct pieces *p)
{
	u32 access = write ? VMDRV_ACCESS_WRITE : VMDRV_ACCESS_READ;
	unsigned int room = PAGE - (gva & (PAGE - 1));

	if ((e->sregs->ss.attrib >> 5 & 3) == 3)
		access |= VMDRV_ACCESS_USER;
	p->len[0] = size < room ? size : room;
	p->len[1] = size - p->len[0];
	for (unsigned int i = 0; i < 2 && p->len[i]; i++, gva += p->len[0]) {
		int ret = e->env->translate(e->env->ctx, gva, access, &p->gpa[i],
					    &e->fault->error);

		e->fault->address = gva;
		if (ret)
			return ret > 0 ? MMIO_FAULT : MMIO_HOST_ERROR;
	}
	return MMIO_DONE;
}

static enum mmio_result read_mem(struct emu *e, u64 gva, unsigned int size, u64 *val)
{
	enum mmio_result ret;
	struct pieces p;

	ret = locate(e, gva, size, false, &p);
	if (ret)
		return ret;
	*val = e->env->read(e->env->ctx, p.gpa[0], p.len[0]);
	if (p.len[1])
		*val |= e->env->read(e->env->ctx, p.gpa[1], p.len[1]) << (8 * p.len[0]);
	*val &= size_mask(size);
	return MMIO_DONE;
}

static enum mmio_result write_mem(struct emu *e, u64 gva, unsigned int size, u64 val)
{
	enum mmio_result ret;
	struct pieces p;

	ret = locate(e, gva, size, true, &p);
	if (ret)
		return ret;
	e->env->write(e->env->ctx, p.gpa[0], p.len[0], val & size_mask(p.len[0]));
	if (p.len[1])
		e->env->write(e->env->ctx, p.gpa[1], p.len[1],
			      val >> (8 * p.len[0]) & size_mask(p.len[1]));
	return MMIO_DONE;
}

/* ---- operands -------------------------------------------------------------- */

static unsigned int operand_size(const struct emu *e, unsigned int i)
{
	return e->op[i].size / 8u;
}

static enum mmio_result read_operand(struct emu *e, unsigned int i, u64 *val)
{
	const ZydisDecodedOperand *op = &e->op[i];
	int n;

	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		*val = op->imm.value.u;		/* sign-extended where it must be */
		return MMIO_DONE;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return read_mem(e, operand_address(e, op), operand_size(e, i), val);
	case ZYDIS_OPERAND_TYPE_REGISTER:
		break;
	default:
		return MMIO_UNSUPPORTED;
	}
	if (ZydisRegisterGetClass(op->reg.value) == ZYDIS_REGCLASS_SEGMENT) {
		*val = segment(e, op->reg.value)->selector;
		return MMIO_DONE;
	}
	n = gpr_number(e, op->reg.value);
	if (n < 0)
		return MMIO_UNSUPPORTED;
	*val = *gpr(e, (unsigned int)n) >> (is_high_byte(op->reg.value) ? 8 : 0);
	*val &= size_mask(operand_size(e, i));
	return MMIO_DONE;
}

static enum mmio_result write_operand(struct emu *e, unsigned int i, u64 val)
{
	const ZydisDecodedOperand *op = &e->op[i];
	int n;

	if (op->type == ZYDIS_OPERAND_TYPE_MEMORY)
		return write_mem(e, operand_address(e, op), operand_size(e, i), val);
	if (op->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return MMIO_UNSUPPORTED;
	n = gpr_number(e, op->reg.value);
	if (n < 0)
		return MMIO_UNSUPPORTED;
	if (is_high_byte(op->reg.value))
		*gpr(e, (unsigned int)n) = (*gpr(e, (unsigned int)n) & ~0xff00ull) |
					   (val & 0xff) << 8;
	else
		set_gpr(e, (unsigned int)n, operand_size(e, i), val);
	return MMIO_DONE;
}

/*
 * Before an instruction reads and then writes its first operand: would the
 * write fault? A device must not see the read then.
 */
static enum mmio_result probe_write(struct emu *e, unsigned int i)
{
	struct pieces p;

	if (e->op[i].type != ZYDIS_OPERAND_TYPE_MEMORY)
		return MMIO_DONE;
	return locate(e, operand_address(e, &e->op[i]), operand_size(e, i), true, &p);
}

/* ---- arithmetic ------------------------------------------------------------ */

static void set_flags(struct emu *e, u64 mask, u64 flags)
{
	e->regs->rflags = (e->regs->rflags & ~mask) | (flags & mask);
}

static u64 result_flags(u64 res, unsigned int bytes)
{
	u64 flags = 0;

	if (!(res & size_mask(bytes)))
		flags |= RFLAGS_ZF;
	if (res >> (8 * bytes - 1) & 1)
		flags |= RFLAGS_SF;
	if (!__builtin_parity((unsigned int)res & 0xff))
		flags |= RFLAGS_PF;
	return flags;
}

/* The carries out of each bit tell CF, OF and AF, for sums and differences alike. */
static u64 carry_flags(u64 carries, u64 a, u64 b_or_not_b, u64 res, unsigned int bytes)
{
	unsigned int top = 8 * bytes - 1;
	u64 flags = 0;

	if (carries >> top & 1)
		flags |= RFLAGS_CF;
	if (carries >> 3 & 1)
		flags |= RFLAGS_AF;
	if (~(a ^ b_or_not_b) & (a ^ res) & 1ull << top)
		flags |= RFLAGS_OF;
	return flags;
}

static u64 add(u64 a, u64 b, u64 carry, unsigned int bytes, u64 *flags)
{
	u64 res = a + b + carry;
	u64 carries = (a & b) | ((a | b) & ~res);

	*flags = carry_flags(carries, a, b, res, bytes) | result_flags(res, bytes);
	return res;
}

static u64 sub(u64 a, u64 b, u64 borrow, unsigned int bytes, u64 *flags)
{
	u64 res = a - b - borrow;
	u64 borrows = (~a & b) | (~(a ^ b) & res);

	*flags = carry_flags(borrows, a, ~b, res, bytes) | result_flags(res, bytes);
	return res;
}

/* Two operands, the first of which may be changed. */
static enum mmio_result do_alu(struct emu *e)
{
	ZydisMnemonic m = e->insn.mnemonic;
	unsigned int bytes = operand_size(e, 0);
	bool keep = m == ZYDIS_MNEMONIC_CMP || m == ZYDIS_MNEMONIC_TEST;
	u64 carry = e->regs->rflags & RFLAGS_CF;
	enum mmio_result ret = MMIO_DONE;
	u64 a, b, res, flags;

	if (!keep)
		ret = probe_write(e, 0);
	if (!ret)
		ret = read_operand(e, 1, &b);
	if (!ret)
		ret = read_operand(e, 0, &a);
	if (ret)
		return ret;
	b &= size_mask(bytes);
	switch (m) {
	case ZYDIS_MNEMONIC_ADD:
		res = add(a, b, 0, bytes, &flags);
		break;
	case ZYDIS_MNEMONIC_ADC:
		res = add(a, b, carry, bytes, &flags);
		break;
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_CMP:
		res = sub(a, b, 0, bytes, &flags);
		break;
	case ZYDIS_MNEMONIC_SBB:
		res = sub(a, b, carry, bytes, &flags);
		break;
	case ZYDIS_MNEMONIC_OR:
		res = a | b;
		flags = result_flags(res, bytes);
		break;
	case ZYDIS_MNEMONIC_XOR:
		res = a ^ b;
		flags = result_flags(res, bytes);
		break;
	default:		/* AND, TEST */
		res = a & b;
		flags = result_flags(res, bytes);
	}
	if (!keep)
		ret = write_operand(e, 0, res);
	if (!ret)
		set_flags(e, RFLAGS_ARITH, flags);
	return ret;
}

/* INC, DEC, NEG, NOT */
static enum mmio_result do_unary(struct emu *e)
{
	unsigned int bytes = operand_size(e, 0);
	u64 val, flags = 0, mask = RFLAGS_ARITH;
	enum mmio_result ret;

	ret = probe_write(e, 0);
	if (!ret)
		ret = read_operand(e, 0, &val);
	if (ret)
		return ret;
	switch (e->insn.mnemonic) {
	case ZYDIS_MNEMONIC_INC:
		val = add(val, 1, 0, bytes, &flags);
		mask &= ~(u64)RFLAGS_CF;
		break;
	case ZYDIS_MNEMONIC_DEC:
		val = sub(val, 1, 0, bytes, &flags);
		mask &= ~(u64)RFLAGS_CF;
		break;
	case ZYDIS_MNEMONIC_NEG:
		val = sub(0, val, 0, bytes, &flags);
		break;
	default:		/* NOT changes no flag */
		val = ~val;
		mask = 0;
	}
	ret = write_operand(e, 0, val);
	if (!ret)
		set_flags(e, mask, flags);
	return ret;
}

/* BT, BTS, BTR, BTC. With the bit's number in a register, memory is a bit string. */
static enum mmio_result do_bit(struct emu *e)
{
	unsigned int bytes = operand_size(e, 0), bits = 8 * bytes;
	bool in_memory = e->op[0].type == ZYDIS_OPERAND_TYPE_MEMORY;
	bool keep = e->insn.mnemonic == ZYDIS_MNEMONIC_BT;
	enum mmio_result ret;
	u64 n, val, bit, gva = 0;
	struct pieces p;

	ret = read_operand(e, 1, &n);
	if (ret)
		return ret;
	if (in_memory) {
		gva = operand_address(e, &e->op[0]);
		if (e->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER) {
			s64 words = (s64)sign_extend(n, bytes) >> __builtin_ctz(bits);

			gva += (u64)words * bytes;
			if (e->insn.machine_mode != ZYDIS_MACHINE_MODE_LONG_64)
				gva = (u32)gva;
		}
		if (!keep)
			ret = locate(e, gva, bytes, true, &p);
		if (!ret)
			ret = read_mem(e, gva, bytes, &val);
	} else {
		ret = read_operand(e, 0, &val);
	}
	if (ret)
		return ret;
	bit = 1ull << (n & (bits - 1));
	set_flags(e, RFLAGS_CF, val & bit ? RFLAGS_CF : 0);
	if (keep)
		return MMIO_DONE;
	if (e->insn.mnemonic == ZYDIS_MNEMONIC_BTS)
		val |= bit;
	else if (e->insn.mnemonic == ZYDIS_MNEMONIC_BTR)
		val &= ~bit;
	else
		val ^= bit;
	return in_memory ? write_mem(e, gva, bytes, val) : write_operand(e, 0, val);
}

/* ---- moves ----------------------------------------------------------------- */

static enum mmio_result do_move(struct emu *e)
{
	bool is_signed = e->insn.mnemonic == ZYDIS_MNEMONIC_MOVSX ||
			 e->insn.mnemonic == ZYDIS_MNEMONIC_MOVSXD;
	enum mmio_result ret;
	u64 val;

	ret = read_operand(e, 1, &val);
	if (ret)
		return ret;
	if (is_signed)
		val = sign_extend(val, operand_size(e, 1));
	return write_operand(e, 0, val);
}

/* XCHG and XADD: both operands change. The memory one, if any, is written first. */
static enum mmio_result do_exchange(struct emu *e)
{
	unsigned int bytes = operand_size(e, 0);
	unsigned int mem = e->op[1].type == ZYDIS_OPERAND_TYPE_MEMORY;
	u64 val[2], flags = 0, mask = 0;
	enum mmio_result ret;

	ret = probe_write(e, mem);
	if (!ret)
		ret = read_operand(e, 0, &val[0]);
	if (!ret)
		ret = read_operand(e, 1, &val[1]);
	if (ret)
		return ret;
	if (e->insn.mnemonic == ZYDIS_MNEMONIC_XADD) {
		val[1] = add(val[0], val[1], 0, bytes, &flags);
		mask = RFLAGS_ARITH;
	}
	ret = write_operand(e, mem, val[!mem]);
	if (!ret)
		ret = write_operand(e, !mem, val[mem]);
	if (!ret)
		set_flags(e, mask, flags);
	return ret;
}

static enum mmio_result do_cmpxchg(struct emu *e)
{
	unsigned int bytes = operand_size(e, 0);
	u64 dest, src, flags, acc = *gpr(e, RAX) & size_mask(bytes);
	enum mmio_result ret;

	ret = probe_write(e, 0);
	if (!ret)
		ret = read_operand(e, 0, &dest);
	if (!ret)
		ret = read_operand(e, 1, &src);
	if (ret)
		return ret;
	sub(acc, dest, 0, bytes, &flags);
	/* The destination is written in either case, as the CPU does. */
	ret = write_operand(e, 0, flags & RFLAGS_ZF ? src : dest);
	if (ret)
		return ret;
	if (!(flags & RFLAGS_ZF))
		set_gpr(e, RAX, bytes, dest);
	set_flags(e, RFLAGS_ARITH, flags);
	return MMIO_DONE;
}

/* ---- strings --------------------------------------------------------------- */

enum string_op { STR_MOVS, STR_STOS, STR_LODS, STR_CMPS, STR_SCAS };

/* SI's segment can be overridden, DI's is ES. */
static u64 source(struct emu *e)
{
	ZydisRegister seg = ZYDIS_REGISTER_DS;

	for (unsigned int i = 0; i < e->insn.operand_count; i++)
		if (e->op[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    gpr_number(e, e->op[i].mem.base) == RSI)
			seg = e->op[i].mem.segment;
	return linear(e, seg, *gpr(e, RSI));
}

static u64 destination(struct emu *e)
{
	return linear(e, ZYDIS_REGISTER_ES, *gpr(e, RDI));
}

static enum mmio_result string_step(struct emu *e, enum string_op op, unsigned int bytes)
{
	u64 acc = *gpr(e, RAX) & size_mask(bytes);
	enum mmio_result ret = MMIO_DONE;
	u64 a = acc, b, flags;

	if (op == STR_MOVS || op == STR_LODS || op == STR_CMPS)
		ret = read_mem(e, source(e), bytes, &a);
	if (ret)
		return ret;
	switch (op) {
	case STR_MOVS:
	case STR_STOS:
		return write_mem(e, destination(e), bytes, a);
	case STR_LODS:
		set_gpr(e, RAX, bytes, a);
		return MMIO_DONE;
	default:
		ret = read_mem(e, destination(e), bytes, &b);
		if (ret)
			return ret;
		sub(a, b, 0, bytes, &flags);
		set_flags(e, RFLAGS_ARITH, flags);
		return MMIO_DONE;
	}
}

static enum mmio_result do_string(struct emu *e, enum string_op op, unsigned int bytes)
{
	const u64 rep = e->insn.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
					      ZYDIS_ATTRIB_HAS_REPNE);
	const bool compares = op == STR_CMPS || op == STR_SCAS;
	const unsigned int width = e->insn.address_width / 8u;
	const u64 step = e->regs->rflags & RFLAGS_DF ? -(u64)bytes : bytes;
	unsigned int done = 0;
	enum mmio_result ret;

	while (!rep || (*gpr(e, RCX) & address_mask(e))) {
		if (done++ == REP_MAX) {
			e->unfinished = true;
			break;
		}
		ret = string_step(e, op, bytes);
		if (ret)
			return ret;	/* registers show what was done before */
		if (op != STR_STOS && op != STR_SCAS)
			set_gpr(e, RSI, width, *gpr(e, RSI) + step);
		if (op != STR_LODS)
			set_gpr(e, RDI, width, *gpr(e, RDI) + step);
		if (!rep)
			break;
		set_gpr(e, RCX, width, *gpr(e, RCX) - 1);
		if (compares && !(e->regs->rflags & RFLAGS_ZF) !=
				!!(e->insn.attributes & ZYDIS_ATTRIB_HAS_REPNE))
			break;
	}
	return MMIO_DONE;
}

/* ---- one instruction ------------------------------------------------------- */

static enum mmio_result dispatch(struct emu *e)
{
	switch (e->insn.mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_MOVZX:
	case ZYDIS_MNEMONIC_MOVSX:
	case ZYDIS_MNEMONIC_MOVSXD:
	case ZYDIS_MNEMONIC_MOVNTI:
		return do_move(e);
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_ADC:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_SBB:
	case ZYDIS_MNEMONIC_CMP:
	case ZYDIS_MNEMONIC_AND:
	case ZYDIS_MNEMONIC_OR:
	case ZYDIS_MNEMONIC_XOR:
	case ZYDIS_MNEMONIC_TEST:
		return do_alu(e);
	case ZYDIS_MNEMONIC_INC:
	case ZYDIS_MNEMONIC_DEC:
	case ZYDIS_MNEMONIC_NEG:
	case ZYDIS_MNEMONIC_NOT:
		return do_unary(e);
	case ZYDIS_MNEMONIC_BT:
	case ZYDIS_MNEMONIC_BTS:
	case ZYDIS_MNEMONIC_BTR:
	case ZYDIS_MNEMONIC_BTC:
		return do_bit(e);
	case ZYDIS_MNEMONIC_XCHG:
	case ZYDIS_MNEMONIC_XADD:
		return do_exchange(e);
	case ZYDIS_MNEMONIC_CMPXCHG:
		return do_cmpxchg(e);
#define STRING(op, suffix, bytes) \
	case ZYDIS_MNEMONIC_##op##suffix: \
		return do_string(e, STR_##op, bytes)
#define STRING_ALL(op) \
	STRING(op, B, 1); STRING(op, W, 2); STRING(op, D, 4); STRING(op, Q, 8)
	STRING_ALL(STOS);
	STRING_ALL(LODS);
	STRING_ALL(SCAS);
	STRING(MOVS, B, 1);
	STRING(MOVS, W, 2);
	STRING(MOVS, Q, 8);
	STRING(CMPS, B, 1);
	STRING(CMPS, W, 2);
	STRING(CMPS, Q, 8);
#undef STRING_ALL
#undef STRING
	/* These two share their names with SSE instructions. */
	case ZYDIS_MNEMONIC_MOVSD:
	case ZYDIS_MNEMONIC_CMPSD:
		if (e->insn.meta.category != ZYDIS_CATEGORY_STRINGOP)
			return MMIO_UNSUPPORTED;
		return do_string(e, e->insn.mnemonic == ZYDIS_MNEMONIC_MOVSD ? STR_MOVS : STR_CMPS,
				 4);
	default:
		return MMIO_UNSUPPORTED;
	}
}

static void init_decoder(ZydisDecoder *dec, unsigned int mode)
{
	if (mode == 8)
		ZydisDecoderInit(dec, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	else if (mode == 4)
		ZydisDecoderInit(dec, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	else
		ZydisDecoderInit(dec, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
}

enum mmio_result mmio_emulate(const struct mmio_env *env, struct vmdrv_regs *regs,
			      const struct vmdrv_sregs *sregs, const u8 *insn, unsigned int len,
			      unsigned int mode, struct mmio_fault *fault)
{
	struct emu e = { .env = env, .regs = regs, .sregs = sregs, .fault = fault };
	enum mmio_result ret;
	ZydisDecoder dec;

	init_decoder(&dec, mode);
	if (ZYAN_FAILED(ZydisDecoderDecodeFull(&dec, insn, len, &e.insn, e.op)))
		return MMIO_UNSUPPORTED;
	ret = dispatch(&e);
	if (!ret && !e.unfinished) {
		regs->rip += e.insn.length;
		if (mode != 8)
			regs->rip = (u32)regs->rip;
	}
	return ret;
}

void mmio_format(const u8 *insn, unsigned int len, unsigned int mode, u64 rip, char *buf,
		 size_t size)
{
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction decoded;
	ZydisFormatter fmt;
	ZydisDecoder dec;
	size_t used = 0;

	init_decoder(&dec, mode);
	if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(&dec, insn, len, &decoded, op)) &&
	    ZYAN_SUCCESS(ZydisFormatterInit(&fmt, ZYDIS_FORMATTER_STYLE_INTEL)) &&
	    ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&fmt, &decoded, op,
							 decoded.operand_count_visible, buf, size,
							 rip, NULL)))
		return;
	snprintf(buf, size, len ? "bytes" : "an instruction that cannot be read");
	for (unsigned int i = 0; i < len && (used = strlen(buf)) + 4 < size; i++)
		snprintf(buf + used, size - used, " %02x", insn[i]);
}
