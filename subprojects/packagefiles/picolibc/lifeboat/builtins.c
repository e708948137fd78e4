// SPDX-License-Identifier: BSD-2-Clause
/* What the compiler calls where the base ISA has no instruction (Zbb does). The tool chain's libgcc has another ABI. */

unsigned __bswapsi2(unsigned x)
{
	return x >> 24 | (x >> 8 & 0xff00) | (x << 8 & 0xff0000) | x << 24;
}

unsigned long __bswapdi2(unsigned long x)
{
	return (unsigned long)__bswapsi2((unsigned)x) << 32 | __bswapsi2((unsigned)(x >> 32));
}

/* Undefined for 0, as the built-in is. */
int __clzdi2(unsigned long x)
{
	int zeros = 0;

	for (int step = 32; step; step /= 2) {
		if (x >> (64 - step))
			continue;
		x <<= step;
		zeros += step;
	}
	return zeros;
}

int __ctzdi2(unsigned long x)
{
	return 63 - __clzdi2(x & -x);
}
