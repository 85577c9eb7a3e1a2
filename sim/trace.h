// SPDX-License-Identifier: Apache-2.0
/* The hash of the trace: over the arguments themselves, so that a line that nobody reads is never formatted. */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdarg.h>
#include <stdint.h>

/* Mixes a line into the hash. Conversions: d i u x X c s (with l, ll, z, j, a width and .*), %%. */
uint64_t sim_trace_mix(uint64_t hash, const char *format, va_list args);

#endif
