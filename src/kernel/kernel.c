/*
 * kernel.c
 *	  Choice of the kernel level by what the CPU and the system support.
 *
 * A CPU may have registers that the system does not save: before AVX and
 * AVX-512 are used, XCR0 must say that it does.
 */
#include "kernel/level.h"

#include <string.h>

#ifdef HX_X86
#include <cpuid.h>

/* CPUID leaf 1, ecx */
#define BIT_POPCNT (1u << 23)
#define BIT_OSXSAVE (1u << 27)
#define BIT_AVX (1u << 28)
/* CPUID leaf 7, ebx and ecx */
#define BIT_AVX2 (1u << 5)
#define BIT_AVX512F (1u << 16)
#define BIT_AVX512BW (1u << 30)
#define BIT_AVX512VL (1u << 31)
#define BIT_VBMI (1u << 1)
#define BIT_GFNI (1u << 8)
#define BIT_VNNI (1u << 11)
#define BIT_VPOPCNTDQ (1u << 14)
/* XCR0: SSE and AVX state; with opmask and both parts of ZMM */
#define XCR0_AVX 0x06u
#define XCR0_AVX512 0xe6u

/* Register states that the system saves; 0 where it does not say. */
static unsigned
saved_states(unsigned leaf1_ecx)
{
	unsigned low;
	unsigned high;

	if (!(leaf1_ecx & BIT_OSXSAVE))
		return 0;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

/* Does `word` hold all of `bits`? */
static int
has_all(unsigned word, unsigned bits)
{
	return (word & bits) == bits;
}

/*
 * Sets *avx2 and *avx512 to whether this machine runs those levels, and *vnni
 * to whether the second has VNNI, and VBMI and GFNI with it.
 */
static void
probe_x86(int *avx2, int *avx512, int *vnni)
{
	unsigned eax;
	unsigned ebx;
	unsigned ecx;
	unsigned edx;
	unsigned leaf1_ecx;
	unsigned states;

	*avx2 = *avx512 = *vnni = 0;
	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
		return;
	leaf1_ecx = ecx;
	states = saved_states(leaf1_ecx);
	if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
		return;

	*avx2 = has_all(leaf1_ecx, BIT_POPCNT | BIT_AVX) &&
			has_all(states, XCR0_AVX) && has_all(ebx, BIT_AVX2);
	*avx512 = *avx2 && has_all(states, XCR0_AVX512) &&
			  has_all(ebx, BIT_AVX512F | BIT_AVX512BW | BIT_AVX512VL) &&
			  has_all(ecx, BIT_VPOPCNTDQ);
	*vnni = *avx512 && has_all(ecx, BIT_VNNI | BIT_VBMI | BIT_GFNI);
}
#endif

const HxKernels *hx_kernels = &hx_kernels_scalar;

const HxKernels *const *
hx_kernel_levels(void)
{
	static const HxKernels *levels[HX_MAX_LEVELS + 1];
	int count = 0;

	if (levels[0] != NULL)
		return levels;

	levels[count++] = &hx_kernels_scalar;
#if defined(HX_X86)
	{
		int avx2;
		int avx512;
		int vnni;

		probe_x86(&avx2, &avx512, &vnni);
		if (avx2)
			levels[count++] = &hx_kernels_avx2;
		if (avx512)
			levels[count++] = vnni ? &hx_kernels_vnni : &hx_kernels_avx512;
	}
#elif defined(HX_NEON)
	levels[count++] = &hx_kernels_neon;
#endif
	levels[count] = NULL;
	return levels;
}

int
hx_kernel_choose(const char *name)
{
	const HxKernels *const *levels = hx_kernel_levels();
	int any = strcmp(name, "auto") == 0;
	const HxKernels *found = NULL;

	for (int i = 0; levels[i] != NULL; i++)
	{
		if (any || strcmp(name, levels[i]->name) == 0)
			found = levels[i];
	}
	if (found == NULL)
		return -1;
	hx_kernels = found;
	return 0;
}
