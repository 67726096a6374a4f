/*
 * kernel.c
 *	  Choice of the kernel level by what the CPU and the system support.
 */
#include "kernel/kernel.h"
