/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256's and SHA-512's blocks (FIPS 180-4, sections 6.2 and 6.4), with all that they work on in
 * registers. It is assembly because compilers spill: theirs takes a fifth more. One text for all ways; a
 * way is the four sigma functions, an order is how words are read. Instructions that old assemblers do not
 * know are written by their encodings.
 *
 * In SHA-256 the upper half of a register may be anything.
 *
 * void NAME(void *state, const uint8_t *data, size_t count), a hash_blocks (kexec/check/way.h)
 *
 * In:      a0 state   a1 data   a2 blocks, not 0
 * Keeps:   what C functions keep   Leaves: by ret
 */
#define A s0
#define B s1
#define C a1
#define D a2
#define E s2
#define F s3
#define G s4
#define H s5

#define W0  s6
#define W1  s7
#define W2  s8
#define W3  s9
#define W4  s10
#define W5  s11
#define W6  a6
#define W7  a7
#define W8  t0
#define W9  t1
#define W10 t2
#define W11 t3
#define W12 t4
#define W13 t5
#define W14 t6
#define W15 ra

#define K  a0 /* where the next 16 rounds' constants are */
#define T0 a3 /* for all else: among those that short instructions reach, as are half of the variables */
#define T1 a4
#define T2 a5

/* RV64: multiplied by it, a word in the upper half is turned right by so much, twice: mulhu. */
#define TURN2 T2
#define TURN6 gp

#define FRAME 144 /* registers from 0 on */
#define STATE 104(sp)
#define DATA  112(sp)
#define COUNT 120(sp)

/* ---- Ways: rd = f(rs), by T1 and T2; rd is not rs ---- */

/*
 * RV64's sums begin with a multiplication. Its result is not there at once: what does not need it comes
 * between.
 */
.macro begin_sum way, rd, rs, turn
	.ifc	\way, rv64
	turn	\rd, \rs, \turn
	.endif
.endm

.macro ror32 rd, rs, n
	.insn	i 0x1b, 5, \rd, \rs, 0x600 + \n /* roriw */
.endm

.macro ror64 rd, rs, n
	.insn	i 0x13, 5, \rd, \rs, 0x600 + \n /* rori */
.endm

.macro rev8 rd, rs
	.insn	i 0x13, 5, \rd, \rs, 0x6b8
.endm

.macro xor3 ror, rd, rs, first, second, third
	\ror	\rd, \rs, \first
	\ror	T1, \rs, \second
	xor	\rd, \rd, T1
	\ror	T1, \rs, \third
	xor	\rd, \rd, T1
.endm

.macro xor2_shift ror, srl, rd, rs, first, second, shift
	\ror	\rd, \rs, \first
	\ror	T1, \rs, \second
	xor	\rd, \rd, T1
	\srl	T1, \rs, \shift
	xor	\rd, \rd, T1
.endm

/* Zknh */
.macro zknh32_sum0 rd, rs
	.insn	i 0x13, 1, \rd, \rs, 0x100
.endm
.macro zknh32_sum1 rd, rs
	.insn	i 0x13, 1, \rd, \rs, 0x101
.endm
.macro zknh32_sigma0 rd, rs
	.insn	i 0x13, 1, \rd, \rs, 0x102
.endm
.macro zknh32_sigma1 rd, rs
	.insn	i 0x13, 1, \rd, \rs, 0x103
.endm

/* Zbb */
.macro zbb32_sum0 rd, rs
	xor3	ror32, \rd, \rs, 2, 13, 22
.endm
.macro zbb32_sum1 rd, rs
	xor3	ror32, \rd, \rs, 6, 11, 25
.endm
.macro zbb32_sigma0 rd, rs
	xor2_shift ror32, srliw, \rd, \rs, 7, 18, 3
.endm
.macro zbb32_sigma1 rd, rs
	xor2_shift ror32, srliw, \rd, \rs, 17, 19, 10
.endm
.macro zbb64_sum0 rd, rs
	xor3	ror64, \rd, \rs, 28, 34, 39
.endm
.macro zbb64_sum1 rd, rs
	xor3	ror64, \rd, \rs, 14, 18, 41
.endm
.macro zbb64_sigma0 rd, rs
	xor2_shift ror64, srli, \rd, \rs, 1, 8, 7
.endm
.macro zbb64_sigma1 rd, rs
	xor2_shift ror64, srli, \rd, \rs, 19, 61, 6
.endm

/* RV64: a word that stands in both halves of a register is rotated by a shift; multiplied, it does and is. */
.macro turn rd, rs, turn
	slli	\rd, \rs, 32
	mulhu	\rd, \rd, \turn
.endm
.macro xor2_shifted rd, first, second
	srli	T1, \rd, \first
	xor	T1, T1, \rd
	srli	T1, T1, \second
	xor	\rd, \rd, T1
.endm
.macro rv64_sum0 rd, rs /* turned by 2; then 11 and 20 more */
	xor2_shifted \rd, 9, 11
.endm
.macro rv64_sum1 rd, rs /* turned by 6; then 5 and 19 more */
	xor2_shifted \rd, 14, 5
.endm
.macro rv64_sigma rd, rs, between, more, shift
	turn	\rd, \rs, TURN6
	srli	T1, \rd, \between
	xor	\rd, \rd, T1
	srli	\rd, \rd, \more
	srliw	T1, \rs, \shift
	xor	\rd, \rd, T1
.endm
.macro rv64_sigma0 rd, rs /* 7, 18 */
	rv64_sigma \rd, \rs, 11, 1, 3
.endm
.macro rv64_sigma1 rd, rs /* 17, 19 */
	rv64_sigma \rd, \rs, 2, 11, 10
.endm
.macro ror_by_shifts rd, rs, n
	srli	\rd, \rs, \n
	slli	T2, \rs, 64 - \n
	or	\rd, \rd, T2
.endm
.macro rv64_512_sum0 rd, rs
	xor3	ror_by_shifts, \rd, \rs, 28, 34, 39
.endm
.macro rv64_512_sum1 rd, rs
	xor3	ror_by_shifts, \rd, \rs, 14, 18, 41
.endm
.macro rv64_512_sigma0 rd, rs
	xor2_shift ror_by_shifts, srli, \rd, \rs, 1, 8, 7
.endm
.macro rv64_512_sigma1 rd, rs
	xor2_shift ror_by_shifts, srli, \rd, \rs, 19, 61, 6
.endm

/* ---- Orders: words that are big-endian, two of them from \at of T0 on, by T1, A and B ---- */

.macro rev8_ready
.endm
.macro rev8_read32 first, second, at
	ld	\second, 4 * \at(T0)
	rev8	\second, \second
	srli	\first, \second, 32
.endm
.macro rev8_read64 first, second, at
	ld	\first, 8 * \at(T0)
	rev8	\first, \first
	ld	\second, 8 * \at + 8(T0)
	rev8	\second, \second
.endm

	.section .rodata.sha2_rv64, "a", @progbits
	.balign	8
sha2_rv64:
	.dword	0x00ff00ff00ff00ff, 0x0000ffff0000ffff
	.dword	(1 << 32 | 1) << 30, (1 << 32 | 1) << 26

.macro rv64_ready
	lla	T1, sha2_rv64
	ld	A, 0(T1)
	ld	B, 8(T1)
	ld	TURN2, 16(T1)
	ld	TURN6, 24(T1)
.endm
.macro rv64_read32 first, second, at
	ld	\first, 4 * \at(T0)
	swap	\first, A, 8
	swap	\first, B, 16
	srli	\second, \first, 32
.endm
.macro rv64_read64 first, second, at
	rv64_read_one \first, 8 * \at
	rv64_read_one \second, 8 * \at + 8
.endm
.macro rv64_read_one word, at
	ld	\word, \at(T0)
	swap	\word, A, 8
	swap	\word, B, 16
	srli	T1, \word, 32
	slli	\word, \word, 32
	or	\word, \word, T1
.endm
.macro swap word, mask, bits /* neighbours of so many bits */
	srli	T1, \word, \bits
	and	T1, T1, \mask
	and	\word, \word, \mask
	slli	\word, \word, \bits
	or	\word, \word, T1
.endm

/* ---- The rounds ---- */

.macro constant32 to, i
	lw	\to, 8 * (\i) + 4(K) /* SHA-256's constants are the upper halves of SHA-512's first ones */
.endm
.macro constant64 to, i
	ld	\to, 8 * (\i)(K)
.endm

/* The working variables change their roles, so that none has to be moved. */
.macro round way, bits, a, b, c, d, e, f, g, h, w, i
	begin_sum \way, T0, \e, TURN6
	xor	T1, \f, \g
	and	T1, T1, \e
	xor	T1, T1, \g
	add	\h, \h, T1
	constant\bits T1, \i
	add	\h, \h, \w
	add	\h, \h, T1
	\way\()_sum1 T0, \e
	add	\h, \h, T0
	add	\d, \d, \h
	begin_sum \way, T0, \a, TURN2
	and	T1, \a, \b
	add	\h, \h, T1
	xor	T1, \a, \b
	and	T1, T1, \c
	add	\h, \h, T1
	\way\()_sum0 T0, \a
	add	\h, \h, T0
.endm

.macro eight_rounds way, bits, i, w0, w1, w2, w3, w4, w5, w6, w7
	round	\way, \bits, A, B, C, D, E, F, G, H, \w0, \i
	round	\way, \bits, H, A, B, C, D, E, F, G, \w1, \i + 1
	round	\way, \bits, G, H, A, B, C, D, E, F, \w2, \i + 2
	round	\way, \bits, F, G, H, A, B, C, D, E, \w3, \i + 3
	round	\way, \bits, E, F, G, H, A, B, C, D, \w4, \i + 4
	round	\way, \bits, D, E, F, G, H, A, B, C, \w5, \i + 5
	round	\way, \bits, C, D, E, F, G, H, A, B, \w6, \i + 6
	round	\way, \bits, B, C, D, E, F, G, H, A, \w7, \i + 7
.endm

/* A word of the schedule in the place of the one of 16 rounds before. */
.macro extend way, w0, w1, w9, w14
	\way\()_sigma0 T0, \w1
	add	\w0, \w0, T0
	\way\()_sigma1 T0, \w14
	add	\w0, \w0, T0
	add	\w0, \w0, \w9
.endm

.macro load_state bits, load, at
	\load	A, 0 * \bits / 8(\at)
	\load	B, 1 * \bits / 8(\at)
	\load	C, 2 * \bits / 8(\at)
	\load	D, 3 * \bits / 8(\at)
	\load	E, 4 * \bits / 8(\at)
	\load	F, 5 * \bits / 8(\at)
	\load	G, 6 * \bits / 8(\at)
	\load	H, 7 * \bits / 8(\at)
.endm

.macro add_to_state load, store, reg, at
	\load	T1, \at(T0)
	add	T1, T1, \reg
	\store	T1, \at(T0)
.endm

.macro sha2 name, way, order, bits, load, store, rounds
	.section .text.\name, "ax", @progbits
	.globl	\name
	.type	\name, @function
\name:
	addi	sp, sp, -FRAME
	sd	ra, 0(sp)
	sd	s0, 8(sp)
	sd	s1, 16(sp)
	sd	s2, 24(sp)
	sd	s3, 32(sp)
	sd	s4, 40(sp)
	sd	s5, 48(sp)
	sd	s6, 56(sp)
	sd	s7, 64(sp)
	sd	s8, 72(sp)
	sd	s9, 80(sp)
	sd	s10, 88(sp)
	sd	s11, 96(sp)
	sd	gp, 128(sp)
	sd	a0, STATE
	sd	a1, DATA
	sd	a2, COUNT

.Lblock_\name:
	ld	T0, DATA
	\order\()_ready
	\order\()_read\bits W0, W1, 0
	\order\()_read\bits W2, W3, 2
	\order\()_read\bits W4, W5, 4
	\order\()_read\bits W6, W7, 6
	\order\()_read\bits W8, W9, 8
	\order\()_read\bits W10, W11, 10
	\order\()_read\bits W12, W13, 12
	\order\()_read\bits W14, W15, 14
	ld	T0, STATE
	load_state \bits, \load, T0
	lla	K, sha2_constants

.Lrounds_\name:
	eight_rounds \way, \bits, 0, W0, W1, W2, W3, W4, W5, W6, W7
	eight_rounds \way, \bits, 8, W8, W9, W10, W11, W12, W13, W14, W15
	addi	K, K, 16 * 8
	lla	T0, sha2_constants + 8 * \rounds
	beq	K, T0, .Ladd_\name
	extend	\way, W0, W1, W9, W14
	extend	\way, W1, W2, W10, W15
	extend	\way, W2, W3, W11, W0
	extend	\way, W3, W4, W12, W1
	extend	\way, W4, W5, W13, W2
	extend	\way, W5, W6, W14, W3
	extend	\way, W6, W7, W15, W4
	extend	\way, W7, W8, W0, W5
	extend	\way, W8, W9, W1, W6
	extend	\way, W9, W10, W2, W7
	extend	\way, W10, W11, W3, W8
	extend	\way, W11, W12, W4, W9
	extend	\way, W12, W13, W5, W10
	extend	\way, W13, W14, W6, W11
	extend	\way, W14, W15, W7, W12
	extend	\way, W15, W0, W8, W13
	j	.Lrounds_\name

.Ladd_\name:
	ld	T0, STATE
	add_to_state \load, \store, A, 0 * \bits / 8
	add_to_state \load, \store, B, 1 * \bits / 8
	add_to_state \load, \store, C, 2 * \bits / 8
	add_to_state \load, \store, D, 3 * \bits / 8
	add_to_state \load, \store, E, 4 * \bits / 8
	add_to_state \load, \store, F, 5 * \bits / 8
	add_to_state \load, \store, G, 6 * \bits / 8
	add_to_state \load, \store, H, 7 * \bits / 8
	ld	T0, DATA
	addi	T0, T0, 2 * \bits
	sd	T0, DATA
	ld	T0, COUNT
	addi	T0, T0, -1
	sd	T0, COUNT
	beqz	T0, .Ldone_\name
	j	.Lblock_\name

.Ldone_\name:
	ld	ra, 0(sp)
	ld	s0, 8(sp)
	ld	s1, 16(sp)
	ld	s2, 24(sp)
	ld	s3, 32(sp)
	ld	s4, 40(sp)
	ld	s5, 48(sp)
	ld	s6, 56(sp)
	ld	s7, 64(sp)
	ld	s8, 72(sp)
	ld	s9, 80(sp)
	ld	s10, 88(sp)
	ld	s11, 96(sp)
	ld	gp, 128(sp)
	addi	sp, sp, FRAME
	ret
	.size	\name, . - \name
.endm

	sha2	sha256_zknh, zknh32, rev8, 32, lw, sw, 64
	sha2	sha256_zbb, zbb32, rev8, 32, lw, sw, 64
	sha2	sha256_blocks, rv64, rv64, 32, lw, sw, 64
	sha2	sha512_zbb, zbb64, rev8, 64, ld, sd, 80
	sha2	sha512_blocks, rv64_512, rv64, 64, ld, sd, 80
