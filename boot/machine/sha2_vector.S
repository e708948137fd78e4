/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256's and SHA-512's blocks (FIPS 180-4, section 6) by vector instructions: Zvknhb, of which Zvknha is
 * SHA-256's part, and Zvkb, which turns bytes. Old assemblers know none of them: all are written by their
 * encodings.
 *
 * Four words at a time: in one register of 128 bits for SHA-256, in two for SHA-512. V promises that
 * registers are that long (Zvl128b); of longer ones the rest is not used. Working variables are in the order
 * that the instructions want: f, e, b, a, and h, g, d, c, from the lowest element on.
 *
 * The vector unit is on in here only. All else of the stage, its traps included, finds it off. Its registers
 * are left zero.
 *
 * void NAME(void *state, const uint8_t *data, size_t count), a hash_blocks (kexec/check/way.h)
 *
 * In:      a0 state   a1 data   a2 blocks, not 0   sstatus.VS off
 * Keeps:   what C functions keep   Leaves: by ret; sstatus.VS off
 */
#define SSTATUS_VS	   0x600
#define SSTATUS_VS_INITIAL 0x200

/* Registers, by number. SHA-512 has pairs of them, named by the even one. */
#define FIRST 0 /* a mask: the first element only */
#define ORDER 1 /* how far from a the words f, e, b, a lie in the state, in bytes */
#define ABEF  2
#define CDGH  4
#define SUM   6
#define ABEF0 8 /* before the block */
#define CDGH0 10
#define W0    12
#define W1    14
#define W2    16
#define W3    18
#define K     20 /* SHA-512's constants, as they are needed */
#define NONE  0

#define VSETIVLI -0x400 /* the two bits on top of its vtype, 0xc00, as a signed immediate */
#define TA_MA	 0xc0

/* ---- Instructions ---- */

.macro op_v opcode, funct3, funct6, vd, vs2, vs1, vm=1
	.insn	r \opcode, \funct3, 2 * \funct6 + \vm, x\vd, x\vs1, x\vs2
.endm
.macro vadd vd, vs2, vs1
	op_v	0x57, 0, 0x00, \vd, \vs2, \vs1
.endm
.macro vmv vd, vs1
	op_v	0x57, 0, 0x17, \vd, NONE, \vs1
.endm
.macro vmv_imm vd, imm
	op_v	0x57, 3, 0x17, \vd, NONE, \imm
.endm
.macro vmv_first vd, rs1 /* into the first element only */
	.insn	r 0x57, 6, 0x21, x\vd, \rs1, x0
.endm
.macro vmerge vd, vs2, vs1 /* vs1 where the mask is, else vs2 */
	op_v	0x57, 0, 0x17, \vd, \vs2, \vs1, 0
.endm
.macro vrev8 vd, vs2
	op_v	0x57, 2, 0x12, \vd, \vs2, 9
.endm
.macro vsha2ms vd, vs2, vs1
	op_v	0x77, 2, 0x2d, \vd, \vs2, \vs1
.endm
.macro vsha2ch vd, vs2, vs1
	op_v	0x77, 2, 0x2e, \vd, \vs2, \vs1
.endm
.macro vsha2cl vd, vs2, vs1
	op_v	0x77, 2, 0x2f, \vd, \vs2, \vs1
.endm
.macro vload bits, vd, at
	.insn	r 0x07, 5 + \bits / 32, 0x01, x\vd, \at, x0
.endm
.macro vload_strided bits, vd, at, stride
	.insn	r 0x07, 5 + \bits / 32, 0x05, x\vd, \at, \stride
.endm
.macro vload_indexed vd, at, index
	.insn	r 0x07, 0, 0x03, x\vd, \at, x\index
.endm
.macro vstore_indexed vs3, at, index
	.insn	r 0x27, 0, 0x03, x\vs3, \at, x\index
.endm

/* vtype: 8 * log2(bits of an element / 8) + log2(registers), with tail and mask agnostic. */
.macro four_words bits /* vsetivli x0, 4, e32, m1, ta, ma; or e64, m2 */
	.insn	i 0x57, 7, x0, x4, VSETIVLI + TA_MA + 8 * (\bits / 32 + 1) + (\bits / 32 - 1)
.endm
.macro eight_registers /* vsetvli t0, x0, e8, m8, ta, ma */
	.insn	i 0x57, 7, t0, x0, TA_MA + 3
.endm

/* ---- The rounds ---- */

.macro four_rounds k, w
	.if	\k == K
	vload	64, K, t0
	addi	t0, t0, 4 * 8
	.endif
	vadd	SUM, \k, \w
	vsha2cl	CDGH, ABEF, SUM
	vsha2ch	ABEF, CDGH, SUM
.endm

/* Four words of the schedule in the place of those of 16 rounds before. */
.macro extend w0, w1, w2, w3
	vmerge	SUM, \w2, \w1
	vsha2ms	\w0, SUM, \w3
.endm

.macro sixteen_rounds k0, k1, k2, k3
	four_rounds \k0, W0
	extend	W0, W1, W2, W3
	four_rounds \k1, W1
	extend	W1, W2, W3, W0
	four_rounds \k2, W2
	extend	W2, W3, W0, W1
	four_rounds \k3, W3
	extend	W3, W0, W1, W2
.endm

/* ---- Around them ---- */

.macro begin name, bits
	.section .text.\name, "ax", @progbits
	.globl	\name
	.type	\name, @function
\name:
	li	t0, SSTATUS_VS_INITIAL
	csrs	sstatus, t0
	four_words \bits
	vmv_imm	FIRST, 1
	li	t0, (\bits / 32) * 0x00041014
	vmv_first ORDER, t0
	addi	a3, a0, \bits / 4
	vload_indexed ABEF, a0, ORDER
	vload_indexed CDGH, a3, ORDER
.endm

.macro begin_block bits
	.irp	w, W0, W1, W2, W3
	vload	\bits, \w, a1
	addi	a1, a1, \bits / 2
	vrev8	\w, \w
	.endr
	vmv	ABEF0, ABEF
	vmv	CDGH0, CDGH
.endm

.macro end_block
	vadd	ABEF, ABEF, ABEF0
	vadd	CDGH, CDGH, CDGH0
	addi	a2, a2, -1
.endm

.macro end name
	vstore_indexed ABEF, a0, ORDER
	vstore_indexed CDGH, a3, ORDER
	eight_registers
	.irp	v, 0, 8, 16, 24
	vmv_imm	\v, 0
	.endr
	li	t0, SSTATUS_VS
	csrc	sstatus, t0
	ret
	.size	\name, . - \name
.endm

	/*
	 * SHA-256's constants, the upper halves of SHA-512's first ones, are read once: into what would be
	 * the second registers of pairs, and those behind.
	 */
	begin	sha256_zvknha, 32
	lla	t0, sha2_constants + 4
	li	t1, 8
	.irp	k, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 22, 23, 24, 25, 26, 27
	vload_strided 32, \k, t0, t1
	addi	t0, t0, 4 * 8
	.endr
1:	begin_block 32
	sixteen_rounds 3, 5, 7, 9
	sixteen_rounds 11, 13, 15, 17
	sixteen_rounds 19, 21, 22, 23
	four_rounds 24, W0
	four_rounds 25, W1
	four_rounds 26, W2
	four_rounds 27, W3
	end_block
	bnez	a2, 1b
	end	sha256_zvknha

	/* (The words that the last rounds make for later ones are not used.) */
	begin	sha512_zvknhb, 64
1:	begin_block 64
	lla	t0, sha2_constants
	addi	t1, t0, 80 * 8
2:	sixteen_rounds K, K, K, K
	bne	t0, t1, 2b
	end_block
	bnez	a2, 1b
	end	sha512_zvknhb
