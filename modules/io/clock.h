/* The two clocks. Everything that decides takes its time as an argument. */
#ifndef ONEGATE_IO_CLOCK_H
#define ONEGATE_IO_CLOCK_H

#include <stdint.h>

uint64_t clock_monotonic_ms(void); /* deadlines and durations */
uint64_t clock_monotonic_us(void);
uint64_t clock_unix_ms(void); /* what time it is, UTC */

#endif
